"""OKX's lists of instruments: recorded ones read exactly, names and units as NexusTrader has them."""

import json
from decimal import Decimal

import pytest
from okx_recorded import SHARED, instrument, instrument_lists, listing

from nexus_fast.constants import DataType, ExchangeType, InstrumentType
from nexus_fast.error import InstrumentError, SubscriptionError
from nexus_fast.exchange.instrument import InstrumentTable, to_mantissa
from nexus_fast.exchange.okx.instruments import parse_instruments
from nexus_fast.exchange.okx.market_data import topic_of

DEEP = b'{"other":' + b"[" * 100_000 + b"]" * 100_000 + b"}"           # deeper than a decoder goes


def skipped_reason(inst_id, kind="SPOT", **changes):
    body = json.dumps({"code": "0", "data": [listing(inst_id, kind, **changes)]}).encode()
    found, ((name, reason),) = parse_instruments(body)
    assert found == [] and name == inst_id
    return reason


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the recorded lists")
def test_recorded_lists_read_the_same_with_json_and_decimal():
    count = 0
    for name, body in instrument_lists():
        found, skipped = parse_instruments(body)
        rows = {row["instId"]: row for row in json.loads(body)["data"]}
        assert len(found) + len(skipped) == len(rows), name
        for one in found:
            row, value = rows[one.venue_symbol], Decimal(1)
            if row["instType"] != "SPOT":
                value = Decimal(row["ctVal"]) * Decimal(row["ctMult"])
            assert one.contract_value == value
            assert one.tick_size == Decimal(row["tickSz"]) and one.lot_size == Decimal(row["lotSz"]) * value
            assert one.min_quantity == Decimal(row["minSz"]) * value
            assert one.max_quantity == Decimal(row["maxLmtSz"]) * value
            assert one.expiry_ms == (int(row["expTime"]) if row["instType"] == "FUTURES" else None)
            assert one.type.value == ("spot" if row["instType"] == "SPOT" else row["ctType"])
            # One lot in our unit is that many contracts, digit for digit.
            contracts = Decimal(one.lot_mantissa).scaleb(-(one.size_scale + one.contract_shift))
            assert contracts == Decimal(row["lotSz"])
            assert to_mantissa(Decimal(row["lotSz"]), one.size_scale) > 0
            count += 1
        for inst_id, reason in skipped:
            assert rows[inst_id]["instType"] in ("MARGIN", "OPTION") and rows[inst_id]["instType"] in reason
        assert not InstrumentTable(found).twins
    assert count > 750


@pytest.mark.parametrize(
    "inst_id, kind, changes, symbol, type, base, quote",
    [
        ("BTC-USDT", "SPOT", {}, "BTCUSDT.OKX", InstrumentType.SPOT, "BTC", "USDT"),
        ("BTC-USDT-SWAP", "SWAP", {}, "BTCUSDT-PERP.OKX", InstrumentType.LINEAR, "BTC", "USDT"),
        ("BTC-USD-SWAP", "SWAP", {"ctType": "inverse"}, "BTCUSD-PERP.OKX", InstrumentType.INVERSE, "BTC", "USD"),
        ("BTC-USDT-260327", "FUTURES", {"expTime": "1774598400000"}, "BTCUSDT-260327.OKX", InstrumentType.LINEAR, "BTC", "USDT"),
        ("BTC-USD_UM-SWAP", "SWAP", {}, "BTCUSD_UM-PERP.OKX", InstrumentType.LINEAR, "BTC", "USD_UM"),
    ],
)  # fmt: skip
def test_names(inst_id, kind, changes, symbol, type, base, quote):
    found = instrument(inst_id, kind, **changes)
    assert (found.symbol, found.type, found.base, found.quote) == (symbol, type, base, quote)
    assert found.exchange is ExchangeType.OKX and found.code == 10458 and found.active


def test_amounts_are_contracts_times_their_value():
    """NexusTrader's unit: 0.01 BTC is one contract, 100 USD is one inverse contract."""
    linear = instrument("BTC-USDT-SWAP", "SWAP", ctVal="0.01", lotSz="0.1", minSz="0.1")
    assert (linear.lot_size, linear.min_quantity, linear.contract_shift) == (Decimal("0.001"), Decimal("0.001"), -2)
    inverse = instrument("BTC-USD-SWAP", "SWAP", ctVal="100", ctType="inverse", lotSz="1", minSz="1")
    assert (inverse.lot_size, inverse.contract_shift, str(inverse.lot_size)) == (Decimal(100), 2, "100")
    assert inverse.round_quantity("250") == 300 and inverse.round_quantity("250", "floor") == 200
    assert linear.round_quantity("0.0134", "floor") == Decimal("0.013")
    # A quote of 0.1 contracts of 1000 each has a decimal that the amounts, multiples of 100, need not have.
    large = instrument("PEPE-USDT-SWAP", "SWAP", ctVal="1000", lotSz="0.1", minSz="0.1")
    assert large.lot_size == 100 and large.size_scale == 1
    # 100 contracts of 0.0001 each: never less than a whole number of contracts.
    small = instrument("X-USDT-SWAP", "SWAP", ctVal="0.0001", lotSz="100", minSz="100")
    assert small.size_scale + small.contract_shift >= 0 and small.lot_size == Decimal("0.01")


