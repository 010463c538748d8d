import asyncio

from nexus_fast.feed.frames import PayloadHandler

class HotConnection:
    loop: asyncio.AbstractEventLoop
    descriptor: int
    handler: PayloadHandler
    urgent: bool
    polled: bool
    plain: object | None
    def __init__(
        self, loop: asyncio.AbstractEventLoop, transport: object, handler: PayloadHandler, urgent: bool
    ) -> None: ...
    def take(self) -> None: ...
    def give_back(self) -> None: ...
