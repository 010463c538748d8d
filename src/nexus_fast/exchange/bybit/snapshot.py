"""Bybit's words about an account, by REST and by the private stream alike: an order, a position, a wallet.

Source: bybit-exchange.github.io/docs/v5, order/open-order, position, account/wallet-balance and websocket/private. Numbers are
texts, empty or null where there is nothing to say.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from nexus_fast.constants import InstrumentType
from nexus_fast.exact import exactly
from nexus_fast.exchange.bybit.instruments import TYPES
from nexus_fast.exchange.rows import Found, Named, Rows, odd_in
from nexus_fast.order.events import OrderUpdate, PositionUpdate

ZERO = Decimal(0)
Text = str | None
# orderStatus to event (docs/v5/enum#orderstatus). A conditional order rests until it is triggered.
STATUSES = {
    "New": "ACCEPTED",
    "Untriggered": "ACCEPTED",
    "Triggered": "ACCEPTED",
    "PartiallyFilled": "FILL",
    "Filled": "FILLED",
    "Cancelled": "CANCELED",
    "PartiallyFilledCanceled": "CANCELED",
    "Deactivated": "CANCELED",
    "Rejected": "REJECTED",
}
NO_REASON = (None, "", "EC_NoError", "EC_PerCancelRequest")


class OrderRow(Struct, rename="camel"):
    order_id: str
    order_status: str
    symbol: str
    category: str = ""
    order_link_id: str = ""
    order_type: str = ""
    price: Text = ""
    qty: Text = ""
    avg_price: Text = ""
    cum_exec_qty: Text = ""
    cum_exec_value: Text = ""
    reject_reason: Text = ""
    side: str = ""
    time_in_force: str = ""
    reduce_only: bool = False
    updated_time: Text = ""


class PositionRow(Struct, rename="camel"):
    """The private stream calls the entry price entryPrice, REST avgPrice."""

    symbol: str
    side: str = ""
    size: str = "0"
    position_idx: int = 0
    entry_price: Text = ""
    avg_price: Text = ""
    unrealised_pnl: Text = ""
    cum_realised_pnl: Text = ""
    updated_time: Text = ""
    category: str = ""


class _Coin(Struct, rename="camel"):
    coin: str
    wallet_balance: Text = ""
    locked: Text = ""


class Wallet(Struct, rename="camel"):
    account_type: str = ""
    coin: Raw = Raw(b"[]")


class _List(Struct):
    rows: Raw = field(name="list")


_list = msgspec.json.Decoder(_List)
order_rows, position_rows = Rows(OrderRow, "Bybit orders", "orderId"), Rows(PositionRow, "Bybit positions", "symbol")
wallet_rows, _coin_rows = Rows(Wallet, "Bybit wallets", "accountType"), Rows(_Coin, "Bybit balances", "coin")


def number(text: Text) -> Decimal | None:
    """None for an empty text. Raises ValueError or ArithmeticError for what is no finite number."""
    if not text:
        return None
    found = Decimal(text)
    if not found.is_finite():
        raise ValueError(f"{text!r} is not a finite number")
    return found


def exact(text: Text) -> Decimal:
    """Raises ValueError also for an empty text."""
    found = number(text)
    if found is None:
        raise ValueError("a number is missing")
    return found


def milliseconds(text: Text) -> int | None:
    return int(text) if text and text.isdigit() else None


def rows_of(result: bytes | Raw) -> Raw:
    """The list in an answer's `result`."""
    return _list.decode(result).rows


def read_orders(result: bytes | Raw, category: str) -> Found:
    """Of order/realtime and order/history, whose rows do not say the category. With `odd` it is not complete."""

    def convert(row: OrderRow) -> OrderUpdate:
        row.category = category
        return order_update(row)

    return order_rows.decode(rows_of(result), convert)


def read_positions(result: bytes | Raw, convert: Callable[[PositionRow], Any] | None = None) -> Found:
    """The rows, or what is made of them. With `odd` it is not complete."""
    return position_rows.decode(rows_of(result), convert)


def read_balances(result: bytes | Raw) -> Named:
    """(free, locked) by asset, of wallet-balance. With `odd` it is not complete."""
    return balances_of(wallet_rows.decode(rows_of(result)))


@exactly
def order_update(row: OrderRow) -> OrderUpdate:
    """Raises msgspec.ValidationError for a status nobody knows: nothing is concluded from it."""
    event = STATUSES.get(row.order_status)
    if event is None:
        raise msgspec.ValidationError(f"order status {row.order_status!r} is not one that is known")
    filled = number(row.cum_exec_qty) or ZERO
    return OrderUpdate(
        event=event,
        client_id=row.order_link_id,
        venue_id=row.order_id,
        venue_symbol=row.symbol,
        filled=filled,
        # A market order's price is the worst that the venue would have taken.
        price=None if row.order_type == "Market" else number(row.price),
        quantity=number(row.qty),
        average=(number(row.avg_price) or None) if filled else None,
        cost=number(row.cum_exec_value) if filled else None,
        time_ms=milliseconds(row.updated_time),
        reason=None if row.reject_reason in NO_REASON or event == "FILLED" else row.reject_reason,
        side=row.side.upper() or None,
        type="POST_ONLY" if row.time_in_force == "PostOnly" else row.order_type.upper() or None,
        reduce_only=row.reduce_only,
        instrument_type=type_of(row.category),
    )


@exactly
def position_update(row: PositionRow, category: str) -> PositionUpdate:
    """Of one-way mode. category: linear or inverse."""
    size = number(row.size) or ZERO
    return PositionUpdate(
        venue_symbol=row.symbol,
        signed_amount=-size if row.side == "Sell" else size,
        entry_price=number(row.entry_price) or number(row.avg_price) or ZERO,
        unrealized_pnl=number(row.unrealised_pnl),
        realized_pnl=number(row.cum_realised_pnl),
        time_ms=milliseconds(row.updated_time),
        instrument_type=type_of(category),
    )


def type_of(category: str) -> InstrumentType | None:
    """None for options and what else is not traded here."""
    return TYPES.get(category)


@exactly
def balances_of(wallets: Found) -> Named:
    """What open spot orders need is locked; margin in use is not, as it is of all assets together."""

    def convert(coin: _Coin) -> tuple[str, tuple[Decimal, Decimal]]:
        locked = number(coin.locked) or ZERO
        return coin.coin, ((number(coin.wallet_balance) or ZERO) - locked, locked)

    found = Named()
    found.odd = odd_in(wallets)
    for wallet in wallets:
        rows = _coin_rows.decode(wallet.coin, convert)
        found.update(rows)
        found.odd += rows.odd
    return found