def test_limits_of_market_orders():
    contract = instrument("BTC-USDT-SWAP", "SWAP", maxLmtSz="1000", maxMktSz="10")
    assert (contract.max_quantity, contract.market_max_quantity) == (Decimal(10), Decimal("0.1"))
    spot = instrument("BTC-USDT", maxLmtSz="1000", maxMktSz="1000000")   # in USDT: no amount of BTC
    assert (spot.max_quantity, spot.market_max_quantity) == (Decimal(1000), None)


@pytest.mark.parametrize("state", ["suspend", "rebase", "post_only", "preopen", "test", "settling"])
def test_what_takes_no_orders_of_every_kind_now(state):
    assert not instrument("BTC-USDT", state=state).active


def test_what_cannot_be_traded_now():
    unnumbered = listing("BTC-USDT")
    del unnumbered["instIdCode"]
    (found,), _ = parse_instruments(json.dumps({"code": "0", "data": [unnumbered]}).encode())
    assert found.code is None and not found.active


@pytest.mark.parametrize(
    "inst_id, kind, changes, reason",
    [
        ("BTC-USD-240101-50000-C", "OPTION", {}, "OPTION"),
        ("BTC-USDT", "MARGIN", {}, "MARGIN"),
        ("BTC-USDT-SWAP", "SWAP", {"ctVal": "0.25"}, "no power of ten"),
        ("BTC-USDT-SWAP", "SWAP", {"ctVal": ""}, "no power of ten"),
        ("BTC-USDT-SWAP", "SWAP", {"ctType": "quanto"}, "quanto"),
        ("BTC-USDT-SWAP", "SWAP", {"tickSz": "0"}, "steps"),
        ("BTC-USDT-SWAP", "SWAP", {"lotSz": "NaN"}, "not a finite number"),
        ("BTCUSDT", "SPOT", {"baseCcy": "BTC", "quoteCcy": "USDT"}, "not that of a SPOT"),
        ("BTC-USDT-PERPETUAL", "FUTURES", {}, "-PERPETUAL"),
        ("A" * 30 + "-USDT", "SPOT", {}, "32 bytes"),
        ("BTC-USDT", "SPOT", {"tickSz": "1e-19"}, "18 decimals"),
    ],
)
def test_what_cannot_be_represented_is_left_out_with_its_reason(inst_id, kind, changes, reason):
    if "-" not in inst_id:
        body = json.dumps({"code": "0", "data": [{**listing("BTC-USDT"), "instId": inst_id, **changes}]}).encode()
        _, ((_, found),) = parse_instruments(body)
    else:
        found = skipped_reason(inst_id, kind, **changes)
    assert reason in found


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"data":1}', b"\xff", b"", b"NaN", DEEP])
def test_what_is_no_list_at_all(body):
    with pytest.raises(InstrumentError, match=r"\[okx\]"):
        parse_instruments(body)


def test_what_the_venue_says_decides_the_kind():
    """A swap that leaves the list has an expTime; an X-Perp is dated and has funding."""
    leaving = instrument("BTC-USDT-SWAP", "SWAP", expTime="1774598400000")
    assert (leaving.symbol, leaving.expiry_ms, leaving.kind, leaving.has_funding) == ("BTCUSDT-PERP.OKX", None, "SWAP", True)
    dated = {"expTime": "1774598400000"}
    future = instrument("BTC-USDT-260327", "FUTURES", **dated)
    assert (future.expiry_ms, future.kind, future.has_funding) == (1774598400000, "FUTURES", False)
    xperp = instrument("BTC-USD_UM_XPERP-260327", "FUTURES", ruleType="xperp", **dated)
    assert (xperp.symbol, xperp.kind, xperp.has_funding) == ("BTCUSD_UM_XPERP-260327.OKX", "FUTURES", True)
    assert topic_of(DataType.FUNDING_RATE, xperp) == "funding-rate:BTC-USD_UM_XPERP-260327"
    with pytest.raises(SubscriptionError, match="funding_rate"):
        topic_of(DataType.FUNDING_RATE, future)
