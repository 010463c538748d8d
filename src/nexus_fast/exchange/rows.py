"""Lists of a venue, row by row: one odd row takes no other with it. It is left out, counted and named.

A list is decoded as a whole, which is fast; each row by itself only where that fails. What is no JSON, or no list, stays an
error: then nothing is known. `Found.odd` says how many rows were left out: a list with some is not complete, and what it does not
name is not gone for that.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import isfinite
from typing import Any

import msgspec
from msgspec import Raw

from nexus_fast.error import VenueError
from nexus_fast.exact import exactly
from nexus_fast.exchange.listing import ODD, name_of
from nexus_fast.log import Logger
from nexus_fast.order.events import Unreadable
from nexus_fast.schema import Order

NAMED_MOST = 1000                # kinds and names of odd rows that are told, each once
left_out: Counter[str] = Counter()                   # by kind of row
_told: set[tuple[str, str]] = set()
_log = Logger("rows")


class Found(list):
    """The rows that can be used. odd: how many could not."""

    odd = 0


class Named(dict):
    """The same by name."""

    odd = 0


def odd_in(found: Any) -> int:
    """How many rows of it could not be read."""
    return getattr(found, "odd", 0)


class Rows:
    """Of one kind. what: said of them in the log; key: the JSON key that names a row, where a row is an object."""

    def __init__(self, kind: Any, what: str, key: str = ""):
        self._what = what
        self._key = key
        self._attribute = next((f.name for f in msgspec.structs.fields(kind) if f.encode_name == key), "") if key else ""
        self._whole = msgspec.json.Decoder(list[kind])
        self._one = msgspec.json.Decoder(kind)
        self._raws = msgspec.json.Decoder(list[Raw])

    @exactly
    def decode(self, body: bytes | Raw, convert: Callable[[Any], Any] | None = None) -> Found:
        """Raises msgspec.DecodeError for what is no list. convert: of a row, None for one that is not wanted."""
        try:
            return self.each(self._whole.decode(body), convert)
        except msgspec.ValidationError:
            return self.each(self._raws.decode(body), convert)

    @exactly
    def each(self, rows: Iterable[Any], convert: Callable[[Any], Any] | None) -> Found:
        """The same of rows that are decoded already."""
        found = Found()
        found.odd = odd_in(rows)
        for row in rows:
            try:
                one = self._one.decode(row) if isinstance(row, Raw) else row
                one = one if convert is None else convert(one)
            except ODD as error:
                found.odd += 1
                leave_out(self._what, self._name_of(row), error)
                continue
            if one is not None:
                found.append(one)
        return found

    def _name_of(self, row: Any) -> str:
        return name_of(row, self._key) if isinstance(row, Raw) else str(getattr(row, self._attribute, "?"))


def named(rows: Found) -> Named:
    """Of rows that were made (name, value)."""
    found = Named(rows)
    found.odd = rows.odd
    return found


def unreadable(*read: Found) -> list[Unreadable]:
    """The event that says so, if rows of a private event could not be read: what they said has to be asked for."""
    rows = sum(found.odd for found in read)
    return [Unreadable(rows)] if rows else []


def replaced(read: Named, values: dict) -> Named:
    """Other values, made of what was read."""
    made = Named(values)
    made.odd = read.odd
    return made


@contextmanager
def whole(what: str, venue: str) -> Iterator[None]:
    """Of an answer in which a hole would not be seen (bars, a strategy's orders and fills): one odd row makes it none. Raises
    VenueError."""
    try:
        yield
    except (msgspec.MsgspecError, ValueError, ArithmeticError, LookupError) as error:
        why = str(error) or type(error).__name__
        raise VenueError("unreadable", f"the {what} cannot be used: {why}", venue=venue) from None


def require_whole(found: Found | Named, what: str, venue: str) -> None:
    """Where what is not listed counts as not there. Raises VenueError when a row could not be read: it may have been that."""
    if found.odd:
        raise VenueError("unreadable", f"{found.odd} rows of the answer about {what} cannot be read", venue=venue)


def first(found: list, path: str, what: str, venue: str) -> Any:
    """Of an answer about one thing. Raises VenueError where none could be read."""
    if not found:
        raise VenueError("unreadable", f"the answer to GET {path} cannot be used: no {what} in it can be read", venue=venue)
    return found[0]


def require_asked_for(order: Order, oid: str, venue: str) -> Order:
    """The answer to a question for one order. Raises VenueError when it is about another, or says what cannot be."""
    if order.oid != oid:
        raise VenueError("unreadable", f"the answer about order {oid} is about order {order.oid}", venue=venue)
    if order.amount is not None and order.filled is not None and order.filled > order.amount:
        raise VenueError("unreadable", f"order {oid} of {order.amount} is said to have {order.filled} filled", venue=venue)
    return order


def usable(what: str, name: str, *makes: Callable[[], Any]) -> list:
    """What can be made of the fields of one message, each by itself."""
    found = []
    for make in makes:
        try:
            found.append(make())
        except ODD as error:
            leave_out(what, name, error)
    return found


def leave_out(what: str, name: str, error: Exception) -> None:
    left_out[what] += 1
    if (what, name) not in _told and len(_told) < NAMED_MOST:
        _told.add((what, name))
        _log.warning(f"{what}: {name} is left out, as it cannot be read: {str(error) or type(error).__name__}")


def finite(text: str) -> float:
    """Raises ValueError for what is no number, and for NaN and infinity."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text!r} is not a finite number")
    return number
