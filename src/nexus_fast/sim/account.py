"""Accounts: credentials, spot balances, futures wallets and positions, and the store of an account's orders.

All amounts are scaled integers (fixed_point). Ledgers only book what the market tells them and refuse what is not
there; which refusal text a client reads is the venue folder's business.
"""

from collections import deque
from dataclasses import dataclass, field

from nexus_fast.sim.fixed_point import product
from nexus_fast.sim.instruments import Instrument
from nexus_fast.sim.orders import BUY, Fill, Order

CLOSED_ORDERS_KEPT = 50_000


class OrderStore:
    """The orders and trades of one account on one market. The oldest closed orders are forgotten beyond a bound."""

    def __init__(self):
        self.by_id: dict[int, Order] = {}
        self.latest_by_client_id: dict[str, Order] = {}
        self.open: dict[int, Order] = {}
        self.open_client_ids: dict[str, Order] = {}
        self.trades: deque[tuple[Order, Fill, int, str, bool, int]] = deque(maxlen=CLOSED_ORDERS_KEPT)
        self._closed: deque[Order] = deque()

    def add(self, order: Order) -> None:
        self.by_id[order.order_id] = order
        self.open[order.order_id] = order
        if order.client_id:  # some venues do without
            self.latest_by_client_id[order.client_id] = order
            self.open_client_ids[order.client_id] = order

    def rename(self, order: Order, client_id: str) -> None:
        """A cancel or an amendment may give the order another client id; the first one still finds it."""
        order.original_client_id = order.client_id
        self.open_client_ids.pop(order.client_id, None)
        order.client_id = client_id
        self.latest_by_client_id[client_id] = order
        if order.order_id in self.open:
            self.open_client_ids[client_id] = order

    def close(self, order: Order) -> None:
        """An order has reached its end: it no longer holds its client id."""
        if self.open.pop(order.order_id, None) is None:
            return
        if self.open_client_ids.get(order.client_id) is order:
            del self.open_client_ids[order.client_id]
        self._closed.append(order)
        if len(self._closed) > CLOSED_ORDERS_KEPT:
            self._forget(self._closed.popleft())

    def _forget(self, order: Order) -> None:
        self.by_id.pop(order.order_id, None)
        for client_id in (order.client_id, order.original_client_id):
            if self.latest_by_client_id.get(client_id) is order:
                del self.latest_by_client_id[client_id]

    def find(self, order_id: int | None, client_id: str | None) -> Order | None:
        """By the venue's id when given, otherwise the latest order with this client id."""
        if order_id is not None:
            return self.by_id.get(order_id)
        return self.latest_by_client_id.get(client_id) if client_id else None


class SpotLedger:
    """Free and locked balances by asset."""

    def __init__(self, balances: dict[str, int]):
        self.free = dict(balances)
        self.locked = dict.fromkeys(balances, 0)
        self.fees_paid: dict[str, int] = {}

    def held_asset(self, order: Order) -> str:
        return order.instrument.quote if order.side == BUY else order.instrument.base

    def lock(self, order: Order, amount: int) -> bool:
        """Set `amount` of the asset the order pays with aside; False when there is not enough."""
        asset = self.held_asset(order)
        if self.free.get(asset, 0) < amount:
            return False
        self.free[asset] -= amount
        self.locked[asset] = self.locked.get(asset, 0) + amount
        order.locked += amount
        return True

    def release(self, order: Order, amount: int | None = None) -> None:
        """Give back what the order still holds, or `amount` of it."""
        amount = order.locked if amount is None else amount
        asset = self.held_asset(order)
        self.locked[asset] -= amount
        self.free[asset] += amount
        order.locked -= amount

    def settle(self, order: Order, fill: Fill, fee_rate: int) -> tuple[int, str]:
        """Book one side of a fill. Returns (commission, commission asset): the venue takes it from what is received."""
        instrument = order.instrument
        if order.side == BUY:
            held = product(order.price, fill.quantity) if order.price else fill.quote
            self._pay(order, held, fill.quote, instrument.quote)
            received, asset = fill.quantity, instrument.base
        else:
            self._pay(order, fill.quantity, fill.quantity, instrument.base)
            received, asset = fill.quote, instrument.quote
        fee = product(received, fee_rate)
        self.free[asset] = self.free.get(asset, 0) + received - fee
        self.locked.setdefault(asset, 0)
        self.fees_paid[asset] = self.fees_paid.get(asset, 0) + fee
        return fee, asset

    def _pay(self, order: Order, held: int, cost: int, asset: str) -> None:
        order.locked -= held
        self.locked[asset] -= held
        self.free[asset] += held - cost


