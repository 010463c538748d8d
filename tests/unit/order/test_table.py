"""Slots, client ids and cumulative quantities."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexus_fast.order.table import OrderTable

CLOSED = ("FILLED", "CANCELED", "EXPIRED", "FAILED")
WITHIN = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.mark.parametrize(("arguments", "words"), [
    ((1, "abc", 3), "power of two"), ((1, "abc", 0), "power of two"), ((1, "ab"), "3 ASCII"), ((1, "äbc"), "3 ASCII"),
    ((1, "a-c"), "3 ASCII"), ((0, "abc"), "session_ms"), ((36**8, "abc"), "session_ms"),
])  # fmt: skip
def test_what_cannot_be_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        OrderTable(*arguments)


def test_client_ids_and_numbers_are_each_others_arithmetic(probe):
    orders = probe.Orders(session_ms=1_700_000_000_123, identity="x7z", capacity=1024)
    seen = set()
    for _ in range(1000):
        number = orders.take()
        text = orders.client_id(number)
        assert re.fullmatch(r"[a-z0-9]{17}", text)
        assert int(text[:8], 36) == 1_700_000_000_123 and text[8:11] == "x7z"
        assert int(text[11:], 32) == number
        assert orders.find(text.encode()) == number
        seen.add(text)
    assert len(seen) == 1000
    assert orders.table.issued == 1000


@pytest.mark.parametrize("number", [1, 31, 32, 1023, 1024, 2**20 + 3, 2**29 + 12345, 2**30 - 1])
def test_ids_of_large_numbers(probe, number):
    orders = probe.Orders(capacity=8)
    orders.skip_to(number)
    assert orders.take() == number
    assert orders.find(orders.client_id(number).encode()) == number


def test_other_texts_are_nobodys(probe):
    orders = probe.Orders(capacity=8)
    mine = orders.client_id(orders.take())
    others = ["", mine[:-1], mine + "0", mine.upper(), mine[:-1] + "w", mine[:-1] + "-", mine[:-1] + "2", "0" * 17,
              mine[:8] + "abd" + mine[11:], "x" * 36]
    assert [orders.find(text.encode()) for text in others] == [0] * len(others)
    another = probe.Orders(session_ms=1_700_000_000_001, capacity=8)
    assert another.find(mine.encode()) == 0


def test_a_slot_is_not_given_away_while_its_order_lives(probe):
    orders = probe.Orders(capacity=4)
    numbers = [orders.take() for _ in range(4)]
    assert numbers == [1, 2, 3, 4]
    assert orders.take() == 0 and orders.take() == 0
    for event in ("DOUBT", "ACCEPTED", "CANCEL_INTENT", "FILL"):
        orders.apply(2, event)
        assert orders.take() == 0
    orders.apply(2, "CANCELED")
    new = orders.take()
    assert new > 4 and not orders.known(2) and all(orders.known(n) for n in (1, 3, 4, new))
    assert orders.take() == 0


def test_one_resting_order_does_not_stop_the_others(probe):
    """More orders than slots pass by an order that rests."""
    orders = probe.Orders(capacity=8)
    resting = orders.take()
    orders.apply(resting, "ACCEPTED")
    before = resting
    for _ in range(100):
        number = orders.take()
        assert number > before
        assert orders.find(orders.client_id(number).encode()) == number
        orders.apply(number, "FILLED", 1)
        before = number
    assert orders.state(resting) == "ACCEPTED"
    assert orders.find(orders.client_id(resting).encode()) == resting


def test_a_reused_slot_starts_clean(probe):
    orders = probe.Orders(capacity=2)
    first = orders.take(quantity=10)
    orders.apply(first, "FILL", 3)
    old = orders.client_id(first)
    orders.apply(first, "CANCELED")
    orders.take()
    second = orders.take()
    assert second == 3 and orders.filled(second) == 0 and orders.state(second) == "PENDING"
    assert orders.find(old.encode()) == 0


def test_the_last_fill_fills(probe):
    """A venue that reports fills without saying that one was the last."""
    orders = probe.Orders()
    number = orders.take(quantity=10)
    assert orders.apply(number, "FILL", 4) == {"NOTIFY"}
    assert orders.state(number) == "PARTIALLY_FILLED"
    assert orders.apply(number, "FILL", 4) == frozenset()
    assert orders.apply(number, "FILL", 3) == frozenset()
    assert orders.filled(number) == 4
    assert orders.apply(number, "FILL", 10) == {"NOTIFY", "CLOSE"}
    assert orders.state(number) == "FILLED"


@pytest.mark.parametrize("proof", ["ACCEPTED", "FILL", "MODIFIED"])
def test_a_failed_cancel_proves_no_order(probe, proof):
    """Sent before the venue spoke of the order: it may not exist. With proof, it lives."""
    orders = probe.Orders()
    number = orders.take(quantity=10)
    orders.apply(number, "CANCEL_INTENT")
    assert orders.apply(number, "CANCEL_REJECTED") == {"NOTIFY_CANCEL_FAILED", "QUERY"}
    assert orders.state(number) == "UNKNOWN"
    orders.apply(number, proof, 1 if proof == "FILL" else -1)
    orders.apply(number, "CANCEL_INTENT")
    assert orders.apply(number, "CANCEL_REJECTED") == {"NOTIFY_CANCEL_FAILED"}
    assert orders.state(number) == ("PARTIALLY_FILLED" if proof == "FILL" else "ACCEPTED")


EVENTS = st.tuples(
    st.sampled_from(["ACCEPTED", "REJECTED", "DOUBT", "FILL", "FILLED", "CANCEL_INTENT", "CANCEL_REJECTED", "CANCEL_DOUBT",
                     "CANCELED", "EXPIRED", "NOT_FOUND", "MODIFY_INTENT", "MODIFIED", "MODIFY_REJECTED"]),
    st.integers(-1, 12))


@WITHIN
@given(st.lists(EVENTS, max_size=40))
def test_whatever_comes_in_whatever_order(probe, events):
    """Duplicates, losses and disorder: filled never goes down, an end stays, a conflict changes no state, UNKNOWN is left by
    proof alone."""
    orders = probe.Orders()
    number = orders.take(quantity=10)
    ended = None
    for event, filled in events:
        state, before, conflicts = orders.state(number), orders.filled(number), orders.table.conflicts
        actions = orders.apply(number, event, filled)
        after = orders.state(number)
        assert orders.filled(number) == max(before, filled)
        if ended and event not in ("ACCEPTED", "FILL", "FILLED"):
            assert after == ended
        if ended and orders.filled(number) > before and "CONFLICT" not in actions:
            assert actions & {"NOTIFY", "NOTIFY_FILL"}       # what is executed is told, however late
        if "CONFLICT" in actions:
            assert after == state and orders.table.conflicts == conflicts + 1
        if state == "UNKNOWN" and after != "UNKNOWN":
            assert event not in ("DOUBT", "CANCEL_DOUBT", "CANCEL_REJECTED", "MODIFY_INTENT", "MODIFY_REJECTED")
        ended = after if after in CLOSED else None
        if not ended and orders.filled(number) > 0 and "CONFLICT" not in actions:      # which the venue is asked about
            assert after in ("PARTIALLY_FILLED", "CANCELING", "UNKNOWN", "PENDING")


@WITHIN
@given(st.permutations(["ACCEPTED", ("FILL", 2), ("FILL", 5), ("FILLED", 10)]), st.data())
def test_a_life_in_any_order_with_repetitions(probe, life, data):
    """However the messages of a filled order are shuffled and repeated, it ends filled and is announced as such once."""
    repeated = [m for m in life for _ in range(data.draw(st.integers(1, 3)))]
    orders = probe.Orders()
    number = orders.take(quantity=10)
    ends = 0
    for message in repeated:
        event, filled = (message, -1) if isinstance(message, str) else message
        actions = orders.apply(number, event, filled)
        assert "CONFLICT" not in actions
        ends += "CLOSE" in actions
    assert orders.state(number) == "FILLED" and orders.filled(number) == 10 and ends == 1
