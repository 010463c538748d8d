"""The risk gate against a slow one in Decimal, and at its edges."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexus_fast.order.reasons import TEXTS, reason_text

BUY, SELL, LIMIT, MARKET = 0, 1, 0, 1
OK, PRICE, TICK, RANGE, LOT, SMALL, LARGE, NOTIONAL = 0, 8, 9, 10, 11, 12, 13, 14
RISK_QUANTITY, RISK_NOTIONAL, RISK_DISTANCE, NO_REFERENCE = 15, 16, 17, 18
BOOK = (10_000, 10_010, 0)

FILTERS = {"tick": 10, "minimum_price": 5, "maximum_price": 100_005, "lot": 3, "minimum_quantity": 6, "maximum_quantity": 3000,
           "market_lot": 2, "market_minimum_quantity": 4, "market_maximum_quantity": 40}


@pytest.mark.parametrize(("price", "quantity", "expected"), [
    (5, 6, OK), (15, 6, OK), (100_005, 6, OK),          # the tick counts from the least price
    (10, 6, TICK), (6, 6, TICK), (14, 6, TICK),
    (-5, 6, PRICE), (0, 6, PRICE), (100_015, 6, RANGE),
    (15, 5, SMALL), (15, 0, SMALL), (15, -6, SMALL), (15, 3, SMALL),
    (15, 3000, OK), (15, 3003, LARGE), (15, 7, LOT), (15, 8, LOT), (15, 9, OK),
])  # fmt: skip
def test_the_venues_filters_of_a_limit_order(probe, price, quantity, expected):
    for side in (BUY, SELL):
        assert probe.gate(FILTERS, BOOK, side, LIMIT, price, quantity) == expected


@pytest.mark.parametrize(("quantity", "expected"), [(4, OK), (40, OK), (42, LARGE), (2, SMALL), (5, LOT), (6, OK), (0, SMALL)])
def test_a_market_order_has_rules_of_its_own(probe, quantity, expected):
    assert probe.gate(FILTERS, BOOK, BUY, MARKET, 0, quantity) == expected
    assert probe.gate(FILTERS, None, BUY, MARKET, 0, quantity) == expected


def test_a_rule_that_is_zero_is_off(probe):
    assert probe.gate({}, None, BUY, LIMIT, 1, 1) == OK
    assert probe.gate({}, None, SELL, MARKET, 0, 10**18) == OK
    assert probe.gate({}, None, SELL, LIMIT, 10**18, 10**18) == OK


@pytest.mark.parametrize("notional", [1, 10**18, 2**63 - 1, 2**63, 2**64, 2**64 + 1, 10**36 - 10**18])
def test_notionals_of_more_than_64_bits(probe, notional):
    """Price times quantity is exact up to 10**36."""
    price = min(notional, 10**18)
    exact = -(-notional // price)
    for quantity in (exact - 1, exact, exact + 1):
        if 0 < quantity <= 10**18:
            enough = Decimal(price) * quantity >= notional
            assert probe.gate({"minimum_notional": notional}, None, BUY, LIMIT, price, quantity) == (OK if enough else NOTIONAL)
            over = Decimal(price) * quantity > notional
            assert probe.gate({"risk_maximum_notional": notional}, None, BUY, LIMIT, price, quantity) == (
                RISK_NOTIONAL if over else OK)


def test_a_market_orders_notional_is_measured_at_the_far_side(probe):
    """A tenth of tolerance, because the venue uses an average price; without a book the venue decides."""
    limits = {"minimum_notional": 1_000_000}
    assert probe.gate(limits, (9_000, 10_000, 0), BUY, MARKET, 0, 90) == OK
    assert probe.gate(limits, (9_000, 10_000, 0), BUY, MARKET, 0, 89) == NOTIONAL
    assert probe.gate(limits, (9_000, 10_000, 0), SELL, MARKET, 0, 100) == OK
    assert probe.gate(limits, (9_000, 10_000, 0), SELL, MARKET, 0, 99) == NOTIONAL
    assert probe.gate(limits, None, BUY, MARKET, 0, 1) == OK


def test_reduce_only_may_be_smaller(probe):
    limits = {"minimum_notional": 10**6, **FILTERS}
    assert probe.gate(limits, BOOK, BUY, LIMIT, 15, 6) == NOTIONAL
    assert probe.gate(limits, BOOK, BUY, LIMIT, 15, 6, reduces=1) == OK
    assert probe.gate(limits, BOOK, BUY, LIMIT, 15, 5, reduces=1) == SMALL
    assert probe.gate(limits, BOOK, BUY, LIMIT, 16, 6, reduces=1) == TICK


def test_the_traders_limits(probe):
    assert probe.gate({"risk_maximum_quantity": 10}, BOOK, BUY, LIMIT, 1, 10) == OK
    assert probe.gate({"risk_maximum_quantity": 10}, BOOK, BUY, LIMIT, 1, 11) == RISK_QUANTITY
    assert probe.gate({"risk_maximum_quantity": 10}, BOOK, BUY, LIMIT, 1, 11, reduces=1) == RISK_QUANTITY
    most = {"risk_maximum_notional": 10_010 * 5}
    assert probe.gate(most, BOOK, BUY, MARKET, 0, 5) == OK
    assert probe.gate(most, BOOK, BUY, MARKET, 0, 6) == RISK_NOTIONAL
    assert probe.gate(most, BOOK, BUY, LIMIT, 10_010, 6) == RISK_NOTIONAL


@pytest.mark.parametrize("side", [BUY, SELL])
def test_the_distance_from_the_far_side(probe, side):
    limits = {"risk_distance_ppm": 1000}                # a thousandth
    reference = BOOK[1] if side == BUY else BOOK[0]
    for price in range(reference - 12, reference + 13):
        allowed = abs(Decimal(price) - reference) <= Decimal(reference) / 1000
        assert probe.gate(limits, BOOK, side, LIMIT, price, 1) == (OK if allowed else RISK_DISTANCE)
    assert probe.gate(limits, BOOK, side, MARKET, 0, 1) == OK


def test_a_limit_that_needs_a_book_refuses_without_a_usable_one(probe):
    unusable = [None, (*BOOK[:2], probe.STALE), (0, BOOK[1], probe.NO_BID), (BOOK[0], 0, probe.NO_ASK)]
    for limits, market in (({"risk_distance_ppm": 1000}, LIMIT), ({"risk_maximum_notional": 10**12}, MARKET)):
        assert probe.gate(limits, unusable[0], BUY, market, 10_000, 1) == NO_REFERENCE
        assert probe.gate(limits, unusable[1], SELL, market, 10_000, 1) == NO_REFERENCE
        assert probe.gate(limits, unusable[2], SELL, market, 10_000, 1) == NO_REFERENCE
        assert probe.gate(limits, unusable[2], BUY, market, 10_000, 1) == OK
        assert probe.gate(limits, unusable[3], BUY, market, 10_000, 1) == NO_REFERENCE
        assert probe.gate(limits, unusable[3], SELL, market, 10_000, 1) == OK


def slow_gate(limits, book, side, market, price, quantity, reduces):
    """The same in Decimal, written from the venue's rules."""
    get = {k: Decimal(v) for k, v in limits.items()}.get
    price, quantity, zero = Decimal(price), Decimal(quantity), Decimal(0)
    prefix = "market_" if market else ""
    if quantity <= 0 or quantity < get(prefix + "minimum_quantity", zero):
        return SMALL
    if get(prefix + "maximum_quantity", zero) and quantity > get(prefix + "maximum_quantity"):
        return LARGE
    if get(prefix + "lot", zero) and quantity % get(prefix + "lot"):
        return LOT
    reference = None if book is None else Decimal(book[0] if side == SELL else book[1])
    least = zero if reduces else get("minimum_notional", zero)
    if not market:
        if price <= 0:
            return PRICE
        if get("tick", zero) and (price - get("minimum_price", zero)) % get("tick"):
            return TICK
        if price < get("minimum_price", zero) or (get("maximum_price", zero) and price > get("maximum_price")):
            return RANGE
        if price * quantity < least:
            return NOTIONAL
    elif reference is not None and reference * quantity < least * Decimal("0.9"):
        return NOTIONAL
    if get("risk_maximum_quantity", zero) and quantity > get("risk_maximum_quantity"):
        return RISK_QUANTITY
    if get("risk_maximum_notional", zero):
        at = reference if market else price
        if at is None:
            return NO_REFERENCE
        if at * quantity > get("risk_maximum_notional"):
            return RISK_NOTIONAL
    if get("risk_distance_ppm", zero) and not market:
        if reference is None:
            return NO_REFERENCE
        if abs(price - reference) * 1_000_000 > reference * get("risk_distance_ppm"):
            return RISK_DISTANCE
    return OK


