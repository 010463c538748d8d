"""What of one epoch's files is whole, and where records are missing.

The records of an epoch are numbered through all of its files, and a file of `capacity` records that is the epoch's index-th
begins with number index * capacity + 1. So every whole record says where it stands, whatever became of those before it.
"""

import struct
from dataclasses import dataclass, field
from pathlib import Path

from nexus_fast.core.types import fingerprint, unpack
from nexus_fast.journal.error import JournalError
from nexus_fast.journal.files import HEADER_SIZE, RECORD_SIZE
from nexus_fast.journal.writer import checksum, first_number, whole_runs

MAGIC = b"NXJRNL1\0"
LAYOUT_VERSION = 1
HEADER = struct.Struct("<8sIIQQQQQQqq48x256s")


@dataclass(frozen=True)
class JournalHeader:
    """First page of a journal file (docs/memory-model.md)."""

    magic: bytes
    layout_version: int
    record_size: int
    fingerprint: int
    epoch: int
    index: int
    capacity: int
    first_sequence: int
    identity_hash: int
    created_ns: int
    writer_pid: int
    identity: str


@dataclass(frozen=True)
class Torn:
    """Records that are not whole: the file, the first one's place in it, how many, what is wrong with the first. count 0: the
    records are there, something else about the file is damaged. last: it is the journal's last record. unfinished: its append
    had not ended, so nobody acted on it; a kill leaves that."""

    path: Path
    position: int
    count: int
    reason: str
    last: bool = False
    unfinished: bool = False

    def __str__(self):
        if not self.count:
            return f"{self.path.name}: {self.reason}"
        where = f"record {self.position}" if self.count == 1 else f"records {self.position} to {self.position + self.count - 1}"
        return f"{self.path.name} {where}: {self.reason}"


@dataclass
class Survey:
    """files: (path, [(position, count)] of its whole records, the number of its first record), in order. last: number of the last
    whole record. holes: what is damaged before it; tail: behind it."""

    files: list = field(default_factory=list)
    last: int = 0
    holes: list = field(default_factory=list)
    tail: list = field(default_factory=list)


def read_header(path, content):
    """The header of a journal file. Raises JournalError when it is none, or one of another version."""
    if len(content) < HEADER.size or content[:8] != MAGIC:
        raise JournalError(f"{path} is no journal file: it does not begin with {MAGIC!r}")
    values = list(HEADER.unpack_from(content))
    values[-1] = values[-1].split(b"\0", 1)[0].decode(errors="replace")
    header = JournalHeader(*values)
    if (header.layout_version, header.fingerprint) != (LAYOUT_VERSION, fingerprint("order_event")):
        raise JournalError(
            f"{path} was written by another version of nexus_fast (layout {header.layout_version}, record "
            f"{header.fingerprint:016x}): read it with the version that wrote it"
        )
    return header


def survey_epoch(files):
    """files: as journal_files() gives them, of one epoch. A journal that is being written is looked at twice: what was appended
    between the readings of two pages is no hole."""
    found = _survey(files, 1 << 62)
    found.tail = _tail(found)
    if found.holes:
        again = _survey(files, found.last)
        again.tail = found.tail
        return again
    return found


def _survey(files, until):
    """until: the last number that is looked for."""
    capacity, damaged = _headers(files)
    found = Survey()
    for _, index, path in files:
        content = path.read_bytes()
        first = index * capacity + 1 if capacity else first_number(content)
        runs = whole_runs(content, first, capacity or len(content)) if first else []
        runs = [(start, min(count, until + 1 - first - start)) for start, count in runs if first + start <= until]
        if runs:
            found.last = first + sum(runs[-1]) - 1
        if runs and not content[:HEADER_SIZE].strip(b"\0"):
            damaged[path] = "its header is empty"
        found.files.append((path, runs, first))
    found.holes = [Torn(path, 0, 0, reason) for path, reason in damaged.items()]
    expected = 1
    for (epoch, index, _), file in zip(files, found.files, strict=True):
        found.holes += _missing_before(epoch, index, file, expected, capacity, found.last)
        torn, expected = _holes(file, expected, capacity, found.last)
        found.holes += torn
    return found


