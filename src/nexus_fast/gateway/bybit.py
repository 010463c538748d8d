"""Request templates of Bybit v5 for its trade WebSocket: order.create, order.cancel and order.amend by orderLinkId.

The connection is authenticated once; an order carries no signature, and its timestamp stands in a header of the message
(websocket/trade/guideline.mdx). The answer says that the request was accepted; the order stream says what became of it.
"""

from nexus_fast.gateway.template import TemplateSet
from nexus_fast.gateway.texts import Hole, json_object
from nexus_fast.gateway.words import LIMIT, MARKET, POST_ONLY, order_kinds

CATEGORIES = ("spot", "linear", "inverse")
SIDE_TEXTS = ("Buy", "Sell")
TIME_IN_FORCE_TEXTS = ("GTC", "IOC", "FOK")


def order_templates(
    category: str, symbol: str, *, price_scale: int, size_scale: int, recv_window: int = 1000
) -> TemplateSet:
    """All templates of one symbol (the venue's own name). recv_window: milliseconds after which the venue drops it.

    Spot has no reduce-only orders; the amount of a spot market order is in the base currency.
    """
    if category not in CATEGORIES:
        raise ValueError(f"{category!r} is no category of Bybit; one of {', '.join(CATEGORIES)}")
    if not (symbol.isascii() and symbol.replace("-", "").isalnum()):
        raise ValueError(f"symbol={symbol!r} is no Bybit symbol")
    if not 0 < recv_window <= 60000:
        raise ValueError(f"recv_window={recv_window}: milliseconds, more than 0 and at most 60000")
    templates = TemplateSet(price_scale=price_scale, size_scale=size_scale)
    common = {"category": category, "symbol": symbol}
    identity = {**common, "orderLinkId": Hole.CLIENT_ID}
    for side, order_type, time_in_force, reduce_only in order_kinds():
        if reduce_only and category == "spot":
            continue
        own = _place_parameters(category, order_type, time_in_force, reduce_only)
        text = _message("order.create", {**identity, "side": SIDE_TEXTS[side], **own}, recv_window)
        templates.set_place(side, order_type, time_in_force, reduce_only, text)
    templates.set_cancel(_message("order.cancel", identity, recv_window))
    amend = {**identity, "qty": Hole.QUANTITY, "price": Hole.PRICE}
    for side in range(len(SIDE_TEXTS)):
        templates.set_modify(side, _message("order.amend", amend, recv_window))
    return templates


def _message(operation, parameters, recv_window):
    header = json_object({"X-BAPI-TIMESTAMP": Hole.TIMESTAMP, "X-BAPI-RECV-WINDOW": str(recv_window)})
    arguments = json_object(parameters, bare=("reduceOnly",))
    return ['{"reqId":"', Hole.REQUEST_ID, '","header":', *header, f',"op":"{operation}","args":[', *arguments, "]}"]


def _place_parameters(category, order_type, time_in_force, reduce_only):
    parameters = {"orderType": "Market" if order_type == MARKET else "Limit", "qty": Hole.QUANTITY}
    if order_type != MARKET:
        parameters["price"] = Hole.PRICE
    if order_type == LIMIT:
        parameters["timeInForce"] = TIME_IN_FORCE_TEXTS[time_in_force]
    if order_type == POST_ONLY:
        parameters["timeInForce"] = "PostOnly"
    if order_type == MARKET and category == "spot":
        parameters["marketUnit"] = "baseCoin"
    if reduce_only:
        parameters["reduceOnly"] = "true"
    return parameters