small = st.integers(0, 60)
LIMITS = st.fixed_dictionaries({}, optional={
    **{name: small for name in ("tick", "minimum_price", "lot", "minimum_quantity", "market_lot", "market_minimum_quantity")},
    **{name: st.integers(0, 5000) for name in ("maximum_price", "maximum_quantity", "market_maximum_quantity",
                                               "minimum_notional", "risk_maximum_notional", "risk_maximum_quantity")},
    "risk_distance_ppm": st.sampled_from([0, 1, 1000, 50_000, 500_000]),
})  # fmt: skip


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(LIMITS, st.one_of(st.none(), st.tuples(st.integers(1, 200), st.integers(1, 200), st.just(0))), st.integers(0, 1),
       st.integers(0, 1), st.integers(-3, 200), st.integers(-3, 200), st.integers(0, 1))
def test_the_same_as_in_decimal(probe, limits, book, side, market, price, quantity, reduces):
    assert probe.gate(limits, book, side, market, price, quantity, reduces) == slow_gate(
        limits, book, side, market, price, quantity, reduces)


def test_every_reason_has_a_text():
    assert all(text for text in TEXTS[1:]) and len(set(TEXTS)) == len(TEXTS)
    assert [reason_text(i) for i in range(len(TEXTS))] == list(TEXTS)
    assert "99" in reason_text(99)


