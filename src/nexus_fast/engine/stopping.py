"""The engine's end. From the moment when it is asked for, nothing opens any more.

    begin()     no new order leaves; quotes, other market data and timers reach no strategy any more; fills and cancels do
    finish()    on_stop of every strategy, which may send orders of its own, and what Config.on_stop asks for:
                cancel      every order that is not over is canceled
                flatten     the same; then the positions in the strategies' symbols are closed
                leave       nothing: orders and positions stay as they are
    left()      what should not be open and is, or may be
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

from nexus_fast.constants import OrderType, TimeInForce
from nexus_fast.engine.flattening import Flattening
from nexus_fast.engine.host import Host
from nexus_fast.error import CallbackInterrupted
from nexus_fast.log import Logger
from nexus_fast.order.reasons import STOPPING
from nexus_fast.schema import Order

ANSWER_SECONDS = 5.0             # in which orders that on_stop has sent are answered
CANCEL_SECONDS = 5.0
DOUBT_SECONDS = 20.0             # as CANCEL_SECONDS, where the outcome of an order is in doubt: proof takes longer
AGAIN_SECONDS = 1.0              # between two cancels of one order
LOOK_SECONDS = 0.02
IN_DOUBT = ("PENDING", "UNKNOWN")
AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)


class Stopping:
    """`stop_timers`: no job of a strategy's begins once it was called."""

    def __init__(self, host: Host, stop_timers: Callable[[], None], log: Logger):
        self.begun = False
        self._host = host
        self._stop_timers = stop_timers
        self._log = log
        self._own: list[int] = []            # orders that on_stop has sent

    def begin(self) -> None:
        """Idempotent; from the loop's thread, also from a callback."""
        if self.begun:
            return
        self.begun = True
        self._close_gates()
        self._host.drop_waiting(STOPPING)
        self._host.silence()
        self._stop_timers()

    async def finish(self) -> None:
        self.begin()
        mode = self._host.config.mode_of_stop
        self._own = self._call_on_stop()
        await self._answers(self._own)
        if mode != "leave":
            await self._cancel()
        if mode == "flatten" and not self._host.core.entry.halted:
            await Flattening(self._host, self.sending, self._answers, self._log).run()

    def left(self) -> list[str]:
        """A text each. With "leave": what on_stop sent, could not rest and is not over."""
        host, mode = self._host, self._host.config.mode_of_stop
        numbers = [n for n in self._own if self._is_awaited(n)] if mode == "leave" else host.core.ledger.live()
        found = [_order(host.tracker.order(number)) for number in numbers]
        if mode == "flatten":
            found += [f"position {p.signed_amount} in {p.symbol}" for _, p in Flattening.open_positions(host)]
        if found:
            self._log.error(f"left open: {'; '.join(found)}")
        return found

    @contextlib.contextmanager
    def sending(self) -> Iterator[list[int]]:
        """Orders may leave meanwhile: their numbers are in the list afterwards."""
        sent: list[int] = []
        before = set(self._host.core.ledger.live())
        for account in self._host.accounts.values():
            self._host.gates.open(account.index, STOPPING)
        try:
            yield sent
        finally:
            self._close_gates()
            sent.extend(number for number in self._host.core.ledger.live() if number not in before)

    def _close_gates(self) -> None:
        for account in self._host.accounts.values():
            self._host.gates.close(account.index, STOPPING)

    def _call_on_stop(self) -> list[int]:
        """Numbers of the orders that the strategies send with their last word."""
        found: list[int] = []
        for strategy in self._host.strategies:
            with self.sending() as sent:
                try:
                    strategy.on_stop()
                except (Exception, CallbackInterrupted) as error:
                    name = f"{type(strategy).__name__}.on_stop"
                    self._log.exception(f"{name} raised {type(error).__name__}", error)
            found += sent
        self._host.tracker.drain()
        return found

    async def _answers(self, numbers: Sequence[int]) -> None:
        """Until the venue has answered these orders, and those that cannot rest are over."""
        until = time.monotonic() + ANSWER_SECONDS
        while any(self._is_awaited(number) for number in numbers) and time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)

    def _is_awaited(self, number: int) -> bool:
        ledger = self._host.core.ledger
        try:
            if ledger.closed(number):
                return number in self._host.tracker.shortfalls       # its fills are still to be told
        except KeyError:                                 # its slot is in use by a later order
            return False
        order = self._host.tracker.order(number)
        return ledger.state(number) in IN_DOUBT or order.type is OrderType.MARKET or order.time_in_force in AT_ONCE

    async def _cancel(self) -> None:
        """Cancel what is open, also what is unanswered, until the venue has said so of each."""
        ledger, began, again = self._host.core.ledger, time.monotonic(), 0.0
        while live := ledger.live():
            now = time.monotonic()
            is_in_doubt = any(ledger.state(number) in (*IN_DOUBT, "CANCELING") for number in live)
            if now - began > (DOUBT_SECONDS if is_in_doubt else CANCEL_SECONDS):
                return
            if now >= again:
                again = now + AGAIN_SECONDS
                for number in live:
                    ledger.cancel(number)
            await asyncio.sleep(LOOK_SECONDS)


def _order(order: Order) -> str:
    price = "" if order.price is None else f" at {order.price}"
    return f"order {order.oid} ({order.side.value} {order.amount} {order.symbol}{price}, {order.status.value})"
