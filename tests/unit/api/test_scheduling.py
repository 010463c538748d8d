"""Jobs of schedule(): on the loop's own thread, and an exception ends none."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from nexus_fast.error import ConfigurationError
from nexus_fast.order.watch import CallbackWatch
from nexus_fast.scheduling import Scheduler


class Log:
    def __init__(self):
        self.errors = []

    def exception(self, message, error):
        self.errors.append((message, error))

    def error(self, message):
        self.errors.append((message, None))


def run(scenario, timeout=20):
    async def bounded():
        return await asyncio.wait_for(scenario(), timeout)

    return asyncio.run(bounded())


async def until(condition):
    while not condition():
        await asyncio.sleep(0.005)


@pytest.fixture
def scheduler():
    log = Log()
    made = Scheduler(CallbackWatch(log))
    made.errors = log.errors
    yield made
    made.shutdown()


def test_a_function_runs_on_the_loops_thread_again_and_again(scheduler):
    threads = []

    async def scenario():
        scheduler.add(lambda: threads.append(threading.get_ident()), "interval", seconds=0.01)
        scheduler.start()
        await until(lambda: len(threads) >= 3)
        return threading.get_ident()

    here = run(scenario)
    assert set(threads) == {here}


def test_a_coroutine_function_runs_on_the_loop(scheduler):
    ran = []

    async def job():
        await asyncio.sleep(0)
        ran.append(threading.get_ident())

    async def scenario():
        scheduler.start()
        scheduler.add(job, seconds=0.01)
        await until(lambda: len(ran) >= 2)
        assert set(ran) == {threading.get_ident()}

    run(scenario)


def test_no_job_runs_before_the_start(scheduler):
    ran = []

    async def scenario():
        scheduler.add(lambda: ran.append(1), "date", run_date=datetime.now(UTC) + timedelta(milliseconds=1))
        await asyncio.sleep(0.05)
        assert ran == []
        scheduler.start()
        await until(lambda: ran)

    run(scenario)


def test_an_exception_is_logged_with_its_traceback_and_the_job_lives(scheduler):
    calls = []

    def broken():
        calls.append(1)
        raise RuntimeError("boom")

    async def broken_too():
        calls.append(2)
        raise RuntimeError("bang")

    async def scenario():
        scheduler.add(broken, seconds=0.01)
        scheduler.add(broken_too, seconds=0.01)
        scheduler.start()
        await until(lambda: calls.count(1) >= 2 and calls.count(2) >= 2)

    run(scenario)
    messages = {message: error for message, error in scheduler.errors}
    assert str(messages["schedule(broken) raised RuntimeError"]) == "boom"
    assert messages["schedule(broken_too) raised RuntimeError"].__traceback__ is not None
    assert sum(message.startswith("schedule(broken) raised") for message, _ in scheduler.errors) == 1


def test_no_job_begins_after_the_shutdown(scheduler):
    ran = []

    async def scenario():
        scheduler.add(lambda: ran.append(1), seconds=0.01)
        scheduler.start()
        await until(lambda: ran)
        scheduler.shutdown()
        scheduler.shutdown()
        count = len(ran)
        await asyncio.sleep(0.05)
        assert len(ran) == count

    run(scenario)


def test_a_job_can_be_removed(scheduler):
    ran = []

    async def scenario():
        job = scheduler.add(lambda: ran.append(1), seconds=0.01)
        scheduler.start()
        await until(lambda: ran)
        job.remove()
        count = len(ran)
        await asyncio.sleep(0.05)
        assert len(ran) == count

    run(scenario)


@pytest.mark.parametrize(
    ("arguments", "options", "text"),
    [
        ((3,), {"seconds": 1}, "not callable"),
        ((print, "sometimes"), {}, "'interval', 'cron', 'date'"),
        ((print, "interval"), {"lightyears": 1}, "lightyears"),
        ((print, "cron"), {"hour": "noon"}, "noon"),
    ],
)
def test_bad_arguments_are_named(scheduler, arguments, options, text):
    with pytest.raises(ConfigurationError, match=text):
        scheduler.add(*arguments, **options)
