"""Heap allocations per tick and per order, counted from outside by a library that stands before the allocator.

    python -m bench.allocations                             # Cython and Python strategy, spot
    python -m bench.allocations --strategies cython --ticks 100000 --json allocations.json

Two counts per order, both exact:

between   from the return of the recv() that brought the quote to the send() that carries the order;
process   everything that the process allocated from one order to the next: acknowledgement, events, user callbacks, the
          loop's own turns.

PYTHONMALLOC=malloc lets every Python object reach the counter, except those that a free list serves.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from bench.build import c_program
from bench.machine import header, header_text
from bench.parts import Parts, failed_text
from bench.rest import serving
from bench.results import save
from bench.runs import RunError, Scene, end_on_sigterm, run


def count(scene: Scene, rest_port: int) -> dict:
    """What the counting library says of one run: orders, between, worst, process (sums), stacks of the first few."""
    with tempfile.TemporaryDirectory(prefix="nexus-bench-") as folder:
        out = Path(folder, "allocations.json")
        variables = {
            "LD_PRELOAD": str(c_program("malloc_count", shared=True)),
            "PYTHONMALLOC": "malloc",
            "BENCH_MALLOC_OUT": str(out),
            "BENCH_MALLOC_SKIP": str(scene.warm_up),
        }
        result = run(scene, rest_port, variables)
        if not out.exists():
            raise RunError(f"{scene.client}: no quote came through recv(); there is nothing to count")
        counted = json.loads(out.read_text())
    if counted["orders"] < result["orders"] - scene.warm_up:
        raise RunError(f"{scene.client}: of {result['orders']} orders only {counted['orders']} went through send()")
    return counted


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nexus-fast bench allocations", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--family", choices=("spot", "usd_m"), default="spot")
    add("--strategies", default="cython,python", help="of cython, python, floor")
    add("--mode", choices=("busy", "block", "adaptive"), default="busy")
    add("--ticks", type=int, default=10_000)
    add("--warm-up", type=int, default=2_000, help="ticks before the count")
    add("--gap-us", type=float, default=200)
    add("--events", choices=("none", "new", "fill"), default="fill")
    add("--stacks", action="store_true", help="show where the first few allocations between quote and order came from")
    add("--json", type=Path, help="default: bench/results/allocations.json")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    end_on_sigterm()
    facts, found, parts = header(), {}, Parts()
    with serving() as (rest_port, _):
        for strategy in options.strategies.split(","):
            scene = Scene(strategy, options.family, options.mode, options.gap_us, options.ticks, options.warm_up,
                          options.events)
            with parts.part(strategy):
                found[strategy] = count(scene, rest_port)
    if not found:
        return 1
    print(header_text(facts))
    print(f"\nHeap allocations per order; {options.family}, {options.mode}, events {options.events}\n")
    for strategy, counted in found.items():
        orders = max(counted["orders"], 1)
        between, process = counted["between"] / orders, counted["process"] / max(orders - 1, 1)
        most = counted["worst"]
        print(f"{strategy:>8}  {orders} orders  quote to order {between:.4f} (most {most})  process {process:.4f}")
        for stack in counted["stacks"] if options.stacks else []:
            print("\n".join(f"            {frame}" for frame in stack), end="\n\n")
    print(failed_text(parts.failed), end="\n" if parts.failed else "")
    save("allocations", {"strategies": found, "failed": parts.failed}, options.json)
    return 1 if parts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
