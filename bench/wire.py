"""Tick to order over loopback, the engine beside a hand-written C program, in turn.

    python -m bench.wire                                    # busy, 20 us between ticks, three rounds
    python -m bench.wire --gaps 20us,3ms,70ms --modes busy,block --links plain,tls --entries ws,rest --rounds 5
    python -m bench.wire --standard --minutes 15            # the cells of the README's table, as many rounds as fit

BENCHMARKING.md says what is timed and what not to conclude.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.disturbance import MARK, disturbance, disturbed, warning
from bench.histogram import PERCENTILES, median, merge, percentile
from bench.machine import header, header_text
from bench.parts import Parts
from bench.progress import progress
from bench.rest import serving
from bench.results import save
from bench.runs import Scene, Unfinished, end_on_sigterm, run

CLIENTS = ("floor", "cython", "python")
MODES = ("busy", "block", "adaptive")
LINKS = ("plain", "tls")
ENTRIES = ("ws", "rest")
START_SECONDS = {"floor": 0.8, "cython": 3.0, "python": 3.0}
UNITS = {"us": 1.0, "ms": 1_000.0, "s": 1_000_000.0}


@dataclass(frozen=True)
class Cell:
    """What the clients are compared under. gap in us."""

    mode: str
    gap: float
    link: str = "plain"
    entry: str = "ws"
    events: str = "fill"

    @property
    def text(self) -> str:
        return f"{self.mode} {gap_text(self.gap)} {self.link} {self.entry}"

    @property
    def ticks(self) -> tuple[int, int]:
        """(ticks, warm-up) that take a few seconds."""
        return (20_000, 5_000) if self.gap < 500 else (1_500, 300) if self.gap < 20_000 else (100, 20)

    def seconds(self, clients: list[str]) -> float:
        """How long a round takes, roughly."""
        return sum(START_SECONDS[client] + sum(self.ticks) * (self.gap + 50) / 1e6 for client in clients)


# At 20 us, events would be read in the next quote's way, and by REST the answer to the last order; BENCHMARKING.md says more.
STANDARD = [
    *(Cell(mode, gap, events="none" if gap < 500 else "fill") for gap in (20.0, 3_000.0, 70_000.0) for mode in ("busy", "block")),
    *(Cell(mode, gap, "tls", events="none" if gap < 500 else "fill") for gap in (20.0, 3_000.0) for mode in ("busy", "block")),
    *(Cell("adaptive", gap, events="none" if gap < 500 else "fill") for gap in (20.0, 3_000.0)),
    *(Cell("busy", gap, entry="rest", events="none" if gap < 500 else "fill") for gap in (200.0, 3_000.0)),
]


def gap_us(text: str) -> float:
    """"20us", "3ms", "0.5s" in microseconds."""
    for unit in ("us", "ms", "s"):
        number = text.removesuffix(unit)
        if number != text and number.replace(".", "", 1).isdigit():
            return float(number) * UNITS[unit]
    raise argparse.ArgumentTypeError(f"{text!r} is not a gap; write 20us, 3ms or 0.5s")


def listed(choices: tuple[str, ...]):
    def parse(text: str) -> list[str]:
        found = text.split(",")
        for name in found:
            if name not in choices:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(choices)}")
        return found

    return parse


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nexus-fast bench wire", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--family", choices=("spot", "usd_m"), default="spot")
    add("--clients", type=listed(CLIENTS), default=list(CLIENTS), help="the floor is always among them")
    add("--modes", type=listed(MODES), default=["busy"])
    add("--gaps", type=lambda text: [gap_us(part) for part in text.split(",")], default=[20.0])
    add("--links", type=listed(LINKS), default=["plain"])
    add("--entries", type=listed(ENTRIES), default=["ws"], help="how orders go")
    add("--standard", action="store_true", help="the cells of the README instead of modes, gaps, links, entries and events")
    add("--minutes", type=float, help="as many rounds as fit, at least one, instead of --rounds")
    add("--ticks", type=int, help="per run; default by gap")
    add("--warm-up", type=int, help="ticks before those that count; default by gap")
    add("--rounds", type=int, default=3)
    add("--events", choices=("none", "new", "fill"), default="fill", help="what user data brings for each order")
    add("--pace", choices=("after", "schedule"), default="after", help="gap from the order, or from tick to tick")
    add("--exchange-cpu", type=int, default=0)
    add("--client-cpu", type=int, default=1)
    add("--nice", type=int, default=0, help="priority of exchange and client; -20 where others compute (as root)")
    add("--stages", action="store_true", help="show where the engine's time goes (which costs some)")
    add("--json", type=Path, help="histograms included; default: bench/results/wire.json")
    return parser.parse_args(arguments)


def cells_of(options: argparse.Namespace) -> list[Cell]:
    if options.standard:
        return STANDARD
    return [
        Cell(mode, gap, link, entry, options.events)
        for link in options.links for entry in options.entries for mode in options.modes for gap in options.gaps
    ]


def scene_of(cell: Cell, client: str, options: argparse.Namespace) -> Scene:
    ticks, warm_up = cell.ticks
    return Scene(
        client, options.family, cell.mode, cell.gap, options.ticks or ticks,
        warm_up if options.warm_up is None else options.warm_up, cell.events, options.pace,
        options.exchange_cpu, options.client_cpu, cell.entry, options.nice, options.stages, cell.link == "tls",
    )


def rounds_of(options: argparse.Namespace, cells: list[Cell], clients: list[str]) -> int:
    if options.minutes is None:
        return options.rounds
    return max(1, int(60 * options.minutes / sum(cell.seconds(clients) for cell in cells)))


def measure(options: argparse.Namespace, parts: Parts) -> list[dict]:
    """Every run, in the order in which it was made: in each round and cell floor, engine, engine. With --minutes, no cell is
    begun after the time is over and every cell has had its first round. A run that came to no end is left away, not silently;
    one with a wrong order ends the measurement, and the runs before it stand."""
    clients = ["floor", *(name for name in options.clients if name != "floor")]
    cells = cells_of(options)
    rounds = rounds_of(options, cells, clients)
    end = time.monotonic() + 60 * options.minutes if options.minutes else float("inf")
    runs: list[dict] = []
    with parts.part("wire"), serving() as (rest_port, unknown), progress("wire", rounds * len(cells) * len(clients)) as step:
        for number in range(rounds):
            for cell in cells:
                if number and time.monotonic() > end:
                    return runs
                for client in clients:
                    try:
                        result = run(scene_of(cell, client, options), rest_port)
                    except Unfinished as error:
                        step(f"round {number + 1} {cell.text} {client}: left away: {str(error).splitlines()[0]}")
                        continue
                    step(f"round {number + 1} {cell.text} {client}: p50 {timed(result, options)['p50'] / 1000:.1f} us")
                    runs.append({**result, "round": number})
        for request in sorted(set(unknown)):
            print(f"the bench has no answer for {request}", file=sys.stderr)
    return runs


def timed(result: dict, options: argparse.Namespace) -> dict:
    """The latencies that count: on a fixed schedule those from the intended start, so that a stall counts in full."""
    return result["from_intended" if options.pace == "schedule" else "latency"]


def gap_text(gap: float) -> str:
    return f"{gap:g}us" if gap < 1000 else f"{gap / 1000:g}ms"


def place_of(result: dict) -> tuple:
    """Cell and client of a run."""
    scene = result["scene"]
    cell = Cell(scene["mode"], scene["gap_us"], "tls" if scene["tls"] else "plain", scene["entry"], scene["events"])
    return cell, scene["client"]


def summarise(runs: list[dict], options: argparse.Namespace) -> list[dict]:
    """One row per cell and client: medians over the rounds; ratios are medians too, to the same round's floor."""
    rows = []
    for cell, client in dict.fromkeys(map(place_of, runs)):
        mine = [r for r in runs if place_of(r) == (cell, client)]
        floors = {r["round"]: timed(r, options) for r in runs if place_of(r) == (cell, "floor")}
        times = [timed(r, options) for r in mine]
        beside = [(timed(r, options), floors[r["round"]]) for r in mine if r["round"] in floors]
        whole = merge(t["histogram"] for t in times)
        row = {"mode": cell.mode, "gap_us": cell.gap, "link": cell.link, "entry": cell.entry, "events": cell.events,
               "client": client, "rounds": len(mine), "n": sum(t["n"] for t in times)}
        row |= {name: median([t[name] for t in times]) for name in PERCENTILES}
        row |= {"min": min(t["min"] for t in times), "max": max(t["max"] for t in times)}
        row |= {f"merged_{name}": percentile(whole, share) for name, share in PERCENTILES.items()}
        row["histogram"] = whole
        for name in ("p50", "p99"):
            ratios = [a[name] / max(b[name], 1) for a, b in beside]
            row |= {f"ratio_{name}": median(ratios) if ratios else None, f"ratios_{name}": ratios}
        row |= {"lost": sum(r["lost"] for r in mine), "bad_signatures": sum(r["bad_signatures"] for r in mine)}
        row |= disturbance(mine)
        rows.append(row)
    return rows


