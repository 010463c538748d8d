"""Bybit's answers as verdicts, row by row, and what they do to the orders."""

import json
from types import SimpleNamespace

import pytest
from bybit_recordings import lines

from nexus_fast.exchange.bybit.order_answers import OrderAnswers
from nexus_fast.exchange.bybit.outcomes import classify
from nexus_fast.exchange.bybit.trade_api import decode_answer
from nexus_fast.exchange.outcome import Outcome
from nexus_fast.log import Logger

ACCEPTED, REFUSED, UNKNOWN = Outcome.ACCEPTED, Outcome.REFUSED, Outcome.UNKNOWN
DUPLICATE, NO_SUCH_ORDER = Outcome.DUPLICATE, Outcome.NO_SUCH_ORDER


@pytest.mark.parametrize(("request_kind", "code", "outcome"), [
    ("place", 0, ACCEPTED), ("cancel", 0, ACCEPTED), ("modify", 0, ACCEPTED),
    # Unknown: it may be live.
    ("place", None, UNKNOWN), ("place", "unreadable", UNKNOWN), ("place", 10000, UNKNOWN), ("place", 10016, UNKNOWN),
    ("place", 170007, UNKNOWN), ("place", 170146, UNKNOWN), ("cancel", 170147, UNKNOWN), ("modify", 170310, UNKNOWN),
    ("cancel", 10016, UNKNOWN), ("modify", 10000, UNKNOWN), ("cancel", 20006, UNKNOWN), ("modify", 20006, UNKNOWN),
    # An earlier one lives.
    ("place", 110072, DUPLICATE), ("place", 170141, DUPLICATE), ("place", 10014, DUPLICATE), ("place", 20006, DUPLICATE),
    # Over, or not arrived yet.
    ("cancel", 110001, NO_SUCH_ORDER), ("modify", 110001, NO_SUCH_ORDER), ("cancel", 170213, NO_SUCH_ORDER),
    ("cancel", 110008, NO_SUCH_ORDER), ("cancel", 110010, NO_SUCH_ORDER), ("cancel", 170139, NO_SUCH_ORDER),
    ("cancel", 170142, NO_SUCH_ORDER), ("place", 110001, REFUSED),
    # Refused: no trace.
    ("place", 10001, REFUSED), ("place", 10002, REFUSED), ("place", 10003, REFUSED), ("place", 10004, REFUSED),
    ("place", 10005, REFUSED), ("place", 10006, REFUSED), ("place", 10019, REFUSED), ("place", 10403, REFUSED),
    ("place", 10404, REFUSED), ("place", 10429, REFUSED), ("place", 33004, REFUSED), ("place", 110003, REFUSED),
    ("place", 110007, REFUSED), ("place", 110017, REFUSED), ("place", 110020, REFUSED), ("place", 170131, REFUSED),
    ("modify", 40004, REFUSED), ("modify", 110079, REFUSED), ("modify", 10001, REFUSED), ("cancel", 10006, REFUSED),
])  # fmt: skip
def test_outcomes(request_kind, code, outcome):
    assert classify(request_kind, code, "text").outcome is outcome


@pytest.mark.parametrize(("status", "code", "outcome"), [
    (200, 0, ACCEPTED), (500, 0, UNKNOWN), (502, 502, UNKNOWN), (504, None, UNKNOWN), (408, 408, UNKNOWN), (403, 403, REFUSED),
    (429, 10006, REFUSED), (401, 401, REFUSED),
])  # fmt: skip
def test_outcomes_of_rest(status, code, outcome):
    assert classify("place", code, "text", status=status).outcome is outcome


def test_what_goes_with_a_verdict():
    assert classify("place", 10002).resync_clock and not classify("place", 110007).resync_clock
    limited = classify("place", 10006, pause_ms=250)
    assert limited.rate_limited and limited.pause_ms == 250 and classify("place", 10429).pause_ms == 1000
    assert classify("place", 0, status=403).pause_ms == 600_000
    assert classify("place", 10019).session_lost and classify("place", 10005).session_lost
    assert classify("place", 110007, "ab not enough").reason == "code=110007 error=ab not enough"


# ---------------------------------------------------------------------------------------------- what they do


class Recorder:
    """The engine's side, with one order: `own`, number 7. What is done to it stands in `done`."""

    def __init__(self, state="ACCEPTED"):
        self.done = []
        ledger = SimpleNamespace(find=lambda name: 7 if name == "own" else 0, answered=lambda n: self.done.append("answered"),
                                 state=lambda number: state)
        self.tracker = SimpleNamespace(
            ledger=ledger, drain=lambda: None, refuses=lambda number, update: update.client_id not in ("", "own"),
            modification_answered=lambda number: self.done.append("answered"),
            apply_to=lambda number, update: self.done.append((update.event, number)),
            doubt=lambda number, reason: self.done.append(("doubt", number)),
            result=lambda number, kind, reason: self.done.append(kind.name))  # fmt: skip
        self.times = SimpleNamespace(measure=lambda account, in_doubt: self.done.append("clock"))
        self.account = SimpleNamespace(renew_trade=lambda: self.done.append("renew"))

    def query(self, number):
        self.done.append(("query", number))

    def on_rate_limited(self, account, seconds, reason):
        assert account is self.account
        self.done.append(("pause", seconds))


