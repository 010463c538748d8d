"""What can be traded: one Instrument per symbol, exact, and the table an engine looks them up in."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import lru_cache

from msgspec import Struct

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.core.decimals import decimal_of, mantissa_at
from nexus_fast.error import InstrumentError, OrderRefusedError
from nexus_fast.exact import OWN, as_decimal, exactly
from nexus_fast.exchange.one_to_one import one_to_one, venue_key
from nexus_fast.identity import InstrumentId, learn

# Mantissas have at most 18 digits, so that they and their sums fit an int64.
LARGEST_MANTISSA = 10**18 - 1
LARGEST_SCALE = 18
LARGEST_EXPONENT = 36            # of a price or an amount of a user's; the steps of its rounding have room for more
# Rows of a venue's list that are remembered with what they became: a list that is read again then costs a look-up a row, not the
# tenth of a millisecond in which no tick is read.
ROWS_KEPT = 16_384
ROUNDINGS = {"round": ROUND_HALF_UP, "ceil": ROUND_CEILING, "floor": ROUND_FLOOR}
_COIN = Decimal("1e-8")


def decimals_of(value: Decimal) -> int:
    """Decimals that the value needs: 0.00010000 needs 4, 100 needs 0."""
    exponent = value.normalize(OWN).as_tuple().exponent
    return max(0, -int(exponent))


def to_mantissa(value: Decimal, scale: int) -> int:
    """value * 10**scale. Raises ValueError when that is no integer or has more than 18 digits."""
    found = mantissa_at(value, scale)
    if found is not None:
        return found
    if not value.is_finite():
        raise ValueError(f"{value} is not a finite number")
    if value.adjusted() + scale >= 18:
        raise ValueError(f"{value} with {scale} decimals has more than 18 digits")
    raise ValueError(f"{value} has more than {scale} decimals")


def from_mantissa(mantissa: int, scale: int) -> Decimal:
    """mantissa * 10**-scale, exact."""
    return decimal_of(mantissa, scale)


def exact(value: Decimal | float | int | str, what: str) -> Decimal:
    """As a finite Decimal; a float counts as the decimal text that Python prints for it."""
    try:
        number = as_decimal(value)
    except ArithmeticError:
        raise OrderRefusedError(f"the {what} {value!r} is not a number") from None
    if not number.is_finite():
        raise OrderRefusedError(f"the {what} {value!r} is not a finite number")
    if number.adjusted() > LARGEST_EXPONENT:
        raise OrderRefusedError(f"the {what} {value!r} is larger than any {what} there is")
    return number


def round_to_step(value: Decimal, step: Decimal, mode: str = "round", offset: Decimal = Decimal(0)) -> Decimal:
    """The multiple of `step`, counted from `offset`, at or beside `value`; with the step's decimals.

    mode: "round" (halves away from zero), "ceil" (towards plus infinity), "floor" (towards minus infinity).
    """
    if mode not in ROUNDINGS:
        raise ValueError(f"mode={mode!r} is not one of {', '.join(map(repr, ROUNDINGS))}")
    quantum = _quantum(step, offset)
    if quantum is not None:
        return value.quantize(quantum, ROUNDINGS[mode], OWN)
    decimals = max(decimals_of(step), decimals_of(offset))
    if step == 0:
        return value
    # Integers throughout: no division whose result would have to be cut.
    scale = max(decimals, decimals_of(value))
    unit, distance = int(step.scaleb(scale, OWN)), int(OWN.subtract(value, offset).scaleb(scale, OWN))
    steps, rest = divmod(distance, unit)
    if mode == "ceil" and rest:
        steps += 1
    elif mode == "round" and (2 * rest > unit or (2 * rest == unit and distance >= 0)):
        steps += 1
    whole = OWN.add(OWN.multiply(Decimal(steps), step), offset)
    return whole.quantize(Decimal(1).scaleb(-decimals, OWN), context=OWN)


@lru_cache(maxsize=4096)
def _quantum(step: Decimal, offset: Decimal) -> Decimal | None:
    """What rounds to a step of 1, 0.1, 0.01 … in one operation: most symbols have such a step. None for the others."""
    quantum = Decimal(1).scaleb(-decimals_of(step), OWN)
    return quantum if step == quantum and OWN.remainder(offset, step) == 0 else None


@lru_cache(maxsize=4096)
def _remainder(value: Decimal, step: Decimal) -> Decimal:
    return OWN.remainder(value, step or 1)


class Instrument(Struct, frozen=True, kw_only=True):
    """One symbol of one venue.

    symbol: ours (BTCUSDT-PERP.BINANCE); venue_symbol: the venue's (BTCUSDT). status: the venue's word; active: orders
    may be placed now. Quantities are in base units, or in contracts where contract_size is not 1 (COIN-M). Those of OKX are
    contracts times their value (exchange/okx/instruments.py).
    A market order's own limits are those with `market_`; where the venue sets none they are the general ones.
    Zero in a minimum and None in a maximum mean that the venue has no such limit. Prices are min_price plus a multiple
    of tick_size. min_notional, max_notional: price times quantity in the quote asset. expiry_ms: None for perpetuals.
    listed_ms: since when the venue lists it, None where it does not say; the same name with another time is another contract.
    index: the venue's name of the index that it refers to, "" where it has none.

    price_scale is the least number of decimals in which every permitted price is exact (tick and minimum), size_scale
    the same for quantities. Venues print more decimals than that ("25.35190000"); as those are zeros, rescaling is
    exact. A mantissa is value * 10**scale.
    """

    symbol: str
    venue_symbol: str
    exchange: ExchangeType
    type: InstrumentType
    base: str
    quote: str
    settle: str | None = None
    status: str = "TRADING"
    active: bool = True

    price_scale: int
    size_scale: int
    tick_size: Decimal
    lot_size: Decimal
    min_price: Decimal = Decimal(0)
    max_price: Decimal | None = None
    min_quantity: Decimal = Decimal(0)
    max_quantity: Decimal | None = None
    market_lot_size: Decimal
    market_min_quantity: Decimal = Decimal(0)
    market_max_quantity: Decimal | None = None
    min_notional: Decimal = Decimal(0)
    max_notional: Decimal | None = None
    min_notional_on_market: bool = True
    max_notional_on_market: bool = False
    contract_size: Decimal = Decimal(1)
    expiry_ms: int | None = None
    listed_ms: int | None = None
    index: str = ""
    order_types: frozenset[str] = frozenset()
    time_in_force: frozenset[str] = frozenset()

    @property
    def is_spot(self) -> bool:
        return self.type is InstrumentType.SPOT

    @property
    def is_linear(self) -> bool:
        return self.type is InstrumentType.LINEAR

    @property
    def is_inverse(self) -> bool:
        return self.type is InstrumentType.INVERSE

    @exactly
    def cost(self, price: Decimal, quantity: Decimal) -> Decimal:
        """What a quantity is worth at a price: in the quote asset, for an inverse contract in the coin, cut off at 8 decimals."""
        if self.is_inverse:
            return (quantity * self.contract_size / price).quantize(_COIN, ROUND_DOWN) if price else Decimal(0)
        return price * quantity * self.contract_size

    # ---- the same as integers, for the tables of the hot path

    @property
    def tick_mantissa(self) -> int:
        """In units of 10**-price_scale; at least 1."""
        return max(1, to_mantissa(self.tick_size, self.price_scale))

    @property
    def min_price_mantissa(self) -> int:
        return to_mantissa(self.min_price, self.price_scale)

    @property
    def max_price_mantissa(self) -> int:
        """The largest mantissa there is where the venue has no limit."""
        return _bound(self.max_price, self.price_scale)

    @property
    def lot_mantissa(self) -> int:
        """In units of 10**-size_scale; at least 1."""
        return max(1, to_mantissa(self.lot_size, self.size_scale))

    @property
    def min_quantity_mantissa(self) -> int:
        return to_mantissa(self.min_quantity, self.size_scale)

    @property
    def max_quantity_mantissa(self) -> int:
        return _bound(self.max_quantity, self.size_scale)

    @property
    def market_lot_mantissa(self) -> int:
        return max(1, to_mantissa(self.market_lot_size, self.size_scale))

    @property
    def market_min_quantity_mantissa(self) -> int:
        return to_mantissa(self.market_min_quantity, self.size_scale)

    @property
    def market_max_quantity_mantissa(self) -> int:
        return _bound(self.market_max_quantity, self.size_scale)

    # ---- rounding

    def round_price(self, price: Decimal | float | str, mode: str = "round") -> Decimal:
        return round_to_step(exact(price, "price"), self.tick_size, mode, _remainder(self.min_price, self.tick_size))

    def round_quantity(self, quantity: Decimal | float | str, mode: str = "round") -> Decimal:
        return round_to_step(exact(quantity, "amount"), self.lot_size, mode)

    def smallest_quantity(self, price: Decimal | float | str) -> Decimal:
        """The least amount the venue takes at this price, with 1 % to spare on the notional, rounded up to the lot."""
        price = exact(price, "price")
        if price <= 0:
            raise OrderRefusedError(f"{self.symbol}: the price {price} is not positive")
        least = self.min_quantity
        if self.min_notional:
            per_unit = price if self.type is not InstrumentType.INVERSE else self.contract_size
            least = max(least, OWN.divide(OWN.multiply(self.min_notional, Decimal("1.01")), per_unit))
        return self.round_quantity(max(least, self.lot_size), "ceil")


def _bound(limit: Decimal | None, scale: int) -> int:
    """A maximum as a mantissa, rounded down; no limit, or one beyond 18 digits, is the largest mantissa."""
    if limit is None or limit.adjusted() + scale >= LARGEST_SCALE:
        return LARGEST_MANTISSA
    return int(limit.scaleb(scale, OWN))


def _is_of_kind(instrument: Instrument, wanted: InstrumentId) -> bool:
    """Spot, linear or inverse, and a perpetual or dated: one is no substitute for another."""
    is_dated = "-" in wanted.id and not wanted.id.endswith("-PERP")
    return instrument.type is wanted.type and (instrument.expiry_ms is not None) == is_dated


def _hint(wanted: InstrumentId, alike: list[str], every: Iterable[Instrument]) -> str:
    """alike: what the exchange has of this kind. Of another exchange only the very name is suggested."""
    from difflib import get_close_matches

    names = {symbol.partition(".")[0].removesuffix("-PERP"): symbol for symbol in alike}
    near = [names[name] for name in get_close_matches(wanted.id.removesuffix("-PERP"), list(names), n=3, cutoff=0.75)]
    if not near:
        near = [i.symbol for i in every if i.symbol.partition(".")[0] == wanted.id and _is_of_kind(i, wanted)]
    if near:
        return f"did you mean {', '.join(near)}?"
    term = "" if wanted.is_spot else " perpetual" if wanted.id.endswith("-PERP") else " dated"
    kind = f"{wanted.type.value}{term}"
    if alike:
        return f"none of its {len(alike)} {kind} symbols is like it."
    return f"none of them is {kind}: a public connector of that kind is missing, or the venue does not list it."


class InstrumentTable:
    """All instruments an engine knows, by symbol and by the venue's own name."""

    def __init__(self, instruments: Iterable[Instrument] = ()):
        """twins: what was left out, each with what has its symbol (one_to_one.py); reachable by no symbol."""
        self._by_symbol: dict[str, Instrument] = {}
        self._by_venue: dict[tuple, Instrument] = {}
        kept, self.twins = one_to_one(instruments)
        for instrument in kept:
            self._by_symbol[instrument.symbol] = self._by_venue[venue_key(instrument)] = instrument
            learn(instrument.symbol, instrument.type)

    def replace(self, instrument: Instrument) -> None:
        """Its filters are others now. Raises InstrumentError where its symbol stands for another name of the venue's."""
        known = self.get(instrument.symbol)
        if venue_key(known) != venue_key(instrument):
            raise InstrumentError(
                f"{known.symbol} stands for {known.venue_symbol} and cannot stand for {instrument.venue_symbol} as well; "
                "restart to use that one."
            )
        self._by_symbol[known.symbol] = self._by_venue[venue_key(known)] = instrument

    def __len__(self) -> int:
        return len(self._by_symbol)

    def __iter__(self):
        return iter(self._by_symbol.values())

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._by_symbol

    def find(self, symbol: str) -> Instrument | None:
        return self._by_symbol.get(symbol)

    def get(self, symbol: str) -> Instrument:
        """Raises InstrumentError: the grammar for what is no symbol, the nearest names for what is not listed."""
        instrument = self._by_symbol.get(symbol)
        if instrument is None:
            raise self._unknown(symbol)
        return instrument

    def _unknown(self, symbol: str) -> InstrumentError:
        parsed = InstrumentId.from_str(symbol)
        exchange = parsed.exchange
        listed = [i for i in self if i.exchange is exchange]
        if not listed:
            return InstrumentError(
                f"{symbol!r}: no instruments of {exchange.name} are loaded; add a public connector of that exchange "
                "to Config.public_conn_config."
            )
        alike = [i.symbol for i in listed if _is_of_kind(i, parsed)]
        return InstrumentError(
            f"{symbol!r} is not among the {len(listed)} symbols loaded from {exchange.name}; {_hint(parsed, alike, self)}"
        )

    def by_venue_symbol(self, exchange: ExchangeType, type: InstrumentType, venue_symbol: str) -> Instrument | None:
        return self._by_venue.get((exchange, type, venue_symbol))

    def symbols(
        self,
        exchange: ExchangeType,
        type: InstrumentType,
        base: str | None = None,
        quote: str | None = None,
        exclude: Iterable[str] | None = None,
        dated: bool | None = False,
    ) -> list[str]:
        """Active symbols of one kind. dated: False for perpetuals and spot, True for dated futures, None for both."""
        excluded = set(exclude or ())
        return [
            i.symbol
            for i in self
            if i.exchange is exchange
            and i.type is type
            and i.active
            and (dated is None or dated == (i.expiry_ms is not None))
            and (base is None or i.base == base)
            and (quote is None or i.quote == quote)
            and i.symbol not in excluded
        ]
