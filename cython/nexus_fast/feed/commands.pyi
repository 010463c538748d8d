from collections.abc import Callable

from nexus_fast.feed.frames import PayloadHandler
from nexus_fast.order.entry import OrderEntry

class DeferredMessages:
    active: bool
    def run_all(self) -> None: ...
    def __len__(self) -> int: ...

class CommandFeed(PayloadHandler):
    def __init__(
        self,
        on_message: Callable[[bytes], None],
        on_error: Callable[[bytes, Exception], None],
        deferred: DeferredMessages | None = None,
    ) -> None: ...

class OrderFeed(CommandFeed):
    accepted: int
    repeated: int
    def __init__(
        self,
        entry: OrderEntry,
        on_message: Callable[[bytes], None],
        on_error: Callable[[bytes, Exception], None],
        deferred: DeferredMessages | None = None,
    ) -> None: ...
