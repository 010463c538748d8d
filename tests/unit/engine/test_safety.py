"""The kill switch: what it drops, what it leaves waiting, and when it has done its work."""

import asyncio
from types import MethodType, SimpleNamespace

import pytest

from nexus_fast.constants import WsOrderResultType
from nexus_fast.engine import safety as module
from nexus_fast.engine.host import Host
from nexus_fast.engine.safety import Safety
from nexus_fast.error import VenueError
from nexus_fast.journal.files import journal_path
from nexus_fast.journal.kill_mark import KillMark
from nexus_fast.order.reasons import HALTED, STRATEGY_HALTED, reason_text
from nexus_fast.order.states import EVENTS

INTENT, CANCEL, MODIFY = (EVENTS.index(name) for name in ("INTENT", "CANCEL_INTENT", "MODIFY_INTENT"))


class Ledger:
    """`open`: the numbers that are not over, at each look the next list, and at the end the last again."""

    def __init__(self, *open):
        self.looks = list(open) or [[]]
        self.refused, self.answers, self.canceled = [], [], []

    def live(self, account=None):
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def refuse(self, number, reason):
        self.refused.append((number, reason))

    def answered(self, number):
        self.answers.append(number)

    def apply(self, number, event):
        assert event == "MODIFY_REJECTED"
        self.answers.append(number)

    def cancel(self, number):
        self.canceled.append(number)


class Desk:
    """A host of one account, whose venue says what `listed` has, one answer a time, and nothing open from the last on."""

    def __init__(self, directory, monkeypatch, ledger, waiting=(), listed=()):
        self.config = SimpleNamespace(journal_directory=directory, strategy_id="s", user_id="u")
        self.ledger, self.listed = ledger, list(listed)
        self.entry = SimpleNamespace(halted=False, postponed={0: list(waiting)})
        self.core = SimpleNamespace(entry=self.entry, ledger=ledger)
        self.told, self.results, self.work, self.rounds = [], [], [], 0
        self.tracker = SimpleNamespace(halted=False, modify_failed=lambda *what: self.results.append(what))
        self.accounts = {"account": SimpleNamespace(index=0, account_type="account", rest=None)}
        self.inquiry = SimpleNamespace(note_failure=lambda *what: None)
        self.drop_waiting = MethodType(Host.drop_waiting, self)
        self.mark = KillMark(journal_path(directory, "s", "u"))
        self.lines = []
        self.safety = Safety(self, SimpleNamespace(critical=self.lines.append, error=self.lines.append))
        monkeypatch.setattr(module, "emergency_of", lambda account_type: self)
        monkeypatch.setattr(asyncio, "sleep", self.sleep)

    async def sleep(self, seconds):
        self.rounds += 1
        assert self.rounds < 100, "it goes on for ever"

    async def cancel_everything(self, rest, account_type, symbols=()):
        answer = self.listed.pop(0) if self.listed else 0
        if isinstance(answer, Exception):
            raise answer
        return answer

    def routed_symbols(self, index):
        return []

    def on_private_status(self, account, status):
        self.told.append((status, self.rounds))

    def keep(self, what, make):
        self.work.append(make())

    def kill(self):
        self.safety.kill("a test")
        for one in self.work:
            asyncio.run(one)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    return lambda *arguments, **named: Desk(tmp_path, monkeypatch, *arguments, **named)


def test_orders_that_wait_for_a_connection_are_not_sent_any_more(desk):
    """By REST an order may wait for the answer to the one before it. Cancels go on waiting, and leave."""
    waiting = [(1, INTENT, b"1"), (2, CANCEL, b"2"), (3, MODIFY, b"3"), (4, INTENT, b"4"), (5, CANCEL, b"5")]
    one = desk(Ledger(), waiting)
    one.kill()
    assert one.entry.halted and one.entry.postponed[0] == [(2, CANCEL, b"2"), (5, CANCEL, b"5")]
    assert one.ledger.refused == [(1, HALTED), (4, HALTED)] and one.ledger.answers == [3, 3]
    assert one.results == [(3, WsOrderResultType.REQUEST_NOT_SENT, f"modify: {reason_text(HALTED)}")]


def test_of_one_strategy_alone_nothing_that_waits_is_sent(desk):
    ledger = Ledger()
    ledger.fields = lambda number: {"strategy": number % 2}
    one = desk(ledger, [(1, INTENT, b"1"), (2, INTENT, b"2"), (3, CANCEL, b"3"), (5, MODIFY, b"5"), (6, MODIFY, b"6")])
    one.drop_waiting(STRATEGY_HALTED, 1)
    assert one.entry.postponed[0] == [(2, INTENT, b"2"), (3, CANCEL, b"3"), (6, MODIFY, b"6")]
    assert ledger.refused == [(1, STRATEGY_HALTED)] and [number for number, *_ in one.results] == [5]


def test_it_has_not_done_its_work_while_an_order_is_in_doubt(desk):
    """The venue lists nothing: an order that is on its way to it is not on its list yet."""
    one = desk(Ledger([7], [7], [7], [7], []))
    one.kill()
    assert one.told == [("halted", 0), ("halted_empty", 2)] and one.ledger.canceled == [7, 7]
    assert one.mark.read().confirmed and one.safety.is_finished


def test_nor_while_the_venue_lists_orders_or_does_not_answer(desk):
    one = desk(Ledger(), listed=[2, VenueError(-1003, "too many"), TimeoutError(), 1, 0])
    one.kill()
    assert one.told == [("halted", 0), ("halted_empty", 4)]


def test_it_is_pressed_once_and_leaves_its_mark_before_anything_else(desk):
    one = desk(Ledger(), listed=[OSError()] * 3)
    one.safety.kill("the first")
    assert one.mark.exists() and not one.mark.read().confirmed and not one.safety.is_finished
    one.safety.kill("the second")
    assert len(one.work) == 1 and one.mark.read().reason == "the first"
    asyncio.run(one.work[0])


def test_a_mark_that_appears_stops_a_running_engine(desk):
    one = desk(Ledger())
    one.safety.check()
    assert not one.entry.halted
    one.mark.write("guard", "its heart stood still")
    one.safety.check()
    assert one.entry.halted
    one.work[0].close()


def test_a_disk_that_takes_no_mark_keeps_nothing_from_being_stopped(desk, monkeypatch):
    one = desk(Ledger())
    monkeypatch.setattr(KillMark, "write", lambda *what: (_ for _ in ()).throw(OSError("no room")))
    one.kill()
    assert one.entry.halted and one.told[-1][0] == "halted_empty"
    assert "nothing will keep a restart from trading" in one.lines[0]
