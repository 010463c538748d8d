"""The report's page: what it says of the figures, and that nothing on it is wider than its place."""

import re
from xml.etree import ElementTree

import pytest
from bench_results import MACHINE, one

from bench import report, wire
from bench.disturbance import disturbed, stolen_seconds, warning
from bench.pictures import bars_picture, lines_picture

# Of a sans-serif's letters, in parts of their height: wider than they are on average.
LETTER = 0.6
PHONE = 360


def wire_result(switches=3, **changes):
    floor = {**one("floor", 10_000), "involuntary_switches": 0, "client_switches": 0}
    runs = [floor, {**one("cython", 12_000), "involuntary_switches": switches, **changes}]
    return {"kind": "wire", "machine": MACHINE, "finished": 1, "rows": wire.summarise(runs, wire.parse_arguments([]))}


def html_of(result):
    return report.page({result["kind"]: result})[0]


def test_a_table_has_a_verdict_and_says_what_the_floor_is():
    html = html_of(wire_result(switches=0, client_switches=0))
    assert "half of its orders leave within 1.20 times the floor&#x27;s time" in html
    assert "Floor: the program in C" in html and "no risk gate" in html
    assert "taken away" not in html


@pytest.mark.parametrize("changes", [{"switches": 7}, {"switches": 0, "client_switches": 0, "stolen": 0.03}])
def test_a_p99_that_may_be_the_neighbours_is_marked(changes):
    """Of a hundred ticks, p99 leaves out one: a switch may be all of it. So may a hundredth of the time."""
    result = wire_result(**changes)
    html = html_of(result)
    assert "36.0 !" in html and "1 of 2 rows" in html and "neighbours" in html
    assert "36.0 !" in wire.table(result["rows"]) and "30.0 !" not in wire.table(result["rows"][:1])


def test_a_quiet_machine_warns_of_nothing():
    quiet = {"n": 4000, "switches": 39, "stolen": 0.0, "seconds": 2.0}
    assert not disturbed(quiet) and disturbed({**quiet, "switches": 40}) and not disturbed({"n": 4000})
    assert warning([quiet]) == ""


def test_stolen_time_is_the_kernels_own_figure():
    with open("/proc/stat") as file:
        steal = [int(line.split()[8]) for line in file if re.match(r"cpu\d", line)]
    before = sum(steal[:1]) / 100
    assert before <= stolen_seconds({0}) <= before + 60 and stolen_seconds({10_000}) == 0


def test_what_was_not_measured_is_named():
    result = {"kind": "path", "machine": MACHINE, "finished": 1, "failed": {"okx": "Traceback\nValueError: 62 of 1000"},
              "results": {"binance spot": {"ns": {"cython whole": {"median": 300, "best": 290}}}}}
    assert "okx: not measured: ValueError: 62 of 1000" in html_of(result)


def test_half_a_measurement_of_ring_and_scale_is_shown():
    for kind, content in (("ring", {"line": [], "one_way": [], "ratio_p50": None, "writes": []}),
                          ("scale", {"bursts": [], "connections": {"1": 20.0, "32": 40.0}})):
        html = html_of({"kind": kind, "machine": MACHINE, "finished": 1, **content})
        assert "was measured" in html or "were measured" in html


def texts_of(svg):
    """(left end, right end, text) of every text that is not turned, as wide as wide letters make it."""
    for element in ElementTree.fromstring(svg).iter():
        if element.tag.endswith("text") and "transform" not in element.attrib:
            x, wide = float(element.get("x")), LETTER * float(element.get("font-size")) * len(element.text)
            left = {"start": x, "middle": x - wide / 2, "end": x - wide}[element.get("text-anchor")]
            yield left, left + wide, element.text


def test_no_word_leaves_its_picture():
    caption = report.caption_of({"machine": {**MACHINE, "cpu": "Intel(R) Xeon(R) Platinum 8488C processor, " * 3,
                                             "compiler": "cc (Debian 12.2.0-14+deb12u1) 12.2.0"}, "finished": 1})
    names = ["NexusTrader, create_order_ws, limiter off", "nexus_fast, Cython strategy, REST"]
    lines = lines_picture("Tick to order, 20us between ticks", caption, {name: [(0, 1.0), (3, 90.0)] for name in names},
                          report.MARKS, "tick to order, µs", "percentile (each nine as wide as the last)")
    stages = dict.fromkeys(("parse", "record", "ring", "dispatch", "risk", "journal", "fill", "sign", "mask", "send"), 50.0)
    bars = bars_picture("From frame bytes to frame bytes", caption, {"binance coin_m": stages}, "ns")
    for svg in (lines, bars):
        for left, right, words in texts_of(svg):
            assert left >= 0 and right <= 960, words


def test_nothing_is_wider_than_a_phone_but_in_a_box_that_scrolls():
    """A table, a picture and a <pre> are what cannot be broken into lines."""
    html = html_of(wire_result())
    style = re.search(r"<style>(.*)</style>", html)[1]
    assert "initial-scale=1" in html and ".wide{overflow-x:auto" in style and re.search(r"pre\{[^}]*overflow-x:auto", style)
    boxed = re.sub(r"<div class=wide>.*?</div>", "", html, flags=re.S)
    assert html.count("<div class=wide>") == 2 and "<table" not in boxed and "<svg" not in boxed
    outside = [int(width) for width in re.findall(r"(?<!-)(?:min-width|[{;]width):(\d+)px", re.sub(r"svg\{[^}]*\}", "", style))]
    assert all(width <= PHONE for width in outside)


def test_the_widest_table_fits_a_screen_of_1280_pixels():
    """13 px digits are 0.56 of their height wide; a cell has 12 px around them, and the page 30 at its sides."""
    rows = wire_result()["rows"]
    row = {**rows[1], "mode": "adaptive", "gap_us": 70_000.0, "n": 1_000_000, "max": 99_999_900, "p99": 999_900,
           "ratios_p50": [0.62, 1.45], "ratio_p50": 1.037, "switches": 100_000, "p999": 9_999_900}
    lines = [line for line in wire.table([row]).splitlines() if "---" not in line]
    columns = [max(len(cell.strip()) for cell in column)
               for column in zip(*(line.strip("|").split("|") for line in lines), strict=True)]
    assert sum(columns) * 13 * 0.56 + 12 * len(columns) + 30 <= 1280
