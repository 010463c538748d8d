"""Binance's REST answers, read from the test vectors of another client."""

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from nexus_fast.constants import (
    ExchangeType,
    InstrumentType,
    KlineInterval,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    TimeInForce,
)
from nexus_fast.error import VenueError
from nexus_fast.exchange.binance import answers
from nexus_fast.exchange.binance.snapshot import read_order
from nexus_fast.exchange.instrument import Instrument

ROOT = Path(__file__).resolve().parents[3]
LINES = (ROOT / "tests/data/jkorf_net/binance_answers.jsonl").read_text().splitlines()
RECORDED = {r["file"].removeprefix("Endpoints/").removesuffix(".txt"): r["response"] for r in map(json.loads, LINES)}
SYMBOL = "LTCBTC.BINANCE"
INSTRUMENT = Instrument(
    symbol=SYMBOL, venue_symbol="LTCBTC", exchange=ExchangeType.BINANCE, type=InstrumentType.SPOT, base="LTC",
    quote="BTC", price_scale=6, size_scale=2, tick_size=Decimal("0.000001"), lot_size=Decimal("0.01"),
    market_lot_size=Decimal("0.01"),
)  # fmt: skip


PERPETUAL = msgspec.structs.replace(INSTRUMENT, type=InstrumentType.LINEAR, settle="BTC")
COIN = msgspec.structs.replace(INSTRUMENT, type=InstrumentType.INVERSE, settle="LTC", contract_size=Decimal(10))


def read(decoder, name):
    return decoder.decode(msgspec.json.encode(RECORDED[name]))


@pytest.mark.parametrize("market", ["Spot", "UsdFutures"])
def test_bars(market):
    row = read(answers.BARS, f"{market}/ExchangeData/GetKlines")[0]
    bar = answers.as_kline(row, SYMBOL, KlineInterval.WEEK_1, with_volumes=True)
    assert (bar.start, bar.open, bar.high, bar.low, bar.close) == (1499040000000, 0.0163479, 0.8, 0.015758, 0.015771)
    assert (bar.volume, bar.quote_volume) == (148976.11427815, 2434.19055334)
    assert (bar.taker_volume, bar.taker_quote_volume) == (1756.87402397, 28.46694368)
    assert bar.confirm


def test_index_bars_whose_volumes_are_placeholders():
    row = read(answers.BARS, "UsdFutures/ExchangeData/GetIndexPriceKlines")[0]
    bar = answers.as_kline(row, SYMBOL, KlineInterval.MINUTE_1, with_volumes=False)
    assert (bar.open, bar.close, bar.volume, bar.quote_volume) == (9653.6944, 9651.552, None, None)


def test_a_bar_that_is_not_over():
    row = answers.BARS.decode(b'[[1,"1","1","1","1","1",99999999999999,"1",1,"1","1","0"]]')[0]
    assert not answers.as_kline(row, SYMBOL, KlineInterval.MINUTE_1, with_volumes=True).confirm


def test_ticker():
    ticker = answers.as_ticker(read(msgspec.json.Decoder(answers.TickerAnswer), "Spot/ExchangeData/GetTicker"), SYMBOL)
    assert (ticker.last_price, ticker.volume, ticker.volumeCcy) == (4.000002, 8913.3, 15.3)
    assert ticker.timestamp == 1499869899040


def test_an_open_spot_order():
    order = answers.as_order(read(answers.ORDERS, "Spot/Trading/GetOpenOrders")[0], INSTRUMENT)
    assert (order.symbol, order.oid, order.eid, order.status) == (SYMBOL, "myOrder1", "1", OrderStatus.ACCEPTED)
    assert (order.amount, order.filled, order.remaining, order.price) == (Decimal(1), Decimal(0), Decimal(1), 0.1)
    assert (order.side, order.type, order.time_in_force) == (OrderSide.BUY, OrderType.LIMIT, TimeInForce.GTC)
    assert (order.trigger_price, order.average, order.timestamp) == (None, None, 1499827319559)


def test_a_trailing_stop_has_no_type_of_ours_and_the_rest_is_read():
    order = answers.as_order(read(answers.ORDERS, "UsdFutures/Trading/GetOpenOrders")[0], PERPETUAL)
    assert (order.type, order.trigger_price, order.price) == (None, 9300.0, None)
    assert (order.position_side, order.amount, order.reduce_only) == (PositionSide.SHORT, Decimal("0.40"), False)


ORDER = {
    "symbol": "LTCBTC", "orderId": 7, "clientOrderId": "c", "price": "2.5", "origQty": "4", "executedQty": "1",
    "status": "PARTIALLY_FILLED", "type": "LIMIT", "side": "SELL", "timeInForce": "GTC", "updateTime": 5,
}  # fmt: skip


def order_of(instrument=INSTRUMENT, **changes):
    return answers.as_order(answers.ORDER.decode(msgspec.json.encode({**ORDER, **changes})), instrument)


