"""OKX's lists of instruments (GET /api/v5/public/instruments), of SPOT, SWAP and FUTURES, as instruments.

The venue counts futures and swaps in contracts of ctVal each. Amounts of orders, fills and positions here are what NexusTrader
makes of them: contracts times ctVal, which is the base currency of a linear contract (0.01 BTC) and the USD of an inverse one
(100 USD). Steps and limits are in the same unit; the venue's requests and events are converted at its door (gateway/okx.py,
user_data.py). Sizes in market data stay in contracts, also as there.

Source: www.okx.com/docs-v5, public-data-rest-api-get-instruments.
"""

from decimal import Decimal
from functools import lru_cache

import msgspec
from msgspec import Raw, Struct

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.exact import exactly
from nexus_fast.exchange.instrument import ROWS_KEPT, Instrument, decimals_of
from nexus_fast.exchange.listing import NO_JSON, Skipped, no_list, read_rows, require_usable
from nexus_fast.identity import InstrumentId

PATH = "/api/v5/public/instruments"
KINDS = ("SPOT", "SWAP", "FUTURES")
TYPES = {"linear": InstrumentType.LINEAR, "inverse": InstrumentType.INVERSE}
ALL_TYPES = (InstrumentType.SPOT, InstrumentType.LINEAR, InstrumentType.INVERSE)
# Trading rules (ruleType) of dated contracts with funding: X-Perps, also before they trade as such.
FUNDED = ("xperp",)


class OkxInstrument(Instrument, frozen=True, kw_only=True):
    """kind: instType. code: instIdCode, by which the WebSocket takes orders; None where the venue gave none, and then it takes
    none. contract_value: ctVal times ctMult, how much of our amount is one contract; 1 on spot. index ("BTC-USDT"):
    index-tickers has its price. has_funding: swaps have, and dated contracts that the venue calls xperp."""

    kind: str
    has_funding: bool
    code: int | None = None
    contract_value: Decimal = Decimal(1)

    @property
    def contract_shift(self) -> int:
        """log10 of contract_value: a mantissa of our amount at size_scale is one of contracts at size_scale + shift."""
        return self.contract_value.adjusted()


class _Answer(Struct):
    code: str
    msg: str = ""
    data: list[Raw] = []


class _Instrument(Struct, rename="camel"):
    """Numbers are texts; "" stands for what does not apply."""

    inst_id: str
    inst_type: str
    tick_sz: str
    lot_sz: str
    min_sz: str
    base_ccy: str = ""
    quote_ccy: str = ""
    settle_ccy: str = ""
    uly: str = ""
    rule_type: str = ""
    inst_family: str = ""
    ct_type: str = ""
    ct_val: str = ""
    ct_mult: str = ""
    max_lmt_sz: str = ""
    max_mkt_sz: str = ""
    exp_time: str = ""
    list_time: str = ""
    state: str = ""
    inst_id_code: int | None = None


_answer = msgspec.json.Decoder(_Answer)
_instrument = msgspec.json.Decoder(_Instrument)


def parse_instruments(body: bytes) -> tuple[list[OkxInstrument], Skipped]:
    """(instruments, [(instId, why it was left out)]). Raises InstrumentError when the answer as a whole is no such list."""
    try:
        answer = _answer.decode(body)
    except NO_JSON as error:
        raise no_list("OKX: the list of instruments", body, error, "[okx]") from None
    return read_rows(answer.data, _row, "instId")


@lru_cache(ROWS_KEPT)
def _row(row: bytes) -> OkxInstrument:
    return _convert(_instrument.decode(row))


def our_symbol(inst_id: str, inst_type: str) -> str:
    """BTC-USDT → BTCUSDT.OKX, BTC-USDT-SWAP → BTCUSDT-PERP.OKX, BTC-USD-260327 → BTCUSD-260327.OKX. ValueError for others."""
    parts = inst_id.split("-")
    if len(parts) != (2 if inst_type == "SPOT" else 3) or not all(parts):
        raise ValueError(f"its name {inst_id!r} is not that of a {inst_type} instrument")
    pair = f"{parts[0]}{parts[1]}"
    if inst_type == "SPOT":
        return f"{pair}.OKX"
    return f"{pair}-{'PERP' if inst_type == 'SWAP' else parts[2]}.OKX"


