"""Binance's exchangeInfo, of spot, USD-M and COIN-M, as instruments.

Sources: developers.binance.com, rest-api filters.md and common-definition.md. Filters that are not named here are
ignored: the venue adds some every year.
"""

from decimal import Decimal
from functools import lru_cache
from typing import Literal

import msgspec
from msgspec import Raw, Struct, field

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.error import InstrumentError
from nexus_fast.exchange.instrument import LARGEST_SCALE, ROWS_KEPT, Instrument, decimals_of, to_mantissa
from nexus_fast.identity import InstrumentId

Family = Literal["spot", "usd_m", "coin_m"]
TYPES = {"spot": InstrumentType.SPOT, "usd_m": InstrumentType.LINEAR, "coin_m": InstrumentType.INVERSE}
ZERO = Decimal(0)


class RateLimit(Struct, rename="camel", frozen=True):
    """limit per interval_num intervals (SECOND, MINUTE, DAY)."""

    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int

    @property
    def seconds(self) -> int:
        return {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400}.get(self.interval, 60) * self.interval_num


class ExchangeInfo(Struct, frozen=True):
    """skipped: symbols that could not be read, with the reason; the others are not held up by them."""

    instruments: list[Instrument]
    skipped: list[tuple[str, str]]
    rate_limits: list[RateLimit]
    server_time_ms: int


class _Answer(Struct, rename="camel"):
    symbols: list[Raw]
    rate_limits: list[RateLimit] = []
    server_time: int = 0


class _Symbol(Struct, rename="camel"):
    """Of the three families at once: COIN-M says contractStatus, spot has no contract fields."""

    symbol: str
    base_asset: str
    quote_asset: str
    status: str = ""
    contract_status: str = ""
    margin_asset: str | None = None
    contract_size: Decimal = Decimal(1)
    delivery_date: int | None = None
    price_precision: int | None = None
    quantity_precision: int | None = None
    quote_precision: int = 8
    base_asset_precision: int = 8
    order_types: list[str] = []
    time_in_force: list[str] = []
    filters: list[Raw] = []


class _FilterName(Struct):
    filter_type: str = field(name="filterType")


class _Price(Struct, rename="camel"):
    min_price: Decimal = ZERO
    max_price: Decimal = ZERO
    tick_size: Decimal = ZERO


class _Lot(Struct, rename="camel"):
    min_qty: Decimal = ZERO
    max_qty: Decimal = ZERO
    step_size: Decimal = ZERO


class _Notional(Struct, rename="camel"):
    """NOTIONAL and MIN_NOTIONAL of spot; MIN_NOTIONAL of futures, where the key is `notional`."""

    min_notional: Decimal = ZERO
    notional: Decimal = ZERO
    max_notional: Decimal = ZERO
    apply_min_to_market: bool = True
    apply_to_market: bool = True
    apply_max_to_market: bool = False


_FILTERS = {
    "PRICE_FILTER": _Price,
    "LOT_SIZE": _Lot,
    "MARKET_LOT_SIZE": _Lot,
    "MIN_NOTIONAL": _Notional,
    "NOTIONAL": _Notional,
}
_answer = msgspec.json.Decoder(_Answer)
_symbol = msgspec.json.Decoder(_Symbol)
_name = msgspec.json.Decoder(_FilterName)
_decoders = {kind: msgspec.json.Decoder(kind) for kind in set(_FILTERS.values())}


def parse_exchange_info(family: Family, payload: bytes) -> ExchangeInfo:
    """Raises InstrumentError when the answer as a whole is not an exchangeInfo."""
    try:
        answer = _answer.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InstrumentError(
            f"Binance {family}: the exchangeInfo cannot be read ({error}); it begins {bytes(payload[:80])!r}. "
            "Check the `rest` address of this account in the endpoints."
        ) from None
    instruments, skipped = [], []
    for raw in answer.symbols:
        try:
            instruments.append(_row(family, bytes(raw)))
        except (msgspec.MsgspecError, ValueError, ArithmeticError) as error:
            skipped.append((_symbol_name(raw), str(error)))
    return ExchangeInfo(instruments, skipped, answer.rate_limits, answer.server_time)


@lru_cache(ROWS_KEPT)
def _row(family: Family, row: bytes) -> Instrument:
    return _instrument(family, _symbol.decode(row))


def _symbol_name(raw: Raw) -> str:
    class Name(Struct):
        symbol: str = "?"

    try:
        return msgspec.json.decode(raw, type=Name).symbol
    except msgspec.MsgspecError:
        return "?"


