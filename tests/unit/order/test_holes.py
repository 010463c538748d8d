"""A missing fill is asked for until the venue has said it, or has said often enough that it has no more."""

import pytest

from nexus_fast.order import holes as module
from nexus_fast.order.holes import ANSWERS_NEEDED, END_SECONDS, FIRST_WAIT, LAST_WAIT, UNTOLD_WAIT, Holes


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_asked_again_with_longer_and_longer_waits_while_nobody_answers(clock):
    holes, waits = Holes(), []
    holes.note(7, True)
    assert holes.due() == []
    for _ in range(40):
        begun = clock[0]
        while not holes.due():
            clock[0] += 0.5
        waits.append(clock[0] - begun)
        clock[0] += 3                                        # the question takes its time, and is the only one
        assert holes.due() == [] and not holes.asked(7, answered=False)
    assert waits[:5] == [FIRST_WAIT * 2**n for n in range(5)] and waits[-1] == LAST_WAIT


def test_given_up_after_as_many_answers_and_not_asked_again(clock):
    holes = Holes()
    holes.note(7, True)
    given_up = []
    while not any(given_up):
        clock[0] += LAST_WAIT
        assert holes.due() == [7]
        given_up.append(holes.asked(7, answered=True))
    assert len(given_up) == ANSWERS_NEEDED and len(holes) == 0
    holes.note(7, True)
    clock[0] += 10 * LAST_WAIT
    assert holes.due() == []


def test_filled_meanwhile(clock):
    holes = Holes()
    holes.note(7, True)
    clock[0] += FIRST_WAIT
    assert holes.due() == [7]
    holes.note(7, False)
    assert not holes.asked(7, answered=True) and 7 not in holes
    holes.note(7, True)                                      # short once more: asked from the start
    clock[0] += FIRST_WAIT
    assert holes.due() == [7]


def test_what_somebody_waits_for_is_asked_for_soon_and_waited_for_no_longer_than_that(clock):
    holes = Holes()
    holes.note(7, True)
    holes.note(7, True, is_untold=True)
    begun, waits = clock[0], []
    while not holes.overdue():
        clock[0] += 0.05
        if holes.due():
            waits.append(clock[0] - begun)
            assert not holes.asked(7, answered=True)
    assert clock[0] - begun == pytest.approx(END_SECONDS, abs=0.1) and waits[0] == pytest.approx(UNTOLD_WAIT, abs=0.06)
    assert len(waits) == 5
    holes.note(7, True, is_untold=False)                     # told without its trade, which is asked for further
    assert holes.overdue() == [] and 7 in holes


def test_what_is_given_up_is_asked_for_again_when_somebody_waits(clock, monkeypatch):
    monkeypatch.setattr(module, "ANSWERS_NEEDED", 1)
    holes = Holes()
    holes.note(7, True)
    clock[0] += FIRST_WAIT
    assert holes.due() == [7] and holes.asked(7, answered=True)
    holes.note(7, True, is_untold=True)
    clock[0] += UNTOLD_WAIT
    assert holes.due() == [7] and not holes.asked(7, answered=True)


def test_what_is_forgotten_was_short_or_not(clock):
    holes = Holes()
    holes.note(7, True)
    assert holes.forget(7) and not holes.forget(7) and not holes.forget(8)
