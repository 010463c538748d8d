"""What each of OKX's codes means for the order: the table of protocols, code by code."""

import pytest

from nexus_fast.exchange.okx.outcomes import classify
from nexus_fast.exchange.outcome import Outcome

PLACE, CANCEL, MODIFY = "place", "cancel", "modify"
ACCEPTED, REFUSED, UNKNOWN = Outcome.ACCEPTED, Outcome.REFUSED, Outcome.UNKNOWN
DUPLICATE, GONE = Outcome.DUPLICATE, Outcome.NO_SUCH_ORDER
ROWS = [
    # request, code, the item's code, outcome
    (PLACE, "0", "0", ACCEPTED),
    (CANCEL, "0", "0", ACCEPTED),
    (MODIFY, "0", "0", ACCEPTED),
    (PLACE, "0", None, UNKNOWN),                   # a yes that names no order
    (PLACE, "1", None, UNKNOWN),                   # failed, and nothing says why
    (PLACE, "2", "51008", REFUSED),
    (PLACE, "1", "51008", REFUSED),                # insufficient balance
    (PLACE, "1", "51000", REFUSED),
    (PLACE, "1", "51004_1101", REFUSED),           # a code with a sub-code
    (PLACE, "1", "51016", DUPLICATE),
    (CANCEL, "1", "51016", REFUSED),
    (CANCEL, "1", "51400", GONE),
    (CANCEL, "1", "51401", GONE),
    (CANCEL, "1", "51402", GONE),
    (CANCEL, "1", "51410", UNKNOWN),               # another cancel is under way
    (MODIFY, "1", "51503", GONE),
    (MODIFY, "1", "51509", GONE),
    (MODIFY, "1", "51510", GONE),
    (MODIFY, "1", "51603", GONE),
    (PLACE, "1", "51400", REFUSED),                # says nothing of a new order's life: it was refused
    (PLACE, "50001", None, UNKNOWN),
    (PLACE, "50004", None, UNKNOWN),
    (PLACE, "1", "50004", UNKNOWN),
    (PLACE, "50013", None, UNKNOWN),
    (PLACE, "50026", None, UNKNOWN),
    (PLACE, "1", "51149", UNKNOWN),
    (CANCEL, "1", "51149", UNKNOWN),
    (PLACE, "63999", None, UNKNOWN),
    (PLACE, "64007", None, UNKNOWN),
    (PLACE, "what", None, UNKNOWN),
    (PLACE, "60012", None, REFUSED),
    (PLACE, "60013", None, REFUSED),
    (PLACE, "50011", None, REFUSED),
    (PLACE, "1", "50061", REFUSED),
    (PLACE, "60014", None, REFUSED),
    (PLACE, "1", "50036", REFUSED),
    (PLACE, "1", "50037", REFUSED),
    (PLACE, "60011", None, REFUSED),
]


@pytest.mark.parametrize("request_kind, code, item, outcome", ROWS)
def test_outcome(request_kind, code, item, outcome):
    verdict = classify(request_kind, code, "text of all", item, "text of one")
    assert verdict.outcome is outcome
    if outcome is not ACCEPTED:
        named = item if item not in (None, "0") else code
        assert f"code={named}" in verdict.reason


def test_the_items_text_says_more_than_that_of_the_whole():
    assert classify(PLACE, "1", "All operations failed", "51008", "Insufficient balance").reason == (
        "code=51008 error=Insufficient balance"
    )
    assert classify(PLACE, "60013", "Invalid args").reason == "code=60013 error=Invalid args"


@pytest.mark.parametrize("code", ["50011", "50061", "60014", "51513"])
def test_limits_ask_for_a_pause(code):
    verdict = classify(PLACE, "1", "", code)
    assert verdict.rate_limited and verdict.pause_ms > 0


def test_a_request_that_came_too_late_has_the_clock_read():
    assert classify(PLACE, "1", "", "50036").resync_clock and classify(PLACE, "60006").resync_clock
    assert not classify(PLACE, "1", "", "51008").resync_clock


def test_a_key_that_is_refused_ends_the_session():
    for code in ("50111", "50113", "50105", "60011", "60024"):
        assert classify(PLACE, code).session_lost
    assert not classify(PLACE, "1", "", "51008").session_lost
