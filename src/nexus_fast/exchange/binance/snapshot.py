"""Binance's REST answers about an account: balances, positions, one order."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec
from msgspec import Raw, Struct, field

from nexus_fast.constants import InstrumentType
from nexus_fast.exact import exactly, quotient
from nexus_fast.exchange.rows import Found, Named, Rows, named
from nexus_fast.order.events import OrderUpdate, PositionUpdate

# Order status to event. NEW and PENDING_NEW say that the venue has it; a PARTIALLY_FILLED order's fills come with it.
STATUSES = {
    "NEW": "ACCEPTED",
    "PENDING_NEW": "ACCEPTED",
    "PARTIALLY_FILLED": "FILL",
    "FILLED": "FILLED",
    "CANCELED": "CANCELED",
    "PENDING_CANCEL": "ACCEPTED",
    "REJECTED": "REJECTED",
    "EXPIRED": "EXPIRED",
    "EXPIRED_IN_MATCH": "EXPIRED",
}


# Order types whose name in the engine is another.
ORDER_TYPES = {"LIMIT_MAKER": "POST_ONLY"}


class _SpotBalance(Struct):
    asset: str
    free: Decimal
    locked: Decimal


class _SpotAccount(Struct):
    balances: Raw


class _MarginAccount(Struct, rename="camel"):
    user_assets: Raw


class _IsolatedPair(Struct, rename="camel"):
    symbol: str
    base_asset: _SpotBalance
    quote_asset: _SpotBalance


class _IsolatedAccount(Struct):
    assets: Raw


class _PortfolioAsset(Struct, rename="camel"):
    asset: str
    cross_margin_free: Decimal
    cross_margin_locked: Decimal
    um_wallet_balance: Decimal = Decimal(0)
    cm_wallet_balance: Decimal = Decimal(0)


class _FuturesAsset(Struct, rename="camel"):
    asset: str
    wallet_balance: Decimal


class _FuturesAccount(Struct):
    assets: Raw


class _Position(Struct, rename="camel"):
    symbol: str
    position_amt: Decimal
    entry_price: Decimal
    position_side: str = "BOTH"
    un_realized_profit: Decimal | None = field(name="unRealizedProfit", default=None)


class _Order(Struct, rename="camel"):
    """order_id: a text in the answer to margin's cancel, a number everywhere else. orig_client_order_id: with a cancel's answer,
    whose client_order_id is the cancel's."""

    symbol: str
    order_id: int | str
    client_order_id: str
    price: Decimal
    orig_qty: Decimal
    executed_qty: Decimal
    status: str
    avg_price: Decimal | None = None
    cummulative_quote_qty: Decimal | None = None
    cum_quote: Decimal | None = None
    cum_base: Decimal | None = None
    update_time: int | None = None
    side: str | None = None
    type: str | None = None
    reduce_only: bool = False
    orig_client_order_id: str = ""


class _Placed(Struct, rename="camel"):
    """The answer to a new order or to a modification: at least whose it is."""

    order_id: int | str
    symbol: str = ""
    client_order_id: str = ""
    status: str = "NEW"
    side: str | None = None
    orig_qty: Decimal | None = None
    executed_qty: Decimal | None = None


class _Trade(Struct, rename="camel"):
    """Of myTrades and userTrades. id: unique within the symbol."""

    id: int
    order_id: int
    symbol: str
    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: str
    time: int
    is_maker: bool = False
    maker: bool = False


Balances = dict[str, tuple[Decimal, Decimal]]        # (free, locked) by asset; `odd` where rows of it could not be read

_margin_account = msgspec.json.Decoder(_MarginAccount)
_isolated_account = msgspec.json.Decoder(_IsolatedAccount)
_spot_rows, _futures_rows = Rows(_SpotBalance, "Binance balances", "asset"), Rows(_FuturesAsset, "Binance balances", "asset")
_pair_rows = Rows(_IsolatedPair, "Binance isolated pairs", "symbol")
_portfolio_rows = Rows(_PortfolioAsset, "Binance balances", "asset")
_order_rows = Rows(_Order, "Binance open orders", "clientOrderId")
_trade_rows = Rows(_Trade, "Binance fills", "id")
_position_rows = Rows(_Position, "Binance positions", "symbol")
_spot_account = msgspec.json.Decoder(_SpotAccount)
_futures_account = msgspec.json.Decoder(_FuturesAccount)
_order = msgspec.json.Decoder(_Order)
_placed = msgspec.json.Decoder(_Placed)


def read_balances(family: str, body: bytes) -> Balances:
    """A futures account's wallet balance counts as free, as in its ACCOUNT_UPDATE. On margin, what is borrowed is in it."""
    if family in ("spot", "margin"):
        account = _spot_account.decode(body).balances if family == "spot" else _margin_account.decode(body).user_assets
        return named(_spot_rows.decode(account, lambda b: (b.asset, amounts(b.free, b.locked))))
    return named(_futures_rows.decode(_futures_account.decode(body).assets, lambda a: (a.asset, amounts(a.wallet_balance))))


def amounts(free: Decimal, locked: Decimal = Decimal(0)) -> tuple[Decimal, Decimal]:
    """Raises ValueError for NaN and infinity, which a text may be as well."""
    if not (free.is_finite() and locked.is_finite()):
        raise ValueError(f"{free} free and {locked} locked are no amounts")
    return free, locked


