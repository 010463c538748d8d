"""Decimal text to integers, against decimal and float()."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nexus_fast.core.scan import mantissa_of, number_of, rescaled

MALFORMED, RANGE = -1, -2
mantissas = st.integers(-(10**18) + 1, 10**18 - 1)
scales = st.integers(0, 18)


@given(mantissa=mantissas, decimals=scales)
@example(mantissa=2**53 + 1, decimals=0)
@example(mantissa=2**53 - 1, decimals=18)
@example(mantissa=999999999999999999, decimals=18)
@example(mantissa=-999999999999999999, decimals=1)
@example(mantissa=900719925474099267, decimals=3)
@settings(max_examples=700, deadline=None)
def test_text_to_number_is_exact_and_its_double_correctly_rounded(mantissa, decimals):
    text = f"{Decimal(mantissa).scaleb(-decimals):f}"
    number, scale, double = number_of(text.encode())
    assert (number, scale) == (mantissa, decimals)
    assert double == float(text) == float(Fraction(mantissa, 10**decimals))


@given(middle=st.integers(2**53, 2**59 - 1), decimals=st.integers(0, 15))
@settings(max_examples=300, deadline=None)
def test_doubles_round_right_beside_a_tie(middle, decimals):
    """Mantissas around the middle of two neighbouring doubles, where one unit decides."""
    low = float(Fraction(middle, 10**decimals))
    tie = (Fraction(low) + Fraction(math.nextafter(low, math.inf))) / 2 * 10**decimals
    for mantissa in range(int(tie) - 1, int(tie) + 3):
        if 0 < mantissa < 10**18:
            text = f"{Decimal(mantissa).scaleb(-decimals):f}"
            assert number_of(text.encode())[2] == float(text)


@given(amount=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12), scale=scales)
@settings(max_examples=500, deadline=None)
def test_str_of_a_decimal_at_a_scale_is_exact_or_refused(amount, scale):
    wanted = Fraction(amount) * 10**scale
    try:
        found = mantissa_of(str(amount), scale)
    except ValueError:
        significant = str(abs(int(amount.scaleb(-amount.as_tuple().exponent)))).strip("0") if amount else ""
        assert wanted.denominator != 1 or abs(wanted) >= 10**18 or len(significant) > 18
    else:
        assert found == wanted


@pytest.mark.parametrize(
    ("text", "scale", "mantissa"),
    [
        ("6", 2, 600),
        ("6.00", 0, 6),
        ("1E+3", 0, 1000),
        ("0E-8", 2, 0),
        ("-0", 0, 0),
        ("1e-7", 8, 10),
        ("00.50", 1, 5),
        ("1.000000000000000000000000", 0, 1),
        ("100000000000000000000e-10", 0, 10**10),
        ("-2.5", 1, -25),
        ("0e999999999999", 3, 0),
        ("999999999999999999", 0, 10**18 - 1),
    ],
)
def test_known_answers(text, scale, mantissa):
    assert mantissa_of(text, scale) == mantissa


@pytest.mark.parametrize(
    ("text", "scale", "words"),
    [
        ("", 0, "not the text"),
        ("-", 0, "not the text"),
        ("+1", 0, "not the text"),
        (".5", 0, "not the text"),
        ("5.", 0, "not the text"),
        ("1e", 0, "not the text"),
        ("NaN", 0, "not the text"),
        ("Infinity", 0, "not the text"),
        ("1 ", 0, "not the text"),
        ("1\0", 0, "not the text"),
        ("1_0", 0, "not the text"),
        ("٣", 0, "not the text"),
        ("0.1", 0, "without rounding"),
        ("1e-19", 18, "without rounding"),
        ("1000000000000000000", 0, "more than 18"),
        ("1", 18, "more than 18"),
        ("1e999999999999", 0, "more than 18"),
        ("1", 19, "more than 18"),
        ("1", -1, "more than 18"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(text, scale, words):
    with pytest.raises(ValueError, match=words) as caught:
        mantissa_of(text, scale)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (b"25.35190000", (2535190000, 8, 25.3519)),
        (b"1.50e1", (150, 1, 15.0)),
        (b"1E+3", (1000, 0, 1000.0)),
        (b"-0", (0, 0, 0.0)),
        (b"0.00", (0, 2, 0.0)),
        (b"1e-18", (1, 18, 1e-18)),
        (b"1e-19", RANGE),
        (b"9223372036854775807", (2**63 - 1, 0, float(2**63 - 1))),
        (b"-9223372036854775807", (-(2**63) + 1, 0, -float(2**63 - 1))),
        (b"9223372036854775808", RANGE),
        (b"10000000000000000000", RANGE),
        (b"12345678901234567890", RANGE),
        (b"0.1000000000000000000", (10**17, 18, 0.1)),
        (b"98765432101.00000000", (98765432101 * 10**7, 7, 98765432101.0)),
        (b"912345678901.00000000", (912345678901 * 10**7, 7, 912345678901.0)),
        (b"887766554433.20000000", (8877665544332 * 10**6, 7, 887766554433.2)),
        (b"9223372036854775807.000", (2**63 - 1, 0, float(2**63 - 1))),
        (b"100000000000.00000000", (10**18, 7, 1e11)),
        (b"0.0000000000000000000000", (0, 18, 0.0)),
        (b"0e-99", (0, 18, 0.0)),
        (b"0e99", (0, 0, 0.0)),
        (b"100000000000000000000e-2", (10**18, 0, 1e18)),
        (b"1e18", (10**18, 0, 1e18)),
        (b"1e19", RANGE),
        (b"1e999999999", RANGE),
        (b"1e-999999999", RANGE),
        (b"1..2", MALFORMED),
        (b"x", MALFORMED),
    ],
)
def test_numbers_keep_the_decimals_they_were_written_with(text, answer):
    assert number_of(text) == answer


@given(mantissa=st.integers(1, 2**64), decimals=scales, zeros=st.integers(0, 30), negative=st.booleans())
@example(mantissa=98765432101, decimals=0, zeros=8, negative=False)
@example(mantissa=2**63 - 1, decimals=18, zeros=30, negative=True)
@example(mantissa=2**63, decimals=0, zeros=1, negative=False)
@settings(max_examples=700, deadline=None)
def test_zeros_behind_a_number_change_nothing(mantissa, decimals, zeros, negative):
    """Whether it is read hangs on its value alone, and what is read is its value."""
    number = Decimal(-mantissa if negative else mantissa).scaleb(-decimals)
    text = f"{number:f}" + ("" if decimals else "." if zeros else "") + "0" * zeros
    found = number_of(text.encode())
    shortest = str(mantissa).rstrip("0")
    least = max(decimals - (len(str(mantissa)) - len(shortest)), 0)
    if abs(number) * 10**least < 2**63:
        assert Fraction(found[0], 10 ** found[1]) == Fraction(number) and found[2] == float(text)
    else:
        assert found == RANGE


@given(mantissa=mantissas, decimals=scales, scale=scales)
@settings(max_examples=300, deadline=None)
def test_rescaling_is_exact_or_refused(mantissa, decimals, scale):
    wanted = Fraction(mantissa, 10**decimals) * 10**scale
    try:
        found = rescaled(mantissa, decimals, scale)
    except ValueError:
        assert wanted.denominator != 1 or abs(wanted) >= 2**63
    else:
        assert found == wanted
