"""`self.cache`: what a strategy may look up. Plain dictionaries, written and read on the engine's thread alone.

A value is in here before the callback that tells of it. Positions and balances are kept per account, so that reading
one account anew never touches another's.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from nexus_fast.constants import (
    STATUS_TRANSITIONS,
    AccountType,
    DataType,
    ExchangeType,
    KlineInterval,
    OrderStatus,
    ParamBackend,
)
from nexus_fast.error import ConfigurationError
from nexus_fast.schema import (
    AccountBalance,
    Balance,
    BookL1,
    BookL2,
    FundingRate,
    IndexPrice,
    Kline,
    MarkPrice,
    Order,
    Position,
    Trade,
    UnlistedPosition,
)

# What an order that was over may turn out to be: executed in full before its end; alive although it was held to have failed.
LATE = {
    OrderStatus.CANCELED: (OrderStatus.FILLED,),
    OrderStatus.EXPIRED: (OrderStatus.FILLED,),
    OrderStatus.FAILED: (OrderStatus.FILLED, OrderStatus.CANCELING),
}

# Looking orders up stays fast however many there were: a table of millions takes a tenth of a second to grow.
CLOSED_KEPT = 100_000


class Cache:
    def __init__(
        self,
        book: Callable[[str], BookL1 | None] = lambda symbol: None,
        settle: Callable[[], None] = lambda: None,
    ):
        """book: the engine's way to the latest quote of a symbol; None where none has come yet. settle: called before orders
        are looked up, so that the engine can apply what it has put off."""
        self._book = book
        self._settle = settle
        self._latest: dict[DataType, dict[Any, Any]] = {data_type: {} for data_type in DataType}
        self._orders: dict[str, Order] = {}
        self._symbol_orders: dict[str, set[str]] = {}
        self._open: dict[str, set[str]] = {}
        self._pending: dict[str, set[str]] = {}
        self._canceling: set[str] = set()
        self._ended: deque[tuple[int, str]] = deque()        # (when, ms; oid) of the closed ones, in the order of their ends
        self._oid_of_key: dict[str, str] = {}
        self._key_of_oid: dict[str, str] = {}
        self._old_keys: dict[str, int] = {}         # of orders that ended and are not in here: oid -> when, ms
        self._external: dict[str, Order] = {}
        self._positions: dict[AccountType, dict[str, Position]] = {}
        self._unlisted: dict[AccountType, dict[str, UnlistedPosition]] = {}
        self._balances: dict[AccountType, AccountBalance] = {}
        self._parameters: dict[str, Any] = {}
        self.refused_updates = 0

    # ------------------------------------------------------------------------------------------ market data

    def bookl1(self, symbol: str) -> BookL1 | None:
        return self._book(symbol)

    def bookl2(self, symbol: str) -> BookL2 | None:
        return self._latest[DataType.BOOKL2].get(symbol)

    def trade(self, symbol: str) -> Trade | None:
        return self._latest[DataType.TRADE].get(symbol)

    def kline(self, symbol: str, interval: KlineInterval) -> Kline | None:
        return self._latest[DataType.KLINE].get((symbol, interval))

    def funding_rate(self, symbol: str) -> FundingRate | None:
        return self._latest[DataType.FUNDING_RATE].get(symbol)

    def index_price(self, symbol: str) -> IndexPrice | None:
        return self._latest[DataType.INDEX_PRICE].get(symbol)

    def mark_price(self, symbol: str) -> MarkPrice | None:
        return self._latest[DataType.MARK_PRICE].get(symbol)

    def apply_data(self, data_type: DataType, data: Any) -> None:
        """The engine's: the latest of anything but BookL1, which has its own table."""
        key = (data.symbol, data.interval) if data_type is DataType.KLINE else data.symbol
        self._latest[data_type][key] = data

    # ------------------------------------------------------------------------------------------ orders

    def get_order(self, oid: str) -> Order | None:
        self._settle()
        return self._orders.get(oid) or self._external.get(oid)

    def get_external_orders(self, symbol: str | None = None, exchange: ExchangeType | None = None) -> set[str]:
        """Ids of open orders of the account that no program of this engine placed: by hand, by another program, by the venue
        itself (a liquidation). They are in no other list here."""
        return {
            oid
            for oid, order in self._external.items()
            if symbol in (None, order.symbol) and exchange in (None, order.exchange) and order.is_opened
        }

    def apply_external_order(self, order: Order) -> None:
        """The engine's: an order that is not ours, as it stands now."""
        self._external[order.oid] = order

    def get_symbol_orders(self, symbol: str, in_mem: bool = True) -> set[str]:
        """Ids of all orders of a symbol that are still remembered, closed ones too."""
        self._settle()
        return set(self._symbol_orders.get(symbol, ()))

    def get_open_orders(
        self, symbol: str | None = None, exchange: ExchangeType | None = None, *, include_canceling: bool = False
    ) -> set[str]:
        """Ids of orders that can still be filled; those whose cancel is under way only with include_canceling."""
        self._settle()
        if symbol is not None:
            found = set(self._open.get(symbol, ()))
        elif exchange is not None:
            found = {oid for ids in self._open.values() for oid in ids if self._orders[oid].exchange is exchange}
        else:
            raise ValueError("get_open_orders needs symbol= or exchange=")
        return found if include_canceling else found - self._canceling

    def get_inflight_orders(self, symbol: str) -> set[str]:
        """Ids of orders that were sent and not answered yet."""
        self._settle()
        return set(self._pending.get(symbol, ()))

    async def wait_for_inflight_orders(self, symbol: str, timeout: float = 5.0, interval: float = 0.1) -> bool:
        """Returns when every order of the symbol has been answered (True), or after `timeout` seconds (False)."""
        import asyncio

        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while self.get_inflight_orders(symbol):
            left = end - loop.time()
            if left <= 0:
                return False
            await asyncio.sleep(min(interval, left))
        return True

    def apply_order(self, order: Order) -> bool:
        """The engine's: an order as it stands now. False, and nothing changes, when it contradicts what is known:
        an end undone, or a fill taken back."""
        known = self._orders.get(order.oid)
        if known is not None and not _follows(known, order):
            self.refused_updates += 1
            return False
        self._orders[order.oid] = order
        if order.is_closed and (known is None or not known.is_closed):
            self._ended.append((order.timestamp or 0, order.oid))
        self._symbol_orders.setdefault(order.symbol, set()).add(order.oid)
        _mark(self._open, order, order.is_opened)
        _mark(self._pending, order, order.status is OrderStatus.PENDING)
        if order.status is OrderStatus.CANCELING:
            self._canceling.add(order.oid)
        elif order.is_closed or order.status is OrderStatus.CANCEL_FAILED:
            self._canceling.discard(order.oid)
        if order.status is OrderStatus.FAILED and not order.filled:
            self._release(order.oid)
        return True

    def mark_canceling(self, oid: str) -> None:
        """The engine's: a cancel is about to leave. Ends with the order, or when the cancel fails."""
        self._canceling.add(oid)

    def forget_closed(self, before_ms: int, most: int | None = None) -> int:
        """The engine's: drop orders that ended before this time, and the oldest of more than CLOSED_KEPT; `most`: how many are
        looked at. How many they were. An idempotency key goes with its order's time, not for want of room."""
        dropped = 0
        for _ in range(len(self._ended) if most is None else min(most, len(self._ended))):
            ended_ms, oid = self._ended[0]
            expired = ended_ms < before_ms
            if not expired and len(self._ended) <= CLOSED_KEPT:
                break
            self._ended.popleft()
            order = self._orders.get(oid)
            if order is None or not order.is_closed:
                continue                                     # alive again: it will end once more
            if expired and (order.timestamp or 0) >= before_ms:
                self._ended.append((order.timestamp, oid))   # told of once more after its end
                continue
            self._drop(order, expired)
            dropped += 1
        return dropped

    def begin_anew(self, oid: str) -> None:
        """The engine's: a client_oid whose order is over is about to be another order's."""
        order = self._orders.get(oid)
        if order is not None and order.is_closed:
            self._drop(order, expired=False)

    def _drop(self, order: Order, expired: bool) -> None:
        del self._orders[order.oid]
        _mark(self._symbol_orders, order, False)
        if expired:
            self._release(order.oid)
        elif order.oid in self._key_of_oid:
            self._old_keys[order.oid] = order.timestamp or 0

    def forget_others(self, before_ms: int) -> None:
        """The engine's: as forget_closed, keys whose orders are not here any more and orders that are not ours. All are looked
        at: they are few."""
        for oid in [oid for oid, ended in self._old_keys.items() if ended < before_ms]:
            self._release(oid)
        for oid in [o.oid for o in self._external.values() if o.is_closed and (o.timestamp or 0) < before_ms]:
            del self._external[oid]

    # ------------------------------------------------------------------------------------------ idempotency

    def get_idempotent_create_order_oid(self, key: str) -> str | None:
        """The order that was placed under this key and has not definitely failed."""
        return self._oid_of_key.get(key)

    def get_idempotency_key_for_oid(self, oid: str) -> str | None:
        return self._key_of_oid.get(oid)

    def reserve_idempotent_create_order(self, key: str, oid: str) -> str:
        """The engine's: the id that holds the key; `oid` when the key was free, the earlier order's otherwise."""
        holder = self._oid_of_key.setdefault(key, oid)
        if holder == oid:
            self._key_of_oid[oid] = key
            self._old_keys.pop(oid, None)
        return holder

    def hold_key(self, key: str, oid: str, ended_ms: int = 0) -> None:
        """The engine's, at start: a key of an earlier session; ended_ms: when its order ended, 0 when it is not over."""
        self.reserve_idempotent_create_order(key, oid)
        if ended_ms:
            self._old_keys[oid] = ended_ms

    def _release(self, oid: str) -> None:
        self._old_keys.pop(oid, None)
        key = self._key_of_oid.pop(oid, None)
        if key is not None:
            self._oid_of_key.pop(key, None)

    # ------------------------------------------------------------------------------------------ account

    def get_position(self, symbol: str, account_type: AccountType | None = None) -> Position | None:
        """The open position; of any account that has one, unless an account is given. None when flat. Of a symbol that is not
        loaded an UnlistedPosition, if the venue's name for it says that it is this one."""
        every = (self._positions, self._unlisted)
        accounts = [p for all_ in every for kind, p in all_.items() if account_type in (None, kind)]
        return next((positions[symbol] for positions in accounts if symbol in positions), None)

    def get_all_positions(self, exchange: ExchangeType | None = None) -> dict[str, Position]:
        """Open positions by symbol; those of symbols that are not loaded are in get_unlisted_positions()."""
        return {
            symbol: position
            for positions in self._positions.values()
            for symbol, position in positions.items()
            if exchange is None or position.exchange is exchange
        }

    def positions_of(self, account_type: AccountType) -> dict[str, Position]:
        """Open positions of one account by symbol."""
        return dict(self._positions.get(account_type, {}))

    def apply_position(self, account_type: AccountType, position: Position) -> None:
        """The engine's: one position as it stands now; a flat one is removed."""
        _apply(self._positions.setdefault(account_type, {}), position)

    def get_unlisted_positions(
        self, exchange: ExchangeType | None = None, account_type: AccountType | None = None
    ) -> dict[str, UnlistedPosition]:
        """Open positions of the accounts in symbols that are not loaded: delisted, opened by hand, of a kind without a public
        connector. No order can be sent for them here. By the symbol's likely name."""
        return {
            symbol: position
            for kind, positions in self._unlisted.items()
            for symbol, position in positions.items()
            if account_type in (None, kind) and exchange in (None, position.exchange)
        }

    def apply_unlisted_position(self, account_type: AccountType, position: UnlistedPosition) -> None:
        """The engine's: as apply_position."""
        _apply(self._unlisted.setdefault(account_type, {}), position)

    def replace_positions(
        self, account_type: AccountType, positions: Iterable[Position]
    ) -> tuple[list[str], list[str]]:
        """The engine's: all positions of one account, read again. Symbols that were opened, and closed, by it."""
        before = self._positions.get(account_type, {})
        now = {position.symbol: position for position in positions if position.is_opened}
        self._positions[account_type] = now
        return sorted(now.keys() - before.keys()), sorted(before.keys() - now.keys())

    def get_balance(self, account_type: AccountType) -> AccountBalance:
        """Empty until the account has been read."""
        return self._balances.setdefault(account_type, AccountBalance())

    def apply_balance(self, account_type: AccountType, balances: Iterable[Balance]) -> AccountBalance:
        """The engine's: some assets' balances as they stand now; the others stay."""
        account = self.get_balance(account_type)
        account.balances.update((balance.asset, balance) for balance in balances)
        return account

    def replace_balances(self, account_type: AccountType, balances: Iterable[Balance]) -> AccountBalance:
        """The engine's: all balances of one account, read again."""
        self.get_balance(account_type).balances.clear()
        return self.apply_balance(account_type, balances)

    # ------------------------------------------------------------------------------------------ parameters

    def get_param(self, key: str, default: Any = None, param_backend: ParamBackend = ParamBackend.MEMORY) -> Any:
        _memory_only(param_backend)
        return self._parameters.get(key, default)

    def set_param(self, key: str, value: Any, param_backend: ParamBackend = ParamBackend.MEMORY) -> None:
        _memory_only(param_backend)
        self._parameters[key] = value

    def get_all_params(self, param_backend: ParamBackend = ParamBackend.MEMORY) -> dict[str, Any]:
        _memory_only(param_backend)
        return dict(self._parameters)

    def clear_param(self, key: str | None = None, param_backend: ParamBackend = ParamBackend.MEMORY) -> None:
        """One parameter, or all."""
        _memory_only(param_backend)
        if key is None:
            self._parameters.clear()
        else:
            self._parameters.pop(key, None)


def _follows(known: Order, order: Order) -> bool:
    if order.status is known.status and known.is_closed:      # what was executed before its end, and told after it
        return (order.filled or 0) > (known.filled or 0) or (order.filled == known.filled and order.fee != known.fee)
    if order.status not in (*STATUS_TRANSITIONS[known.status], *LATE.get(known.status, ())):
        return False
    return not known.filled or order.filled is None or order.filled >= known.filled


def _apply(positions: dict[str, Any], position: Position) -> None:
    if position.is_opened:
        positions[position.symbol] = position
    else:
        positions.pop(position.symbol, None)


def _mark(index: dict[str, set[str]], order: Order, present: bool) -> None:
    if present:
        index.setdefault(order.symbol, set()).add(order.oid)
    elif order.symbol in index:
        index[order.symbol].discard(order.oid)


def _memory_only(backend: ParamBackend) -> None:
    if backend is not ParamBackend.MEMORY:
        raise ConfigurationError(f"parameters are kept in memory only; {backend} is not served: leave `backend` out.")
