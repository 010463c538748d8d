"""Order entry by REST: the same orders, by a connection that is open before them."""

import asyncio
from decimal import Decimal

import pytest
from engine_program import BTC_PERP, PERP, SPOT, run_script

from nexus_fast.config import BasicConfig
from nexus_fast.constants import OrderSide, OrderStatus, OrderType
from nexus_fast.error import CredentialError, RouteError

BUY, SELL = OrderSide.BUY, OrderSide.SELL
SIX = Decimal("6")


@pytest.mark.parametrize("mode", ["block", "busy"])
def test_the_seed_program_by_rest(venue, mode, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_LOOP", mode)

    async def script(s):
        await s.quotes()
        for symbol in (SPOT, PERP):
            s.create_order(symbol, BUY, OrderType.MARKET, SIX)
            s.create_order(symbol, SELL, OrderType.MARKET, SIX, reduce_only=symbol == PERP)
        await s.until(lambda: len(s.heard("filled")) + len(s.heard("failed")) == 4, what="four ends")
        with pytest.raises(RouteError, match="WebSocket"):
            s.create_order_ws(SPOT, BUY, OrderType.MARKET, SIX, ws_fallback=False)

    s = run_script(script, venue, symbols=[PERP, SPOT], order_entry="rest")
    # All four: the reduce-only sell arrives behind its buy.
    assert len(s.heard("filled")) == 4
    assert all(order.eid for order in s.heard("filled"))
    assert venue.statistics()["bad_signatures"] == 0


def test_orders_that_wait_for_the_connection_arrive(venue):
    """Forty orders at once, then a cancel and a modification of each kind. What waits longer than its window is refused by the
    venue: the window is such that the slowest machine is in time."""

    async def script(s):
        await s.quotes()
        price = s.price_to_precision(BTC_PERP, Decimal(str(s.cache.bookl1(BTC_PERP).bid)) * Decimal("0.9"), "floor")
        oids = [s.create_order(BTC_PERP, BUY, OrderType.LIMIT, Decimal("0.01"), price) for _ in range(40)]
        await s.until(lambda: len(s.heard("accepted")) == 40, what="forty acceptances")
        assert {o["clientOrderId"] for o in venue.open_orders()} >= set(oids)
        s.modify_order(BTC_PERP, oids[0], price=price - 1, amount=Decimal("0.02"))
        await s.until(lambda: s.cache.get_order(oids[0]).amount == Decimal("0.02"), what="the modification")
        s.cancel_all_orders(BTC_PERP)
        await s.until(lambda: len(s.heard("canceled")) == 40, what="forty cancels")

    run_script(script, venue, symbols=[BTC_PERP], order_entry="rest", recv_window_ms=60_000)
    assert venue.open_orders() == []


def test_a_refused_order_says_why(venue):
    async def script(s):
        await s.quotes()
        oid = s.create_order(PERP, SELL, OrderType.MARKET, SIX, reduce_only=True)
        order = await s.settled(oid)
        assert order.status is OrderStatus.FAILED and "-2022" in order.reason
        await asyncio.sleep(0)

    run_script(script, venue, symbols=[PERP], order_entry="rest")


def test_an_ed25519_key_is_refused_for_rest():
    from nexus_fast.config import PrivateConnectorConfig
    from nexus_fast.exchange.binance.accounts import BinanceAccountType
    from nexus_fast.exchange.catalogue import make_account

    # The key of Binance's FIX documentation.
    body = "MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u"
    key = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"
    connector = PrivateConnectorConfig(BinanceAccountType.SPOT, entry="rest")
    host = type("Host", (), {"config": type("Config", (), {"order_entry": "fastest"})()})()
    with pytest.raises(CredentialError, match="Ed25519"):
        make_account(host, connector, 0, BasicConfig(api_key="key", secret=key), None)
