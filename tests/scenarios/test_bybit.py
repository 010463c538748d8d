"""What only Bybit does."""

import asyncio
from decimal import Decimal

import pytest
from simulated_run import engine

from nexus_fast.constants import OrderSide, OrderStatus, OrderType
from nexus_fast.exchange import BybitAccountType

PERP, AMOUNT = "BTCUSDT-PERP.BYBIT", Decimal("0.02")
BYBIT = {"public": (BybitAccountType.LINEAR,), "private": (BybitAccountType.UNIFIED,)}


@pytest.mark.scenario(60)
@engine(symbols=[PERP], venue={"venues": ("bybit",)}, **BYBIT)
async def test_60_filled_is_said_twice(s):
    """A cancel comes right after the last fill: the venue accepts it and says Filled again, with EC_OrigClOrdIDDoesNotExist.
    One fill, one end, one position, and no cancel."""
    await s.quotes()
    said = []
    account = s.engine.host.accounts[BybitAccountType.UNIFIED]
    on_order = account._on_order
    account._on_order = lambda update: (said.append(update.event), on_order(update))
    oid = s.create_order(PERP, OrderSide.BUY, OrderType.MARKET, AMOUNT)
    s.cancel_order(PERP, oid)
    order = await s.settled(oid)
    await asyncio.sleep(1)
    assert said.count("FILLED") == 2
    assert order.status is OrderStatus.FILLED and order.filled == AMOUNT
    assert s.story(oid).count("filled") == 1 and not {"canceled", "cancel_failed"} & set(s.story(oid))
    assert s.engine.host.tracker.counts["filled"] == 1 and s.cache.get_position(PERP).signed_amount == AMOUNT
