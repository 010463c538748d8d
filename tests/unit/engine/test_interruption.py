"""When a signal may end what runs."""

import signal
import sys

import pytest

from nexus_fast.engine.interruption import Interruption, is_in_a_callback
from nexus_fast.error import CallbackInterrupted
from nexus_fast.order.callbacks import Callbacks
from nexus_fast.order.watch import CallbackWatch
from nexus_fast.strategy import Strategy


class Log:
    def __init__(self):
        self.lines = []

    def exception(self, text, error):
        self.lines.append(str(error))


def helper():
    return sys._getframe()


class Program(Strategy):
    def frame(self):
        return helper()


def frame_in(module):
    """Of a function in a module of this name, which a strategy's code calls."""
    names = {"__name__": module, "program": Program(), "sys": sys}
    exec("def f():\n return sys._getframe()", names)  # noqa: S102
    return names["f"]()


def test_a_strategys_own_code_and_what_it_calls_may_be_ended():
    assert is_in_a_callback(Program().frame()) and not is_in_a_callback(helper()) and not is_in_a_callback(None)


@pytest.mark.parametrize("module", ["nexus_fast.engine.runtime", "nexus_fast.cache", "nexus_fast.order.tracker"])
def test_the_engine_is_not_ended_between_a_callback_and_an_order(module):
    assert not is_in_a_callback(frame_in(module))


def test_the_second_signal_ends_it_and_no_other():
    one, frame = Interruption(), Program().frame()
    one.on_signal(signal.SIGTERM, frame)
    with pytest.raises(CallbackInterrupted, match="a second SIGINT"):
        one.on_signal(signal.SIGINT, frame)
    one.on_turn()
    one.on_signal(signal.SIGTERM, frame)
    one.on_signal(signal.SIGTERM, helper())          # nothing of a strategy's runs


def test_who_calls_a_callback_takes_it_as_an_error():
    class Swallows(Strategy):
        def on_fill(self, fill):
            try:
                raise CallbackInterrupted("a second SIGTERM")
            except Exception:
                raise AssertionError from None

    log = Log()
    Callbacks(CallbackWatch(log)).call(Swallows(), "on_fill", None)
    assert log.lines == ["a second SIGTERM"]
