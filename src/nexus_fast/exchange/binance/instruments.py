"""Binance's exchangeInfo, of spot, USD-M and COIN-M, as instruments.

Sources: developers.binance.com, rest-api filters.md and common-definition.md. Filters that are not named here are
ignored: the venue adds some every year.
"""

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Literal

import msgspec
from msgspec import Raw, Struct, field

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.exact import OWN
from nexus_fast.exchange.instrument import ROWS_KEPT, Instrument, decimals_of
from nexus_fast.exchange.listing import NO_JSON, Skipped, no_list, read_rows, require_usable
from nexus_fast.identity import InstrumentId

Family = Literal["spot", "usd_m", "coin_m"]
TYPES = {"spot": InstrumentType.SPOT, "usd_m": InstrumentType.LINEAR, "coin_m": InstrumentType.INVERSE}
ZERO = Decimal(0)
# The venue's words for contracts without and with an end. One that is about to end has " DELIVERING" behind its word; one that
# is not traded yet may have none, and then its delivery says: that of a perpetual is far away.
PERPETUAL = ("PERPETUAL", "TRADIFI_PERPETUAL")
DATED = ("CURRENT_MONTH", "NEXT_MONTH", "CURRENT_QUARTER", "NEXT_QUARTER")
ENDING = " DELIVERING"
NEVER_MS = 4_133_404_800_000


class ExchangeInfo(Struct, frozen=True):
    """skipped: symbols that could not be read, with the reason; the others are not held up by them."""

    instruments: list[Instrument]
    skipped: Skipped


class _Answer(Struct):
    symbols: list[Raw]


class _Symbol(Struct, rename="camel"):
    """Of the three families at once: COIN-M says contractStatus, spot has no contract fields."""

    symbol: str
    base_asset: str
    quote_asset: str
    status: str = ""
    contract_status: str = ""
    contract_type: str = ""
    pair: str = ""
    margin_asset: str | None = None
    contract_size: Decimal = Decimal(1)
    delivery_date: int | None = None
    onboard_date: int | None = None
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
    except NO_JSON as error:
        raise no_list(f"Binance {family}: the exchangeInfo", payload, error, "this account") from None
    return ExchangeInfo(*read_rows(answer.symbols, lambda row: _row(family, row), "symbol"))


@lru_cache(ROWS_KEPT)
def _row(family: Family, row: bytes) -> Instrument:
    return _instrument(family, _symbol.decode(row))


def _filters(symbol: _Symbol) -> dict[str, Struct]:
    found = {}
    for raw in symbol.filters:
        name = _name.decode(raw).filter_type
        if name in _FILTERS:
            found[name] = _decoders[_FILTERS[name]].decode(raw)
    return found


def our_symbol(family: Family, venue: _Symbol) -> str:
    """BTCUSDT → BTCUSDT-PERP.BINANCE on usd_m; BTCUSD_260327 → BTCUSD-260327.BINANCE; spot keeps its name."""
    pair = f"{venue.base_asset}{venue.quote_asset}"
    if family == "spot":
        return f"{pair}.BINANCE"
    expiry = _expiry(family, venue)
    if expiry is None:
        return f"{pair}-PERP.BINANCE"
    return f"{pair}-{datetime.fromtimestamp(expiry / 1000, UTC):%y%m%d}.BINANCE"


def _expiry(family: Family, venue: _Symbol) -> int | None:
    """When a dated contract is delivered, in ms; None for what has no end. A perpetual that leaves the list has a delivery date
    as well: the contract's type decides. Raises ValueError for a type that is not known."""
    if family == "spot":
        return None
    kind = venue.contract_type.removesuffix(ENDING)
    if kind in PERPETUAL or (not kind and venue.delivery_date in (None, NEVER_MS)):
        return None
    if kind and kind not in DATED:
        raise ValueError(f"its contract type {venue.contract_type!r} is none of {', '.join(PERPETUAL + DATED)}")
    if venue.delivery_date is None:
        raise ValueError(f"it is a {kind} contract without a delivery date")
    return venue.delivery_date


def _instrument(family: Family, venue: _Symbol) -> Instrument:
    filters = _filters(venue)
    price: _Price = filters.get("PRICE_FILTER") or _Price()
    lot: _Lot = filters.get("LOT_SIZE") or _Lot()
    market: _Lot = filters.get("MARKET_LOT_SIZE") or _Lot()
    tick = price.tick_size or _least(venue.price_precision, venue.quote_precision)
    step = lot.step_size or _least(venue.quantity_precision, venue.base_asset_precision)
    market_step = _coarser(market.step_size, step)
    status = venue.status or venue.contract_status
    symbol = our_symbol(family, venue)
    InstrumentId.from_str(symbol)
    return require_usable(Instrument(
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
        listed_ms=venue.onboard_date,
        index=venue.pair,
        order_types=frozenset(venue.order_types),
        time_in_force=frozenset(venue.time_in_force),
        **_notional(filters),
    ))


def _least(precision: int | None, otherwise: int) -> Decimal:
    """The step that a precision allows, for symbols whose filter leaves the step open (0 disables the rule)."""
    return Decimal(1).scaleb(-(otherwise if precision is None else precision), OWN)


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
