"""Frame bytes in memory to frame bytes ready, stage by stage, in nanoseconds and in instructions.

    python -m bench.path                                    # every market, about a minute
    python -m bench.path --markets "binance spot,okx" --no-count --json path.json

BENCHMARKING.md says what each stage is.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from bench.build import ROOT
from bench.counting import CountError, count, environment, valgrind_version, why_not
from bench.machine import header, header_text
from bench.parts import Parts, failed_text
from bench.path.frames import SOURCES
from bench.progress import progress
from bench.results import save

# What the row "frames" says.
ORIGINS = (
    "recorded (recordings in ../shared/data), samples (recorded, a few of each market, in tests/data/hftbacktest) "
    "or documented (as the venue's documents show them, in bench/path/frames.py); few are repeated, with later ids and times"
)
STAGES = ("parse", "record", "ring", "dispatch", "risk", "journal", "fill", "sign", "mask", "send")


def timed(market: str, passes: int) -> dict:
    command = [sys.executable, "-m", "bench.path.child", "--markets", market, "--passes", str(passes)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=300)
    if done.returncode:
        raise CountError(done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])[market]


def counted(market: str) -> dict:
    """{"frames", "origin", "instructions": {"cython parse": per frame}}; the market's name is cut off."""
    found, said = count("bench.path.child", ["--count", "--markets", market])
    about = json.loads(said.splitlines()[-1])[market]
    per_frame = {
        name.split("|", 1)[1].replace("|", " ").strip(): value / about["frames"] for name, value in found.items()
    }
    return {**about, "instructions": per_frame}


def stages(levels: dict[str, float]) -> dict[str, float]:
    """{stage: what it adds} of the Cython strategy; the last is what the engine's own submit has beyond its parts."""
    found, before = {}, 0.0
    for stage in STAGES:
        level = levels.get(f"cython {'whole' if stage == 'send' else stage}")
        if level is not None:
            found[stage] = level - before
            before = level
    return found


def origin_text(result: dict) -> str:
    """How many frames the times are of, and where they come from."""
    return f"{result['frames']} {result['origin']}" if "origin" in result else ""


def table(results: dict) -> str:
    """One column per market: ns, and instructions behind the stroke."""
    names = list(results)
    lines = [["stage", *names], ["---"] * (len(names) + 1)]
    ns = {name: {key: value["median"] for key, value in results[name]["ns"].items()} for name in names}
    instructions = {name: results[name].get("counted", {}).get("instructions", {}) for name in names}

    def cells(of) -> list[str]:
        found = []
        for name in names:
            time, number = of(ns[name]), of(instructions[name])
            found.append("" if time is None else f"{time:.0f}" + ("" if number is None else f" / {number:.0f}"))
        return found

    lines.append(["frames", *(origin_text(results[name]) for name in names)])
    for stage in STAGES:
        lines.append([stage, *cells(lambda levels, stage=stage: stages(levels).get(stage))])
    rows = {
        "all, Cython strategy": "cython whole",
        "all, Python strategy": "python whole",
        "all, Cython, logged on (Ed25519)": "logged on whole",
        "to the send(), Cython strategy": "cython to send",
        "to the send(), Python strategy": "python to send",
        "to the send(), Cython, logged on": "logged on to send",
        "up to a Python strategy": "python dispatch",
        "parser alone": "parse",
        "parser alone, combined form": "parse combined",
    }
    rows |= {key.removeprefix("decoder "): key for name in names for key in ns[name] if key.startswith("decoder ")}
    for label, key in rows.items():
        lines.append([label, *cells(lambda levels, key=key: levels.get(key))])
    widths = [max(len(line[i]) for line in lines) for i in range(len(names) + 1)]
    return "\n".join(
        "| "
        + " | ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
        + " |"
        for line in lines
    )


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nexus-fast bench path", description=__doc__.splitlines()[0])
    parser.add_argument("--markets", default=",".join(SOURCES), help="of " + ", ".join(SOURCES))
    parser.add_argument("--passes", type=int, default=20, help="over a market's frames, times nine repetitions")
    parser.add_argument("--no-count", action="store_true", help="leave the instructions away")
    parser.add_argument("--json", type=Path, help="default: bench/results/path.json")
    options = parser.parse_args(arguments)
    for market in options.markets.split(","):
        if market not in SOURCES:
            parser.error(f"--markets {market!r}: none of {', '.join(SOURCES)}")
    return options


def measure(markets: list[str], passes: int, reason: str, parts: Parts) -> dict[str, dict]:
    """Each market by itself: {market: its times and, where they could be counted, its instructions}."""
    results: dict[str, dict] = {}
    with parts.part("path"), progress("path", len(markets) * (1 if reason else 2)) as step:
        from bench.path.world import loops

        loops()
        for market in markets:
            with parts.part(market):
                results[market] = timed(market, passes)
                step(f"{market}: {results[market]['ns']['cython whole']['median']:.0f} ns")
        for market in () if reason else list(results):
            with parts.part(f"{market}, instructions"):
                results[market]["counted"] = counted(market)
                step(f"{market}: {results[market]['counted']['instructions']['cython whole']:.0f} instructions")
    return results


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    reason = "not asked for" if options.no_count else why_not()
    parts = Parts()
    results = measure(options.markets.split(","), options.passes, reason, parts)
    if not results:
        return 1
    print(header_text(header()))
    print(
        f"\nFrom frame bytes to frame bytes: ns (lowest median of nine){'' if reason else ' / instructions'} per frame\n"
    )
    print(table(results))
    print(f"\nno instructions: {reason}" if reason else f"\ninstructions: {valgrind_version()}, portable SHA-256")
    print(f"frames: {ORIGINS}")
    print(failed_text(parts.failed), end="\n" if parts.failed else "")
    where = save("path", {"results": results, "not_counted": reason, "failed": parts.failed}, options.json)
    print(f"written to {where}", file=sys.stderr)
    return 1 if parts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
