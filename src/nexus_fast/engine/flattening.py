"""Close the positions that the strategies' symbols have: with reduce-only market orders, through the gate and the routes that
every order takes, until there is no position or its time is over.

The strategies' symbols are those that one of them has subscribed to or sent an order for. Spot has no positions and is left as it
is."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

from nexus_fast.constants import OrderSide, OrderType
from nexus_fast.engine.host import Host
from nexus_fast.error import NexusError
from nexus_fast.log import Logger
from nexus_fast.schema import Position

FLATTEN_SECONDS = 15.0
LOOK_SECONDS = 0.05


class Flattening:
    """`sending`: orders may leave within it. `answers`: waits until orders, by number, have been answered."""

    def __init__(
        self,
        host: Host,
        sending: Callable[[], AbstractContextManager[list[int]]],
        answers: Callable[[Sequence[int]], Awaitable[None]],
        log: Logger,
    ):
        self._host = host
        self._sending = sending
        self._answers = answers
        self._log = log

    @staticmethod
    def open_positions(host: Host) -> Iterator[tuple[Any, Position]]:
        """(account, position) of everything that is to be closed."""
        routes, ids = host.core.routes, host.core.symbol_ids
        for account_type, account in host.accounts.items():
            for symbol, position in host.cache.positions_of(account_type).items():
                if symbol in ids and routes.has(ids[symbol], account.index):
                    yield account, position

    async def run(self) -> None:
        until = time.monotonic() + FLATTEN_SECONDS
        while (held := list(self.open_positions(self._host))) and time.monotonic() < until:
            sent: list[int] = []
            for account, position in held:
                with self._sending() as numbers:
                    self._close(account, position)
                sent += numbers
            self._host.tracker.drain()
            await self._answers(sent)
            await asyncio.sleep(LOOK_SECONDS)

    def _close(self, account: Any, position: Position) -> None:
        side = OrderSide.SELL if position.signed_amount > 0 else OrderSide.BUY
        amount = min(position.amount, self._most(position.symbol))
        strategy = self._host.strategies[self._owner(position.symbol)]
        try:
            strategy.create_order(
                position.symbol, side, OrderType.MARKET, amount, reduce_only=True, account_type=account.account_type
            )
        except NexusError as error:
            self._log.error(f"the position in {position.symbol} could not be closed: {error}")

    def _most(self, symbol: str) -> Decimal:
        """That one market order may have; what is left is closed by the next."""
        instrument = self._host.core.instruments[self._host.core.symbol_ids[symbol]]
        limits = (instrument.market_max_quantity, self._host.config.risk.limits_of(symbol).max_quantity)
        return min((limit for limit in limits if limit), default=Decimal("Infinity"))

    def _owner(self, symbol: str) -> int:
        """Index of the strategy that traded the symbol last; 0 when none has."""
        ledger = self._host.core.ledger
        orders = (self._host.cache.get_order(oid) for oid in self._host.cache.get_symbol_orders(symbol))
        for order in sorted((o for o in orders if o is not None), key=lambda o: o.timestamp or 0, reverse=True):
            number = ledger.find(order.oid)
            if number:
                return ledger.fields(number)["strategy"]
        return 0
