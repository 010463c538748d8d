"""`Strategy.schedule`: APScheduler's triggers, with every job run on the engine's own thread.

NexusTrader runs jobs on a pool of threads, from where an order leaves late or never. Here a job is a call of the loop:
it may do what a callback may, and what it costs, the feed waits. APScheduler is imported at the first schedule().
"""

import inspect
import time
from collections.abc import Callable
from typing import Any

from nexus_fast.error import CallbackInterrupted, ConfigurationError
from nexus_fast.order.watch import CallbackWatch

TRIGGERS = ("interval", "cron", "date")


class Scheduler:
    """Jobs may be added before start(); they run from then on, until shutdown()."""

    def __init__(self, watch: CallbackWatch):
        self._watch = watch
        self._scheduler: Any = None
        self._running = False

    def add(self, func: Callable, trigger: str = "interval", owner: Any = None, **options: Any) -> Any:
        """func: a function or a coroutine function. owner: the strategy whose job it is. options: the trigger's (seconds=,
        hour=, run_date=, …) and the job's (args=, kwargs=, name=, next_run_time=, …). Returns APScheduler's job, which can be
        removed and paused.
        """
        if not callable(func):
            raise ConfigurationError(f"schedule({func!r}): that is not callable; give the function, not its result.")
        if trigger not in TRIGGERS and isinstance(trigger, str):
            raise ConfigurationError(f"schedule(trigger={trigger!r}): there are {', '.join(map(repr, TRIGGERS))}.")
        options.setdefault("name", _name(func))
        try:
            return self._built().add_job(self._guarded(func, owner), trigger=trigger, **options)
        except (TypeError, ValueError, LookupError) as error:
            raise ConfigurationError(f"schedule({_name(func)}, {trigger!r}, {options}): {error}") from error

    def start(self) -> None:
        """On the loop's thread, while the loop runs."""
        self._running = True
        if self._scheduler is not None and not self._scheduler.running:
            self._scheduler.start()

    def shutdown(self) -> None:
        """No job begins after this. Harmless when called again."""
        self._running = False
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None and scheduler.running and not scheduler._eventloop.is_closed():
            scheduler.shutdown(wait=False)

    def _built(self) -> Any:
        if self._scheduler is None:
            self._scheduler = _build()
        if self._running and not self._scheduler.running:
            self._scheduler.start()
        return self._scheduler

    def _guarded(self, func: Callable, owner: Any) -> Callable:
        """The same call; what it raises goes to the log, and the job lives on. Nothing is called once the
        scheduler is shut down: APScheduler itself ends a turn of the loop later."""
        watch, name = self._watch, f"schedule({_name(func)})"
        if _is_coroutine_function(func):

            async def run(*args: Any, **kwargs: Any) -> Any:
                if not self._running:
                    return None
                try:
                    answer = await func(*args, **kwargs)
                except (Exception, CallbackInterrupted) as error:
                    watch.raised(owner, name, error)
                    return None
                watch.went_well(owner, name)
                return answer

        else:

            def run(*args: Any, **kwargs: Any) -> Any:
                if not self._running:
                    return None
                began = time.perf_counter()
                try:
                    answer = func(*args, **kwargs)
                except (Exception, CallbackInterrupted) as error:
                    watch.raised(owner, name, error)
                    return None
                finally:
                    watch.took(owner, name, time.perf_counter() - began)
                watch.went_well(owner, name)
                return answer

        run.__name__ = run.__qualname__ = _name(func)
        return run


def _name(func: Callable) -> str:
    return getattr(func, "__name__", None) or type(func).__name__


def _is_coroutine_function(func: Callable) -> bool:
    return inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(type(func).__call__)


def _build() -> Any:
    from apscheduler.executors.asyncio import AsyncIOExecutor
    from apscheduler.executors.base import run_job
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    class LoopExecutor(AsyncIOExecutor):
        """Coroutines as tasks, as its base does; functions called here and now, where its base takes a thread."""

        def _do_submit_job(self, job: Any, run_times: list) -> None:
            if _is_coroutine_function(job.func):
                super()._do_submit_job(job, run_times)
                return
            events = run_job(job, job._jobstore_alias, run_times, self._logger.name)
            self._run_job_success(job.id, events)

    # A job that comes late (a busy feed, a sleeping laptop) runs once, then goes on in step.
    return AsyncIOScheduler(
        executors={"default": LoopExecutor()}, job_defaults={"coalesce": True, "misfire_grace_time": None}
    )
