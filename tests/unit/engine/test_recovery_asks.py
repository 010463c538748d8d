"""What the last session left is held against the venue's list; what the list cannot tell is asked about one by one."""

import asyncio
from types import SimpleNamespace

import pytest

from nexus_fast.engine.recovery import Recovery
from nexus_fast.order.events import OrderUpdate

NUMBERS = {"rests": 1, "canceling": 2, "missing": 3, "lies": 4}


class Host:
    def __init__(self):
        self.asked, self.external = [], []
        states = {2: "CANCELING"}
        ledger = SimpleNamespace(
            live=lambda account: list(NUMBERS.values()), state=lambda number: states.get(number, "ACCEPTED"),
            fields=lambda number: {"client_id": next(name for name, n in NUMBERS.items() if n == number)})
        self.core = SimpleNamespace(ledger=ledger)
        self.tracker = SimpleNamespace(number_of=lambda update, account: NUMBERS.get(update.client_id, 0),
                                       adopt=lambda number, update, asked: number != NUMBERS["lies"])
        self.inquiry = SimpleNamespace(settled=self.settled, pause=self.pause, note_failure=lambda account, error: None,
                                       recover_trades=self.settled)
        self.reconciler = SimpleNamespace(look_again=lambda account: None)
        self.gates = SimpleNamespace(open=lambda index, reason: None)
        self.query = self.asked.append

    async def settled(self, numbers, seconds):
        return []

    async def pause(self, account):
        pass

    def on_external_order(self, account, update):
        self.external.append(update.client_id)


class Account:
    index, account_type = 0, "account"

    def __init__(self, *failures):
        self.failures = list(failures)

    async def refresh(self):
        if self.failures:
            raise self.failures.pop(0)
        names = ("rests", "canceling", "lies", "theirs")
        return {name: OrderUpdate(event="ACCEPTED", client_id=name) for name in names}


def recover(account):
    host = Host()
    log = SimpleNamespace(info=lambda text: None, error=lambda text: None)
    asyncio.run(Recovery(host, None, "keep", log).recover(account))
    return host


def test_what_the_list_cannot_tell_is_asked_about():
    """An order that is listed may have a cancel on its way, and one whose row contradicts it is not proven by that."""
    host = recover(Account())
    assert host.asked == [NUMBERS["canceling"], NUMBERS["missing"], NUMBERS["lies"]]
    assert host.external == ["theirs"]


@pytest.mark.parametrize("failures", [[TimeoutError("late")], [OSError("gone"), TimeoutError("late"), OSError("gone")]])
def test_a_venue_that_does_not_answer_is_asked_again_with_longer_waits(monkeypatch, failures):
    waits, sleep = [], asyncio.sleep

    async def wait(seconds):
        waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr("nexus_fast.engine.recovery.asyncio.sleep", wait)
    host = recover(Account(*failures))
    assert waits == [2.0**n for n in range(len(failures))] and host.asked
