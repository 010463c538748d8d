"""Text to scaled integer and back, judged by `decimal`."""

from decimal import ROUND_DOWN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_fast.sim.fixed_point import NotANumber, TooPrecise, decimals_of, parse, product, quotient, short, text

scaled = st.integers(-(10**18), 10**18)


@given(scaled)
def test_text_is_the_exact_decimal(value):
    assert Decimal(text(value)) == Decimal(value) / 10**8
    assert parse(text(value)) == value
    assert Decimal(short(value)) == Decimal(value) / 10**8


@given(st.integers(0, 10**18), st.integers(0, 8))
def test_text_cuts_towards_zero(value, places):
    expected = (Decimal(value) / 10**8).quantize(Decimal(1).scaleb(-places), rounding=ROUND_DOWN)
    assert text(value, places) == f"{expected:f}"


@given(scaled, scaled)
def test_product_and_quotient_round_towards_zero(a, b):
    assert product(a, b) == int(Decimal(a * b) / 10**8) or abs(a * b) > 10**28
    if b:
        assert quotient(a, b) == int(abs(a) * 10**8 // abs(b)) * (1 if (a >= 0) == (b > 0) else -1)


@pytest.mark.parametrize("bad", ["", "abc", "1e5", "+1", " 1", "1 ", "0x1", "1,5", "--1", ".", "1.2.3", "NaN", "١"])
def test_what_is_no_plain_number_is_refused(bad):
    with pytest.raises(NotANumber):
        parse(bad)


def test_too_many_decimals_are_refused_unless_they_are_zeros():
    assert parse("0.1000000000") == 10**7
    with pytest.raises(TooPrecise):
        parse("0.123456789")


def test_decimals():
    assert [decimals_of(v) for v in (1, 1000, 10**8, 10**7)] == [8, 5, 0, 1]
