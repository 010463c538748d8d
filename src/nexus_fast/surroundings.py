"""What a process gets from whoever started it, put right where the engine cannot do without.

    standard streams that are closed   their numbers lead to /dev/null: else the next socket or file is number 1, gets what
                                       somebody prints, and ends the process when libuv closes it
    blocked signals                    SIGINT, SIGTERM and SIGUSR1 are let through: they stop the engine and press the kill switch
    SIGPIPE                            ignored, as Python has it: a venue that hangs up is an error to read and no reason to die
    core dumps                         a process with keys leaves none (keep_secrets)
    working directory                  relative paths are held against the one of the engine's making (anchored)
    random                             pauses are drawn by a generator of the engine's own (JITTER)
"""

import contextlib
import ctypes
import os
import random
import signal

from nexus_fast.error import ConfigurationError

PR_SET_DUMPABLE = 4
HEARD = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
# For whoever looks for a fault with a debugger: core dumps, gdb and py-spy as with any other program.
DUMPS_VARIABLE = "NEXUS_FAST_CORE_DUMPS"
# A program that seeds `random` would make a hundred engines knock at a venue in the same moments.
JITTER = random.SystemRandom()


def put_right() -> None:
    hold_standard_streams()
    with contextlib.suppress(ValueError):                # handlers can be set in the main thread alone
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
        if signal.getsignal(signal.SIGPIPE) is signal.SIG_DFL:
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def hold_standard_streams() -> None:
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            found = os.open(os.devnull, os.O_RDWR)       # the lowest number that is free
            if found != number:
                os.dup2(found, number)
                os.close(found)
            os.set_inheritable(number, True)


def keep_secrets() -> bool:
    """No core dump of this process from now on, and no debugger but root's: keys stand in its memory in many places, as texts of
    Python, as begun signatures, in requests. MADV_DONTDUMP would have to know them all, RLIMIT_CORE does not bind the collectors
    that the kernel pipes a dump to. Whether it is so now."""
    if os.environ.get(DUMPS_VARIABLE, "") not in ("", "0"):
        return False
    return ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0


def anchored(path: str) -> str:
    """The whole path, wherever the program goes later. Raises ConfigurationError where the working directory has been removed."""
    try:
        return os.path.abspath(path)
    except FileNotFoundError:
        raise ConfigurationError(
            f"the working directory has been removed, and {path!r} is relative to it: start in a folder that exists, or give "
            "whole paths, as Config(journal_directory=…)"
        ) from None
