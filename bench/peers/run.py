"""Tick to order of what one would use instead, in turn with the floor and the engine.

    nexus-fast bench peers                              # all, 3 ms between ticks, three rounds
    nexus-fast bench peers --peers picows_msgspec,ccxt_pro --gaps 3ms,70ms --minutes 10

Each peer has an environment of its own in the user's cache directory, filled by pip. BENCHMARKING.md says how each is set up.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.build import BuildError
from bench.disturbance import MARK, disturbance, disturbed, warning
from bench.histogram import PERCENTILES, median, merge, percentile
from bench.machine import header, header_text
from bench.peers.environment import PeerError, prepare, versions
from bench.progress import progress
from bench.rest import serving
from bench.results import save
from bench.runs import RunError, Scene, end_on_sigterm, run
from bench.wire import gap_text, gap_us


@dataclass(frozen=True)
class Contender:
    """client: as in Scene. most: ticks beyond which its own limits are what is measured."""

    label: str
    client: str
    entry: str = "ws"
    mode: str = "busy"
    most: int = 1_000_000


CONTENDERS = (
    Contender("C, spinning", "floor"),
    Contender("C, epoll", "floor", mode="block"),
    Contender("nexus_fast, Cython strategy", "cython"),
    Contender("nexus_fast, Python strategy", "python"),
    Contender("nexus_fast, Cython strategy, REST", "cython", "rest"),
    Contender("nexus_fast, Python strategy, block", "python", mode="block"),
    Contender("picows + uvloop + msgspec by hand", "picows_msgspec"),
    Contender("aiohttp + json, WebSocket", "aiohttp_json"),
    Contender("aiohttp + json, REST", "aiohttp_json", "rest"),
    Contender("ccxt pro, WebSocket", "ccxt_pro"),
    Contender("ccxt pro, REST", "ccxt_pro", "rest"),
    Contender("NexusTrader, create_order_ws, limiter off", "nexustrader_engine:limiter"),
    Contender("NexusTrader, create_order, limiter off", "nexustrader_engine:limiter", "rest"),
    Contender("NexusTrader, create_order_ws, limiter on", "nexustrader_engine", most=25),
    Contender("NautilusTrader, REST", "nautilus_node", "rest"),
)
PEERS = tuple(
    dict.fromkeys(c.client.partition(":")[0] for c in CONTENDERS if c.client not in ("floor", "cython", "python"))
)


def ticks_of(gap: float, contender: Contender) -> tuple[int, int]:
    """(ticks, warm-up): a second or two of gaps, and fewer where the contender's own limits end it."""
    ticks, warm_up = (600, 150) if gap < 20_000 else (60, 12)
    return (ticks, warm_up) if contender.most > ticks + warm_up else (contender.most - 5, 5)


def seconds_of(gap: float) -> float:
    return sum(5 + sum(ticks_of(gap, c)) * (gap + 600) / 1e6 for c in CONTENDERS)


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nexus-fast bench peers", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--peers", default=",".join(PEERS), help="of " + ", ".join(PEERS))
    add("--gaps", type=lambda text: [gap_us(part) for part in text.split(",")], default=[3_000.0, 70_000.0])
    add("--rounds", type=int, default=3)
    add("--minutes", type=float, help="as many rounds as fit, at least one, instead of --rounds")
    add("--events", choices=("none", "new", "fill"), default="fill")
    add("--exchange-cpu", type=int, default=0)
    add("--client-cpu", type=int, default=1)
    add("--json", type=Path, help="default: bench/results/peers.json")
    options = parser.parse_args(arguments)
    options.peers = [name for name in options.peers.split(",") if name]
    for name in options.peers:
        if name not in PEERS:
            parser.error(f"--peers {name!r}: none of {', '.join(PEERS)}")
    return options


