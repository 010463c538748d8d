"""One seeded run: a random strategy on a venue with random faults, in simulated time; then quiet, and everything is compared."""

import asyncio
import random
from decimal import Decimal

from engine_program import BTC, BTC_PERP, PERP_ACCOUNT, SPOT_ACCOUNT
from simulated_run import Truth, play
from tests.chaos.faults import script_of
from tests.chaos.strategies import Chaotic

from nexus_fast.config import LogConfig
from nexus_fast.constants import OrderStatus

QUIET_SECONDS = 200.0
IN_DOUBT = ("PENDING", "UNKNOWN", "CANCELING")


def run(seed: int, trace=lambda line: None, level: str = "OFF") -> list[str]:
    """What was wrong; empty when nothing was."""
    chance = random.Random(seed)
    rules = script_of(chance)
    for rule in rules:
        trace(f"fault {rule}")
    timeout_ms = chance.choice((200, 1000, 5000))
    strategy = Chaotic(story, chance, trace)
    strategy.script_seconds, strategy.wait_seconds, strategy.longest_pause = 1000.0, 8.0, 0.003
    strategy.rules = rules
    try:
        engine = play(strategy, Truth(seed=seed, tick_rate=6), request_timeout_ms=timeout_ms,
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
        for symbol in (BTC, BTC_PERP):
            s.cancel_all_orders(symbol)
    return not s.engine.core.ledger.live()


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
    """Both accounts are there, no question is open, no order is in doubt."""
    host, ledger = s.engine.host, s.engine.core.ledger
    await until_true(lambda: all(reconciled(s, a) for a in host.accounts.values()) and not host.inquiry.asking
                     and not any(ledger.state(n) in IN_DOUBT for n in ledger.live()), "quiet", s)


def compare(s):
    """What is open, held and owned, here and there."""
    there = {s.venue.id_of(o): s.venue.state_of(o) for o in s.venue.orders(open_only=True)}
    cache = s.cache
    here = {oid: (cache.get_order(oid).status.value, cache.get_order(oid).filled)
            for symbol in (BTC, BTC_PERP) for oid in cache.get_open_orders(symbol)}
    if here != there:
        s.problems.append(f"open here {here}, there {there}")
    position = cache.get_position(BTC_PERP)
    if (position.signed_amount if position else 0) != s.venue.position():
        s.problems.append(f"position here {position and position.signed_amount}, there {s.venue.position()}")
    spot = {a: (b.free, b.locked) for a, b in cache.get_balance(SPOT_ACCOUNT).balances.items() if b.free or b.locked}
    if spot != s.venue.spot_balances():
        s.problems.append(f"spot balances here {spot}, there {s.venue.spot_balances()}")
    wallet = {a: b.free for a, b in cache.get_balance(PERP_ACCOUNT).balances.items() if b.free}
    if wallet != s.venue.wallet():
        s.problems.append(f"futures wallet here {wallet}, there {s.venue.wallet()}")


def compare_orders(s):
    """Every order as the venue has it; the venue has none that is not ours, and none twice; the position is their sum."""
    total = Decimal(0)
    for symbol, oid in s.placed:
        order, found = s.cache.get_order(oid), [s.venue.state_of(o) for o in s.venue.orders(oid)]
        expected = [] if order.status is OrderStatus.FAILED else [(order.status.value, order.filled)]
        if found != expected:
            s.problems.append(f"{oid} is {order.status.value} {order.filled} here, there {found}: {s.story(oid)}")
        if symbol == BTC_PERP:
            total += order.filled if order.side.is_buy else -order.filled
    if total != s.venue.position():
        s.problems.append(f"the fills sum up to {total}, the position is {s.venue.position()}")
    unknown = {s.venue.id_of(o) for o in s.venue.orders()} - {oid for _, oid in s.placed}
    if unknown:
        s.problems.append(f"the venue has orders that nobody placed: {unknown}")
