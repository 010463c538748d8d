"""Fixed-point text against decimal."""

import struct
from decimal import Decimal, localcontext

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nexus_fast.core.fixed import LIMIT, fixed_text, to_mantissa, uint_text


@pytest.fixture(autouse=True, scope="module")
def wide_sums():
    with localcontext(prec=60):
        yield
untimed = settings(deadline=None)  # a busy machine is no failure
mantissas = (
    st.integers(-LIMIT + 1, LIMIT - 1)
    | st.integers(-(10**9), 10**9)
    | st.sampled_from([sign * (10**k + d) for sign in (1, -1) for k in range(18) for d in (-1, 0, 1)])
)
scales = st.integers(0, 18)


def plain(value: Decimal) -> str:
    """Decimal's own plain text without trailing zeros."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


@untimed
@given(mantissas, scales)
@example(0, 18)
@example(-1, 18)
@example(99999999, 8)
@example(100000000, 8)
@example(LIMIT - 1, 18)
@example(10**17, 17)
def test_text_is_that_of_decimal(mantissa, scale):
    assert fixed_text(mantissa, scale) == plain(Decimal(mantissa).scaleb(-scale))


@untimed
@given(st.integers(-(10**8), 10**8), st.integers(0, 9), st.integers(0, 9))
def test_same_number_has_same_text_whatever_its_scale(mantissa, scale, more):
    assert fixed_text(mantissa, scale) == fixed_text(mantissa * 10**more, scale + more)


@pytest.mark.parametrize(
    "mantissa, scale, text",
    [(6, 0, "6"), (600, 2, "6"), (1, 3, "0.001"), (6180020, 2, "61800.2"), (-5, 1, "-0.5"), (1, 9, "0.000000001")],
)
def test_examples(mantissa, scale, text):
    assert fixed_text(mantissa, scale) == text


@pytest.mark.parametrize("mantissa, scale", [(LIMIT, 0), (-LIMIT, 0), (10**30, 0), (1, 19), (1, -1)])
def test_refuses_what_it_cannot_write(mantissa, scale):
    with pytest.raises(ValueError, match="scale=|mantissa="):
        fixed_text(mantissa, scale)


@untimed
@given(st.integers(0, 2**64 - 1), st.integers(1, 20))
def test_padded_digits_are_the_last_digits(value, width):
    assert uint_text(value, width) == f"{value:0{width}d}"[-width:]


@untimed
@given(mantissas, scales)
def test_mantissa_of_a_text_is_the_mantissa(mantissa, scale):
    assert to_mantissa(fixed_text(mantissa, scale), scale) == mantissa


@untimed
@given(st.decimals(allow_nan=False, allow_infinity=False), scales)
def test_mantissa_is_exact_or_refused(value, scale):
    try:
        mantissa = to_mantissa(value, scale)
    except ValueError:
        shifted = value.scaleb(scale) if value.adjusted() < 60 else None
        assert shifted is None or abs(shifted) >= LIMIT or shifted != shifted.to_integral_value()
    else:
        assert Decimal(mantissa).scaleb(-scale) == value


@untimed
@given(st.floats(allow_nan=False, allow_infinity=False, width=32).map(lambda f: round(f, 4)))
def test_a_float_counts_as_what_its_repr_shows(value):
    try:
        mantissa = to_mantissa(value, 8)
    except ValueError:
        assert abs(Decimal(repr(value))) >= 10**10
    else:
        assert Decimal(mantissa).scaleb(-8) == Decimal(repr(value))
    assert struct.pack("d", value) == struct.pack("d", float(repr(value)))


@pytest.mark.parametrize("value", ["", "abc", "nan", "inf", Decimal("-Infinity"), "1.23", 10**18, "1e400", "1e-400"])
def test_mantissa_refuses(value):
    with pytest.raises(ValueError):
        to_mantissa(value, 1)
