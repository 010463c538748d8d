"""Binance's answers as verdicts, of spot, USD-M, COIN-M and portfolio margin, by REST and by WebSocket API alike.

Sources: developers.binance.com errors.md, web-socket-api.md "Status codes", general-info of the futures; protocols.md
4.1. Rules are tried from top to bottom; the order matters, as one code comes with several statuses.
"""

from nexus_fast.exchange.outcome import Outcome, Request, Verdict

# "Send status unknown; execution status unknown", and three that say no more than that.
UNKNOWN_CODES = frozenset({-1000, -1001, -1006, -1007, -1016})
OVERLOADED = -1008
RATE_CODES = frozenset({-1003, -1015})
RATE_STATUSES = frozenset({403, 418, 429})
CLOCK_CODES = frozenset({-1021, -5028})
KEY_CODES = frozenset({-2014, -2015})
# Filters, and a symbol that is not traded now.
FILTER_CODES = frozenset({-1013, -1111, -4002, -4003, -4004, -4005, -4013, -4014, -4023, -4140, -4141, -4164})
DUPLICATE_CODE = -4116
NEW_ORDER_REJECTED, CANCEL_REJECTED, NO_SUCH_ORDER, CANCEL_REPLACE_PARTIAL = -2010, -2011, -2013, -2021
FIRST_PAUSE_MS, RATE_PAUSE_MS = 200, 1000
# 503 with one of these texts never reached the matching engine; with any other it may have.
NEVER_ARRIVED = ("service unavailable", "internal error; unable to process your request")

# An answer whose id is null, with status 401: the session is over, and what was in flight on it is unknown.
SESSION_REVOKED = Verdict(Outcome.UNKNOWN, "the venue revoked the session", session_lost=True)


def _reason(status: int, code: int | None, message: str) -> str:
    return f"code={code} error={message}" if code is not None else f"status={status} error={message}"


def classify(
    request: Request, status: int, code: int | None = None, message: str = "", retry_after_ms: int = 0
) -> Verdict:
    """status: HTTP's or the WebSocket API's; 0 where there was none. code: the venue's own; None where there was none.
    retry_after_ms: from now, where the venue gave one (REST gives seconds, the WebSocket API an absolute time)."""
    reason = _reason(status, code, message)
    if 200 <= status < 300 and code is None:
        return Verdict(Outcome.ACCEPTED)
    if code == OVERLOADED:
        return Verdict(Outcome.REFUSED, reason, pause_ms=retry_after_ms or FIRST_PAUSE_MS, rate_limited=True)
    if status == 503 and message.lower().startswith(NEVER_ARRIVED):
        return Verdict(Outcome.REFUSED, reason, pause_ms=FIRST_PAUSE_MS)
    if status >= 500 or status == 408 or code in UNKNOWN_CODES:
        return Verdict(Outcome.UNKNOWN, reason)
    if status in RATE_STATUSES or code in RATE_CODES:
        return Verdict(Outcome.REFUSED, reason, pause_ms=retry_after_ms or RATE_PAUSE_MS, rate_limited=True)
    if not code and not 400 <= status < 500:             # a redirect, or a page of somebody in between
        return Verdict(Outcome.UNKNOWN, reason)
    return _by_code(request, status, code, message, reason)


def _by_code(request: Request, status: int, code: int | None, message: str, reason: str) -> Verdict:
    text = message.lower()
    if code in CLOCK_CODES:
        return Verdict(Outcome.REFUSED, reason, resync_clock=True)
    if code in KEY_CODES:
        return Verdict(Outcome.REFUSED, reason, session_lost=True)
    if code == DUPLICATE_CODE or (code == NEW_ORDER_REJECTED and "duplicate" in text):
        return Verdict(Outcome.DUPLICATE, reason)
    if code == CANCEL_REPLACE_PARTIAL or status == 409:
        return Verdict(Outcome.UNKNOWN, reason)
    if request != "place" and code == NO_SUCH_ORDER:
        return Verdict(Outcome.NO_SUCH_ORDER, reason)
    if request != "place" and code == CANCEL_REJECTED and "restriction" not in text:
        return Verdict(Outcome.NO_SUCH_ORDER, reason)
    return Verdict(Outcome.REFUSED, reason, filtered=code in FILTER_CODES)
