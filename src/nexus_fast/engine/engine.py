"""The engine's life: build, connect, run, stop.

    Engine(config)     checks the configuration; opens nothing
    start()            on a loop of its own: builds, connects, calls on_start, runs until Ctrl+C, SIGTERM or stop()
    await run()        the same on the caller's loop (docs/embed.md)
    stop()             from the loop's thread; stop_threadsafe() from any
    kill_switch()      from any thread
    dispose()          from a callback: asks start() to end; afterwards: nothing is left to do

One thread. What is slow is in other processes, which read the shared memory.
"""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Coroutine
from typing import Any

import uvloop

from nexus_fast import proxies
from nexus_fast.cache import Cache
from nexus_fast.clock import LiveClock
from nexus_fast.config import Config
from nexus_fast.core.book import BookL1
from nexus_fast.endpoints import load_endpoints
from nexus_fast.engine import assembly
from nexus_fast.engine.core import Core, journal_directory
from nexus_fast.engine.host import Host
from nexus_fast.engine.poller import Poller
from nexus_fast.engine.polling import make_poller
from nexus_fast.engine.process import Tuning
from nexus_fast.engine.recovery import Recovery
from nexus_fast.engine.reload import Reload
from nexus_fast.engine.report import report, write_report
from nexus_fast.engine.runtime import Runtime
from nexus_fast.engine.safety import leave_mark
from nexus_fast.engine.signals import Signals
from nexus_fast.engine.stopping import Stopping
from nexus_fast.engine.understudy import make_understudy
from nexus_fast.engine.upkeep import Upkeep
from nexus_fast.error import EngineBuildError, KilledError, LeftOpenError
from nexus_fast.exchange.catalogue import load_instruments
from nexus_fast.exchange.instrument import InstrumentTable
from nexus_fast.exchange.validation import validate
from nexus_fast.journal.files import journal_path
from nexus_fast.journal.kill_mark import KillMark
from nexus_fast.log import Logger, configure, register_secret
from nexus_fast.strategy.base import detach
from nexus_fast.surroundings import anchored, keep_secrets, put_right
from nexus_fast.tasks import Tasks, to_the_end

# A file for the figures of a run: counts, and where the time of ticks and orders went. Switches Config.measure on.
REPORT_VARIABLE = "NEXUS_FAST_REPORT"
FILLS_SECONDS = 3.0              # in which trades that are missing in the end may come


