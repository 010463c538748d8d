"""A session dies by SIGKILL among its fills: the next one tells those that were not told, once, and on_start has all of them."""

import itertools
import time
import urllib.request
from decimal import Decimal
from types import SimpleNamespace

import pytest
from bybit_venue import BybitVenue
from dying import run_and_die
from engine_program import BTC_PERP, PERP_ACCOUNT, Scripted, Venue, run_strategies
from okx_venue import OkxVenue
from patience import WAIT_SECONDS
from simulator import read_endpoints, start_simulator

from nexus_fast.books import Books
from nexus_fast.constants import OrderSide, OrderType
from nexus_fast.exchange import BybitAccountType, OkxAccountType
from nexus_fast.journal.sessions import verify

BUY, MARKET, POST_ONLY = OrderSide.BUY, OrderType.MARKET, OrderType.POST_ONLY
ONE = Decimal("0.02")
TESTS = 20
_ids = itertools.count()


@pytest.fixture(scope="module")
def simulator(tmp_path_factory):
    accounts = [f"key{n}:secret{n}:sim" for n in range(TESTS)]
    directory = tmp_path_factory.mktemp("restarts")
    file, stop = start_simulator(directory=directory, venues="binance,bybit,okx", rate=40, seed=13, account=accounts,
                                 weight_limit_factor=100)
    yield read_endpoints(file)
    stop()


@pytest.fixture(params=["binance", "bybit", "okx"])
def at(request, simulator, tmp_path):
    """A venue of its own account, its linear perpetual, and what makes engines of the test each other's successors."""
    n = next(_ids)
    access = simulator, f"key{n}", f"secret{n}", tmp_path
    if request.param == "binance":
        venue, accounts, symbol = Venue(*access), (PERP_ACCOUNT, PERP_ACCOUNT), BTC_PERP
        filled = lambda oid: venue.order("usd_m", "BTCUSDT", oid)["status"] == "FILLED"        # noqa: E731
    elif request.param == "bybit":
        venue, accounts, symbol = BybitVenue(*access), (BybitAccountType.LINEAR, BybitAccountType.UNIFIED), "BTCUSDT-PERP.BYBIT"
        filled = lambda oid: venue.order("linear", oid)["orderStatus"] == "Filled"             # noqa: E731
    else:
        venue, accounts, symbol = OkxVenue(*access), (OkxAccountType.LIVE, OkxAccountType.LIVE), "BTCUSDT-PERP.OKX"
        filled = lambda oid: venue.order("BTC-USDT-SWAP", oid)["state"] == "filled"            # noqa: E731
    options = {"public": accounts[:1], "private": accounts[1:], "symbols": [symbol], "strategy_id": f"fills{n}",
               "exit_after_cancel": False}
    return SimpleNamespace(venue=venue, symbol=symbol, options=options, filled=filled, journal=tmp_path / f"fills{n}.tests",
                           books=str(tmp_path / "books"))


def wait_for(condition):
    until = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.05)


def prices(at, what):
    url = f"{at.venue.endpoints['sim']['control']}/sim/v1/prices"
    urllib.request.urlopen(url, data=what.encode(), timeout=WAIT_SECONDS).read()



def killed_with(at, hook):
    """A market order; `hook(strategy)` says where its death is. What was told before, as the hook says."""

    async def script(s):
        await s.quotes()
        hook(s)
        s.create_order(at.symbol, BUY, MARKET, ONE)
        await s.until(lambda: False, what="the end of the process")

    return run_and_die(script, at.venue, **at.options)


def in_on_fill(s):
    s.on_fill = lambda fill: s.die([])


def in_on_filled_order(s):
    """With the fills that were told to their end: all but the last."""
    s.on_filled_order = lambda order: s.die([(fill.trade_id, str(fill.amount)) for fill in s.heard("fill")[:-1]])


def before_the_callback(s):
    """The trade is in the journal; the strategy's callback is still to come."""
    s.engine.host.tracker.fills.on_executed = lambda execution: s.die([])


class Next(Scripted):
    """`at_start`: what had been heard in on_start, and the position there."""

    def on_start(self):
        self.at_start = [name for name, _ in self.events], self.cache.get_position(self.symbols[0])
        super().on_start()


def next_session(at):
    """The session after a kill, which does nothing but listen."""

    async def script(s):
        await s.quotes()
        await s.until(lambda: not s.engine.host.tracker.shortfalls.untold(), what="what is still to be told")

    s = Next(script, [at.symbol])
    run_strategies([s], at.venue, **{name: value for name, value in at.options.items() if name != "symbols"})
    assert not {"fill", "filled"} & {*s.at_start[0]}
    return s


@pytest.mark.scenario(45)
@pytest.mark.parametrize("where", [in_on_fill, in_on_filled_order, before_the_callback])
def test_a_fill_that_was_not_told_to_its_end_is_told_by_the_next_session_alone(at, where):
    told = killed_with(at, where)
    s = next_session(at)
    fills = s.heard("fill")
    assert s.at_start[1].signed_amount == ONE
    assert sum(fill.signed_amount for fill in fills) == ONE - sum(Decimal(amount) for _, amount in told)
    assert not {fill.trade_id for fill in fills} & {trade_id for trade_id, _ in told}
    assert all(fill.recovered and fill.price > 0 and fill.trade_id is not None and fill.fee is not None for fill in fills)
    assert [name for name in s.told(fills[0].oid) if name != "fill_fee"][-1] == "filled"
    assert s.heard("filled")[0].last_filled == fills[-1].amount
    third = next_session(at)
    assert third.heard("fill") == [] and third.heard("filled") == [] and third.at_start[1].signed_amount == ONE
    assert [problem for session in verify(at.journal) for problem in session.problems] == []


@pytest.mark.scenario(45)
def test_what_filled_while_nobody_ran_is_told_after_on_start_with_its_price(at):
    """A program that counts, and one whose books outlive the process, both have the venue's position."""

    async def script(s):
        await s.quotes()
        bid = s.price_to_precision(at.symbol, s.cache.bookl1(at.symbol).bid, "floor")
        oid = s.create_order(at.symbol, BUY, POST_ONLY, ONE, bid)
        await s.until(lambda: s.heard("accepted", oid))
        s.die(oid)

    oid = run_and_die(script, at.venue, **at.options)
    prices(at, "walk")
    try:
        wait_for(lambda: at.filled(oid))
    finally:
        prices(at, "stand")
    s = next_session(at)
    counted = s.at_start[1].signed_amount + sum(fill.signed_amount for fill in s.heard("fill") if not fill.recovered)
    assert counted == ONE and sum(fill.signed_amount for fill in s.heard("fill")) == ONE
    assert {fill.oid for fill in s.heard("fill")} == {oid} and all(fill.price and fill.recovered for fill in s.heard("fill"))
    books = Books(s.instrument, at.books)
    for _ in range(2):                           # as if the one before had died after it had counted them
        for fill in s.heard("fill"):
            books.add(fill)
    assert books.position(at.symbol) == ONE
    assert next_session(at).heard("fill") == []
