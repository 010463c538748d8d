"""Plays scenarios in simulated time: a request a line on stdin, an answer a line on stdout (null, or what went wrong)."""

import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import sys
import traceback
import unittest.mock

from engine_program import Scripted
from simulated_run import Truth, play

from nexus_fast.error import EngineBuildError


def load(file, modules={}):  # noqa: B006
    if file not in modules:
        spec = importlib.util.spec_from_file_location(f"scenario_{len(modules)}", file)
        modules[file] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(modules[file])
    return modules[file]


def perform(file, name, parameters):
    function = getattr(load(file), name)
    options = dict(getattr(function, "engine_options", {}))
    strategy = Scripted(lambda s: function(s, **parameters), options.pop("symbols", ()))
    strategy.script_seconds = options.pop("seconds", 300.0)
    strategy.wait_seconds, strategy.longest_pause = 8.0, 0.003       # simulated: no load makes them longer
    refusal = options.pop("refused_with", None)
    with contextlib.ExitStack() as stack:
        for name, value in options.pop("constants", {}).items():
            stack.enter_context(unittest.mock.patch(name, value))
        run(strategy, options, refusal)


def run(strategy, options, refusal):
    try:
        venue = options.pop("venue", {})
        play(strategy, Truth(**venue), **options)
    except EngineBuildError as error:
        if type(error).__name__ != refusal:
            raise
    else:
        assert refusal is None, f"the engine was to refuse with {refusal}"


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_REAL, float(sys.argv[1]))      # in real time: ends this process
        try:
            perform(**json.loads(line))
            text = None
        except BaseException:
            text = traceback.format_exc()
            asyncio.set_event_loop(None)
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps(text), file=answers, flush=True)


main()
