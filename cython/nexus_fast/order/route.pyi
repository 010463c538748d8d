from collections.abc import Sequence

from nexus_fast.gateway.channel import Channel
from nexus_fast.gateway.template import TemplateSet
from nexus_fast.order.budget import Budget

class Route:
    def __init__(
        self,
        instrument: object,
        symbol_id: int,
        account: int,
        templates: TemplateSet,
        channels: Sequence[Channel],
        risk: object = None,
        budgets: tuple[Sequence[Budget], Sequence[Budget]] = ...,
    ) -> None: ...

class RouteTable:
    def __init__(self, symbols: int, accounts: int) -> None: ...
    def set_default(self, symbol_id: int, account: int) -> None: ...
    def default(self, symbol_id: int) -> int | None: ...
    def add(self, route: Route) -> None: ...
    def has(self, symbol_id: int, account: int) -> bool: ...
