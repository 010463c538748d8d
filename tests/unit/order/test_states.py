"""The table of an order's states: every rule, and what must hold whatever comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_fast.order.states import EVENTS, LATE, RULES, STATES, diagram, transition

LIVE = ("PENDING", "UNKNOWN", "ACCEPTED", "PARTIALLY_FILLED", "CANCELING")
CLOSED = ("FILLED", "CANCELED", "EXPIRED", "FAILED")
# What an order that was over may turn out to have been: executed, or never over.
REVISED = {("CANCELED", "FILLED"), ("EXPIRED", "FILLED"), ("FAILED", "FILLED"), ("FAILED", "ACCEPTED"), ("FAILED", "FILL")}
LATE_FILLS = {("CANCELED", "FILL"), ("EXPIRED", "FILL")}
LISTED = [line.split() for line in RULES.strip().splitlines()]
# Events that are the venue's word that an order is, or is not, there.
PROOF = {"ACCEPTED", "REJECTED", "FILL", "FILLED", "CANCELED", "EXPIRED", "NOT_FOUND", "MODIFIED", "CANCEL_INTENT"}


@pytest.mark.parametrize("rule", LISTED, ids=lambda rule: "-".join(rule[:2]))
def test_every_rule_is_what_runs(rule):
    state, event, following, *actions = rule
    assert transition(state, event) == (following, frozenset(actions))


def test_no_rule_stands_twice():
    pairs = [tuple(rule[:2]) for rule in LISTED]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_what_no_rule_names_is_a_conflict_that_changes_nothing(state, event):
    following, actions = transition(state, event)
    listed = {tuple(rule[:2]) for rule in LISTED}
    if "CONFLICT" in actions:
        assert following == state and actions == {"CONFLICT"}
        assert (state, event) not in listed
    if state in CLOSED and (state, event) not in REVISED | LATE_FILLS:
        assert following == state
        assert actions in (frozenset(), frozenset({"CONFLICT"}))
    if state in CLOSED and event in LATE and (state, event) not in REVISED:
        assert actions == frozenset()


@pytest.mark.parametrize("state", LIVE)
def test_only_an_end_closes(state):
    for event in EVENTS:
        following, actions = transition(state, event)
        assert (following in CLOSED) == ("CLOSE" in actions)


def test_only_proof_leads_out_of_unknown():
    left = {event for event in EVENTS if transition("UNKNOWN", event)[0] != "UNKNOWN"}
    assert left <= PROOF
    assert not {"DOUBT", "CANCEL_DOUBT", "CANCEL_REJECTED", "MODIFY_INTENT", "MODIFY_REJECTED", "REFUSED"} & left


@pytest.mark.parametrize("state", ["CANCELED", "EXPIRED", "FAILED"])
def test_a_fill_after_the_end_is_never_silent(state):
    for event in ("FILL", "FILLED"):
        assert transition(state, event)[1] & {"NOTIFY", "NOTIFY_FILL"}
    assert transition(state, "FILLED")[0] == "FILLED"


@pytest.mark.parametrize("event", ["ACCEPTED", "FILL"])
def test_an_order_that_lives_after_it_failed_is_canceled(event):
    """The strategy was told that it failed, and may have sent another: never two exposures for one intent."""
    assert transition("FAILED", event) == ("CANCELING", {"NOTIFY", "CANCEL"})


def test_a_cancel_that_failed_returns_to_what_was():
    assert transition("CANCELING", "CANCEL_REJECTED", filled=False)[0] == "ACCEPTED"
    assert transition("CANCELING", "CANCEL_REJECTED", filled=True)[0] == "PARTIALLY_FILLED"


def test_every_state_is_reached_and_every_live_one_left():
    reached, front = {"FREE"}, ["FREE"]
    while front:
        state = front.pop()
        for event in EVENTS:
            following = transition(state, event)[0]
            if following not in reached:
                reached.add(following)
                front.append(following)
    assert reached == set(STATES)
    for state in LIVE:
        assert {transition(state, event)[0] for event in EVENTS} & set(CLOSED)


@given(st.lists(st.sampled_from([e for e in EVENTS if e not in ("INTENT", "REFUSED")]), max_size=30), st.booleans())
def test_an_end_stays(events, filled):
    state, _ = transition("FREE", "INTENT")
    ended = None
    for event in events:
        before = state
        state, actions = transition(state, event, filled)
        if ended and (before, event) not in REVISED | LATE_FILLS:
            assert state == ended and not actions & {"NOTIFY", "CLOSE", "QUERY"}
        ended = state if state in CLOSED else None


def test_the_diagram_is_drawn_from_the_rules():
    text = diagram()
    assert text.startswith("stateDiagram-v2")
    assert "PENDING --> UNKNOWN: doubt" in text
    assert "    FILLED -->" not in text
    assert "CANCELED --> FILLED: filled" in text and "FAILED --> CANCELING: accepted, fill" in text
