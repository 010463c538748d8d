"""Every cancel and every modification has one answer, which never comes from inside of the call."""

import asyncio
from decimal import Decimal

import pytest
from acts import AMOUNT, BUY, far, fleeting, rest
from engine_program import BTC, BTC_PERP
from simulated_run import engine

from nexus_fast.constants import OrderSide, OrderStatus
from nexus_fast.error import InstrumentError, OrderError, RouteError
from nexus_fast.exchange import BinanceAccountType


async def resting(s, symbol=BTC_PERP):
    oid = rest(s, symbol)
    await s.until(lambda: s.heard("accepted", oid))
    return oid


async def one_answer(s, callback, oid):
    """The only one to the request that was just made."""
    before = len(s.events)
    await s.until(lambda: s.heard(callback, oid), what=f"on_{callback}_order")
    await asyncio.sleep(2)
    (order,) = [what for name, what in s.events[before:] if name in ("cancel_failed", "modify_failed", "modified")]
    return order


@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@pytest.mark.parametrize(("request_", "callback"), [("cancel_order", "cancel_failed"), ("modify_order", "modify_failed")])
@engine(symbols=[BTC, BTC_PERP])
async def test_of_an_order_that_is_over(s, request_, callback, symbol):
    await s.quotes()
    oid = fleeting(s, symbol)
    order = await s.settled(oid)
    arguments = {"price": Decimal(1)} if request_ == "modify_order" else {}
    assert getattr(s, request_)(symbol, oid, **arguments) == oid
    assert not s.heard(callback)
    told = await one_answer(s, callback, oid)
    assert told.status is order.status and told.is_closed and "is over (EXPIRED)" in told.reason
    assert s.cache.get_order(oid).reason == order.reason and s.cache.get_order(oid).status is order.status


@pytest.mark.parametrize("oid", ["nobody-knows-1", None])
@engine(symbols=[BTC, BTC_PERP])
async def test_of_an_order_that_nobody_knows(s, oid):
    """None: an oid that looks as one of this session. It cannot be at the venue, which is not asked."""
    await s.quotes()
    ours = await resting(s)
    oid = oid or ours[:-6] + "zzzzz0"
    for symbol in (BTC, BTC_PERP):
        s.cancel_order(symbol, oid)
        assert not s.heard("cancel_failed", oid)
        told = await one_answer(s, "cancel_failed", oid)
        assert told.reason.startswith("cancel: ") and told.status is OrderStatus.CANCEL_FAILED and told.symbol == symbol
        assert ("-2011" in told.reason) == (oid != ours[:-6] + "zzzzz0")
        s.modify_order(symbol, oid, price=far(s))
        assert "knows no order" in (await one_answer(s, "modify_failed", oid)).reason
        s.events.clear()
    assert s.cache.get_order(oid) is None


@engine(symbols=[BTC_PERP])
async def test_of_somebody_elses_order(s):
    """A cancel reaches it, and its end is told as one of an external order; a modification does not."""
    heard = []
    type(s).on_external_order = lambda self, order: heard.append((order.oid, order.status))
    await s.quotes()
    s.venue.rest_by_hand("usd_m", OrderSide.BUY, AMOUNT, far(s), "by_hand")
    await s.until(lambda: heard)
    s.modify_order(BTC_PERP, "by_hand", price=far(s, "0.96"))
    assert "not an order of this engine" in (await one_answer(s, "modify_failed", "by_hand")).reason
    s.cancel_order(BTC_PERP, "by_hand")
    await s.until(lambda: ("by_hand", OrderStatus.CANCELED) in heard)
    assert not s.heard("cancel_failed")
    s.cancel_order(BTC_PERP, "by_hand")
    assert "is over (CANCELED)" in (await one_answer(s, "cancel_failed", "by_hand")).reason
    del type(s).on_external_order


