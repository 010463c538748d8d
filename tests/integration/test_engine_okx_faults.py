"""An engine on a simulated OKX that cuts, repeats, keeps silent and contradicts: one outcome of each order, the right one."""

import asyncio
import itertools
import random
import time
from decimal import Decimal

import pytest
from okx_program import (
    ACCOUNT,
    ALL,
    AMOUNTS,
    BUY,
    CONTRACTS,
    INST_IDS,
    INVERSE,
    LIMIT,
    MARKET,
    PERP,
    SELL,
    price,
    resting,
    run,
    statuses,
    through,
)  # fmt: skip

from nexus_fast.constants import OrderStatus


@pytest.mark.scenario(61)
def test_a_repeated_push_counts_once(okx):
    """Scenario 61: every push of the orders channel comes three times."""

    async def script(s):
        await s.quotes()
        okx.faults({"kind": "duplicate", "venue": "okx", "match": "orders", "copies": 2})
        s.order = await s.settled(s.create_order(PERP, BUY, MARKET, AMOUNTS[PERP]))
        await s.until(lambda: s.engine.host.tracker.counts["repeated_fills"] >= 2, what="the repetitions")
        s.back = await s.settled(s.create_order(PERP, SELL, MARKET, AMOUNTS[PERP], reduce_only=True))

    s = run(script, okx)
    for order in (s.order, s.back):
        row = okx.order("BTC-USDT-SWAP", order.oid)
        assert s.story(order.oid).count("filled") == 1 and order.filled == AMOUNTS[PERP]
        assert s.cache.get_order(order.oid).fee == -Decimal(row["fee"])


@pytest.mark.parametrize("lost", ["answers", "requests"])
def test_a_cut_leaves_no_order_in_doubt(okx, lost):
    """An order whose answer, or whose request, was lost with the connection: it is found, or proven never to have lived."""

    async def script(s):
        await s.quotes()
        s.before = await resting(s, PERP)
        proxy = s.proxies["private"]
        setattr(proxy, lost, False)
        s.oid = s.create_order(PERP, BUY, LIMIT, AMOUNTS[PERP], price(s, PERP, "0.96"))
        await s.until(lambda: s.heard("pending", s.oid))
        if lost == "answers":
            await s.until(lambda: s.oid in okx.open_orders(), what="the order at the venue")
        proxy.heal()
        await s.until(lambda: statuses(s)[-1] == "connected" and "resynced" in statuses(s), what="the reconnect")
        expected = "accepted" if lost == "answers" else "failed"
        await s.until(lambda: s.heard(expected, s.oid), what=expected)
        s.open = okx.open_orders()
        for oid in sorted(s.open):
            s.cancel_order(PERP, oid)
            await s.settled(oid)

    with through(okx, "private") as (venue, proxies):
        async def with_proxies(s):
            s.proxies = proxies
            await script(s)

        s = run(with_proxies, venue)
    assert s.open == ({s.before, s.oid} if lost == "answers" else {s.before})
    assert okx.open_orders() == set() and len(s.heard("private_ws_resync_diff")) == 1


def test_a_lost_answer_is_asked_for(okx):
    """The connection stays, the answer and the push do not come: silence becomes doubt, and doubt a query."""

    async def script(s):
        await s.quotes()
        okx.faults({"kind": "drop", "venue": "okx", "match": ["order", "orders"]})
        s.oid = s.create_order(PERP, BUY, LIMIT, AMOUNTS[PERP], price(s, PERP, "0.97"))
        await s.until(lambda: s.heard("accepted", s.oid), what="the order that was asked about")
        s.results = [e["result_type"].value for e in s.heard("ws_order_request_result")]
        okx.faults()
        s.cancel_order(PERP, s.oid)
        await s.settled(s.oid)

    s = run(script, okx, request_timeout_ms=500)
    assert s.results == ["ACK_TIMEOUT", "ACK_TIMEOUT_CONFIRMED"]
    assert s.cache.get_order(s.oid).status is OrderStatus.CANCELED


