"""What a user would decode a quote with instead: from a frame's bytes to six values that one can reach."""

import json
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module

import msgspec


class Quote(msgspec.Struct):
    u: int
    s: str
    b: str
    B: str
    a: str
    A: str


class DecimalQuote(msgspec.Struct):
    """The same with numbers that can be calculated with exactly, which is what our parser's result is."""

    u: int
    s: str
    b: Decimal
    B: Decimal
    a: Decimal
    A: Decimal


def of_simdjson() -> Callable:
    parser = import_module("simdjson").Parser()

    def decode(frame):
        found = parser.parse(frame)
        return found["u"], found["s"], found["b"], found["B"], found["a"], found["A"]

    return decode


def decoders() -> dict[str, Callable]:
    """{name: decode(frame)} of those that are installed."""
    found = {
        "msgspec struct": msgspec.json.Decoder(Quote).decode,
        "msgspec struct of Decimals": msgspec.json.Decoder(DecimalQuote).decode,
        "msgspec dict": msgspec.json.Decoder().decode,
        "json dict": json.loads,
    }
    for name, make in (("orjson dict", lambda: import_module("orjson").loads), ("simdjson, six fields", of_simdjson)):
        try:
            found[name] = make()
        except ImportError:
            continue
    return found
