"""Request templates of Binance: new order, cancel and modify by client id, for its WebSocket API and for REST.

WebSocket API (web-socket-api.md, "Request security"): signed is every parameter but the signature, sorted by name,
`name=value` joined by `&`, values in the form in which the JSON has them. apiKey sorts first: the first 64 bytes never
change. After session.logon neither apiKey nor signature is sent; the timestamp stays.

REST (rest-api.md): signed is the query string in the order sent, so what never changes comes first.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from nexus_fast.gateway.template import TemplateSet
from nexus_fast.gateway.texts import Hole, json_object, query
from nexus_fast.gateway.words import LIMIT, MARKET, POST_ONLY, order_kinds

SIDE_TEXTS = ("BUY", "SELL")
TIME_IN_FORCE_TEXTS = ("GTC", "IOC", "FOK")
NUMBERS = frozenset({"recvWindow", "timestamp"})  # JSON numbers; every other value is a string
SAFE = re.compile(r"[A-Za-z0-9._~-]+")  # the same bytes in JSON, in a URL and in what is signed

ADDRESS = re.compile(r"[A-Za-z0-9._~:/\[\]-]+")


@dataclass(frozen=True)
class Family:
    """What distinguishes one group of Binance's order endpoints."""

    host: str
    path: str
    testnet_host: str | None = None
    futures: bool = False  # GTX, reduceOnly, modify; otherwise LIMIT_MAKER, and a cancel has an id
    websocket: bool = False  # has a WebSocket API with order entry
    constants: Mapping[str, str] = field(default_factory=dict)


PAPI = "papi.binance.com"
FAMILIES = {
    "spot": Family("api.binance.com", "/api/v3/order", "testnet.binance.vision", websocket=True),
    "margin": Family("api.binance.com", "/sapi/v1/margin/order"),
    "isolated_margin": Family("api.binance.com", "/sapi/v1/margin/order", constants={"isIsolated": "TRUE"}),
    "usd_m": Family("fapi.binance.com", "/fapi/v1/order", "demo-fapi.binance.com", futures=True, websocket=True),
    "coin_m": Family("dapi.binance.com", "/dapi/v1/order", "testnet.binancefuture.com", futures=True, websocket=True),
    "portfolio_usd_m": Family(PAPI, "/papi/v1/um/order", futures=True),
    "portfolio_coin_m": Family(PAPI, "/papi/v1/cm/order", futures=True),
    "portfolio_margin": Family(PAPI, "/papi/v1/margin/order"),
}


def order_templates(
    family: str,
    symbol: str,
    *,
    entry: str = "ws",
    price_scale: int,
    size_scale: int,
    api_key: str | None = None,
    secret: str | bytes | None = None,
    recv_window: int | None = 1000,
    host: str | None = None,
    base_path: str = "",
    extra: Mapping[str, str] | None = None,
) -> TemplateSet:
    """All templates of one symbol (the venue's own name) on one account.

    family: a key of FAMILIES. entry: "ws" or "rest". secret: the HMAC key; None with entry="ws" means a connection on
    which session.logon has been answered. recv_window: milliseconds after which the venue drops the request, None for
    the venue's default (5000). host: of REST, "name" or "name:port"; base_path: what a proxy has before the venue's own
    paths. extra: further constant parameters of new orders, e.g. {"selfTradePreventionMode": "EXPIRE_MAKER"}. Raises
    ValueError for what cannot be sent.
    """
    rules = _family(family, entry)
    if not symbol or not all(c.isalnum() or c in "_-." for c in symbol):
        raise ValueError(f"symbol={symbol!r} is no Binance symbol")
    if recv_window is not None and not 0 < recv_window <= 60000:
        raise ValueError(f"recv_window={recv_window}: milliseconds, more than 0 and at most 60000")
    _require_credentials(entry, api_key, secret)
    common = {"symbol": symbol, "timestamp": Hole.TIMESTAMP, **rules.constants}
    if recv_window is not None:
        common["recvWindow"] = str(recv_window)
    if entry == "ws":
        builder = _WebSocketTexts(api_key, secret)
    else:
        builder = _RestTexts(_address("host", host or rules.host), _address("path", base_path + rules.path), api_key)
    key = secret.encode() if isinstance(secret, str) else secret
    templates = TemplateSet(price_scale=price_scale, size_scale=size_scale, secret=key)
    _add_places(templates, builder, rules, {**common, **_checked(extra or {})})
    templates.set_cancel(*builder.texts("cancel", {**common, **_cancel_parameters(rules)}))
    if rules.futures:
        for side, text in enumerate(SIDE_TEXTS):
            templates.set_modify(side, *builder.texts("modify", {**common, **_modify_parameters(text)}))
    return templates


