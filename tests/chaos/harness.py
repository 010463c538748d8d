"""One seeded run: a random strategy on one or several venues with random faults, in simulated time; then quiet, and everything
is compared."""

import asyncio
import random
from decimal import Decimal
from functools import partial

from simulated_run import Truth, play
from tests.chaos import restarts
from tests.chaos.faults import script_of
from tests.chaos.strategies import Chaotic

from nexus_fast.config import LogConfig
from nexus_fast.constants import OrderStatus
from nexus_fast.engine import core
from nexus_fast.journal.writer import JournalWriter
from nexus_fast.order.table import OrderTable

# A run has some hundred orders: memory for more would cost it a tenth of its time.
core.MARKET_RECORDS, core.ORDER_RECORDS = 4096, 4096
core.OrderTable = partial(OrderTable, capacity=4096)
core.JournalWriter = partial(JournalWriter, records_per_segment=4096)

QUIET_SECONDS = 200.0
IN_DOUBT = ("PENDING", "UNKNOWN", "CANCELING")
# Which venues a seed is about, unless it is told: each alone most of the time.
VENUES = (("binance",),) * 3 + (("bybit",),) * 3 + (("okx",),) * 3 + (
    ("binance", "bybit"), ("bybit", "okx"), ("binance", "okx"), ("binance", "bybit", "okx"))


def venues_of(seed: int) -> tuple[str, ...]:
    return random.Random(f"venues {seed}").choice(VENUES)


def run(seed: int, venues: tuple[str, ...], trace=lambda line: None, level: str = "OFF") -> list[str]:
    """What was wrong; empty when nothing was."""
    if restarts.chosen(seed):
        return restarts.run(seed, venues, trace, level)
    chance = random.Random(seed)
    rules = script_of(seed, chance, venues)
    trace(f"venues {', '.join(venues)}")
    for rule in rules:
        trace(f"fault {rule}")
    timeout_ms = chance.choice((200, 1000, 5000))
    truth = Truth(seed=seed, tick_rate=6, venues=venues)
    strategy = Chaotic(story, truth.venues, chance, trace)
    strategy.script_seconds, strategy.wait_seconds, strategy.longest_pause = 1000.0, 8.0, 0.003
    strategy.rules = rules
    try:
        engine = play(strategy, truth, request_timeout_ms=timeout_ms,
                      log_config=LogConfig(level_stdout=level), strategy_id=f"seed{seed}")
    except (Exception, asyncio.CancelledError) as error:
        return [*strategy.problems, f"{type(error).__name__}: {error}"]
    if engine.core.dispatcher.errors:
        strategy.problems.append(f"{engine.core.dispatcher.errors} errors in callbacks")
    return strategy.problems


async def story(s):
    await s.quotes()
    s.venue.faults.load(s.rules)
    until = asyncio.get_running_loop().time() + s.chance.uniform(2, 6)
    while asyncio.get_running_loop().time() < until:
        for _ in range(s.chance.choice((1, 1, 1, 2, 6))):
            s.act()
        await asyncio.sleep(s.chance.choice((0, 0.001, 0.05, 0.3)))
    s.trace("the faults end")
    s.venue.faults.load([])
    await asyncio.sleep(0.5)
    s.venue.pacer.stop()
    await quiet(s)
    await asyncio.sleep(1)
    await quiet(s)
    compare(s)
    s.trace("everything is canceled")
    await until_true(lambda: everything_canceled(s), "the end of every order", s)
    await asyncio.sleep(1)
    compare(s)
    compare_orders(s)


def everything_canceled(s):
    """Ask again for what is still there: the venue's clock may have been set, and a cancel been too late."""
    loop = asyncio.get_running_loop()
    if loop.time() >= getattr(s, "cancels_again", 0.0):
        s.cancels_again = loop.time() + 3.0
        for symbol in s.symbols:
            s.cancel_all_orders(symbol)
    return not s.engine.core.ledger.live() and not s.engine.host.tracker.shortfalls.untold()


async def until_true(condition, what, s):
    loop = asyncio.get_running_loop()
    until = loop.time() + QUIET_SECONDS
    while not condition():
        if loop.time() > until:
            ledger = s.engine.core.ledger
            left = [(ledger.fields(n)["client_id"], ledger.state(n)) for n in ledger.live()]
            raise AssertionError(f"{what} did not come; live: {left}, asking: {s.engine.host.inquiry.asking}")
        await asyncio.sleep(0.1)


def reconciled(s, account):
    """Its last reconcile, if there was one, was answered."""
    said = [e["event"] for e in s.heard("private_ws_status") if e["account_type"] is account.account_type]
    ends = [event for event in said if event in ("resynced", "resync_failed")]
    return account.ready.is_set() and ends[-1:] != ["resync_failed"]


async def quiet(s):
    """All accounts are there and were looked at again, no question is open, no order is in doubt."""
    host, ledger = s.engine.host, s.engine.core.ledger
    await until_true(lambda: all(reconciled(s, a) for a in host.accounts.values())
                     and not host.reconciler.due and not host.inquiry.asking and not host.tracker.shortfalls.untold()
                     and not any(ledger.state(n) in IN_DOUBT for n in ledger.live()), "quiet", s)


def compare(s):
    """What is open, held and owned, here and there."""
    for truth in s.truths:
        compare_open(s, truth)
    compare_money(s)


def compare_money(s):
    """Positions and balances."""
    for truth in s.truths:
        position = s.cache.get_position(truth.perp)
        if (position.signed_amount if position else 0) != truth.position():
            s.problems.append(f"position {truth.perp} here {position and position.signed_amount}, there {truth.position()}")
        for account_type in truth.private:
            held = s.cache.get_balance(account_type).balances
            here = {asset: (b.free, b.locked) for asset, b in held.items() if b.free or b.locked}
            s.problems += truth.balance_problems(account_type, here)


def compare_open(s, truth):
    """Status, filled quantity, price and quantity of every order that is open."""
    there = {truth.id_of(o): (*truth.state_of(o), *truth.terms_of(o)) for o in truth.orders(open_only=True)}
    orders = [s.cache.get_order(oid) for symbol in truth.symbols for oid in s.cache.get_open_orders(symbol)]
    here = {o.oid: (o.status.value, o.filled, Decimal(str(o.price)), o.amount) for o in orders}
    if here != there:
        s.problems.append(f"open here {here}, there {there}")


def compare_orders(s):
    """Every order as the venue has it, also by the fills that were told; no venue has one that is not ours, or one twice; a
    position is the sum of its fills."""
    totals = dict.fromkeys(s.truths, Decimal(0))
    for symbol, oid in s.placed:
        truth, order = s.truth_of[symbol], s.cache.get_order(oid)
        found = [truth.state_of(o) for o in truth.orders(oid)]
        expected = [] if order.status is OrderStatus.FAILED else [(order.status.value, order.filled)]
        if found != expected:
            s.problems.append(f"{oid} is {order.status.value} {order.filled} here, there {found}: {s.story(oid)}")
        told, executed = s.executed[oid], sum(filled for _, filled in found)
        if told != executed:
            s.problems.append(f"{oid}: fills of {told} were told, the venue has executed {executed}: {s.story(oid)}")
        if symbol == truth.perp:
            totals[truth] += told if order.side.is_buy else -told
    for truth, total in totals.items():
        if total != truth.position():
            s.problems.append(f"the fills of {truth.perp} sum up to {total}, the position is {truth.position()}")
        unknown = {truth.id_of(o) for o in truth.orders()} - {oid for _, oid in s.placed}
        if unknown:
            s.problems.append(f"{truth.exchange.value} has orders that nobody placed: {unknown}")
