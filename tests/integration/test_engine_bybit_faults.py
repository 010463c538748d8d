"""An engine on a simulated Bybit that loses, doubles, delays and contradicts: one outcome for each order, and the right one."""

import asyncio
from decimal import Decimal

import pytest
from engine_program import run_script

from nexus_fast.constants import OrderSide, OrderStatus, OrderType
from nexus_fast.exchange import BybitAccountType

BUY, SELL = OrderSide.BUY, OrderSide.SELL
LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET
PERP = "BTCUSDT-PERP.BYBIT"
AMOUNT = Decimal("0.002")


def run(script, venue, **options):
    public, private = (BybitAccountType.LINEAR,), (BybitAccountType.UNIFIED,)
    return run_script(script, venue, symbols=[PERP], public=public, private=private, **options)


def rest(s, share="0.9"):
    price = s.price_to_precision(PERP, Decimal(str(s.cache.bookl1(PERP).bid)) * Decimal(share))
    return s.create_order(PERP, BUY, LIMIT, AMOUNT, price)


def results(s, oid):
    return [event["result_type"].name for event in s.heard("ws_order_request_result") if event["oid"] == oid]


def test_silence_becomes_doubt_and_doubt_a_question(bybit):
    """Scenario 1: nothing is heard of the order on either connection. Asked for, adopted, sent once."""

    async def script(s):
        await s.quotes()
        bybit.load_faults({"kind": "drop", "connection": "order"}, {"kind": "drop", "connection": "user"})
        s.oid = rest(s)
        await s.until(lambda: s.heard("accepted", s.oid), what="its adoption")
        bybit.load_faults()
        assert bybit.open_orders() == {s.oid} and s.cache.get_order(s.oid).eid == bybit.order("linear", s.oid)["orderId"]
        s.cancel_order(PERP, s.oid)
        await s.settled(s.oid)

    s = run(script, bybit, request_timeout_ms=200)
    assert results(s, s.oid)[:2] == ["ACK_TIMEOUT", "ACK_TIMEOUT_CONFIRMED"]


def test_an_answer_that_leaves_it_open(bybit):
    """Scenario 15: the venue says that it does not know; it has the order. Doubt, not failure."""

    async def script(s):
        await s.quotes()
        bybit.load_faults({"kind": "answer", "match": "order.create", "code": 10016, "execute": True})
        s.oid = rest(s)
        await s.until(lambda: s.heard("accepted", s.oid), what="its adoption")

    s = run(script, bybit)
    assert s.heard("failed", s.oid) == []


def test_a_cancel_that_finds_no_order(bybit):
    """Scenario 8: 110001 to a cancel proves nothing. The order is filled, or lives on: the venue is asked."""

    async def script(s):
        await s.quotes()
        bybit.load_faults({"kind": "answer", "match": "order.cancel", "code": 110001, "nth": 1})
        s.oid = rest(s)
        await s.until(lambda: s.heard("accepted", s.oid))
        s.cancel_order(PERP, s.oid)
        await s.until(lambda: s.heard("cancel_failed", s.oid), what="the word that the order lives on")
        assert s.cache.get_order(s.oid).status is OrderStatus.ACCEPTED and bybit.open_orders() == {s.oid}
        s.cancel_order(PERP, s.oid)
        await s.settled(s.oid)

    s = run(script, bybit)
    assert s.cache.get_order(s.oid).status is OrderStatus.CANCELED


def test_an_amendment_whose_answer_says_nothing(bybit):
    """Scenario 13: price and quantity are what the venue says they are."""

    async def script(s):
        await s.quotes()
        s.oid = rest(s)
        await s.until(lambda: s.heard("accepted", s.oid))
        bybit.load_faults({"kind": "answer", "match": "order.amend", "code": 10016, "execute": True, "nth": 1},
                          {"kind": "drop", "match": "order"})
        s.wanted = s.price_to_precision(PERP, Decimal(str(s.cache.get_order(s.oid).price)) * Decimal("0.99"))
        s.modify_order(PERP, s.oid, side=BUY, price=s.wanted, amount=AMOUNT * 2)
        await s.until(lambda: s.cache.get_order(s.oid).price == float(s.wanted), what="the new price")
        bybit.load_faults()

    s = run(script, bybit)
    assert s.cache.get_order(s.oid).amount == AMOUNT * 2


@pytest.mark.parametrize("fault", [
    {"kind": "duplicate", "connection": "user", "copies": 2},                              # 5, 60: all is said three times
    {"kind": "delay", "match": "order", "ms": 300},                                        # the fills come first
    {"kind": "delay", "match": ["execution", "execution.fast"], "ms": 300},                # the order comes first
    {"kind": "drop", "match": "execution.fast"},
    {"kind": "drop", "match": ["execution", "execution.fast"]},                            # no fill is told: asked for
    {"kind": "reorder", "connection": "user", "ms": 0, "jitter_ms": 200},                  # 6
], ids=["said thrice", "order late", "fills late", "no fast ones", "no fills", "shuffled"])  # fmt: skip
def test_fills_come_out_once(bybit, fault):
    """Scenarios 4, 5, 6, 7 and 60: whatever is said of the fills, quantity, fee and position are what they are."""

    async def script(s):
        await s.quotes()
        bybit.load_faults(fault)
        s.oid = s.create_order(PERP, BUY, MARKET, AMOUNT * 40)
        await s.settled(s.oid)
        s.fills = bybit.ask("/v5/execution/list", category="linear", orderLinkId=s.oid, limit=100)["list"]
        await s.until(lambda: s.engine.host.tracker.counts["fills"] == len(s.fills), what="every fill")
        fee = sum(Decimal(fill["execFee"]) for fill in s.fills)
        await s.until(lambda: s.cache.get_order(s.oid).fee == fee, what="the fee")
        await s.until(lambda: s.cache.get_position(PERP) and s.cache.get_position(PERP).signed_amount == AMOUNT * 40,
                      what="the position")
        await asyncio.sleep(0.4)
        s.counts = dict(s.engine.host.tracker.counts)
        assert bybit.faults_made()[0]["applied"] >= 1

    s = run(script, bybit)
    order = s.cache.get_order(s.oid)
    assert s.counts["fills"] == len(s.fills) and s.counts["filled"] == 1 and s.story(s.oid).count("filled") == 1
    assert order.filled == AMOUNT * 40 and order.average == pytest.approx(float(bybit.order("linear", s.oid)["avgPrice"]))
    assert s.cache.get_position(PERP).signed_amount == AMOUNT * 40
    assert s.engine.core.entry.table.conflicts == 0