def measure(options: argparse.Namespace, contenders: list[Contender], absent: dict[str, str]) -> list[dict]:
    """Every run in turn. A peer whose run fails is left away from then on, and `absent` says why."""
    rounds = options.rounds
    if options.minutes:
        rounds = max(1, int(60 * options.minutes / sum(map(seconds_of, options.gaps))))
    end = time.monotonic() + (60 * options.minutes if options.minutes else float("inf"))
    runs = []
    with serving() as (rest_port, _), progress("peers", rounds * len(options.gaps) * len(contenders)) as step:
        for number in range(rounds):
            for gap in options.gaps:
                if number and time.monotonic() > end:
                    return runs
                for contender in contenders:
                    if contender.label in absent:
                        continue
                    ticks, warm_up = ticks_of(gap, contender)
                    scene = Scene(
                        contender.client,
                        mode=contender.mode,
                        gap_us=gap,
                        ticks=ticks,
                        warm_up=warm_up,
                        events=options.events,
                        entry=contender.entry,
                        exchange_cpu=options.exchange_cpu,
                        client_cpu=options.client_cpu,
                        bound_ms=5_000 if contender.most < 1000 else 1_000,
                    )
                    try:
                        result = run(scene, rest_port)
                    except RunError as error:
                        # The floor and the engine come again in the next round: then it was the machine.
                        if contender.client.partition(":")[0] in PEERS:
                            absent[contender.label] = str(error)
                        step(f"{contender.label}: no measurement: {str(error).splitlines()[0]}")
                        continue
                    step(f"{gap_text(gap)} {contender.label}: p50 {result['latency']['p50'] / 1000:.0f} us")
                    runs.append({**result, "label": contender.label, "round": number})
    return runs


def summarise(runs: list[dict]) -> list[dict]:
    """One row per gap and contender: medians over the rounds; the ratio is to the same round's spinning floor."""
    rows = []
    for gap, label in dict.fromkeys((r["scene"]["gap_us"], r["label"]) for r in runs):
        mine = [r for r in runs if (r["scene"]["gap_us"], r["label"]) == (gap, label)]
        floors = {r["round"]: r for r in runs if (r["scene"]["gap_us"], r["label"]) == (gap, "C, spinning")}
        times = [r["latency"] for r in mine]
        row = {"gap_us": gap, "label": label, "rounds": len(mine), "n": sum(t["n"] for t in times)}
        row |= {name: median([t[name] for t in times]) for name in PERCENTILES}
        whole = merge(t["histogram"] for t in times)
        row |= {f"merged_{name}": percentile(whole, share) for name, share in PERCENTILES.items()}
        row |= {"max": max(t["max"] for t in times), "histogram": whole, **disturbance(mine)}
        ratios = [
            r["latency"]["p50"] / max(floors[r["round"]]["latency"]["p50"], 1) for r in mine if r["round"] in floors
        ]
        row["ratio_p50"] = median(ratios) if ratios else None
        rows.append(row)
    return rows


def table(rows: list[dict]) -> str:
    lines = [["gap", "client", "n", "p50", "p90", "p99", "max", "p50/floor"], ["---"] * 8]
    for row in rows:
        ratio = "" if row["ratio_p50"] is None else f"{row['ratio_p50']:.2f}"
        times = [f"{row[name] / 1000:.0f}" for name in ("p50", "p90", "p99", "max")]
        times[2] += MARK if disturbed(row) else ""
        lines.append([gap_text(row["gap_us"]), row["label"], str(row["n"]), *times, ratio])
    widths = [max(len(line[i]) for line in lines) for i in range(8)]
    return "\n".join(
        "| "
        + " | ".join(c.ljust(w) if i == 1 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
        + " |"
        for line in lines
    )


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    end_on_sigterm()
    try:
        missing = prepare(options.peers, lambda text: print(text, file=sys.stderr, flush=True))
        contenders = [
            c
            for c in CONTENDERS
            if c.client.partition(":")[0] not in PEERS
            or c.client.partition(":")[0] in set(options.peers) - missing.keys()
        ]
        absent = {c.label: missing[name] for c in CONTENDERS if (name := c.client.partition(":")[0]) in missing}
        runs = measure(options, contenders, absent)
    except (BuildError, PeerError) as error:
        print(f"no measurement: {error}", file=sys.stderr)
        return 1
    rows = summarise(runs)
    about = {name: versions(name) for name in options.peers if name not in missing}
    print(header_text({**header(), "peers": "; ".join(about.values())}))
    print(f"\nTick to order over loopback, us; spot, events {options.events}, in turn, medians over the rounds\n")
    print(table(rows))
    print(f"\n{warning(rows)}" if warning(rows) else "", end="\n" if warning(rows) else "")
    for label, why in absent.items():
        print(f"\n{label}: not measured: {why[:600]}")
    where = save("peers", {"rows": rows, "versions": about, "absent": absent, "events": options.events}, options.json)
    print(f"written to {where}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
