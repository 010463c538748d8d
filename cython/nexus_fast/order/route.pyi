from collections.abc import Sequence

from nexus_fast.gateway.channel import Channel
from nexus_fast.gateway.template import TemplateSet

class Route:
    def __init__(
        self,
        instrument: object,
        symbol_id: int,
        account: int,
        templates: TemplateSet,
        channels: Sequence[Channel],
        risk: object = None,
    ) -> None: ...

class RouteTable:
    def __init__(self, symbols: int, accounts: int) -> None: ...
    def set_default(self, symbol_id: int, account: int) -> None: ...
    def default(self, symbol_id: int) -> int | None: ...
    def add(self, route: Route) -> None: ...
    def has(self, symbol_id: int, account: int) -> bool: ...
