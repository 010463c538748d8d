"""Exact decimal text to scaled integer and back.

Everything the simulated venues count (prices, quantities, balances) is an `int` of 10^-8 units; a price times a
quantity is brought back to that scale with `product`, which is exact for every instrument listed (see `Instrument`).
"""

import re

DECIMALS = 8
SCALE = 10**DECIMALS

_PLAIN = re.compile(r"-?\d{1,20}(?:\.\d*)?|-?\.\d+", re.ASCII)


class NotANumber(ValueError):
    """The text is not a plain decimal number (exponents, signs in front, blanks and words are none)."""


class TooPrecise(ValueError):
    """The text has non-zero digits behind the eighth decimal."""


def parse(text: str) -> int:
    """`"0.00847"` -> 847000. Raises `NotANumber` or `TooPrecise`; never rounds."""
    if not _PLAIN.fullmatch(text):
        raise NotANumber(f"{text!r} is not a plain decimal number such as '0.001'")
    negative = text.startswith("-")
    whole, _, fraction = text.lstrip("-").partition(".")
    if len(fraction) > DECIMALS:
        if fraction[DECIMALS:].strip("0"):
            raise TooPrecise(f"{text!r} has more than {DECIMALS} decimals")
        fraction = fraction[:DECIMALS]
    value = int(whole or "0") * SCALE + int(fraction.ljust(DECIMALS, "0"))
    return -value if negative else value


def text(value: int, decimals: int = DECIMALS) -> str:
    """847000 -> `"0.00847000"`, with exactly `decimals` places; digits beyond them are cut off."""
    sign = ""
    if value < 0:
        sign, value = "-", -value
    if decimals == 0:
        return f"{sign}{value // SCALE}"
    whole, fraction = divmod(value, SCALE)
    return f"{sign}{whole}.{fraction:08d}" if decimals == DECIMALS else (
        f"{sign}{whole}.{fraction // 10 ** (DECIMALS - decimals):0{decimals}d}")


def short(value: int) -> str:
    """Without trailing zeros, as the venue writes a few of its fields: 0 -> `"0"`, 847000 -> `"0.00847"`."""
    whole, fraction = divmod(abs(value), SCALE)
    out = f"{whole}.{fraction:08d}".rstrip("0") if fraction else str(whole)
    return f"-{out}" if value < 0 else out


def product(price: int, quantity: int) -> int:
    """Price times quantity, rounded towards zero at 10^-8 (exact where tick and step have at most eight decimals)."""
    value = price * quantity
    return value // SCALE if value >= 0 else -(-value // SCALE)


def quotient(amount: int, divisor: int) -> int:
    """Amount divided by a price or quantity, rounded towards zero at 10^-8; 0 when the divisor is 0."""
    if not divisor:
        return 0
    value = amount * SCALE
    return value // divisor if (value >= 0) == (divisor > 0) else -(abs(value) // abs(divisor))


def rounded(amount: int, divisor: int) -> int:
    """amount / divisor of two sums that are not below zero, to the nearest integer."""
    return (2 * amount + divisor) // (2 * divisor)


def decimals_of(value: int) -> int:
    """Decimal places a value needs: 1000 (0.00001) -> 5, 10^8 (1) -> 0."""
    return len(short(value).partition(".")[2])
