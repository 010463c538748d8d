"""Make before break: the successor is prepared before its predecessor is left, and a failure leaves the old one in place."""

import asyncio

import pytest

from nexus_fast.feed import renewal
from nexus_fast.feed.renewal import Overlap, renew


class Connection:
    """Stands in for a WebSocketConnection; `comes_up` says whether it does."""

    def __init__(self, story, name, comes_up=True, is_up=False):
        self.story, self.name, self.comes_up, self.is_up = story, name, comes_up, is_up
        self.on_up = lambda connection: story.append(f"{name} up")
        self.on_down = lambda: story.append(f"{name} down")

    def start(self):
        if self.comes_up:
            self.is_up = True
            self.on_up(self)

    async def stop(self):
        self.is_up = False
        self.story.append(f"{self.name} stopped")
        self.on_down()


def play(prepare=None, comes_up=True):
    """Of the first successor; the second comes up and is prepared unless the old connection is over by then."""
    story = []
    old, new, second = Connection(story, "old", is_up=True), Connection(story, "new", comes_up), Connection(story, "second")
    successors = [second, new]

    async def prepared(connection):
        story.append("prepared")
        if prepare is not None and connection is new:
            prepare(connection)

    asyncio.run(renew(old, successors.pop, prepared, lambda connection: story.append("swapped"), 0.01))
    return story, old, new, second


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(renewal, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(renewal, "RENEW_SECONDS", 0.02)


def test_the_old_connection_is_left_last_and_without_a_word():
    story, old, new, second = play()
    assert story == ["prepared", "swapped", "old stopped"] and not second.is_up
    new.on_down()
    assert story[-1] == "new down"                   # from now on it speaks for itself


def refuse(connection):
    raise ConnectionError("no")


def lose(connection):
    connection.is_up = False


@pytest.mark.parametrize("what", [refuse, lose])
def test_a_successor_that_fails_changes_nothing_and_another_is_tried(what):
    story, _, _, _ = play(what)
    assert story == ["prepared", "new stopped", "prepared", "swapped", "old stopped"]


def test_a_successor_that_does_not_come_up_is_given_up_and_another_is_tried():
    story, _, _, second = play(comes_up=False)
    assert story == ["new stopped", "prepared", "swapped", "old stopped"] and second.is_up


def test_none_is_tried_any_more_when_the_old_connection_is_over():
    """Its owner connects anew, as after any end."""
    story = []
    old = Connection(story, "old", is_up=True)

    async def refused(connection):
        old.is_up = False
        raise ConnectionError("no")

    asyncio.run(renew(old, lambda: Connection(story, "new"), refused, lambda connection: story.append("swapped"), 0.01))
    assert story == ["new stopped"]
    old.on_down()
    assert story[-1] == "old down"                   # it still speaks for itself


def test_of_two_connections_each_message_counts_once(monkeypatch):
    monkeypatch.setattr(renewal, "MEMORY", 3)
    overlap = Overlap()
    said = [overlap.repeats(payload) for payload in (b"1", b"2", b"1", b"3", b"2", b"4", b"1")]
    assert said == [False, False, True, False, True, False, False]
