"""Frames of each venue to walk the path with: recorded ones where they are, and those that documents and samples have.

The recordings are looked for in ../shared/data beside the repository. The samples in tests/data (hftbacktest, MIT) hold some
thirty frames of each of Binance's markets; of Bybit and OKX there are documented frames with counted-up numbers.
"""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.build import ROOT

SAMPLES = ROOT / "tests" / "data"
RECORDINGS = ROOT.parent / "shared" / "data"
MOST = 1000
# What counts up from frame to frame: update ids and times, numbers or in quotes.
COUNTED = re.compile(rb'("u"|"seqId"|"ts"|"cts"|"E"|"T"):("?)(\d+)')


@dataclass(frozen=True)
class Source:
    """Where a market's quotes come from. pattern: files below the data's root; mark: what a quote's frame has in it."""

    venue: str
    market: str
    pattern: str
    mark: bytes


SOURCES = {
    "binance spot": Source("binance", "spot", "hftbacktest/binance_spot_*", b'@bookTicker"'),
    "binance usd_m": Source("binance", "usd_m", "hftbacktest/binance_usdm_*", b'@bookTicker"'),
    "binance coin_m": Source("binance", "coin_m", "hftbacktest/binance_cm_*", b'@bookTicker"'),
    "bybit linear": Source("bybit", "linear", "derived/bybit*", b'"topic":"orderbook.1.'),
    "okx": Source("okx", "public", "derived/okx*", b'"bbo-tbt","instId"'),
}


def lines(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    for line in (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines():
        if b"{" in line:
            yield line[line.index(b"{") :]


def as_of_2026(frame: bytes) -> bytes:
    """A USD-M frame of 2024 with the two fields that were added in June 2026."""
    return re.sub(rb'"s":"(\w+)"(.*)}$', rb'"s":"\1","ps":"\1"\2,"st":1}', frame)


def unwrapped(frame: bytes) -> bytes:
    """A combined stream's frame as the single stream, which the engine subscribes to, has it."""
    return frame[frame.index(b'"data":') + 7 : -1]


def documented(name: str) -> list[bytes]:
    """Frames as the venue's documents show them, a hundred with numbers that move."""
    if name == "okx":
        return [
            b'{"arg":{"channel":"bbo-tbt","instId":"BCH-USDT-SWAP"},"data":[{"asks":[["111.%02d","5515%d","0","2"]],'
            b'"bids":[["110.%02d","577%d","0","2"]],"ts":"16703243868%02d","seqId":3639963%02d}]}'
            % (k, k % 10, k, k, k, k)
            for k in range(10, 100)
        ]
    return [
        b'{"topic":"orderbook.1.BTCUSDT","ts":17726946015%02d,"type":"snapshot","data":{"s":"BTCUSDT","b":[["16493.%02d","0.0%d"'
        b']],"a":[["16611.%02d","0.0%d"]],"u":185212%02d,"seq":7961638%03d},"cts":16723044849%02d}'
        % (k, k, k + 1, k, k + 3, k, k, k)
        for k in range(10, 100)
    ]


def frames_of(name: str, recorded: bool = True) -> tuple[list[bytes], str]:
    """(frames, where they are from: "recorded", "samples" or "documented"). recorded=False: the same on every machine."""
    source = SOURCES[name]
    for root, origin in ((RECORDINGS, "recorded"), (SAMPLES, "samples")):
        if origin == "recorded" and not recorded:
            continue
        found: list[bytes] = []
        for path in sorted(root.glob(source.pattern)) if root.is_dir() else ():
            found += [line for line in lines(path) if source.mark in line and b'"data":' in line]
        if found:
            return shaped(name, repeated(found) if recorded else found[:MOST]), origin
    return documented(name), "documented"


def spans(frames: list[bytes]) -> dict[bytes, int]:
    """How far each of the venue's ids and times goes in these frames, and one more: what the next round of them is later by."""
    values: dict[bytes, list[int]] = {}
    for name, _, value in (found for frame in frames for found in COUNTED.findall(frame)):
        values.setdefault(name, []).append(int(value))
    return {name: max(found) - min(found) + 1 for name, found in values.items()}


def later(frame: bytes, times: int, span: dict[bytes, int]) -> bytes:
    """The same quote with the venue's ids and times counted on."""
    return COUNTED.sub(
        lambda found: b"%s:%s%d" % (found[1], found[2], int(found[3]) + times * span[found[1]]),
        frame,
    )


def repeated(found: list[bytes]) -> list[bytes]:
    """MOST frames; where fewer were recorded they come again, later."""
    times, span = -(-MOST // len(found)), spans(found)
    return [later(frame, k, span) if k else frame for k in range(times) for frame in found][:MOST]


def shaped(name: str, found: list[bytes]) -> list[bytes]:
    if not name.startswith("binance"):
        return found
    raw = [unwrapped(frame) for frame in found]
    return [as_of_2026(frame) for frame in raw] if name == "binance usd_m" else raw


def combined(name: str, frames: list[bytes]) -> list[bytes]:
    """Binance's other form, with the stream's name around the same quote."""
    stream = {"binance coin_m": b"btcusd_perp"}.get(name, b"btcusdt")
    return [b'{"stream":"%s@bookTicker","data":%s}' % (stream, frame) for frame in frames]
