"""Recorded messages and answers of OKX: ../shared/data beside the repository, or the samples in tests/data."""

import gzip
import json
from decimal import Decimal
from pathlib import Path

from nexus_fast.exchange.okx.instruments import parse_instruments

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared" / "data"
ROOT = SHARED if SHARED.is_dir() else REPOSITORY / "tests" / "data"


def _values(text):
    """The JSON of a file: one document, or one a line; texts that are JSON themselves are opened."""
    try:
        found = [json.loads(text)]
    except ValueError:
        found = [value for value in map(_line, text.splitlines()) if value is not None]
    for value in found:
        yield value
        raw = value.get("raw") if isinstance(value, dict) else None
        if isinstance(raw, str):
            try:
                yield json.loads(raw)
            except ValueError:
                continue


def _line(text):
    """One line's JSON, behind a receive time where the recording has one; None for another text."""
    for part in (text, text.partition(": ")[2]):
        try:
            return json.loads(part)
        except ValueError:
            continue
    return None


def _objects(value):
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)


def _files():
    for path in sorted(p for p in ROOT.rglob("*") if "okx" in str(p.relative_to(ROOT)).lower() and p.is_file()):
        if path.suffix == ".gz":
            yield path, gzip.decompress(path.read_bytes()).decode(errors="replace")
        elif path.suffix in (".json", ".jsonl"):
            yield path, path.read_text(errors="replace")


def pushes(channel):
    """Every recorded push of a channel, as the object that its JSON is."""
    found = {}
    for _, text in _files():
        if f'"{channel}' not in text and f'\\"{channel}' not in text:
            continue
        for value in _values(text):
            for one in _objects(value):
                argument = one.get("arg")
                if isinstance(argument, dict) and argument.get("channel") == channel and isinstance(one.get("data"), list):
                    found[json.dumps(one)] = one
    return list(found.values())


def answers(name):
    """The answer of one REST endpoint, by the file that the recording names."""
    path = ROOT / "jkorf_net" / "okx_endpoints.jsonl"
    for line in path.read_text().splitlines():
        record = json.loads(line)
        if record["file"].endswith(f"/{name}.txt"):
            return json.dumps(record["response"]).encode()
    raise KeyError(name)


def instrument_lists():
    """(file, body) of every recorded list of instruments."""
    for path, text in _files():
        if "instruments_" in path.name and path.name.startswith(("www_okx", "http_get")):
            yield path.name, text.encode()


def listing(inst_id, kind="SPOT", **changes):
    """One row of the list as the venue gives it."""
    contract = {"ctVal": "0.01", "ctMult": "1", "ctType": "linear", "settleCcy": "USDT", "uly": "-".join(inst_id.split("-")[:2])}
    spot = {"baseCcy": inst_id.split("-")[0], "quoteCcy": inst_id.split("-")[1], "ctVal": "", "ctMult": "", "ctType": ""}
    own = spot if kind == "SPOT" else contract
    row = {"instId": inst_id, "instType": kind, "instIdCode": 10458, "state": "live", "tickSz": "0.1", "lotSz": "0.01",
           "minSz": "0.01", "maxLmtSz": "100000000", "maxMktSz": "12000", "expTime": "", **own}
    return {**row, **changes}


def instrument(inst_id, kind="SPOT", **changes):
    body = json.dumps({"code": "0", "msg": "", "data": [listing(inst_id, kind, **changes)]}).encode()
    (found,), skipped = parse_instruments(body)
    assert skipped == []
    return found


def book(*instruments):
    """instId -> instrument, as an account finds them."""
    return {one.venue_symbol: one for one in instruments}.get


BTC_SPOT = instrument("BTC-USDT")
BTC_SWAP = instrument("BTC-USDT-SWAP", "SWAP")
BTC_INVERSE = instrument("BTC-USD-SWAP", "SWAP", ctVal="100", ctType="inverse", lotSz="1", minSz="1", settleCcy="BTC")
FIND = book(BTC_SPOT, BTC_SWAP, BTC_INVERSE)
D = Decimal
