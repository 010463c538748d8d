"""Bybit's REST questions: pages of bars put together, recorded answers read."""

import asyncio
import json
from decimal import Decimal
from types import SimpleNamespace

import pytest
from bybit_recordings import answer, document

from nexus_fast.constants import ExchangeType, InstrumentType, KlineInterval, OrderSide, OrderStatus, OrderType
from nexus_fast.error import KlineSupportedError, SubscriptionError, VenueError
from nexus_fast.exchange.bybit import requests
from nexus_fast.exchange.bybit.requests import BybitRequests
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.gateway.bybit_rest import BybitRest

MINUTE = 60_000
FIRST = 1_700_000_040_000
COUNT = 3500


def instrument(kind, venue_symbol="BTCUSDT"):
    symbol = {"spot": "BTCUSDT.BYBIT", "linear": "BTCUSDT-PERP.BYBIT", "inverse": "BTCUSD-PERP.BYBIT"}[kind.value]
    return Instrument(
        symbol=symbol, venue_symbol=venue_symbol, exchange=ExchangeType.BYBIT, type=kind, base="BTC", quote="USDT",
        settle="USDT", price_scale=1, size_scale=3, tick_size=Decimal("0.1"), lot_size=Decimal("0.001"),
        market_lot_size=Decimal("0.001"),
    )  # fmt: skip


PERP = instrument(InstrumentType.LINEAR)


class FakeRest(BybitRest):
    """Bars as the venue gives them: the last `limit` of a period, newest first. Other answers by path; `asked` is what came."""

    def __init__(self, results=None, starts=None):
        super().__init__("http://nowhere")
        self.starts = [FIRST + number * MINUTE for number in range(COUNT)] if starts is None else starts
        self.results = results or {}
        self.asked = []

    async def request(self, method, path, params=None, *, signed=False, keyed=False):
        self.asked.append((path, {name: value for name, value in (params or {}).items() if value is not None}))
        result = self.results[path] if path in self.results else {"list": self._bars(params)}
        return json.dumps({"retCode": 0, "retMsg": "OK", "result": result, "time": 1234}).encode()

    def _bars(self, params):
        start, end = params.get("start"), params.get("end")
        found = [s for s in self.starts if (start is None or s >= start) and (end is None or s <= end)]
        return [[str(s), "50000", "50009", "49991", "50001", "2.5", "125000"] for s in reversed(found[-params["limit"]:])]


def ask(rest, name, *arguments, **options):
    instruments = InstrumentTable([PERP])
    return asyncio.run(getattr(BybitRequests(rest, "linear", instruments), name)(*arguments, **options))


def starts_of(bars):
    return [bar.start for bar in bars]


@pytest.fixture(autouse=True)
def at_the_end_of_the_bars(monkeypatch):
    """The venue's bars end now."""
    now = (FIRST + COUNT * MINUTE) * 1_000_000
    monkeypatch.setattr(requests, "time", SimpleNamespace(time_ns=lambda: now))


@pytest.mark.parametrize(("options", "first", "count"), [
    ({}, COUNT - 200, 200), ({"limit": 1}, COUNT - 1, 1), ({"limit": 2500}, COUNT - 2500, 2500), ({"limit": 9999}, 0, COUNT),
    ({"start_time": FIRST}, 0, COUNT), ({"start_time": FIRST - 1}, 0, COUNT), ({"start_time": FIRST + 1}, 1, COUNT - 1),
    ({"start_time": FIRST, "limit": 10}, 0, 10), ({"start_time": FIRST + 2 * MINUTE, "limit": 2200}, 2, 2200),
    ({"start_time": FIRST, "end_time": FIRST + 9 * MINUTE}, 0, 10), ({"end_time": FIRST + 9 * MINUTE}, 0, 10),
    ({"start_time": FIRST + 500 * MINUTE, "end_time": FIRST + 2499 * MINUTE}, 500, 2000),
    # From long before the symbol was listed.
    ({"start_time": 0, "limit": 5}, 0, 5), ({"start_time": 0, "limit": 1500}, 0, 1500), ({"start_time": 0}, 0, COUNT),
])  # fmt: skip
def test_bars_in_pages(options, first, count):
    rest = FakeRest()
    bars = ask(rest, "klines", [PERP], KlineInterval.MINUTE_1, **options)
    assert starts_of(bars) == rest.starts[first : first + count]
    assert len(rest.asked) <= 60 and all(params["limit"] <= 1000 for _, params in rest.asked)
    assert all(params["category"] == "linear" and params["interval"] == "1" for _, params in rest.asked)


