"""The engine's life: build, connect, run, stop.

    Engine(config)   checks the configuration; opens nothing
    start()          builds, connects, calls on_start, runs until Ctrl+C, SIGTERM or Strategy.stop
    dispose()        from a callback: asks start() to end; afterwards: nothing is left to do

One thread. What is slow stands in other processes, which read the shared memory.
"""

import asyncio
import contextlib
import logging
import os
import time
from functools import partial
from typing import Any

import uvloop

from nexus_fast import proxies
from nexus_fast.answers import told
from nexus_fast.cache import Cache
from nexus_fast.clock import LiveClock
from nexus_fast.config import Config, PrivateConnectorConfig
from nexus_fast.constants import ExchangeType
from nexus_fast.endpoints import load_endpoints
from nexus_fast.engine.core import Core, journal_directory
from nexus_fast.engine.host import Host
from nexus_fast.engine.poller import Poller
from nexus_fast.engine.polling import make_poller
from nexus_fast.engine.process import Tuning, is_quiet
from nexus_fast.engine.recovery import Recovery
from nexus_fast.engine.reload import Reload
from nexus_fast.engine.runtime import Runtime
from nexus_fast.engine.safety import leave_mark
from nexus_fast.engine.signals import Signals
from nexus_fast.engine.understudy import make_understudy
from nexus_fast.error import EngineBuildError, KilledError
from nexus_fast.exchange.catalogue import load_instruments, make_account, make_feed
from nexus_fast.exchange.instrument import InstrumentTable
from nexus_fast.exchange.routing import account_for
from nexus_fast.exchange.rows import left_out
from nexus_fast.exchange.validation import validate
from nexus_fast.journal.files import journal_path
from nexus_fast.journal.kill_mark import KillMark
from nexus_fast.log import Logger, configure, register_secret
from nexus_fast.private import replace_file
from nexus_fast.strategy.base import attach
from nexus_fast.surroundings import anchored, keep_secrets, put_right
from nexus_fast.tasks import Tasks

READY_SECONDS = 30.0
UPKEEP_SECONDS = 0.05
SETTLED_IN_QUIET = 20            # orders after one upkeep, each in a turn of the loop of its own
FORGET_SECONDS = 60.0
FORGOTTEN_AT_ONCE = 100          # closed orders, about a microsecond each; 2,000 a second
# A file for the figures of a run: counts, and where the time of ticks and orders went. Switches Config.measure on.
REPORT_VARIABLE = "NEXUS_FAST_REPORT"
CANCEL_SECONDS = 5.0