@dataclass(slots=True)
class Position:
    """A one-way position. `entry_value` is what `amount` was worth when it was entered (both of the same sign), so that no
    rounding of an average price can leak money; `entry_weight` is that average (Instrument.weight), never signed."""

    instrument: Instrument
    amount: int = 0
    entry_value: int = 0
    entry_weight: int = 0
    realized: int = 0
    update_time: int = 0

    @property
    def entry_price(self) -> int:
        return self.instrument.average(self.entry_weight, abs(self.amount))

    def unrealized(self, mark_price: int) -> int:
        """Profit at this price, in the asset it settles in."""
        worth = self.instrument.value(mark_price, abs(self.amount))
        change = (worth if self.amount >= 0 else -worth) - self.entry_value
        return -change if self.instrument.inverse else change

    def apply(self, side: int, fill: Fill) -> int:
        """Book a fill; returns the profit that it realizes (0 while the position only grows)."""
        if self.amount == 0 or (self.amount > 0) == (side > 0):
            self._grow(side, fill.quantity, fill.quote, fill.price)
            return 0
        held = abs(self.amount)
        closing = min(fill.quantity, held)
        closing_value = fill.quote * closing // fill.quantity
        entry_part = abs(self.entry_value) * closing // held
        profit = (closing_value - entry_part) * (1 if self.amount > 0 else -1)
        self.entry_value += side * entry_part
        self.entry_weight -= self.entry_weight * closing // held
        self.amount += side * closing
        if fill.quantity > closing:
            self._grow(side, fill.quantity - closing, fill.quote - closing_value, fill.price)
        # A coin-margined position is one in dollars, paid in coins: it gains when the coins it is worth become fewer.
        profit = -profit if self.instrument.inverse else profit
        self.realized += profit
        return profit

    def _grow(self, side: int, quantity: int, value: int, price: int) -> None:
        self.amount += side * quantity
        self.entry_value += side * value
        self.entry_weight += self.instrument.weight(price, quantity)


@dataclass(slots=True)
class SymbolRisk:
    """Per symbol of a futures account: leverage, margin type and what the open orders stand for."""

    leverage: int = 20
    isolated: bool = False
    open_buy: int = 0
    open_sell: int = 0


class FuturesLedger:
    """Wallet, positions and order margin of a futures account, one-way mode, cross margin. All amounts are in the asset
    that the instrument settles in: the quote of a linear contract, the coin of an inverse one.

    `wallet` may be another ledger's dictionary: accounts with one wallet for several markets share it, e.g.
    FuturesLedger(wallet=spot.free).
    """

    def __init__(self, balances: dict[str, int] | None = None, *, wallet: dict[str, int] | None = None):
        self.wallet = dict(balances or {}) if wallet is None else wallet
        self.positions: dict[str, Position] = {}
        self.risk: dict[str, SymbolRisk] = {}
        self.fees_paid: dict[str, int] = {}

    def position(self, instrument: Instrument) -> Position:
        found = self.positions.get(instrument.symbol)
        if found is None:
            found = self.positions[instrument.symbol] = Position(instrument)
        return found

    def symbol_risk(self, symbol: str) -> SymbolRisk:
        return self.risk.setdefault(symbol, SymbolRisk())

    def set_open(self, order: Order, quantity: int) -> None:
        """Count an order in the order margin with this resting quantity (0: no more)."""
        risk = self.symbol_risk(order.instrument.symbol)
        value = order.instrument.value(order.price, quantity) if quantity else 0
        change, order.locked = value - order.locked, value
        if order.side == BUY:
            risk.open_buy += change
        else:
            risk.open_sell += change

    def settle(self, order: Order, fill: Fill, fee_rate: int) -> tuple[int, str, int]:
        """Book one side of a fill. Returns (commission, its asset, realized profit)."""
        asset = order.instrument.settle
        position = self.position(order.instrument)
        profit = position.apply(order.side, fill)
        position.update_time = fill.time
        fee = product(fill.quote, fee_rate)
        self.wallet[asset] = self.wallet.get(asset, 0) + profit - fee
        self.fees_paid[asset] = self.fees_paid.get(asset, 0) + fee
        return fee, asset, profit

    def position_margin(self, instrument: Instrument, mark_price: int) -> int:
        worth = instrument.value(mark_price, abs(self.position(instrument).amount))
        return worth // self.symbol_risk(instrument.symbol).leverage

    def order_margin(self, symbol: str) -> int:
        risk = self.symbol_risk(symbol)
        return max(risk.open_buy, risk.open_sell) // risk.leverage

    def available(self, asset: str, marks: dict[str, int], settles_in: dict[str, str]) -> int:
        """What of `asset` new orders can use: wallet and unrealized profit less the margin of positions and orders."""
        total = self.wallet.get(asset, 0)
        for symbol, position in self.positions.items():
            if position.amount and settles_in.get(symbol) == asset:
                mark = marks[symbol]
                total += position.unrealized(mark) - self.position_margin(position.instrument, mark)
        return total - sum(self.order_margin(symbol) for symbol in self.risk if settles_in.get(symbol) == asset)


@dataclass(slots=True, eq=False)
class Account:
    """One trading account with its credentials. `public_key` (Ed25519) and `secret` (HMAC) exclude each other.

    What it has on which market is the venue's business: `open(market name, ledger)` for each of the venue's markets.
    """

    key: str
    secret: str = ""
    passphrase: str = ""
    public_key: object = None
    revoked: bool = False
    kind: str = ""  # which of the key's accounts, at a venue that gives one key several; "" is the common one
    ledgers: dict[str, SpotLedger | FuturesLedger] = field(default_factory=dict)
    stores: dict[str, OrderStore] = field(default_factory=dict)

    def twin(self, kind: str) -> "Account":
        """Another account of the same key, with ledgers and orders of its own."""
        return Account(self.key, self.secret, self.passphrase, self.public_key, self.revoked, kind)

    def open(self, market: str, ledger: SpotLedger | FuturesLedger) -> None:
        self.ledgers[market] = ledger

    def orders(self, market: str) -> OrderStore:
        found = self.stores.get(market)
        if found is None:
            found = self.stores[market] = OrderStore()
        return found
