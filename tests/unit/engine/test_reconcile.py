"""The second look after a reconcile, on a host that only takes notes."""

import asyncio
from types import SimpleNamespace

import pytest

from nexus_fast.engine import reconcile
from nexus_fast.engine.heard import Heard
from nexus_fast.engine.reconcile import Reconciler
from nexus_fast.exchange.rows import Named
from nexus_fast.order.events import OrderUpdate


class Ledger:
    """Two orders that are live; `used_again`: the slot of the second has a later order by the time of the answer."""

    def __init__(self):
        self.names, self.used_again = {1: "first", 2: "second"}, False

    def live(self, account):
        return list(self.names)

    def fields(self, number):
        if self.used_again and number == 2:
            raise KeyError(number)
        return {"client_id": self.names[number], "venue_id": "7"}

    def find(self, client_id):
        return {"first": 1, "second": 0 if self.used_again else 2}[client_id]


class Host:
    def __init__(self):
        self.core = SimpleNamespace(ledger=Ledger())
        self.cache = SimpleNamespace(get_all_positions=lambda exchange: {})
        self.inquiry = SimpleNamespace(pause=self.pause, note_failure=lambda account, error: None)
        self.asked, self.adopted, self.tasks = [], [], []
        number_of = lambda update, account: self.core.ledger.find(update.client_id)  # noqa: E731
        self.tracker = SimpleNamespace(adopt=self.adopt, number_of=number_of)
        self.query = self.asked.append

    def adopt(self, number, update, asked):
        self.adopted.append(number)
        return update.reason != "too old"

    async def pause(self, account):
        pass

    def keep(self, what, make):
        self.tasks.append(asyncio.get_running_loop().create_task(make()))


class Account:
    index, account_type = 0, SimpleNamespace(exchange=None)

    def __init__(self, host, answers):
        self.host, self.answers = host, answers

    async def refresh(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        self.host.core.ledger.used_again = self.host.core.ledger.used_again or answer.pop("used_again", False)
        return {name: OrderUpdate(event="ACCEPTED", client_id=name, reason=reason) for name, reason in answer.items()}


def look(monkeypatch, *answers):
    monkeypatch.setattr(reconcile, "LAG_SECONDS", 0.01)
    monkeypatch.setattr(reconcile, "FIRST_WAIT", 0.01)

    async def work():
        host = Host()
        reconciler = Reconciler(host, Heard(), SimpleNamespace(error=lambda text: None))
        reconciler.look_again(Account(host, list(answers)))
        await asyncio.gather(*host.tasks)
        assert reconciler.due == {}
        return host

    return asyncio.run(work())


def test_what_is_listed_is_adopted_and_what_is_not_is_asked_about(monkeypatch):
    host = look(monkeypatch, {"first": "open"})
    assert (host.adopted, host.asked) == ([1], [2])


def test_an_order_whose_terms_may_be_newer_than_the_list_is_asked_about(monkeypatch):
    host = look(monkeypatch, {"first": "too old", "second": "open"})
    assert (host.adopted, host.asked) == ([1, 2], [1])


def test_an_order_whose_slot_is_in_use_again_is_passed_over(monkeypatch):
    host = look(monkeypatch, {"first": "open", "used_again": True})
    assert (host.adopted, host.asked) == ([1], [])


@pytest.mark.parametrize("error", [TimeoutError("late"), OSError("gone")])
def test_a_venue_that_does_not_answer_is_asked_again(monkeypatch, error):
    host = look(monkeypatch, error, {"first": "open", "second": "open"})
    assert (host.adopted, host.asked) == ([1, 2], [])


@pytest.mark.parametrize("odd, removed", [(0, ["second"]), (1, [])])
def test_what_is_not_listed_has_left_only_where_every_row_could_be_read(odd, removed):
    """It is asked about in both cases."""
    host = Host()
    listed = Named({"first": OrderUpdate(event="ACCEPTED", client_id="first")})
    listed.odd = odd
    reconciler = Reconciler(host, Heard(), SimpleNamespace(error=lambda text: None))
    assert reconciler._merge(Account(host, []), listed, {"first": 1, "second": 2}, 0.0) == removed
    assert (host.adopted, host.asked) == ([1], [2])
