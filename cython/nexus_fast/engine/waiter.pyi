import asyncio

class Waiter:
    loop: asyncio.AbstractEventLoop
    waits: int
    @property
    def turns(self) -> int: ...
    def __init__(self, loop: asyncio.AbstractEventLoop, patience_us: float = 50.0) -> None: ...

def what_is_lacking() -> str: ...
