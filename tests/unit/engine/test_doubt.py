"""What the venue's answers prove, and when: no clock, no I/O."""

import pytest

from nexus_fast.engine.doubt import GRACE_SECONDS, LAG_SECONDS, REPLICA_SECONDS, Doubt

WINDOW = 5.0
VALID = WINDOW + GRACE_SECONDS
LATE = WINDOW + GRACE_SECONDS + LAG_SECONDS
FIELDS = {"venue_id": "", "filled": 0, "price": 100, "quantity": 7, "state": "UNKNOWN", "changed_ns": 1, "modifying": False}
SHOWN = {**FIELDS, "venue_id": "77", "state": "ACCEPTED"}
CANCELING = {**SHOWN, "state": "CANCELING", "changed_ns": 2}


def doubt_about(fields, now=0.0):
    doubt = Doubt(WINDOW, now)
    doubt.see(fields, now)
    return doubt


def test_absence_is_proven_by_the_third_answer_that_was_asked_for_late_enough():
    doubt = doubt_about(FIELDS)
    assert not doubt.is_absent(LATE + 1) and not doubt.is_absent(LATE + 1) and doubt.is_absent(LATE + 1)


@pytest.mark.parametrize("asked", [0.0, WINDOW, WINDOW + GRACE_SECONDS, LATE - 0.001])
def test_many_early_answers_prove_nothing(asked):
    """Also when they arrive late, or when the venue cannot be asked afterwards."""
    doubt = doubt_about(FIELDS)
    assert not any(doubt.is_absent(asked) for _ in range(50))
    assert doubt.is_absent(LATE)


def test_what_the_venue_has_shown_outlasts_a_lagging_replica():
    doubt = doubt_about(SHOWN)
    assert doubt.lives and not any(doubt.is_absent(LATE + 1) for _ in range(5))
    assert doubt.is_absent(REPLICA_SECONDS)


@pytest.mark.parametrize("change", [{"venue_id": "77"}, {"filled": 3}])
def test_an_order_that_shows_up_meanwhile_makes_earlier_answers_worthless(change):
    doubt = doubt_about(FIELDS)
    for _ in range(5):
        doubt.is_absent(LATE - 1)
    doubt.see({**FIELDS, **change}, LATE)
    assert doubt.lives and not doubt.is_absent(LATE + 1)
    assert [doubt.is_absent(LATE + REPLICA_SECONDS) for _ in range(2)] == [False, True]


def test_a_cancel_is_outlived_by_what_is_open_long_after_it():
    doubt = doubt_about(SHOWN)
    doubt.see(CANCELING, 30.0)                        # the cancel was sent while the order was asked about
    assert not doubt.outlived_cancel(30.0 + VALID - 0.001) and doubt.outlived_cancel(30.0 + VALID)
    doubt.see({**CANCELING, "changed_ns": 3}, 40.0)   # and once more
    assert not doubt.outlived_cancel(30.0 + VALID) and doubt.outlived_cancel(40.0 + VALID)


def test_a_modification_is_outlived_by_an_order_that_is_as_before_long_after_it():
    doubt = doubt_about(SHOWN)
    doubt.see({**SHOWN, "modifying": True, "changed_ns": 2}, 30.0)
    assert not doubt.outlived_modification(30.0 + VALID - 0.001) and doubt.outlived_modification(30.0 + VALID)


def test_the_question_that_can_be_the_last_comes_as_soon_as_it_proves_something():
    doubt = doubt_about(FIELDS)
    assert doubt.wait(8.0, 1.0) == 8.0
    doubt.is_absent(0.0)
    doubt.is_absent(0.5)
    assert doubt.wait(8.0, LATE - 3.0) == 3.01 and doubt.wait(8.0, LATE - 20.0) == 8.0 and doubt.wait(8.0, LATE + 5.0) == 8.0
