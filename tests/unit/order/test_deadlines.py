"""Each request whose answer is late is named, once, however many came in between (scenario 1)."""

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

from order_life import Life

WITHIN = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
ORDERS = 12                      # of a table of 16, whose queue of deadlines has 32 places


@pytest.fixture
def life(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_SHM", str(tmp_path))
    made = []

    def make():
        made.append(Life(tmp_path_factory.mktemp("life")))
        return made[-1]

    yield make
    for one in made:
        one.die()


steps = st.one_of(
    st.tuples(st.just("send"), st.integers(0, ORDERS - 1)), st.tuples(st.just("answer"), st.integers(0, ORDERS - 1)),
    st.tuples(st.just("end"), st.integers(0, ORDERS - 1)), st.tuples(st.just("look"), st.integers(0, ORDERS)),
)  # fmt: skip


@WITHIN
@given(st.lists(steps, max_size=120))
def test_what_is_overdue_is_what_a_walk_over_the_orders_would_find(probe, life, found):
    """A look at a moment between the deadlines that are known; the clock of the looks never goes back."""
    one, due, clock = life(), {}, 0
    numbers = [one.carry() for _ in range(ORDERS)]
    for step, which in found:
        number = numbers[which % ORDERS]
        if step == "send" and not one.ledger.closed(number):
            due[number] = probe.await_answer(one.ledger.entry, number)
        elif step == "answer":
            one.ledger.answered(number)
            due.pop(number, None)
        elif step == "end":
            one.ledger.apply(number, "CANCELED")
            due.pop(number, None)
        elif step == "look":
            clock = max(clock, *(sorted(due.values())[:which] or [1])) + 1
            late = sorted((at, number) for number, at in due.items() if at < clock)
            assert one.ledger.overdue(clock) == [number for _, number in late]
            for _, number in late:
                del due[number]
    assert sorted(one.ledger.overdue(2**62)) == sorted(due)


def test_more_requests_than_there_are_places_lose_none(probe, life):
    one = life()
    numbers = [one.carry() for _ in range(ORDERS)]
    for _ in range(20):
        for number in numbers:
            probe.await_answer(one.ledger.entry, number)
    one.ledger.answered(numbers[3])
    assert one.ledger.overdue() == []
    assert one.ledger.overdue(2**62) == numbers[:3] + numbers[4:]
    assert one.ledger.overdue(2**62) == []
    probe.await_answer(one.ledger.entry, numbers[5])
    assert one.ledger.overdue(2**62) == [numbers[5]]


def test_a_second_request_renews_the_deadline(probe, life):
    one = life()
    number = one.carry()
    first = probe.await_answer(one.ledger.entry, number)
    second = probe.await_answer(one.ledger.entry, number)
    assert second > first
    assert one.ledger.overdue(first + 1) == []
    assert one.ledger.overdue(second + 1) == [number]


def test_a_slot_of_another_order_by_now_is_not_late(probe, life):
    one = life()
    first = one.carry()
    probe.await_answer(one.ledger.entry, first)
    one.ledger.apply(first, "CANCELED")
    others = [one.carry() for _ in range(15)]
    one.ledger.apply(others[0], "CANCELED")
    again = one.carry()
    assert again - first == 16                   # the same place of the table
    assert one.ledger.overdue(2**62) == []