def test_a_partly_filled_order_has_its_cost_and_average():
    for instrument, name in ((INSTRUMENT, "cummulativeQuoteQty"), (PERPETUAL, "cumQuote")):
        order = order_of(instrument, **{name: "2.6"})
        assert (order.status, order.cum_cost, order.average) == (OrderStatus.PARTIALLY_FILLED, Decimal("2.6"), 2.6)
        assert (order.filled, order.remaining) == (Decimal(1), Decimal(3))
    assert order_of(cummulativeQuoteQty="-1.00000000").cum_cost is None


def test_a_coin_margined_order_costs_coins_and_its_average_is_the_venue_s():
    order = order_of(COIN, cumBase="3.84615384", avgPrice="2.6")
    assert (order.cum_cost, order.average, order.filled) == (Decimal("3.84615384"), 2.6, Decimal(1))
    fill = {"symbol": "LTCBTC", "id": 1, "orderId": 7, "side": "SELL", "price": "2.6", "qty": "1", "baseQty": "3.84615384",
            "commission": "0.001", "commissionAsset": "LTC", "time": 5, "marginAsset": "LTC", "positionSide": "BOTH"}
    [row] = answers.FILLS.decode(msgspec.json.encode([fill]))
    assert answers.as_filled(row, COIN).cost == COIN.cost(Decimal("2.6"), Decimal(1)) == Decimal("3.84615384")


def test_a_coin_margined_ticker_counts_contracts_and_coins():
    ticker = answers.as_ticker(read(answers.TICKERS, "CoinFutures/ExchangeData/GetTickers")[0], SYMBOL)
    assert (ticker.last_price, ticker.volume, ticker.volumeCcy) == (9651.6, 494109.0, 5192.94797687)


@pytest.mark.parametrize(
    "family, type, time_in_force, expected",
    [
        ("spot", "LIMIT_MAKER", "GTC", OrderType.POST_ONLY),
        ("usd_m", "LIMIT", "GTX", OrderType.POST_ONLY),
        ("spot", "TAKE_PROFIT", "GTC", OrderType.TAKE_PROFIT_MARKET),
        ("usd_m", "TAKE_PROFIT", "GTC", OrderType.TAKE_PROFIT_LIMIT),
        ("usd_m", "STOP", "GTC", OrderType.STOP_LOSS_LIMIT),
    ],
)
def test_types_by_market(family, type, time_in_force, expected):
    order = order_of(INSTRUMENT if family == "spot" else PERPETUAL, type=type, timeInForce=time_in_force)
    assert (order.type, order.time_in_force) == (expected, TimeInForce.GTC)


def test_an_unknown_status_concludes_nothing():
    with pytest.raises(VenueError, match="order c has the status HALF_OPEN"):
        order_of(status="HALF_OPEN")


def test_fills_of_both_markets():
    spot = answers.as_filled(read(answers.FILLS, "Spot/Trading/GetUserTrades")[0], INSTRUMENT)
    assert (spot.side, spot.eid, spot.filled, spot.cost) == (OrderSide.BUY, "100234", Decimal(12), Decimal("48.000012"))
    assert (spot.fee, spot.fee_currency, spot.last_filled_price) == (Decimal("10.1"), "BNB", 4.000001)
    future = answers.as_filled(read(answers.FILLS, "UsdFutures/Trading/GetUserTrades")[0], INSTRUMENT)
    assert (future.side, future.fee, future.timestamp) == (OrderSide.SELL, Decimal("-0.07819010"), 1569514978020)
    assert future.status is OrderStatus.FILLED and future.oid is None


@pytest.mark.parametrize("beside", [{}, {"cumQuote": "1000", "cumBase": "3.84615384"}])
def test_what_a_cost_is_counted_in_the_instrument_says(beside):
    """Since the two futures are one, an answer may have the amounts of both (allOrders since 2026-08-07)."""
    amounts = {"price": "2.6", "origQty": "1", "executedQty": "1"}
    row = {"symbol": "X", "orderId": 1, "clientOrderId": "a", "status": "FILLED", **amounts}
    coin = read_order(json.dumps({**row, "cumBase": "3.84615384", "avgPrice": "2.6", **beside}).encode(), InstrumentType.INVERSE)
    assert (coin.cost, coin.average) == (Decimal("3.84615384"), Decimal("2.6"))
    usd = read_order(json.dumps({**row, "cumQuote": "1000", "avgPrice": "2.6", **beside}).encode(), InstrumentType.LINEAR)
    assert (usd.cost, usd.average) == (1000, 1000)
    assert order_of(COIN, **{"cumBase": "3.84615384", "avgPrice": "2.6", **beside}).cum_cost == Decimal("3.84615384")
    assert order_of(INSTRUMENT, **{"cumQuote": "1000", **beside}).cum_cost == 1000