def test_an_answer_that_says_nothing_for_certain(okx):
    """50004: "does not mean that the request was successful or failed". It was."""

    async def script(s):
        await s.quotes()
        okx.faults({"kind": "answer", "venue": "okx", "match": "order", "code": "50004", "execute": True},
                   {"kind": "drop", "venue": "okx", "match": "orders"})
        s.oid = s.create_order(PERP, BUY, LIMIT, AMOUNTS[PERP], price(s, PERP, "0.97"))
        await s.until(lambda: s.heard("accepted", s.oid), what="what the venue says when it is asked")
        okx.faults()
        s.cancel_order(PERP, s.oid)
        await s.settled(s.oid)

    s = run(script, okx)
    assert s.story(s.oid) == ["pending", "accepted", "canceling", "canceled"]
    assert [e["result_type"].value for e in s.heard("ws_order_request_result")] == ["ACK_TIMEOUT_CONFIRMED"]


def test_a_cancel_that_crosses_the_fill(okx):
    """The cancel's "no such order" is no end of the order: the venue is asked, and it was filled."""

    async def script(s):
        await s.quotes()
        okx.faults({"kind": "drop", "venue": "okx", "match": "orders"})
        s.oid = s.create_order(PERP, BUY, MARKET, AMOUNTS[PERP])
        await s.until(lambda: (okx.order("BTC-USDT-SWAP", s.oid) or {}).get("state") == "filled")
        s.cancel_order(PERP, s.oid)
        s.order = await s.settled(s.oid)
        okx.faults()
        await s.settled(s.create_order(PERP, SELL, MARKET, AMOUNTS[PERP], reduce_only=True))

    s = run(script, okx)
    assert s.order.status is OrderStatus.FILLED and s.order.filled == AMOUNTS[PERP]
    assert "canceled" not in s.story(s.oid)


def test_a_clock_that_moves(okx):
    """Scenario 19: an order that the venue holds to be too late is refused, the clock is read, and the next one is in time."""

    async def script(s):
        await s.quotes()
        okx.faults({"kind": "clock", "venue": "okx", "offset_ms": 20_000})
        await s.until(lambda: abs(int(okx.rows("/api/v5/public/time")[0]["ts"]) / 1000 - time.time()) > 10, what="the step")
        s.late = s.create_order(PERP, BUY, LIMIT, AMOUNTS[PERP], price(s, PERP, "0.97"))
        await s.settled(s.late)
        account = s.engine.host.accounts[ACCOUNT]
        await s.until(lambda: account.channel.clock_offset_ms > 15_000, what="the clock")
        s.cancel_order(PERP, await resting(s, PERP))
        await s.until(lambda: s.heard("canceled"))

    s = run(script, okx)
    assert "50036" in s.cache.get_order(s.late).reason and s.cache.get_order(s.late).status is OrderStatus.FAILED


def test_the_venue_announces_that_it_will_close(okx):
    """Scenario 41: quotes come on without a gap, the account is never disconnected, and no order is lost."""

    async def script(s):
        await s.quotes()
        s.oid = await resting(s, PERP)
        first = s.engine.host.feeds[ACCOUNT].quotes[0]
        okx.faults({"kind": "shutdown", "venue": "okx", "after": 0.05, "seconds": 5})
        await s.until(lambda: s.engine.host.feeds[ACCOUNT].quotes[0] is not first, what="another connection")
        await s.until(lambda: "resynced" in statuses(s), what="the account's")
        count = len(s.books)
        await s.until(lambda: len(s.books) > count + 20, what="quotes")
        s.cancel_order(PERP, s.oid)
        await s.settled(s.oid)
        await asyncio.sleep(6)                   # the old one is gone
        assert statuses(s) == ["connected", "resynced"]

    s = run(script, okx)
    assert s.cache.get_order(s.oid).status is OrderStatus.CANCELED and okx.open_orders() == set()
    assert all(later.timestamp >= earlier.timestamp for symbol in ALL
               for earlier, later in itertools.pairwise([b for b in s.books if b.symbol == symbol]))


# ---------------------------------------------------------------------------------------------- disturbances


