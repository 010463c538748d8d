"""Answers and events about another order, or that cannot be true of ours: not believed, counted, asked again (58).

The lies are put in between the venue's connector and the engine, so that each is told by every venue; what the connectors make of
the venues' own words is tested in tests/unit.
"""

import asyncio
import contextlib
import re
import unittest.mock
from decimal import Decimal

import pytest
from engine_program import BTC, BTC_PERP, PERP_ACCOUNT, SPOT_ACCOUNT, far_below
from msgspec.structs import replace
from simulated_run import engine

from nexus_fast.constants import OrderSide, OrderStatus, OrderType
from nexus_fast.exchange import BybitAccountType, OkxAccountType
from nexus_fast.order.events import LAG_SECONDS, OrderUpdate
from nexus_fast.sim.connections import Connection

BUY, LIMIT, MARKET = OrderSide.BUY, OrderType.LIMIT, OrderType.MARKET
AMOUNT = Decimal("0.02")
BYBIT = {"public": (BybitAccountType.LINEAR,), "private": (BybitAccountType.UNIFIED,)}
OKX = {"public": (OkxAccountType.LIVE,), "private": (OkxAccountType.LIVE,)}
NAME = re.compile(rb'"(clientOrderId|origClientOrderId|clOrdId|orderLinkId)":"[^"]*"')
# Whose prefix the id of a Binance request is, or which request it is at the others.
ANSWER = re.compile(rb'^\{"id":"([cm]?)[a-z0-9]{17}","status":200|"op":"((?:amend-|cancel-)?order|order\.\w+)"')
LIES = [{"client_id": "another"}, {"venue_symbol": "ETHUSDT"}, {"side": "SELL"}, {"filled": Decimal(99)},
        {"event": "CANCELED", "client_id": "another"}, {"event": "FILLED", "filled": Decimal(0)},
        {"filled": Decimal("0.0000000001")}]


def answer_with_lies(account, lies):
    """The account's answers about orders are these, one after the other, and then true."""
    query, told = account.query, list(lies)

    async def lie(instrument, client_id):
        found = await query(instrument, client_id)
        return found if found is None or not told else replace(found, **told.pop(0))

    account.query = lie
    return told


async def only_the_truth_is_believed(s, symbol, account_type, *, answers):
    """Nothing is heard of the order, and the venue, asked, answers with one lie after the other."""
    await s.quotes()
    await asyncio.sleep(LAG_SECONDS + 1)         # the second look after the start would have the truth
    s.venue.faults.load([{"kind": "drop", "match": answers}, {"kind": "drop", "connection": "user"}])
    left = answer_with_lies(s.engine.host.accounts[account_type], LIES)
    oid = s.create_order(symbol, BUY, LIMIT, AMOUNT, far_below(s, symbol))
    await s.until(lambda: not left, seconds=120, what="every lie")
    assert s.story(oid) == ["pending"] and not s.cache.get_order(oid).filled
    await s.until(lambda: s.heard("accepted", oid), seconds=30, what="the truth")
    assert s.engine.host.tracker.counts["contradictions"] == len(LIES)
    assert s.story(oid) == ["pending", "accepted"] and s.cache.get_order(oid).status is OrderStatus.ACCEPTED
    results = [r["result_type"].name for r in s.heard("ws_order_request_result")]
    assert results == ["ACK_TIMEOUT", "ACK_TIMEOUT_CONFIRMED"]


@pytest.mark.scenario(58)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP], venue={"tick_rate": 2}, request_timeout_ms=200)
async def test_58_answers_about_another_order(s, symbol):
    await only_the_truth_is_believed(s, symbol, SPOT_ACCOUNT if symbol == BTC else PERP_ACCOUNT, answers="order.place")


@pytest.mark.scenario(58)
@engine(symbols=["BTCUSDT-PERP.OKX"], venue={"venues": ("okx",), "tick_rate": 2}, request_timeout_ms=200, **OKX)
async def test_58_answers_about_another_order_okx(s):
    await only_the_truth_is_believed(s, "BTCUSDT-PERP.OKX", OkxAccountType.LIVE, answers="order")


