"""How the venue proves a sender: base64 of HMAC-SHA256 over time, method, path with query, and body.

REST carries an ISO 8601 time with milliseconds in its headers, a WebSocket login the seconds since 1970 and always the
same method and path. Both count for 30 seconds.
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

WINDOW_MS = 30_000
LOGIN_TARGET = "GET/users/self/verify"


def signature(secret: str, text: str) -> str:
    """`signature(secret, "2020-12-08T09:08:57.715ZGET/api/v5/account/balance?ccy=BTC")`."""
    return base64.b64encode(hmac.digest(secret.encode(), text.encode("utf-8", "replace"), hashlib.sha256)).decode()


def is_valid(secret: str, text: str, given: str) -> bool:
    return hmac.compare_digest(signature(secret, text).encode(), given.encode("utf-8", "replace"))


def iso_milliseconds(text: str) -> int | None:
    """`"2020-12-08T09:08:57.715Z"` -> ms since 1970; None for anything else. Whole seconds with decimals count too."""
    try:
        return int(datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        return seconds_milliseconds(text)


def seconds_milliseconds(text: str) -> int | None:
    """`"1538054050"` or `"1538054050.123"` -> ms since 1970; None for anything else."""
    whole, _, fraction = text.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 12) or not (fraction + "0").isdigit():
        return None
    return int(whole) * 1000 + int((fraction + "000")[:3])