def _filters(symbol: _Symbol) -> dict[str, Struct]:
    found = {}
    for raw in symbol.filters:
        name = _name.decode(raw).filter_type
        if name in _FILTERS:
            found[name] = _decoders[_FILTERS[name]].decode(raw)
    return found


def our_symbol(family: Family, venue_symbol: str, base: str, quote: str) -> str:
    """BTCUSDT → BTCUSDT-PERP.BINANCE on usd_m; BTCUSD_260327 → BTCUSD-260327.BINANCE; spot keeps its name."""
    if family == "spot":
        return f"{base}{quote}.BINANCE"
    tail = venue_symbol.partition("_")[2]
    return f"{base}{quote}-{tail or 'PERP'}.BINANCE"


def _expiry(family: Family, symbol: _Symbol) -> int | None:
    tail = symbol.symbol.partition("_")[2]
    return symbol.delivery_date if family != "spot" and tail not in ("", "PERP") else None


def _instrument(family: Family, venue: _Symbol) -> Instrument:
    filters = _filters(venue)
    price: _Price = filters.get("PRICE_FILTER") or _Price()
    lot: _Lot = filters.get("LOT_SIZE") or _Lot()
    market: _Lot = filters.get("MARKET_LOT_SIZE") or _Lot()
    tick = price.tick_size or _least(venue.price_precision, venue.quote_precision)
    step = lot.step_size or _least(venue.quantity_precision, venue.base_asset_precision)
    market_step = _coarser(market.step_size, step)
    status = venue.status or venue.contract_status
    symbol = our_symbol(family, venue.symbol, venue.base_asset, venue.quote_asset)
    InstrumentId.from_str(symbol)
    instrument = Instrument(
        symbol=symbol,
        venue_symbol=venue.symbol,
        exchange=ExchangeType.BINANCE,
        type=TYPES[family],
        base=venue.base_asset,
        quote=venue.quote_asset,
        settle=None if family == "spot" else venue.margin_asset or venue.quote_asset,
        status=status,
        active=status == "TRADING",
        price_scale=max(decimals_of(tick), decimals_of(price.min_price)),
        size_scale=max(map(decimals_of, (step, market_step, lot.min_qty, market.min_qty))),
        tick_size=tick,
        lot_size=step,
        min_price=price.min_price,
        max_price=price.max_price or None,
        min_quantity=lot.min_qty,
        max_quantity=lot.max_qty or None,
        market_lot_size=market_step,
        market_min_quantity=max(market.min_qty, lot.min_qty),
        market_max_quantity=_smaller(market.max_qty, lot.max_qty),
        contract_size=venue.contract_size,
        expiry_ms=_expiry(family, venue),
        order_types=frozenset(venue.order_types),
        time_in_force=frozenset(venue.time_in_force),
        **_notional(filters),
    )
    _require_exact(instrument)
    return instrument


def _least(precision: int | None, otherwise: int) -> Decimal:
    """The step that a precision allows, for symbols whose filter leaves the step open (0 disables the rule)."""
    return Decimal(1).scaleb(-(otherwise if precision is None else precision))


def _coarser(market_step: Decimal, step: Decimal) -> Decimal:
    """A market order obeys both steps; one is a multiple of the other on this venue."""
    return max(market_step, step)


def _smaller(first: Decimal, second: Decimal) -> Decimal | None:
    limits = [limit for limit in (first, second) if limit]
    return min(limits) if limits else None


def _notional(filters: dict[str, Struct]) -> dict[str, object]:
    newer: _Notional | None = filters.get("NOTIONAL")
    older: _Notional | None = filters.get("MIN_NOTIONAL")
    used = newer or older or _Notional()
    return {
        "min_notional": used.min_notional or used.notional,
        "max_notional": used.max_notional or None,
        "min_notional_on_market": used.apply_min_to_market if newer else used.apply_to_market,
        "max_notional_on_market": used.apply_max_to_market,
    }


def _require_exact(instrument: Instrument) -> None:
    """Whatever the hot path takes as a mantissa must be one."""
    if max(instrument.price_scale, instrument.size_scale) > LARGEST_SCALE:
        raise ValueError("its steps have more than 18 decimals")
    to_mantissa(instrument.tick_size, instrument.price_scale)
    to_mantissa(instrument.min_price, instrument.price_scale)
    to_mantissa(instrument.lot_size, instrument.size_scale)
    to_mantissa(instrument.market_lot_size, instrument.size_scale)
    to_mantissa(instrument.min_quantity, instrument.size_scale)
    to_mantissa(instrument.market_min_quantity, instrument.size_scale)
