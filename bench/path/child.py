"""The process in which the path is walked: started by bench.path with no_send.c before libc, and once more under callgrind.

The last line of stdout is the result, JSON. --count: every figure is written as a dump of callgrind's, named
"market|strategy|level", and stdout has the number of frames in each. --allocations: with malloc_count.c there as well.
"""

import argparse
import ctypes
import gc
import json
import statistics
import sys

from bench.path.decoders import decoders
from bench.path.frames import SOURCES, combined, frames_of
from bench.path.world import World, loops, segments
from nexus_fast.wire.registry import parser_id

REPETITIONS = 9


def levels_of(name: str) -> list[str]:
    """Orders on a connection that has logged on carry no signature."""
    return [level for level in loops().LEVELS if level != "sign" or name.startswith("binance")]


def worlds(name: str, folder, frames: list[bytes]) -> list[tuple[str, World, list[str]]]:
    """(strategy, where it runs, the levels that make sense for it)."""
    cython = World(name, frames, folder / "cython")
    quiet = World(name, frames, folder / "quiet", ("quiet",))
    python = World(name, frames, folder / "python", ("python",))
    found = [("cython", cython, levels_of(name)), ("python", quiet, ["dispatch"]), ("python", python, ["whole"])]
    if name.startswith("binance"):
        found.append(("logged on", World(name, frames, folder / "session", signed=False), ["whole"]))
    return found


def set_level(world: World, number: int) -> int:
    """Python strategies have one level: all they do."""
    for strategy in world.strategies:
        if hasattr(strategy, "level"):
            strategy.level = number
    return number


def interleaved(runs: dict, passes: int) -> dict:
    """{name: {"median", "best"}}: the lowest median of several repetitions, in turn with the others, and the fastest pass."""
    medians, best = {name: [] for name in runs}, {}
    for _ in range(REPETITIONS):
        for name, run in runs.items():
            times = run(passes)
            medians[name].append(statistics.median(times))
            best[name] = min(best.get(name, times[0]), *times)
    return {name: {"median": min(medians[name]), "best": best[name]} for name in runs}


def to_send(world: World):
    """A run that ends where send() begins: the library before libc reads the counter there."""
    library = ctypes.CDLL(None)
    ticks = ctypes.addressof(ctypes.c_uint64.in_dll(library, "bench_sent_ticks"))
    mark = ctypes.addressof(ctypes.c_int.in_dll(library, "bench_mark_sent"))

    def run(passes: int) -> list[float]:
        set_level(world, loops().LEVELS.index("whole"))
        return world.path.to_send(ticks, mark, passes)

    return run


def time_market(name: str, folder, passes: int) -> dict:
    frames, origin = frames_of(name)
    names, runs = loops().LEVELS, {}
    for strategy, world, levels in worlds(name, folder, frames):
        for level in levels:
            number = names.index(level)
            runs[f"{strategy} {level}"] = lambda n, world=world, number=number: world.path.times(
                set_level(world, number), n
            )
        if "whole" in levels:
            runs[f"{strategy} to send"] = to_send(world)
    parser = parser_id(SOURCES[name].venue, SOURCES[name].market)
    runs["parse"] = lambda n: loops().parse_times(loops().Frames(frames), parser, n)
    if name.startswith("binance"):
        wrapped = loops().Frames(combined(name, frames))
        runs["parse combined"] = lambda n: loops().parse_times(wrapped, parser, n)
        for label, decode in decoders().items():
            runs[f"decoder {label}"] = lambda n, decode=decode: loops().call_times(decode, frames, n)
    found = interleaved(runs, passes)
    return {"frames": len(frames), "origin": origin, "mean_bytes": sum(map(len, frames)) / len(frames), "ns": found}


def count_market(name: str, folder, with_decoders: bool) -> dict:
    frames, origin = frames_of(name, recorded=False)
    names = loops().LEVELS
    for strategy, world, levels in worlds(name, folder, frames):
        for level in levels:
            world.path.times(set_level(world, names.index(level)), 2)
            world.path.count(names.index(level), 3, f"{name}|{strategy}|{level}".encode())
    parser = parser_id(SOURCES[name].venue, SOURCES[name].market)
    loops().parse_count(loops().Frames(frames), parser, f"{name}||parse".encode())
    if name == "binance spot" and with_decoders:
        for label, decode in decoders().items():
            loops().call_times(decode, frames, 1)
            loops().call_count(decode, frames, f"{name}||decoder {label}".encode())
    return {"frames": len(frames), "origin": origin}


def allocations_of(name: str, folder) -> dict:
    """Allocations per frame: with malloc_count.c before libc's allocator and PYTHONMALLOC=malloc, every one of them."""
    frames, _ = frames_of(name, recorded=False)
    counter = ctypes.c_uint64.in_dll(ctypes.CDLL(None), "bench_allocations")
    found = {}
    for strategy, world, levels in worlds(name, folder, frames):
        for level in ("dispatch", "whole"):
            if level in levels:
                number = set_level(world, loops().LEVELS.index(level))
                world.path.times(number, 3)
                found[f"{strategy} {level}"] = world.path.grown(number, ctypes.addressof(counter)) / len(frames)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.path.child")
    parser.add_argument("--markets", default=",".join(SOURCES))
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--allocations", action="store_true")
    parser.add_argument("--no-decoders", action="store_true")
    parser.add_argument("--passes", type=int, default=20)
    options = parser.parse_args()
    found = {}
    gc.collect()
    gc.disable()
    with segments() as folder:
        for name in options.markets.split(","):
            place = folder / name.replace(" ", "_")
            if options.allocations:
                found[name] = allocations_of(name, place)
            elif options.count:
                found[name] = count_market(name, place, not options.no_decoders)
            else:
                found[name] = time_market(name, place, options.passes)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