def answered(op, code, request_id, **more):
    host = Recorder()
    content = {"reqId": request_id, "retCode": code, "retMsg": "text", "op": op, "data": {}, "retExtInfo": {}, **more}
    OrderAnswers(host.account, host, Logger("test")).on_answer(decode_answer(json.dumps(content).encode()))
    return host.done


NOW = "1747699200123"


@pytest.mark.parametrize(("op", "code", "request_id", "done"), [
    # A yes says that the request was taken: what became of it is for the order stream to say.
    ("order.create", 0, "own", []), ("order.cancel", 0, f"cown.{NOW}", []), ("order.amend", 0, f"mown.{NOW}", []),
    ("order.create", 110007, "own", [("REJECTED", 7), "ACK_REJECTED"]),
    ("order.create", 10016, "own", [("doubt", 7)]), ("order.create", 110072, "own", [("doubt", 7)]),
    ("order.create", 10002, "own", [("REJECTED", 7), "ACK_REJECTED", "clock"]),
    ("order.create", 10019, "own", [("REJECTED", 7), "ACK_REJECTED", "renew"]),
    ("order.create", 10006, "own", [("REJECTED", 7), "ACK_REJECTED", ("pause", 1.0)]),
    ("order.cancel", 110001, f"cown.{NOW}", ["answered", ("CANCEL_DOUBT", 7)]),
    ("order.cancel", 10016, f"cown.{NOW}", ["answered", ("CANCEL_DOUBT", 7)]),
    ("order.cancel", 10005, f"#c7.{NOW}", ["answered", ("CANCEL_REJECTED", 7), "renew"]),
    ("order.amend", 10001, f"mown.{NOW}", ["answered", ("MODIFY_REJECTED", 7)]),
    ("order.amend", 110001, f"#m7.{NOW}", ["answered", ("MODIFY_REJECTED", 7), ("query", 7)]),
    ("order.amend", 10000, f"mown.{NOW}", ["answered", ("query", 7)]),
    # Of nobody here.
    ("order.create", 0, "foreign", []), ("order.cancel", 110001, f"cforeign.{NOW}", []), ("order.create", 0, "", []),
    ("dcp", 0, "own", []),
])  # fmt: skip
def test_what_an_answer_does(op, code, request_id, done):
    assert answered(op, code, request_id) == done


@pytest.mark.parametrize(("state", "done"), [
    ("CANCELING", ["answered", ("CANCEL_REJECTED", 7)]),
    ("ACCEPTED", ["answered", ("MODIFY_REJECTED", 7)]),
])  # fmt: skip
def test_what_was_accepted_for_processing_may_be_refused_later(state, done):
    host = Recorder(state)
    OrderAnswers(host.account, host, Logger("test")).on_late_refusal(7, "EC_InCallAuctionStatus")
    assert host.done == done


@pytest.mark.parametrize("op", ["order.create", "order.cancel", "order.amend"])
@pytest.mark.parametrize("code", [0, 110007, 110001, 10016])
def test_an_answer_that_names_another_order_does_nothing(op, code):
    """The engine has counted and named it, and asks."""
    prefix = {"order.create": "own", "order.cancel": f"cown.{NOW}", "order.amend": f"mown.{NOW}"}[op]
    assert answered(op, code, prefix, data={"orderId": "1", "orderLinkId": "another"}) == []
    assert answered(op, code, prefix, data={"orderId": "1", "orderLinkId": "own"}) == answered(op, code, prefix)


def test_a_batch_that_was_taken_may_have_failed():
    """Scenario 60: retCode 0 with an error in the item."""
    items = {"list": [{"code": 110007, "msg": "ab not enough for new order"}]}
    assert answered("order.create", 0, "own", retExtInfo=items) == [("REJECTED", 7), "ACK_REJECTED"]
    assert answered("order.create", 0, "own", retExtInfo={"list": [{"code": 0, "msg": "OK"}]}) == []


def test_recorded_answers_are_read():
    steps = [step for record in lines("jkorf_net/bybit_socket.jsonl") for step in record["steps"]]
    found = [step["json"] for step in steps if step["dir"] != "client"]
    assert len(found) >= 4
    for content in found:
        answer = decode_answer(json.dumps(content).encode())
        assert (answer.op, answer.code, answer.req_id) == (content["op"], content["retCode"], content["reqId"])
        assert 0 <= answer.pause_ms <= 1000
