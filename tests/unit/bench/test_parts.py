"""A part of a measurement that fails does not take the others with it."""

import json

from bench_results import one

from bench import all as everything
from bench import ring, scale, wire
from bench.parts import Parts
from bench.runs import RunError


def test_a_wrong_order_ends_the_measurement_and_keeps_what_stands(monkeypatch, tmp_path, capsys):
    given = iter([one("floor", 10_000), one("cython", 12_000), RunError("cython: bad_signatures: 1; the first of them:")])

    def run(scene, port):
        result = next(given)
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(wire, "run", run)
    where = tmp_path / "wire.json"
    assert wire.main(["--clients", "cython", "--rounds", "2", "--json", str(where)]) == 1
    kept = json.loads(where.read_text())
    assert [row["client"] for row in kept["rows"]] == ["floor", "cython"] and "bad_signatures" in kept["failed"]["wire"]
    assert "bad_signatures" in capsys.readouterr().err


def test_a_part_that_raises_does_not_end_the_others(monkeypatch, capsys):
    ran = []

    class Part:
        def __init__(self, name):
            self.name = name

        def main(self, arguments):
            ran.append(self.name)
            if self.name == "bench.path.run":
                raise ValueError("62 of 1000 frames were quotes")
            return 0

    monkeypatch.setattr(everything.importlib, "import_module", Part)
    assert everything.main(["--minutes", "1"]) == 1
    assert ran == [module for _, module, _ in everything.PARTS] + ["bench.report"]
    assert "or not all of it: path" in capsys.readouterr().err


def test_the_rest_of_ring_and_scale_goes_on(monkeypatch):
    def fails(*arguments, **options):
        raise RunError("no processor")

    monkeypatch.setattr(scale, "child", fails)
    monkeypatch.setattr(scale, "burst", lambda client, options, port: {"client": client, "through_ns": 1e6})
    parts = Parts()
    found = scale.measure(scale.parse_arguments(["--no-count", "--bursts", "1"]), parts)
    assert [b["client"] for b in found["bursts"]] == ["floor", "cython", "python"]
    assert set(parts.failed) == {"symbols and strategies", "connections", "memory"}
    monkeypatch.setattr(ring, "call", lambda what, *rest: {"ns": {"p50": 100}} if what in ("line", "one-way") else fails())
    half = ring.measure(ring.argparse.Namespace(rounds=1, writer_cpu=0, reader_cpu=1), parts)
    assert half["ratio_p50"] == 1 and half["writes"] == [] and "8 readers" in parts.failed
