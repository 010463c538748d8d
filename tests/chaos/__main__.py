"""Seeded chaos in simulated time.

    python -m tests.chaos --seed 17                 one run with everything that happened
    python -m tests.chaos --seeds 1-10000           many, over all cores; a line for each that failed
    python -m tests.chaos --venues binance,okx …    of these venues, whichever the seed would choose
    python -m tests.chaos --restarts …              each with a kill, a journal that may be damaged, and a restart
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from simulated_time import ROOT, compiler, is_simulated, now, simulated_environment  # noqa: E402

# Of real time: a run takes less than half a second, on a machine that has nothing else to do.
SECONDS_OF_A_RUN = 60
# What a run's process ends with; a signal is a negative number.
AGREED, DISAGREED, CRASHED = 0, 1, 3


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.chaos", *arguments]


def one(seed: int, venues: tuple[str, ...], level: str) -> int:
    from tests.chaos.harness import run

    problems = run(seed, venues, lambda line: print(f"{now():8.3f} {line}", flush=True), level)
    print("\n".join([f"seed {seed}: {problem}" for problem in problems] or [f"seed {seed}: agreed"]))
    return bool(problems)


def in_a_child(work) -> int:
    """Each run begins as the first one would, so that a seed alone gives what it gave among others."""
    sys.stdout.flush()
    gc.freeze()
    child = os.fork()
    if not child:
        gc.disable()                     # its memory lasts for one run
        status = CRASHED
        try:
            status = work()
            sys.stdout.flush()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def silently(seed: int, venues: tuple[str, ...]) -> int:
    from tests.chaos.harness import run

    problems = run(seed, venues)
    for problem in problems:
        print(f"seed {seed} ({'+'.join(venues)}): {problem}", flush=True)
    return bool(problems)


def several(first: int, last: int, venues: tuple[str, ...]) -> int:
    """One after the other; what was run and what failed, by the venues."""
    from tests.chaos.harness import venues_of  # once for all children

    runs, failures = Counter(), Counter()
    for seed in range(first, last + 1):
        chosen = venues or venues_of(seed)
        runs["+".join(chosen)] += 1
        status = in_a_child(lambda seed=seed, chosen=chosen: silently(seed, chosen))
        failures["+".join(chosen)] += bool(status)
        if status not in (AGREED, DISAGREED):
            print(f"seed {seed} ({'+'.join(chosen)}): the process ended with {status}", flush=True)
    print("done", json.dumps([runs, failures]), flush=True)
    return bool(failures.total())


class Work:
    """Chunks of seeds, each in a process of its own, as many at once as there are cores."""

    def __init__(self, first: int, last: int, workers: int, chunk: int, more: tuple[str, ...]):
        self.chunks = [(at, min(at + chunk - 1, last)) for at in range(first, last + 1, chunk)]
        self.workers, self.more = workers, more
        self.running: list[tuple[subprocess.Popen, tuple[int, int], float, int]] = []
        self.runs, self.failures = Counter(), Counter()

    def go(self, seconds: float | None) -> None:
        """Until all is done; no chunk is begun after so many seconds."""
        begun = time.monotonic()
        while self.chunks or self.running:
            if seconds is not None and time.monotonic() - begun > seconds:
                self.chunks.clear()
            while self.chunks and len(self.running) < self.workers:
                self.begin(self.chunks.pop(0))
            for entry in list(self.running):
                self.look(*entry)
            time.sleep(0.02)

    def begin(self, chunk: tuple[int, int]) -> None:
        worker = min(set(range(self.workers)) - {entry[3] for entry in self.running})
        play = command("--seeds", f"{chunk[0]}-{chunk[1]}", *self.more)
        process = subprocess.Popen(play, cwd=ROOT, env=simulated_environment(worker), stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        self.running.append((process, chunk, time.monotonic(), worker))

    def look(self, process: subprocess.Popen, chunk: tuple[int, int], begun: float, worker: int) -> None:
        if process.poll() is None:
            if time.monotonic() - begun < SECONDS_OF_A_RUN * (chunk[1] - chunk[0] + 1):
                return
            process.kill()
        self.running.remove((process, chunk, begun, worker))
        output = process.stdout.read()
        lines = output.splitlines()
        if not lines or not lines[-1].startswith("done "):
            print(f"seeds {chunk[0]}-{chunk[1]}: the process did not end well\n{output[-3000:]}", flush=True)
            self.failures["no end"] += 1
            return
        runs, failures = json.loads(lines[-1].removeprefix("done "))
        self.runs.update(runs)
        self.failures.update(failures)
        if any(failures.values()):
            print("\n".join(line for line in lines[:-1] if line.startswith("seed ")), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--seed", type=int, help="one run with its trace")
    parser.add_argument("--log", default="OFF", metavar="LEVEL", help="with --seed: the engine's log, whose looks at the clock "
                        "may change what happens")
    parser.add_argument("--seeds", default="1-100", metavar="A-B")
    parser.add_argument("--venues", default="", metavar="A,B", help="instead of those that the seed chooses")
    parser.add_argument("--restarts", action="store_true", help="every run with a kill and a restart, not only a share")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--chunk", type=int, default=50, help="seeds of one process")
    parser.add_argument("--seconds", type=float, help="begin nothing after so many seconds")
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    venues = tuple(filter(None, options.venues.split(",")))
    if is_simulated():
        return in_the_simulation(options, int(first), int(last or first), venues)
    if compiler() is None:
        raise SystemExit("simulated time needs a C compiler: install cc, or name one by CC=")
    more = (("--venues", options.venues) if venues else ()) + (("--restarts",) if options.restarts else ())
    if options.seed is not None:
        one_run = command("--seed", str(options.seed), "--log", options.log, *more)
        return subprocess.run(one_run, cwd=ROOT, env=simulated_environment()).returncode
    begun, work = time.monotonic(), Work(int(first), int(last or first), options.workers, options.chunk, more)
    work.go(options.seconds)
    print(f"{work.runs.total()} runs, {work.failures.total()} failed, in {time.monotonic() - begun:.0f} s")
    print(", ".join(f"{name} {count}" for name, count in sorted(work.runs.items())))
    return bool(work.failures.total())


def in_the_simulation(options, first: int, last: int, venues: tuple[str, ...]) -> int:
    from tests.chaos import restarts
    from tests.chaos.harness import venues_of  # as `several` does

    if options.restarts:
        restarts.SHARE = 1.0
    if options.seed is None:
        return several(first, last, venues)
    return in_a_child(lambda: one(options.seed, venues or venues_of(options.seed), options.log))


sys.exit(main())
