"""Bybit's instruments-info of spot, linear and inverse as instruments.

Source: bybit-exchange.github.io/docs/v5/market/instrument, one `result` per page. Fields that are not named here are ignored.

    BTCUSDT, BTCPERP (in USDC)       BTCUSDT-PERP.BYBIT, BTCUSDC-PERP.BYBIT
    BTCUSDT-26DEC25, BTC-26DEC25     BTCUSDT-251226.BYBIT, BTCUSDC-251226.BYBIT
    BTCUSD, BTCUSDZ25                BTCUSD-PERP.BYBIT, BTCUSD-251226.BYBIT: quantities in contracts of one US dollar
"""

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

import msgspec
from msgspec import Raw, Struct, field

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.exact import exactly
from nexus_fast.exchange.instrument import ROWS_KEPT, Instrument, decimals_of
from nexus_fast.exchange.listing import NO_JSON, Skipped, no_list, read_rows, require_usable
from nexus_fast.identity import InstrumentId

TYPES = {"spot": InstrumentType.SPOT, "linear": InstrumentType.LINEAR, "inverse": InstrumentType.INVERSE}
CATEGORIES = {type: category for category, type in TYPES.items()}
PATH = "/v5/market/instruments-info"
ZERO = Decimal(0)
TRADING = "Trading"
PERPETUALS = ("LinearPerpetual", "InversePerpetual")
FUTURES = ("LinearFutures", "InverseFutures")


class _Page(Struct):
    rows: list[Raw] = field(name="list")


class _Price(Struct, rename="camel"):
    tick_size: Decimal
    min_price: Decimal = ZERO
    max_price: Decimal = ZERO


class _Lot(Struct, rename="camel"):
    """Spot has basePrecision, minOrderAmt and maxLimitOrderQty, the contracts qtyStep, minNotionalValue and maxMktOrderQty."""

    min_order_qty: Decimal = ZERO
    max_order_qty: Decimal = ZERO
    base_precision: Decimal = ZERO
    qty_step: Decimal = ZERO
    min_order_amt: Decimal = ZERO
    min_notional_value: Decimal = ZERO
    max_limit_order_qty: Decimal = ZERO
    max_market_order_qty: Decimal = ZERO
    max_mkt_order_qty: Decimal = ZERO

    @property
    def step(self) -> Decimal:
        return self.qty_step or self.base_precision

    @property
    def most(self) -> Decimal | None:
        return self.max_limit_order_qty or self.max_order_qty or None

    @property
    def market_most(self) -> Decimal | None:
        return self.max_market_order_qty or self.max_mkt_order_qty or self.max_order_qty or None


class _Symbol(Struct, rename="camel"):
    symbol: str
    base_coin: str
    quote_coin: str
    price_filter: _Price
    lot_size_filter: _Lot
    status: str = ""
    contract_type: str = ""
    settle_coin: str | None = None
    delivery_time: str = "0"
    launch_time: str = ""


_page = msgspec.json.Decoder(_Page)
_symbol = msgspec.json.Decoder(_Symbol)


def parse_instruments(category: str, result: bytes | Raw) -> tuple[list[Instrument], Skipped]:
    """The instruments of one page, and what was left out: (venue symbol, reason). Raises InstrumentError when the answer as a
    whole is no list of instruments."""
    try:
        rows = _page.decode(result).rows
    except NO_JSON as error:
        raise no_list(f"Bybit {category}: the list of instruments", result, error, "[bybit]") from None
    return read_rows(rows, lambda row: _row(category, row), "symbol")


@lru_cache(ROWS_KEPT)
def _row(category: str, row: bytes) -> Instrument:
    return _instrument(category, _symbol.decode(row))


def our_symbol(category: str, venue: _Symbol) -> str:
    """Raises ValueError for a kind of contract that has no name here."""
    if category == "spot":
        return f"{venue.base_coin}{venue.quote_coin}.BYBIT"
    if venue.contract_type not in PERPETUALS + FUTURES:
        raise ValueError(f"its contract type {venue.contract_type!r} is none of {', '.join(PERPETUALS + FUTURES)}")
    tail = "PERP"
    if venue.contract_type in FUTURES:
        tail = datetime.fromtimestamp(int(venue.delivery_time) / 1000, UTC).strftime("%y%m%d")
    return f"{venue.base_coin}{venue.quote_coin}-{tail}.BYBIT"


def _instrument(category: str, venue: _Symbol) -> Instrument:
    price, lot = venue.price_filter, venue.lot_size_filter
    if not venue.symbol.isascii():
        raise ValueError("its name has characters that no request may have")
    symbol = our_symbol(category, venue)
    InstrumentId.from_str(symbol)
    # Prices are counted from the tick: the least price of an inverse contract need not be a multiple of it.
    return require_usable(Instrument(
        symbol=symbol,
        venue_symbol=venue.symbol,
        exchange=ExchangeType.BYBIT,
        type=TYPES[category],
        base=venue.base_coin,
        quote=venue.quote_coin,
        settle=None if category == "spot" else venue.settle_coin or venue.quote_coin,
        status=venue.status,
        active=venue.status == TRADING,
        price_scale=max(decimals_of(price.tick_size), decimals_of(price.min_price)),
        size_scale=max(decimals_of(lot.step), decimals_of(lot.min_order_qty)),
        tick_size=price.tick_size,
        lot_size=lot.step,
        min_price=_multiple(price.min_price, price.tick_size),
        max_price=price.max_price or None,
        min_quantity=lot.min_order_qty,
        max_quantity=lot.most,
        market_lot_size=lot.step,
        market_min_quantity=lot.min_order_qty,
        market_max_quantity=lot.market_most,
        min_notional=lot.min_order_amt or lot.min_notional_value,
        expiry_ms=int(venue.delivery_time) if venue.contract_type in FUTURES else None,
        listed_ms=int(venue.launch_time or 0) or None,
    ))


@exactly
def _multiple(price: Decimal, tick: Decimal) -> Decimal:
    """The least multiple of the tick that is not below the price."""
    if not tick:
        return price
    rest = price % tick
    return price if not rest else price - rest + tick
