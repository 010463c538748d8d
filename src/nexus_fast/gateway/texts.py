"""The texts that templates are built from: lists of literals (str) and holes (Hole), in order.

Two ways of signing:

* the request and what is signed are different texts (a JSON request, its sorted query string): give both;
* what is signed is a stretch of the request (an HTTP query): Hole.SIGNED_FROM marks its start, Hole.SIGNED_TO its end.

Hole.SIGNATURE is where the 64 hex digits go.
"""

from collections.abc import Collection, Mapping
from enum import IntEnum


class Hole(IntEnum):
    """What can stand between two literals. template.pyx has the same numbers."""

    END = 0  # nothing: closes the text
    PRICE = 1
    QUANTITY = 2
    CLIENT_ID = 3
    REQUEST_ID = 4  # [prefix +] client id, or overflow + request number; see TemplateSet
    TIMESTAMP = 5  # milliseconds, 13 digits
    SIGNATURE = 6
    SIGNED_TO = 7  # the end of what is signed, where that is a part of the request
    SIGNED_FROM = 8  # its start; known when the template is built, leaves no piece


LONGEST = {
    Hole.END: 0,
    Hole.PRICE: 21,
    Hole.QUANTITY: 21,
    Hole.CLIENT_ID: 36,
    Hole.REQUEST_ID: 36,
    Hole.TIMESTAMP: 13,
    Hole.SIGNATURE: 64,
    Hole.SIGNED_TO: 0,
}

Parameters = Mapping[str, str | Hole]
Items = list[str | Hole]
Merged = list[bytes | Hole]  # literal, hole, literal, hole, …, literal


def query(parameters: Parameters) -> Items:
    """`name=value` joined by `&`, in the order given, values as they are."""
    items: Items = []
    for number, (name, value) in enumerate(parameters.items()):
        items += ["&" if number else "", f"{name}=", value]
    return items


def json_object(parameters: Parameters, bare: Collection[str] = ()) -> Items:
    """A JSON object in the order given: values are strings, those of the names in `bare` numbers or booleans."""
    items: Items = ["{"]
    for number, (name, value) in enumerate(parameters.items()):
        quotes = "" if name in bare else '"'
        items += ["," if number else "", f'"{name}":{quotes}', value, quotes]
    return [*items, "}"]


def merged(items: Items) -> Merged:
    """The same text as bytes: neighbouring literals joined, one literal, if only an empty one, around every hole."""
    result: Merged = []
    literal = b""
    for item in items:
        if isinstance(item, str):
            literal += item.encode()
        else:
            result += [literal, item]
            literal = b""
    return [*result, literal]


def without_start(items: Items) -> tuple[int, Merged]:
    """Offset of Hole.SIGNED_FROM in the text (what is before it must be literal), and the text without it."""
    if Hole.SIGNED_FROM not in items:
        return 0, merged(items)
    at = items.index(Hole.SIGNED_FROM)
    if any(not isinstance(item, str) for item in items[:at]):
        raise ValueError("Hole.SIGNED_FROM must come before every other hole")
    return len("".join(items[:at]).encode()), merged(items[:at] + items[at + 1 :])


def between(text: Merged, start: int) -> Merged:
    """What is signed, of a request that contains it; empty for one that does not."""
    if Hole.SIGNED_TO not in text:
        return []
    inside = text[: text.index(Hole.SIGNED_TO)]
    return [inside[0][start:], *inside[1:]]


def pieces_of(text: Merged) -> tuple[bytes, list[tuple[int, Hole]]]:
    """All literals in one, and (length of the literal, hole after it) for each piece."""
    literals, holes = text[::2], [*text[1::2], Hole.END]
    return b"".join(literals), [(len(literal), hole) for literal, hole in zip(literals, holes, strict=True)]
