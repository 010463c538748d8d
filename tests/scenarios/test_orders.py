"""Requests and answers that are lost, late, doubled and contradictory: what becomes of the order."""

import asyncio
from decimal import Decimal

import pytest
from engine_program import BTC, BTC_PERP
from simulated_run import engine

from nexus_fast.constants import OrderSide, OrderStatus, OrderType

BUY, SELL = OrderSide.BUY, OrderSide.SELL
LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET
AMOUNT = Decimal("0.002")


def far(s, symbol, share="0.97"):
    """A price at which a buy rests."""
    return s.price_to_precision(symbol, Decimal(str(s.cache.bookl1(symbol).bid)) * Decimal(share), "floor")


def rest(s, symbol=BTC_PERP, **options):
    return s.create_order(symbol, BUY, LIMIT, AMOUNT, far(s, symbol), **options)


def sent(s):
    """How often the venue was asked for a new order."""
    return s.venue.venue.statistics.orders + s.venue.venue.statistics.rejects


@pytest.mark.scenario(1)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP], request_timeout_ms=200)
async def test_01_the_acknowledgement_is_lost(s, symbol):
    """Nothing is heard of it, on no stream: asked for by its id over REST, adopted, never sent again."""
    await s.quotes()
    s.venue.faults.load([{"kind": "drop", "connection": "order"}, {"kind": "drop", "connection": "user"}])
    oid = rest(s, symbol)
    await s.until(lambda: s.heard("accepted", oid), what="its adoption")
    order = s.cache.get_order(oid)
    assert order.eid == str(s.venue.orders(oid)[0].order_id)
    assert [r["result_type"].name for r in s.heard("ws_order_request_result")] == ["ACK_TIMEOUT", "ACK_TIMEOUT_CONFIRMED"]
    assert sent(s) == 1


@pytest.mark.scenario(2)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP], request_timeout_ms=200)
async def test_02_the_request_is_lost(s, symbol):
    """FAILED, but only when the venue has said no three times and the request is too old to be taken."""
    await s.quotes()
    s.venue.faults.load([{"kind": "drop", "match": "order.place", "way": "from_client"}])
    begun = asyncio.get_running_loop().time()
    oid = rest(s, symbol)
    order = await s.settled(oid)
    assert order.status is OrderStatus.FAILED and "no such order" in order.reason
    assert asyncio.get_running_loop().time() - begun > (s.engine.config.recv_window_ms + 2000) / 1000
    assert s.venue.orders(oid) == [] and sent(s) == 0
