"""The parts of a measurement: one that fails is named, and the others stand."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.build import BuildError
from bench.counting import CountError
from bench.runs import RunError

ERRORS = (BuildError, CountError, RunError, subprocess.TimeoutExpired)


class Parts:
    """`failed`: part -> why it has no result."""

    def __init__(self):
        self.failed: dict[str, str] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """What is measured inside may fail: the error is kept and said at once."""
        try:
            yield
        except ERRORS as error:
            self.failed[name] = str(error)
            print(f"{name}: no measurement: {error}", file=sys.stderr, flush=True)


def failed_text(failed: dict[str, str]) -> str:
    """A line for each part that has no result: its last words, as one line."""
    return "\n".join(f"{name}: not measured: {last_words(why)}" for name, why in failed.items())


def last_words(why: str) -> str:
    return (why.strip().splitlines() or ["no reason was given"])[-1][:300]