def test_bars_around_a_gap():
    hole = [FIRST + number * MINUTE for number in range(COUNT) if not 700 <= number < 3100]
    rest = FakeRest(starts=hole)
    assert starts_of(ask(rest, "klines", [PERP], KlineInterval.MINUTE_1, start_time=FIRST)) == hole
    assert starts_of(ask(rest, "klines", [PERP], KlineInterval.MINUTE_1, start_time=FIRST, limit=705)) == hole[:705]
    assert starts_of(ask(rest, "klines", [PERP], KlineInterval.MINUTE_1, limit=500)) == hole[-500:]
    assert ask(FakeRest(starts=[]), "klines", [PERP], KlineInterval.MINUTE_1, start_time=0) == []


def test_what_cannot_be_asked():
    with pytest.raises(KlineSupportedError, match="8h"):
        ask(FakeRest(), "klines", [PERP], KlineInterval.HOUR_8)
    with pytest.raises(ValueError, match="limit=0"):
        ask(FakeRest(), "klines", [PERP], KlineInterval.MINUTE_1, limit=0)
    with pytest.raises(ValueError, match="start_time=2"):
        ask(FakeRest(), "klines", [PERP], KlineInterval.MINUTE_1, start_time=2, end_time=1)
    with pytest.raises(SubscriptionError, match="index price"):
        ask(FakeRest(), "index_klines", [instrument(InstrumentType.SPOT)], KlineInterval.MINUTE_1)
    with pytest.raises(ValueError, match="limit=101"):
        ask(FakeRest(), "recent_trades", PERP, limit=101)


def test_recorded_bars_and_tickers():
    result = answer("GetKlines")
    bars = ask(FakeRest({"/v5/market/kline": result}), "klines", [PERP], KlineInterval.HOUR_1, limit=3)
    assert [[str(b.start), b.open, b.high, b.low, b.close, b.volume, b.turnover] for b in reversed(bars)] == [
        [row[0], *map(float, row[1:])] for row in result["list"]]
    result = answer("GetSpotTickers")
    ticker, row = ask(FakeRest({"/v5/market/tickers": result}), "ticker", PERP), result["list"][0]
    assert (ticker.last_price, ticker.volume, ticker.volumeCcy) == tuple(
        float(row[name]) for name in ("lastPrice", "volume24h", "turnover24h"))
    assert ticker.timestamp == 1234 and ticker.symbol == PERP.symbol
    assert list(ask(FakeRest({"/v5/market/tickers": result}), "all_tickers")) == [PERP.symbol]


def test_recorded_orders_and_fills():
    row = answer("GetOrders")["list"][0]
    rest = FakeRest({"/v5/order/realtime": {"list": [row], "nextPageCursor": ""}, "/v5/order/history": {"list": []}})
    order = ask(rest, "order", PERP, row["orderLinkId"])
    assert (order.oid, order.eid, order.status) == (row["orderLinkId"], row["orderId"], OrderStatus.ACCEPTED)
    assert (order.side, order.type) == (OrderSide.BUY, OrderType.LIMIT)
    assert (order.price, order.amount, order.filled) == (float(row["price"]), Decimal(row["qty"]), 0)
    with pytest.raises(VenueError, match="the answer about order another is about order"):
        ask(rest, "order", PERP, "another")
    nothing = FakeRest({"/v5/order/realtime": {"list": []}, "/v5/order/history": {"list": []}})
    assert ask(nothing, "order", PERP, "another") is None and nothing.asked[-1][0] == "/v5/order/history"
    assert [found.oid for found in ask(rest, "open_orders", PERP)] == [row["orderLinkId"]]
    rows = answer("GetUserTrades")["list"]
    (fill,) = ask(FakeRest({"/v5/execution/list": {"list": rows}}), "recent_trades", PERP)
    assert (fill.filled, fill.average, fill.fee) == (
        Decimal(rows[0]["execQty"]), float(rows[0]["execPrice"]), Decimal(rows[0]["execFee"]))
    assert (fill.fee_currency, fill.cum_cost, fill.eid) == ("USDT", Decimal(rows[0]["execValue"]), rows[0]["orderId"])


def test_recorded_orders_of_others():
    for name in ("http_get_orders_realtime.json", "http_get_orders_history.json"):
        content = document(name)
        for row in content["result"]["list"] if content else ():
            rest = FakeRest({"/v5/order/realtime": {"list": [row]}})
            (order,) = ask(rest, "open_orders", PERP)
            assert order.amount == Decimal(row["qty"]) and order.filled == Decimal(row["cumExecQty"] or 0)
            assert order.average == (float(row["avgPrice"]) if float(row["cumExecQty"] or 0) else None)


def test_a_status_nobody_knows_is_no_order():
    row = {**answer("GetOrders")["list"][0], "orderStatus": "Melted"}
    with pytest.raises(VenueError, match="Melted"):
        ask(FakeRest({"/v5/order/realtime": {"list": [row]}}), "order", PERP, row["orderLinkId"])
    with pytest.raises(VenueError, match="cannot be used"):
        ask(FakeRest({"/v5/market/tickers": {}}), "all_tickers")