def read_isolated(body: bytes) -> dict[str, Balances]:
    """By pair: each has a wallet of its own."""

    def convert(p: _IsolatedPair) -> tuple[str, Balances]:
        return p.symbol, {b.asset: amounts(b.free, b.locked) for b in (p.base_asset, p.quote_asset)}

    return named(_pair_rows.decode(_isolated_account.decode(body).assets, convert))


def read_portfolio(body: bytes) -> dict[str, Balances]:
    """Of a portfolio margin account by its parts: "margin", "UM", "CM"."""

    def convert(r: _PortfolioAsset) -> tuple:
        margin = amounts(r.cross_margin_free, r.cross_margin_locked)
        return r.asset, margin, amounts(r.um_wallet_balance), amounts(r.cm_wallet_balance)

    rows = _portfolio_rows.decode(body, convert)
    found = Named({part: {row[0]: row[number] for row in rows} for number, part in enumerate(("margin", "UM", "CM"), 1)})
    found.odd = rows.odd
    return found


@exactly
def total(parts: Iterable[Balances]) -> Balances:
    """The sum of several wallets."""
    found: Balances = {}
    for part in parts:
        for asset, (free, locked) in part.items():
            had = found.get(asset, (Decimal(0), Decimal(0)))
            found[asset] = had[0] + free, had[1] + locked
    return found


def is_hedged(side: str, amount: Decimal) -> bool:
    """Whether a row is of hedge mode, which the engine has no place for. Raises ValueError where it holds something: a position
    that is not followed is said to be there."""
    if side == "BOTH":
        return False
    if amount:
        raise ValueError(f"{side} {amount} of hedge mode, the engine works in one-way mode")
    return True


def read_positions(body: bytes, type: InstrumentType | None = None) -> Found:
    """type: of an account that holds several kinds. With `odd` it is not complete."""

    def convert(p: _Position) -> PositionUpdate | None:
        if is_hedged(p.position_side, p.position_amt):
            return None
        amounts(p.position_amt, p.entry_price)
        return PositionUpdate(
            venue_symbol=p.symbol,
            signed_amount=p.position_amt,
            entry_price=p.entry_price,
            unrealized_pnl=p.un_realized_profit,
            instrument_type=type,
        )

    return _position_rows.decode(body, convert)


def read_open_orders(body: bytes, type: InstrumentType | None = None) -> Found:
    """With `odd` it is not complete: an order that is not in it may be open."""
    return _order_rows.decode(body, lambda order: _order_update(order, type))


@exactly
def read_order(body: bytes | Raw, type: InstrumentType | None = None) -> OrderUpdate:
    """An order as the venue has it; type: of its instrument, which says what the cost is counted in. Raises
    msgspec.ValidationError for a status nobody knows: nothing is concluded from it."""
    return _order_update(_order.decode(body), type)


def _order_update(order: _Order, type: InstrumentType | None) -> OrderUpdate:
    event = event_of(order.status)
    amounts(order.executed_qty, order.orig_qty)
    if type is InstrumentType.INVERSE:       # coins, which say nothing of the price in this way; cumQuote may stand beside them
        cost, average = order.cum_base, order.avg_price
    else:
        cost = order.cummulative_quote_qty if order.cummulative_quote_qty is not None else order.cum_quote
        average = quotient(cost, order.executed_qty) if cost and order.executed_qty else order.avg_price
    return OrderUpdate(
        event=event,
        client_id=order.orig_client_order_id or order.client_order_id,
        venue_id=str(order.order_id),
        venue_symbol=order.symbol,
        filled=order.executed_qty,
        price=order.price,
        quantity=order.orig_qty,
        average=average or None,
        cost=cost,
        time_ms=order.update_time,
        side=order.side,
        type=ORDER_TYPES.get(order.type, order.type),
        reduce_only=order.reduce_only,
    )


@exactly
def read_placed(body: bytes | Raw) -> OrderUpdate:
    """What the answer to a new order or to a modification says of the order. Its executions are the stream's to tell, unless the
    answer says how much. Raises msgspec.ValidationError for a status nobody knows."""
    order = _placed.decode(body)
    event = event_of(order.status)
    if event in ("FILL", "FILLED") and order.executed_qty is None:
        event = "ACCEPTED"
    return OrderUpdate(
        event=event,
        client_id=order.client_order_id,
        venue_id=str(order.order_id),
        venue_symbol=order.symbol,
        filled=order.executed_qty,
        quantity=order.orig_qty,
        side=order.side,
    )


def event_of(status: str) -> str:
    event = STATUSES.get(status)
    if event is None:
        raise msgspec.ValidationError(f"order status {status!r} is not one that is known")
    return event


def read_trades(body: bytes, client_id: str) -> list[OrderUpdate]:
    """Fills of one order, oldest first; the cumulative quantity is not said."""

    def convert(trade: _Trade) -> OrderUpdate:
        amounts(trade.price, trade.qty)
        return OrderUpdate(
            event="FILL",
            client_id=client_id,
            venue_id=str(trade.order_id),
            venue_symbol=trade.symbol,
            last_price=trade.price,
            last_quantity=trade.qty,
            trade_id=trade.id,
            fee=trade.commission,
            fee_currency=trade.commission_asset,
            is_maker=trade.is_maker or trade.maker,
            time_ms=trade.time,
        )

    return _trade_rows.decode(body, convert)