@pytest.mark.scenario(36)
@pytest.mark.parametrize(("age", "usable"), [(0, True), (60, True), (61, False), (10**12, False), (-5, True)])
def test_a_quote_that_is_older_than_its_time_is_no_reference(probe, age, usable):
    """Of each rule that needs the book; a rule that does not need it asks nobody."""
    now = 1_789_128_259_631_000_000
    book, fresh = (10_000, 10_010, 0, now - age), {"fresh_ns": 60}
    distance, notional = {"risk_distance_ppm": 10_000, **fresh}, {"risk_maximum_notional": 10**9, **fresh}
    for side in (BUY, SELL):
        expected = OK if usable else NO_REFERENCE
        assert probe.gate(distance, book, side, LIMIT, 10_005, 1, 0, now) == expected
        assert probe.gate(notional, book, side, MARKET, 0, 1, 0, now) == expected
        assert probe.gate(notional, book, side, LIMIT, 10_005, 1, 0, now) == OK
        assert probe.gate(fresh, book, side, MARKET, 0, 1, 0, now) == OK
        assert probe.gate({**distance, "fresh_ns": 2**63 - 1}, book, side, LIMIT, 10_005, 1, 0, now) == OK


@pytest.mark.scenario(30)
def test_a_book_that_was_passed_by_a_quote_that_cannot_be_read_is_no_reference(probe):
    for flag in (probe.PASSED, probe.STALE):
        assert probe.gate({"risk_distance_ppm": 10_000}, (10_000, 10_010, flag), BUY, LIMIT, 10_005, 1) == NO_REFERENCE
