"""The lines of the user's program that led to an error, without those of the engine, of the command line and of event loops.

An error that the engine raises on purpose (NexusError) and one that begins in the program's own lines are shown by these alone.
Any other began in the engine, which is a fault of ours: it is shown with every line.
"""

import itertools
import re
import traceback
from pathlib import Path

from nexus_fast.error import NexusError

_PACKAGE = str(Path(__file__).parent) + "/"
# What stands between the command line and the program, or between a loop and its callback.
_BETWEEN = re.compile(
    r"<frozen |cython/nexus_fast/|uvloop/|.*/(site-packages/(click|apscheduler)|asyncio)/|.*/bin/nexus-fast$|.*/runpy\.py$"
)


def is_ours(file: str) -> bool:
    """Whether a line of this file says nothing to who wrote the program."""
    return file.startswith(_PACKAGE) or _BETWEEN.match(file) is not None


def text_of(error: BaseException) -> str:
    """The error as a traceback, by the program's own lines where that is enough."""
    found = traceback.TracebackException.from_exception(error)
    on_purpose = isinstance(error, NexusError)
    begun = found.stack[-1].filename if found.stack else ""
    if on_purpose or isinstance(error, SyntaxError) or not is_ours(begun):
        _keep_own(found)
    else:
        found.stack[:] = itertools.dropwhile(lambda line: is_ours(line.filename), found.stack)
    text = "".join(found.format(chain=not on_purpose)).rstrip()
    return re.sub(r"^nexus_fast\.error\.", "", text, flags=re.MULTILINE)


def _keep_own(found: traceback.TracebackException | None) -> None:
    """Of the error, and of those that it followed from."""
    while found is not None:
        found.stack[:] = [line for line in found.stack if not is_ours(line.filename)]
        found = found.__cause__ or found.__context__
