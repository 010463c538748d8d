"""The cost of a tick with many symbols, strategies and connections; a burst; memory; an hour.

python -m bench.scale                       # some two minutes
python -m bench.scale --hour 1              # and an hour at 20,000 ticks/s, with its worst latencies and their causes
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from bench.build import ROOT
from bench.counting import CountError, count, environment, why_not
from bench.histogram import median
from bench.machine import header, header_text
from bench.parts import Parts, failed_text
from bench.progress import progress
from bench.rest import serving
from bench.results import save
from bench.runs import Scene, end_on_sigterm, run, switches_of

BURST = 10_000
HOUR_GAP_US = 50.0
HOUR_EVERY = 20


def child(what: str, *arguments: str, limit: float = 600) -> dict:
    command = [sys.executable, "-m", "bench.scale_child", "--what", what, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=limit)
    if done.returncode:
        raise CountError(f"{what}: {done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def counted() -> dict[str, float]:
    """{"symbols|2000|whole": instructions per tick}."""
    found, said = count("bench.scale_child", ["--what", "counted"])
    frames = json.loads(said.splitlines()[-1])["frames"]
    return {name: value / frames for name, value in found.items()}


def burst(client: str, options: argparse.Namespace, rest_port: int) -> dict:
    """BURST quotes at once, each answered by an order. `through`: until the last order is there, which is what it waited."""
    scene = Scene(
        client,
        gap_us=0.001,
        ticks=BURST,
        warm_up=3_000,
        events="none",
        pace="schedule",
        warm_gap_us=200,
        bound_ms=20_000,
        exchange_cpu=options.exchange_cpu,
        client_cpu=options.client_cpu,
    )
    result = run(scene, rest_port)
    waited = result["from_intended"]
    return {
        "client": client,
        "through_ns": waited["max"],
        "p50": waited["p50"],
        "p99": waited["p99"],
        "lost": result["lost"],
    }


class Switches(threading.Thread):
    """Once a second: how often each process lost its processor, to say what stood beside a bad latency."""

    def __init__(self):
        super().__init__(daemon=True)
        self.pids: dict[str, int] = {}
        self.begun = time.monotonic()
        self.seen: list[tuple[float, dict[str, int]]] = []
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(1.0):
            now = {name: switches_of(pid) for name, pid in self.pids.items()}
            self.seen.append((time.monotonic() - self.begun, now))

    def around(self, second: float) -> dict[str, int]:
        """How many each process had in the two seconds around a moment of the run."""
        inside = [counts for at, counts in self.seen if second - 1.5 <= at <= second + 1.5]
        if len(inside) < 2:
            return {}
        return {name: inside[-1].get(name, 0) - inside[0].get(name, 0) for name in inside[0]}


def hour(hours: float, options: argparse.Namespace, rest_port: int) -> dict:
    """20,000 ticks a second on a fixed schedule, 1,000 orders a second, all filled; the worst, with what stood beside."""
    ticks = int(hours * 3600 * 1e6 / HOUR_GAP_US)
    scene = Scene(
        "cython",
        gap_us=HOUR_GAP_US,
        ticks=ticks,
        warm_up=5_000,
        events="fill",
        pace="schedule",
        exchange_cpu=options.exchange_cpu,
        client_cpu=options.client_cpu,
        every=HOUR_EVERY,
        bound_ms=10_000,
    )
    watch = Switches()

    def started(exchange: int, client: int) -> None:
        watch.pids = {"exchange": exchange, "engine": client}
        watch.start()

    result = run(scene, rest_port, on_start=started)
    watch.over.set()
    worst = []
    for took, late, at in sorted(result["worst"], reverse=True):
        second = (result["started_ns"] + at) / 1e9 - watch.begun
        around = watch.around(second)
        worst.append(
            {
                "took_ns": took,
                "sent_late_ns": late,
                "second": at / 1e9,
                "switches": around,
                "cause": cause(took, late, around),
            }
        )
    return {
        "hours": hours,
        "from_intended": {k: v for k, v in result["from_intended"].items()},
        "lost": result["lost"],
        "worst": worst,
    }


def cause(took: int, late: int, switches: dict[str, int]) -> str:
    """What the numbers say, and no more."""
    if late > took / 2:
        return "the exchange sent it late: it had lost its processor, or was busy with an earlier order"
    if not switches:
        return "not known: nobody looked at the processors around then"
    if switches.get("engine", 0) > 0:
        return f"the engine lost its processor {switches['engine']} times around then"
    return "neither lost its processor: the engine's own turn, or the machine beneath"


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nexus-fast bench scale", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--ticks", type=int, default=10_000_000, help="for the memory, half by a Cython and half by a Python strategy")
    add("--bursts", type=int, default=3, help="of each client; the median counts")
    add("--hour", type=float, default=0, help="hours at 20,000 ticks/s; 0: not")
    add("--minutes", type=float, help="fewer ticks for the memory where this is short")
    add("--no-count", action="store_true", help="leave the instructions away")
    add("--exchange-cpu", type=int, default=0)
    add("--client-cpu", type=int, default=1)
    add("--json", type=Path, help="default: bench/results/scale.json")
    return parser.parse_args(arguments)


def measure(options: argparse.Namespace, parts: Parts) -> dict:
    """What was measured, each by itself: symbols and strategies, connections, instructions, memory, bursts, hour."""
    ticks = options.ticks if not options.minutes or options.minutes >= 2 else options.ticks // 5
    reason = "not asked for" if options.no_count else why_not()
    found: dict = {"bursts": []}
    with progress("scale", 4 + 3 * options.bursts + bool(options.hour)) as step, serving() as (rest_port, _):
        with parts.part("symbols and strategies"):
            from bench.path.world import loops

            loops()
            found |= child("timed")
            step(f"2,000 symbols: {found['symbols']['dispatch']['2000']:.0f} ns a tick")
        with parts.part("connections"):
            found |= child("connections")
            step(f"32 connections: {found['connections']['32']:.0f} ns a round")
        with parts.part("instructions"):
            found |= {"not_counted": reason} if reason else {"instructions": counted()}
            step("instructions" if not reason else reason)
        with parts.part("memory"):
            found |= child("memory", "--ticks", str(ticks), limit=1200)
            step(f"memory over {ticks} ticks")
        for client in ("floor", "cython", "python") * options.bursts:
            with parts.part(f"burst, {client}"):
                found["bursts"].append(burst(client, options, rest_port))
                step(f"burst, {client}: {found['bursts'][-1]['through_ns'] / 1e6:.1f} ms")
        if options.hour:
            with parts.part("hour"):
                found["hour"] = hour(options.hour, options, rest_port)
                step("hour")
    return found


def text(found: dict) -> str:
    lines = []
    timed = "symbols" in found
    for level, label in (("dispatch", "tick to a Cython strategy"), ("whole", "tick to order, Cython")) if timed else ():
        row = found["symbols"][level]
        first = row["1"]
        lines.append(f"{label}: " + ", ".join(f"{n} symbols {ns:.0f} ns ({ns / first:.2f})" for n, ns in row.items()))
    for kind, label in (("cython", "Cython"), ("quiet", "Python")) if timed else ():
        lines.append(
            f"tick to N {label} strategies: "
            + ", ".join(f"{n}: {ns:.0f} ns" for n, ns in found["strategies"][kind].items())
        )
    if "connections" in found:
        rounds = ", ".join(f"{n}: {ns:.0f} ns" for n, ns in found["connections"].items())
        lines.append(f"a round of the poller over N idle connections: {rounds}")
    for name, value in found.get("instructions", {}).items():
        lines.append(f"instructions, {name.replace('|', ' ')}: {value:.0f}")
    for client in dict.fromkeys(b["client"] for b in found["bursts"]):
        through = [b["through_ns"] / 1e6 for b in found["bursts"] if b["client"] == client]
        lines.append(f"burst of {BURST} quotes, {client}: through, and the last order's wait, {median(through):.1f} ms")
    for run_of in found.get("memory", ()):
        ticks, grown = run_of["growth"][-1]
        lines.append(f"resident memory after {ticks} ticks with orders, {run_of['strategy']}: {grown / 1024:+.0f} KiB")
    if "hour" in found:
        took = found["hour"]["from_intended"]
        lines.append(
            f"{found['hour']['hours']:g} hours at 20,000 ticks/s: p50 {took['p50']} p99.9 {took['p999']} max {took['max']} ns"
        )
        lines += [
            f"  {w['took_ns'] / 1000:.0f} us at second {w['second']:.1f}: {w['cause']}"
            for w in found["hour"]["worst"][:10]
        ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    end_on_sigterm()
    parts = Parts()
    found = measure(options, parts)
    if not text(found):
        return 1
    print(header_text(header()))
    print("\n" + text(found))
    print(failed_text(parts.failed), end="\n" if parts.failed else "")
    print(f"written to {save('scale', {**found, 'failed': parts.failed}, options.json)}", file=sys.stderr)
    return 1 if parts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