@exactly
def _convert(venue: _Instrument) -> OkxInstrument:
    if venue.inst_type not in KINDS:
        raise ValueError(f"instType {venue.inst_type!r} is not one of {', '.join(KINDS)}")
    symbol = our_symbol(venue.inst_id, venue.inst_type)
    InstrumentId.from_str(symbol)
    value = _contract_value(venue)
    tick, lot, least = _number(venue.tick_sz), _plain(_number(venue.lot_sz) * value), _plain(_number(venue.min_sz) * value)
    base, quote = venue.inst_id.split("-")[:2]
    instrument = OkxInstrument(
        kind=venue.inst_type,
        has_funding=venue.inst_type == "SWAP" or venue.rule_type in FUNDED,
        symbol=symbol,
        venue_symbol=venue.inst_id,
        exchange=ExchangeType.OKX,
        type=_type(venue),
        base=venue.base_ccy or base,
        quote=venue.quote_ccy or quote,
        settle=venue.settle_ccy or None,
        status=venue.state,
        active=venue.state == "live" and venue.inst_id_code is not None,
        price_scale=decimals_of(tick),
        size_scale=_size_scale(venue, value, lot, least),
        tick_size=tick,
        min_price=tick,
        lot_size=lot,
        min_quantity=least,
        max_quantity=_limit(venue.max_lmt_sz, value),
        market_lot_size=lot,
        market_min_quantity=least,
        # On spot the venue says it in USDT, not in the base currency.
        market_max_quantity=None if venue.inst_type == "SPOT" else _limit(venue.max_mkt_sz, value),
        # A swap has an expTime when it is about to leave the list, and is no dated contract for that.
        expiry_ms=int(venue.exp_time) if venue.inst_type == "FUTURES" and venue.exp_time else None,
        listed_ms=int(venue.list_time) if venue.list_time else None,
        code=venue.inst_id_code,
        contract_value=value,
        index=venue.uly or f"{base}-{quote}",
    )
    return require_usable(instrument, instrument.size_scale + instrument.contract_shift)


def _type(venue: _Instrument) -> InstrumentType:
    if venue.inst_type == "SPOT":
        return InstrumentType.SPOT
    if venue.ct_type not in TYPES:
        raise ValueError(f"ctType {venue.ct_type!r} is neither linear nor inverse")
    return TYPES[venue.ct_type]


def _contract_value(venue: _Instrument) -> Decimal:
    """A power of ten: by that a mantissa changes its unit exactly, without a multiplication on the way of an order."""
    if venue.inst_type == "SPOT":
        return Decimal(1)
    value = (_number(venue.ct_val) * _number(venue.ct_mult or "1")).normalize()
    if value <= 0 or value.as_tuple().digits != (1,):
        raise ValueError(f"its contract is worth {venue.ct_val!r} times {venue.ct_mult!r}, which is no power of ten")
    return _plain(value)


def _plain(number: Decimal) -> Decimal:
    """The same value without an exponent in its text: 1E+2 is 100."""
    return Decimal(f"{number.normalize():f}")


def _size_scale(venue: _Instrument, value: Decimal, lot: Decimal, least: Decimal) -> int:
    """Decimals in which an amount in our unit and a size in contracts (of quotes) are both exact."""
    contracts = max(decimals_of(_number(venue.lot_sz)), decimals_of(_number(venue.min_sz)))
    return max(decimals_of(lot), decimals_of(least), contracts, -value.adjusted())


def _number(text: str) -> Decimal:
    number = Decimal(text or "0")
    if not number.is_finite():
        raise ValueError(f"{text!r} is not a finite number")
    return number


def _limit(text: str, value: Decimal) -> Decimal | None:
    number = _number(text)
    return _plain(number * value) if number > 0 else None