@pytest.mark.scenario(58)
@engine(symbols=["BTCUSDT-PERP.BYBIT"], venue={"venues": ("bybit",), "tick_rate": 2}, request_timeout_ms=500, **BYBIT)
async def test_58_answers_about_another_order_bybit(s):
    await only_the_truth_is_believed(s, "BTCUSDT-PERP.BYBIT", BybitAccountType.UNIFIED, answers="order.create")


@contextlib.contextmanager
def renaming(kinds):
    """The venue's answers to these requests name another order, each once."""
    send, left = Connection.send, list(kinds)

    def rename(connection, payload):
        answer = ANSWER.search(payload)
        kind = answer and next(group for group in answer.groups() if group is not None).decode()
        if kind in left:
            left.remove(kind)
            payload = NAME.sub(rb'"\1":"another"', payload)
        send(connection, payload)

    with unittest.mock.patch.object(Connection, "send", rename):
        yield left


async def requests_whose_answers_name_another_order(s, symbol, kinds):
    """Placed, modified, canceled: each answer is counted and asked about, and everything comes to the right end."""
    await s.quotes()
    counts, price = s.engine.host.tracker.counts, far_below(s, symbol)
    with renaming(kinds) as left:
        oid = s.create_order(symbol, BUY, LIMIT, AMOUNT, price)
        await s.until(lambda: s.heard("accepted", oid))
        if len(kinds) == 3:
            s.modify_order(symbol, oid, price=price, amount=2 * AMOUNT)
            await s.until(lambda: s.cache.get_order(oid).amount == 2 * AMOUNT)
        await asyncio.sleep(1)
        s.cancel_order(symbol, oid)
        await s.until(lambda: s.heard("canceled", oid), seconds=30)
        await asyncio.sleep(1)
        assert not left and counts["contradictions"] == len(kinds)
    assert s.story(oid)[-1] == "canceled" and "failed" not in s.story(oid)


@pytest.mark.scenario(58)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_58_answers_to_requests_binance(s, symbol):
    await requests_whose_answers_name_another_order(s, symbol, ["", "c"] if symbol == BTC else ["", "m", "c"])


@pytest.mark.scenario(58)
@engine(symbols=["BTCUSDT-PERP.OKX"], venue={"venues": ("okx",)}, **OKX)
async def test_58_answers_to_requests_okx(s):
    await requests_whose_answers_name_another_order(s, "BTCUSDT-PERP.OKX", ["order", "amend-order", "cancel-order"])


@pytest.mark.scenario(58)
@engine(symbols=["BTCUSDT-PERP.BYBIT"], venue={"venues": ("bybit",)}, **BYBIT)
async def test_58_answers_to_requests_bybit(s):
    await requests_whose_answers_name_another_order(s, "BTCUSDT-PERP.BYBIT", ["order.create", "order.amend", "order.cancel"])


@pytest.mark.scenario(58)
@pytest.mark.parametrize("lie", [{"client_id": "another"}, {"venue_symbol": "ETHUSDT"}, {"venue_id": "5"}, {"side": "SELL"}])
@engine(symbols=[BTC_PERP], venue={"tick_rate": 2}, request_timeout_ms=200)
async def test_58_a_lying_answer_does_not_end_a_cancel(s, lie):
    """Asked what became of a cancel, the venue tells of another order's end: the cancel stays in doubt."""
    await s.quotes()
    oid = s.create_order(BTC_PERP, BUY, LIMIT, AMOUNT, far_below(s, BTC_PERP))
    await s.until(lambda: s.heard("accepted", oid))
    s.venue.faults.load([{"kind": "drop", "match": "order.cancel", "way": "from_client"}, {"kind": "drop", "connection": "user"}])
    left = answer_with_lies(s.engine.host.accounts[PERP_ACCOUNT], [{"event": "CANCELED", **lie}] * 5)
    s.cancel_order(BTC_PERP, oid)
    await s.until(lambda: not left, seconds=60, what="every lie")
    assert s.cache.get_order(oid).status is OrderStatus.CANCELING and "cancel_failed" not in s.story(oid)
    await s.until(lambda: s.heard("cancel_failed", oid), seconds=60, what="the truth")
    assert s.cache.get_order(oid).status is OrderStatus.ACCEPTED


