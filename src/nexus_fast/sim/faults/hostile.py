"""Answers and events that no venue means, of somebody in between or of a venue in trouble: what a client has to survive."""

import re

PAGE = b"<html><head><title>Just a moment...</title></head><body><h1>Under maintenance</h1></body></html>"
ELSEWHERE = "http://elsewhere.invalid/"
DEPTH, LARGE = 20_000, 4 * 1024 * 1024
AMOUNTS = re.compile(rb'"-?\d+\.\d+"')
TIMES = re.compile(rb'("(?:\w*[tT]ime|ts|[uc]Time|E|T)":)("?)\d{10,}("?)')
NAMES = re.compile(rb'("(?:clientOrderId|orderLinkId|clOrdId|c|C)":)"[^"]+"')
EXECUTED = re.compile(rb'("(?:executedQty|cumExecQty|accFillSz|z)":)"[^"]*"')


def _page(body: bytes) -> bytes:
    return PAGE


def _empty(body: bytes) -> bytes:
    return b""


def _other_shape(body: bytes) -> bytes:
    """A list where an object was expected, and the other way round."""
    return b'{"rows":' + body + b"}" if body.startswith(b"[") else b"[" + body + b"]"


def _with_unknown(body: bytes, value: bytes) -> bytes:
    """The same with a key that nobody knows, in front."""
    if not body.startswith(b"{"):
        return b"[" + value + (b"" if body == b"[]" else b",") + body[1:]
    return b'{"unknown":' + value + (b"" if body == b"{}" else b",") + body[1:]


def _nested(body: bytes) -> bytes:
    return _with_unknown(body, b"[" * DEPTH + b"]" * DEPTH)


def _large(body: bytes) -> bytes:
    return _with_unknown(body, b'"' + b"x" * LARGE + b'"')


def _nan(body: bytes) -> bytes:
    return AMOUNTS.sub(b'"NaN"', body)


def _late(body: bytes) -> bytes:
    """Every time is 2^63 - 1."""
    return TIMES.sub(rb"\g<1>\g<2>9223372036854775807\g<3>", body)


def _another_order(body: bytes) -> bytes:
    return NAMES.sub(rb'\1"anotherorder"', body)


def _overfilled(body: bytes) -> bytes:
    return EXECUTED.sub(rb'\1"99999"', body)


SPOILED = {
    "page": _page, "empty": _empty, "other_shape": _other_shape, "nested": _nested, "large": _large, "nan": _nan, "late": _late,
    "another_order": _another_order, "overfilled": _overfilled, "redirect": _page,
}  # fmt: skip


def spoil(what: str, body: bytes) -> bytes:
    """The body in its place; what: a word of SPOILED."""
    return SPOILED[what](body)
