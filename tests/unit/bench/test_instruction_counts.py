"""What the path costs, counted and not timed, against what was recorded (bench/recorded.json; `make record` renews it)."""

import pytest

from bench import record
from bench.counting import why_not


@pytest.fixture(scope="module")
def counts(program):
    if reason := why_not():
        pytest.skip(reason)
    return record.measured(record.recorded().get(record.key(), {}))


def test_nothing_has_grown(counts):
    if record.key() not in record.recorded():
        pytest.skip(f"no record for {record.key()}: make record")
    assert record.worse(counts, record.recorded()[record.key()]) == []


def test_the_cython_path_allocates_nothing(counts):
    own = {name: value for name, value in counts["allocations"].items() if "cython" in name}
    assert own and set(own.values()) == {0}


def test_a_python_strategy_that_keeps_nothing_costs_no_allocation_per_tick(counts):
    assert counts["allocations"]["binance spot, python dispatch"] == 0


def test_each_stage_adds_instructions(counts):
    found = counts["instructions"]
    levels = [found[f"binance spot, cython {level}"] for level in ("parse", "record", "ring", "dispatch", "risk", "journal",
                                                                   "fill", "sign", "mask", "whole")]
    assert levels == sorted(levels) and levels[0] > 100


def test_the_least_of_several_layouts_stands(monkeypatch):
    asked = []

    def instructions(layout=0):
        asked.append(layout)
        return {"a": 110.0 if layout < 2 else 100.0, "b": 50.0 + layout}

    monkeypatch.setattr(record, "allocations", dict)
    monkeypatch.setattr(record, "instructions", instructions)
    monkeypatch.setattr("bench.path.world.loops", lambda: None)
    found = record.measured({"instructions": {"a": 100.0, "b": 50.0}})
    assert found["instructions"] == {"a": 100.0, "b": 50.0} and asked == [0, 1, 2]


def test_what_has_grown_in_every_layout_has_grown(monkeypatch):
    monkeypatch.setattr(record, "allocations", dict)
    monkeypatch.setattr(record, "instructions", lambda layout=0: {"a": 110.0})
    monkeypatch.setattr("bench.path.world.loops", lambda: None)
    before = {"instructions": {"a": 100.0}}
    assert record.worse(record.measured(before), before) == ["instructions, a: 110.0, recorded 100.0 (+10.0 %)"]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({"instructions": {"a": 102.9}}, 0),
        ({"instructions": {"a": 103.1}}, 1),
        ({"instructions": {"a": 50.0}}, 0),
        ({"instructions": {"b": 1.0}}, 1),
        ({"allocations": {"none": 0.0}}, 0),
        ({"allocations": {"none": 0.02}}, 1),
    ],
)
def test_three_percent_is_the_limit(now, expected):
    before = {"instructions": {"a": 100.0}, "allocations": {"none": 0.0}}
    assert len(record.worse(now, before)) == expected
