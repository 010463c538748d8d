"""Order events that carry the venue's id alone, before anybody here knows whose it is (58).

No venue is known to send one for an order with a client id. Here every private event is robbed of it on its way out.
"""

import asyncio
import contextlib
import re
import unittest.mock
from decimal import Decimal

import pytest
from engine_program import BTC, BTC_PERP, far_below
from simulated_run import engine

from nexus_fast.constants import OrderSide, OrderStatus, OrderType
from nexus_fast.exchange import BybitAccountType, OkxAccountType
from nexus_fast.sim.connections import Connection

BUY, LIMIT, MARKET = OrderSide.BUY, OrderType.LIMIT, OrderType.MARKET
AMOUNT = Decimal("0.02")
BYBIT = {"public": (BybitAccountType.LINEAR,), "private": (BybitAccountType.UNIFIED,)}
OKX = {"public": (OkxAccountType.LIVE,), "private": (OkxAccountType.LIVE,)}
EVENT = re.compile(rb'"e":"(executionReport|ORDER_TRADE_UPDATE|TRADE_LITE)"|"channel":"orders"|"topic":"(order|execution)')
NAME = re.compile(rb'"(c|clOrdId|orderLinkId)":"[^"]*"')


@contextlib.contextmanager
def nameless():
    """The number of events that had a name, in a list."""
    send, robbed = Connection.send, []

    def rob(connection, payload):
        if EVENT.search(payload[:400]):
            payload, count = NAME.subn(rb'"\1":""', payload)
            robbed.append(count)
        send(connection, payload)

    with unittest.mock.patch.object(Connection, "send", rob):
        yield robbed


async def filled_without_a_name(s, symbol, answers):
    """The events come first, and the answer that says whose they are 300 ms later: nothing is lost, and nobody else's
    order is seen."""
    await s.quotes()
    s.on_external_order = (externals := []).append
    s.venue.faults.load([{"kind": "delay", "match": answers, "ms": 300}])
    with nameless() as robbed:
        oid = s.create_order(symbol, BUY, MARKET, AMOUNT)
        await asyncio.sleep(0.2)
        assert sum(robbed) and s.story(oid) == ["pending"]
        order = await s.settled(oid)
    assert order.status is OrderStatus.FILLED and order.filled == AMOUNT and s.story(oid).count("filled") == 1
    assert not externals


@pytest.mark.scenario(58)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_58_binance(s, symbol):
    await filled_without_a_name(s, symbol, "order.place")


@pytest.mark.scenario(58)
@engine(symbols=["BTCUSDT-PERP.OKX"], venue={"venues": ("okx",)}, **OKX)
async def test_58_okx(s):
    await filled_without_a_name(s, "BTCUSDT-PERP.OKX", "order")


@pytest.mark.scenario(58)
@engine(symbols=["BTCUSDT-PERP.BYBIT"], venue={"venues": ("bybit",)}, request_timeout_ms=500, **BYBIT)
async def test_58_bybit(s):
    """Its answers name nothing: the venue is asked."""
    await filled_without_a_name(s, "BTCUSDT-PERP.BYBIT", "order.create")


@pytest.mark.scenario(58)
@engine(symbols=[BTC_PERP], request_timeout_ms=60_000)
async def test_58_somebody_elses(s):
    """Theirs at once as long as none of ours is unanswered, and else after a while."""
    await s.quotes()
    s.on_external_order = (heard := []).append
    with nameless():
        s.venue.trade_by_hand("usd_m", BUY, AMOUNT, "web_1")
        await s.until(lambda: {o.status for o in heard} >= {OrderStatus.FILLED}, 0.5)
        s.venue.faults.load([{"kind": "drop", "match": ["order.place", "ORDER_TRADE_UPDATE.NEW"]}])
        oid = s.create_order(BTC_PERP, BUY, LIMIT, AMOUNT, far_below(s, BTC_PERP))
        await asyncio.sleep(0.1)
        heard.clear()
        s.venue.trade_by_hand("usd_m", BUY, AMOUNT, "web_2")
        await asyncio.sleep(1.5)
        assert not heard
        await s.until(lambda: {o.status for o in heard} >= {OrderStatus.FILLED}, 1.0)
    assert s.story(oid) == ["pending"]
