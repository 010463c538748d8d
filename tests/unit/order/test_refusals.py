"""What a refusal says: the value, the rule, and what would be allowed."""

from decimal import Decimal

import pytest

from nexus_fast.config import RiskConfig
from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.exchange.instrument import Instrument
from nexus_fast.order.reasons import TEXTS, reason_text
from nexus_fast.order.refusals import RULES, refusal_text

D = Decimal
PRICE_MISSING, OFF_TICK, RANGE, OFF_LOT, SMALL, LARGE, NOTIONAL, R_QUANTITY, R_NOTIONAL, R_DISTANCE, INEXACT = (
    8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 22)  # fmt: skip
PERP = Instrument(
    symbol="BTCUSDT-PERP.BINANCE", venue_symbol="BTCUSDT", exchange=ExchangeType.BINANCE, type=InstrumentType.LINEAR, base="BTC",
    quote="USDT", price_scale=1, size_scale=3, tick_size=D("0.1"), lot_size=D("0.001"), min_price=D("0.5"), max_price=D(200000),
    min_quantity=D("0.002"), max_quantity=D(1000), market_lot_size=D("0.01"), market_min_quantity=D("0.02"),
    market_max_quantity=D(100), min_notional=D(100))  # fmt: skip
ODD = PERP.__class__(**{**{f: getattr(PERP, f) for f in PERP.__struct_fields__}, "min_price": D("0.75"), "tick_size": D("0.5"),
                        "price_scale": 2})
COIN = PERP.__class__(**{**{f: getattr(PERP, f) for f in PERP.__struct_fields__}, "type": InstrumentType.INVERSE, "quote": "USD",
                         "contract_size": D(100), "size_scale": 0, "lot_size": D(1), "min_quantity": D(1)})
RISK = RiskConfig(max_quantity=D(5), max_notional=D(1000), max_price_distance=D("0.02"))


