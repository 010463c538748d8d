from collections.abc import Callable

from nexus_fast.feed.frames import PayloadHandler
from nexus_fast.gateway.channel import Channel
from nexus_fast.order.entry import OrderEntry

class ResponseReader:
    handler: PayloadHandler
    unfinished: bool
    accepted: int
    def __init__(
        self,
        channel: Channel,
        entry: OrderEntry,
        on_bytes: Callable[[bytes], None],
        on_free: Callable[[], None],
        on_lost: Callable[[Exception | None], None],
    ) -> None: ...
    def feed(self, data: bytes) -> None: ...
