"""Handling taken out, one piece at a time: each time the test that belongs to it has to fail.

    python -m tests.mutants                   all of them
    python -m tests.mutants order safety/     those whose names begin so
    python -m tests.mutants --list            names, tests and what is taken out
"""

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from mutant import ROOT, Mutant, MutantError, mutants, run  # noqa: E402


def judge(mutant: Mutant) -> str:
    """A line for what is wrong with it; "" when its test saw it."""
    try:
        problem = f"{mutant.name}: SURVIVED {' '.join(mutant.tests)}" if mutant.survives() else ""
    except MutantError as error:
        problem = str(error)
    print(problem or f"{mutant.name}: seen", flush=True)
    return problem


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    found = mutants(options.names)
    if options.list:
        print(*(f"{m.name}\n    {m.why}\n    {' '.join(m.tests)}" for m in found), sep="\n")
        return 0
    # A test that fails without a mutant says nothing about one.
    status, output = run(ROOT, sorted({test for mutant in found for test in mutant.tests}))
    if status:
        print(output[-3000:], "a named test fails, or is not there, on the tree as it is", sep="\n")
        return 2
    with ThreadPoolExecutor(options.workers) as pool:
        problems = [line for line in pool.map(judge, found) if line]
    print(f"{len(found)} mutants, {len(found) - len(problems)} seen, {len(problems)} not")
    return bool(problems)


sys.exit(main())
