"""The seam at which answers of others become ours: what reading one may raise, how long one may take, how an error is told.

Answers are hostile. Whatever decoding or applying one raises is the same to who asked: nothing was learned, ask again.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urljoin, urlsplit

import msgspec

from nexus_fast.error import NexusError, UnusableAnswer

logger = logging.getLogger("nexus_fast.answers")

LONGEST_TEXT = 300
LATEST_MS = 9_200_000_000_000      # the year 2261: what is later does not fit into 64 bits of nanoseconds


@contextlib.contextmanager
def reading(what: str) -> Iterator[None]:
    """Around asking and reading. Errors of the network and those that are raised on purpose pass; every other, be it of the
    decoder (msgspec, RecursionError), of a value (OverflowError, decimal's, ValueError) or of a shape that was not expected
    (KeyError, TypeError, …), becomes UnusableAnswer. One that is not the decoder's is logged with where it happened: it may be a
    fault of this program."""
    try:
        yield
    except (NexusError, OSError):
        raise
    except Exception as error:
        if not isinstance(error, msgspec.MsgspecError | RecursionError):
            logger.warning("%s cannot be used", what, exc_info=error)
        raise UnusableAnswer(f"{what} cannot be used: {told(error)}") from error


def require_json(body: bytes, what: str) -> None:
    """Of an answer whose content does not matter. A page of somebody in between has status 200 as well."""
    with reading(what):
        msgspec.json.decode(body, type=msgspec.Raw)


@contextlib.asynccontextmanager
async def within(seconds: float, what: str) -> AsyncIterator[None]:
    """A time limit whose TimeoutError says what was waited for, and how long."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        if str(error):
            raise
        raise TimeoutError(f"{what}: no answer within {seconds:g} s") from None


def told(error: BaseException) -> str:
    """An error in one line that is never empty: its kind, and its text where it has one."""
    text = " ".join(str(error).split())[:LONGEST_TEXT]
    if isinstance(error, NexusError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def redirected(url: str, location: str | None, status: int) -> str:
    """What is said of a redirect, which nothing follows: both hosts, and nothing of what was asked."""
    try:
        target = urlsplit(urljoin(url, location or "")).hostname or "no host"
    except ValueError:
        target = "an address that cannot be read"
    return (
        f"{urlsplit(url).hostname} redirects to {target:.100} (status {status}); redirects are not followed. If the venue has "
        "moved, give its address in the endpoints."
    )
