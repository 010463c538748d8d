"""Many seeded runs in simulated time: chunks of seeds in processes of their own, each run in a child of its own.

    python -m tests.NAME --seed 17          one run with everything that happened
    python -m tests.NAME --seeds 1-1000     many, over all cores; a line for each that failed

A run is a function (seed, trace) -> what was wrong; a label says what kind of run a seed is.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from simulated_time import ROOT, compiler, is_simulated, now, simulated_environment

# Of real time: a run takes about half a second, on a machine that has nothing else to do.
SECONDS_OF_A_RUN = 60
# What a run's process ends with; a signal is a negative number.
AGREED, DISAGREED, CRASHED = 0, 1, 3


def in_a_child(work: Callable[[], int]) -> int:
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


def one(seed: int, run: Callable) -> int:
    """With its trace."""
    problems = run(seed, lambda line: print(f"{now():8.3f} {line}", flush=True))
    print("\n".join([f"seed {seed}: {problem}" for problem in problems] or [f"seed {seed}: agreed"]))
    return bool(problems)


def silently(seed: int, run: Callable, label: str) -> int:
    problems = run(seed, lambda line: None)
    for problem in problems:
        print(f"seed {seed} ({label}): {problem}", flush=True)
    return bool(problems)


def several(seeds: range, run: Callable, label_of: Callable[[int], str]) -> int:
    """One after the other; what was run and what failed, by the labels."""
    runs, failures = Counter(), Counter()
    for seed in seeds:
        label = label_of(seed)
        runs[label] += 1
        status = in_a_child(lambda seed=seed, label=label: silently(seed, run, label))
        failures[label] += bool(status)
        if status not in (AGREED, DISAGREED):
            print(f"seed {seed} ({label}): the process ended with {status}", flush=True)
    print("done", json.dumps([runs, failures]), flush=True)
    return bool(failures.total())


@dataclass(eq=False)
class Chunk:
    process: subprocess.Popen
    seeds: range
    begun: float
    worker: int
    output: TextIO


class Work:
    """Chunks of seeds, each in a process of its own, as many at once as there are workers."""

    def __init__(self, command: list[str], seeds: range, workers: int, chunk: int):
        self.command, self.workers = command, workers
        self.chunks = [seeds[at : at + chunk] for at in range(0, len(seeds), chunk)]
        self.running: list[Chunk] = []
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
                self.look(entry)
            time.sleep(0.02)

    def begin(self, chunk: range) -> None:
        worker = min(set(range(self.workers)) - {entry.worker for entry in self.running})
        output = tempfile.TemporaryFile("w+")      # a pipe that nobody reads yet would hold the process up
        process = subprocess.Popen([*self.command, "--seeds", f"{chunk[0]}-{chunk[-1]}"], cwd=ROOT,
                                   env=simulated_environment(worker), stdout=output, stderr=subprocess.STDOUT)
        self.running.append(Chunk(process, chunk, time.monotonic(), worker, output))

    def look(self, chunk: Chunk) -> None:
        if chunk.process.poll() is None:
            if time.monotonic() - chunk.begun < SECONDS_OF_A_RUN * len(chunk.seeds):
                return
            chunk.process.kill()
            chunk.process.wait()
        self.running.remove(chunk)
        chunk.output.seek(0)
        output = chunk.output.read()
        chunk.output.close()
        lines = output.splitlines()
        if not lines or not lines[-1].startswith("done "):
            print(f"seeds {chunk.seeds[0]}-{chunk.seeds[-1]}: the process did not end well\n{output[-3000:]}", flush=True)
            self.failures["no end"] += 1
            return
        runs, failures = json.loads(lines[-1].removeprefix("done "))
        self.runs.update(runs)
        self.failures.update(failures)
        if any(failures.values()):
            print("\n".join(line for line in lines[:-1] if line.startswith("seed ")), flush=True)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, help="one run with its trace")
    parser.add_argument("--log", default="OFF", metavar="LEVEL", help="with --seed: the engine's log, whose looks at the clock "
                        "may change what happens")
    parser.add_argument("--seeds", default="1-100", metavar="A-B")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--chunk", type=int, default=50, help="seeds of one process")
    parser.add_argument("--seconds", type=float, help="begin nothing after so many seconds")


def conduct(module: str, options: argparse.Namespace, more: tuple[str, ...], load: Callable) -> int:
    """The whole command. more: arguments that its own processes get too. load() -> (run, label_of), in simulated time."""
    first, _, last = options.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    if is_simulated():
        run, label_of = load()
        return several(seeds, run, label_of) if options.seed is None else in_a_child(lambda: one(options.seed, run))
    if compiler() is None:
        raise SystemExit("simulated time needs a C compiler: install cc, or name one by CC=")
    command = [sys.executable, "-m", module, *more]
    if options.seed is not None:
        return subprocess.run([*command, "--seed", str(options.seed), "--log", options.log], cwd=ROOT,
                              env=simulated_environment()).returncode
    begun, work = time.monotonic(), Work(command, seeds, options.workers, options.chunk)
    work.go(options.seconds)
    print(f"{work.runs.total()} runs, {work.failures.total()} failed, in {time.monotonic() - begun:.0f} s")
    print(", ".join(f"{name} {count}" for name, count in sorted(work.runs.items())))
    return bool(work.failures.total())