def _headers(files):
    """(records of a full file, {path: what is wrong with its header}). Raises JournalError where no file of the epoch is one of a
    journal that this version can read. A header that is empty is one of a file that was being made, or lost: its records tell."""
    good, wrong, refusals = [], {}, []
    for epoch, index, path in files:
        with open(path, "rb") as file:
            page = file.read(HEADER_SIZE)
        if not page.strip(b"\0"):
            continue
        try:
            header = read_header(path, page)
        except JournalError as error:
            wrong[path] = "its header is damaged"
            if page[:8] == MAGIC or not first_number(path.read_bytes()):
                refusals.append(error)
        else:
            if (header.epoch, header.index, header.first_sequence) == (epoch, index, index * header.capacity + 1):
                good.append((index, header.capacity, path))
            else:
                wrong[path] = "its header contradicts its name"
    if not good:
        if refusals:
            raise refusals[0]
        return 0, wrong
    capacity = max(good)[1]                                 # the first file's number is 1 whatever its capacity
    wrong |= {path: f"its header says {own} records, another {capacity}" for _, own, path in good if own != capacity}
    return capacity, wrong


def _missing_before(epoch, index, file, expected, capacity, last):
    """Files that are not there, and records where nobody knows in which file they were."""
    path, _, first = file
    if not expected < first <= last:
        return []
    if not capacity:
        return [Torn(path, 0, 0, f"{first - expected} records before its first one are missing")]
    names = [path.with_name(f"{epoch:08d}-{lost:06d}.journal") for lost in range((expected - 1) // capacity, index)]
    return [Torn(name, 0, capacity, "the file is missing") for name in names]


def _holes(file, expected, capacity, last):
    """([what is missing of a file before the epoch's last whole record], the number of the record after the file)."""
    path, runs, first = file
    if not first or first > last:
        return [], expected
    end = min(last + 1, first + capacity) if capacity else first + sum(runs[-1])
    torn, at = [], first
    for start, count in [*runs, (end - first, 0)]:
        if first + start > at:
            torn.append(Torn(path, at - first, first + start - at, damage(_record(path.read_bytes(), at - first), at)))
        at = first + start + count
    return torn, end


def _tail(found):
    """What stands behind the last whole record: nothing, a record that was being written, or more."""
    torn = []
    for path, runs, first in found.files:
        position = max(0, found.last + 1 - first)
        content = path.read_bytes().rstrip(b"\0") if not runs or sum(runs[-1]) == position else b""
        count = -(-(len(content) - HEADER_SIZE) // RECORD_SIZE) - position
        if count > 0:
            record = _record(path.read_bytes(), position)
            last = count == 1 and first + position == found.last + 1
            unfinished = last and len(record) == RECORD_SIZE and not any(record[:8])
            torn.append(Torn(path, position, count, damage(record, first + position), last, unfinished))
    return torn if len(torn) < 2 else [Torn(one.path, one.position, one.count, one.reason) for one in torn]


def _record(content, position):
    start = HEADER_SIZE + position * RECORD_SIZE
    return content[start : start + RECORD_SIZE]


def damage(record, sequence):
    """What is wrong with a record that should carry this number, as text; "" when it is whole."""
    if not record.strip(b"\0"):
        return "empty, in front of others"
    if len(record) < RECORD_SIZE:
        return f"cut off after {len(record)} bytes"
    event = unpack("order_event", record)
    if event.sequence != sequence:
        return f"number {event.sequence} where {sequence} belongs"
    if event.checksum != checksum(record):
        return f"checksum {event.checksum:08x} is not that of its bytes, {checksum(record):08x}"
    return ""
