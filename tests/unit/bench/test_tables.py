"""Cells, rounds, medians, pictures and the report, from made-up results: no run is made here."""

import json
from xml.etree import ElementTree

import pytest
from bench_results import MACHINE, one
from click.testing import CliRunner

from bench import report, results, scale, wire
from bench.path.run import stages
from bench.peers import run as peers
from bench.pictures import apart, bars_picture, decades, lines_picture, nines, percentile_line


def test_a_ratio_is_the_median_of_ratios_to_the_same_rounds_floor():
    runs = [
        one("floor", 10_000),
        one("cython", 12_000),
        one("floor", 20_000, 1),
        one("cython", 22_000, 1),
        one("cython", 99_000, 2),  # whose floor came to no end
        one("floor", 10_000, 3),
        one("cython", 15_000, 3),
    ]
    floor, cython = wire.summarise(runs, wire.parse_arguments([]))
    assert cython["ratios_p50"] == [1.2, 1.1, 1.5] and cython["ratio_p50"] == 1.2 and floor["ratio_p50"] == 1
    assert (cython["p50"], cython["n"], cython["switches"]) == (18_500, 400, 12)
    intended = wire.summarise(runs, wire.parse_arguments(["--pace", "schedule"]))
    assert intended[1]["p50"] == 37_000


def test_cells_are_kept_apart():
    runs = [
        one("floor", 10_000),
        one("floor", 30_000, tls=True),
        one("floor", 50_000, entry="rest"),
        one("floor", 9, mode="block"),
    ]
    rows = wire.summarise(runs, wire.parse_arguments([]))
    assert [(r["link"], r["entry"], r["mode"]) for r in rows] == [
        ("plain", "ws", "busy"),
        ("tls", "ws", "busy"),
        ("plain", "rest", "busy"),
        ("plain", "ws", "block"),
    ]
    assert wire.table(rows).count("\n") == 5


def test_minutes_bound_the_rounds():
    options = wire.parse_arguments(["--standard", "--minutes", "1"])
    clients = list(wire.CLIENTS)
    cells = wire.cells_of(options)
    assert wire.rounds_of(options, cells, clients) == 1
    options.minutes = 10 * sum(cell.seconds(clients) for cell in cells) / 60 + 0.01
    assert wire.rounds_of(options, cells, clients) == 10
    product = wire.cells_of(
        wire.parse_arguments(["--links", "plain,tls", "--entries", "ws,rest", "--gaps", "20us,3ms,70ms"])
    )
    assert len(product) == 12


def test_a_throttled_contender_gets_fewer_ticks():
    throttled = next(c for c in peers.CONTENDERS if c.most < 1000)
    assert sum(peers.ticks_of(3000.0, throttled)) <= throttled.most
    assert sum(peers.ticks_of(3000.0, peers.CONTENDERS[0])) > 500


@pytest.mark.parametrize(
    ("took", "late", "switches", "word"),
    [
        (100, 90, {"engine": 5}, "exchange"),
        (100, 10, {"engine": 5}, "engine lost"),
        (100, 10, {"engine": 0}, "neither"), (100, 10, {}, "not known"),
    ],
)
def test_a_cause_says_what_the_numbers_say(took, late, switches, word):
    assert word in scale.cause(took, late, switches)


def test_stages_add_up_to_the_whole():
    levels = {
        "cython parse": 40.0,
        "cython record": 70.0,
        "cython sign": 200.0,
        "cython whole": 250.0,
        "python whole": 900.0,
    }
    assert stages(levels) == {"parse": 40, "record": 30, "sign": 130, "send": 50}


def test_labels_keep_their_distance_and_their_room():
    placed = apart([100, 101, 102, 300, 299], 17, 50, 310)
    ordered = sorted(placed)
    assert all(b - a >= 17 - 1e-9 for a, b in zip(ordered, ordered[1:], strict=False))
    assert ordered[0] >= 50 - 1e-9 and ordered[-1] <= 310
    assert sorted(range(5), key=placed.__getitem__) == sorted(range(5), key=[100, 101, 102, 300, 299].__getitem__)


def test_an_axis_holds_its_values():
    low, high, marks = decades(17.3, 2600)
    assert low <= 17.3 and high >= 2600 and marks == sorted(marks) and low <= marks[0]


def test_a_percentile_line_rises_and_stops_where_samples_are_few():
    line = percentile_line([[1000, 500], [2000, 400], [4000, 99], [9000, 1]])
    assert [value for _, value in line] == [1.0, 2.0, 4.0] and line[1][0] == pytest.approx(nines(0.5))
    assert percentile_line([[5000, 1]]) == [(0.0, 5.0)]


def test_pictures_are_wellformed_and_name_their_series():
    drawn = lines_picture(
        "A & B",
        "<machine>",
        {"one": [(0, 1.0), (1, 90.0)], "two": [(0, 5.0), (1, 5.0)]},
        [(0, "a"), (1, "b")],
        "ns",
        "N",
    )
    bars = bars_picture(
        "bars", "m", {"spot": {"parse": 40.0, "ring": -2.0}, "okx": {"parse": 60.0, "ring": 20.0}}, "ns"
    )
    for svg, words in ((drawn, {"one", "two", "A & B"}), (bars, {"spot", "okx", "parse", "ring"})):
        texts = {element.text for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")}
        assert words <= texts
    lines = [e for e in ElementTree.fromstring(drawn).iter() if e.tag.endswith("polyline")]
    assert len(lines) == 2


def test_the_report_stands_alone(tmp_path):
    rows = wire.summarise([one("floor", 10_000), one("cython", 12_000)], wire.parse_arguments([]))
    path = {
        "binance spot": {
            "ns": {"cython parse": {"median": 40, "best": 39}, "cython whole": {"median": 300, "best": 290}}
        }
    }
    for kind, content in (("wire", {"rows": rows}), ("path", {"results": path})):
        whole = {"kind": kind, "machine": MACHINE, "finished": 1, **content}
        (tmp_path / f"{kind}.json").write_text(json.dumps(whole))
    (tmp_path / "other.json").write_text("[]")
    assert report.main(["--results", str(tmp_path)]) == 0
    html = (tmp_path / "report.html").read_text()
    assert (
        "a &lt;processor&gt; &amp; more" in html
        and html.count("<svg") == 2
        and "<link" not in html
        and "src=" not in html
    )
    for svg in tmp_path.glob("*.svg"):
        ElementTree.parse(svg)


def test_a_report_of_nothing_says_what_to_do(tmp_path, capsys):
    assert report.main(["--results", str(tmp_path)]) == 1
    assert "measure first" in capsys.readouterr().err


def test_results_carry_the_machine(tmp_path):
    where = results.save("ring", {"line": []}, tmp_path / "deep" / "ring.json")
    assert results.load_all(where.parent)["ring"]["machine"]["kernel"]


def test_the_command_lists_its_parts_and_refuses_others():
    from nexus_fast.cli.bench import PARTS, command

    listed = CliRunner().invoke(command, [])
    assert listed.exit_code == 0 and all(name in listed.output for name in PARTS)
    refused = CliRunner().invoke(command, ["nothing"])
    assert refused.exit_code == 2 and "no part of the bench" in refused.output
    assert CliRunner().invoke(command, ["wire", "--help"]).exit_code == 0
