"""Instructions and allocations of the path as they were recorded, to see when they grow.

    python -m bench.record                  # compares; ends with status 1 beyond 3 %
    python -m bench.record --write          # records what is now (make record)

A record belongs to one combination of processor family, compiler, Python, Cython, C library and valgrind, since each of them
changes the numbers without anybody's having changed the program. Another combination has no record and nothing to fail.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version

from bench.build import BENCH, ROOT, BuildError, c_program, compiler_version
from bench.counting import CountError, count, environment, valgrind_version, why_not

FILE = BENCH / "recorded.json"
MARKETS = ("binance spot", "okx")
TOLERANCE = 0.03
# CPython finds methods in a cache by the addresses of their names. Where two names of a tick share a place in it, each tick
# looks both up from the start: 372 instructions more, in one layout of about fourteen. Four unlucky ones are no accident.
LAYOUTS = 4


def key() -> str:
    parts = (
        platform.machine(),
        compiler_version(),
        f"Python {platform.python_version()}",
        f"Cython {version('Cython')}",
        " ".join(os.confstr("CS_GNU_LIBC_VERSION").split()),
        valgrind_version(),
    )
    return ", ".join(parts)


def allocations() -> dict[str, float]:
    """{"binance spot, python whole": allocations per frame}."""
    libraries = " ".join(str(c_program(name, shared=True)) for name in ("malloc_count", "no_send"))
    command = [sys.executable, "-m", "bench.path.child", "--allocations", "--markets", ",".join(MARKETS)]
    variables = {**environment(), "LD_PRELOAD": libraries, "PYTHONMALLOC": "malloc"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=variables, timeout=120)
    if done.returncode:
        raise CountError(f"the allocations were not counted:\n{done.stderr[-3000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return {f"{market}, {name}": value for market, values in found.items() for name, value in values.items()}


def instructions(layout: int = 0) -> dict[str, float]:
    """{"binance spot, cython whole": instructions per frame}."""
    found, said = count("bench.path.child", ["--count", "--no-decoders", "--markets", ",".join(MARKETS)], layout)
    about = json.loads(said.splitlines()[-1])
    counts = {}
    for name, value in found.items():
        market, strategy, level = name.split("|")
        counts[f"{market}, {strategy} {level}".replace(",  ", ", ")] = value / about[market]["frames"]
    return counts


def measured(before: dict) -> dict[str, dict[str, float]]:
    """What is now, rounded to what repeats. What has grown is counted in other layouts, too, and the least of each stands."""
    from bench.path.world import loops

    loops()  # compiled here and not under callgrind
    now = {"allocations": rounded(allocations()), "instructions": rounded(instructions())}
    for layout in range(1, LAYOUTS):
        if not worse(now, before):
            break
        again = rounded(instructions(layout))
        now["instructions"] = {name: min(value, again[name]) for name, value in now["instructions"].items()}
    return now


def rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in sorted(values.items())}


def worse(now: dict, before: dict) -> list[str]:
    """A line for each figure that is more than TOLERANCE above its record, or has none."""
    found = []
    for what, values in now.items():
        for name, value in values.items():
            old = before.get(what, {}).get(name)
            if old is None:
                found.append(f"{what}, {name}: {value}, not recorded")
            elif value > old * (1 + TOLERANCE) + 0.005:
                grown = f" (+{100 * (value / old - 1):.1f} %)" if old else ""
                found.append(f"{what}, {name}: {value}, recorded {old}{grown}")
    return found


def recorded() -> dict[str, dict]:
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.record", description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="record what is now")
    options = parser.parse_args(arguments)
    if reason := why_not():
        print(f"nothing can be counted: {reason}", file=sys.stderr)
        return 1
    try:
        known = recorded()
        now = measured({} if options.write else known.get(key(), {}))
    except (BuildError, CountError) as error:
        print(f"no count: {error}", file=sys.stderr)
        return 1
    if options.write:
        FILE.write_text(json.dumps({**known, key(): now}, indent=1, sort_keys=True) + "\n")
        print(f"recorded for {key()}")
        return 0
    if key() not in known:
        print(f"no record for {key()}: make record", file=sys.stderr)
        return 1
    found = worse(now, known[key()])
    print("\n".join(found) or "nothing has grown beyond 3 %")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
