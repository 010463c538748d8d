"""OKX's answers as verdicts, of WebSocket orders and of REST alike.

Sources: www.okx.com/docs-v5, error-code-rest-api-public and error-code-websocket-public; protocols.md 4.1. A top-level code of 0
says that the request was read, 1 and 2 that all or some of its operations failed; what became of one is its own sCode.
"""

from nexus_fast.exchange.outcome import Outcome, Request, Verdict

OK = frozenset({"0", ""})
FAILED = frozenset({"1", "2"})
# "Does not mean that the request was successful or failed", timeouts, unavailable or broken services.
UNKNOWN_CODES = frozenset({50001, 50004, 50005, 50013, 50026, 51054, 51149, 63999, 64007})
# A cancel that finds another one under way: what becomes of the order is still to come.
UNDER_WAY_CODE = 51410
DUPLICATE_CODE = 51016
NO_SUCH_ORDER_CODES = frozenset({51400, 51401, 51402, 51503, 51509, 51510, 51603})
QUERY_NO_SUCH_ORDER = 51603
RATE_CODES = frozenset({50011, 50040, 50061, 51513, 60014})
# 50036, 50037: the request came after its expTime.
CLOCK_CODES = frozenset({50036, 50037, 50102, 50107, 50112, 60004, 60006})
KEY_CODES = frozenset({
    50100, 50101, 50103, 50104, 50105, 50106, 50110, 50111, 50113, 50114, 50119, 60005, 60007, 60009, 60011, 60024, 60032,
})  # fmt: skip
# Filters: a parameter, instrument, price, size or lot that is refused, a symbol that is not traded now.
FILTER_CODES = frozenset({51000, 51001, 51005, 51006, 51020, 51021, 51027, 51028, 51120, 51121, 51202})
RATE_PAUSE_MS = 1000


def number_of(code: str) -> int | None:
    """The code without its sub-code (51004_1101); None for a text."""
    head = code.partition("_")[0]
    return int(head) if head.isdigit() else None


def classify(request: Request, code: str, message: str = "", item_code: str | None = None, item_message: str = "") -> Verdict:
    """code, message: of the whole answer; item_code, item_message: of its one operation, None where it has none."""
    if code in OK and item_code is not None and item_code in OK:
        return Verdict(Outcome.ACCEPTED)
    if item_code is not None and item_code not in OK:
        code, message = item_code, item_message or message
    reason = f"code={code} error={message}"
    number = number_of(code)
    if number is None or code in OK or code in FAILED or number in UNKNOWN_CODES or number == UNDER_WAY_CODE:
        return Verdict(Outcome.UNKNOWN, reason)
    if request == "place" and number == DUPLICATE_CODE:
        return Verdict(Outcome.DUPLICATE, reason)
    if request != "place" and number in NO_SUCH_ORDER_CODES:
        return Verdict(Outcome.NO_SUCH_ORDER, reason)
    if number in RATE_CODES:
        return Verdict(Outcome.REFUSED, reason, pause_ms=RATE_PAUSE_MS, rate_limited=True)
    return Verdict(
        Outcome.REFUSED,
        reason,
        resync_clock=number in CLOCK_CODES,
        session_lost=number in KEY_CODES,
        filtered=number in FILTER_CODES,
    )
