"""After a reconnect, and whatever else may have been missed: what the venue says now, against what we believe.

    resynchronise ─▶ the venue's answer ─▶ the difference to the strategies ─▶ LAG_SECONDS later: a second look

Who answers may lag behind the venue, and know nothing of what happened while nobody listened. By the second look it does, and
what happened since the first the private stream has told.
"""

import asyncio
import time
from functools import partial
from typing import Any

from nexus_fast.answers import reading, told
from nexus_fast.engine.gates import NOT_RECONCILED
from nexus_fast.engine.heard import Heard
from nexus_fast.error import NO_ANSWER, EngineBuildError
from nexus_fast.exchange.rows import odd_in
from nexus_fast.log import Logger
from nexus_fast.order.events import LAG_SECONDS

FIRST_WAIT, LAST_WAIT = 1.0, 30.0
UNREADABLE_SECONDS = 0.2         # in which more messages that cannot be read are waited for


class Reconciler:
    """`host` is nexus_fast.engine.host.Host. `due`: accounts (by index) whose second look is still to come, and since when."""

    def __init__(self, host: Any, heard: Heard, log: Logger):
        self.due: dict[int, float] = {}
        self._host = host
        self._heard = heard
        self._log = log
        self._rereading: set[int] = set()

    async def resynchronise(self, account: Any, wait: float = FIRST_WAIT) -> None:
        """The difference goes to the strategies. A venue that cannot be asked, or answers what cannot be used, is asked again
        after `wait` seconds, until it has answered; meanwhile no new order leaves."""
        host = self._host
        diff: dict[str, Any] = {"exchange": account.account_type.exchange, "account_type": account.account_type}
        positions_before, before = self._positions(account), self._live(account)
        self._heard.ask(account)
        asked = time.monotonic()
        try:
            with reading(f"{account.account_type}: what the account has"):
                listed = await account.refresh()
                missing = self._merge(account, listed, before, asked)
        except (*NO_ANSWER, EngineBuildError) as error:
            self._log.error(f"{account.account_type}: the venue could not be asked after the reconnect: {told(error)}")
            host.gates.close(account.index, NOT_RECONCILED)
            diff.update(success=False, positions_opened=[], positions_closed=[], open_orders_added=[], open_orders_removed=[])
            host.tell_all("on_private_ws_resync_diff", diff)
            host.on_private_status(account, "resync_failed")
            host.inquiry.note_failure(account, error)
            host.keep(f"{account.account_type}: the reconcile", partial(self._resynchronise_later, account, wait))
            return
        host.gates.open(account.index, NOT_RECONCILED)
        positions = self._positions(account)
        diff.update(
            success=True,
            positions_opened=sorted(positions - positions_before),
            positions_closed=sorted(positions_before - positions),
            open_orders_added=sorted(set(listed) - set(before)),
            open_orders_removed=sorted(missing),
        )
        host.tell_all("on_private_ws_resync_diff", diff)
        host.on_private_status(account, "resynced")
        self.look_again(account)

    def _positions(self, account: Any) -> set[str]:
        return set(self._host.cache.get_all_positions(account.account_type.exchange))

    def _live(self, account: Any) -> dict[str, int]:
        """Our orders that may be open, by client id."""
        ledger = self._host.core.ledger
        return {ledger.fields(number)["client_id"]: number for number in ledger.live(account=account.index)}

    def _merge(self, account: Any, listed: dict[str, Any], before: dict[str, int], asked: float) -> list[str]:
        """The venue's open orders, as of `asked` or a while before, into ours; which of ours are not among them, and are asked
        about; none of them has left for certain where rows of the list could not be read. An order that was held to be over and
        is listed as open is."""
        host = self._host
        for update in listed.values():
            number = host.tracker.number_of(update, account.index)
            if number:
                if not host.tracker.adopt(number, update, asked):
                    host.query(number)
            else:
                host.on_external_order(account, update)
        missing = [client_id for client_id in before if client_id not in listed]
        for client_id in missing:
            host.query(before[client_id])
        return [] if odd_in(listed) else missing         # what could not be read may be one of them

    async def _resynchronise_later(self, account: Any, wait: float) -> None:
        await asyncio.sleep(wait)
        await self._host.inquiry.pause(account)
        await self.resynchronise(account, min(2 * wait, LAST_WAIT))

    # ------------------------------------------------------------------------------------------ once more

    def look_again(self, account: Any) -> None:
        """Later, and once for all that led to it before."""
        self.due[account.index] = begun = time.monotonic()
        self._host.keep(f"{account.account_type}: the second look", partial(self._look_again, account, begun))

    async def _look_again(self, account: Any, begun: float) -> None:
        wait = LAG_SECONDS
        while True:
            await asyncio.sleep(wait)
            await self._host.inquiry.pause(account)
            if self.due.get(account.index) != begun:
                return                           # another reconcile began meanwhile, with a second look of its own
            before = self._live(account)
            self._heard.ask(account, LAG_SECONDS)
            asked = time.monotonic()
            try:
                with reading(f"{account.account_type}: what the account has"):
                    listed = await account.refresh()
                    self._merge_shown(account, listed, before, asked)
                break
            except (*NO_ANSWER, EngineBuildError) as error:
                self._log.error(f"{account.account_type}: the venue could not be asked once more: {told(error)}")
                self._host.inquiry.note_failure(account, error)
                wait = FIRST_WAIT if wait == LAG_SECONDS else min(2 * wait, LAST_WAIT)
        if self.due.get(account.index) == begun:
            del self.due[account.index]

    def _merge_shown(self, account: Any, listed: dict[str, Any], before: dict[str, int], asked: float) -> None:
        ledger = self._host.core.ledger
        # A slot may be in use by a later order by now.
        before = {client_id: number for client_id, number in before.items() if ledger.find(client_id) == number}
        shown = {client_id: number for client_id, number in before.items() if ledger.fields(number)["venue_id"]}
        self._merge(account, listed, shown, asked)

    # ------------------------------------------------------------------------------------------ what cannot be read

    def on_unreadable(self, account: Any) -> None:
        """A private message could not be read: what it said is asked for. One question answers for several of them."""
        if account.index not in self._rereading:
            self._rereading.add(account.index)
            self._host.keep(f"{account.account_type}: the reconcile", partial(self._read_again, account))

    async def _read_again(self, account: Any) -> None:
        await asyncio.sleep(UNREADABLE_SECONDS)
        self._rereading.discard(account.index)
        await self.resynchronise(account)
