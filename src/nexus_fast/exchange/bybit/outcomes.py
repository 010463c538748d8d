"""Bybit's answers as verdicts, of the trade WebSocket and of REST alike.

Sources: bybit-exchange.github.io/docs/v5/error, websocket/trade/guideline; protocols.md 4.1. That a request was accepted says no
more than that: what became of the order is for the order stream to say.
"""

from nexus_fast.exchange.outcome import Outcome, Request, Verdict

# "Server Timeout", "Internal server error" (or the service is restarting), and spot's timeouts and internal errors.
UNKNOWN_CODES = frozenset({10000, 10016, 170001, 170007, 170032, 170146, 170147, 170234, 170310})
# An order of this orderLinkId (contracts, spot) or this request was there before.
DUPLICATE_CODES = frozenset({10014, 110030, 110072, 170141})
# "reqId is duplicated": what became of the first request of this id is not said.
REPEATED_REQUEST = 20006
# Not there, finished, filled, or canceled: contracts 110…, spot 170….
NO_SUCH_ORDER_CODES = frozenset({110001, 110008, 110010, 110019, 170139, 170142, 170213})
RATE_CODES = frozenset({10006, 10018, 10403, 10429, 170005, 170222})
CLOCK_CODE = 10002
# The service restarts and takes no more requests on this connection; what it took before is not affected.
RESTARTING = 10019
# Key, signature, permission, login, address, expiry: docs/v5/error and 33004 "your api key has expired".
KEY_CODES = frozenset({401, 10003, 10004, 10005, 10007, 10008, 10010, 33004})
# Filters: parameters of contracts, minimum value; spot's prices and quantities; a symbol that is not traded now.
FILTER_CODES = frozenset({10001, 110094, 170105, 170124, 170130, *range(170132, 170138), 170140})
RATE_PAUSE_MS, OVERLOAD_PAUSE_MS = 1000, 200


def classify(
    request: Request, code: int | str | None, message: str = "", *, status: int = 200, pause_ms: int = 0
) -> Verdict:
    """code: retCode; None where there was none. status: HTTP's, for REST. pause_ms: until the limit's reset, where known."""
    reason = f"code={code} error={message}"
    if code == 0 and 200 <= status < 300:
        return Verdict(Outcome.ACCEPTED)
    if status == 403:
        return Verdict(Outcome.REFUSED, reason, pause_ms=600_000, rate_limited=True)
    if not isinstance(code, int) or status >= 500 or status == 408 or code in UNKNOWN_CODES:
        return Verdict(Outcome.UNKNOWN, reason)
    if code in RATE_CODES:
        return Verdict(Outcome.REFUSED, reason, pause_ms=pause_ms or RATE_PAUSE_MS, rate_limited=True)
    if code == CLOCK_CODE:
        return Verdict(Outcome.REFUSED, reason, resync_clock=True)
    if code in KEY_CODES or code == RESTARTING:
        return Verdict(Outcome.REFUSED, reason, pause_ms=OVERLOAD_PAUSE_MS, session_lost=True)
    if code in DUPLICATE_CODES or (code == REPEATED_REQUEST and request == "place"):
        return Verdict(Outcome.DUPLICATE, reason)
    if code == REPEATED_REQUEST:
        return Verdict(Outcome.UNKNOWN, reason)
    if request != "place" and code in NO_SUCH_ORDER_CODES:
        return Verdict(Outcome.NO_SUCH_ORDER, reason)
    return Verdict(Outcome.REFUSED, reason, filtered=request == "place" and code in FILTER_CODES)