def trade(s, chance, oids):
    """One random request."""
    symbol, side, kind = chance.choice(ALL), chance.choice((BUY, SELL)), chance.random()
    if kind < 0.2 and oids:
        s.cancel_order(*chance.choice(oids[-12:]))
    elif kind < 0.3 and oids:
        which = chance.choice(oids[-6:])
        if (order := s.cache.get_order(which[1])) is not None and order.price and not order.is_closed:
            s.modify_order(*which, price=price(s, which[0], "0.975" if order.side.is_buy else "1.025"), amount=order.amount)
    elif kind < 0.5:
        oids.append((symbol, s.create_order(symbol, side, MARKET, AMOUNTS[symbol])))
    else:
        share = chance.choice(("0.9999", "0.999", "0.98")) if side.is_buy else chance.choice(("1.0001", "1.001", "1.02"))
        oids.append((symbol, s.create_order(symbol, side, LIMIT, AMOUNTS[symbol], price(s, symbol, share))))


def disturb(chance, proxy):
    """Cut the connection, or hide one direction of it for a while, which ends with a cut."""
    if chance.random() < 0.5:
        setattr(proxy, chance.choice(("answers", "requests")), False)
        asyncio.get_running_loop().call_later(chance.uniform(0.05, 0.4), proxy.heal)
    else:
        proxy.cut()


def differences(s, venue):
    """Between the engine and the venue; empty when nothing differs."""
    found = []
    here = set().union(*(s.cache.get_open_orders(symbol) for symbol in ALL))
    if here != (there := venue.open_orders()):
        found.append(f"open here {sorted(here - there)}, there {sorted(there - here)}")
    positions = {symbol: s.cache.get_position(symbol) for symbol in (PERP, INVERSE)}
    held = {INST_IDS[symbol]: p.signed_amount * CONTRACTS[symbol] / AMOUNTS[symbol] for symbol, p in positions.items()
            if p is not None and p.signed_amount}
    if held != venue.positions():
        found.append(f"positions here {held}, there {venue.positions()}")
    return found


@pytest.mark.parametrize("seed", [1])
def test_after_any_disturbance_the_engine_and_the_venue_agree(okx, seed):
    """No order is lost, no outcome invented, no intent lives twice: every order is as the venue has it."""
    chance, oids = random.Random(seed), []

    async def script(s):
        await s.quotes()
        loop = asyncio.get_running_loop()
        until = loop.time() + 3.0
        while loop.time() < until or len(oids) <= 25 or s.proxies["private"].connections <= 2:
            trade(s, chance, oids)
            if chance.random() < 0.06:
                disturb(chance, s.proxies["private"])
            await asyncio.sleep(chance.uniform(0.0, 0.05))
        await asyncio.sleep(0.5)                 # the last disturbances heal
        account = s.engine.host.accounts[ACCOUNT]
        await s.until(account.ready.is_set, what="the account again")
        ledger = s.engine.core.ledger
        for _ in range(150):                     # what rests would be filled while it is compared; a lost cancel is sent again
            if not ledger.live():
                break
            for symbol in ALL:
                s.cancel_all_orders(symbol)
            await asyncio.sleep(0.4)
        assert not ledger.live(), [ledger.fields(number) for number in ledger.live()]
        await s.until(lambda: not differences(s, okx), what="agreement")
        for symbol, oid in oids:
            check(s, symbol, oid)

    def check(s, symbol, oid):
        order, told = s.cache.get_order(oid), okx.order(INST_IDS[symbol], oid)
        if order.status is OrderStatus.FAILED:
            assert told is None, (oid, s.story(oid), told)
            return
        assert told is not None, (oid, s.story(oid))
        filled = order.filled * CONTRACTS[symbol] / AMOUNTS[symbol]
        assert filled == Decimal(told["accFillSz"]) and order.status.value == told["state"].upper(), (oid, s.story(oid), told)
        assert len([name for name in s.story(oid) if name in ("filled", "canceled", "expired", "failed")]) <= 1

    with through(okx, "private") as (venue, proxies):
        async def with_proxies(s):
            s.proxies = proxies
            await script(s)

        s = run(with_proxies, venue, request_timeout_ms=1000)
    assert s.engine.core.dispatcher.errors == 0
    assert okx.open_orders() == set()
