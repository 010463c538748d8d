"""What scenarios on Binance do again and again: orders that rest, and waiting for a fresh book or for agreement."""

import time
from decimal import Decimal

from engine_program import BTC, BTC_PERP, PERP_ACCOUNT, SPOT_ACCOUNT

from nexus_fast.constants import OrderSide, OrderType, TimeInForce

BUY, SELL = OrderSide.BUY, OrderSide.SELL
LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET
AMOUNT = Decimal("0.002")
ACCOUNTS = {BTC: SPOT_ACCOUNT, BTC_PERP: PERP_ACCOUNT}


def far(s, share="0.97", symbol=BTC_PERP):
    """A price at which a buy rests, or a sale."""
    return s.price_to_precision(symbol, Decimal(str(s.cache.bookl1(symbol).bid)) * Decimal(share), "floor")


def rest(s, symbol=BTC_PERP, share="0.97", amount=AMOUNT, **options):
    return s.create_order(symbol, BUY, LIMIT, amount, far(s, share, symbol), **options)


def fleeting(s, symbol=BTC_PERP):
    """An order that is over at once, unfilled."""
    return rest(s, symbol, time_in_force=TimeInForce.IOC)


async def accepted(s, symbol=BTC_PERP):
    oid = rest(s, symbol)
    await s.until(lambda: s.heard("accepted", oid))
    return oid


def statuses(s, account):
    return [e["event"] for e in s.heard("private_ws_status") if e["account_type"] is account]


async def fresh(s, symbol, seconds=60.0):
    """Wait for a quote that is younger than now."""
    now = time.time_ns() // 1_000_000
    await s.until(lambda: s.cache.bookl1(symbol).timestamp > now and not s.cache.bookl1(symbol).is_stale, seconds, "a fresh book")


async def agreed(s, seconds=30.0):
    """Wait until both accounts are there and what is open here is what is open at the venue."""
    accounts = s.engine.host.accounts.values()
    await s.until(lambda: all(a.ready.is_set() for a in accounts), seconds, "both accounts")
    await s.until(lambda: s.cache.get_open_orders(BTC) | s.cache.get_open_orders(BTC_PERP)
                  == {s.venue.id_of(o) for o in s.venue.orders(open_only=True)}, seconds, "the same open orders")


def lines(s, kind):
    """The venue's ends of the open connections of a kind."""
    return [c for c in s.venue.venue.binance.connections.open if c.kind == kind]
