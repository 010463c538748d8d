"""Windows of order limits, against ones that remember everything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_fast.order.budget import MOST_COUNTED, Budget

SECOND = 1_000_000_000


class Remembering:
    """How the venue counts: every order's time is kept."""

    def __init__(self, most, seconds, sliding):
        self.most, self.length, self.sliding, self.times = most, seconds * SECOND, sliding, []

    def allows(self, now):
        since = now - self.length + 1 if self.sliding else now - now % self.length
        return sum(t >= since for t in self.times) < self.most


STEPS = st.lists(st.tuples(st.integers(0, SECOND), st.integers(1, 3)), max_size=80)


@given(st.booleans(), st.integers(1, 9), st.integers(1, 3), STEPS)
def test_what_is_allowed_and_when(sliding, most, seconds, steps):
    budget, remembering = Budget(most, seconds, sliding), Remembering(most, seconds, sliding)
    now = 1_700_000_000 * SECOND
    for step, tries in steps:
        now += step
        for _ in range(tries):
            allowed = remembering.allows(now)
            assert budget.take(now) == allowed
            remembering.times += [now] * allowed


@pytest.mark.parametrize("sliding", [False, True])
def test_a_part_is_kept_for_orders_that_reduce(sliding):
    budget, now = Budget(100, 10, sliding, share=0.5, reserve=0.05), 1_700_000_000 * SECOND
    assert [budget.take(now) for _ in range(48)] == [True] * 47 + [False] and budget.used(now) == 47
    assert [budget.take(now, reduces=True) for _ in range(4)] == [True] * 3 + [False]
    assert budget.used(now + 10 * SECOND) == 0 and budget.take(now + 10 * SECOND)


@pytest.mark.parametrize("sliding", [False, True])
def test_a_clock_that_goes_back_closes_nothing(sliding):
    budget, now = Budget(2, 1, sliding), 1_700_000_000 * SECOND
    assert [budget.take(now) for _ in range(3)] == [True, True, False] and budget.take(now - 3600 * SECOND)


@pytest.mark.parametrize("sliding", [False, True])
def test_the_smallest_share_is_one_order(sliding):
    budget, now = Budget(10, 1, sliding, share=0.01, reserve=0.9), 1_700_000_000 * SECOND
    assert budget.take(now) and not budget.take(now)


def test_a_limit_that_changes():
    budget, now = Budget(10, 1, True), 1_700_000_000 * SECOND
    assert all(budget.take(now) for _ in range(10))
    budget.set_limit(5)
    assert not budget.take(now) and budget.limit == 5
    budget.set_limit(200)
    assert budget.take(now)
    budget.set_limit(MOST_COUNTED + 1)           # nobody gets there: not counted
    assert all(budget.take(now) for _ in range(MOST_COUNTED + 2))
    budget.set_limit(10)
    assert not budget.take(now) and budget.take(now + SECOND)


def test_what_the_venue_has_counted():
    """The larger of both counts holds; an answer that was on its way over the end of a window says nothing of the next."""
    budget, now = Budget(100, 10, False), 1_700_000_000 * SECOND
    budget.take(now)
    budget.heard(60, now, now + SECOND)
    assert budget.used(now) == 60
    budget.heard(3, now + SECOND, now + SECOND)
    assert budget.used(now) == 60
    budget.give_back(5)
    assert budget.used(now) == 55
    budget.heard(90, now + 9 * SECOND, now + 11 * SECOND)
    assert budget.used(now + 11 * SECOND) == 0
    budget.give_back(5)
    assert budget.used(now + 11 * SECOND) == 0
