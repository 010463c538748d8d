"""Answers that no venue means, for a while: what is asked is asked again, and what depends on it waits."""

import asyncio

import pytest
from acts import rest
from engine_program import BTC_PERP
from simulated_run import engine

from nexus_fast.order.reasons import NOT_RECONCILED, reason_text

KINDS = ["page", "empty", "other_shape", "nested", "nan", "late", "redirect"]
QUERY, OPEN, ACCOUNT = "GET /fapi/v1/order", "GET /fapi/v1/openOrders", "GET /fapi/v*/account"


def spoiled(what, match, times):
    return {"kind": "wrong", "connection": "rest", "match": match, "what": what, "times": times}


@pytest.mark.parametrize("what", [*KINDS, "another_order", "overfilled"])
@engine(symbols=[BTC_PERP], request_timeout_ms=300)
async def test_an_order_without_an_answer_is_asked_about_until_the_answer_can_be_used(s, what):
    await s.quotes()
    s.venue.faults.load([{"kind": "drop", "connection": "order", "match": "order.place", "times": 1},
                         {"kind": "drop", "connection": "user", "match": "ORDER_TRADE_UPDATE", "times": 1},
                         spoiled(what, QUERY, 3)])
    oid = rest(s)
    await s.until(lambda: s.heard("accepted", oid))
    assert s.venue.faults.summary()[2]["applied"] == 3 and "failed" not in s.story(oid)
    assert s.cache.get_order(oid).filled == 0 and s.engine.host.inquiry.asking == set()


@pytest.mark.parametrize("what", ["page", "empty", "other_shape", "nested", "redirect"])
@engine(symbols=[BTC_PERP])
async def test_the_kill_switch_goes_on_until_the_list_can_be_read(s, what):
    await s.quotes()
    oid = rest(s)
    await s.until(lambda: s.heard("accepted", oid))
    s.venue.faults.load([spoiled(what, OPEN, 3)])
    s.engine.kill_switch("a test")
    await s.until(lambda: sum(e["event"] == "halted_empty" for e in s.heard("private_ws_status")) == 2)       # both accounts
    assert s.venue.faults.summary()[0]["applied"] == 3 and s.venue.orders(open_only=True) == []


@pytest.mark.parametrize("what", ["page", "empty", "other_shape", "nested", "redirect"])
@engine(symbols=[BTC_PERP])
async def test_no_order_leaves_an_account_that_is_not_reconciled(s, what):
    await s.quotes()
    oid = rest(s)
    await s.until(lambda: s.heard("accepted", oid))
    s.venue.faults.load([{"kind": "cut", "connection": "order", "match": "order.place", "way": "from_client", "times": 1},
                         spoiled(what, ACCOUNT, 3)])
    rest(s)
    await s.until(lambda: any(e["event"] == "resync_failed" for e in s.heard("private_ws_status")))
    await s.until(lambda: s.engine.host.accounts and all(a.ready.is_set() for a in s.engine.host.accounts.values()))
    refused = rest(s)
    await s.until(lambda: s.heard("failed", refused))
    assert s.heard("failed", refused)[0].reason == reason_text(NOT_RECONCILED)
    await s.until(lambda: any(e["event"] == "resynced" for e in s.heard("private_ws_status")))
    await asyncio.sleep(0.1)
    again = rest(s)
    await s.until(lambda: s.heard("accepted", again))
