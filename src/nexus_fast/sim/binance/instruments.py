"""What the simulated Binance lists, and what an account begins with.

Filters are those of recorded `exchangeInfo` answers (spot 2021 and 2025, USD-M 2021 and 2022, COIN-M 2022 and 2025), with the
tick of the perpetuals, the spot notional filter and the USDCUSDT contract as the venue has them since. The USD-M minimum
notional is the recorded 5 USDT for every symbol, although the venue asks for more on its largest contracts.
"""

from datetime import UTC, datetime

from nexus_fast.sim.fixed_point import DECIMALS, SCALE, decimals_of, parse
from nexus_fast.sim.instruments import Instrument, quarters

SPOT = "spot"
USD_M = "usd_m"
COIN_M = "coin_m"


def _spot(symbol, base, quote, start, tick, low, high, step, most, market_most, level, up="5", down="0.2"):
    return Instrument(
        SPOT, symbol, base, quote, parse(start), parse(tick), parse(low), parse(high), parse(step), parse(step),
        parse(most), parse(market_most), parse("5"), DECIMALS, DECIMALS, parse(up), parse(down), parse(level),
        maker_fee=parse("0.001"), taker_fee=parse("0.001"))


def _usd_m(symbol, base, start, tick, price_decimals, low, high, step, most, market_most, level):
    return Instrument(
        USD_M, symbol, base, "USDT", parse(start), parse(tick), parse(low), parse(high), parse(step), parse(step),
        parse(most), parse(market_most), parse("5"), price_decimals, decimals_of(parse(step)), parse("1.05"),
        parse("0.95"), parse(level), maker_fee=parse("0.0002"), taker_fee=parse("0.0005"),
        words={"pair": symbol, "contract_type": "PERPETUAL"})


def _coin_m(symbol, base, start, tick, price_decimals, low, high, contract, most, market_most, level, delivery=0):
    """Quantities are whole contracts of `contract` USD each."""
    return Instrument(
        COIN_M, symbol, base, "USD", parse(start), parse(tick), parse(low), parse(high), SCALE, SCALE, parse(most),
        parse(market_most), 0, price_decimals, 0, parse("1.05"), parse("0.95"), parse(level),
        maker_fee=parse("0.0002"), taker_fee=parse("0.0005"), contract=parse(contract), inverse=True, delivery=delivery,
        words={"pair": f"{base}USD", "contract_type": "CURRENT_QUARTER" if delivery else "PERPETUAL"})


SPOT_INSTRUMENTS = (
    _spot("BTCUSDT", "BTC", "USDT", "84550", "0.01", "0.01", "1000000", "0.00001", "9000", "100", "0.35"),
    _spot("ETHUSDT", "ETH", "USDT", "2690.10", "0.01", "0.01", "1000000", "0.0001", "9000", "1600", "8"),
    _spot("USDCUSDT", "USDC", "USDT", "0.9998", "0.00001", "0.7", "1.3", "1", "9000000", "9000000", "40000",
          "1.2", "0.8"),
    _spot("BNBUSDT", "BNB", "USDT", "871.30", "0.01", "0.01", "100000", "0.001", "900000", "28000", "12"),
    _spot("SOLUSDT", "SOL", "USDT", "141.20", "0.01", "0.01", "10000", "0.001", "90000", "52000", "90"),
)

USD_M_INSTRUMENTS = (
    _usd_m("BTCUSDT", "BTC", "84550", "0.1", 2, "261.1", "809484", "0.001", "1000", "120", "1.2"),
    _usd_m("ETHUSDT", "ETH", "2690.10", "0.01", 2, "18.67", "306177", "0.001", "10000", "2000", "25"),
    _usd_m("USDCUSDT", "USDC", "0.9998", "0.00001", 7, "0.0001", "20000", "1", "10000000", "3000000", "60000"),
    _usd_m("BNBUSDT", "BNB", "871.30", "0.01", 3, "6.6", "100000", "0.01", "100000", "2000", "30"),
    _usd_m("SOLUSDT", "SOL", "141.20", "0.01", 4, "0.42", "6857", "0.01", "1000000", "80000", "300"),
)


def coin_m_instruments(now_ms: int) -> tuple[Instrument, ...]:
    """The perpetuals, and BTC's contract of the quarter that is next: its name has the date, so the list depends on it."""
    delivery = quarters(now_ms, 1)[0]
    date = datetime.fromtimestamp(delivery / 1000, UTC).strftime("%y%m%d")
    return (
        _coin_m("BTCUSD_PERP", "BTC", "84550", "0.1", 1, "1000", "4520958", "100", "1000000", "60000", "9000"),
        _coin_m("ETHUSD_PERP", "ETH", "2690.10", "0.01", 2, "18.67", "306177", "10", "1000000", "60000", "12000"),
        _coin_m(f"BTCUSD_{date}", "BTC", "85210", "0.1", 1, "1000", "4520958", "100", "1000000", "60000", "2500",
                delivery),
    )


# What an account starts with: generous, so that a session is not ended by an empty wallet.
SPOT_BALANCES = {"USDT": parse("1000000"), "USDC": parse("1000000"), "BTC": parse("100"), "ETH": parse("1000"),
                 "BNB": parse("1000"), "SOL": parse("10000")}
USD_M_BALANCES = {"USDT": parse("1000000"), "USDC": parse("1000000"), "BNB": parse("0"), "BTC": parse("0")}
COIN_M_BALANCES = {"BTC": parse("100"), "ETH": parse("1000"), "BNB": parse("0")}
