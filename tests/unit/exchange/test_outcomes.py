"""Binance's answers as verdicts: the table of protocols, row by row."""

import pytest

from nexus_fast.exchange.binance.outcomes import SESSION_REVOKED, classify
from nexus_fast.exchange.outcome import Outcome

ACCEPTED, REFUSED, UNKNOWN = Outcome.ACCEPTED, Outcome.REFUSED, Outcome.UNKNOWN
DUPLICATE, NO_SUCH_ORDER = Outcome.DUPLICATE, Outcome.NO_SUCH_ORDER


@pytest.mark.scenario(14, 15, 16, 17)
@pytest.mark.parametrize(
    ("request_kind", "status", "code", "message", "outcome"),
    [
        ("place", 200, None, "", ACCEPTED),
        ("cancel", 200, None, "", ACCEPTED),
        # Unknown: it may be live.
        ("place", 0, None, "connection lost", UNKNOWN),
        ("place", 500, None, "", UNKNOWN),
        ("place", 502, None, "<html>", UNKNOWN),
        ("place", 504, None, "", UNKNOWN),
        ("place", 408, None, "", UNKNOWN),
        ("place", 400, -1006, "An unexpected response was received from the message bus.", UNKNOWN),
        ("place", 400, -1007, "Timeout waiting for response from backend server.", UNKNOWN),
        ("cancel", 400, -1007, "Timeout waiting for response from backend server.", UNKNOWN),
        ("place", 400, -1000, "An unknown error occurred", UNKNOWN),
        ("place", 400, -1001, "Internal error", UNKNOWN),
        ("place", 503, None, "Unknown error, please check your request or try again later.", UNKNOWN),
        ("place", 409, -2021, "Order cancel-replace partially failed.", UNKNOWN),
        ("place", 302, None, "", UNKNOWN),
        ("place", 302, 0, "<html>Moved</html>", UNKNOWN),
        ("cancel", 307, 0, "", UNKNOWN),
        # Refused: no trace.
        ("place", 503, None, "Service Unavailable.", REFUSED),
        ("place", 503, None, "Internal error; unable to process your request. Please try again.", REFUSED),
        ("place", 503, -1008, "Request throttled by system-level protection.", REFUSED),
        ("place", 400, -1013, "Filter failure: LOT_SIZE", REFUSED),
        ("place", 400, -1021, "Timestamp for this request is outside of the recvWindow.", REFUSED),
        ("place", 400, -1022, "Signature for this request is not valid.", REFUSED),
        ("place", 400, -1111, "Precision is over the maximum defined for this asset.", REFUSED),
        ("place", 400, -2010, "Account has insufficient balance for requested action.", REFUSED),
        ("place", 400, -2019, "Margin is insufficient.", REFUSED),
        ("place", 400, -2022, "ReduceOnly Order is rejected.", REFUSED),
        ("place", 400, -4120, "Order type not supported for this endpoint.", REFUSED),
        ("place", 400, -4164, "Order's notional must be no smaller than 5", REFUSED),
        ("place", 401, -2015, "Invalid API-key, IP, or permissions for action.", REFUSED),
        ("place", 429, -1003, "Too many requests", REFUSED),
        ("place", 418, -1003, "Way too many requests; IP banned", REFUSED),
        ("place", 429, -1015, "Too many new orders", REFUSED),
        ("place", 403, None, "<html>WAF</html>", REFUSED),
        ("place", 404, None, "", REFUSED),
        ("cancel", 400, -2011, "Order was not canceled due to cancel restrictions.", REFUSED),
        # The earlier one lives.
        ("place", 400, -2010, "Duplicate order sent.", DUPLICATE),
        ("place", 400, -4116, "ClientOrderId is duplicated.", DUPLICATE),
        # Over already, or not arrived yet.
        ("cancel", 400, -2011, "Unknown order sent.", NO_SUCH_ORDER),
        ("query", 400, -2013, "Order does not exist.", NO_SUCH_ORDER),
        ("modify", 400, -2013, "Order does not exist.", NO_SUCH_ORDER),
    ],
)
def test_outcomes(request_kind, status, code, message, outcome):
    verdict = classify(request_kind, status, code, message)
    assert verdict.outcome is outcome
    if outcome is not ACCEPTED:
        assert str(code if code is not None else status) in verdict.reason and message in verdict.reason


def test_limits_say_how_long_to_rest():
    assert classify("place", 429, -1003, "", retry_after_ms=7000).pause_ms == 7000
    assert classify("place", 429, -1003, "").rate_limited
    assert classify("place", 503, -1008, "").pause_ms == 200
    assert not classify("place", 400, -1013, "").rate_limited


def test_a_refused_time_asks_for_the_venues_clock():
    assert classify("place", 400, -1021, "").resync_clock
    assert classify("place", 400, -5028, "").resync_clock


def test_a_refused_key_ends_trading_on_it():
    assert classify("place", 401, -2015, "").session_lost
    assert SESSION_REVOKED.session_lost and SESSION_REVOKED.outcome is UNKNOWN


@pytest.mark.parametrize("status", [500, 501, 502, 504, 520, 599])
@pytest.mark.parametrize("kind", ["place", "cancel", "modify"])
def test_no_server_error_is_ever_taken_for_a_refusal(status, kind):
    assert classify(kind, status, -2010, "anything").outcome is UNKNOWN
