"""Make before break: the successor is prepared before its predecessor is left, and a failure leaves the old one in place."""

import asyncio

import pytest

from nexus_fast.feed import renewal
from nexus_fast.feed.renewal import Overlap, renew


class Connection:
    """Stands in for a WebSocketConnection; `comes_up` says whether it does."""

    def __init__(self, story, name, comes_up=True):
        self.story, self.name, self.comes_up = story, name, comes_up
        self.is_up = not comes_up
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
    story = []
    old, new = Connection(story, "old"), Connection(story, "new", comes_up)

    async def prepared(connection):
        story.append("prepared")
        if prepare is not None:
            prepare(connection)

    done = asyncio.run(renew(old, new, prepared, lambda connection: story.append("swapped"), 0.01))
    return done, story, old, new


def test_the_old_connection_is_left_last_and_without_a_word():
    done, story, old, new = play()
    assert done and story == ["prepared", "swapped", "old stopped"]
    new.on_down()
    assert story[-1] == "new down"                   # from now on it speaks for itself


def refuse(connection):
    raise ConnectionError("no")


def lose(connection):
    connection.is_up = False


@pytest.mark.parametrize("what", [refuse, lose])
def test_a_successor_that_fails_changes_nothing(what):
    done, story, old, new = play(what)
    assert not done and story == ["prepared", "new stopped"]
    old.on_down()
    assert story[-1] == "old down"


def test_a_successor_that_does_not_come_up_is_given_up(monkeypatch):
    monkeypatch.setattr(renewal, "RENEW_SECONDS", 0.02)
    done, story, _, _ = play(comes_up=False)
    assert not done and story == ["new stopped"]


def test_of_two_connections_each_message_counts_once(monkeypatch):
    monkeypatch.setattr(renewal, "MEMORY", 3)
    overlap = Overlap()
    said = [overlap.repeats(payload) for payload in (b"1", b"2", b"1", b"3", b"2", b"4", b"1")]
    assert said == [False, False, True, False, True, False, False]