@pytest.mark.parametrize(("reason", "instrument", "price", "amount", "said"), [
    (OFF_TICK, PERP, "97000.13", "1", "97000.13 is not a multiple of the tick size 0.1: the nearest are 97000.1 and 97000.2"),
    (OFF_TICK, PERP, "0.53", "1", "price 0.53 is not a multiple of the tick size 0.1: the nearest are 0.5 and 0.6"),
    (OFF_TICK, PERP, "0.03", "1", "price 0.03 is not a multiple of the tick size 0.1: the nearest is 0.5"),
    (OFF_TICK, PERP, "200000.05", "1", "the nearest is 200000.0"),
    (OFF_TICK, ODD, "1.5", "1", "1.5 is not a multiple of the tick size 0.5, counted from 0.75: the nearest are 1.25 and 1.75"),
    (RANGE, PERP, "0.4", "1", "price 0.4 is below the venue's lowest price for this symbol, 0.5"),
    (RANGE, PERP, "200000.1", "1", "price 200000.1 is above the venue's highest price for this symbol, 200000"),
    (PRICE_MISSING, PERP, "0", "1", "price 0 is not above 0: the lowest price is 0.5"),
    (PRICE_MISSING, PERP, "-3", "1", "price -3 is not above 0: the lowest price is 0.5"),
    (PRICE_MISSING, PERP, None, "1", "a LIMIT order needs a price: price is None"),
    (OFF_LOT, PERP, "100", "0.0025", "amount 0.0025 is not a multiple of the lot size 0.001: the nearest are 0.002 and 0.003"),
    (OFF_LOT, PERP, "100", "0.0013", "the nearest is 0.002"),
    (SMALL, PERP, "100", "0.001", "amount 0.001 is below the venue's minimum: the least amount is 0.002"),
    (SMALL, PERP, "100", "-1", "amount -1 is below the venue's minimum: the least amount is 0.002"),
    (SMALL, PERP, "100", "0", "amount 0 is below the venue's minimum: the least amount is 0.002"),
    (LARGE, PERP, "100", "1000.001", "amount 1000.001 is above the venue's maximum: the largest amount is 1000"),
    (NOTIONAL, PERP, "97000", "0.001", "97000 times amount 0.001 is 97 USDT, below the venue's minimum notional of 100 USDT"),
    (NOTIONAL, PERP, "97000", "0.001", "at this price the least amount is 0.002"),
    (NOTIONAL, PERP, "100", "0.002", "at this price the least amount is 1.000"),
    (INEXACT, PERP, "97000.123456789", "1", "price 97000.123456789 has too many digits, the symbol's prices have 1 decimals"),
    (INEXACT, PERP, "97000.123456789", "1", "the nearest are 97000.1 and 97000.2"),
    (INEXACT, PERP, "100", "0.00251", "amount 0.00251 has too many digits, the symbol's amounts have 3 decimals"),
    (INEXACT, PERP, "100", "0.00251", "the nearest are 0.002 and 0.003"),
    (INEXACT, PERP, "NaN", "1", "price NaN is no finite number"),
    (INEXACT, PERP, "sNaN", "1", "price sNaN is no finite number"),
    (INEXACT, PERP, "100", "Infinity", "amount Infinity is no finite number"),
    (INEXACT, PERP, "1E+30", "1", "has too many digits: more than 18 with the symbol's 1 decimals"),
    (INEXACT, PERP, "100", "1E-40", "1E-40 has too many digits, the symbol's amounts have 3 decimals: the nearest is 0.002"),
    (R_QUANTITY, PERP, "100", "6", "amount 6 is above RiskConfig.max_quantity 5"),
    (R_QUANTITY, COIN, "97000", "4", "amount 4, contracts of 100 USD, is above RiskConfig.max_notional 1000"),
    (R_NOTIONAL, PERP, "300", "4", "price 300 times amount 4 is 1200 USDT, above RiskConfig.max_notional 1000"),
    (R_NOTIONAL, PERP, "300", "4", "at this price the largest amount is 3.333"),
    (R_DISTANCE, PERP, "300", "4", "price 300 is further from the market than RiskConfig.max_price_distance 0.02 (2 %)"),
])  # fmt: skip
def test_a_limit_order(reason, instrument, price, amount, said):
    text = refusal_text(reason, instrument, RISK, False, None if price is None else D(price), D(amount))
    assert said in text


@pytest.mark.parametrize(("reason", "amount", "said"), [
    (OFF_LOT, "0.025", "amount 0.025 is not a multiple of the lot size 0.01: the nearest are 0.02 and 0.03"),
    (SMALL, "0.01", "amount 0.01 is below the venue's minimum: the least amount is 0.02"),
    (LARGE, "101", "amount 101 is above the venue's maximum: the largest amount is 100"),
    (NOTIONAL, "0.02", "amount 0.02 is worth less than the venue's minimum notional of 100 USDT at the book's price"),
    (R_NOTIONAL, "4", "amount 4 is worth more than RiskConfig.max_notional 1000 at the book's price"),
])  # fmt: skip
def test_a_market_order_has_limits_of_its_own(reason, amount, said):
    assert said in refusal_text(reason, PERP, RISK, True, None, D(amount))


def test_numbers_of_every_kind_and_a_program_with_its_own_decimal_context():
    from decimal import localcontext

    with localcontext() as context:
        context.prec = 2
        assert "97000.13 is" in refusal_text(OFF_TICK, PERP, RISK, False, 97000.13, 1)
        assert "the nearest are 97000.1 and 97000.2" in refusal_text(OFF_TICK, PERP, RISK, False, "97000.13", "1")


def test_every_other_reason_has_its_general_sentence():
    for reason in range(1, len(TEXTS)):
        if reason not in RULES:
            assert refusal_text(reason, PERP, RISK, False, D(1), D(1)) == reason_text(reason) and reason_text(reason)