@pytest.mark.scenario(58)
@engine(symbols=[BTC_PERP])
async def test_58_an_open_order_in_the_list_is_held_against_ours(s):
    """The list that is read after a reconnect says that ours was filled with 99: not believed, and asked about."""
    await s.quotes()
    oid = s.create_order(BTC_PERP, BUY, LIMIT, AMOUNT, far_below(s, BTC_PERP))
    await s.until(lambda: s.heard("accepted", oid))
    account, counts = s.engine.host.accounts[PERP_ACCOUNT], s.engine.host.tracker.counts
    refresh, lied = account.refresh, []

    async def lie():
        found = await refresh()
        lied.append(1)
        return found if len(lied) > 1 else {name: replace(o, event="FILL", filled=Decimal(99)) for name, o in found.items()}

    account.refresh = lie
    s.venue.faults.load([{"kind": "cut", "connection": "user", "after": 0.01, "times": 1}])
    s.venue.fill_resting("usd_m", oid, s.venue.orders(oid)[0].quantity // 2)     # an event for the fault to strike
    await s.until(lambda: lied, seconds=30, what="the list")
    await s.until(lambda: s.cache.get_order(oid).filled == AMOUNT / 2, seconds=30, what="the truth")
    assert counts["contradictions"] == 1 and s.cache.get_order(oid).status is OrderStatus.PARTIALLY_FILLED


@pytest.mark.scenario(58)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_58_an_event_beyond_the_order_is_asked_about(s, symbol):
    """A private event says that 99 were executed: not believed. The venue, asked, says that it is open."""
    await s.quotes()
    oid = s.create_order(symbol, BUY, LIMIT, AMOUNT, far_below(s, symbol))
    await s.until(lambda: s.heard("accepted", oid))
    account = s.engine.host.accounts[SPOT_ACCOUNT if symbol == BTC else PERP_ACCOUNT]
    known = s.engine.core.ledger.fields(s.engine.core.ledger.find(oid))
    event = {"event": "FILLED", "client_id": oid, "venue_id": known["venue_id"], "venue_symbol": "BTCUSDT"}
    asked = []
    query = account.query
    account.query = lambda *question: (asked.append(question), query(*question))[1]
    s.engine.host.on_order_update(account, OrderUpdate(**event, filled=Decimal(99)))
    await s.until(lambda: asked, seconds=5, what="a question")
    await asyncio.sleep(1)
    assert s.story(oid) == ["pending", "accepted"] and s.cache.get_order(oid).filled == 0
    assert s.engine.host.tracker.counts["contradictions"] == 1 and not s.engine.host.inquiry.asking


@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP], request_timeout_ms=60_000)
async def test_an_order_that_ends_with_a_trade_of_nothing_has_ended(s, symbol):
    """The last message of a canceled order says TRADE, with the status CANCELED; the cancel's answer is lost."""
    await s.quotes()
    oid = s.create_order(symbol, BUY, LIMIT, AMOUNT, far_below(s, symbol))
    await s.until(lambda: s.heard("accepted", oid))
    s.venue.faults.load([{"kind": "drop", "match": "order.cancel"}])
    send, changed = Connection.send, []

    def change(connection, payload):
        if b'"x":"CANCELED"' in payload:
            payload = payload.replace(b'"x":"CANCELED"', b'"x":"TRADE"')
            changed.append(payload)
        send(connection, payload)

    with unittest.mock.patch.object(Connection, "send", change):
        s.cancel_order(symbol, oid)
        await s.until(lambda: s.heard("canceled", oid), seconds=2)
    order = s.cache.get_order(oid)
    assert changed and order.status is OrderStatus.CANCELED and not order.filled
    assert s.engine.host.tracker.counts["fills"] == 0 and "partially_filled" not in s.story(oid)
