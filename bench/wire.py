"""Tick to order over loopback, the engine beside a hand-written C program, in turn.

    python -m bench.wire                                    # busy, 20 us between ticks, three rounds
    python -m bench.wire --gaps 20us,3ms,70ms --modes busy,block --rounds 5 --json wire.json

BENCHMARKING.md says what is timed and what not to conclude.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from bench.build import BuildError
from bench.histogram import PERCENTILES, median, merge, percentile
from bench.machine import header, header_text
from bench.rest import serving
from bench.runs import RunError, Scene, end_on_sigterm, run

CLIENTS = ("floor", "cython", "python")
MODES = ("busy", "block", "adaptive")
UNITS = {"us": 1.0, "ms": 1_000.0, "s": 1_000_000.0}


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


def ticks_for(gap: float) -> tuple[int, int]:
    """(ticks, warm-up) that take a few seconds at a gap in us."""
    return (20_000, 5_000) if gap < 500 else (1_500, 300) if gap < 20_000 else (100, 20)


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench wire", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--family", choices=("spot", "usd_m"), default="spot")
    add("--clients", type=listed(CLIENTS), default=list(CLIENTS), help="the floor is always among them")
    add("--modes", type=listed(MODES), default=["busy"])
    add("--gaps", type=lambda text: [gap_us(part) for part in text.split(",")], default=[20.0])
    add("--ticks", type=int, help="per run; default by gap")
    add("--warm-up", type=int, help="ticks before those that count; default by gap")
    add("--rounds", type=int, default=3)
    add("--events", choices=("none", "new", "fill"), default="fill", help="what user data brings for each order")
    add("--pace", choices=("after", "schedule"), default="after", help="gap from the order, or from tick to tick")
    add("--exchange-cpu", type=int, default=0)
    add("--client-cpu", type=int, default=1)
    add("--nice", type=int, default=0, help="priority of exchange and client; -20 where others compute (as root)")
    add("--stages", action="store_true", help="show where the engine's time goes (which costs some)")
    add("--json", type=Path, help="where to write everything, histograms included")
    return parser.parse_args(arguments)


def measure(options: argparse.Namespace, say) -> list[dict]:
    """Every run, in the order in which it was made: floor, engine, floor, engine …"""
    clients = ["floor", *(name for name in options.clients if name != "floor")]
    runs = []
    with serving() as (rest_port, unknown):
        for mode in options.modes:
            for gap in options.gaps:
                ticks, warm_up = ticks_for(gap)
                for number in range(options.rounds):
                    for client in clients:
                        scene = Scene(
                            client, options.family, mode, gap, options.ticks or ticks,
                            warm_up if options.warm_up is None else options.warm_up, options.events, options.pace,
                            options.exchange_cpu, options.client_cpu, nice=options.nice, measure=options.stages,
                        )
                        result = run(scene, rest_port)
                        say(f"{mode} {gap_text(gap)} round {number + 1}/{options.rounds} {client}: "
                            f"p50 {timed(result, options)['p50'] / 1000:.1f} us")
                        runs.append({**result, "round": number})
        for request in sorted(set(unknown)):
            say(f"the bench has no answer for {request}")
    return runs


def timed(result: dict, options: argparse.Namespace) -> dict:
    """The latencies that count: on a fixed schedule those from the intended start, so that a stall counts in full."""
    return result["from_intended" if options.pace == "schedule" else "latency"]


def gap_text(gap: float) -> str:
    return f"{gap:g}us" if gap < 1000 else f"{gap / 1000:g}ms"


def summarise(runs: list[dict], options: argparse.Namespace) -> list[dict]:
    """One row per mode, gap and client: medians over the rounds; ratios are medians too, to the same round's floor."""
    rows = []
    keys = dict.fromkeys((r["scene"]["mode"], r["scene"]["gap_us"], r["scene"]["client"]) for r in runs)
    for mode, gap, client in keys:
        def of(name: str, mode=mode, gap=gap) -> list[dict]:
            wanted = (mode, gap, name)
            return [r for r in runs if (r["scene"]["mode"], r["scene"]["gap_us"], r["scene"]["client"]) == wanted]

        mine, floors = of(client), of("floor")
        times, floor_times = [timed(r, options) for r in mine], [timed(r, options) for r in floors]
        whole = merge(t["histogram"] for t in times)
        row = {"mode": mode, "gap_us": gap, "client": client, "rounds": len(mine), "n": sum(t["n"] for t in times)}
        row |= {name: median([t[name] for t in times]) for name in PERCENTILES}
        row |= {"min": min(t["min"] for t in times), "max": max(t["max"] for t in times)}
        row |= {f"merged_{name}": percentile(whole, share) for name, share in PERCENTILES.items()}
        for name in ("p50", "p99"):
            ratios = [a[name] / max(b[name], 1) for a, b in zip(times, floor_times, strict=True)]
            row |= {f"ratio_{name}": median(ratios), f"ratios_{name}": ratios}
        row |= {"lost": sum(r["lost"] for r in mine), "bad_signatures": sum(r["bad_signatures"] for r in mine)}
        row["switches"] = sum(r["involuntary_switches"] + max(r["client_switches"], 0) for r in mine)
        rows.append(row)
    return rows


def table(rows: list[dict]) -> str:
    """Microseconds; ratios are to the floor of the same round, median (lowest-highest)."""
    head = ["mode", "gap", "client", "n", "min", "p50", "p90", "p99", "p99.9", "max", "p50/floor", "p99/floor",
            "lost", "bad", "switches"]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        times = [f"{row[name] / 1000:.1f}" for name in ("min", "p50", "p90", "p99", "p999", "max")]
        spread = f"{row['ratio_p50']:.3f} ({min(row['ratios_p50']):.2f}-{max(row['ratios_p50']):.2f})"
        ratios = ["1" if row["client"] == "floor" else spread, f"{row['ratio_p99']:.2f}"]
        rest = [str(row["lost"]), str(row["bad_signatures"]), str(row["switches"])]
        lines.append([row["mode"], gap_text(row["gap_us"]), row["client"], str(row["n"]), *times, *ratios, *rest])
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


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    end_on_sigterm()
    facts = header()
    started = time.time()
    try:
        runs = measure(options, lambda text: print(text, file=sys.stderr, flush=True))
    except (RunError, BuildError) as error:
        print(f"no measurement: {error}", file=sys.stderr)
        return 1
    rows = summarise(runs, options)
    print(header_text(facts))
    print(f"\nTick to order over loopback, us; {options.family}, events {options.events}, pace {options.pace}, "
          f"{options.rounds} rounds in turn, medians over the rounds\n")
    print(table(rows))
    if options.stages:
        print("\n" + stages(runs))
    if options.json:
        options.json.write_text(json.dumps({"machine": facts, "started": int(started), "rows": rows, "runs": runs}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
