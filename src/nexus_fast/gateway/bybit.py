"""Request templates of Bybit v5 for its trade WebSocket: order.create, order.cancel and order.amend by orderLinkId.

The connection is authenticated once; an order carries no signature, and its timestamp stands in a header of the message
(websocket/trade/guideline.mdx). The answer says that the request was accepted; the order stream says what became of it.

The venue refuses a reqId that it has seen (20006). A new order's is its client id; that of a cancel or an amendment, of which an
order may have many, is what request_ids.py says, a dot and the time in ms.
"""

from nexus_fast.gateway.credentials import Credentials
from nexus_fast.gateway.template import TemplateSet
from nexus_fast.gateway.texts import Hole, json_object
from nexus_fast.gateway.words import LIMIT, MARKET, POST_ONLY, order_kinds

CATEGORIES = ("spot", "linear", "inverse")
SIDE_TEXTS = ("Buy", "Sell")
TIME_IN_FORCE_TEXTS = ("GTC", "IOC", "FOK")
LONGEST_REQUEST_ID = 36
TIME_SUFFIX = 14                # a dot and the milliseconds
AUTH_MS = 10_000                # how long the venue takes a login's signature


def sign_rest(credentials: Credentials, timestamp_ms: int, recv_window: int, payload: str) -> dict[str, str]:
    """The headers of a signed REST request. payload: the query string, or the body as it is sent (guide.mdx)."""
    text = f"{timestamp_ms}{credentials.api_key}{recv_window}{payload}"
    return {
        "X-BAPI-API-KEY": credentials.api_key,
        "X-BAPI-TIMESTAMP": str(timestamp_ms),
        "X-BAPI-RECV-WINDOW": str(recv_window),
        "X-BAPI-SIGN": credentials.sign(text.encode()),
    }


def auth_arguments(credentials: Credentials, timestamp_ms: int) -> list[str | int]:
    """`args` of the op "auth" of the private and the trade connection (wss-authentication.mdx)."""
    expires = timestamp_ms + AUTH_MS
    return [credentials.api_key, expires, credentials.sign(f"GET/realtime{expires}".encode())]


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
    limit = LONGEST_REQUEST_ID - TIME_SUFFIX
    templates = TemplateSet(price_scale=price_scale, size_scale=size_scale, request_id_limit=limit)
    common = {"category": category, "symbol": symbol}
    identity = {**common, "orderLinkId": Hole.CLIENT_ID}
    for side, order_type, time_in_force, reduce_only in order_kinds():
        if reduce_only and category == "spot":
            continue
        own = _place_parameters(category, order_type, time_in_force, reduce_only)
        text = _message("order.create", [Hole.REQUEST_ID], {**identity, "side": SIDE_TEXTS[side], **own}, recv_window)
        templates.set_place(side, order_type, time_in_force, reduce_only, text)
    numbered = [Hole.REQUEST_ID, ".", Hole.TIMESTAMP]
    templates.set_cancel(_message("order.cancel", numbered, identity, recv_window))
    amend = {**identity, "qty": Hole.QUANTITY, "price": Hole.PRICE}
    for side in range(len(SIDE_TEXTS)):
        templates.set_modify(side, _message("order.amend", numbered, amend, recv_window))
    return templates


def _message(operation, request_id, parameters, recv_window):
    header = json_object({"X-BAPI-TIMESTAMP": Hole.TIMESTAMP, "X-BAPI-RECV-WINDOW": str(recv_window)})
    arguments = json_object(parameters, bare=("reduceOnly",))
    return ['{"reqId":"', *request_id, '","header":', *header, f',"op":"{operation}","args":[', *arguments, "]}"]


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
