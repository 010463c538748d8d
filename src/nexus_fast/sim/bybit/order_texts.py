"""Orders, executions, positions and wallets in the venue's words: rows of answers and of private frames alike.

Numbers are texts without trailing zeros. What is not simulated (conditional orders, options, borrowing) has the venue's
word for none.
"""

from nexus_fast.sim.bybit.errors import SPOT
from nexus_fast.sim.bybit.ids import execution_text, order_text
from nexus_fast.sim.bybit.instruments import MAINTENANCE
from nexus_fast.sim.bybit.trading import BybitContracts, Trade
from nexus_fast.sim.bybit.wallet import Coin, Member
from nexus_fast.sim.fixed_point import product, quotient, short, text
from nexus_fast.sim.instruments import Instrument
from nexus_fast.sim.market import Market
from nexus_fast.sim.orders import BUY, Order, Status

SIDE = {1: "Buy", -1: "Sell"}
_STATE = {Status.NEW: "New", Status.PARTIALLY_FILLED: "PartiallyFilled", Status.FILLED: "Filled"}
RISK_LIMIT = "2000000"


def state(order: Order) -> str:
    """Spot alone has a word of its own for what was cancelled after some of it was filled."""
    found = _STATE.get(order.status)
    if found is None:
        found = "PartiallyFilledCanceled" if order.executed and order.instrument.market == SPOT else "Cancelled"
    return found


def reference(order: Order) -> dict:
    """What an acknowledgement says."""
    return {"orderId": order_text(order.instrument.market, order.order_id), "orderLinkId": order.words.link_id}


def order_row(order: Order) -> dict:
    """As /v5/order/realtime gives it. Spot has no tpslMode and no createType, by which clients tell it from contracts."""
    words, is_spot = order.words, order.instrument.market == SPOT
    in_quote = words.market_unit == "quoteCoin"
    leaves = order.remaining if order.is_open else 0
    price = order.price or words.shown_price
    row = {
        **reference(order), "blockTradeId": "", "symbol": order.instrument.symbol, "price": short(price),
        "qty": short(words.asked if in_quote else order.quantity), "side": SIDE[order.side],
        "isLeverage": "0" if is_spot else "", "positionIdx": 0, "orderStatus": state(order),
        "cancelType": words.cancel_type, "rejectReason": words.reject_reason,
        "avgPrice": short(order.average_price) if order.executed else "", "leavesQty": short(leaves),
        "leavesValue": short(order.instrument.value(order.price, leaves)) if order.price and leaves else "0",
        "cumExecQty": short(order.executed), "cumExecValue": short(order.quote_executed),
        "cumExecFee": short(sum(words.fees.values())),
        "cumFeeDetail": {coin: short(fee) for coin, fee in words.fees.items()}, "timeInForce": words.time_in_force,
        "orderType": words.order_type, "stopOrderType": "", "orderIv": "", "marketUnit": words.market_unit,
        "triggerPrice": "", "takeProfit": "", "stopLoss": "", "ocoTriggerBy": "",
        "tpLimitPrice": "" if is_spot else "0", "slLimitPrice": "" if is_spot else "0",
        "tpTriggerBy": "", "slTriggerBy": "", "triggerDirection": 0, "triggerBy": "",
        "lastPriceOnCreated": short(words.last_price), "reduceOnly": order.reduce_only, "closeOnTrigger": False,
        "placeType": "", "smpType": words.smp, "smpGroup": 0, "smpOrderId": "",
        "createdTime": str(order.time), "updatedTime": str(order.update_time)}
    if not is_spot:
        row |= {"tpslMode": "UNKNOWN", "createType": "CreateByUser"}
    return row


def order_event(order: Order) -> dict:
    return {"category": order.instrument.market, **order_row(order), "feeCurrency": fee_coin(order),
            "closedPnl": short(order.words.profit)}


def fee_coin(order: Order) -> str:
    """Spot names the coin, contracts leave it to be understood."""
    if order.instrument.market != SPOT:
        return ""
    return order.instrument.base if order.side == BUY else order.instrument.quote


def execution_row(market: Market, trade: Trade) -> dict:
    """As /v5/execution/list gives it; frames add category, execPnl and more."""
    order, fill, is_spot = trade.order, trade.fill, market.name == SPOT
    instrument = order.instrument
    mark = "" if is_spot else text(market.mark_price(instrument.symbol), instrument.price_decimals)
    rate = instrument.maker_fee if trade.is_maker else instrument.taker_fee
    row = {
        "symbol": instrument.symbol, **reference(order), "side": SIDE[order.side],
        "orderPrice": short(order.price or order.words.shown_price), "orderQty": short(order.quantity),
        "leavesQty": short(trade.leaves),
        "orderType": order.words.order_type, "stopOrderType": "" if is_spot else "UNKNOWN",
        "execFee": short(trade.commission), "feeCurrency": trade.coin if is_spot else "",
        "execId": execution_text(market.name, market.numbers[instrument.symbol], fill.trade_id),
        "execPrice": short(fill.price), "execQty": short(fill.quantity), "execType": "Trade",
        "execValue": short(fill.quote), "execTime": str(fill.time), "isMaker": trade.is_maker, "feeRate": short(rate),
        "tradeIv": "", "markIv": "", "markPrice": mark, "indexPrice": "", "underlyingPrice": "", "blockTradeId": "",
        "closedSize": "" if is_spot else short(trade.closed), "seq": trade.sequence, "extraFees": ""}
    if not is_spot:
        row["createType"] = "CreateByUser"
    return row


