"""What the simulated OKX lists, and the words that only this venue has for an instrument.

Contract values, ticks and lots are those of the venue's `public/instruments` answers; the spot lots are a decimal or
two coarser where tick and lot together would exceed what the matching core computes exactly.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from nexus_fast.sim.fixed_point import SCALE, decimals_of, parse, product, short
from nexus_fast.sim.instruments import Instrument, quarters

SPOT, SWAP, FUTURES = "SPOT", "SWAP", "FUTURES"
SPOT_MARKET, CONTRACT_MARKET = "okx_spot", "okx_contracts"
SPOT_FEES = (parse("0.0008"), parse("0.001"))  # maker, taker
CONTRACT_FEES = (parse("0.0002"), parse("0.0005"))
MAXIMUM_LEVERAGE = {SPOT: 10, SWAP: 100, FUTURES: 20}
LISTED_SINCE = "1611916828000"
# What an account starts with: generous, so that a session is not ended by an empty purse.
BALANCES = {"USDT": parse("2000000"), "USDC": parse("1000000"), "BTC": parse("100"), "ETH": parse("1000"),
            "SOL": parse("10000")}


@dataclass(slots=True, frozen=True)
class Listing:
    """An instrument of the venue: its type, its instIdCode, and which of the dated contracts it is."""

    instrument: Instrument
    kind: str
    code: int
    alias: str = ""

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

    @property
    def settle(self) -> str:
        """The asset of margin and profit of a contract; "" for spot."""
        return "" if self.kind == SPOT else self.instrument.settle

    def in_base(self, contracts: int, value: int) -> int:
        """An amount of contracts (spot: base) that was worth `value` of what it settles in, in the base asset."""
        return value if self.instrument.inverse else product(contracts, self.instrument.contract)

    def in_quote(self, contracts: int, value: int) -> int:
        return product(contracts, self.instrument.contract) if self.instrument.inverse else value


def _listing(kind: str, code: int, symbol: str, start: str, tick: str, lot: str, level: str, *, smallest: str = "",
             contract: str = "1", alias: str = "", delivery: int = 0) -> Listing:
    """The base and the quote are the first two parts of the symbol; contracts in USD are inverse."""
    base, quote = symbol.split("-")[:2]
    spot = kind == SPOT
    maker, taker = SPOT_FEES if spot else CONTRACT_FEES
    high, low = ("1.5", "0.5") if spot else ("1.1", "0.9")
    instrument = Instrument(
        SPOT_MARKET if spot else CONTRACT_MARKET, symbol, base, quote, parse(start), parse(tick), parse(tick),
        10_000_000 * SCALE, parse(lot), parse(smallest or lot), 10**9 * SCALE, 10**8 * SCALE, 0,
        decimals_of(parse(tick)), decimals_of(parse(lot)), parse(high), parse(low), parse(level), maker, taker,
        contract=parse(contract), inverse=quote == "USD", delivery=delivery)
    return Listing(instrument, kind, code, alias)


def listings(now_ms: int) -> tuple[Listing, ...]:
    """All that is listed; the dated contracts end with the quarter that `now_ms` is in."""
    end = quarters(now_ms, 1)[0]
    date = datetime.fromtimestamp(end / 1000, UTC).strftime("%y%m%d")
    return (
        _listing(SPOT, 10001, "BTC-USDT", "84550", "0.1", "0.0000001", "0.35", smallest="0.00001"),
        _listing(SPOT, 10002, "ETH-USDT", "2690.1", "0.01", "0.000001", "8", smallest="0.0001"),
        _listing(SPOT, 10003, "SOL-USDT", "141.2", "0.01", "0.000001", "90", smallest="0.001"),
        _listing(SPOT, 10004, "USDC-USDT", "0.9998", "0.0001", "0.0001", "40000", smallest="1"),
        _listing(SWAP, 10459, "BTC-USDT-SWAP", "84560", "0.1", "0.01", "120", contract="0.01"),
        _listing(SWAP, 10461, "ETH-USDT-SWAP", "2690.5", "0.01", "0.01", "250", contract="0.1"),
        _listing(SWAP, 10463, "SOL-USDT-SWAP", "141.22", "0.01", "0.01", "300"),
        _listing(SWAP, 10465, "USDC-USDT-SWAP", "0.9999", "0.0001", "1", "6000", contract="10"),
        _listing(SWAP, 10458, "BTC-USD-SWAP", "84570", "0.1", "1", "1000", contract="100"),
        _listing(SWAP, 10460, "ETH-USD-SWAP", "2690.6", "0.01", "1", "2500", contract="10"),
        _listing(FUTURES, 10700, f"BTC-USDT-{date}", "84900", "0.1", "0.01", "60", contract="0.01", alias="quarter",
                 delivery=end),
        _listing(FUTURES, 10701, f"BTC-USD-{date}", "84910", "0.1", "1", "500", contract="100", alias="quarter",
                 delivery=end),
    )


def instrument_row(listing: Listing) -> dict:
    """The listing as `public/instruments` and the `instruments` channel have it."""
    instrument, derivative, inverse = listing.instrument, not listing.is_spot, listing.instrument.inverse
    largest = "1000000" if derivative else "9999999999"
    return {
        "alias": listing.alias, "auctionEndTime": "", "baseCcy": "" if derivative else instrument.base,
        "category": "1", "contTdSwTime": "", "ctMult": "1" if derivative else "",
        "ctType": ("inverse" if inverse else "linear") if derivative else "",
        "ctVal": short(instrument.contract) if derivative else "",
        "ctValCcy": (instrument.quote if inverse else instrument.base) if derivative else "",
        "expTime": str(instrument.delivery) if instrument.delivery else "", "futureSettlement": False, "groupId": "1",
        "instCategory": "1", "instFamily": listing.family if derivative else "", "instId": instrument.symbol,
        "instIdCode": listing.code, "instType": listing.kind, "lever": str(MAXIMUM_LEVERAGE[listing.kind]),
        "listTime": LISTED_SINCE, "lotSz": short(instrument.step), "maxIcebergSz": f"{largest}.0000000000000000",
        "maxLmtAmt": "20000000", "maxLmtSz": largest, "maxMktAmt": "" if derivative else "1000000",
        "maxMktSz": "100000" if derivative else "1000000", "maxPlatOILmt": "", "maxStopSz": largest,
        "maxTriggerSz": f"{largest}.0000000000000000", "maxTwapSz": f"{largest}.0000000000000000",
        "minSz": short(instrument.minimum_quantity), "openType": "", "optType": "", "posLmtAmt": "",
        "posLmtPct": "", "preMktSwTime": "", "quoteCcy": "" if derivative else instrument.quote,
        "ruleType": "normal", "settleCcy": listing.settle, "state": "live", "stk": "",
        "tickSz": short(instrument.tick), "tradeQuoteCcyList": [] if derivative else [instrument.quote],
        "uly": listing.family if derivative else "", "upcChg": []}
