"""OKX's private pushes: bytes in, the engine's words out. Channels orders, account and positions.

Contracts become our amounts (see instruments.py). A fee that is charged is negative there and positive here. After a reconnect
the venue may repeat a push; the trade's number tells.
Source: www.okx.com/docs-v5, order-book-trading-trade-ws-order-channel, trading-account-websocket-*.
"""

from collections.abc import Callable
from decimal import Decimal

import msgspec
from msgspec import Raw, Struct

from nexus_fast.exact import exactly, quotient
from nexus_fast.exchange.okx.instruments import OkxInstrument
from nexus_fast.exchange.rows import Found, Named, Rows, odd_in
from nexus_fast.order.events import BalanceUpdate, OrderUpdate, PositionUpdate

# Our instrument of an instId; None for what is not listed (options, spreads): nothing of ours.
Find = Callable[[str], OkxInstrument | None]

STATES = {
    "live": "ACCEPTED",
    "partially_filled": "FILL",
    "filled": "FILLED",
    "canceled": "CANCELED",
    "mmp_canceled": "CANCELED",
}
# Names of OrderType; others keep the venue's word.
TYPES = {"market": "MARKET", "limit": "LIMIT", "ioc": "LIMIT", "fok": "LIMIT", "post_only": "POST_ONLY"}
AMENDED, AMEND_FAILED = ("0", "2"), "-1"
# Why the venue canceled an order; 1 is the user's own cancel.
CANCEL_SOURCES = {
    "0": "the system",
    "2": "reduce-only with no position to reduce",
    "3": "liquidation",
    "13": "fill or kill that could not be filled whole",
    "14": "immediate or cancel: the rest",
    "15": "its price is beyond the limit",
    "20": "the dead man's switch (cancel all after)",
    "31": "post-only that would have taken",
    "32": "self-trade prevention",
    "34": "settlement or delivery",
    "36": "its instrument's rule",
}


class Order(Struct, rename="camel"):
    """Of the orders channel and of REST alike; numbers are texts, "" where they do not apply."""

    inst_id: str
    ord_id: str
    state: str
    sz: str
    cl_ord_id: str = ""
    px: str = ""
    acc_fill_sz: str = ""
    avg_px: str = ""
    fill_sz: str = ""
    fill_px: str = ""
    fill_time: str = ""
    trade_id: str = ""
    fill_fee: str = ""
    fill_fee_ccy: str = ""
    exec_type: str = ""
    u_time: str = ""
    amend_result: str = ""
    cancel_source: str = ""
    tgt_ccy: str = ""
    side: str = ""
    ord_type: str = ""
    reduce_only: str = ""
    code: str = ""
    msg: str = ""


class _Detail(Struct, rename="camel"):
    ccy: str
    avail_bal: str = ""
    frozen_bal: str = ""
    cash_bal: str = ""


class Account(Struct, rename="camel"):
    details: Raw = Raw(b"[]")
    u_time: str = ""


class Position(Struct, rename="camel"):
    inst_id: str
    inst_type: str
    pos: str
    pos_side: str = "net"
    mgn_mode: str = ""
    avg_px: str = ""
    upl: str = ""
    realized_pnl: str = ""
    u_time: str = ""


orders, accounts = Rows(Order, "OKX orders", "ordId"), Rows(Account, "OKX accounts", "uTime")
_positions, _details = Rows(Position, "OKX positions", "instId"), Rows(_Detail, "OKX balances", "ccy")


def decimal(text: str) -> Decimal | None:
    """None for an empty text. Raises as `number`."""
    return number(text) if text else None


def number(text: str) -> Decimal:
    """Raises ValueError or ArithmeticError for what is no finite number."""
    found = Decimal(text)
    if not found.is_finite():
        raise ValueError(f"{text!r} is not a finite number")
    return found


def milliseconds(text: str) -> int | None:
    return int(text) if text else None


def read_orders(data: Raw | bytes, find: Find) -> Found:
    """Updates of one push, oldest first. An amendment and a fill that come in one push are two of them. A row with a state nobody
    knows is `odd`: nothing is concluded from it."""

    def convert(order: Order) -> list[OrderUpdate]:
        instrument = find(order.inst_id)
        return [unlisted(order)] if instrument is None else _updates(order, instrument)

    rows = orders.decode(data, convert)
    found = Found(update for updates in rows for update in updates)
    found.odd = rows.odd
    return found


def unlisted(order: Order) -> OrderUpdate:
    """Of an instrument that is not listed here: somebody else's order, whose amounts nobody can read."""
    return OrderUpdate(
        event=state_event(order), client_id=order.cl_ord_id, venue_id=order.ord_id, venue_symbol=order.inst_id
    )


def state_event(order: Order) -> str:
    event = STATES.get(order.state)
    if event is None:
        raise msgspec.ValidationError(f"order state {order.state!r} is not one that is known")
    return event


@exactly
def common(order: Order, instrument: OkxInstrument) -> dict:
    """What every update of an order says, in our units."""
    value = instrument.contract_value
    filled, average = decimal(order.acc_fill_sz or "0") * value, decimal(order.avg_px)
    # A market order of spot may be sized in the quote currency: that is no amount of ours.
    in_quote = order.tgt_ccy == "quote_ccy"
    return {
        "client_id": order.cl_ord_id,
        "venue_id": order.ord_id,
        "venue_symbol": order.inst_id,
        "filled": filled,
        "price": decimal(order.px),
        "quantity": None if in_quote else number(order.sz) * value,
        "average": average if filled and average else None,
        "cost": instrument.cost(average, filled) if filled and average else None,
        "time_ms": milliseconds(order.u_time),
        "side": order.side.upper() or None,
        "type": TYPES.get(order.ord_type, order.ord_type) or None,
        "reduce_only": order.reduce_only == "true",
        "instrument_type": instrument.type,
    }


