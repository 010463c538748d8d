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
from nexus_fast.error import InstrumentError
from nexus_fast.exchange.instrument import LARGEST_SCALE, ROWS_KEPT, Instrument, decimals_of, to_mantissa
from nexus_fast.identity import InstrumentId

PATH = "/api/v5/public/instruments"
KINDS = ("SPOT", "SWAP", "FUTURES")
TYPES = {"linear": InstrumentType.LINEAR, "inverse": InstrumentType.INVERSE}
ALL_TYPES = (InstrumentType.SPOT, InstrumentType.LINEAR, InstrumentType.INVERSE)
LONGEST_NAME = 32                # bytes of a venue symbol (feed/symbols.pxd)
ZERO = Decimal(0)


class OkxInstrument(Instrument, frozen=True, kw_only=True):
    """code: instIdCode, by which the WebSocket takes orders; None where the venue gave none, and then it takes none.
    contract_value: ctVal times ctMult, how much of our amount is one contract; 1 on spot. index: the name of its index
    ("BTC-USDT"), whose price index-tickers has."""

    code: int | None = None
    contract_value: Decimal = Decimal(1)
    index: str = ""

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
    inst_family: str = ""
    ct_type: str = ""
    ct_val: str = ""
    ct_mult: str = ""
    max_lmt_sz: str = ""
    max_mkt_sz: str = ""
    exp_time: str = ""
    state: str = ""
    inst_id_code: int | None = None


class _Name(Struct, rename="camel"):
    inst_id: str = "?"


_answer = msgspec.json.Decoder(_Answer)
_instrument = msgspec.json.Decoder(_Instrument)
_name = msgspec.json.Decoder(_Name)


def parse_instruments(body: bytes) -> tuple[list[OkxInstrument], list[tuple[str, str]]]:
    """(instruments, [(instId, why it was left out)]). Raises InstrumentError when the answer as a whole is no such list."""
    try:
        answer = _answer.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InstrumentError(
            f"OKX: the list of instruments cannot be read ({error}); it begins {bytes(body[:80])!r}. Check the `rest` address "
            "of [okx] in the endpoints."
        ) from None
    found, skipped = [], []
    for raw in answer.data:
        try:
            found.append(_row(bytes(raw)))
        except (msgspec.MsgspecError, ValueError, ArithmeticError) as error:
            skipped.append((_name_of(raw), str(error)))
    return found, skipped


@lru_cache(ROWS_KEPT)
def _row(row: bytes) -> OkxInstrument:
    return _convert(_instrument.decode(row))


def _name_of(raw: Raw) -> str:
    try:
        return _name.decode(raw).inst_id
    except msgspec.MsgspecError:
        return "?"


def our_symbol(inst_id: str, inst_type: str) -> str:
    """BTC-USDT → BTCUSDT.OKX, BTC-USDT-SWAP → BTCUSDT-PERP.OKX, BTC-USD-260327 → BTCUSD-260327.OKX. ValueError for others."""
    parts = inst_id.split("-")
    if len(parts) != (2 if inst_type == "SPOT" else 3) or not all(parts):
        raise ValueError(f"its name {inst_id!r} is not that of a {inst_type} instrument")
    pair = f"{parts[0]}{parts[1]}"
    if inst_type == "SPOT":
        return f"{pair}.OKX"
    return f"{pair}-{'PERP' if parts[2] == 'SWAP' else parts[2]}.OKX"


def _convert(venue: _Instrument) -> OkxInstrument:
    if venue.inst_type not in KINDS:
        raise ValueError(f"instType {venue.inst_type!r} is not one of {', '.join(KINDS)}")
    if len(venue.inst_id.encode()) > LONGEST_NAME:
        raise ValueError(f"its name is longer than {LONGEST_NAME} bytes")
    symbol = our_symbol(venue.inst_id, venue.inst_type)
    InstrumentId.from_str(symbol)
    value = _contract_value(venue)
    tick, lot, least = _number(venue.tick_sz), _plain(_number(venue.lot_sz) * value), _plain(_number(venue.min_sz) * value)
    if tick <= 0 or lot <= 0:
        raise ValueError(f"tickSz={venue.tick_sz!r} and lotSz={venue.lot_sz!r} must be above 0")
    base, quote = venue.inst_id.split("-")[:2]
    instrument = OkxInstrument(
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
        expiry_ms=int(venue.exp_time) if venue.inst_type == "FUTURES" and venue.exp_time else None,
        code=venue.inst_id_code,
        contract_value=value,
        index=venue.uly or f"{base}-{quote}",
    )
    _require_exact(instrument)
    return instrument


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


def _require_exact(instrument: OkxInstrument) -> None:
    """Whatever the hot path takes as a mantissa must be one, in our unit and in contracts."""
    scales = (instrument.price_scale, instrument.size_scale, instrument.size_scale + instrument.contract_shift)
    if min(scales) < 0 or max(scales) > LARGEST_SCALE:
        raise ValueError("its steps have more than 18 decimals")
    to_mantissa(instrument.tick_size, instrument.price_scale)
    to_mantissa(instrument.lot_size, instrument.size_scale)
    to_mantissa(instrument.min_quantity, instrument.size_scale)
