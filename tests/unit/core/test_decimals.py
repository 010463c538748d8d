"""Decimals to mantissas: read from the inside and by their texts, with one result."""

import platform
from decimal import Context, Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nexus_fast.core.decimals import decimal_of, inside_is_known, mantissa_at
from nexus_fast.exchange.instrument import to_mantissa


class Textual(Decimal):
    """A subclass is read by its text."""


@pytest.mark.skipif(platform.python_implementation() != "CPython", reason="the layout is CPython's")
def test_the_layout_is_known():
    assert inside_is_known()


def exact(number: Decimal, scale: int) -> int | None:
    """By Python's integers alone."""
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        return None
    whole = int("".join(map(str, digits)) or "0")
    shift = exponent + scale
    if shift < 0 and whole % 10**-shift:
        return None
    found = whole * 10**shift if shift >= 0 else whole // 10**-shift
    return None if found >= 10**18 else -found if sign else found


NUMBERS = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(0, 10**18 - 1), st.integers(-18, 0)
)


@given(NUMBERS, st.integers(0, 18))
def test_a_decimal_is_its_mantissa_or_not_exact(number, scale):
    assert mantissa_at(number, scale) == exact(number, scale)
    assert mantissa_at(Textual(number), scale) in (exact(number, scale), None)


@given(st.integers(0, 10**18 - 1), st.integers(0, 18), st.integers(0, 40))
@example(98765432101, 0, 8)
def test_zeros_behind_a_decimal_change_nothing(digits, places, zeros):
    number = Decimal(digits * 10**zeros).scaleb(-places - zeros, Context(prec=80))
    assert mantissa_at(number, places) == to_mantissa(number, places) == digits
    assert decimal_of(digits, places) == number


def test_a_decimal_is_not_rounded_to_be_exact():
    """With more digits than any context's precision."""
    for text in ("1." + "0" * 70 + "1", "98765432101." + "0" * 17 + "1", "9" * 17 + "." + "0" * 60 + "1"):
        assert mantissa_at(Decimal(text), 0) is None
        with pytest.raises(ValueError, match="more than"):
            to_mantissa(Decimal(text), 0)


UNUSUAL = ["-1", "-0.5", "NaN", "sNaN", "Infinity", "-Infinity", "1E+3", "1E-30", "1" * 30, "0E-20", "0", "-0"]


@pytest.mark.parametrize("text", UNUSUAL)
def test_unusual_decimals_are_read_as_their_texts(text):
    assert mantissa_at(Decimal(text), 4) == mantissa_at(Textual(text), 4) == mantissa_at(text, 4)


@given(st.integers(0, 10**18 - 1), st.integers(0, 18))
def test_there_and_back(mantissa, scale):
    number = decimal_of(mantissa, scale)
    assert number == Decimal(mantissa).scaleb(-scale) and mantissa_at(number, scale) == mantissa


def test_an_address_that_comes_again_is_another_number():
    """Nothing is remembered about an object that is gone."""
    for value in range(2000):
        assert mantissa_at(Decimal(value), 0) == value
