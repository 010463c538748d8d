"""SIGINT, SIGTERM and SIGUSR1, from the engine's first moment to its last.

While its loop runs they come in the loop's turns. Before and after, the interpreter itself brings SIGUSR1: a kill switch that is
pressed while the engine is made, begins or ends is obeyed as well. SIGINT and SIGTERM are before that what they are to any
program; in the engine's last steps, when it is ending already, they mean nothing more.

A callback that does not return gives the loop no turn. SIGUSR1 closes the gate all the same, at once; a second SIGINT or SIGTERM
ends the callback (nexus_fast.engine.interruption).
"""

import contextlib
import signal
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

from nexus_fast.engine.interruption import Interruption

STOP, KILL = (signal.SIGINT, signal.SIGTERM), signal.SIGUSR1


class Signals:
    """`kill(reason)` is a bound method of the engine. Outside of the main thread nothing is handled."""

    def __init__(self, kill: Callable[[str], None]):
        self._kill = weakref.WeakMethod(kill)
        self._previous: dict[int, Any] = {}
        self._interruption = Interruption()
        with contextlib.suppress(ValueError):
            self._previous[KILL] = signal.signal(KILL, self._on_kill)

    def to_loop(
        self, loop: Any, stop: Callable[[], None], give_way: Callable[[], None], close_gate: Callable[[], None]
    ) -> None:
        """From now on in the loop's turns. At once, wherever the program is: give_way of each, and close_gate of SIGUSR1."""

        def on_stop(number: int, frame: FrameType | None) -> None:
            give_way()
            self._interruption.on_signal(number, frame)

        def on_kill(number: int, frame: FrameType | None) -> None:
            close_gate()
            give_way()

        with contextlib.suppress(ValueError, RuntimeError), _held():
            for number in STOP:
                self._previous[number] = signal.getsignal(number)
                loop.add_signal_handler(number, partial(self._on_stop, stop))
                _at_once(number, on_stop)
            loop.add_signal_handler(KILL, self._on_kill)
            _at_once(KILL, on_kill)

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

    def _on_stop(self, stop: Callable[[], None]) -> None:
        self._interruption.on_turn()
        stop()

    def _on_kill(self, *_: Any) -> None:
        kill = self._kill()
        if kill is not None:
            kill("SIGUSR1")
            return
        self.give_back()                             # the engine was never built: not ours any more
        signal.raise_signal(KILL)


def _at_once(number: int, act: Callable[[int, FrameType | None], None]) -> None:
    """Act in the signal's handler itself, after it has told the loop."""
    tell_loop = signal.getsignal(number)

    def handle(number: int, frame: FrameType | None) -> None:
        tell_loop(number, frame)
        act(number, frame)

    signal.signal(number, handle)
    signal.siginterrupt(number, False)               # as the loop's own handler has it


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
