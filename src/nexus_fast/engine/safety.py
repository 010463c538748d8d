"""The kill switch, and the venues' own timers that cancel everything when this process falls silent.

The kill switch closes the gate first; then everything that is open on the accounts is canceled, again and again until the
venue lists nothing and no order is in doubt. What the venue accepts late is canceled at once. It leaves a mark beside the journal
(nexus_fast.journal.kill_mark), which outlives the engine: a person takes it away.
"""

import asyncio
import contextlib
import time
from functools import partial
from importlib import import_module
from typing import Any

from nexus_fast.answers import reading, told, within
from nexus_fast.config import PrivateConnectorConfig
from nexus_fast.error import NO_ANSWER, EngineBuildError
from nexus_fast.journal.files import journal_path
from nexus_fast.journal.kill_mark import KillMark
from nexus_fast.log import Logger
from nexus_fast.order.reasons import HALTED
from nexus_fast.tasks import Tasks

AGAIN_SECONDS = 1.0              # between two rounds of canceling everything
REFRESHES = 4                    # of a venue's timer within its time
RETRY_SECONDS = 1.0
FINISH_SECONDS = 20.0            # for which the engine's end waits until the kill switch has done its work


def emergency_of(account_type: Any) -> Any:
    """The module of the account's venue."""
    return import_module(f"nexus_fast.exchange.{account_type.exchange.value}.emergency")


def leave_mark(mark: KillMark, reason: str, log: Logger, by: str = "engine") -> None:
    """A disk that does not take it keeps nothing else from being done."""
    try:
        mark.write(by, reason or "no reason given")
    except OSError as error:
        log.critical(f"the kill switch could not be written to {mark.path} ({error}): nothing will keep a restart from trading")


class Safety:
    """`host` is nexus_fast.engine.host.Host."""

    def __init__(self, host: Any, log: Logger):
        self._host = host
        self._log = log
        self._switches: dict[Any, int] = {}         # account type -> seconds
        self._tasks = Tasks(log)
        self._started = False
        config = host.config
        self._mark = KillMark(journal_path(config.journal_directory, config.strategy_id, config.user_id))
        self._pressed = False
        self._empty_accounts: set[Any] = set()

    # ------------------------------------------------------------------------------------------ kill switch

    def kill(self, reason: str) -> None:
        """Idempotent."""
        entry = self._host.core.entry
        if self._pressed:
            return
        entry.halted = self._pressed = True
        self._host.tracker.halted = True
        self._host.drop_waiting(HALTED)
        leave_mark(self._mark, reason, self._log)
        self._log.critical(f"kill switch: {reason or 'no reason given'}; nothing but cancels leaves from now on")
        for account in self._host.accounts.values():
            self._host.on_private_status(account, "halted")
            self._host.keep(f"{account.account_type}: the kill switch", partial(self._empty, account))

    async def _empty(self, account: Any) -> None:
        """Until the venue lists no open order, and none of ours is in doubt."""
        ledger = self._host.core.ledger
        emergency = emergency_of(account.account_type)
        while True:
            for number in ledger.live(account=account.index):
                ledger.cancel(number)
            began = time.monotonic()
            listed = -1
            try:
                symbols = self._host.routed_symbols(account.index)
                with reading("what is open"):
                    listed = await emergency.cancel_everything(account.rest, account.account_type, symbols)
            except NO_ANSWER as error:
                self._log.error(f"{account.account_type}: canceling everything failed: {told(error)}; trying again")
                self._host.inquiry.note_failure(account, error)
            if listed == 0 and not ledger.live(account=account.index):
                self._log.critical(f"{account.account_type}: the venue confirms that no order is open")
                self._on_empty(account)
                return
            await asyncio.sleep(max(0.0, AGAIN_SECONDS - (time.monotonic() - began)))

    def _on_empty(self, account: Any) -> None:
        self._empty_accounts.add(account.account_type)
        if self.is_finished:
            with contextlib.suppress(OSError):   # it stays a mark
                self._mark.confirm()
        self._host.on_private_status(account, "halted_empty")

    @property
    def is_finished(self) -> bool:
        """Nothing that the kill switch has to cancel is left; also when nobody has pressed it."""
        return not self._pressed or self._empty_accounts >= set(self._host.accounts)

    def check(self) -> None:
        """A guard that took this engine for dead has canceled everything: it does not go on where it stood."""
        if not self._pressed and self._mark.exists():
            self.kill(f"found the mark of one: {self._mark.read()}")

    async def finish(self) -> None:
        """Before the engine ends. A signal that has come is heard first: it comes in a turn of the loop."""
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        until = time.monotonic() + FINISH_SECONDS
        while not self.is_finished and time.monotonic() < until:
            await asyncio.sleep(0.05)
        for account_type in set(self._host.accounts) - self._empty_accounts if not self.is_finished else ():
            self._log.critical(f"{account_type}: the engine ends before the venue has confirmed that no order is open")

    # ------------------------------------------------------------------------------------------ dead man's switches

    def add(self, connector: PrivateConnectorConfig) -> None:
        """Before the account is opened. Raises EngineBuildError where the venue has no such switch."""
        if not connector.dead_mans_switch:
            return
        if not emergency_of(connector.account_type).has_switch(connector.account_type):
            raise EngineBuildError(
                f"{connector.account_type}: the venue has no dead man's switch. Leave dead_mans_switch= out of its connector, "
                "and run `nexus-fast guard` beside the engine."
            )
        self._switches[connector.account_type] = connector.dead_mans_switch

    def switch_seconds(self, account_type: Any) -> int:
        return self._switches.get(account_type, 0)

    def start(self) -> None:
        for account_type, seconds in self._switches.items():
            account = self._host.accounts[account_type]
            self._tasks.keep(f"{account_type}: the dead man's switch", partial(self._keep, account, seconds))
        self._started = True

    async def _keep(self, account: Any, seconds: int) -> None:
        emergency = emergency_of(account.account_type)
        while True:
            try:
                symbols = self._host.routed_symbols(account.index)
                with reading("the switch"):
                    await emergency.set_switch(account.rest, account.account_type, symbols, seconds)
                wait = seconds / REFRESHES
            except NO_ANSWER as error:
                self._host.inquiry.note_failure(account, error)
                self._log.error(f"{account.account_type}: the dead man's switch could not be renewed: {told(error)}")
                wait = RETRY_SECONDS
            await asyncio.sleep(wait)

    async def stop(self) -> None:
        """A clean end: the timers are taken back. The kill switch may have been pressed meanwhile."""
        await self._tasks.close()
        if self._started:
            await asyncio.gather(*(self._take_back(account_type) for account_type in self._switches))
        await self.finish()

    async def _take_back(self, account_type: Any) -> None:
        account = self._host.accounts[account_type]
        try:
            symbols = self._host.routed_symbols(account.index)
            with reading("the switch"):
                async with within(5 * RETRY_SECONDS, "switching it off"):
                    await emergency_of(account_type).set_switch(account.rest, account_type, symbols, 0)
        except NO_ANSWER as error:
            self._log.error(f"{account_type}: the dead man's switch could not be switched off: {told(error)}")
