"""Refusals in each venue's own form, for faults that answer in the venue's place."""

import time
from typing import Any

import msgspec

# Too many requests, in the words of Bybit and OKX; Binance's are the default.
TOO_MANY = {"bybit": 10006, "okx": 50011}

_encode = msgspec.json.encode


def websocket(request: bytes, status: int, code: Any, text: str, retry_after: float | None = None) -> bytes:
    """The refusal of a WebSocket request: its form follows from the words that the request used."""
    asked = msgspec.json.decode(request)
    form = form_of(asked)
    if form == "binance":
        error: dict = {"code": -1000 if code is None else code, "msg": text}
        if retry_after is not None:
            now = time.time_ns() // 1_000_000
            error["data"] = {"serverTime": now, "retryAfter": now + int(retry_after * 1000)}
        return _encode({"id": asked.get("id"), "status": status, "error": error})
    if form == "bybit":
        return _encode({"reqId": asked.get("reqId"), "retCode": 10016 if code is None else code, "retMsg": text,
                        "op": asked.get("op"), "data": {}, "header": {}, "connId": "fault"})
    rows = [{"clOrdId": one.get("clOrdId", ""), "ordId": "", "sCode": str(code or 50001), "sMsg": text, "tag": ""}
            for one in asked.get("args", []) if isinstance(one, dict)]
    return _encode({"id": asked.get("id"), "op": asked.get("op"), "code": "1" if rows else str(code or 50001), "msg": text,
                    "data": rows})


def form_of(asked: dict) -> str:
    """Which venue asks like this."""
    return "binance" if "method" in asked else "bybit" if "reqId" in asked or "header" in asked else "okx"


def too_many(request: bytes, status: int, left: float) -> bytes:
    """The refusal of a WebSocket request for a limit that holds for so many seconds more."""
    code = TOO_MANY.get(form_of(msgspec.json.decode(request)), -1003)
    return websocket(request, status, code, "Too many requests.", left)


def rest(venue: str, code: Any, text: str) -> bytes:
    """The body of a REST refusal."""
    if venue == "bybit":
        return _encode({"retCode": 10016 if code is None else code, "retMsg": text, "result": {}, "retExtInfo": {},
                        "time": time.time_ns() // 1_000_000})
    if venue == "okx":
        return _encode({"code": str(code or 50001), "msg": text, "data": []})
    return _encode({"code": -1000 if code is None else code, "msg": text})


SESSION_REVOKED = _encode({"id": None, "status": 401,
                           "error": {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}})
