"""What the simulated OKX lists, and the words that only this venue has for an instrument.

Contract values, ticks and lots are those of the venue's `public/instruments` answers; the spot lots are a decimal or
two coarser where tick and lot together would exceed what the matching core computes exactly.

The core counts a linear contract in its base asset (contracts times contract value) and an inverse contract in
contracts; `Listing.size` and `Listing.contracts` translate, and all else of the venue speaks contracts.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nexus_fast.sim.fixed_point import SCALE, decimals_of, parse, product, quotient, short
from nexus_fast.sim.instruments import Instrument

SPOT, SWAP, FUTURES = "SPOT", "SWAP", "FUTURES"
SPOT_MARKET, CONTRACT_MARKET = "okx_spot", "okx_contracts"
SPOT_FEES = (parse("0.0008"), parse("0.001"))  # maker, taker
CONTRACT_FEES = (parse("0.0002"), parse("0.0005"))
MAXIMUM_LEVERAGE = {SPOT: 10, SWAP: 100, FUTURES: 20}
LISTED_SINCE = "1611916828000"


@dataclass(slots=True, frozen=True)
class Listing:
    """An instrument of the venue. `contract_value` and `lot` (in contracts; spot: in base) are scaled integers."""

    instrument: Instrument
    kind: str
    code: int
    lot: int
    contract_value: int = SCALE
    settle: str = ""
    alias: str = ""
    expiry: int = 0

    @property
    def instrument_id(self) -> str:
        return self.instrument.symbol

    @property
    def family(self) -> str:
        """`BTC-USDT` of `BTC-USDT-SWAP`; the index of a pair has the same name."""
        return f"{self.instrument.base}-{self.instrument.quote}"

    @property
    def is_spot(self) -> bool:
        return self.kind == SPOT

    def quantity(self, size: int) -> int:
        """What the core counts for `size` contracts (spot: base)."""
        return product(size, self.contract_value)

    def contracts(self, quantity: int) -> int:
        return quotient(quantity, self.contract_value)

    def size(self, quantity: int) -> str:
        """The venue's text of a core quantity: contracts, or base for spot."""
        return short(self.contracts(quantity))


def _instrument(market: str, symbol: str, base: str, quote: str, start: str, tick: str, step: int, smallest: int,
                level: int, fees: tuple[int, int], band: tuple[str, str]) -> Instrument:
    return Instrument(
        market, symbol, base, quote, parse(start), parse(tick), parse(tick), parse("10000000"), step, smallest,
        10**9 * SCALE, 10**8 * SCALE, 0, decimals_of(parse(tick)), decimals_of(step), parse(band[1]), parse(band[0]),
        level, maker_fee=fees[0], taker_fee=fees[1])


def _spot(code: int, base: str, quote: str, start: str, tick: str, lot: str, smallest: str, level: str) -> Listing:
    symbol = f"{base}-{quote}"
    instrument = _instrument(SPOT_MARKET, symbol, base, quote, start, tick, parse(lot), parse(smallest), parse(level),
                             SPOT_FEES, ("0.5", "1.5"))
    return Listing(instrument, SPOT, code, parse(lot))


def _linear(code: int, symbol: str, base: str, value: str, start: str, tick: str, lot: str, level: str,
            kind: str = SWAP, alias: str = "", expiry: int = 0) -> Listing:
    contract, step = parse(value), product(parse(lot), parse(value))
    instrument = _instrument(CONTRACT_MARKET, symbol, base, "USDT", start, tick, step, step,
                             product(parse(level), contract), CONTRACT_FEES, ("0.9", "1.1"))
    return Listing(instrument, kind, code, parse(lot), contract, "USDT", alias, expiry)


