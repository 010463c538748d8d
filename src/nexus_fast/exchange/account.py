"""What the private connectors of all venues have in common: the way out, being ready, losing it, and tasks of their own.

    connections come up ─▶ _attach ─▶ _became_ready: after a loss resynchronise, then on_private_status("connected")
    the order connection is lost ─▶ _lose_orders ─▶ … and the same again

A venue's connector adds its connections and what is said on them, and answers the engine's questions: open, close, templates,
order_windows, refresh, query, trades, cancel_foreign.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from nexus_fast.error import NO_ANSWER
from nexus_fast.feed.connection import WebSocketConnection
from nexus_fast.gateway.channel import Channel
from nexus_fast.log import Logger


class Account:
    """host: the engine's side, what the account reports to (see nexus_fast.engine.host). rest: the venue's client, which knows
    the key. `ready` is set while orders go out and everything that becomes of them is heard."""

    def __init__(self, host: Any, account_type: Any, index: int, rest: Any, log: Logger):
        self.account_type = account_type
        self.index = index
        self.channel = Channel()
        self.ready = asyncio.Event()
        self._host = host
        self._rest = rest
        self._log = log
        self._tasks: set[asyncio.Task] = set()
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
        """A send that failed has put the channel out of service: its connection is made anew, whatever reading it says."""
        if self._attached and not self.channel.ready:
            self._attached = False
            self._log.warning("sending failed; connecting anew")
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

    # ------------------------------------------------------------------------------------------ the venue's clock

    async def synchronise_clock(self) -> None:
        """The venue's clock minus ours, for the times in requests."""
        try:
            self._set_clock_offset(await self._read_clock())
        except NO_ANSWER as error:
            self._log.warning(f"the venue's clock could not be read: {error}")

    async def _read_clock(self) -> int:
        """Milliseconds that the venue's clock is ahead of ours."""
        return await self._rest.synchronise()

    def _set_clock_offset(self, milliseconds: int) -> None:
        self.channel.clock_offset_ms = milliseconds

    # ------------------------------------------------------------------------------------------ tasks

    def _spawn(self, work: Coroutine) -> asyncio.Task:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)
        return task

    def _on_task_done(self, task: asyncio.Task) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._log.exception(f"{task.get_name()} failed", task.exception())

    async def _end_tasks(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
