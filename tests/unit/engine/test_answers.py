"""The seam of answers, and work that is kept: neither ends for what somebody else says."""

import asyncio
import decimal
import logging

import msgspec
import pytest

from nexus_fast import tasks
from nexus_fast.answers import reading, require_json, told, within
from nexus_fast.error import CredentialError, UnusableAnswer, VenueError
from nexus_fast.log import Logger
from nexus_fast.order.events import BalanceUpdate, OrderUpdate, PositionUpdate
from nexus_fast.tasks import Tasks

NUMBER = decimal.Decimal


@pytest.mark.parametrize("raises", [
    lambda: msgspec.json.decode(b"<html>"), lambda: msgspec.json.decode(b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    lambda: msgspec.json.decode(b""), lambda: msgspec.json.decode(b"[]", type=dict), lambda: {}["listenKey"], lambda: [][0],
    lambda: [].get("x"), lambda: None.x, lambda: int("x"), lambda: decimal.Decimal("x"), lambda: 2.0**9999,
    lambda: decimal.Decimal("sNaN") + 1, lambda: 1 / 0, lambda: (2**63).to_bytes(8, "big", signed=True), lambda: 1 < "x"])
def test_whatever_reading_an_answer_raises_is_one_error(raises):
    with pytest.raises(UnusableAnswer, match="the answer cannot be used: "), reading("the answer"):
        raises()


@pytest.mark.parametrize("error", [VenueError(-1, "no"), ConnectionError("cut"), TimeoutError("late"), CredentialError("key")])
def test_errors_with_a_meaning_of_their_own_pass(error):
    with pytest.raises(type(error)) as raised, reading("the answer"):
        raise error
    assert raised.value is error


def test_the_end_of_a_task_is_no_answer():
    with pytest.raises(asyncio.CancelledError), reading("the answer"):
        raise asyncio.CancelledError


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"{", b"\xff", b'{"a":1}x', b"[" * 100_000 + b"]" * 100_000])
def test_an_acknowledgement_that_is_no_json_is_none(body):
    with pytest.raises(UnusableAnswer):
        require_json(body, "the answer")
    require_json(b"{}", "the answer")


def test_a_time_limit_says_what_was_waited_for():
    async def wait():
        async with within(0.001, "the login"):
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError, match="the login: no answer within 0.001 s"):
        asyncio.run(wait())


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionResetError(), KeyError(), OSError(), TimeoutError()])
def test_an_error_is_never_told_by_an_empty_line(error):
    assert told(error) == type(error).__name__
    assert told(VenueError(-1, "no\nmore")) == "code=-1 error=no more"


# ---------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity", "1e30", "-1e30", "1e999999", "1e-60"])
@pytest.mark.parametrize("make", [
    lambda v: OrderUpdate(event="FILL", client_id="a", filled=v), lambda v: OrderUpdate(event="FILL", client_id="a", cost=v),
    lambda v: OrderUpdate(event="FILL", client_id="a", last_price=v), lambda v: OrderUpdate(event="FILL", client_id="a", fee=v),
    lambda v: BalanceUpdate(balances={"X": (v, NUMBER(0))}), lambda v: BalanceUpdate(balances={"X": (NUMBER(0), v)}),
    lambda v: PositionUpdate(venue_symbol="X", signed_amount=v, entry_price=NUMBER(1)),
    lambda v: PositionUpdate(venue_symbol="X", signed_amount=NUMBER(1), entry_price=v)])
def test_what_is_no_amount_is_no_answer(value, make):
    with pytest.raises(UnusableAnswer, match="is no amount"):
        make(NUMBER(value))
    make(NUMBER("99999999999.00000001"))
    make(NUMBER("-0E-18"))


@pytest.mark.parametrize("time", [2**63 - 1, 2**64, 10**13, -1])
def test_what_is_no_time_is_no_answer(time):
    with pytest.raises(UnusableAnswer, match="is no time"):
        OrderUpdate(event="FILL", client_id="a", time_ms=time)


# ---------------------------------------------------------------------------------------------- kept work


@pytest.mark.parametrize("error", [RecursionError("deep"), KeyError("x"), OverflowError("large"), MemoryError()])
def test_what_is_kept_is_begun_anew(monkeypatch, caplog, error):
    monkeypatch.setattr(tasks, "FIRST_WAIT", 0.001)
    begun = []

    async def work():
        begun.append(1)
        if len(begun) < 4:
            raise error

    async def story():
        made = Tasks(Logger("test.tasks"))
        await made.keep("the work", work)
        return made.failures

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(story()) == 3
    assert len(begun) == 4 and "the work failed and is started again" in caplog.text and type(error).__name__ in caplog.text


def test_what_is_kept_ends_with_its_owner():
    async def story():
        made = Tasks(Logger("test.tasks"))
        task = made.keep("the work", lambda: asyncio.sleep(3600))
        await asyncio.sleep(0)
        await made.close()
        return task.cancelled(), made.keep("the work", lambda: asyncio.sleep(3600))

    assert asyncio.run(story()) == (True, None)
