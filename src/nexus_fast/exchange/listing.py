"""What the readers of all venues' lists of instruments have in common: row by row, and only what the hot path can use."""

from collections.abc import Callable, Iterable
from decimal import Decimal

import msgspec
from msgspec import Raw

from nexus_fast.error import InstrumentError
from nexus_fast.exchange.instrument import LARGEST_SCALE, Instrument, to_mantissa

# Why a row cannot be used: its JSON, its values, or what they lead to.
ODD = (msgspec.MsgspecError, ValueError, ArithmeticError, LookupError, OSError)
NO_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
NAMELESS = "?"                   # a row that was left out without a name that can be read
LONGEST_NAME = 32                # bytes of a venue symbol (feed/symbols.pxd)
LAST_MS = 253_402_300_799_000    # the end of the year 9999
Skipped = list[tuple[str, str]]  # (venue symbol, why the row was left out)


def read_rows(rows: Iterable[Raw], convert: Callable[[bytes], Instrument], name: str) -> tuple[list[Instrument], Skipped]:
    """name: the key that has the venue symbol. A row that cannot be read holds up no other."""
    found, skipped = [], []
    for row in rows:
        try:
            found.append(convert(bytes(row)))
        except ODD as error:
            skipped.append((name_of(row, name), str(error) or type(error).__name__))
    return found, skipped


def name_of(row: Raw, name: str) -> str:
    try:
        found = msgspec.json.decode(row)
    except NO_JSON:
        return NAMELESS
    text = found.get(name) if isinstance(found, dict) else None
    return text if isinstance(text, str) and text else NAMELESS


def no_list(what: str, body: bytes | Raw, error: Exception, endpoint: str) -> InstrumentError:
    """The answer as a whole is none."""
    return InstrumentError(
        f"{what} cannot be read ({error}); it begins {bytes(body)[:80]!r}. Check the `rest` address of {endpoint} in the "
        "endpoints."
    )


def require_usable(instrument: Instrument, *scales: int) -> Instrument:
    """Whatever the hot path takes as a mantissa must be one, and whatever a request or a table takes as a name. scales: others
    than its own in which it is counted. Raises ValueError."""
    _require_name(instrument.venue_symbol)
    _require_numbers(instrument)
    every = (instrument.price_scale, instrument.size_scale, *scales)
    if min(every) < 0 or max(every) > LARGEST_SCALE:
        raise ValueError(f"its steps have more than {LARGEST_SCALE} decimals")
    for price in (instrument.tick_size, instrument.min_price):
        to_mantissa(price, instrument.price_scale)
    sizes = (instrument.lot_size, instrument.min_quantity, instrument.market_lot_size, instrument.market_min_quantity)
    for size in sizes:
        to_mantissa(size, instrument.size_scale)
    if instrument.expiry_ms is not None and not 0 < instrument.expiry_ms <= LAST_MS:
        raise ValueError(f"its expiry {instrument.expiry_ms} is no time in ms")
    return instrument


def _require_name(name: str) -> None:
    if not 0 < len(name.encode()) <= LONGEST_NAME:
        raise ValueError(f"its name has not 1 to {LONGEST_NAME} bytes")
    if not all(letter.isalnum() or letter in "-_." for letter in name):
        raise ValueError("its name has characters that no request may have")


def _require_numbers(instrument: Instrument) -> None:
    for name in instrument.__struct_fields__:
        value = getattr(instrument, name)
        if isinstance(value, Decimal) and not (value.is_finite() and value >= 0):
            raise ValueError(f"its {name} is {value}")
    if not instrument.tick_size or not instrument.lot_size or not instrument.contract_size:
        raise ValueError(f"its steps are {instrument.tick_size} in price and {instrument.lot_size} in quantity")
