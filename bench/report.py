"""A page and pictures from the results that were saved.

nexus-fast bench report                     # bench/results/*.json → bench/results/report.html and *.svg
"""

import argparse
import sys
import time
from collections.abc import Callable
from html import escape
from pathlib import Path

from bench import ring as ring_part
from bench import scale as scale_part
from bench import wire as wire_part
from bench.parts import failed_text
from bench.path import run as path_part
from bench.peers import run as peers_part
from bench.pictures import NINES, bars_picture, lines_picture, nines, percentile_line
from bench.results import RESULTS, load_all
from bench.verdicts import VERDICTS
from bench.wire import gap_text

MARKS = [(nines(share), name) for share, name in NINES]
STYLE = (
    "*{box-sizing:border-box}"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1240px;margin:2em auto;padding:0 1em;color:#222}"
    "h1,h2,p,li{overflow-wrap:anywhere}.verdict{border-left:4px solid #0b6e4f;padding-left:.8em;max-width:60em}"
    ".wide{overflow-x:auto;max-width:100%}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px}"
    "td,th{padding:2px 6px;border-bottom:1px solid #e5e5e5;text-align:right;white-space:nowrap}"
    "td:first-child,th:first-child{text-align:left}pre{background:#f6f6f6;padding:.8em;overflow-x:auto;font-size:12px}"
    "svg{display:block;width:100%;min-width:640px;max-width:960px;height:auto;border:1px solid #eee;margin:.6em 0}"
)


def caption_of(result: dict) -> str:
    machine = result["machine"]
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(result["finished"]))
    return (
        f"{machine['cpu']}, {machine['cpus']} processors, virtual: {machine['virtual machine']}, Linux {machine['kernel']}, "
        f"Python {machine['python']}, {machine['compiler']}; {when}"
    )


def percentile_picture(title: str, result: dict, rows: dict[str, list]) -> str:
    series = {name: percentile_line(histogram) for name, histogram in rows.items() if histogram}
    ordered = dict(sorted(series.items(), key=lambda item: item[1][-1][1]))
    reached = max(points[-1][0] for points in series.values())
    marks = [mark for number, mark in enumerate(MARKS) if number < 2 or MARKS[number - 1][0] < reached]
    return lines_picture(
        title, caption_of(result), ordered, marks, "tick to order, µs", "percentile (each nine as wide as the last)"
    )


def wire_pictures(result: dict) -> dict[str, str]:
    """One of each link, entry and gap: every client and mode."""
    found = {}
    for link, entry, gap in dict.fromkeys((r["link"], r["entry"], r["gap_us"]) for r in result["rows"]):
        rows = {
            f"{r['client']}, {r['mode']}": r["histogram"]
            for r in result["rows"]
            if (r["link"], r["entry"], r["gap_us"]) == (link, entry, gap)
        }
        name = f"wire-{link}-{entry}-{gap_text(gap)}"
        found[name] = percentile_picture(
            f"Wire: {link}, orders by {entry}, {gap_text(gap)} between ticks", result, rows
        )
    return found


def peers_pictures(result: dict) -> dict[str, str]:
    found = {}
    for gap in dict.fromkeys(r["gap_us"] for r in result["rows"]):
        rows = {r["label"]: r["histogram"] for r in result["rows"] if r["gap_us"] == gap}
        found[f"peers-{gap_text(gap)}"] = percentile_picture(
            f"Tick to order, {gap_text(gap)} between ticks", result, rows
        )
    return found


def path_pictures(result: dict) -> dict[str, str]:
    bars = {
        market: path_part.stages({name: value["median"] for name, value in found["ns"].items()})
        for market, found in result["results"].items()
    }
    return {"stages": bars_picture("From frame bytes to frame bytes, Cython strategy", caption_of(result), bars, "ns")}


def ring_pictures(result: dict) -> dict[str, str]:
    from bench.histogram import merge

    if not result["one_way"]:
        return {}
    series = {
        "bare cache line": percentile_line(merge(r["histogram"] for r in result["line"]), 1.0),
        "a record through the ring": percentile_line(merge(r["histogram"] for r in result["one_way"]), 1.0),
    }
    return {
        "ring": lines_picture(
            "One way between two processes",
            caption_of(result),
            series,
            MARKS,
            "ns",
            "percentile (each nine as wide as the last)",
        )
    }


