"""Bybit's lists of instruments: recorded ones against json and Decimal, and what has no place here."""

import json
from decimal import Decimal

import pytest
from bybit_recordings import answer, document

from nexus_fast.constants import InstrumentType
from nexus_fast.error import InstrumentError
from nexus_fast.exchange.bybit.instruments import parse_instruments
from nexus_fast.identity import InstrumentId

SPOT = {"symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "innovation": "0", "status": "Trading",
        "lotSizeFilter": {"basePrecision": "0.000001", "quotePrecision": "0.0000001", "minOrderQty": "0.000011",
                          "maxOrderQty": "71.73956243", "minOrderAmt": "5", "maxOrderAmt": "8000000",
                          "maxLimitOrderQty": "83", "maxMarketOrderQty": "41.5"},
        "priceFilter": {"tickSize": "0.1"}, "riskParameters": {"priceLimitRatioX": "0.01"}}
LINEAR = answer("GetLinearInverseSymbols")["list"][0]


def parse(category, *rows):
    return parse_instruments(category, json.dumps({"category": category, "list": rows, "nextPageCursor": ""}).encode())


def one(category, row):
    (found,), skipped = parse(category, row)
    assert skipped == []
    return found


def recorded():
    """(category, row) of every list that was recorded."""
    yield "linear", LINEAR
    for name in ("linear", "inverse", "linear_symbol_type", "inverse_symbol_type"):
        content = document(f"http_get_instruments_{name}.json")
        for row in content["result"]["list"] if content else ():
            yield name.split("_")[0], row


def test_recorded_contracts_say_what_json_says():
    for category, row in recorded():
        found, lot, price = one(category, row), row["lotSizeFilter"], row["priceFilter"]
        assert (found.venue_symbol, found.base, found.quote, found.settle) == (
            row["symbol"], row["baseCoin"], row["quoteCoin"], row["settleCoin"])
        assert (found.tick_size, found.max_price) == (Decimal(price["tickSize"]), Decimal(price["maxPrice"]))
        assert found.min_price >= Decimal(price["minPrice"]) and found.min_price % found.tick_size == 0
        assert (found.lot_size, found.min_quantity, found.max_quantity) == (
            Decimal(lot["qtyStep"]), Decimal(lot["minOrderQty"]), Decimal(lot["maxOrderQty"]))
        assert found.market_max_quantity == Decimal(lot.get("maxMktOrderQty", lot["maxOrderQty"]))
        assert found.min_notional == Decimal(lot.get("minNotionalValue", 0))
        assert found.active is (row["status"] == "Trading") and found.contract_size == 1
        assert InstrumentId.from_str(found.symbol).type is found.type


def test_spot():
    found = one("spot", SPOT)
    assert found.symbol == "BTCUSDT.BYBIT" and found.type is InstrumentType.SPOT and found.settle is None
    assert (found.tick_size, found.lot_size, found.min_quantity) == (Decimal("0.1"), Decimal("0.000001"), Decimal("0.000011"))
    assert (found.max_quantity, found.market_max_quantity, found.min_notional) == (83, Decimal("41.5"), 5)
    assert (found.price_scale, found.size_scale, found.expiry_ms) == (1, 6, None)


@pytest.mark.parametrize(("category", "changes", "symbol", "kind"), [
    ("linear", {}, "BTCUSDT-PERP.BYBIT", InstrumentType.LINEAR),
    ("linear", {"symbol": "BTCPERP", "quoteCoin": "USDC", "settleCoin": "USDC"}, "BTCUSDC-PERP.BYBIT", InstrumentType.LINEAR),
    ("linear", {"symbol": "BTC-26DEC25", "quoteCoin": "USDC", "contractType": "LinearFutures", "deliveryTime": "1766736000000"},
     "BTCUSDC-251226.BYBIT", InstrumentType.LINEAR),
    ("linear", {"symbol": "BTCUSDT-26DEC25", "contractType": "LinearFutures", "deliveryTime": "1766736000000"},
     "BTCUSDT-251226.BYBIT", InstrumentType.LINEAR),
    ("inverse", {"symbol": "BTCUSDZ25", "quoteCoin": "USD", "contractType": "InverseFutures", "deliveryTime": "1766736000000"},
     "BTCUSD-251226.BYBIT", InstrumentType.INVERSE),
    ("inverse", {"symbol": "BTCUSD", "quoteCoin": "USD", "settleCoin": "BTC", "contractType": "InversePerpetual"},
     "BTCUSD-PERP.BYBIT", InstrumentType.INVERSE),
])  # fmt: skip
def test_names(category, changes, symbol, kind):
    found = one(category, {**LINEAR, **changes})
    assert (found.symbol, found.type) == (symbol, kind)
    assert found.expiry_ms == (int(changes["deliveryTime"]) if "deliveryTime" in changes else None)


@pytest.mark.parametrize(("category", "row", "text"), [
    ("linear", {**LINEAR, "contractType": "LinearOption"}, "LinearOption"),
    ("linear", {**LINEAR, "symbol": "比特币USDT"}, "characters"),
    ("linear", {**LINEAR, "priceFilter": {"tickSize": "0"}}, "steps"),
    ("linear", {**LINEAR, "priceFilter": {"tickSize": "1e-20"}}, "18"),
    ("linear", {**LINEAR, "lotSizeFilter": {"qtyStep": "x"}}, ""),
    ("linear", {"symbol": "HALF"}, ""),
    ("linear", {**LINEAR, "contractType": "LinearFutures", "deliveryTime": ""}, ""),
])  # fmt: skip
def test_what_cannot_be_represented_is_left_out_with_a_reason(category, row, text):
    found, skipped = parse(category, row, LINEAR)
    assert [i.symbol for i in found] == ["BTCUSDT-PERP.BYBIT"]
    ((symbol, reason),) = skipped
    assert symbol == row["symbol"] and reason and text in reason


def test_what_is_not_trading_is_not_active():
    for status in ("PreLaunch", "Settling", "Delivering", "Closed"):
        assert not one("linear", {**LINEAR, "status": status}).active


@pytest.mark.parametrize("body", [b"<html>", b"", b"NaN", b"[]", b'{"other":' + b"[" * 100_000 + b"]" * 100_000 + b"}"])
def test_an_answer_that_is_no_list_is_an_error(body):
    with pytest.raises(InstrumentError, match="rest"):
        parse_instruments("spot", body)


def test_when_it_was_listed():
    assert one("linear", LINEAR).listed_ms == int(LINEAR["launchTime"])
    assert one("spot", SPOT).listed_ms is None
