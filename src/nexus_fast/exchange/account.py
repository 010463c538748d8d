"""What the private connectors of all venues have in common: the way out, being ready, losing it, and tasks of their own.

    connections come up ─▶ _attach ─▶ _became_ready: after a loss resynchronise, then on_private_status("connected")
    the order connection is lost ─▶ _lose_orders ─▶ … and the same again

A venue's connector adds its connections and what is said on them, and answers the engine's questions: open, close, templates,
order_windows, refresh, query, trades, cancel_foreign.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from nexus_fast.answers import reading, told
from nexus_fast.error import NO_ANSWER, EngineBuildError
from nexus_fast.feed.connection import WebSocketConnection
from nexus_fast.gateway.channel import Channel
from nexus_fast.log import Logger
from nexus_fast.tasks import Tasks

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0      # before a venue that refused what a connection has to say first is asked again


class Account:
    """host: the engine's side, what the account reports to (see nexus_fast.engine.host). rest: the venue's client, which knows
    the key. `ready` is set while orders go out and everything that becomes of them is heard. clock_codes: the venue's refusals
    of a request's time."""

    clock_codes: frozenset = frozenset()

    def __init__(self, host: Any, account_type: Any, index: int, rest: Any, log: Logger):
        self.account_type = account_type
        self.index = index
        self.channel = Channel()
        self.ready = asyncio.Event()
        self._host = host
        self._rest = rest
        self._log = log
        self._work = Tasks(log)
        self._spawn, self._keep, self._end_tasks = self._work.spawn, self._work.keep, self._work.close
        self._refusals = 0               # of the venue, one after the other, to what a connection has to say first
        self._attached = False
        self._has_been_ready = False
        self._losses = 0
        self._reconciling = asyncio.Lock()

    @property
    def rest(self) -> Any:
        return self._rest

    def open_rest(self) -> Any:
        """A REST client for one use, on any thread's loop; who opens it closes it."""
        return self._rest.separate()

    def channels(self, instrument: Any) -> list[Channel]:
        """The ways out for one symbol's requests, best first."""
        return [self.channel]

    # ------------------------------------------------------------------------------------------ the order connection

    def _attach(self, connection: WebSocketConnection) -> None:
        transport = connection.transport
        self.channel.attach(transport.underlying_transport, not transport.is_secure)
        self._attached = True

    def _lose_orders(self) -> None:
        """No order leaves until the next _attach."""
        self._attached = False
        self._losses += 1
        self.channel.detach()
        self.ready.clear()

    def _check_sending(self, connection: WebSocketConnection | None) -> None:
        """A send that failed has put the channel out of service: its connection is replaced, whatever reading it says."""
        if self._attached and not self.channel.ready:
            self._attached = False
            self._log.warning("sending failed; connecting again")
            connection.drop()

    def _on_message_error(self, payload: bytes, error: Exception) -> None:
        self._log.exception(f"a private message could not be used: {payload[:400]!r}", error)
        self._host.on_unreadable(self)

    # ------------------------------------------------------------------------------------------ ready

    @property
    def _is_open(self) -> bool:
        """Orders can leave, and all private events are subscribed to."""
        return self.channel.ready

    async def _became_ready(self) -> None:
        """Every way is open: reconcile after a reconnect, then say so."""
        async with self._reconciling:
            if self.ready.is_set() or not self._is_open:
                return
            if self._has_been_ready:
                losses = self._losses
                await self._host.resynchronise(self)
                if losses != self._losses:
                    return                       # lost again meanwhile: who brings it back reconciles anew
            self._has_been_ready = True
            self.ready.set()
        self._host.on_private_status(self, "connected")

    async def _prepared(self, connection: WebSocketConnection, work: Callable[[], Awaitable[None]]) -> None:
        """Log on and subscribe; whatever comes of it, the connection is used or replaced. A venue that refuses, or answers what
        cannot be used, is asked again after a while that doubles: the connection's own waits begin again with each one that is
        made."""
        transport = connection.transport
        try:
            with reading(f"{connection.name}: what the venue says to a new connection"):
                await work()
            self._refusals = 0
        except (*NO_ANSWER, EngineBuildError) as error:
            self._log.error(f"{connection.name}: the connection could not be prepared: {told(error)}")
            if not isinstance(error, OSError):
                await self._on_refused(error)
                self._refusals += 1
                await asyncio.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._refusals, 7)))
            if connection.transport is transport:
                connection.drop()

    async def _on_refused(self, error: Exception) -> None:
        """Before the venue is asked again: a clock that it refuses is measured."""
        if getattr(error, "code", None) in self.clock_codes:
            await self.synchronise_clock()

    # ------------------------------------------------------------------------------------------ the venue's clock

    async def synchronise_clock(self) -> bool:
        """The venue's clock minus ours, for the times in requests; whether it could be read. Otherwise the last one holds."""
        try:
            with reading("the venue's clock"):
                self._set_clock_offset(await self._read_clock())
            return True
        except NO_ANSWER as error:
            self._log.warning(f"the venue's clock could not be read: {told(error)}")
            return False

    async def _read_clock(self) -> int:
        """Milliseconds that the venue's clock is ahead of ours."""
        return await self._rest.synchronise()

    def _set_clock_offset(self, milliseconds: int) -> None:
        self.channel.clock_offset_ms = milliseconds
