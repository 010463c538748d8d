"""Orders, fills and amounts in the venue's words: the JSON shapes that requests are answered with.

Spot writes eight decimals everywhere; futures write as many as the symbol's pricePrecision and quantityPrecision say.
"""

from nexus_fast.sim.fixed_point import short, text
from nexus_fast.sim.orders import BUY, Fill, Order, Status

SIDE = {1: "BUY", -1: "SELL"}
STATUS = {Status.NEW: "NEW", Status.PARTIALLY_FILLED: "PARTIALLY_FILLED", Status.FILLED: "FILLED",
          Status.CANCELED: "CANCELED", Status.EXPIRED: "EXPIRED", Status.EXPIRED_IN_MATCH: "EXPIRED_IN_MATCH"}
SELF_TRADE = {0: "NONE", 1: "EXPIRE_TAKER", 2: "EXPIRE_MAKER", 3: "EXPIRE_BOTH"}


class Words:
    """What an order's form said in the venue's own terms: (type, time in force, …)."""

    __slots__ = ("type", "time_in_force", "quote_order_quantity", "price_match", "side_effect")

    def __init__(self, type_: str, time_in_force: str, quote_order_quantity: int = 0):
        self.type = type_
        self.time_in_force = time_in_force
        self.quote_order_quantity = quote_order_quantity
        self.price_match = "NONE"
        self.side_effect = "NO_SIDE_EFFECT"  # margin: what is borrowed or paid back


# ---- spot


def spot_ack(order: Order) -> dict:
    return {"symbol": order.instrument.symbol, "orderId": order.order_id, "orderListId": -1,
            "clientOrderId": order.client_id, "transactTime": order.update_time}


def spot_result(order: Order) -> dict:
    words = order.words
    out = spot_ack(order)
    out.update({
        "price": text(order.price), "origQty": text(order.quantity), "executedQty": text(order.executed),
        "origQuoteOrderQty": text(words.quote_order_quantity), "cummulativeQuoteQty": text(order.quote_executed),
        "status": STATUS[order.status], "timeInForce": words.time_in_force, "type": words.type,
        "side": SIDE[order.side], "workingTime": order.time, "selfTradePreventionMode": SELF_TRADE[order.self_trade]})
    return out


def spot_full(order: Order) -> dict:
    out = spot_result(order)
    out["fills"] = [{"price": text(fill.price), "qty": text(fill.quantity), "commission": text(commission),
                     "commissionAsset": asset, "tradeId": fill.trade_id} for fill, commission, asset in order.fills]
    return out


def spot_canceled(order: Order) -> dict:
    words = order.words
    return {"symbol": order.instrument.symbol, "origClientOrderId": order.original_client_id, "orderId": order.order_id,
            "orderListId": -1, "clientOrderId": order.client_id, "transactTime": order.update_time,
            "price": text(order.price), "origQty": text(order.quantity), "executedQty": text(order.executed),
            "origQuoteOrderQty": text(words.quote_order_quantity), "cummulativeQuoteQty": text(order.quote_executed),
            "status": STATUS[order.status], "timeInForce": words.time_in_force, "type": words.type,
            "side": SIDE[order.side], "selfTradePreventionMode": SELF_TRADE[order.self_trade]}


def spot_status(order: Order) -> dict:
    words = order.words
    # A query answers with the id the order was placed with, also after a cancel has renamed it.
    client_id = order.original_client_id if order.status == Status.CANCELED else order.client_id
    return {"symbol": order.instrument.symbol, "orderId": order.order_id, "orderListId": -1, "clientOrderId": client_id,
            "price": text(order.price), "origQty": text(order.quantity), "executedQty": text(order.executed),
            "cummulativeQuoteQty": text(order.quote_executed), "status": STATUS[order.status],
            "timeInForce": words.time_in_force, "type": words.type, "side": SIDE[order.side],
            "stopPrice": "0.00000000", "icebergQty": "0.00000000", "time": order.time, "updateTime": order.update_time,
            "isWorking": True, "workingTime": order.time, "origQuoteOrderQty": text(words.quote_order_quantity),
            "selfTradePreventionMode": SELF_TRADE[order.self_trade]}


