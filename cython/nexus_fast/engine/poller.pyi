import asyncio
from collections.abc import Callable

from nexus_fast.engine.dead_end import DeadEnd
from nexus_fast.engine.dispatch import Dispatcher
from nexus_fast.engine.hot_connection import HotConnection
from nexus_fast.engine.waiter import Waiter
from nexus_fast.feed.commands import DeferredMessages
from nexus_fast.strategy import Strategy

class Poller:
    running: bool
    spinning: bool
    waiting: bool
    turns: int
    dead_end: DeadEnd | None
    understudy: Strategy | None
    deferred: DeferredMessages
    on_news: Callable[[], object] | None
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        spin_us: float = 50.0,
        idle_ms: float = 0.0,
        warm: bool = False,
        waiter: Waiter | None = None,
        spins: bool = True,
        dispatcher: Dispatcher | None = None,
    ) -> None: ...
    def add(self, connection: HotConnection) -> None: ...
    def remove(self, connection: HotConnection) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def wake(self) -> None: ...
    def take_news(self) -> bool: ...
    def rest(self) -> None: ...
    def __call__(self) -> None: ...
    def pauses(self) -> dict[str, dict[str, float]]: ...