def execution_event(market: Market, trade: Trade) -> dict:
    return {"category": market.name, **execution_row(market, trade), "isLeverage": "0", "marketUnit":
            trade.order.words.market_unit, "execPnl": short(trade.profit), "feeCoin": trade.coin}


def fast_execution_event(market: Market, trade: Trade) -> dict:
    """The venue does not know the client's id of a resting order here."""
    row = execution_row(market, trade)
    names = ("execId", "execPrice", "execQty", "orderId", "isMaker", "orderLinkId", "side", "execTime", "seq")
    out = {"category": market.name, "symbol": row["symbol"], **{name: row[name] for name in names}}
    if trade.is_maker:
        out["orderLinkId"] = ""
    return out


# ---- positions


def position_row(market: BybitContracts, member: Member, instrument: Instrument) -> dict:
    """As /v5/position/list gives it. Without a position, side is "" and the sums are nothing."""
    ledger, symbol = market.ledger_of(member.account), instrument.symbol
    position, mark = ledger.position(instrument), market.mark_price(symbol)
    record = member.record(market.name, symbol)
    amount = abs(position.amount)
    entered = abs(position.entry_value)
    side = "" if not amount else "Buy" if position.amount > 0 else "Sell"
    worth = instrument.value(mark, amount)
    return {
        "positionIdx": 0, "riskId": 1, "riskLimitValue": RISK_LIMIT, "symbol": symbol, "side": side,
        "size": short(amount), "avgPrice": short(position.entry_price), "positionValue": short(entered) if amount else "",
        "tradeMode": 0, "positionStatus": "Normal", "autoAddMargin": 0, "adlRankIndicator": 2 if amount else 0,
        "leverage": str(ledger.symbol_risk(symbol).leverage), "positionBalance": "0",
        "markPrice": text(mark, instrument.price_decimals), "liqPrice": "", "bustPrice": "",
        "positionMM": short(product(worth, MAINTENANCE)) if amount else "0",
        "positionIM": short(ledger.position_margin(instrument, mark)) if amount else "0", "tpslMode": "Full",
        "takeProfit": "", "stopLoss": "", "trailingStop": "0",
        "unrealisedPnl": short(position.unrealized(mark)) if amount else "0",
        "curRealisedPnl": short(record.current_profit), "cumRealisedPnl": short(record.ever_profit),
        "seq": market.sequence(market.books[symbol]), "isReduceOnly": False, "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "", "sessionAvgPrice": "", "createdTime": str(record.created or ""),
        "updatedTime": str(record.updated or "")}


def position_event(market: BybitContracts, member: Member, instrument: Instrument) -> dict:
    """A frame calls the average price entryPrice."""
    row = position_row(market, member, instrument)
    row["entryPrice"] = row.pop("avgPrice")
    row["positionValue"] = row["positionValue"] or "0"
    return {**row, "category": market.name}


# ---- the wallet


def coin_row(name: str, coin: Coin, dollars: int) -> dict:
    """`dollars`: what one is worth."""
    return {
        "coin": name, "equity": short(coin.equity), "usdValue": short(product(coin.equity, dollars)),
        "walletBalance": short(coin.wallet), "free": "", "locked": short(coin.locked), "spotHedgingQty": "0",
        "borrowAmount": "0", "availableToBorrow": "", "availableToWithdraw": "", "accruedInterest": "0",
        "totalOrderIM": short(coin.order_margin), "totalPositionIM": short(coin.position_margin),
        "totalPositionMM": short(coin.maintenance), "unrealisedPnl": short(coin.unrealized),
        "cumRealisedPnl": short(coin.profit), "bonus": "0", "collateralSwitch": True, "marginCollateral": True,
        "spotBorrow": "0"}


def wallet_row(coins: dict[str, Coin], rates: dict[str, int], wanted: list[str]) -> dict:
    """The account's sums in dollars over all coins, with the rows of the wanted ones."""
    equity = sum(product(coin.equity, rates[name]) for name, coin in coins.items())
    balance = sum(product(coin.wallet, rates[name]) for name, coin in coins.items())
    profit = sum(product(coin.unrealized, rates[name]) for name, coin in coins.items())
    margin = sum(product(coin.order_margin + coin.position_margin, rates[name]) for name, coin in coins.items())
    held = sum(product(coin.maintenance, rates[name]) for name, coin in coins.items())
    locked = sum(product(coin.locked, rates[name]) for name, coin in coins.items())
    return {
        "accountType": "UNIFIED", "accountLTV": "0", "accountIMRate": short(quotient(margin, equity)),
        "accountMMRate": short(quotient(held, equity)), "totalEquity": short(equity),
        "totalWalletBalance": short(balance), "totalMarginBalance": short(balance + profit),
        "totalAvailableBalance": short(balance + profit - margin - locked), "totalPerpUPL": short(profit),
        "totalInitialMargin": short(margin), "totalMaintenanceMargin": short(held),
        "coin": [coin_row(name, coins[name], rates[name]) for name in wanted]}