class Engine:
    """Raises ConfigurationError and its kin for a configuration that cannot run.

    `left_open`: after the end, what is or may be open although Config.on_stop asked for its end; empty: nothing."""

    def __init__(self, config: Config):
        is_embedded = _is_in_a_loop()
        if not is_embedded:
            put_right()
        config.journal_directory = anchored(config.journal_directory or ".nexus_fast")
        self._log = Logger("engine")
        self._killed: str | None = None          # why, where the kill switch was pressed before there was anything to stop
        self._ending = False
        self._ended_cleanly = False
        self.host: Host | None = None
        self._mark = KillMark(journal_path(config.journal_directory, config.strategy_id, config.user_id))
        self._signals = None if is_embedded else Signals(self.kill_switch)
        for basic in config.basic_config.values():
            basic.take_lent()
        validate(config)
        configure(config.log_config)
        for basic in config.basic_config.values():
            register_secret(basic.api_key, basic.secret, basic.passphrase)
        self.config = config
        self.strategies = config.strategies
        self.loop_config = config.loop.resolved()
        self.endpoints = load_endpoints(config.endpoints)
        self.cache = Cache(self._book, self._settle)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.core: Core | None = None
        self.runtime: Runtime | None = None
        self.left_open: list[str] = []
        self._thread: int | None = None          # of the loop
        self._stop_asked = False
        self._shutdown: asyncio.Event | None = None
        self._stopping: Stopping | None = None
        self._disposed = False
        self._poller: Poller | None = None
        # None where the process is not the engine's own.
        self._tuning: Tuning | None = Tuning(self.loop_config.cpu, self.loop_config.mode == "busy")
        self._tasks = Tasks(self._log)
        self._started = False
        report_file = os.environ.get(REPORT_VARIABLE)
        self._report_file = anchored(report_file) if report_file else None
        for strategy in self.strategies:
            strategy.log = Logger(type(strategy).__name__)
            strategy.clock = LiveClock()
            strategy.cache = self.cache

    # ------------------------------------------------------------------------------------------ life

    def start(self) -> None:
        """Returns when the engine has stopped. Raises EngineBuildError and its kin when it cannot be built, and LeftOpenError
        when something is open in the end that Config.on_stop wanted closed."""
        if _is_in_a_loop():
            raise EngineBuildError(
                "Engine.start() was called inside an event loop that runs already (a web server, a notebook, `async def`), and "
                "it runs a loop of its own. There: `await engine.run()`."
            )
        self._require_unused()
        put_right()
        self._signals = self._signals or Signals(self.kill_switch)
        if self.config.private_conn_config:
            keep_secrets()
        self.loop = uvloop.new_event_loop()
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._run())
        finally:
            self.dispose()
        self._require_nothing_left()

    async def run(self, *, signals: bool = False) -> None:
        """As start(), on the loop that runs. Canceling it stops the engine as stop() does. Nothing of the process is changed: no
        processor, no collector, no locked memory; signals=True: Ctrl+C, SIGTERM and SIGUSR1 are the engine's meanwhile."""
        self._require_unused()
        self.loop = asyncio.get_running_loop()
        if not isinstance(self.loop, uvloop.Loop):
            raise EngineBuildError(
                f"Engine.run() needs uvloop's event loop, and this one is {type(self.loop).__module__}."
                f"{type(self.loop).__name__}: start the program with uvloop.run(main())."
            )
        if signals:
            self._signals = self._signals or Signals(self.kill_switch)
        else:
            self._give_back_signals()
            self._signals = None
        self._tuning = None
        try:
            await self._run()
        finally:
            self._close_core()
            self._give_back_signals()
        self._require_nothing_left()

    def stop(self) -> None:
        """From the loop's thread: no new order leaves from now on, and the engine ends after the current turn."""
        self._stop_asked = True
        if self._stopping is not None:
            self._stopping.begin()
        if self._shutdown is not None:
            self._shutdown.set()

    def stop_threadsafe(self) -> None:
        """As stop(), from any thread, in the next turn of the loop. An engine that has not started ends as soon as it does."""
        self._stop_asked = True
        if self._thread is not None:
            with contextlib.suppress(RuntimeError):          # the loop is over
                self.loop.call_soon_threadsafe(self.stop)

    def kill_switch(self, reason: str = "") -> None:
        """From any thread or by SIGUSR1, at any time: nothing but cancels leaves any more, and everything on the
        accounts is canceled until the venues confirm it. The engine goes on running, and none starts after it with these ids
        until `nexus-fast journal clear-kill` has been run."""
        if self._thread not in (None, threading.get_ident()) and not self._ending:
            self.kill_threadsafe(reason)
        elif self.host is not None and not self._ending:
            self.host.safety.kill(reason)
        elif self._killed is None:
            self._killed = reason or "no reason given"
            leave_mark(self._mark, self._killed, self._log)
            self._log.critical(f"kill switch: {self._killed}; the engine {self._what_now()}")

    def kill_threadsafe(self, reason: str = "") -> None:
        """As kill_switch. No order leaves once this has returned, and no engine starts with these ids; what is open is canceled
        in the next turn of the loop."""
        if self._thread is None or self._ending:
            self.kill_switch(reason)
            return
        self._close_gate()
        if self.host is None:
            self._killed = self._killed or reason or "no reason given"
        leave_mark(self._mark, reason, self._log)
        with contextlib.suppress(RuntimeError):              # the loop is over
            self.loop.call_soon_threadsafe(self.kill_switch, reason)

    def _close_gate(self) -> None:
        if self.core is not None:
            self.core.entry.halted = True

    def _give_way(self) -> None:
        if self.core is not None:
            self.core.dispatcher.give_way()

    def _what_now(self) -> str:
        if self._ending:
            return "has ended but for its last steps, and cancels nothing any more: look at the accounts"
        return "starts with it: nothing but cancels will leave"

    def dispose(self) -> None:
        """Idempotent. From inside a callback it only asks for the end."""
        if self.loop is not None and self.loop.is_running():
            self.stop()
            return
        if self._disposed:
            return
        self._close_core()
        if self.loop is not None:
            with contextlib.suppress(RuntimeError):
                self.loop.run_until_complete(_end_tasks())
                self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            asyncio.set_event_loop(None)
            self.loop.close()
        self._give_back_signals()

    def _close_core(self) -> None:
        self._disposed = self._ending = True
        for strategy in self.strategies:
            detach(strategy)
        if self.core is not None:
            self.core.close(self._ended_cleanly)

    def _give_back_signals(self) -> None:
        if self._signals is not None:
            self._signals.give_back()

    def _require_unused(self) -> None:
        if self._disposed or self.loop is not None:
            raise EngineBuildError("this engine has been disposed or runs already; make a new one")

    def _require_nothing_left(self) -> None:
        if self.left_open:
            raise LeftOpenError(self.left_open)

    async def _run(self) -> None:
        self._thread = threading.get_ident()
        self._shutdown = asyncio.Event()
        if self._signals is not None:
            self._signals.to_loop(self.loop, self.stop, self._give_way, self._close_gate)
        try:
            if not self._stop_asked and await self._unless_stopped(self._build()):
                self._start_strategies()
                await self._shutdown.wait()
        finally:
            await to_the_end(self._stop())

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run the work to its end, or until a signal asks for the end of everything; whether it was done and is to be gone on
        with."""
        task = self.loop.create_task(work)
        stop = self.loop.create_task(self._shutdown.wait())
        try:
            await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
            finished = task.done()
        finally:
            stop.cancel()
            task.cancel()
            await asyncio.gather(task, stop, return_exceptions=True)
        if finished:
            task.result()
        return finished and not self._shutdown.is_set()

    # ------------------------------------------------------------------------------------------ build

    async def _build(self) -> None:
        started = time.monotonic()
        self._refuse_after_kill()
        if unused := proxies.warning():
            self._log.warning(unused)
        instruments = await load_instruments(self.config, self.endpoints, journal_directory(self.config))
        private = [
            (exchange, connector)
            for exchange, connectors in self.config.private_conn_config.items()
            for connector in connectors
        ]
        self.config.measure = self.config.measure or bool(self._report_file)
        names = [str(connector.account_type) for _, connector in private]
        self.core = Core(self.config, instruments, names, self._wake, self._on_strategy_error)
        self._poller = make_poller(self.loop, self.loop_config, self._log, self.core.dispatcher)
        host = self.host = Host(self.config, self.core, self.strategies, self.cache, self._poller, self._log)
        table = InstrumentTable(instruments)
        host.reload = Reload(host, table, self.endpoints, self._log)
        self.runtime = Runtime(host, table, self, self._log)
        self._upkeep = Upkeep(host, self.cache, self._tuning, self._log)
        self._tasks.keep("the upkeep", self._upkeep.keep_up)
        assembly.make_accounts(host, private, self.endpoints)
        assembly.make_feeds(host, self.endpoints)
        assembly.set_default_accounts(host)
        assembly.attach_strategies(host, self.runtime)
        host.tracker.hold()
        self._stopping = Stopping(host, self.runtime.scheduler.shutdown, self._log)
        if self._killed is not None:
            host.safety.kill(self._killed)
        recovery = Recovery(host, self.core.inheritance, self.config.open_orders_at_start, self._log)
        recovery.begin()
        await assembly.open_accounts(host, self._log)
        await assembly.recover_accounts(host, recovery)
        host.safety.start()
        self._log.info(
            f"built in {time.monotonic() - started:.2f} s: {len(instruments)} instruments, "
            f"{len(host.feeds)} feeds, {len(host.accounts)} accounts, loop {self.loop_config.mode}"
        )

    def _refuse_after_kill(self) -> None:
        """One that was pressed in this process is obeyed instead: there may be something to cancel."""
        kill = self._mark.read()
        if kill is None or self._killed is not None:
            return
        known = "the venues confirmed" if kill.confirmed else "the venues have not confirmed"
        raise KilledError(
            f"the kill switch of strategy_id={self.config.strategy_id!r}, user_id={self.config.user_id!r} was {kill}; {known} "
            "that no order is open. Nothing starts until a person has looked at the accounts and run "
            f"`nexus-fast journal clear-kill {self._mark.path.parent}`."
        )

    # ------------------------------------------------------------------------------------------ run

    def _start_strategies(self) -> None:
        self._started = True
        for feed in self.host.feeds.values():
            feed.open()
        self._tasks.keep("forgetting", self._upkeep.forget)
        self.runtime.scheduler.start()
        for strategy in self.strategies:
            try:
                strategy.on_start()
            except Exception as error:
                self._log.error(f"{type(strategy).__name__}.on_start raised {type(error).__name__}: {error}")
                raise
        self.host.tracker.release()
        if self._tuning is not None:
            self._tuning.apply()
            self._log.info("; ".join(f"{what}: {how}" for what, how in self._tuning.report.items()))
        self.host.times.begin_anew()
        if self._poller is not None:
            self._poller.on_news = self.host.tracker.drain
            self._poller.understudy = make_understudy(self.core, self.strategies)
            self._poller.start()

    def _wake(self) -> None:
        """From the hot path, which only ever schedules."""
        if self._poller is None or not self._poller.take_news():
            self.loop.call_soon(self.host.tracker.drain)

    def _on_strategy_error(self, strategy: Any, error: Exception) -> None:
        self.host.on_quote_error(strategy, error)

    def _settle(self) -> None:
        if self.host is not None:
            self.host.tracker.settle()

    def _book(self, symbol: str) -> BookL1 | None:
        return None if self.host is None else self.host.book(symbol)

    def report(self) -> dict[str, Any]:
        """The figures of the run so far, as nexus_fast.engine.report has them."""
        return report(self.host, self.cache, self.loop_config.mode, self._poller)

    # ------------------------------------------------------------------------------------------ stop

    async def _stop(self) -> None:
        try:
            if self.host is not None:
                await self._end_trading(self.host)
        finally:
            if self._poller is not None:
                self._poller.stop()
            await self._tasks.close()
            if self.host is not None:
                await self._disconnect(self.host)
            if self._tuning is not None and self._started:
                self._tuning.restore()
            if self._signals is not None:
                self._signals.from_loop(self.loop)
        if self._started:
            self._write_report()

    async def _end_trading(self, host: Host) -> None:
        if self._started:
            await self._stopping.finish()
        host.tracker.drain()
        await host.safety.finish()
        if self._started:
            await host.inquiry.complete_fills(FILLS_SECONDS)
            self.left_open = self._stopping.left()
        self.runtime.scheduler.shutdown()

    async def _disconnect(self, host: Host) -> None:
        await host.safety.stop()
        self._ending = True
        self._ended_cleanly = self._leaves_nothing()
        await host.close()
        for connector in (*host.feeds.values(), *host.accounts.values()):
            try:
                await connector.close()
            except Exception as error:
                self._log.exception(f"closing a connector raised {type(error).__name__}", error)

    def _leaves_nothing(self) -> bool:
        """What was to be canceled is. An engine that was never started has looked after nothing of what the last one left."""
        live = self.core.ledger.live()
        if not self._started:
            return not live
        return self.host.safety.is_finished and not (live and self.config.mode_of_stop != "leave")

    def _write_report(self) -> None:
        if self._report_file is None:
            return
        try:
            write_report(self._report_file, self.report())
        except OSError as error:
            what = f"{REPORT_VARIABLE}={self._report_file}"
            self._log.error(f"{what}: the figures of the run could not be written: {error.strerror}")


def _is_in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _end_tasks() -> None:
    """A build that failed leaves the rest of its work behind."""
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


logging.getLogger("nexus_fast.picows").setLevel(logging.WARNING)