def _updates(order: Order, instrument: OkxInstrument) -> list[OrderUpdate]:
    event, said, fill = state_event(order), common(order, instrument), _fill(order, instrument)
    before = {**said, "filled": None} if fill else said          # an amendment does not bring the fill that comes with it
    found = []
    if order.amend_result == AMEND_FAILED:
        found.append(OrderUpdate(event="MODIFY_REJECTED", reason=f"modify: code={order.code} error={order.msg}", **before))
    elif order.amend_result in AMENDED and event in ("ACCEPTED", "FILL"):
        found.append(OrderUpdate(event="MODIFIED", **before))
    if fill or event not in ("ACCEPTED", "FILL") or not found:
        found.append(OrderUpdate(event=event, reason=_reason(order), **{**said, **fill}))
    return found


@exactly
def _fill(order: Order, instrument: OkxInstrument) -> dict:
    """Of the fill that the push brings; empty when it brings none."""
    quantity = decimal(order.fill_sz)
    if not order.trade_id or not quantity or quantity < 0:
        return {}
    fee = decimal(order.fill_fee)
    return {
        "last_price": decimal(order.fill_px),
        "last_quantity": quantity * instrument.contract_value,
        "trade_id": int(order.trade_id),
        "fee": None if fee is None else -fee,
        "fee_currency": order.fill_fee_ccy or None,
        "is_maker": order.exec_type == "M" if order.exec_type else None,
        "time_ms": milliseconds(order.fill_time or order.u_time),
    }


def _reason(order: Order) -> str | None:
    if not order.state.endswith("canceled") or order.cancel_source in ("", "1"):
        return None
    return f"canceled by the venue: {CANCEL_SOURCES.get(order.cancel_source, 'source')} ({order.cancel_source})"


def read_positions(data: Raw | bytes) -> Found:
    """Rows whose numbers are numbers. With `odd` it is not complete."""

    def convert(row: Position) -> Position:
        for text in (row.pos, row.avg_px, row.upl, row.realized_pnl):
            decimal(text)
        milliseconds(row.u_time)
        return row

    return _positions.decode(data, convert)


def read_balances(rows: Found, *, complete: bool) -> BalanceUpdate:
    """(free, locked) by asset: what may be used for orders, and what is frozen in them. With some that could not be read (`odd`
    of its balances) it is not complete."""

    def convert(detail: _Detail) -> tuple[str, tuple[Decimal, Decimal]]:
        return detail.ccy, (decimal(detail.avail_bal or detail.cash_bal or "0"), decimal(detail.frozen_bal or "0"))

    balances = Named()
    balances.odd = odd_in(rows)
    for row in rows:
        found = _details.decode(row.details, convert)
        balances.update(found)
        balances.odd += found.odd
    times = [int(row.u_time) for row in rows if row.u_time.isdigit()]
    return BalanceUpdate(balances=balances, complete=complete and not balances.odd, time_ms=max(times, default=None))


class Positions:
    """One symbol's position over its margin modes: cross and isolated are two rows at the venue, and one exposure. Of what is not
    listed here the amount stays in contracts."""

    def __init__(self, find: Find):
        self._find = find
        self._rows: dict[str, dict[str, Position]] = {}

    def replace(self, rows: Found) -> list[PositionUpdate]:
        """A complete list, but for rows that could not be read."""
        if not odd_in(rows):
            self._rows.clear()
        return self.update(rows)

    def update(self, rows: list[Position]) -> list[PositionUpdate]:
        changed = {}
        for row in rows:
            # Margin positions are in currencies, which the balances have; long and short are of the mode that open() refuses.
            if row.inst_type != "MARGIN" and row.pos_side == "net":
                self._rows.setdefault(row.inst_id, {})[row.mgn_mode] = row
                changed[row.inst_id] = row
        return [self._sum(inst_id) for inst_id in changed]

    @exactly
    def _sum(self, inst_id: str) -> PositionUpdate:
        instrument = self._find(inst_id)
        rows = [row for row in self._rows[inst_id].values() if Decimal(row.pos or "0")]
        amounts = [Decimal(row.pos) for row in rows]
        weight = sum(map(abs, amounts))
        prices = [Decimal(row.avg_px or "0") for row in rows]
        entries = [abs(amount) * price for amount, price in zip(amounts, prices, strict=True)]
        every = self._rows[inst_id].values()
        return PositionUpdate(
            venue_symbol=inst_id,
            signed_amount=sum(amounts, Decimal(0)) * (1 if instrument is None else instrument.contract_value),
            entry_price=prices[0] if len(rows) == 1 else quotient(sum(entries), weight) if weight else Decimal(0),
            unrealized_pnl=sum(Decimal(row.upl or "0") for row in rows) or Decimal(0),
            realized_pnl=sum(Decimal(row.realized_pnl or "0") for row in every) or Decimal(0),
            time_ms=max((int(row.u_time) for row in every if row.u_time), default=None),
            instrument_type=None if instrument is None else instrument.type,
        )
