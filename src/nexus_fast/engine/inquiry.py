"""Orders in doubt: the venue is asked, over another path than the one that was silent, until there is proof.

A venue's pause (429, 418) is kept: nothing is asked of an account before it is over.
"""

import asyncio
import contextlib
import itertools
import time
from functools import partial
from typing import Any

from nexus_fast.answers import reading, told
from nexus_fast.constants import WsOrderResultType
from nexus_fast.engine.doubt import Doubt
from nexus_fast.engine.gates import RATE_LIMITED
from nexus_fast.error import NO_ANSWER, UnusableAnswer
from nexus_fast.exchange.rows import odd_in
from nexus_fast.log import Logger
from nexus_fast.order.events import OrderUpdate

# Queries of an order in doubt: seconds before each; after the last of these it is an error that there is no proof yet.
QUERY_WAITS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0)
LATER_WAIT = 15.0
COMPLETE_WAIT = 0.2              # seconds; between two questions for trades at the end
FIRST_TRADES_WAIT = 0.1          # before the trades that a start waits for are asked for again: doubles


class Inquiry:
    """`host` is nexus_fast.engine.host.Host."""

    def __init__(self, host: Any, log: Logger):
        self.asking: set[int] = set()
        self._host = host
        self._ledger = host.core.ledger
        self._log = log

    def query(self, number: int) -> None:
        """Ask the venue about one order until there is proof of what became of it."""
        if number not in self.asking:
            self.asking.add(number)
            self._host.keep("the question about an order", partial(self._ask, number))

    async def settled(self, numbers: list[int], seconds: float) -> list[int]:
        """Wait until nothing is asked about these any more; those that still are after so many seconds."""
        until = time.monotonic() + seconds
        while (left := [n for n in numbers if n in self.asking]) and time.monotonic() < until:
            await asyncio.sleep(0.02)
        return left

    async def _ask(self, number: int) -> None:
        doubt = Doubt(self._host.recv_window_ms / 1000, time.monotonic())
        for attempt, wait in enumerate(itertools.chain(QUERY_WAITS, itertools.repeat(LATER_WAIT))):
            if attempt == len(QUERY_WAITS) and (fields := self._open_fields(number)):
                name = fields["client_id"]
                self._log.error(f"order {name} stays in doubt: the venue could not say what became of it; asking on")
            await asyncio.sleep(doubt.wait(wait, time.monotonic()))
            if await self._is_settled(number, doubt):
                self.asking.discard(number)
                return

    def _open_fields(self, number: int) -> dict | None:
        """None when there is nothing to ask about: the order is closed, or so long ago that its slot is a later one's."""
        try:
            return None if self._ledger.closed(number) else self._ledger.fields(number)
        except KeyError:
            return None

    async def _is_settled(self, number: int, doubt: Doubt) -> bool:
        """Ask once. What the order's streams bring while the question is on its way counts before the answer."""
        fields = self._open_fields(number)
        if fields is None:
            return True
        account = self._host.account_at(fields["account"])
        await self.pause(account)
        asked = time.monotonic()
        doubt.see(fields, asked)
        try:
            with reading(f"the answer about order {fields['client_id']}"):
                update = await self._ask_once(account, fields)
                return self._is_settled_by(number, doubt, update, asked)
        except NO_ANSWER as error:
            self.note_failure(account, error)
            self._log.warning(f"asking for order {fields['client_id']} failed: {told(error)}")
            return False

    def _is_settled_by(self, number: int, doubt: Doubt, update: OrderUpdate | None, asked: float) -> bool:
        fields = self._open_fields(number)
        if fields is None:
            return True
        doubt.see(fields, time.monotonic())
        if update is not None:
            return self._conclude(number, update, asked, doubt)
        if not doubt.is_absent(asked):
            return False
        self._conclude_absence(number, doubt)
        return True

    async def _ask_once(self, account: Any, fields: dict) -> OrderUpdate | None:
        """None when the venue says that it has no such order."""
        found = await account.query(self._host.core.instruments[fields["symbol_id"]], fields["client_id"])
        former = self._host.tracker.former(found) if found is not None else 0
        # Of the orders that had this client id, the venue knows an earlier one alone.
        return found if former in (0, fields["number"]) else None

    async def pause(self, account: Any) -> None:
        """Until the venue may be asked again."""
        while (seconds := self._host.gates.remaining(account.index, RATE_LIMITED)) > 0:
            await asyncio.sleep(seconds)

    def note_failure(self, account: Any, error: Exception) -> None:
        """A question was not answered. A venue that answers with a rate limit wants to be left alone for a while."""
        self._host.unusable += isinstance(error, UnusableAnswer)
        milliseconds = getattr(error, "retry_after_ms", 0)
        if milliseconds:
            self._host.on_rate_limited(account, milliseconds / 1000, str(error))

    def _conclude(self, number: int, update: OrderUpdate, asked: float, doubt: Doubt) -> bool:
        """False when the answer contradicts the order, when the order is open and a request for it may still arrive, or when its
        terms may be others by now."""
        tracker = self._host.tracker
        if tracker.refuses(number, update):
            return False
        in_doubt = self._ledger.state(number) == "UNKNOWN"
        certain = tracker.adopt(number, update, asked)
        if in_doubt:
            tracker.result(number, WsOrderResultType.ACK_TIMEOUT_CONFIRMED, "the venue has the order")
        if certain and self._ledger.fields(number)["modifying"]:
            certain = doubt.outlived_modification(asked)
            if certain:
                reason = "modify: the order is as it was at the venue; the request can no longer arrive"
                tracker.apply_to(number, OrderUpdate(event="MODIFY_REJECTED", client_id="", reason=reason))
        if self._ledger.state(number) != "CANCELING":
            return certain
        if not doubt.outlived_cancel(asked):
            return False
        reason = "cancel: the order is open at the venue; the request can no longer arrive"
        tracker.apply_to(number, OrderUpdate(event="CANCEL_REJECTED", client_id="", reason=reason))
        return True

    def _conclude_absence(self, number: int, doubt: Doubt) -> None:
        """An order that the venue never spoke of did not live, also when a cancel was sent after it."""
        never = self._ledger.state(number) == "CANCELING" and not doubt.lives
        reason = "the venue knows no such order; its request can no longer arrive"
        event = "REJECTED" if never else "NOT_FOUND"
        self._host.tracker.apply_to(number, OrderUpdate(event=event, client_id="", reason=reason))

    # ------------------------------------------------------------------------------------------ fills

    def fill_holes(self) -> None:
        """Orders whose fills do not add up to what is filled: the venue's list of trades has the rest."""
        for number in self._host.tracker.holes.due():
            self._host.spawn(self._fetch_trades(number))

    async def complete_fills(self, seconds: float) -> None:
        """At the end: for so long the trades and fees that are missing are asked for; then strategies are told of all that was
        executed, whatever came."""
        tracker = self._host.tracker
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while numbers := tracker.holes.numbers():
                    await asyncio.gather(*map(self._fetch_trades, numbers))
                    await asyncio.sleep(COMPLETE_WAIT)
        tracker.shortfalls.tell_all()

    async def _fetch_trades(self, number: int) -> None:
        answered = False
        try:
            answered = await self._ask_trades(number)
        except KeyError:
            self._host.tracker.shortfalls.lose(number)
        finally:
            with contextlib.suppress(KeyError):
                self._host.tracker.shortfalls.asked(number, answered=answered)

    async def _ask_trades(self, number: int) -> bool:
        """Ask once, and apply what is said; whether anything was. KeyError when the order's slot is in use by a later one."""
        updates = await self._trades_of(number)
        if updates is None:
            return False
        return all([self._host.tracker.apply_to(number, update) for update in updates]) and not odd_in(updates)

    async def recover_trades(self, account_index: int, seconds: float) -> None:
        """Before the strategies begin: what is missing of the trades of an account's orders, told in the order of their times.
        Orders whose fills were not told are asked about until they are complete, or for so many seconds."""
        tracker, until, wait = self._host.tracker, time.monotonic() + seconds, FIRST_TRADES_WAIT
        numbers = self._of_account(tracker.holes.numbers(), account_index)
        while numbers:
            answers = await asyncio.gather(*(self._trades_of(number) for number in numbers))
            found = [(update, number) for number, updates in zip(numbers, answers, strict=True) for update in updates or ()]
            for update, number in sorted(found, key=lambda one: one[0].time_ms or 0):
                tracker.apply_to(number, update)
            numbers = self._of_account(tracker.shortfalls.untold(), account_index)
            if not numbers or time.monotonic() + wait > until:
                return
            await asyncio.sleep(wait)
            wait *= 2

    def _of_account(self, numbers: list[int], account_index: int) -> list[int]:
        return [number for number in numbers if self._ledger.fields(number)["account"] == account_index]

    async def _trades_of(self, number: int) -> list[OrderUpdate] | None:
        """The venue's list of an order's trades; None where it did not say."""
        fields = self._ledger.fields(number)
        account = self._host.account_at(fields["account"])
        if not fields["venue_id"]:
            return None
        instrument = self._host.core.instruments[fields["symbol_id"]]
        await self.pause(account)
        try:
            with reading(f"the trades of order {fields['client_id']}"):
                return await account.trades(instrument, fields["client_id"], fields["venue_id"])
        except NO_ANSWER as error:
            self.note_failure(account, error)
            self._log.warning(f"asking for the trades of order {fields['client_id']} failed: {told(error)}")
            return None
