"""Rounding to ticks and lots, judged by exact fractions."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.error import OrderRefusedError
from nexus_fast.exchange.instrument import (
    Instrument,
    decimals_of,
    from_mantissa,
    round_to_step,
    to_mantissa,
)

STEPS = st.builds(lambda m, s: Decimal(m).scaleb(-s), st.sampled_from([1, 2, 5, 10, 25, 125]), st.integers(0, 10))
VALUES = st.builds(lambda m, s: Decimal(m).scaleb(-s), st.integers(-(10**18), 10**18), st.integers(0, 12))


def judged(value, step, mode):
    """The same in fractions: floor division and a comparison of the rest."""
    steps, rest = divmod(Fraction(value), Fraction(step))
    up = {"floor": False, "ceil": rest > 0}.get(mode)
    if up is None:
        half = Fraction(step) / 2
        up = rest > half or (rest == half and value >= 0)
    return (steps + up) * Fraction(step)


@given(VALUES, STEPS, st.sampled_from(["round", "ceil", "floor"]))
def test_rounding_is_exact(value, step, mode):
    result = round_to_step(value, step, mode)
    assert Fraction(result) == judged(value, step, mode)
    assert -int(result.as_tuple().exponent) == decimals_of(step)


@given(st.floats(min_value=1e-9, max_value=1e9), STEPS)
def test_floats_count_as_the_text_they_print(value, step):
    exact = Decimal(str(value))
    assert round_to_step(exact, step, "floor") <= exact <= round_to_step(exact, step, "ceil")


@given(st.integers(-(10**18 - 1), 10**18 - 1), st.integers(0, 18))
def test_mantissas_come_back(mantissa, scale):
    assert to_mantissa(from_mantissa(mantissa, scale), scale) == mantissa


@pytest.mark.parametrize(("value", "scale"), [("1.001", 2), ("1e18", 0), ("0.1", 0), ("1000000000000", 6)])
def test_what_does_not_fit_a_mantissa_is_refused(value, scale):
    with pytest.raises(ValueError):
        to_mantissa(Decimal(value), scale)


@pytest.mark.parametrize(
    ("value", "decimals"), [("0.00010000", 4), ("100", 0), ("1E+2", 0), ("0.10", 1), ("1e-8", 8), ("0", 0)]
)
def test_decimals(value, decimals):
    assert decimals_of(Decimal(value)) == decimals


def instrument(**changes):
    fields = {
        "symbol": "ABCUSDT.BINANCE", "venue_symbol": "ABCUSDT", "exchange": ExchangeType.BINANCE,
        "type": InstrumentType.SPOT, "base": "ABC", "quote": "USDT", "price_scale": 2, "size_scale": 3,
        "tick_size": Decimal("0.05"), "lot_size": Decimal("0.001"), "market_lot_size": Decimal("0.001"),
        "min_quantity": Decimal("0.001"), "min_notional": Decimal("5"),
    }  # fmt: skip
    return Instrument(**{**fields, **changes})


class TestInstrument:
    @pytest.mark.parametrize(
        ("price", "mode", "expected"),
        [
            (1.07, "round", "1.05"),
            (1.075, "round", "1.10"),
            (1.07, "ceil", "1.10"),
            (1.07, "floor", "1.05"),
            ("1.05", "ceil", "1.05"),
            (Decimal("0.02"), "round", "0.00"),
        ],
    )
    def test_prices(self, price, mode, expected):
        assert str(instrument().round_price(price, mode)) == expected

    def test_prices_count_from_the_minimum(self):
        futures = instrument(min_price=Decimal("556.72"), tick_size=Decimal("0.10"))
        assert futures.round_price("600.00", "floor") == Decimal("599.92")

    def test_amounts(self):
        assert str(instrument().round_quantity(0.12345)) == "0.123"
        assert str(instrument(lot_size=Decimal("100")).round_quantity(1234, "ceil")) == "1300"

    @pytest.mark.parametrize("bad", [float("nan"), float("inf"), "six", None])
    def test_what_is_no_number_is_refused(self, bad):
        with pytest.raises(OrderRefusedError, match="number"):
            instrument().round_quantity(bad)

    def test_an_unknown_mode_is_refused(self):
        with pytest.raises(ValueError, match="'up'"):
            instrument().round_price(1, "up")

    @given(st.decimals("0.01", "100000", places=2))
    def test_the_smallest_amount_passes_the_venue(self, price):
        """What Binance checks: on the lot, not under the minimum, notional not under the minimum."""
        i = instrument()
        least = i.smallest_quantity(price)
        assert least >= i.min_quantity and least % i.lot_size == 0 and least * price >= i.min_notional

    def test_without_a_notional_it_is_the_lot(self):
        assert instrument(min_notional=Decimal(0), min_quantity=Decimal(0)).smallest_quantity(10) == Decimal("0.001")

    def test_a_price_of_nothing_is_refused(self):
        with pytest.raises(OrderRefusedError, match="not positive"):
            instrument().smallest_quantity(0)


@pytest.mark.parametrize("value", [Decimal("1e400"), Decimal("-1e999999"), 1e308, -1e308, Decimal("1e37"), float("nan"), "x"])
@pytest.mark.parametrize("mode", ["round", "ceil", "floor"])
def test_what_is_no_price_and_no_amount_is_refused(value, mode):
    for step in ("0.05", "0.01", "1"):
        found = instrument(tick_size=Decimal(step), lot_size=Decimal(step))
        for rounded in (found.round_price, found.round_quantity):
            with pytest.raises(OrderRefusedError):
                rounded(value, mode)
        with pytest.raises(OrderRefusedError):
            found.smallest_quantity(value)


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 10**36, Decimal("1e-30"), Decimal("98765432101.00000000")])
def test_what_is_large_is_rounded_exactly(value):
    for mode in ("round", "ceil", "floor"):
        assert Fraction(instrument().round_price(value, mode)) == judged(Decimal(value), Decimal("0.05"), mode)
