"""Bybit's private stream: bytes in, the engine's words out.

Source: bybit-exchange.github.io/docs/v5/websocket/private. {"topic":…,"creationTime":…,"data":[…]}; a message may hold several
rows, of several categories. Options and what else is not traded here is left out.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from nexus_fast.exact import exactly
from nexus_fast.exchange.bybit.fills import ExecutionRow, Fills, execution_rows
from nexus_fast.exchange.bybit.snapshot import (
    OrderRow,
    PositionRow,
    balances_of,
    order_rows,
    order_update,
    position_rows,
    position_update,
    type_of,
    wallet_rows,
)
from nexus_fast.exchange.rows import unreadable
from nexus_fast.order.events import BalanceUpdate, OrderUpdate, PositionUpdate, Unreadable

Event = OrderUpdate | BalanceUpdate | PositionUpdate | Unreadable
TOPICS = ["order", "execution", "position", "wallet"]
FAST_TOPIC = "execution.fast"


class Message(Struct, rename="camel"):
    """A push has a topic, a reply to a request an op."""

    topic: str = ""
    op: str = ""
    success: bool | None = None
    ret_msg: str = msgspec.field(name="ret_msg", default="")
    creation_time: int | None = None
    data: Raw = Raw()


_message = msgspec.json.Decoder(Message)


def decode_message(payload: bytes) -> Message:
    return _message.decode(payload)


class UserData:
    """`fee_currency(category, venue_symbol)`: what a contract is settled in, for messages that do not say.
    `on_hedged(venue_symbol)`: a position of hedge mode, which the engine has no place for."""

    def __init__(self, fee_currency: Callable[[str, str], str | None], on_hedged: Callable[[str], None]):
        self.fills = Fills()
        self._fee_currency = fee_currency
        self._on_hedged = on_hedged
        self._converters: dict[str, Callable[[Message], list[Any]]] = {
            "order": self._on_orders,
            "execution": self._on_executions,
            FAST_TOPIC: self._on_executions,
            "position": self._on_positions,
            "wallet": self._on_wallets,
        }

    @exactly
    def events(self, message: Message) -> list[Event]:
        """Raises msgspec.ValidationError for a known topic whose content cannot be read: it must not pass unseen."""
        convert = self._converters.get(message.topic)
        return convert(message) if convert else []

    def _on_orders(self, message: Message) -> list[Event]:
        def convert(row: OrderRow) -> OrderUpdate | None:
            if type_of(row.category) is None:
                return None
            update = order_update(row)
            self.fills.on_order(update)
            return update

        found = order_rows.decode(message.data, convert)
        return [*found, *unreadable(found)]

    def _on_executions(self, message: Message) -> list[Event]:
        def convert(row: ExecutionRow) -> OrderUpdate | None:
            update = self.fills.on_execution(row) if type_of(row.category) is not None else None
            return None if update is None else self._with_currency(update, row.category)

        found = execution_rows.decode(message.data, convert)
        return [*found, *unreadable(found)]

    def _with_currency(self, update: OrderUpdate, category: str) -> OrderUpdate:
        if update.fee is not None and update.fee_currency is None:
            update.fee_currency = self._fee_currency(category, update.venue_symbol)
        return update

    def _on_positions(self, message: Message) -> list[Event]:
        def convert(row: PositionRow) -> PositionUpdate | None:
            if row.position_idx:
                self._on_hedged(row.symbol)
                return None
            return position_update(row, row.category)

        found = position_rows.decode(message.data, convert)
        return [*found, *unreadable(found)]

    def _on_wallets(self, message: Message) -> list[Event]:
        balances = balances_of(wallet_rows.decode(message.data))
        found = [BalanceUpdate(balances=dict(balances), time_ms=message.creation_time)] if balances else []
        return [*found, *unreadable(balances)]
