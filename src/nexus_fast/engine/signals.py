"""SIGINT, SIGTERM and SIGUSR1, from the engine's first moment to its last.

While its loop runs they come in the loop's turns. Before and after, the interpreter itself brings SIGUSR1: a kill switch that is
pressed while the engine is made, begins or ends is obeyed as well. SIGINT and SIGTERM are before that what they are to any
program; in the engine's last steps, when it is ending already, they mean nothing more.
"""

import contextlib
import signal
import weakref
from collections.abc import Callable, Iterator
from typing import Any

STOP, KILL = (signal.SIGINT, signal.SIGTERM), signal.SIGUSR1


class Signals:
    """`kill(reason)` is a bound method of the engine. Outside of the main thread nothing is handled."""

    def __init__(self, kill: Callable[[str], None]):
        self._kill = weakref.WeakMethod(kill)
        self._previous: dict[int, Any] = {}
        with contextlib.suppress(ValueError):
            self._previous[KILL] = signal.signal(KILL, self._on_kill)

    def to_loop(self, loop: Any, stop: Callable[[], None]) -> None:
        """From now on in the loop's turns."""
        with contextlib.suppress(ValueError, RuntimeError), _held():
            for number in STOP:
                self._previous[number] = signal.getsignal(number)
                loop.add_signal_handler(number, stop)
            loop.add_signal_handler(KILL, self._on_kill)

    def from_loop(self, loop: Any) -> None:
        """In the loop's last turn: a uvloop that does not run keeps its handlers, which do nothing then, for good."""
        with contextlib.suppress(ValueError, RuntimeError), _held():
            for number in (*STOP, KILL):
                loop.remove_signal_handler(number)
                signal.signal(number, self._on_kill if number == KILL else _ignore)

    def give_back(self) -> None:
        """The engine is no more."""
        for number, previous in self._previous.items():
            with contextlib.suppress(ValueError):
                if signal.getsignal(number) in (self._on_kill, _ignore):
                    signal.signal(number, previous or signal.SIG_DFL)

    def _on_kill(self, *_: Any) -> None:
        kill = self._kill()
        if kill is not None:
            kill("SIGUSR1")
            return
        self.give_back()                             # the engine was never built: not ours any more
        signal.raise_signal(KILL)


def _ignore(*_: Any) -> None:
    """It is ending."""


@contextlib.contextmanager
def _held() -> Iterator[None]:
    """Between two handlers a signal waits."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*STOP, KILL})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
