"""Checks of what strategies pass."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from nexus_fast.constants import AccountType
from nexus_fast.error import InstrumentError, OrderError, SubscriptionError
from nexus_fast.exchange.routing import resolve_account
from nexus_fast.identity import InstrumentId
from nexus_fast.schema import BatchOrder

Symbols = str | Iterable[str]
Mode = Literal["round", "ceil", "floor"]
VolumeType = Literal["DEFAULT", "BUY", "SELL"]
Time = int | datetime | None


def checked_symbols(method: str, symbols: Symbols) -> list[str]:
    """As a list without repetitions; raises InstrumentError for what is not a symbol."""
    if symbols is None:
        raise SubscriptionError(f"{method}(): symbols is None; give one or a list of them.")
    listed = [symbols] if isinstance(symbols, str) else list(dict.fromkeys(symbols))
    if not listed:
        raise SubscriptionError(f"{method}() got no symbols; give one or a list of them.")
    for symbol in listed:
        InstrumentId.from_str(symbol)
    return listed


def require_member(method: str, name: str, value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        raise SubscriptionError(
            f"{method}({name}={value!r}) needs a {kind.__name__}: {', '.join(map(str, kind))}."
        )


def require_volume(method: str, threshold: float, volume_type: str) -> None:
    if not threshold > 0:
        raise SubscriptionError(f"{method}(volume_threshold={threshold!r}) must be above 0.")
    if volume_type not in ("DEFAULT", "BUY", "SELL"):
        raise SubscriptionError(f"{method}(volume_type={volume_type!r}) is not 'DEFAULT', 'BUY' or 'SELL'.")


def milliseconds(time: Time) -> int | None:
    return int(time.timestamp() * 1000) if isinstance(time, datetime) else time


def require_route(runtime: Any, symbol: str, account_type: AccountType | None) -> None:
    """Raises RouteError. A symbol that is none is left to create_order, which refuses it with a callback."""
    try:
        parsed = InstrumentId.from_str(symbol)
    except InstrumentError:
        return
    resolve_account(symbol, parsed.exchange, parsed.type, runtime.private_accounts, account_type)


def require_orders(orders: Any) -> list[BatchOrder]:
    """A batch whose every order has what an order needs."""
    if not isinstance(orders, list | tuple):
        raise OrderError(f"create_batch_orders: orders is {orders!r}; give a list of BatchOrder")
    for number, order in enumerate(orders):
        if not isinstance(order, BatchOrder):
            raise OrderError(f"create_batch_orders: orders[{number}] is {order!r}, which is no BatchOrder")
        missing = [name for name in ("symbol", "side", "type", "amount") if getattr(order, name) is None]
        if missing:
            raise OrderError(f"create_batch_orders: {' and '.join(missing)} of orders[{number}] is None; nothing was sent")
    return list(orders)
