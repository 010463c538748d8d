"""The rehearsal of a Python strategy's order: walked between ticks, and nothing comes of it."""

import pytest
from polled import Bench, Transport

from bench.path.frames import frames_of
from bench.path.world import World
from nexus_fast.engine.hot_connection import HotConnection
from nexus_fast.engine.understudy import Understudy, make_understudy
from nexus_fast.strategy.base import attach_understudy


class Counting(Understudy):
    def __init__(self):
        super().__init__()
        self.books, self.oids = [], []

    def on_bookl1(self, book):
        self.books.append(book.symbol)
        super().on_bookl1(book)

    def create_order(self, *arguments):
        self.oids.append(super().create_order(*arguments))


class Failing(Understudy):
    def on_bookl1(self, book):
        raise ZeroDivisionError


@pytest.fixture
def world(tmp_path, monkeypatch, request):
    """Its frames have been answered with an order each, or only heard ("quiet")."""
    monkeypatch.setenv("NEXUS_FAST_SHM", str(tmp_path))
    kinds = getattr(request, "param", ("python",))
    return World("binance spot", frames_of("binance spot", recorded=False)[0], tmp_path, kinds)


def spin(world, understudy, turns=20):
    """Quiet turns of a loop that has read the world's frames."""
    bench = Bench(warm=True, spin_us=500)
    transport = Transport(bench.loop, 5)
    bench.poller.add(HotConnection(bench.loop, transport, world.feed, True))
    bench.poller.understudy = understudy
    bench.poller.start()
    for _ in range(turns):
        bench.loop.turn()
    found = bench.poller.understudy
    bench.poller.stop()
    return found


def attached(world, kind):
    found, names = kind(), [route.symbol for route in world.instruments]
    attach_understudy(found, world.entry, {name: number for number, name in enumerate(names)}, names,
                            [route.exchange for route in world.instruments])
    return found


def test_it_goes_up_to_the_entry_and_makes_no_order(world):
    before = world.entry.sent, world.entry.refused, world.entry.table.issued, world.entry.table.dump()
    understudy = attached(world, Counting)
    assert spin(world, understudy) is understudy and world.entry.table.issued > 0
    assert len(understudy.books) > 1 and set(understudy.books) <= {i.symbol for i in world.instruments}
    assert len(understudy.oids) == len(understudy.books)
    assert before == (world.entry.sent, world.entry.refused, world.entry.table.issued, world.entry.table.dump())


@pytest.mark.parametrize("world", [("quiet",)], indirect=True)
def test_before_the_first_order_there_is_none_to_stand_in(world):
    understudy = attached(world, Counting)
    spin(world, understudy)
    assert understudy.books == [] and world.entry.table.issued == 0


def test_one_that_fails_is_said_once_and_left_out(world, caplog):
    assert spin(world, attached(world, Failing)) is None
    assert caplog.text.count("not kept warm any more") == 1


def test_only_python_strategies_need_one(world):
    class Core:
        entry, instruments, symbol_ids = world.entry, world.instruments, {}

    assert isinstance(make_understudy(Core, world.strategies), Understudy)
    from bench.path.world import loops
    assert make_understudy(Core, [loops().Answer(1, world.sets[True], world.sets[True])]) is None
