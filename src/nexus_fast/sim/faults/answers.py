"""Refusals in each venue's own form, for faults that answer in the venue's place."""

import time
from typing import Any

import msgspec

_encode = msgspec.json.encode


def websocket(request: bytes, status: int, code: Any, text: str, retry_after: float | None = None) -> bytes:
    """The refusal of a WebSocket request: its form follows from the words that the request used."""
    asked = msgspec.json.decode(request)
    if "method" in asked:
        error: dict = {"code": -1000 if code is None else code, "msg": text}
        if retry_after is not None:
            now = time.time_ns() // 1_000_000
            error["data"] = {"serverTime": now, "retryAfter": now + int(retry_after * 1000)}
        return _encode({"id": asked.get("id"), "status": status, "error": error})
    if "reqId" in asked or "header" in asked:
        return _encode({"reqId": asked.get("reqId"), "retCode": 10016 if code is None else code, "retMsg": text,
                        "op": asked.get("op"), "data": {}, "header": {}, "connId": "fault"})
    rows = [{"clOrdId": one.get("clOrdId", ""), "ordId": "", "sCode": str(code or 50001), "sMsg": text, "tag": ""}
            for one in asked.get("args", []) if isinstance(one, dict)]
    return _encode({"id": asked.get("id"), "op": asked.get("op"), "code": "1" if rows else str(code or 50001), "msg": text,
                    "data": rows})


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
