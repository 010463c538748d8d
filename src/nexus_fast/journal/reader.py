"""Reads a journal back: every complete record in the order in which it was written.

Needs no lock: a journal can be read while its writer runs.
"""

import struct
import time
from dataclasses import dataclass
from pathlib import Path

from nexus_fast.core.types import fingerprint, layout, unpack
from nexus_fast.journal.error import JournalError
from nexus_fast.journal.files import HEADER_SIZE, RECORD_SIZE, journal_files
from nexus_fast.journal.writer import checksum, whole_records

MAGIC = b"NXJRNL1\0"
LAYOUT_VERSION = 1
HEADER = struct.Struct("<8sIIQQQQQQqq48x256s")
EMPTY = bytes(RECORD_SIZE)
SIDES = {0: "BUY", 1: "SELL"}
TEXT_AT = next(offset for name, offset, _, _ in layout("order_event") if name == "spare")


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
    """A record that is there in part: the place, what is wrong, and how many bytes that are not zero follow it."""

    path: Path
    position: int
    reason: str
    bytes_after: int

    def __str__(self):
        return f"{self.path} record {self.position}: {self.reason}; {self.bytes_after} bytes follow that were not read"


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


class JournalReader:
    """Iterates over the events of all epochs from `since_epoch` on; `epoch` and `names` are those of the event last returned.

    In each epoch it stops at the first record that is empty or torn; torn ones are in `torn`.
    """

    def __init__(self, directory, since_epoch=0):
        if not Path(directory).is_dir():
            raise JournalError(f"there is no journal in {directory}: no such directory")
        self.directory = Path(directory)
        self.epoch = 0
        self.since_epoch = since_epoch
        self.torn = []
        self.names = Names()
        self._events = self._all_events()

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._events)

    def _all_events(self):
        for _, records in self.blocks():
            for start in range(0, len(records), RECORD_SIZE):
                event = unpack("order_event", records, start)
                self.names.learn(event, records[start : start + RECORD_SIZE])
                yield event

    def blocks(self, until_epoch=None):
        """(epoch, whole records one after the other) of every file, in the order in which they were written."""
        ended = None
        for epoch, _, path in journal_files(self.directory):
            if epoch < self.since_epoch or (until_epoch is not None and epoch >= until_epoch):
                continue
            if epoch == ended:
                self._note_rest(path)
                continue
            self.epoch = epoch
            content = path.read_bytes()
            if not content.rstrip(b"\0"):
                ended = epoch
                continue
            header = read_header(path, content)
            count = whole_records(content, header.first_sequence, header.capacity)
            if count < header.capacity:
                self._note_end(path, header.first_sequence + count, count, content)
                ended = epoch
            yield epoch, memoryview(content)[HEADER_SIZE : HEADER_SIZE + count * RECORD_SIZE]

    def _note_rest(self, path):
        """A file after the end of its epoch: the one that was mapped ahead, empty unless something is wrong."""
        content = path.read_bytes()[HEADER_SIZE:].rstrip(b"\0")
        if content:
            self.torn.append(Torn(path, 0, "the file before this one ends too early", len(content)))

    def _note_end(self, path, sequence, position, content):
        """What is wrong with the record behind the last whole one; nothing, when it was never written."""
        start = HEADER_SIZE + position * RECORD_SIZE
        record = content[start : start + RECORD_SIZE]
        if record == EMPTY[: len(record)]:
            self._note_gap(path, position, content[start:])
        else:
            after = len(content[start + RECORD_SIZE :].rstrip(b"\0"))
            self.torn.append(Torn(path, position, damage(record, sequence), after))

    def _note_gap(self, path, position, rest):
        after = len(rest.strip(b"\0"))
        if after:
            self.torn.append(Torn(path, position, "empty, in front of others", after))


def damage(record, sequence):
    """What is wrong with a record that should carry this number, as text; "" when it is whole."""
    if len(record) < RECORD_SIZE:
        return f"cut off after {len(record)} bytes"
    event = unpack("order_event", record)
    if event.sequence != sequence:
        return f"number {event.sequence} where {sequence} belongs"
    if event.checksum != checksum(record):
        return f"checksum {event.checksum:08x} is not that of its bytes, {checksum(record):08x}"
    return ""


def read_journal(directory, since_epoch=0):
    """Iterator over the OrderEventRecords in a journal's directory; its `torn` lists what could not be read.

    since_epoch leaves out what earlier openings of the directory wrote.
    """
    return JournalReader(directory, since_epoch)


def decimal_text(mantissa, scale):
    """mantissa * 10**-scale in plain digits."""
    digits = str(abs(mantissa)).rjust(scale + 1, "0")
    text = f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits
    return f"-{text}" if mantissa < 0 else text


NOTES = {
    32: "session", 33: "symbol", 34: "account", 35: "strategy", 36: "order", 37: "trade", 38: "key", 39: "begun", 40: "end",
}  # fmt: skip


def time_text(time_ns):
    """UTC, to the nanosecond."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanoseconds:09d}Z"


def show(event, names=None):
    """One record as a line of text: number, time (UTC), client id, what happened, and the order as it was then. names: see
    Names."""
    from nexus_fast.order.states import EVENTS, STATES

    names = names or Names()
    what = EVENTS[event.kind] if event.kind < len(EVENTS) else NOTES.get(event.kind, event.kind)
    if event.kind >= len(EVENTS) and what != "order":
        return f"{event.number} {time_text(event.time_ns)} {event.client_id or '-'} {what} {names.text or ''}".rstrip()
    price = decimal_text(event.price, event.price_scale)
    size = decimal_text(event.quantity, event.size_scale)
    filled = decimal_text(event.filled, event.size_scale)
    line = (
        f"{event.number} {time_text(event.time_ns)} {event.client_id or '-'} venue={event.venue_id or '-'} "
        f"symbol={names.symbols.get(event.symbol_id, event.symbol_id)} {what} -> {STATES[event.state]} "
        f"{SIDES.get(event.side, event.side)} {size} @ {price} filled={filled} "
        f"account={names.accounts.get(event.account, event.account)} "
        f"strategy={names.strategies.get(event.strategy, event.strategy)}"
    )
    if event.trade_id >= 0:
        last = f"{decimal_text(event.last_quantity, event.size_scale)} @ {decimal_text(event.last_price, event.price_scale)}"
        line += f" trade={event.trade_id} {last}"
    if what == "MODIFY_INTENT":
        asked = decimal_text(event.last_quantity, event.size_scale), decimal_text(event.last_price, event.price_scale)
        line += f" wanted={asked[0]} @ {asked[1]}"
    return line + (f" reason={event.reason}" if event.reason else "") + (f" flags={event.flags}" if event.flags else "")


class Names:
    """What a session's numbers stand for, learned from its records as they come by; `text` is the last record's own."""

    def __init__(self):
        self.symbols, self.accounts, self.strategies = {}, {}, {}
        self.text = ""
        self._parts = b""

    def learn(self, event, record):
        """`record`: the event's bytes."""
        if event.kind < 32:
            return
        part = bytes(record[TEXT_AT : TEXT_AT + min(64, max(0, event.last_quantity - event.last_price))])
        self._parts = part if event.last_price == 0 else self._parts + part
        self.text = self._parts.decode("utf-8", "replace")
        if event.kind == 32:
            self.symbols, self.accounts, self.strategies = {}, {}, {}
        elif event.kind == 33:
            self.symbols[event.symbol_id] = self.text
        elif event.kind == 34:
            self.accounts[event.account] = self.text
        elif event.kind == 35:
            self.strategies[event.strategy] = self.text
