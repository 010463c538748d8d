"""What an account asks of its positions and sets for them. One-way mode and cross margin are all there is."""

from nexus_fast.sim.bybit import errors, order_texts
from nexus_fast.sim.bybit.errors import SPOT, VenueError
from nexus_fast.sim.bybit.instruments import MAXIMUM_LEVERAGE
from nexus_fast.sim.bybit.order_queries import page
from nexus_fast.sim.bybit.requests import Call
from nexus_fast.sim.bybit.trading import BybitContracts
from nexus_fast.sim.fixed_point import SCALE, NotANumber, TooPrecise, parse, quotient, short

ONE_WAY, HEDGE = 0, 3


def contracts(call: Call) -> BybitContracts:
    market = call.market
    if market.name == SPOT:
        raise errors.parameter("params error: Category is invalid")
    return market


def positions(call: Call) -> dict:
    """A symbol's row in any case; without a symbol only what is held. Linear wants to be asked for something."""
    market = contracts(call)
    if market.name == "linear" and not (call.get("symbol") or call.get("settleCoin") or call.get("baseCoin")):
        raise errors.parameter("Missing some parameters that must be filled in, symbol or settleCoin or baseCoin.")
    held = market.ledger_of(call.account).positions
    chosen = [each for each in call.chosen()
              if call.get("symbol") or (each.symbol in held and held[each.symbol].amount)]
    found, cursor = page(call, chosen, 20, 200)
    return {"list": [order_texts.position_row(market, call.member, each) for each in found], "nextPageCursor": cursor,
            "category": market.name}


def _leverage(call: Call, name: str) -> int:
    try:
        value = parse(call.need(name))
    except (NotANumber, TooPrecise):
        raise errors.invalid(name) from None
    if not SCALE <= value <= MAXIMUM_LEVERAGE * SCALE:
        raise VenueError(110013, "cannot set leverage due to risk limit level.")
    if value % SCALE:
        raise errors.parameter(f"params error: {name}: only whole leverages are simulated")
    return value // SCALE


def set_leverage(call: Call) -> dict:
    market, instrument = contracts(call), call.instrument()
    buy, sell = _leverage(call, "buyLeverage"), _leverage(call, "sellLeverage")
    if buy != sell:
        raise errors.parameter("buy leverage not equal sell leverage")
    risk = market.ledger_of(call.account).symbol_risk(instrument.symbol)
    if risk.leverage == buy:
        raise VenueError(110043, "leverage not modified")
    risk.leverage = buy
    return {}


def switch_mode(call: Call) -> dict:
    contracts(call)
    if call.integer("mode") == ONE_WAY:
        raise VenueError(110025, "Position mode is not modified")
    if call.integer("mode") == HEDGE:
        raise errors.parameter("params error: mode: only the one-way mode is simulated")
    raise errors.invalid("mode")


def switch_isolated(call: Call) -> dict:
    """Unified accounts have one margin mode, set for the whole account."""
    raise VenueError(100028, "unified account is forbidden")


def trading_stop(call: Call) -> dict:
    """Conditional orders are not simulated; to take none away changes nothing."""
    contracts(call), call.instrument()
    if any(call.get(name) not in ("", "0") for name in ("takeProfit", "stopLoss", "trailingStop")):
        raise errors.parameter("params error: takeProfit, stopLoss and trailingStop are not simulated")
    raise VenueError(34040, "not modified")


def closed_profits(call: Call) -> dict:
    """One row per fill that closed some of a position."""
    market, chosen = contracts(call), call.chosen()
    start, end = call.integer("startTime"), call.integer("endTime")
    trades = [t for name, t in reversed(call.member.trades)
              if name == market.name and t.closed and t.order.instrument in chosen
              and (start is None or t.fill.time >= start) and (end is None or t.fill.time <= end)]
    found, cursor = page(call, trades, 50, 100)
    return {"category": market.name, "list": [_closed_row(market, call, t) for t in found], "nextPageCursor": cursor}


def _closed_row(market: BybitContracts, call: Call, trade) -> dict:
    order, fill = trade.order, trade.fill
    worth = order.instrument.value(fill.price, trade.closed)
    entered = worth - trade.profit * (-1 if order.side > 0 else 1) * (-1 if order.instrument.inverse else 1)
    average = quotient(trade.closed, entered) if order.instrument.inverse else quotient(entered, trade.closed)
    row = order_texts.execution_row(market, trade)
    return {
        "symbol": row["symbol"], "orderType": row["orderType"], "side": row["side"], "orderId": row["orderId"],
        "leverage": str(market.ledger_of(call.account).symbol_risk(row["symbol"]).leverage),
        "updatedTime": row["execTime"], "createdTime": row["execTime"], "closedPnl": short(trade.profit - trade.commission),
        "avgEntryPrice": short(average), "qty": row["orderQty"], "cumEntryValue": short(entered),
        "orderPrice": row["orderPrice"], "closedSize": row["closedSize"], "avgExitPrice": row["execPrice"],
        "execType": "Trade", "fillCount": "1", "cumExitValue": short(worth), "openFee": "0",
        "closeFee": short(trade.commission)}
