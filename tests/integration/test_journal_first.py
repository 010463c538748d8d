"""The journal comes before the wire: an engine that dies in the call that sends a request's first byte has journalled it."""

import itertools
import platform
from decimal import Decimal

import pytest
from dying import WIRE, die_at_the_wire, run_and_die
from engine_program import BTC_PERP, PERP_ACCOUNT, far_below, run_script

from nexus_fast.constants import OrderSide, OrderType
from nexus_fast.journal import read_journal
from nexus_fast.order.states import EVENTS

ONE = Decimal("0.01")
_ids = itertools.count(1)


def place(s):
    return s.create_order(BTC_PERP, OrderSide.BUY, OrderType.LIMIT, ONE, far_below(s, BTC_PERP))


def modify(s, oid):
    s.modify_order(BTC_PERP, oid, price=far_below(s, BTC_PERP, "0.92"), amount=ONE)


@pytest.mark.scenario(46)
@pytest.mark.skipif(platform.machine() not in WIRE, reason="the numbers of its system calls are not known here")
@pytest.mark.parametrize("request_, event, entry", [
    ("place", "INTENT", "fastest"), ("place", "INTENT", "rest"), ("cancel", "CANCEL_INTENT", "fastest"),
    ("modify", "MODIFY_INTENT", "fastest")])
def test_it_is_in_the_journal_when_its_first_byte_leaves(venue, request_, event, entry):
    same = {"strategy_id": f"first{next(_ids)}", "exit_after_cancel": False, "symbols": [BTC_PERP], "private": (PERP_ACCOUNT,),
            "order_entry": entry}

    async def script(s):
        await s.quotes()
        if request_ == "place":
            die_at_the_wire()
            place(s)
        else:
            oid = place(s)
            await s.until(lambda: s.heard("accepted", oid))
            die_at_the_wire()
            s.cancel_order(BTC_PERP, oid) if request_ == "cancel" else modify(s, oid)

    run_and_die(script, venue, **same)
    *_, last = (e for e in read_journal(venue.directory / f"{same['strategy_id']}.tests") if e.kind < len(EVENTS))
    assert EVENTS[last.kind] == event
    assert len(venue.open_orders()) == (0 if request_ == "place" else 1)

    async def end(s):
        await s.quotes()
        s.cancel_all_orders(BTC_PERP)
        await s.until(lambda: not s.cache.get_open_orders(BTC_PERP, include_canceling=True))

    run_script(end, venue, **{**same, "order_entry": "fastest"})