def scale_pictures(result: dict) -> dict[str, str]:
    from math import log10

    def points(values: dict[str, float]) -> list[tuple[float, float]]:
        return [(log10(int(n)), ns) for n, ns in values.items()]

    series = {}
    if "symbols" in result:
        series |= {
            "tick to order, N symbols": points(result["symbols"]["whole"]),
            "tick to a Cython strategy, N symbols": points(result["symbols"]["dispatch"]),
            "tick to N Cython strategies": points(result["strategies"]["cython"]),
            "tick to N Python strategies": points(result["strategies"]["quiet"]),
        }
    if "connections" in result:
        series["a look at N quiet connections"] = points(result["connections"])
    if not series:
        return {}
    marks = [(log10(n), f"{n:,}") for n in (1, 10, 100, 1000, 2000)]
    return {"scale": lines_picture("What more of it costs", caption_of(result), series, marks, "ns", "N")}


# kind: (heading, the part's own table, its pictures)
SECTIONS: dict[str, tuple[str, Callable[[dict], str], Callable[[dict], dict[str, str]]]] = {
    "peers": ("Beside what one would use instead", lambda r: peers_part.table(r["rows"]), peers_pictures),
    "wire": ("Wire: tick to order over loopback", lambda r: wire_part.table(r["rows"]), wire_pictures),
    "path": ("Path: in memory, stage by stage", lambda r: path_part.table(r["results"]), path_pictures),
    "ring": ("Ring: shared memory between processes", lambda r: ring_part.text(r), ring_pictures),
    "scale": ("Scale", lambda r: scale_part.text(r), scale_pictures),
}


def html_table(content: str) -> str:
    """The part's table; lines that are no table as they are."""
    rows = [line for line in content.splitlines() if line.startswith("|")]
    if not rows:
        return f"<pre>{escape(content)}</pre>"
    cells = [[escape(cell.strip()) for cell in row.strip("|").split("|")] for row in rows]
    head = "".join(f"<th>{cell}</th>" for cell in cells[0])
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in cells[2:])
    return wide(f"<table><tr>{head}</tr>{body}</table>")


def wide(content: str) -> str:
    """What may be wider than a narrow screen: it scrolls in its own box, and the page stays."""
    return f"<div class=wide>{content}</div>"


def said(kind: str, result: dict) -> str:
    """The part's verdict, what is to be known about its figures, and what could not be measured."""
    lines = [*VERDICTS[kind](result), *failed_text(result.get("failed", {})).splitlines()]
    return "<div class=verdict>" + "".join(f"<p>{escape(line)}</p>" for line in lines) + "</div>"


def page(results: dict[str, dict]) -> tuple[str, dict[str, str]]:
    """(HTML with everything in it, {name: SVG})."""
    parts, pictures = [], {}
    for kind, (heading, table, draw) in SECTIONS.items():
        if kind not in results:
            continue
        result = results[kind]
        drawn = draw(result)
        pictures |= drawn
        machine = "\n".join(f"{name:<16} {value}" for name, value in result["machine"].items())
        shown = [said(kind, result), *map(wide, drawn.values()), html_table(table(result))]
        parts += [f"<h2>{heading}</h2>", *shown, f"<pre>{escape(machine)}</pre>"]
    body = "\n".join(parts)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width,initial-scale=1'>"
        f"<title>nexus_fast: measured</title><style>{STYLE}</style><h1>nexus_fast, measured</h1>"
        f"<p>How each figure is obtained, and what not to conclude from it: BENCHMARKING.md.</p>{body}</html>\n"
    ), pictures


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="nexus-fast bench report", description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder with the JSON files")
    parser.add_argument("--output", type=Path, help="folder for page and pictures; default: the same")
    options = parser.parse_args(arguments)
    results = load_all(options.results) if options.results.is_dir() else {}
    if not results.keys() & SECTIONS.keys():
        print(f"no results in {options.results}: measure first, e.g. nexus-fast bench path", file=sys.stderr)
        return 1
    output = options.output or options.results
    output.mkdir(parents=True, exist_ok=True)
    html, pictures = page(results)
    for name, svg in pictures.items():
        (output / f"{name}.svg").write_text(svg)
    (output / "report.html").write_text(html)
    print(f"{output / 'report.html'}, {len(pictures)} pictures beside it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
