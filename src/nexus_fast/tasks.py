"""Work on the event loop that has an owner: it ends with its owner, and it never ends without a word before that.

    spawn(work)         once; what it raises is logged
    to_the_end(work)    awaits the work to its end, canceled or not; a cancellation is passed on afterwards
    keep(what, make)    until what make() returns has come to its end: an error is counted and logged, and it is started again
                        after a wait that doubles, from FIRST_WAIT to LAST_WAIT seconds
"""

import asyncio
import time
from collections.abc import Callable, Coroutine

from nexus_fast.log import Logger

FIRST_WAIT, LAST_WAIT = 1.0, 30.0


class Tasks:
    """`failures`: how often something that is kept had to be started again."""

    def __init__(self, log: Logger):
        self.failures = 0
        self._log = log
        self._tasks: set[asyncio.Task] = set()
        self._closing = False

    def spawn(self, work: Coroutine) -> asyncio.Task | None:
        """None once close() was called: nothing is begun any more."""
        if self._closing:
            work.close()
            return None
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def keep(self, what: str, make: Callable[[], Coroutine]) -> asyncio.Task | None:
        """`what` names it in the log."""
        return self.spawn(self._keep(what, make))

    async def close(self) -> None:
        self._closing = True
        left = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _keep(self, what: str, make: Callable[[], Coroutine]) -> None:
        wait = FIRST_WAIT
        while True:
            began = time.monotonic()
            try:
                await make()
                return
            except Exception as error:
                if time.monotonic() - began > LAST_WAIT:
                    wait = FIRST_WAIT                # it had gone well for a while
                self.failures += 1
                self._log.exception(f"{what} failed and is started again in {wait:g} s", error)
            await asyncio.sleep(wait)
            wait = min(2 * wait, LAST_WAIT)

    def _on_done(self, task: asyncio.Task) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._log.exception(f"{task.get_name()} failed", task.exception())


async def to_the_end(work: Coroutine) -> None:
    task = asyncio.ensure_future(work)
    canceled = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            canceled = error
    task.result()
    if canceled is not None:
        raise canceled