def spot_amended(order: Order, execution_id: int) -> dict:
    return {"transactTime": order.update_time, "executionId": execution_id, "amendedOrder": {
        "symbol": order.instrument.symbol, "orderId": order.order_id, "orderListId": -1,
        "origClientOrderId": order.original_client_id, "clientOrderId": order.client_id, "price": text(order.price),
        "qty": text(order.quantity), "executedQty": text(order.executed), "preventedQty": "0.00000000",
        "quoteOrderQty": text(order.words.quote_order_quantity), "cumulativeQuoteQty": text(order.quote_executed),
        "status": STATUS[order.status], "timeInForce": order.words.time_in_force, "type": order.words.type,
        "side": SIDE[order.side], "workingTime": order.time,
        "selfTradePreventionMode": SELF_TRADE[order.self_trade]}}


def spot_trade(order: Order, fill: Fill, commission: int, asset: str, is_maker: bool) -> dict:
    return {"symbol": order.instrument.symbol, "id": fill.trade_id, "orderId": order.order_id, "orderListId": -1,
            "price": text(fill.price), "qty": text(fill.quantity), "quoteQty": text(fill.quote),
            "commission": text(commission), "commissionAsset": asset, "time": fill.time, "isBuyer": order.side == BUY,
            "isMaker": is_maker, "isBestMatch": True}


# ---- futures: USD-M, and COIN-M, which names the pair, and counts in contracts and coins


def price_text(order: Order, price: int) -> str:
    return text(price, order.instrument.price_decimals)


def quantity_text(order: Order, quantity: int) -> str:
    return text(quantity, order.instrument.quantity_decimals)


def futures_order(order: Order) -> dict:
    """The answer to place, modify and cancel (without `avgPrice` and `cumQuote`, as since June 2026)."""
    words = order.words
    return {"orderId": order.order_id, "symbol": order.instrument.symbol, **_pair(order), "status": STATUS[order.status],
            "clientOrderId": order.client_id, "price": price_text(order, order.price),
            "origQty": quantity_text(order, order.quantity), "executedQty": quantity_text(order, order.executed),
            "cumQty": quantity_text(order, order.executed), "timeInForce": words.time_in_force, "type": words.type,
            "reduceOnly": order.reduce_only, "closePosition": False, "side": SIDE[order.side], "positionSide": "BOTH",
            "stopPrice": price_text(order, 0), "workingType": "CONTRACT_PRICE", "priceProtect": False,
            "origType": words.type, "priceMatch": words.price_match,
            "selfTradePreventionMode": SELF_TRADE[order.self_trade], "goodTillDate": order.good_till,
            "updateTime": order.update_time}


def _pair(order: Order) -> dict:
    return {"pair": order.instrument.words["pair"]} if order.instrument.inverse else {}


def futures_ack(order: Order) -> dict:
    """An ACK says only that the order was taken: it is NEW and nothing of it is executed yet."""
    out = futures_order(order)
    zero = quantity_text(order, 0)
    out.update(status="NEW", executedQty=zero, cumQty=zero)
    return out


def futures_status(order: Order) -> dict:
    """The answer to a query: with `avgPrice`, `cumQuote` and `time`."""
    out = futures_order(order)
    del out["cumQty"]
    cost = {"cumBase": text(order.quote_executed)} if order.instrument.inverse else {
        "cumQuote": price_text(order, order.quote_executed)}
    out.update({"avgPrice": average_text(order), **cost, "time": order.time})
    return out


def average_text(order: Order) -> str:
    """Average price."""
    return price_text(order, order.average_price)


def futures_trade(order: Order, fill: Fill, commission: int, asset: str, is_maker: bool, realized: int) -> dict:
    cost = {"baseQty": text(fill.quote), "marginAsset": order.instrument.settle, **_pair(order)} if (
        order.instrument.inverse) else {"quoteQty": short(fill.quote)}
    return {"symbol": order.instrument.symbol, "id": fill.trade_id, "orderId": order.order_id, "side": SIDE[order.side],
            "price": price_text(order, fill.price), "qty": quantity_text(order, fill.quantity),
            "realizedPnl": text(realized), **cost, "commission": text(commission),
            "commissionAsset": asset, "time": fill.time, "positionSide": "BOTH", "buyer": order.side == BUY,
            "maker": is_maker}
