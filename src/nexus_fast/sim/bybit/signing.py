"""How the venue proves a sender: hex of HMAC-SHA256, checked with the standard library alone.

REST signs time, key, receive window and the query string or body as sent; a WebSocket login signs `GET/realtime` and the
time at which the signature expires.
"""

import hashlib
import hmac


def hmac_hex(secret: str, payload: str) -> str:
    return hmac.digest(secret.encode(), payload.encode("utf-8", "replace"), hashlib.sha256).hex()


def rest_payload(timestamp: str, key: str, window: str, sent: str) -> str:
    """`sent`: the query string of a GET, the body of a POST."""
    return f"{timestamp}{key}{window}{sent}"


def login_payload(expires: str) -> str:
    return f"GET/realtime{expires}"


def is_valid(secret: str, payload: str, signature: str) -> bool:
    return hmac.compare_digest(hmac_hex(secret, payload).encode(), signature.lower().encode("utf-8", "replace"))
