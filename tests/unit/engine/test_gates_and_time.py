"""What closes an account's gate, and what pauses and steps of the clock lead to (scenarios 19 to 22)."""

import asyncio

import pytest

from nexus_fast.engine import gates as gates_module
from nexus_fast.engine import timewatch
from nexus_fast.engine.gates import CLOCK, RATE_LIMITED, RECOVERING, Gates
from nexus_fast.engine.timewatch import TimeWatch
from nexus_fast.log import Logger
from nexus_fast.order.reasons import TOO_LATE, reason_text


class Time:
    """Stands in for the module time."""

    def __init__(self):
        self.now, self.moved = 1000.0, 0.0

    def monotonic(self):
        return self.now

    def time(self):
        return 1_700_000_000 + self.now + self.moved


@pytest.fixture
def clock(monkeypatch):
    made = Time()
    monkeypatch.setattr(gates_module, "time", made)
    monkeypatch.setattr(timewatch, "time", made)
    return made


class Entry:
    def __init__(self):
        self.gates = {}

    def close_gate(self, account, reason):
        self.gates[account] = reason


def test_a_gate_opens_with_its_last_cause(clock):
    entry = Entry()
    gates = Gates(entry)
    gates.close(0, RECOVERING)
    gates.close(0, RATE_LIMITED, 5.0)
    gates.close(0, RATE_LIMITED, 2.0)                # never shortened
    assert entry.gates[0] == RECOVERING and gates.remaining(0, RATE_LIMITED) == 5.0
    gates.open(0, RECOVERING)
    assert entry.gates[0] == RATE_LIMITED
    clock.now += 4.9
    gates.check()
    assert entry.gates[0] == RATE_LIMITED
    clock.now += 0.2
    gates.check()
    assert entry.gates[0] == 0 and gates.remaining(0, RATE_LIMITED) == 0


class Rest:
    clock_offset_ms = 0


class Account:
    index, account_type = 0, "account"

    def __init__(self):
        self.rest = Rest()
        self.measured, self.answers = 0, True

    async def synchronise_clock(self):
        self.measured += 1
        return self.answers


class Host:
    def __init__(self):
        self.entry = Entry()
        self.gates = Gates(self.entry)
        self.accounts = {"account": Account()}
        self.feeds = {"feed": "feed"}
        self.dropped, self.stale, self.work = [], [], []
        self.drop_waiting = self.dropped.append
        self.on_quotes_lost = self.stale.append
        self.spawn = self.work.append

    def run(self):
        work = list(self.work)
        self.work.clear()
        for one in work:
            asyncio.run(one)


@pytest.fixture
def watched(clock):
    host = Host()
    watch = TimeWatch(host, Logger("test"))

    def turn(seconds=0.05, moved=0.0):
        clock.now += seconds
        clock.moved += moved
        watch.check()
        return host

    return turn


def test_a_quiet_life_changes_nothing(watched):
    for _ in range(100):
        host = watched()
    assert host.dropped == host.stale == host.work == []


@pytest.mark.parametrize(("seconds", "moved"), [(5.0, 0.0), (0.05, 5.0)])
def test_a_pause_drops_what_waited_and_makes_books_stale(watched, seconds, moved):
    """20: a process that stood still; a machine that slept, whose monotonic clock did not go on."""
    host = watched(seconds, moved)
    assert host.dropped == [TOO_LATE] and host.stale == ["feed"]
    assert "not sent late" in reason_text(TOO_LATE)
    host.run()


def test_a_step_of_the_clock_measures_the_venues_anew_with_the_gate_closed(watched):
    """19: backwards, too; deadlines are none of its business."""
    host = watched(0.05, -3.0)
    assert host.dropped == [] and host.entry.gates[0] == CLOCK
    host.run()
    assert host.accounts["account"].measured == 1 and host.entry.gates[0] == 0
    assert watched().work == []


def test_a_clock_that_is_far_off_blocks_new_orders_until_it_is_right(watched):
    host = watched(0.05, -90.0)
    host.accounts["account"].rest.clock_offset_ms = 90_000
    host.run()
    assert host.entry.gates[0] == CLOCK and "synchronise this machine's clock" in reason_text(CLOCK)
    for _ in range(11):
        watched(0.999)
    host.accounts["account"].rest.clock_offset_ms = 20
    host.run()
    assert host.entry.gates[0] == 0 and host.accounts["account"].measured == 2


@pytest.mark.parametrize("direction", [1, -1])
def test_a_clock_that_drifts_slowly_is_found_as_well(watched, clock, direction):
    """No step that a turn would notice, 63 s in ten minutes: measured then, and again until it is right."""
    host = watched()
    account = host.accounts["account"]

    async def synchronise():
        account.measured += 1
        account.rest.clock_offset_ms = round(-1000 * clock.moved)
        return True

    account.synchronise_clock = synchronise
    for _ in range(670):
        watched(0.9, direction * 0.095)
        host.run()
    assert host.dropped == host.stale == [] and account.measured == 1
    assert host.entry.gates[0] == CLOCK
    for _ in range(60):
        watched(0.9, -direction * 0.095)
        host.run()
    assert host.entry.gates[0] == 0 and account.measured > 1


def test_a_clock_that_cannot_be_read_leaves_the_gate_closed_and_is_asked_for_again(watched):
    host = watched(0.05, -3.0)
    host.accounts["account"].answers = False
    host.run()
    assert host.entry.gates[0] == CLOCK
    for _ in range(3):
        host = watched(timewatch.MEASURE_AGAIN_SECONDS / 2)
    assert len(host.work) == 1
    host.accounts["account"].answers = True
    host.run()
    assert host.entry.gates[0] == 0 and host.accounts["account"].measured == 2
