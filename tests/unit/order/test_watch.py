"""What is said of callbacks that raise, and of slow ones: once with everything, then by the count."""

import pytest

from nexus_fast.order.callbacks import quote_callback
from nexus_fast.order.watch import CallbackWatch
from nexus_fast.strategy import Strategy


class Log:
    def __init__(self):
        self.lines = []

    def exception(self, text, error):
        self.lines.append(("traceback", text, error))

    def error(self, text):
        self.lines.append(("error", text))

    def warning(self, text):
        self.lines.append(("warning", text))


class Bench:
    def __init__(self, **options):
        self.log, self.now, self.halted = Log(), 1000.0, []
        self.watch = CallbackWatch(self.log, on_too_many=lambda *what: self.halted.append(what), now=lambda: self.now, **options)

    def fail(self, error=ZeroDivisionError, name="on_bookl1", times=1):
        for _ in range(times):
            try:
                raise error("why")
            except error as raised:
                self.watch.raised(self, name, raised)

    @property
    def lines(self):
        return self.log.lines


def test_the_first_exception_has_its_traceback_and_the_others_are_counted():
    bench = Bench()
    bench.fail(times=1500)
    assert [line[0] for line in bench.lines] == ["traceback", "error", "error", "error"]
    assert bench.lines[0][1] == "Bench.on_bookl1 raised ZeroDivisionError" and bench.lines[0][2].__traceback__ is not None
    assert all(f" {count} times by now" in line[1] for count, line in zip((10, 100, 1000), bench.lines[1:], strict=True))
    assert "test_watch.py:" in bench.lines[1][1] and bench.lines[1][1].endswith(": why")


def test_what_goes_on_is_said_once_a_minute():
    bench = Bench()
    bench.fail(times=2)
    bench.now += 59
    bench.fail()
    assert len(bench.lines) == 1
    bench.now += 1
    bench.fail(times=3)
    assert len(bench.lines) == 2 and " 4 times by now" in bench.lines[1][1]


def test_another_type_line_or_callback_has_a_traceback_of_its_own():
    bench = Bench()
    bench.fail()
    bench.fail(KeyError)
    bench.fail(name="on_trade")
    try:
        raise ZeroDivisionError("elsewhere")
    except ZeroDivisionError as error:
        bench.watch.raised(bench, "on_bookl1", error)
    assert [line[0] for line in bench.lines] == ["traceback"] * 4
    assert sorted(bench.watch.report()["exceptions"].values()) == [1, 1, 1, 1]


def test_so_many_in_a_row_are_too_many():
    bench = Bench(most_errors=3)
    bench.fail(times=2)
    bench.watch.went_well(bench, "on_bookl1")
    bench.fail(times=2)
    assert bench.halted == []
    bench.fail(name="on_trade")                  # a row of its own
    bench.watch.went_well(bench, "on_trade")
    assert bench.halted == []
    bench.fail(times=5)
    assert bench.halted == [(bench, "Bench.on_bookl1 raised 3 exceptions in a row, ZeroDivisionError last")]


def test_without_a_limit_nothing_is_too_many():
    bench = Bench(most_errors=None)
    bench.fail(times=2000)
    assert bench.halted == []


def test_a_slow_callback_is_named_with_its_times():
    bench = Bench(slow_ms=50)
    bench.watch.took(bench, "on_fill", 0.05)
    assert bench.lines == []
    for seconds in (0.06, 0.4, *[0.1] * 8):
        bench.watch.took(bench, "on_fill", seconds)
    assert [line[0] for line in bench.lines] == ["warning", "warning"]
    assert "Bench.on_fill took 60 ms" in bench.lines[0][1]
    assert "10 calls took longer than 50 ms by now, 400 ms at most" in bench.lines[1][1]
    assert bench.watch.report()["slow_callbacks"] == {"Bench.on_fill": {"count": 10, "longest_ms": 400.0}}


class Python(Strategy):
    def on_bookl1(self, book):
        pass


@pytest.mark.parametrize(("made", "name"), [(Python, "on_bookl1"), (Strategy, "on_quote")])
def test_quotes_come_by_a_method_that_has_a_name(made, name):
    assert quote_callback(made()) == name
