"""Every recorded frame against the independent decode."""

import pytest
from wire_frames import ROOT, SHARED, recorded
from wire_reference import compare, expected

from nexus_fast.wire import explain

EVERYTHING = ("**/*.rawlog*", "**/*.jsonl*", "**/*.json")
# Totals of PROVENANCE.md; quotes that stand in several records are counted as often.
LEAST = {"binance": 92_000, "bybit": 27, "okx": 123} if ROOT == SHARED else {"binance": 100, "bybit": 0, "okx": 2}
MARKETS = {"binance": "usd_m", "bybit": "linear", "okx": "public"}
# A frame without its venue's mark cannot be its quote; of those every thirtieth is enough.
MARKS = {"binance": b'"b"', "bybit": b"orderbook", "okx": b"tbt"}


@pytest.fixture(scope="module")
def everything():
    return [frame for _, frame in recorded(*EVERYTHING)]


@pytest.fixture(params=MARKETS)
def venue(request):
    return request.param


@pytest.fixture
def frames(venue, everything):
    return [frame for i, frame in enumerate(everything) if MARKS[venue] in frame or i % 30 == 0]


def test_every_recorded_frame_decodes_as_the_reference_says(venue, frames):
    counts = {}
    for frame in frames:
        found = explain(venue, MARKETS[venue], frame)
        compare(found, frame, venue)
        counts[found["status"], found["path"]] = counts.get((found["status"], found["path"]), 0) + 1
    assert counts.get(("quote", "fast"), 0) >= LEAST[venue], counts


def test_both_paths_agree_on_every_recorded_quote(venue, frames):
    for frame in frames:
        found = explain(venue, MARKETS[venue], frame)
        if found["path"] == "fast":
            assert {**explain(venue, MARKETS[venue], frame, "general"), "path": "fast"} == found


def test_binance_markets_share_one_parser(everything):
    for frame in everything[::50]:
        spot = explain("binance", "spot", frame)
        for market in ("usd_m", "coin_m"):
            assert {**explain("binance", market, frame), "market": "spot"} == spot


def test_legacy_bybit_frames_are_no_quotes():
    frames = [frame for _, frame in recorded("**/*LEGACY*.rawlog.gz", "crypto_msg_parser/bybit.jsonl")]
    assert len(frames) > (1_000 if ROOT == SHARED else 3)
    for frame in frames:
        assert explain("bybit", "inverse", frame)["status"] == expected("bybit", frame)[0] == "other"
