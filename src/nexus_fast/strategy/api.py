"""The cold half of Strategy: what the modules beside this one hold, timers, parameters, and the engine itself.

`StrategyApi` is a mixin without fields. What it needs stands in `self._nexus_runtime`, which the engine sets when it is
built; before that every method raises StrategyBuildError. The runtime has

    subscribe(strategy, data_type, symbols, **options)      symbols: list of checked symbols
    unsubscribe(strategy, data_type, symbols, **options)
    ready(strategy) -> bool                                 every subscription with ready=True has had its first data
    request(name, **arguments) -> Any                       a REST question, safe on the loop's own thread
    request_async(name, **arguments) -> Awaitable           the same on the loop, which goes on meanwhile
    api(account_type) -> object                             the account's REST methods
    stop()                                                  as Ctrl+C
    kill(reason)                                            the kill switch
    instruments                                             nexus_fast.exchange.instrument.InstrumentTable
    scheduler                                               nexus_fast.scheduling.Scheduler
    private_accounts                                        account types with a private connector
    protect(strategy, order, take_profit, stop_loss) -> str the entry's oid; see create_tp_sl_order
    set_reconcile_grace_ms(exchange, grace_ms)
"""

import time
import warnings
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

from nexus_fast.constants import ParamBackend
from nexus_fast.strategy.callbacks import Callbacks
from nexus_fast.strategy.composed_orders import ComposedOrders
from nexus_fast.strategy.markets import Markets
from nexus_fast.strategy.requests import Requests
from nexus_fast.strategy.runtime_access import engine_of
from nexus_fast.strategy.subscriptions import Subscriptions


class StrategyApi(Subscriptions, Markets, Requests, ComposedOrders, Callbacks):
    __slots__ = ()

    @property
    def ready(self) -> bool:
        """Whether every subscription made with ready=True has had its first data; True when there is none."""
        return engine_of(self, "ready").ready(self)

    def stop(self) -> None:
        """Ends the engine as Ctrl+C does: nothing opens from now on; on_stop, then what Config.on_stop asks for, then the end."""
        engine_of(self, "stop").stop()

    def kill_switch(self, reason: str = "") -> None:
        """Nothing but cancels leaves any more, from any strategy, and everything on the accounts is canceled, whoever
        placed it, until the venues confirm that no order is open: on_private_ws_status says "halted", then "halted_empty".
        The engine goes on running, and none starts after it with these ids until `nexus-fast journal clear-kill`."""
        engine_of(self, "kill_switch").kill(reason)

    def wait(self, seconds: float) -> None:
        """Sleeps on the engine's thread: no tick and no fill is seen meanwhile. A job of schedule() does without."""
        time.sleep(seconds)

    # ------------------------------------------------------------------------------------------ timers

    def schedule(
        self, func: Callable, trigger: Literal["interval", "cron", "date"] = "interval", **kwargs: Any
    ) -> Any:
        """Runs func on the engine's thread: every seconds=/minutes=/… (interval), at hour=/minute=/… (cron), or at
        run_date= (date). Further arguments are APScheduler's. Returns the job."""
        return engine_of(self, "schedule").scheduler.add(func, trigger, owner=self, **kwargs)

    def set_timer(
        self,
        callback: Callable,
        interval: timedelta,
        name: str | None = None,
        start_time: datetime | None = None,
        stop_time: datetime | None = None,
    ) -> Any:
        """Deprecated: schedule(callback, seconds=…)."""
        warnings.warn("set_timer() is deprecated, use schedule() instead", DeprecationWarning, stacklevel=2)
        options = {"seconds": interval.total_seconds(), "name": name, "start_date": start_time, "end_date": stop_time}
        return self.schedule(callback, "interval", **{k: v for k, v in options.items() if v is not None})

    # ------------------------------------------------------------------------------------------ parameters

    def param(
        self,
        name: str,
        value: Any = None,
        default: Any = None,
        backend: Literal["memory", "redis"] = "memory",
    ) -> Any:
        """Sets the parameter when a value is given, and returns it otherwise. Parameters live in memory."""
        engine_of(self, "param")
        if value is None:
            return self.cache.get_param(name, default, ParamBackend(backend))
        self.cache.set_param(name, value, ParamBackend(backend))
        return None

    def clear_param(self, name: str | None = None, backend: Literal["memory", "redis"] = "memory") -> None:
        """Clears one parameter, or all."""
        engine_of(self, "clear_param")
        self.cache.clear_param(name, ParamBackend(backend))
