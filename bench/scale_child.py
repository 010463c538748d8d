"""The process in which many symbols, strategies and connections are walked: started by bench.scale with no_send.c before libc,
and once more under callgrind. The last line of stdout is the result, JSON."""

import argparse
import asyncio
import gc
import json
import socket
import statistics
import sys
import time
from pathlib import Path

from bench.path.child import set_level
from bench.path.world import World, loops, segments

SYMBOLS = (1, 10, 100, 1000, 2000)
STRATEGIES = (1, 2, 5, 10, 20, 50)
CONNECTIONS = (1, 2, 4, 8, 16, 32)
FRAMES = 2000
REPETITIONS = 7
GROWTH_CHUNKS = 20


def frames_over(symbols: int) -> list[bytes]:
    """FRAMES bookTicker frames, the symbols in turn."""
    return [
        b'{"u":%d,"s":"S%04dUSDT","b":"618%02d.63000000","B":"3.78826000","a":"619%02d.64000000","A":"1.54698000"}'
        % (1000 + k, k % symbols, k % 100, k % 100)
        for k in range(FRAMES)
    ]


def fastest(worlds: dict[int, World], level: str, passes: int) -> dict[int, float]:
    """ns per frame of the fastest pass of each, in turn: a pass takes a millisecond, and a neighbour may take as much."""
    number, found = loops().LEVELS.index(level), {key: [] for key in worlds}
    for _ in range(REPETITIONS):
        for key, world in worlds.items():
            found[key].append(min(world.path.times(set_level(world, number), passes)))
    return {key: min(values) for key, values in found.items()}


def symbol_worlds(folder: Path, numbers) -> dict[int, World]:
    return {n: World("binance spot", frames_over(n), folder / f"symbols{n}") for n in numbers}


def strategy_worlds(folder: Path, kind: str, numbers) -> dict[int, World]:
    return {n: World("binance spot", frames_over(1), folder / f"{kind}{n}", (kind,) * n) for n in numbers}


def timed(folder: Path) -> dict:
    worlds = symbol_worlds(folder, SYMBOLS)
    found = {"symbols": {level: fastest(worlds, level, 10) for level in ("dispatch", "whole")}}
    found["strategies"] = {
        kind: fastest(strategy_worlds(folder, kind, STRATEGIES), "dispatch", 5) for kind in ("cython", "quiet")
    }
    return found


def counted(folder: Path) -> dict:
    """Under callgrind: "symbols|2000|whole" and "strategies|50|dispatch"."""
    for what, worlds in (
        ("symbols", symbol_worlds(folder, (1, 2000))),
        ("strategies", strategy_worlds(folder, "cython", (1, 50))),
    ):
        for number, world in worlds.items():
            for level in ("dispatch", "whole") if what == "symbols" else ("dispatch",):
                place = loops().LEVELS.index(level)
                world.path.times(set_level(world, place), 1)
                world.path.count(place, 3, f"{what}|{number}|{level}".encode())
    return {"frames": FRAMES}


async def connection_rounds() -> dict[int, float]:
    """ns of one round of the engine's poller over N connections on which nothing has come: real transports, real sockets."""
    import aiofastnet

    from nexus_fast.engine.hot_connection import HotConnection
    from nexus_fast.engine.poller import Poller
    from nexus_fast.feed.frames import FrameReader, PayloadHandler

    def make_reader() -> FrameReader:
        return FrameReader(None, PayloadHandler(), asyncio.Protocol())

    loop, found = asyncio.get_running_loop(), {}
    listener = socket.create_server(("127.0.0.1", 0))
    made, accepted = [], []
    for wanted in CONNECTIONS:
        while len(made) < wanted:
            transport, _ = await aiofastnet.create_connection(loop, make_reader, *listener.getsockname())
            made.append(transport)
            accepted.append(listener.accept()[0])
        poller = Poller(FakeLoop(loop), spin_us=0)
        for transport in made:
            poller.add(HotConnection(FakeLoop(loop), transport, PayloadHandler(), True))
        poller.start()
        found[wanted] = min(statistics.median(rounds(poller)) for _ in range(REPETITIONS))
    for ended in (*accepted, listener):
        ended.close()
    for transport in made:
        transport.abort()
    return found


class FakeLoop:
    """The poller asks for its next turn, and does not get it: the rounds are counted one by one."""

    def __init__(self, loop):
        self.remove_reader, self.add_reader = loop.remove_reader, loop.add_reader

    def call_soon(self, callback):
        pass


def rounds(poller, groups: int = 30, each: int = 100) -> list[float]:
    found = []
    for _ in range(groups):
        begun = time.perf_counter_ns()
        for _ in range(each):
            poller()
        found.append((time.perf_counter_ns() - begun) / each)
    return found


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def memory(folder: Path, ticks: int) -> dict:
    """Resident bytes before and while `ticks` ticks go through, each answered by an order: half Cython, half Python."""
    found = []
    for kind in ("cython", "python"):
        world = World("binance spot", frames_over(100), folder / f"memory-{kind}", (kind,))
        number = set_level(world, loops().LEVELS.index("whole"))
        world.path.times(number, 40)  # every slot of the order table has been used once
        passes = max(1, ticks // 2 // FRAMES // GROWTH_CHUNKS)
        before = resident()
        seen = []
        for chunk in range(GROWTH_CHUNKS):
            world.path.times(number, passes)
            seen.append([(chunk + 1) * passes * FRAMES, resident() - before])
        found.append({"strategy": kind, "resident_before": before, "growth": seen})
    return {"memory": found}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.scale_child")
    parser.add_argument("--what", choices=("timed", "counted", "connections", "memory"), required=True)
    parser.add_argument("--ticks", type=int, default=10_000_000)
    options = parser.parse_args()
    if options.what == "connections":
        import uvloop

        print(json.dumps({"connections": uvloop.run(connection_rounds())}))
        return 0
    if options.what != "memory":
        gc.disable()
    with segments() as folder:
        make = {"timed": timed, "counted": counted}.get(options.what)
        print(json.dumps(make(folder) if make else memory(folder, options.ticks)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
