"""Nanoseconds per frame of the wire parsers, in C loops over recorded frames, beside msgspec and json.

    python -m pytest bench/micro/test_wire.py --benchmark-enable

Each round runs over the same thousand frames as they follow each other in the recording; `ns_per_frame` in the extra
info is the fastest round divided by the frames, `frame_bytes` their mean length. The parsers run from Cython without a
Python call in between; msgspec and json are called from a Python loop, whose cost of some 20 ns is in their figures.
"""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path[:0] = [str(REPOSITORY / "tests" / "unit" / "wire"), str(REPOSITORY / "build" / "bench" / "lib")]

from wire_frames import recorded  # noqa: E402

COUNT = 1000
SOURCES = {
    "spot": ("hftbacktest/binance_spot_*.rawlog*", "binance", "spot"),
    "usd_m": ("hftbacktest/binance_usdm_*.rawlog*", "binance", "usd_m"),
    "coin_m": ("hftbacktest/binance_cm_*.rawlog*", "binance", "coin_m"),
    "bybit": ("derived/bybit*", "bybit", "linear"),
    "okx": ("derived/okx*", "okx", "public"),
}


class BookTicker(msgspec.Struct):
    u: int
    s: str
    b: str
    B: str
    a: str
    A: str


@pytest.fixture(scope="session")
def loops():
    subprocess.run([sys.executable, str(HERE / "wire_build.py")], cwd=REPOSITORY, check=True, capture_output=True)
    importlib.invalidate_caches()
    import wire_loops

    return wire_loops


def as_of_2026(frame):
    """A recorded USD-M frame of 2024 with the two fields that were added in June 2026."""
    return re.sub(rb'"s":"(\w+)"(.*)}$', rb'"s":"\1","ps":"\1"\2,"st":1}', frame)


def frames_of(source, combined):
    pattern, venue, market = SOURCES[source]
    mark = {"binance": b'@bookTicker"', "bybit": b'"topic":"orderbook.1.', "okx": b'"bbo-tbt","instId"'}[venue]
    found = []
    for _, frame in recorded(pattern):
        if mark not in frame or b'"data":' not in frame:
            continue
        if venue == "binance":
            raw = frame[frame.index(b'"data":') + 7 : -1]
            raw = as_of_2026(raw) if source == "usd_m" else raw
            frame = frame[: frame.index(b'"data":') + 7] + raw + b"}" if combined else raw
        found.append(frame)
        if len(found) == COUNT:
            break
    if not found:
        pytest.skip(f"no recorded frames of {source} here")
    return found, venue, market


def report(benchmark, frames):
    benchmark.extra_info["frame_bytes"] = sum(map(len, frames)) // len(frames)
    if benchmark.stats:
        benchmark.extra_info["ns_per_frame"] = round(benchmark.stats.stats.min / len(frames) * 1e9, 1)


@pytest.mark.parametrize("path", ["parse", "general"])
@pytest.mark.parametrize(
    ("source", "combined"),
    [
        ("spot", False),
        ("spot", True),
        ("usd_m", False),
        ("usd_m", True),
        ("coin_m", True),
        ("bybit", False),
        ("okx", False),
    ],
)
def test_parser(benchmark, loops, source, combined, path):
    frames, venue, market = frames_of(source, combined)
    prepared = loops.Frames(frames, venue, market)
    assert benchmark(prepared.run, 1, path) == len(frames)
    report(benchmark, frames)


@pytest.mark.parametrize("decoder", ["msgspec_struct", "msgspec", "json"])
def test_decoders_of_python(benchmark, decoder):
    frames, _, _ = frames_of("spot", False)
    decode = {
        "msgspec_struct": msgspec.json.Decoder(BookTicker).decode,
        "msgspec": msgspec.json.Decoder().decode,
        "json": json.loads,
    }[decoder]

    def every_frame():
        for frame in frames:
            decode(frame)

    benchmark(every_frame)
    report(benchmark, frames)
