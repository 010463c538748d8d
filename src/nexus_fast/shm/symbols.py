"""The symbol directory: which symbol has which id, for processes that read the market ring and the latest table.

It is a JSON file beside the segments, `<segment name>.symbols.json`, replaced as a whole:

    {"version": 1, "epoch": 7, "symbols": [{"id": 0, "symbol": "BTCUSDT-PERP.BINANCE", "exchange": "binance",
                                            "price_scale": 1, "size_scale": 3}, …]}

A symbol's entry may carry more keys. Ids belong to the epoch of the segment's writer.
"""

import json
import os

from nexus_fast.private import replace_file
from nexus_fast.shm.error import SegmentDamaged, SegmentMismatch, SegmentMissing
from nexus_fast.shm.segment import segment_path

VERSION = 1
KEYS = ("id", "symbol", "exchange", "price_scale", "size_scale")


def symbols_path(name):
    """The file of the directory that belongs to a segment."""
    return segment_path(name) + ".symbols.json"


def write_symbols(name, epoch, symbols):
    """Replaces the directory of a segment. symbols: mappings with at least id, symbol, exchange and the two scales."""
    entries = [dict(entry) for entry in symbols]
    for entry in entries:
        missing = [key for key in KEYS if key not in entry]
        if missing:
            raise ValueError(f"symbol entry {entry!r} lacks {', '.join(missing)}")
    for key in ("id", "symbol"):
        if len({entry[key] for entry in entries}) != len(entries):
            raise ValueError(f"the symbol directory of {name!r} would hold the same {key} twice")
    path = symbols_path(name)
    replace_file(path, json.dumps({"version": VERSION, "epoch": epoch, "symbols": entries}))
    return path


def read_symbols(name, epoch=None):
    """{symbol: entry} of a segment's directory. With an epoch, raises SegmentMismatch when it is of another one, and
    SegmentDamaged when it is no such directory."""
    try:
        with open(symbols_path(name), encoding="utf-8") as file:
            content = json.load(file)
    except FileNotFoundError:
        raise SegmentMissing(f"there is no symbol directory {symbols_path(name)}: start its engine first") from None
    except (ValueError, RecursionError) as error:
        raise damaged(name, error) from None
    if not isinstance(content, dict):
        raise damaged(name, f"it holds a {type(content).__name__}")
    if content.get("version") != VERSION:
        raise SegmentMismatch(
            f"symbol directory of {name!r} has version {content.get('version')}, this program reads {VERSION}: "
            "start writer and reader from the same version of nexus_fast"
        )
    if epoch is not None and content.get("epoch") != epoch:
        raise SegmentMismatch(
            f"symbol directory of {name!r} is of epoch {content.get('epoch')}, the segment of epoch {epoch}: "
            "a new writer is starting, try again"
        )
    entries = content.get("symbols")
    if not isinstance(entries, list) or not all(map(is_entry, entries)):
        raise damaged(name, "its symbols are no list of entries")
    return {entry["symbol"]: entry for entry in entries}


def is_entry(entry):
    """Whether this is a symbol's entry, with an id that a table can have."""
    return (
        isinstance(entry, dict)
        and all(key in entry for key in KEYS)
        and isinstance(entry["symbol"], str)
        and type(entry["id"]) is int
        and 0 <= entry["id"] < 1 << 32
    )


def damaged(name, why):
    return SegmentDamaged(f"symbol directory of {name!r} is damaged ({why}): start its engine again, which writes a new one")


def remove_symbols(name):
    """Removes the directory of a segment, if there is one."""
    try:
        os.unlink(symbols_path(name))
    except FileNotFoundError:
        pass