def quarter_end(now_ms: int) -> int:
    """08:00 UTC of the last Friday of a quarter, at least two weeks ahead, in ms: when quarterly futures end."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC)
    year, month = today.year, (today.month + 2) // 3 * 3
    while True:
        first_after = datetime(year + month // 12, month % 12 + 1, 1, 8, tzinfo=UTC)
        end = first_after - timedelta(days=(first_after.weekday() - 4 - 1) % 7 + 1)
        if end - today > timedelta(days=14):
            return int(end.timestamp()) * 1000
        year, month = (year, month + 3) if month < 12 else (year + 1, 3)


def listings(now_ms: int) -> tuple[Listing, ...]:
    """All that is listed; the futures end with the quarter that `now_ms` is in."""
    end = quarter_end(now_ms)
    date = datetime.fromtimestamp(end / 1000, UTC).strftime("%y%m%d")
    return (
        _spot(10001, "BTC", "USDT", "84550", "0.1", "0.0000001", "0.00001", "0.35"),
        _spot(10002, "ETH", "USDT", "2690.1", "0.01", "0.000001", "0.0001", "8"),
        _spot(10003, "SOL", "USDT", "141.2", "0.01", "0.000001", "0.001", "90"),
        _spot(10004, "USDC", "USDT", "0.9998", "0.0001", "0.0001", "1", "40000"),
        _linear(10459, "BTC-USDT-SWAP", "BTC", "0.01", "84560", "0.1", "0.01", "120"),
        _linear(10461, "ETH-USDT-SWAP", "ETH", "0.1", "2690.5", "0.01", "0.01", "250"),
        _linear(10463, "SOL-USDT-SWAP", "SOL", "1", "141.22", "0.01", "0.01", "300"),
        _linear(10465, "USDC-USDT-SWAP", "USDC", "10", "0.9999", "0.0001", "1", "6000"),
        _linear(10700, f"BTC-USDT-{date}", "BTC", "0.01", "84900", "0.1", "0.01", "60", FUTURES, "quarter", end),
    )


def instrument_row(listing: Listing) -> dict:
    """The listing as `public/instruments` and the `instruments` channel have it."""
    instrument, derivative = listing.instrument, not listing.is_spot
    largest = "1000000" if derivative else "9999999999"
    inverse = listing.settle == instrument.base
    return {
        "alias": listing.alias, "auctionEndTime": "", "baseCcy": "" if derivative else instrument.base,
        "category": "1", "contTdSwTime": "", "ctMult": "1" if derivative else "",
        "ctType": ("inverse" if inverse else "linear") if derivative else "",
        "ctVal": short(listing.contract_value) if derivative else "",
        "ctValCcy": (instrument.quote if inverse else instrument.base) if derivative else "",
        "expTime": str(listing.expiry) if listing.expiry else "", "futureSettlement": False, "groupId": "1",
        "instCategory": "1", "instFamily": listing.family if derivative else "", "instId": instrument.symbol,
        "instIdCode": listing.code, "instType": listing.kind, "lever": str(MAXIMUM_LEVERAGE[listing.kind]),
        "listTime": LISTED_SINCE, "lotSz": short(listing.lot), "maxIcebergSz": f"{largest}.0000000000000000",
        "maxLmtAmt": "20000000", "maxLmtSz": largest, "maxMktAmt": "" if derivative else "1000000",
        "maxMktSz": "100000" if derivative else "1000000", "maxPlatOILmt": "", "maxStopSz": largest,
        "maxTriggerSz": f"{largest}.0000000000000000", "maxTwapSz": f"{largest}.0000000000000000",
        "minSz": listing.size(instrument.minimum_quantity), "openType": "", "optType": "", "posLmtAmt": "",
        "posLmtPct": "", "preMktSwTime": "", "quoteCcy": "" if derivative else instrument.quote,
        "ruleType": "normal", "settleCcy": listing.settle, "state": "live", "stk": "",
        "tickSz": short(instrument.tick), "tradeQuoteCcyList": [] if derivative else [instrument.quote],
        "uly": listing.family if derivative else "", "upcChg": []}
