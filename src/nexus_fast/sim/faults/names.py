"""What messages are called, whichever venue's words they use: the names that a rule's `match` is held against.

A request has its method (Binance `method`, Bybit and OKX `op`) and `method:argument` for each topic that it names. An
answer has the names of its request, found by its id. What is pushed has its event type, stream or channel; a Binance
execution also with its kind, `executionReport.TRADE`.
"""

from typing import Any

import msgspec

USER_NAMES = frozenset({
    "executionReport", "outboundAccountPosition", "balanceUpdate", "ORDER_TRADE_UPDATE", "TRADE_LITE", "ACCOUNT_UPDATE",
    "ACCOUNT_CONFIG_UPDATE", "listenKeyExpired", "order", "execution", "execution.fast", "position", "wallet", "orders",
    "account", "positions", "balance_and_position", "fills"})


class Names(msgspec.Struct):
    """names: best first. answers: the id of the request that is asked or answered; None for what is pushed."""

    names: tuple[str, ...]
    answers: Any = None
    account: str = ""

    @property
    def is_private(self) -> bool:
        return bool(self.names) and self.names[0] in USER_NAMES


def of_request(payload: bytes) -> Names:
    message = _read(payload)
    method = message.get("method") or message.get("op") or ("ping" if payload == b"ping" else "")
    params = message.get("params") or message.get("args") or []
    names = [method]
    for one in params if isinstance(params, list) else ():
        topic = one.get("channel", "") if isinstance(one, dict) else str(one)
        names.append(f"{method}:{topic}")
    account = params.get("apiKey", "") if isinstance(params, dict) else ""
    return Names(tuple(names), _identity(message), account)


def of_message(payload: bytes, asked: dict) -> Names:
    """`asked`: names of the requests by their id."""
    message = _read(payload)
    pushed = _pushed(message)
    if pushed:
        return Names(pushed)
    identity = _identity(message)
    return Names(asked.get(str(identity), (message.get("op", "answer"),)), identity)


def _pushed(message: dict) -> tuple[str, ...]:
    if isinstance(message.get("event"), dict):                 # Binance spot's user data
        return _binance(message["event"])
    if "stream" in message:
        inner = message.get("data")
        return (*_binance(inner if isinstance(inner, dict) else {}), message["stream"])
    if "topic" in message:                                     # Bybit: orderbook.1.BTCUSDT, order, execution.fast
        topic = message["topic"]
        return topic, topic.partition(".")[0]
    if isinstance(message.get("arg"), dict) and "data" in message:
        return _okx(message)
    return _binance(message) if "e" in message or "u" in message and "b" in message else ()


def _binance(event: dict) -> tuple[str, ...]:
    name = event.get("e", "bookTicker")
    order = event["o"] if isinstance(event.get("o"), dict) else event
    kind = order.get("x") if name in ("executionReport", "ORDER_TRADE_UPDATE") else None
    more = () if kind is None else (f"{name}.{kind}", f"{name}.{order.get('X')}")
    symbol = order.get("s")
    return (name, *more, *([f"{symbol.lower()}@{name}"] if isinstance(symbol, str) else []))


def _okx(message: dict) -> tuple[str, ...]:
    channel = message["arg"].get("channel", "")
    rows = [row for row in message["data"] if isinstance(row, dict)]
    filled = channel == "orders" and any(row.get("fillSz") not in (None, "", "0") for row in rows)
    return (channel, *(["orders.fill"] if filled else []), f"{channel}:{message['arg'].get('instId', '')}")


def _identity(message: dict) -> Any:
    for name in ("id", "reqId", "req_id"):
        if message.get(name) is not None:
            return message[name]
    return None


def _read(payload: bytes) -> dict:
    try:
        message = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
