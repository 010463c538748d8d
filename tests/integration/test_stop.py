"""From the moment when the end is asked for nothing opens any more, and the end does what Config.on_stop says."""

import asyncio
import subprocess
import sys
import threading
from decimal import Decimal

import pytest
from engine_program import BTC_PERP, PERP_ACCOUNT, Scripted, far_below, run_script, run_strategies

from nexus_fast.constants import OrderSide, OrderStatus, OrderType
from nexus_fast.error import LeftOpenError
from nexus_fast.order.reasons import STOPPING, reason_text

BUY, SELL, LIMIT, MARKET = OrderSide.BUY, OrderSide.SELL, OrderType.LIMIT, OrderType.MARKET
AMOUNT = Decimal("0.002")
OPTIONS = {"symbols": [BTC_PERP], "public": (PERP_ACCOUNT,), "private": (PERP_ACCOUNT,)}
WAYS = {
    "Strategy.stop": lambda s: s.stop(),
    "Engine.stop": lambda s: s.engine.stop(),
    "Engine.dispose": lambda s: s.engine.dispose(),
    "another thread": lambda s: threading.Thread(target=s.engine.stop_threadsafe).start(),
}


def bid(s):
    return s.create_order(BTC_PERP, BUY, LIMIT, AMOUNT, far_below(s, BTC_PERP, "0.97"))


def market(s, side):
    return s.create_order(BTC_PERP, side, MARKET, AMOUNT)


class Stopped(Scripted):
    """Quotes on every book, also after it has asked for the end; `late`: what it has sent since."""

    def __init__(self, way):
        super().__init__(self.trade, [BTC_PERP])
        self.way, self.late, self.books_after, self.jobs_after, self.is_over = way, [], 0, 0, False
        self.ended = asyncio.Event()

    async def trade(self, _):
        await self.quotes()
        self.schedule(self.job, seconds=0.01)
        self.first = bid(self)
        await self.until(lambda: self.heard("accepted", self.first))
        self.way(self)
        self.is_over = self.way is not WAYS["another thread"]
        if self.is_over:
            self.late.append(bid(self))
            self.modified = self.modify_order(BTC_PERP, self.first, amount=AMOUNT * 2)
        await self.ended.wait()

    def job(self):
        self.jobs_after += self.is_over

    def on_bookl1(self, book):
        self.books_after += self.is_over
        if self.is_over:
            self.late.append(bid(self))

    def on_stop(self):
        self.is_over = True
        self.ended.set()


@pytest.mark.parametrize("way", WAYS)
def test_nothing_opens_once_the_end_is_asked_for(venue, way):
    strategy = Stopped(WAYS[way])
    engine = run_strategies([strategy], venue, public=(PERP_ACCOUNT,), private=(PERP_ACCOUNT,))
    assert strategy.books_after == strategy.jobs_after == 0
    reasons = [order.reason for oid in strategy.late for order in strategy.heard("failed", oid)]
    assert reasons == [reason_text(STOPPING)] * len(strategy.late)
    assert strategy.cache.get_order(strategy.first).amount == AMOUNT
    assert strategy.cache.get_order(strategy.first).status is OrderStatus.CANCELED
    assert venue.open_orders() == [] and engine.left_open == []
    assert venue.statistics()["orders"] == 1


def test_on_stop_may_close_what_it_has_itself(venue):
    """In any mode; what it sends is waited for. What rests of it is canceled like every other order."""
    async def script(s):
        await s.quotes()
        s.opened = market(s, BUY)
        await s.until(lambda: s.heard("filled", s.opened))

    def on_stop(s):
        s.closing, s.resting = market(s, SELL), bid(s)

    strategy = Scripted(script, [BTC_PERP])
    strategy.on_stop = lambda: on_stop(strategy)
    run_strategies([strategy], venue, public=(PERP_ACCOUNT,), private=(PERP_ACCOUNT,), on_stop="cancel")
    assert venue.positions() == {} and venue.open_orders() == []
    assert strategy.heard("filled", strategy.closing) and strategy.heard("canceled", strategy.resting)


@pytest.mark.parametrize("side", [BUY, SELL])
def test_flatten_cancels_and_closes_the_position(venue, side):
    """In pieces, where a limit of the configuration makes one order too small for it."""
    from nexus_fast.config import RiskConfig

    async def script(s):
        await s.quotes()
        for _ in range(3):
            oid = market(s, side)
            await s.until(lambda oid=oid: s.heard("filled", oid))
        s.resting = bid(s)
        await s.until(lambda: s.heard("accepted", s.resting))

    strategy = run_script(script, venue, **OPTIONS, on_stop="flatten", risk=RiskConfig(max_quantity=AMOUNT * 2))
    assert venue.positions() == {} and venue.open_orders() == []
    assert strategy.heard("canceled", strategy.resting)
    assert len(strategy.heard("filled")) == 5


def test_leave_leaves(venue):
    async def script(s):
        await s.quotes()
        s.opened, s.resting = market(s, BUY), bid(s)
        await s.until(lambda: s.heard("filled", s.opened) and s.heard("accepted", s.resting))

    strategy = run_script(script, venue, **OPTIONS, on_stop="leave")
    assert venue.positions() == {"BTCUSDT": AMOUNT}
    assert [o["clientOrderId"] for o in venue.open_orders()] == [strategy.resting]
    assert strategy.engine.left_open == []


def test_what_is_left_open_is_an_error_that_names_it(venue, monkeypatch):
    """Cancels do not reach the venue."""
    from nexus_fast.engine import stopping

    monkeypatch.setattr(stopping, "CANCEL_SECONDS", 0.3)
    monkeypatch.setattr(stopping, "DOUBT_SECONDS", 0.3)

    async def script(s):
        await s.quotes()
        s.resting = bid(s)
        await s.until(lambda: s.heard("accepted", s.resting))
        monkeypatch.setattr(stopping.Stopping, "_cancel", no_cancel)

    async def no_cancel(_):
        """As where the venue answers nothing."""

    strategy = Scripted(script, [BTC_PERP])
    with pytest.raises(LeftOpenError, match=r"order .* \(BUY 0.002 BTCUSDT-PERP.BINANCE at"):
        run_strategies([strategy], venue, public=(PERP_ACCOUNT,), private=(PERP_ACCOUNT,))
    assert len(venue.open_orders()) == 1 and strategy.resting in strategy.engine.left_open[0]


def test_what_is_left_open_is_the_exit_status(tmp_path):
    program = tmp_path / "left.py"
    program.write_text(
        "from nexus_fast.error import LeftOpenError\nraise LeftOpenError(['order abc (BUY 1 BTCUSDT.BINANCE, ACCEPTED)'])\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", "from nexus_fast.cli import main; main()", "run", str(program)], capture_output=True, text=True
    )
    assert ended.returncode == 3
    assert "order abc" in ended.stderr and "Traceback" not in ended.stderr
