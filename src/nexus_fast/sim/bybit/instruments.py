"""What the simulated Bybit lists, and what an account begins with.

Filters are those of the venue's `instruments-info` answers of 2024 and 2025.
"""

from nexus_fast.sim.bybit.errors import SPOT
from nexus_fast.sim.fixed_point import SCALE, decimals_of, parse
from nexus_fast.sim.instruments import Instrument

LINEAR = "linear"
INVERSE = "inverse"
MAXIMUM_LEVERAGE = 100
MAINTENANCE = parse("0.005")  # of a position's worth
FUNDING_MINUTES = 480
FUNDING_RATE = "0.0001"


def _spot(symbol, base, start, tick, step, most, market_most, level):
    low = parse(tick)
    return Instrument(
        SPOT, symbol, base, "USDT", parse(start), low, low, parse("10000000"), parse(step), parse(step), parse(most),
        parse(market_most), parse("5"), decimals_of(low), decimals_of(parse(step)), parse("1.1"), parse("0.9"),
        parse(level), maker_fee=parse("0.001"), taker_fee=parse("0.001"))


def _linear(symbol, base, start, tick, price_decimals, low, high, step, least, most, market_most, level):
    return Instrument(
        LINEAR, symbol, base, "USDT", parse(start), parse(tick), parse(low), parse(high), parse(step), parse(least),
        parse(most), parse(market_most), parse("5"), price_decimals, decimals_of(parse(step)), parse("1.1"),
        parse("0.9"), parse(level), maker_fee=parse("0.0002"), taker_fee=parse("0.00055"))


def _inverse(symbol, base, start, tick, price_decimals, low, high, most, market_most, level):
    """Quantities are whole dollars."""
    return Instrument(
        INVERSE, symbol, base, "USD", parse(start), parse(tick), parse(low), parse(high), SCALE, SCALE, parse(most),
        parse(market_most), 0, price_decimals, 0, parse("1.1"), parse("0.9"), parse(level), maker_fee=parse("0.0002"),
        taker_fee=parse("0.00055"), inverse=True)


SPOT_INSTRUMENTS = (
    _spot("BTCUSDT", "BTC", "84550", "0.1", "0.000001", "83", "41", "0.35"),
    _spot("ETHUSDT", "ETH", "2690.10", "0.01", "0.00001", "2200", "1100", "8"),
    _spot("SOLUSDT", "SOL", "141.20", "0.01", "0.001", "38000", "19000", "90"),
    _spot("XRPUSDT", "XRP", "2.0540", "0.0001", "0.01", "2900000", "1450000", "9000"),
    _spot("BNBUSDT", "BNB", "871.30", "0.1", "0.0001", "6000", "3000", "12"),
    _spot("USDCUSDT", "USDC", "0.9998", "0.0001", "0.01", "10000000", "5000000", "40000"),
)

LINEAR_INSTRUMENTS = (
    _linear("BTCUSDT", "BTC", "84550", "0.10", 2, "0.10", "1999999.80", "0.001", "0.001", "1190", "119", "1.2"),
    _linear("ETHUSDT", "ETH", "2690.10", "0.01", 2, "0.01", "199999.98", "0.01", "0.01", "7240", "724", "25"),
    _linear("SOLUSDT", "SOL", "141.20", "0.010", 3, "0.010", "19999.980", "0.1", "0.1", "79770", "7977", "300"),
    _linear("XRPUSDT", "XRP", "2.0540", "0.0001", 4, "0.0001", "1999.9998", "0.1", "0.1", "4500000", "450000", "20000"),
    _linear("BNBUSDT", "BNB", "871.30", "0.10", 2, "0.10", "19999.80", "0.01", "0.01", "14000", "1400", "30"),
    _linear("USDCUSDT", "USDC", "0.9998", "0.0001", 4, "0.0001", "19.9998", "0.1", "0.1", "2000000", "400000", "60000"),
)

INVERSE_INSTRUMENTS = (
    _inverse("BTCUSD", "BTC", "84550", "0.10", 2, "0.10", "1999999.80", "25000000", "5000000", "60000"),
    _inverse("ETHUSD", "ETH", "2690.10", "0.01", 2, "0.01", "199999.98", "5000000", "1000000", "30000"),
)

# What an account starts with: generous, so that a session is not ended by an empty wallet.
BALANCES = {"USDT": parse("1000000"), "USDC": parse("1000000"), "BTC": parse("100"), "ETH": parse("1000"),
            "BNB": parse("1000"), "SOL": parse("10000"), "XRP": parse("100000")}
