"""The guard: when an engine counts as gone, what proves that it is not, and that it does not stop before the venue lists nothing.

The heart is bytes in a file, the journal a real one; time is the test's own.
"""

import asyncio
import struct
from types import SimpleNamespace

import pytest
from order_life import Life

from nexus_fast.engine import guard as module
from nexus_fast.engine.guard import HEARTBEAT_AT, Engine, Heartbeat, guard
from nexus_fast.error import VenueError
from nexus_fast.journal.kill_mark import KillMark
from nexus_fast.log import Logger
from nexus_fast.shm.names import segment_name
from nexus_fast.shm.segment import segment_path

AFTER = 15.0


class Enough(Exception):
    """The story is over, and the guard still waits."""


class World:
    """`story`: (second, what happens then)."""

    def __init__(self, directory, monkeypatch):
        self.now, self.story, self.beats = 1000.0, [], True
        self.heart = segment_path(segment_name("s", "u", "orders"))
        self.directory = directory
        self.answers, self.asked = [], []
        self.log = []
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(asyncio, "sleep", self.sleep)
        monkeypatch.setattr(module, "emergency_of", lambda account_type: self)

    async def cancel_everything(self, rest, account_type, symbols=()):
        """What the venue listed, by call; nothing from the last on."""
        self.asked.append(self.now - 1000)
        answer = self.answers.pop(0) if self.answers else 0
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds):
        self.now += max(seconds, 0.05)
        if self.beats:
            self.beat()
        while self.story and self.story[0][0] <= self.now - 1000:
            self.story.pop(0)[1]()
        if not self.story:
            raise Enough

    def beat(self):
        with open(self.heart, "wb") as file:
            file.write(bytes(HEARTBEAT_AT) + struct.pack("<q", int(self.now * 1000)))

    def still(self):
        self.beats = False

    def vanish(self):
        self.beats = False
        self.path().unlink(missing_ok=True)

    def path(self):
        from pathlib import Path

        return Path(self.heart)

    def until(self, second, *story):
        """Run the guard over the story; the seconds in which the venue was asked to cancel everything."""
        self.story = [*story, (second, lambda: None)]
        engine = Engine(Heartbeat("s", "u"), self.directory)
        with pytest.raises(Enough):
            asyncio.run(guard(engine, [("an account", None)], AFTER, Logger("guard")))
        return self.asked


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_SHM", str(tmp_path))
    return World(tmp_path / "journal", monkeypatch)


def session(world, *, clean):
    made = Life(world.directory)
    made.ledger.begun(0)
    made.carry()
    made.end() if clean else made.die()


def test_a_clean_end_is_none_of_its_business(world):
    session(world, clean=True)
    assert world.until(100, (10, world.vanish)) == []


def test_shared_memory_that_is_gone_proves_nothing(world):
    """Somebody emptied the folder, or the engine was killed in the middle of its end: it is given the time of a restart."""
    session(world, clean=False)
    asked = world.until(100, (10, world.vanish))
    assert len(asked) == 1 and 25 <= asked[0] < 26


def test_nor_does_a_journal_that_is_not_there(world):
    assert len(world.until(100, (10, world.vanish))) == 1


def test_nor_does_one_that_cannot_be_read(world):
    session(world, clean=True)
    for file in world.directory.glob("*.journal"):
        file.write_bytes(b"no journal at all" * 1000)
    assert len(world.until(100, (10, world.vanish))) == 1


def test_the_machine_was_started_anew(world):
    """No shared memory from the first look on, and a session that nobody ended."""
    session(world, clean=False)
    world.beats = False
    asked = world.until(100)
    assert len(asked) == 1 and 15 <= asked[0] < 16


def test_where_no_engine_ever_was_there_is_nothing_to_cancel(world):
    world.beats = False
    assert world.until(100) == []


def test_an_engine_that_comes_back_in_time_looks_after_its_orders_itself(world):
    session(world, clean=False)

    def again():
        world.beats = True

    assert world.until(100, (10, world.vanish), (20, again)) == []


def test_a_kill_switch_that_was_not_confirmed_is_brought_to_its_end(world):
    """The engine was pressed, and ended before the venue had confirmed it."""
    session(world, clean=True)
    KillMark(world.directory).write("engine", "SIGUSR1")
    assert len(world.until(100, (10, world.vanish))) == 1
    assert KillMark(world.directory).read().confirmed


def test_it_goes_on_until_the_venue_lists_nothing(world):
    """Whatever it answers: orders, an error, silence."""
    session(world, clean=False)
    world.answers = [3, VenueError(-1003, "too many", retry_after_ms=4000), TimeoutError(), OSError(), 1, 2, 0]
    asked = world.until(100, (10, world.still))
    assert len(asked) == 7 and world.answers == []
    assert asked[2] - asked[1] >= 4.0
    assert KillMark(world.directory).read().confirmed


def test_it_leaves_a_mark_before_it_cancels(world):
    session(world, clean=False)
    mark = KillMark(world.directory)
    world.answers = [TimeoutError()] * 1000
    world.until(40, (10, world.still))
    kill = mark.read()
    assert kill.by == "guard" and "has not beaten for 15." in kill.reason and not kill.confirmed


def test_what_was_looked_after_is_not_canceled_again(world):
    """Neither after it was confirmed nor after a person has cleared it: orders placed by hand meanwhile stay."""
    session(world, clean=False)
    assert len(world.until(60, (10, world.still))) == 1
    assert len(world.until(120)) == 1
    KillMark(world.directory).clear()
    assert len(world.until(180)) == 1
    world.path().unlink()
    assert len(world.until(240)) == 1
    session(world, clean=False)                    # another one, which dies as well
    assert len(world.until(300)) == 2
