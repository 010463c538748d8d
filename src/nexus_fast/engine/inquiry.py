"""Orders in doubt: the venue is asked, over another path than the one that was silent, until there is proof.

A venue's pause (429, 418) is kept: nothing is asked of an account before it is over.
"""

import asyncio
import itertools
import time
from typing import Any

from nexus_fast.constants import WsOrderResultType
from nexus_fast.engine.gates import RATE_LIMITED
from nexus_fast.error import VenueError
from nexus_fast.log import Logger
from nexus_fast.order.events import OrderUpdate

# Queries of an order in doubt: seconds before each. After the last one in which the venue knows no such order, and not
# before the order's recvWindow and GRACE_SECONDS are over, it is held to have never arrived.
QUERY_WAITS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
NOT_FOUND_NEEDED = 3
LATER_WAIT = 15.0
GRACE_SECONDS = 2.0
# An order that the venue has shown to have does not vanish: who does not know it lags behind, for longer than this at most.
REPLICA_SECONDS = 60.0


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
            self._host.spawn(self._ask(number))

    async def settled(self, numbers: list[int], seconds: float) -> list[int]:
        """Wait until nothing is asked about these any more; those that still are after so many seconds."""
        until = time.monotonic() + seconds
        while (left := [n for n in numbers if n in self.asking]) and time.monotonic() < until:
            await asyncio.sleep(0.02)
        return left

    async def _ask(self, number: int) -> None:
        absent = 0
        began = time.monotonic()
        try:
            for attempt, wait in enumerate(itertools.chain(QUERY_WAITS, itertools.repeat(LATER_WAIT))):
                if attempt == len(QUERY_WAITS):
                    name = self._ledger.fields(number)["client_id"]
                    self._log.error(f"order {name} stays in doubt: the venue could not say what became of it; asking on")
                await asyncio.sleep(wait)
                fields = self._ledger.fields(number)
                if self._ledger.closed(number):
                    return
                update = await self._ask_once(fields)
                if update == "absent":
                    absent += 1
                elif update is not None:
                    absent = 0
                    if self._conclude(number, update, time.monotonic() - began):
                        return
                if absent >= NOT_FOUND_NEEDED and self._is_past(fields):
                    reason = "the venue knows no such order; its request can no longer arrive"
                    # An order that the venue never spoke of did not live, also when a cancel was sent after it.
                    never = fields["state"] == "CANCELING" and not fields["venue_id"]
                    event = "REJECTED" if never else "NOT_FOUND"
                    self._host.tracker.apply_to(number, OrderUpdate(event=event, client_id="", reason=reason))
                    return
        except KeyError:
            return                       # its slot is in use by a later order: it was closed long ago
        finally:
            self.asking.discard(number)

    async def _ask_once(self, fields: dict) -> Any:
        """An OrderUpdate, "absent", or None when the venue could not be asked."""
        account = self._host.account_at(fields["account"])
        instrument = self._host.core.instruments[fields["symbol_id"]]
        await self.pause(account)
        try:
            found = await account.query(instrument, fields["client_id"])
        except (VenueError, OSError, TimeoutError) as error:
            self.note_pause(account, error)
            self._log.warning(f"asking for order {fields['client_id']} failed: {error}")
            return None
        return "absent" if found is None else found

    async def pause(self, account: Any) -> None:
        """Until the venue may be asked again."""
        while (seconds := self._host.gates.remaining(account.index, RATE_LIMITED)) > 0:
            await asyncio.sleep(seconds)

    def note_pause(self, account: Any, error: Exception) -> None:
        """A venue that answers with a rate limit wants to be left alone for a while."""
        milliseconds = getattr(error, "retry_after_ms", 0)
        if milliseconds:
            self._host.on_rate_limited(account, milliseconds / 1000, str(error))

    def _is_past(self, fields: dict) -> bool:
        """The venue would refuse the request if it arrived now; and who answers knows everything that we do."""
        if fields["venue_id"] and time.time_ns() - fields["changed_ns"] < REPLICA_SECONDS * 1e9:
            return False
        return time.time_ns() - fields["created_ns"] > self._valid_seconds * 1e9

    @property
    def _valid_seconds(self) -> float:
        """After which a request can no longer arrive."""
        return self._host.recv_window_ms / 1000 + GRACE_SECONDS

    def _conclude(self, number: int, update: OrderUpdate, seconds: float) -> bool:
        """False when the order is open and its cancel, `seconds` old or older, may still be on its way."""
        tracker = self._host.tracker
        before = self._ledger.fields(number)
        tracker.adopt(number, update)
        if before["state"] == "UNKNOWN":
            tracker.result(number, WsOrderResultType.ACK_TIMEOUT_CONFIRMED, "the venue has the order")
        if self._ledger.state(number) != "CANCELING":
            return True
        if max(seconds, (time.time_ns() - before["changed_ns"]) / 1e9) <= self._valid_seconds:
            return False
        reason = "cancel: the order is open at the venue; the request can no longer arrive"
        tracker.apply_to(number, OrderUpdate(event="CANCEL_REJECTED", client_id="", reason=reason))
        return True

    # ------------------------------------------------------------------------------------------ fills

    def fill_holes(self) -> None:
        """Orders whose fills do not add up to what is filled: the venue's list of trades has the rest."""
        for number in self._host.tracker.holes():
            self._host.spawn(self._fetch_trades(number))

    async def _fetch_trades(self, number: int) -> None:
        try:
            fields = self._ledger.fields(number)
        except KeyError:
            return
        account = self._host.account_at(fields["account"])
        ask = getattr(account, "trades", None)
        if ask is None or not fields["venue_id"]:
            return
        await self.pause(account)
        try:
            updates = await ask(self._host.core.instruments[fields["symbol_id"]], fields["client_id"], fields["venue_id"])
        except (VenueError, OSError, TimeoutError) as error:
            self.note_pause(account, error)
            self._log.warning(f"asking for the trades of order {fields['client_id']} failed: {error}")
            return
        for update in updates:
            self._host.tracker.apply_to(number, update)