@engine(symbols=[BTC_PERP])
async def test_a_modification_is_told_as_one(s):
    """Once, with the new terms, also of an order that is filled in part, and of what was sent before its acknowledgement."""
    await s.quotes()
    oid = await resting(s)
    for share, filled in (("0.96", 0), ("0.95", AMOUNT)):
        if filled:
            s.venue.fill_resting("usd_m", oid, s.venue.orders(oid)[0].quantity // 2)
            await s.until(lambda: s.heard("partially_filled", oid))
        s.events.clear()
        price = far(s, share)
        s.modify_order(BTC_PERP, oid, price=price, amount=2 * AMOUNT)
        await s.until(lambda: s.heard("modified", oid))
        await asyncio.sleep(1)
        assert s.story(oid) == ["modified"]
        (order,) = s.heard("modified", oid)
        assert (order.price, order.amount, order.filled) == (float(price), 2 * AMOUNT, filled)
    early = rest(s, share="0.94")
    s.modify_order(BTC_PERP, early, price=far(s, "0.93"))
    await s.until(lambda: s.heard("modified", early))
    await asyncio.sleep(1)
    assert s.story(early) == ["pending", "accepted", "modified"]


@engine(symbols=[BTC_PERP])
async def test_a_program_without_the_callback_hears_an_acceptance(s):
    """As one that was written for NexusTrader expects."""
    from nexus_fast.strategy import Strategy

    kept = type(s).on_modified_order
    type(s).on_modified_order = Strategy.on_modified_order
    try:
        await s.quotes()
        oid = await resting(s)
        price = far(s, "0.96")
        s.modify_order(BTC_PERP, oid, price=price)
        await s.until(lambda: len(s.heard("accepted", oid)) == 2)
        assert s.heard("accepted", oid)[1].price == float(price)
    finally:
        type(s).on_modified_order = kept


@engine(symbols=[BTC_PERP])
async def test_a_modification_that_the_venue_refuses(s):
    await s.quotes()
    oid = await resting(s)
    s.modify_order(BTC_PERP, oid, price=Decimal(str(s.cache.get_order(oid).price)), amount=AMOUNT)
    told = await one_answer(s, "modify_failed", oid)
    assert "-5027" in told.reason and told.status is OrderStatus.ACCEPTED
    assert s.cache.get_order(oid).reason is None
    assert [r["result_type"].name for r in s.heard("ws_order_request_result")] == ["ACK_REJECTED"]


@pytest.mark.parametrize(("change", "words"), [({"price": "1.123456789"}, "digits"), ({"price": "NaN"}, "no finite number"),
                                               ({"amount": 0}, "minimum")])
@engine(symbols=[BTC_PERP])
async def test_a_modification_that_our_checks_refuse(s, change, words):
    await s.quotes()
    oid = await resting(s)
    s.modify_order(BTC_PERP, oid, **change)
    assert not s.heard("modify_failed")
    told = await one_answer(s, "modify_failed", oid)
    assert words in told.reason and told.status is OrderStatus.ACCEPTED
    assert [r["result_type"].name for r in s.heard("ws_order_request_result")] == ["REQUEST_NOT_SENT"]


@engine(symbols=[BTC])
async def test_a_modification_on_a_venue_without_one(s):
    await s.quotes()
    oid = await resting(s, BTC)
    s.modify_order(BTC, oid, price=far(s, "0.96", BTC))
    assert "cannot be modified" in (await one_answer(s, "modify_failed", oid)).reason


@engine(symbols=[BTC_PERP], request_timeout_ms=200)
async def test_a_modification_that_is_lost(s):
    """The venue is asked until it can no longer arrive, and the order is as it was."""
    await s.quotes()
    oid = await resting(s)
    s.venue.faults.load([{"kind": "drop", "connection": "order", "way": "from_client"}])
    price = s.cache.get_order(oid).price
    s.modify_order(BTC_PERP, oid, price=far(s, "0.96"))
    await s.until(lambda: s.heard("modify_failed", oid), 40)
    assert "can no longer arrive" in s.heard("modify_failed", oid)[0].reason
    assert s.cache.get_order(oid).status is OrderStatus.ACCEPTED and s.cache.get_order(oid).price == price


@engine(symbols=[BTC_PERP], request_timeout_ms=200)
async def test_a_modification_whose_answers_are_lost(s):
    await s.quotes()
    oid = await resting(s)
    s.venue.faults.load([{"kind": "drop", "connection": "order"}, {"kind": "drop", "connection": "user"}])
    price = far(s, "0.96")
    s.modify_order(BTC_PERP, oid, price=price)
    await s.until(lambda: s.heard("modified", oid), 40)
    assert s.heard("modified", oid)[0].price == float(price) and not s.heard("modify_failed")


@engine(symbols=[BTC_PERP])
async def test_a_cancel_while_one_is_in_flight_and_one_before_the_acknowledgement(s):
    """The order's end answers both."""
    await s.quotes()
    for wait in (True, False):
        oid = await resting(s) if wait else rest(s)
        s.cancel_order(BTC_PERP, oid)
        s.cancel_order(BTC_PERP, oid)
        order = await s.settled(oid)
        assert order.status is OrderStatus.CANCELED
        await asyncio.sleep(2)
        assert s.story(oid).count("canceled") == 1 and s.story(oid)[-1] == "canceled"


@engine(symbols=[BTC, BTC_PERP])
async def test_cancel_all_says_what_it_cancels(s):
    await s.quotes()
    assert s.cancel_all_orders(BTC) == []
    oids = [await resting(s, BTC) for _ in range(2)]
    await resting(s, BTC_PERP)
    s.cancel_order(BTC, oids[0])
    assert s.cancel_all_orders(BTC) == oids and s.cancel_all_orders(BTC) == oids
    for oid in oids:
        await s.settled(oid)
    assert s.cancel_all_orders(BTC) == []


@engine(symbols=[BTC, BTC_PERP])
async def test_what_can_never_be_a_request_is_refused_with_a_text(s):
    await s.quotes()
    oid = await resting(s)
    price = far(s)
    order = {"symbol": BTC_PERP, "side": BUY, "type": s.cache.get_order(oid).type, "amount": AMOUNT, "price": price}
    texts = {"symbol": "None is not a symbol", "side": "side None", "type": "type None", "amount": "amount is None"}
    for name, word in texts.items():
        for method in (s.create_order, s.create_order_ws):
            with pytest.raises((OrderError, InstrumentError), match=word):
                method(**{**order, name: None})
    for name, value in (("amount", "many"), ("amount", True), ("price", object()), ("client_oid", 7), ("idempotency_key", 7),
                        ("time_in_force", None), ("reduce_onli", True)):
        with pytest.raises(OrderError, match=name):
            s.create_order(**{**order, name: value})
    for method in (s.cancel_order, s.cancel_order_ws, s.modify_order):
        terms = {"price": price} if method == s.modify_order else {}
        for arguments in ((None, oid), (BTC_PERP, None), (BTC_PERP, ""), (BTC_PERP, 7), (BTC, oid)):
            with pytest.raises(OrderError, match="symbol is None|oid is|is an order of BTCUSDT-PERP.BINANCE, not of"):
                method(*arguments, **terms)
        with pytest.raises(OrderError, match="unknown arguments prize"):
            method(BTC_PERP, oid, prize=1, **terms)
        with pytest.raises(InstrumentError, match="NOSUCH"):
            method("NOSUCH.BINANCE", "nobody-knows", **terms)
    for terms in ({}, {"side": BUY}, {"price": price, "side": OrderSide.SELL}, {"price": "dear"}, {"amount": []}):
        with pytest.raises(OrderError, match="None|SELL|no number"):
            s.modify_order(BTC_PERP, oid, **terms)
    with pytest.raises(InstrumentError, match="None is not a symbol"):
        s.cancel_all_orders(None)
    with pytest.raises(RouteError):
        s.cancel_order(BTC_PERP, "nobody-knows", account_type=BinanceAccountType.SPOT)
    await asyncio.sleep(1)
    assert s.story(oid) == ["pending", "accepted"] and not s.heard("failed") + s.heard("cancel_failed") + s.heard("modify_failed")
