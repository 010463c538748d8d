"""Signed Binance requests that are not in a hurry: REST queries, WebSocket API parameters, session.logon."""

import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from nexus_fast.gateway.credentials import ED25519, Credentials

Parameters = Mapping[str, Any] | Iterable[tuple[str, Any]]


def signed_query(
    params: Parameters, credentials: Credentials, timestamp_ms: int, recv_window: int | None = 5000
) -> str:
    """The query string of a signed REST request, in the order given, percent-encoded before it is signed.

    Values that are None are left out, True and False become true and false. recvWindow, timestamp, signature come last.
    """
    items = [(name, _text(value)) for name, value in _items(params)]
    if recv_window is not None:
        items.append(("recvWindow", str(recv_window)))
    items.append(("timestamp", str(timestamp_ms)))
    query = urlencode(items, quote_via=quote, safe="")
    return f"{query}&signature={quote(credentials.sign(query.encode()), safe='')}"


def signed_ws_params(
    params: Parameters, credentials: Credentials, timestamp_ms: int, recv_window: int | None = 5000
) -> dict[str, Any]:
    """`params` of a signed WebSocket API request: apiKey, timestamp, recvWindow and signature added.

    Signed is what the JSON will say: strings as they are, numbers and booleans as JSON writes them.
    """
    full = {"apiKey": credentials.api_key, **dict(_items(params)), "timestamp": timestamp_ms}
    if recv_window is not None:
        full["recvWindow"] = recv_window
    payload = "&".join(f"{name}={_text(full[name])}" for name in sorted(full))
    return {**full, "signature": credentials.sign(payload.encode())}


def logon_request(credentials: Credentials, timestamp_ms: int, request_id: str | None = None) -> bytes:
    """The text of session.logon, after which orders on this connection need no signature. Ed25519 keys only."""
    if credentials.kind != ED25519:
        raise ValueError(f"session.logon takes Ed25519 keys only, this one is {credentials.kind}: sign every request")
    params = signed_ws_params({}, credentials, timestamp_ms, recv_window=None)
    request = {"id": request_id or f"logon{secrets.token_hex(8)}", "method": "session.logon", "params": params}
    return json.dumps(request, separators=(",", ":"), ensure_ascii=False).encode()


def _items(params):
    items = params.items() if isinstance(params, Mapping) else params
    return [(name, value) for name, value in items if value is not None]


def _text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)):
        return str(value)
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    raise TypeError(
        f"{value!r} is a {type(value).__name__}: give decimals as text, what is signed must be what is sent"
    )
