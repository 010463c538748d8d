"""decode: what programs get of a frame. The exchange's enum is a stand-in where the package's own is not there yet."""

import json
import sys
import time
import types
from decimal import Decimal, localcontext
from enum import Enum

import pytest

from nexus_fast.wire import UnknownParser, decode, explain, parser_id

SPOT = b'{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}'
USD_M = (
    b'{"e":"bookTicker","u":400900217,"s":"BNBUSDT","ps":"BNBUSDT","b":"25.3519","B":"31","a":"25.4","A":"40.66",'
    b'"T":1568014460891,"E":1568014460893,"st":1}'
)
BYBIT = (
    b'{"topic":"orderbook.1.BTCUSDT","ts":1772694601512,"type":"snapshot","data":{"s":"BTCUSDT","b":[],'
    b'"a":[["16611.00","0.029"]],"u":18521288,"seq":7961638724},"cts":1672304484976}'
)


@pytest.fixture(autouse=True)
def exchange_type(monkeypatch):
    try:
        from nexus_fast.constants import ExchangeType
    except ImportError:
        ExchangeType = Enum("ExchangeType", {"BINANCE": "binance", "BYBIT": "bybit", "OKX": "okx"})
        stand_in = types.SimpleNamespace(ExchangeType=ExchangeType)
        monkeypatch.setitem(sys.modules, "nexus_fast.constants", stand_in)
    return ExchangeType


def test_a_spot_quote_has_the_local_time(exchange_type):
    before = time.time_ns()
    [book] = decode("binance", "spot", SPOT)
    after = time.time_ns()
    assert (book.exchange, book.symbol, book.update_id) == (exchange_type.BINANCE, "BNBUSDT", 400900217)
    assert (book.bid, book.bid_size, book.ask, book.ask_size) == (25.3519, 31.21, 25.3652, 40.66)
    assert before <= book.receive_time_ns <= after and book.venue_time_ns == 0
    assert book.timestamp == book.receive_time_ns // 1_000_000


def test_a_futures_quote_has_the_event_time():
    [book] = decode("binance", "usd_m", USD_M)
    assert (book.timestamp, book.venue_time_ns) == (1568014460893, 1568014460891_000_000)


def test_decimals_are_exact_in_any_context():
    [book] = decode("binance", "usd_m", USD_M)
    with localcontext(prec=2):
        assert str(book.bid_decimal) == "25.3519" and str(book.ask_decimal) == "25.4000"
        assert str(book.bid_size_decimal) == "31.00" and str(book.ask_size_decimal) == "40.66"


def test_an_empty_side(exchange_type):
    [book] = decode("bybit", "linear", BYBIT)
    assert book.exchange is exchange_type.BYBIT
    assert (book.has_bid, book.has_ask, book.bid, book.bid_decimal) == (False, True, 0.0, Decimal(0))
    assert book.timestamp == 1772694601512 and book.venue_time_ns == 1672304484976_000_000


LARGE = [
    ("binance", "spot", ("0.00000612", "98765432101.00000000", "0.00000613", "1234567.00000000")),
    ("binance", "spot", ("0.00000038", "912345678901.00000000", "0.00000039", "887766554433.20000000")),
    ("binance", "spot", ("0.00102100", "100000000000.00000000", "0.00102200", "2.00000000")),
    ("binance", "usd_m", ("0.3421", "99999999999", "0.3422", "1")),
    ("binance", "coin_m", ("0.3421", "99999999999.00000000", "0.3422", "1.5")),
    ("bybit", "spot", ("0.0010213", "98765432100", "0.0010214", "12345678900000.00000000")),
    ("bybit", "linear", ("0.0010213", "98765432100.000000000", "0.0010214", "0.5")),
    ("bybit", "inverse", ("0.0010213", "98765432100.000000000", "0.0010214", "7")),
    ("okx", "public", ("0.0000000162", "1234567890123.25", "0.00000001621", "987654321012.5")),
]


