"""What a journal can look like after its engine was killed: whole, cut while it was appended to, or damaged by a loss of power or
a disk. Only what can be seen: pages that are missing at the very end leave no trace."""

import os
import random
from pathlib import Path

HEADER, RECORD, PAGE = 4096, 256, 4096
# Bytes 0 to 7 of a record are its number, the last that is written.
NUMBER = 8


def records_of(directory: Path) -> list[tuple[Path, int]]:
    """(file, place in bytes) of every record that was written, in order."""
    found = []
    for path in sorted(directory.glob("*.journal")):
        content = path.read_bytes()
        found += [(path, at) for at in range(HEADER, len(content), RECORD) if any(content[at : at + NUMBER])]
    return found


def write(path: Path, at: int, raw: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(raw)


def flip(path: Path, at: int, chance: random.Random) -> str:
    """One bit of a record, wherever it is."""
    place = at + chance.randrange(RECORD)
    before = path.read_bytes()[place]
    write(path, place, bytes([before ^ 1 << chance.randrange(8)]))
    return f"a bit of byte {place} of {path.name}"


def nothing(directory: Path, chance: random.Random) -> str:
    return "nothing"


def append_cut_short(directory: Path, chance: random.Random) -> str:
    """Some words of the next record, without its number."""
    path, at = records_of(directory)[-1]
    if at + 2 * RECORD <= path.stat().st_size:
        write(path, at + RECORD + NUMBER, chance.randbytes(chance.randrange(8, RECORD - NUMBER)))
    return f"an append that did not end in {path.name}"


def last_record(directory: Path, chance: random.Random) -> str:
    return flip(*records_of(directory)[-1], chance)


def middle_record(directory: Path, chance: random.Random) -> str:
    return flip(*chance.choice(records_of(directory)[:-1]), chance)


def several_records(directory: Path, chance: random.Random) -> str:
    return ", ".join(middle_record(directory, chance) for _ in range(chance.randint(2, 5)))


def empty_page(directory: Path, chance: random.Random) -> str:
    """One that has records behind it."""
    found = records_of(directory)
    pages = sorted({(path, at // PAGE * PAGE) for path, at in found} - {(found[-1][0], found[-1][1] // PAGE * PAGE)})
    if not pages:
        return middle_record(directory, chance)
    path, at = chance.choice(pages)
    write(path, at, bytes(PAGE))
    return f"an empty page at {at} of {path.name}"


def header(directory: Path, chance: random.Random) -> str:
    path = chance.choice(sorted({path for path, _ in records_of(directory)}))
    write(path, 0, chance.choice((bytes(PAGE), b"?")))
    return f"the header of {path.name}"


def file_in_the_middle(directory: Path, chance: random.Random) -> str:
    """One that is gone, or ends too early."""
    files = sorted({path for path, _ in records_of(directory)})[:-1]
    if not files:
        return middle_record(directory, chance)
    path = chance.choice(files)
    if chance.random() < 0.5:
        path.unlink()
        return f"no {path.name}"
    size = chance.randrange(HEADER, path.stat().st_size)
    os.truncate(path, size)
    return f"{path.name} ends at {size}"


KINDS = (nothing, append_cut_short, last_record, middle_record, middle_record, several_records, empty_page, header,
         file_in_the_middle)
# After these a start goes on by itself.
NO_DAMAGE = (nothing, append_cut_short, last_record)