def spread(row: dict) -> str:
    """The median ratio of the p50s, and the lowest and highest of a round."""
    ratios = row["ratios_p50"]
    return f"{row['ratio_p50']:.3f} ({min(ratios):.2f}-{max(ratios):.2f})" if ratios else ""


def table(rows: list[dict]) -> str:
    """Microseconds; ratios are to the floor of the same round, median (lowest-highest)."""
    head = ["mode", "gap", "link", "entry", "client", "n", "min", "p50", "p90", "p99", "p99.9", "max", "p50/floor", "p99/floor",
            "lost", "bad", "switches"]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        times = [f"{row[name] / 1000:.1f}" for name in ("min", "p50", "p90", "p99", "p999", "max")]
        times[3] += MARK if disturbed(row) else ""
        ratios = ["1" if row["client"] == "floor" else spread(row), f"{row['ratio_p99']:.2f}" if row["ratios_p99"] else ""]
        rest = [str(row["lost"]), str(row["bad_signatures"]), str(row["switches"])]
        cell = [row["mode"], gap_text(row["gap_us"]), row["link"], row["entry"], row["client"]]
        lines.append([*cell, str(row["n"]), *times, *ratios, *rest])
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    padded = ([cell.rjust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def stages(runs: list[dict]) -> str:
    """p50 and p99 of the engine's own stages in ns, medians over the rounds, by client and gap."""
    lines = []
    mine = [r for r in runs if r["client"].get("engine", {}).get("engine_ns")]
    for client, gap in dict.fromkeys((r["scene"]["client"], r["scene"]["gap_us"]) for r in mine):
        found = [r["client"]["engine"]["engine_ns"] for r in mine
                 if (r["scene"]["client"], r["scene"]["gap_us"]) == (client, gap)]
        parts = []
        for stage in (name for name in found[0] if found[0][name]["n"]):
            half, most = (median([f[stage][share] for f in found]) for share in ("p50", "p99"))
            parts.append(f"{stage} {half:.0f}/{most:.0f}")
        lines.append(f"{client} {gap_text(gap)}, p50/p99 ns: {', '.join(parts)}")
    return "\n".join(lines)


def slim(run: dict) -> dict:
    """A run without its histograms: those of a row's rounds stand in the row."""
    return {**run, **{name: {k: v for k, v in run[name].items() if k != "histogram"} for name in ("latency", "from_intended")}}


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    end_on_sigterm()
    parts = Parts()
    runs = measure(options, parts)
    if not runs and parts.failed:
        return 1
    if not runs:
        print("no measurement: no run came to its end; give both programs a processor of their own", file=sys.stderr)
        return 1
    rows = summarise(runs, options)
    print(header_text(header()))
    print(f"\nTick to order over loopback, us; {options.family}, pace {options.pace}, in turn, medians over the rounds\n")
    print(table(rows))
    print(f"\n{warning(rows)}" if warning(rows) else "", end="\n" if warning(rows) else "")
    if options.stages:
        print("\n" + stages(runs))
    kept = {"family": options.family, "pace": options.pace, "rows": rows, "runs": [slim(r) for r in runs]}
    print(f"written to {save('wire', {**kept, 'failed': parts.failed}, options.json)}", file=sys.stderr)
    return 1 if parts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
