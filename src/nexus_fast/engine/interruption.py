"""A callback that does not return: the first Ctrl+C or SIGTERM waits for the loop's turn, the second ends the callback.

It ends with a CallbackInterrupted, which the engine takes as it takes any exception of a callback; then the loop has its turn and
stops. Only a strategy's own code is interrupted, never the engine's between a callback and an order.
"""

import signal
from types import FrameType

from nexus_fast.error import CallbackInterrupted
from nexus_fast.strategy.base import StrategyCore

ENGINE = "nexus_fast."
CALLERS = ("nexus_fast.order.callbacks", "nexus_fast.scheduling")     # they call strategies, and take what is raised


class Interruption:
    def __init__(self) -> None:
        self._is_awaited = False             # a signal has come, and the loop has not had its turn since

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """In the signal's handler. Raises CallbackInterrupted."""
        if self._is_awaited and is_in_a_callback(frame):
            name = signal.Signals(number).name
            raise CallbackInterrupted(f"a second {name} came while this callback ran")
        self._is_awaited = True

    def on_turn(self) -> None:
        self._is_awaited = False


def is_in_a_callback(frame: FrameType | None) -> bool:
    """Whether it is a strategy's own code that runs."""
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(ENGINE):
            return module in CALLERS
        if isinstance(frame.f_locals.get("self"), StrategyCore):
            return True
        frame = frame.f_back
    return False