def _family(name, entry) -> Family:
    if name not in FAMILIES:
        raise ValueError(f"{name!r} is no account family of Binance; one of {', '.join(FAMILIES)}")
    if entry not in ("ws", "rest"):
        raise ValueError(f"entry={entry!r}: 'ws' or 'rest'")
    if entry == "ws" and not FAMILIES[name].websocket:
        raise ValueError(f"Binance takes no orders over WebSocket for {name}: use entry='rest'")
    return FAMILIES[name]


def _require_credentials(entry, api_key, secret):
    if entry == "rest" and not (api_key and secret):
        raise ValueError("a REST order is signed: api_key and secret are needed")
    if secret is not None and not (api_key and SAFE.fullmatch(api_key)):
        raise ValueError("api_key is missing or has characters that no key has")
    if secret is not None and not secret:
        raise ValueError("secret is empty; None means a connection that has logged on")


def _address(what, text):
    if not ADDRESS.fullmatch(text):
        raise ValueError(f"{what}={text!r} cannot stand in an HTTP request")
    return text


def _checked(extra):
    for name, value in extra.items():
        if not (SAFE.fullmatch(name) and SAFE.fullmatch(value)):
            raise ValueError(f"extra parameter {name}={value!r}: only letters, digits and . _ ~ - can be sent")
    return extra


def _add_places(templates, builder, rules, common):
    for side, order_type, time_in_force, reduce_only in order_kinds():
        if reduce_only and not rules.futures:
            continue
        own = _place_parameters(rules, order_type, time_in_force, reduce_only)
        texts = builder.texts("place", {**common, "side": SIDE_TEXTS[side], **own})
        templates.set_place(side, order_type, time_in_force, reduce_only, *texts)


def _place_parameters(rules, order_type, time_in_force, reduce_only):
    parameters = {"type": "LIMIT", "newOrderRespType": "ACK", "newClientOrderId": Hole.CLIENT_ID}
    parameters["quantity"] = Hole.QUANTITY
    if order_type == MARKET:
        parameters["type"] = "MARKET"
    else:
        parameters["price"] = Hole.PRICE
    if order_type == LIMIT:
        parameters["timeInForce"] = TIME_IN_FORCE_TEXTS[time_in_force]
    if order_type == POST_ONLY:
        parameters.update({"timeInForce": "GTX"} if rules.futures else {"type": "LIMIT_MAKER"})
    if reduce_only:
        parameters["reduceOnly"] = "true"
    return parameters


def _cancel_parameters(rules):
    parameters = {"origClientOrderId": Hole.CLIENT_ID}
    if not rules.futures:
        # A cancelled spot order takes the id of its cancel, a random one if there is none: keep the order's own.
        parameters["newClientOrderId"] = Hole.CLIENT_ID
    return parameters


def _modify_parameters(side):
    return {"origClientOrderId": Hole.CLIENT_ID, "side": side, "price": Hole.PRICE, "quantity": Hole.QUANTITY}


class _WebSocketTexts:
    METHODS = {"place": "order.place", "cancel": "order.cancel", "modify": "order.modify"}

    def __init__(self, api_key, secret):
        self.key = {} if secret is None else {"apiKey": api_key}

    def texts(self, operation, parameters):
        """(the request, what is signed) of one operation; after a logon nothing is signed."""
        signed = dict(sorted({**parameters, **self.key}.items()))
        sent = dict(sorted({**signed, "signature": Hole.SIGNATURE}.items())) if self.key else signed
        start = ['{"id":"', Hole.REQUEST_ID, f'","method":"{self.METHODS[operation]}","params":']
        return [*start, *json_object(sent, NUMBERS), "}"], query(signed) if self.key else None


class _RestTexts:
    METHODS = {"place": "POST", "cancel": "DELETE", "modify": "PUT"}

    def __init__(self, host, path, api_key):
        self.host = host
        self.path = path
        self.api_key = api_key

    def texts(self, operation, parameters):
        """(the whole HTTP/1.1 request, None): its query is what is signed, constants first."""
        encoded = {k: quote(v, safe="") if isinstance(v, str) else v for k, v in parameters.items()}
        ordered = sorted(encoded.items(), key=lambda item: (isinstance(item[1], Hole), item[0] == "timestamp"))
        start = f"{self.METHODS[operation]} {self.path}?"
        end = (
            f" HTTP/1.1\r\nHost: {self.host}\r\nX-MBX-APIKEY: {self.api_key}\r\nUser-Agent: nexus_fast\r\n"
            "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n"
        )
        return [
            start,
            Hole.SIGNED_FROM,
            *query(dict(ordered)),
            Hole.SIGNED_TO,
            "&signature=",
            Hole.SIGNATURE,
            end,
        ], None