class Engine:
    def __init__(self, config: Config):
        put_right()
        config.journal_directory = anchored(config.journal_directory or ".nexus_fast")
        self._log = Logger("engine")
        self._killed: str | None = None          # why, where the kill switch was pressed before there was anything to stop
        self._ending = False
        self._ended_cleanly = False
        self.host: Host | None = None
        self._mark = KillMark(journal_path(config.journal_directory, config.strategy_id, config.user_id))
        self._signals = Signals(self.kill_switch)
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
        self._shutdown: asyncio.Event | None = None
        self._disposed = False
        self._poller: Poller | None = None
        self._tuning = Tuning(self.loop_config.cpu, self.loop_config.mode == "busy")
        self._tasks = Tasks(self._log)
        self._started = False
        report = os.environ.get(REPORT_VARIABLE)
        self._report_file = anchored(report) if report else None
        for strategy in self.strategies:
            strategy.log = Logger(type(strategy).__name__)
            strategy.clock = LiveClock()
            strategy.cache = self.cache

    # ------------------------------------------------------------------------------------------ life

    def start(self) -> None:
        """Returns when the engine has stopped. Raises EngineBuildError and its kin when it cannot be built."""
        if self._disposed:
            raise EngineBuildError("this engine has been disposed; make a new one")
        _require_no_running_loop()
        put_right()
        if self.config.private_conn_config:
            keep_secrets()
        self.loop = uvloop.new_event_loop()
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._run())
        finally:
            self.dispose()

    def request_shutdown(self) -> None:
        """From the engine's thread or a signal: end after the current turn."""
        if self._shutdown is not None:
            self._shutdown.set()

    def kill_switch(self, reason: str = "") -> None:
        """From the engine's thread or by SIGUSR1, at any time: nothing but cancels leaves any more, and everything on the
        accounts is canceled until the venues confirm it. The engine goes on running, and none starts after it with these ids
        until `nexus-fast journal clear-kill` has been run."""
        if self.host is not None and not self._ending:
            self.host.safety.kill(reason)
        elif self._killed is None:
            self._killed = reason or "no reason given"
            leave_mark(self._mark, self._killed, self._log)
            self._log.critical(f"kill switch: {self._killed}; the engine {self._what_now()}")

    def _what_now(self) -> str:
        if self._ending:
            return "has ended but for its last steps, and cancels nothing any more: look at the accounts"
        return "starts with it: nothing but cancels will leave"

    def dispose(self) -> None:
        """Idempotent. From inside a callback it only asks for the end."""
        if self.loop is not None and self.loop.is_running():
            self.request_shutdown()
            return
        if self._disposed:
            return
        self._disposed = self._ending = True
        if self.core is not None:
            self.core.close(self._ended_cleanly)
        if self.loop is not None:
            with contextlib.suppress(RuntimeError):
                self.loop.run_until_complete(_end_tasks())
                self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            asyncio.set_event_loop(None)
            self.loop.close()
        self._signals.give_back()

    async def _run(self) -> None:
        self._shutdown = asyncio.Event()
        self._signals.to_loop(self.loop, self.request_shutdown)
        try:
            if not await self._unless_stopped(self._build()):
                return
            self._start_strategies()
            await self._shutdown.wait()
        finally:
            await self._stop()
            self._signals.from_loop(self.loop)

    async def _unless_stopped(self, work: Any) -> bool:
        """Run the work to its end, or until a signal asks for the end of everything; whether it was done and is to be gone on
        with."""
        task = self.loop.create_task(work)
        stop = self.loop.create_task(self._shutdown.wait())
        await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
        finished = task.done()
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
        self._poller = make_poller(self.loop, self.loop_config, self._log)
        self.host = Host(self.config, self.core, self.strategies, self.cache, self._poller, self._log)
        table = InstrumentTable(instruments)
        self.host.reload = Reload(self.host, table, self.endpoints, self._log)
        self.runtime = Runtime(self.host, table, self, self._log)
        self._tasks.keep("the upkeep", self._keep_up)
        self._make_accounts(private)
        self._make_feeds()
        self._set_default_accounts()
        self._attach_strategies()
        self.host.tracker.hold()
        if self._killed is not None:
            self.host.safety.kill(self._killed)
        recovery = Recovery(self.host, self.core.inheritance, self.config.open_orders_at_start, self._log)
        recovery.begin()
        await self._open_accounts()
        await self._recover(recovery)
        self.host.safety.start()
        self._log.info(
            f"built in {time.monotonic() - started:.2f} s: {len(instruments)} instruments, "
            f"{len(self.host.feeds)} feeds, {len(self.host.accounts)} accounts, loop {self.loop_config.mode}"
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

    def _make_accounts(self, private: list[tuple[ExchangeType, PrivateConnectorConfig]]) -> None:
        for index, (exchange, connector) in enumerate(private):
            basic = self.config.basic_config[exchange]
            self.host.safety.add(connector)
            account = make_account(self.host, connector, index, basic, self.endpoints)
            self.host.accounts[connector.account_type] = account

    def _make_feeds(self) -> None:
        for exchange, connectors in self.config.public_conn_config.items():
            for connector in connectors:
                testnet = self.config.basic_config[exchange].testnet
                feed = make_feed(self.host, connector, testnet, self.endpoints)
                self.host.feeds[connector.account_type] = feed

    def _set_default_accounts(self) -> None:
        """Once per symbol: which account its orders take without account_type=."""
        configured = list(self.host.accounts)
        chosen: dict[Any, Any] = {}
        for number, instrument in enumerate(self.core.instruments):
            key = (instrument.exchange, instrument.type)
            if key not in chosen:
                chosen[key] = account_for(*key, configured)
            if chosen[key] is not None:
                self.core.routes.set_default(number, self.host.accounts[chosen[key]].index)

    def _attach_strategies(self) -> None:
        names = [i.symbol for i in self.core.instruments]
        exchanges = [i.exchange for i in self.core.instruments]
        account_ids = {account_type: account.index for account_type, account in self.host.accounts.items()}
        for index, strategy in enumerate(self.strategies):
            attach(strategy, self.runtime, self.core.entry, index, self.core.symbol_ids, names, exchanges, account_ids)

    async def _open_accounts(self) -> None:
        """All at once. A refused key stops the build; a venue that is down does not: its orders are refused until it is up."""
        accounts = list(self.host.accounts.values())
        results = await asyncio.gather(*(account.open() for account in accounts), return_exceptions=True)
        for account, result in zip(accounts, results, strict=True):
            if isinstance(result, EngineBuildError):
                raise result
            if isinstance(result, BaseException):
                self._log.error(f"{account.account_type}: could not be opened: {told(result)}")
                self.host.spawn(self._open_later(account))
        opened = [a for a, result in zip(accounts, results, strict=True) if result is None]
        waiting = [self.loop.create_task(account.ready.wait()) for account in opened]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=READY_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
            for account in opened:
                if not account.ready.is_set():
                    self._log.error(f"{account.account_type}: not connected after {READY_SECONDS:.0f} s; going on without it")

    async def _recover(self, recovery: Recovery) -> None:
        """Before the strategies, of every account that is open; of the others as soon as they are."""

        async def recover(account: Any) -> None:
            await account.ready.wait()
            await recovery.recover(account)

        accounts = list(self.host.accounts.values())
        for account in accounts:
            if not account.ready.is_set():
                self.host.keep(f"{account.account_type}: the recovery", partial(recover, account))
        await asyncio.gather(*(recovery.recover(account) for account in accounts if account.ready.is_set()))

    async def _open_later(self, account: Any) -> None:
        wait = 1.0
        while not self._shutdown.is_set():
            await asyncio.sleep(wait)
            wait = min(2 * wait, 30.0)
            try:
                await account.open()
                return
            except Exception as error:
                self._log.error(f"{account.account_type}: still not open: {told(error)}")

    # ------------------------------------------------------------------------------------------ run

    def _start_strategies(self) -> None:
        self._started = True
        for feed in self.host.feeds.values():
            feed.open()
        self._tasks.keep("forgetting", self._forget)
        self.runtime.scheduler.start()
        for strategy in self.strategies:
            try:
                strategy.on_start()
            except Exception as error:
                self._log.exception(f"{type(strategy).__name__}.on_start raised {type(error).__name__}", error)
                raise
        self.host.tracker.release()
        self._tuning.apply()
        self.host.times.begin_anew()
        self._log.info("; ".join(f"{what}: {how}" for what, how in self._tuning.report.items()))
        if self._poller is not None:
            self._poller.on_news = self.host.tracker.drain
            self._poller.understudy = make_understudy(self.core, self.strategies)
            self._poller.start()

    async def _keep_up(self) -> None:
        """Everything that recurs and is cold: heartbeats, the journal's next pages, deadlines, the collector. A tick that comes
        in between waits for one chore, not for all."""
        while True:
            await asyncio.sleep(UPKEEP_SECONDS)
            for chore in (self.core.heartbeat, *self.host.chores(), self._forget_some, self._collect):
                try:
                    chore()
                except Exception as error:
                    self._log.exception("upkeep failed", error)
                await asyncio.sleep(0)
            if is_quiet(self._last_message_ns()):
                await self._settle_in_quiet()

    def _last_message_ns(self) -> int:
        return max((feed.last_message_ns for feed in self.host.market_feeds), default=0)

    def _collect(self) -> None:
        self._tuning.collect(self._last_message_ns())

    async def _settle_in_quiet(self) -> None:
        """Some orders, each in a turn of the loop of its own."""
        for _ in range(SETTLED_IN_QUIET):
            if not self.host.tracker.settle_some(1):
                return
            await asyncio.sleep(0)

    async def _forget(self) -> None:
        """As _forget_some; what is seldom there."""
        while True:
            await asyncio.sleep(FORGET_SECONDS)
            self.cache.forget_others(self._expired_ms())

    def _forget_some(self) -> None:
        """Closed orders leave the cache after Config.cache_expired_time seconds."""
        self.cache.forget_closed(self._expired_ms(), FORGOTTEN_AT_ONCE)

    def _expired_ms(self) -> int:
        return time.time_ns() // 1_000_000 - self.config.cache_expired_time * 1000

    def _wake(self) -> None:
        """From the hot path, which only ever schedules."""
        if self._poller is None or not self._poller.take_news():
            self.loop.call_soon(self.host.tracker.drain)

    def _on_strategy_error(self, strategy: Any, error: Exception) -> None:
        self._log.exception(f"{type(strategy).__name__} raised {type(error).__name__} on a quote", error)

    def _settle(self) -> None:
        if self.host is not None:
            self.host.tracker.settle()

    def _book(self, symbol: str) -> Any:
        return None if self.host is None else self.host.book(symbol)

    # ------------------------------------------------------------------------------------------ stop

    async def _stop(self) -> None:
        if self._started:
            for strategy in self.strategies:
                with _logged(self._log, f"{type(strategy).__name__}.on_stop"):
                    strategy.on_stop()
        if self.host is not None:
            self.host.tracker.drain()
            if self._started and self.config.exit_after_cancel:
                await self._cancel_open_orders()
            await self.host.safety.finish()
            self.runtime.scheduler.shutdown()
        if self._poller is not None:
            self._poller.stop()
        await self._tasks.close()
        if self.host is not None:
            await self.host.safety.stop()
            self._ending = True
            self._ended_cleanly = self._leaves_nothing()
            await self.host.close()
            for connector in (*self.host.feeds.values(), *self.host.accounts.values()):
                with _logged(self._log, "closing a connector"):
                    await connector.close()
        if self._started:
            self._tuning.restore()
            if self._report_file:
                self._write_report(self._report_file)

    def _leaves_nothing(self) -> bool:
        """What was to be canceled is. An engine that was never started has looked after nothing of what the last one left."""
        live = self.core.ledger.live()
        if not self._started:
            return not live
        return self.host.safety.is_finished and not (live and self.config.exit_after_cancel)

    def report(self) -> dict[str, Any]:
        """Counts of the run (rows_left_out: rows of venues' lists that could not be read, by kind); what kept a spinning loop
        from reading; with Config.measure where the time of ticks and orders went: name -> {n, p50, p90, p99, p999, max}, ns."""
        entry, counts = self.core.entry, self.host.tracker.counts
        return {
            "ticks": sum(feed.quotes for feed in self.host.market_feeds),
            "orders": entry.sent,
            "fills": counts["fills"],
            "rejects": counts["rejected"] + counts["refused"],
            "canceled": counts["canceled"],
            "unlisted_positions": {
                name: str(position.signed_amount) for name, position in self.cache.get_unlisted_positions().items()
            },
            "contradictions": counts["contradictions"],
            "holes_given_up": counts["holes_given_up"],
            "callback_errors": self.core.dispatcher.errors,
            "rows_left_out": dict(left_out),
            "unusable_answers": self.host.unusable,
            "feeds": [feed.counters() for feed in self.host.market_feeds],
            "loop": self.loop_config.mode,
            "pauses_ns": {} if self._poller is None else self._poller.pauses(),
            "engine_ns": entry.stages.summary() if self.config.measure else {},
        }

    def _write_report(self, file: str) -> None:
        import msgspec

        try:
            replace_file(file, msgspec.json.format(msgspec.json.encode(self.report())))
        except OSError as error:
            self._log.error(f"{REPORT_VARIABLE}={file}: the figures of the run could not be written: {error.strerror}")

    async def _cancel_open_orders(self) -> None:
        """Cancel what is open, also what is unanswered, and wait until the venue has said so of each."""
        ledger = self.core.ledger
        until = time.monotonic() + CANCEL_SECONDS
        again = 0.0
        while (live := ledger.live()) and time.monotonic() < until:
            if time.monotonic() >= again:
                again = time.monotonic() + 1.0
                for number in live:
                    ledger.cancel(number)
            await asyncio.sleep(0.02)
        if live:
            names = [ledger.fields(number)["client_id"] for number in live]
            self._log.error(f"{len(live)} orders may still be open at the venue: {', '.join(names[:10])}")


def _require_no_running_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise EngineBuildError(
        "Engine.start() was called inside an event loop that runs already (a notebook, or `async def`), and the engine runs a "
        "loop of its own. Call it in a script (`nexus-fast run FILE.py`), or in another thread: "
        "await asyncio.to_thread(engine.start)."
    )


async def _end_tasks() -> None:
    """A build that failed leaves the rest of its work behind."""
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@contextlib.contextmanager
def _logged(log: Logger, what: str):
    try:
        yield
    except Exception as error:
        log.exception(f"{what} raised {type(error).__name__}", error)


logging.getLogger("nexus_fast.picows").setLevel(logging.WARNING)
