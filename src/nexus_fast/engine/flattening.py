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
from nexus_fast.exchange.instrument import Instrument, round_to_step
from nexus_fast.log import Logger
from nexus_fast.schema import Position

FLATTEN_SECONDS = 15.0
LOOK_SECONDS = 0.05
SPARE = Decimal("0.9")
FIRST_WAIT, LAST_WAIT = 0.5, 2.0     # for a position that does not move, before the next order; doubles


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
        until, wait = time.monotonic() + FLATTEN_SECONDS, FIRST_WAIT
        while (held := self._held()) and time.monotonic() < until:
            await self._answers(self._close_all())
            has_moved = await self._has_moved(held, min(until, time.monotonic() + wait))
            wait = FIRST_WAIT if has_moved else min(2 * wait, LAST_WAIT)

    def _held(self) -> dict[tuple[int, str], Decimal]:
        return {(account.index, p.symbol): p.signed_amount for account, p in self.open_positions(self._host)}

    async def _has_moved(self, held: dict[tuple[int, str], Decimal], until: float) -> bool:
        """What an order did may be known a moment after its end is."""
        while (same := self._held() == held) and time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)
        return not same

    def _close_all(self) -> list[int]:
        """Numbers of the orders that were sent."""
        sent: list[int] = []
        for account, position in list(self.open_positions(self._host)):
            with self._sending() as numbers:
                self._close(account, position)
            sent += numbers
        self._host.tracker.drain()
        return sent

    def _close(self, account: Any, position: Position) -> None:
        side = OrderSide.SELL if position.signed_amount > 0 else OrderSide.BUY
        amount = min(position.amount, self._most(position.symbol))
        owner = self._owner(position.symbol)
        try:
            with self._host.halts.lifted(owner):
                self._host.strategies[owner].create_order(
                    position.symbol, side, OrderType.MARKET, amount, reduce_only=True, account_type=account.account_type
                )
        except NexusError as error:
            self._log.error(f"the position in {position.symbol} could not be closed: {error}")

    def _most(self, symbol: str) -> Decimal:
        """That one market order may have; what is left is closed by the next."""
        instrument, risk = self._instrument(symbol), self._host.config.risk.limits_of(symbol)
        limits = [instrument.market_max_quantity, risk.max_quantity, self._for_money(instrument, risk.max_notional)]
        most = min((limit for limit in limits if limit), default=None)
        return Decimal("Infinity") if most is None else round_to_step(most, instrument.market_lot_size, "floor")

    def _for_money(self, instrument: Instrument, notional: Decimal | None) -> Decimal | None:
        """The quantity of a notional; a tenth less where it depends on the price, which may move."""
        if notional is None:
            return None
        if instrument.is_inverse:
            return notional / instrument.contract_size
        book = self._host.book(instrument.symbol)
        return None if book is None else SPARE * notional / (book.ask_decimal * instrument.contract_size)

    def _instrument(self, symbol: str) -> Instrument:
        return self._host.core.instruments[self._host.core.symbol_ids[symbol]]

    def _owner(self, symbol: str) -> int:
        """Index of the strategy that traded the symbol last; 0 when none has."""
        ledger = self._host.core.ledger
        orders = (self._host.cache.get_order(oid) for oid in self._host.cache.get_symbol_orders(symbol))
        for order in sorted((o for o in orders if o is not None), key=lambda o: o.timestamp or 0, reverse=True):
            number = ledger.find(order.oid)
            if number:
                return ledger.fields(number)["strategy"]
        return 0