def frame_of(venue: str, market: str, sides: tuple[str, str, str, str]) -> bytes:
    bid, bid_size, ask, ask_size = sides
    if venue == "binance":
        head = {"u": 9} if market == "spot" else {"e": "bookTicker", "u": 9}
        tail = {} if market == "spot" else {"T": 1568014460891, "E": 1568014460893}
        row = {**head, "s": "PEPEUSDT", "b": bid, "B": bid_size, "a": ask, "A": ask_size, **tail}
    elif venue == "bybit":
        data = {"s": "PEPEUSDT", "b": [[bid, bid_size]], "a": [[ask, ask_size]], "u": 7, "seq": 9}
        row = {"topic": "orderbook.1.PEPEUSDT", "ts": 1789128259631, "type": "snapshot", "data": data, "cts": 1789128259630}
    else:
        push = {"asks": [[ask, ask_size, "0", "1"]], "bids": [[bid, bid_size, "0", "3"]], "ts": "1789128259631", "seqId": 7}
        row = {"arg": {"channel": "bbo-tbt", "instId": "PEPE-USDT"}, "data": [push]}
    return json.dumps(row, separators=(",", ":")).encode()


@pytest.mark.parametrize(("venue", "market", "sides"), LARGE)
def test_sizes_of_ten_billions_are_read_to_the_last_digit(venue, market, sides):
    """However many zeros the venue prints behind them."""
    [book] = decode(venue, market, frame_of(venue, market, sides))
    found = (book.bid_decimal, book.bid_size_decimal, book.ask_decimal, book.ask_size_decimal)
    assert found == tuple(map(Decimal, sides))
    assert (book.bid, book.bid_size, book.ask, book.ask_size) == tuple(map(float, sides))


def test_two_sizes_that_have_no_room_at_one_scale_are_not_cut():
    sides = ("0.0000000162", "98765432101.00000000", "0.00000001621", "0.00000001")
    assert explain("okx", "public", frame_of("okx", "public", sides))["status"] == "quote"
    assert decode("okx", "public", frame_of("okx", "public", sides)) == []       # 9,876,543,210,100,000,000 is beyond int64


@pytest.mark.parametrize(
    "frame", [b"", b"{}", b"pong", SPOT[:-1], b'{"result":null,"id":1}', SPOT.replace(b"25.35", b"26.35")]
)
def test_everything_else_is_nothing(frame):
    assert decode("binance", "spot", frame) == []


def test_any_buffer_will_do():
    assert (
        decode("binance", "spot", bytearray(SPOT))[0].bid
        == decode("binance", "spot", memoryview(b"x" + SPOT)[1:])[0].bid
    )
    with pytest.raises(TypeError):
        decode("binance", "spot", SPOT.decode())


@pytest.mark.parametrize(
    ("venue", "market", "words"),
    [
        ("kraken", "spot", "'binance', 'bybit', 'okx'"),
        ("binance", "linear", "'spot', 'usd_m', 'coin_m'"),
        ("okx", "spot", "'public'"),
        ("bybit", "usd_m", "'spot', 'linear', 'inverse'"),
    ],
)
def test_wrong_names_are_told_what_is_allowed(venue, market, words):
    for function in (
        lambda: decode(venue, market, SPOT),
        lambda: explain(venue, market, SPOT),
        lambda: parser_id(venue, market),
    ):
        with pytest.raises(UnknownParser, match=words) as caught:
            function()
        assert isinstance(caught.value, ValueError)


def test_explain_asks_one_path_on_demand():
    assert explain("binance", "spot", SPOT)["path"] == "fast"
    assert explain("binance", "spot", SPOT, "general")["path"] == "general"
    with pytest.raises(ValueError, match="'general'"):
        explain("binance", "spot", SPOT, "quick")


def test_importing_the_package_does_not_import_the_constants():
    import subprocess

    code = "import sys, nexus_fast.wire; sys.exit('nexus_fast.constants' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
