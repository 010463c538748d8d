"""Symbols: `BASEQUOTE[-PERP|-YYMMDD].EXCHANGE`, parsed once and remembered.

    USDCUSDT.BINANCE         spot
    USDCUSDT-PERP.BINANCE    perpetual, linear: margined in its quote asset
    BTCUSD-PERP.BINANCE      perpetual, inverse: quoted in USD, margined in its base asset
    BTCUSDT-251226.BINANCE   dated, linear

The prefix is the venue's own and may hold any letter that the venue lists, also outside ASCII, in capitals.
"""

from datetime import datetime

from msgspec import Struct

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.error import InstrumentError

GRAMMAR = (
    "a symbol is BASEQUOTE[-PERP|-YYMMDD].EXCHANGE, such as USDCUSDT.BINANCE (spot), USDCUSDT-PERP.BINANCE "
    "(linear perpetual), BTCUSD-PERP.BINANCE (inverse perpetual), BTCUSDT-251226.BINANCE (dated)"
)


class InstrumentId(Struct, frozen=True):
    """A symbol taken apart. id: the part before the dot. type: SPOT, LINEAR or INVERSE."""

    id: str
    symbol: str
    exchange: ExchangeType
    type: InstrumentType

    @property
    def is_spot(self) -> bool:
        return self.type is InstrumentType.SPOT

    @property
    def is_linear(self) -> bool:
        return self.type is InstrumentType.LINEAR

    @property
    def is_inverse(self) -> bool:
        return self.type is InstrumentType.INVERSE

    @classmethod
    def from_str(cls, symbol: str) -> "InstrumentId":
        """Raises InstrumentError, with the grammar, for what is not a symbol."""
        known = _parsed.get(symbol)
        if known is None:
            known = _parsed[str(symbol)] = _parse(symbol)
        return known


# Grows with the symbols a program names, a few hundred at most: text that is not a symbol is not kept.
_parsed: dict[str, InstrumentId] = {}


def learn(symbol: str, type: InstrumentType) -> None:
    """A venue's list says what kind this symbol is: from now on so does InstrumentId."""
    parsed = InstrumentId.from_str(symbol)
    if parsed.type is not type:
        _parsed[symbol] = InstrumentId(id=parsed.id, symbol=symbol, exchange=parsed.exchange, type=type)


def _refuse(symbol: object, why: str) -> InstrumentError:
    return InstrumentError(f"{symbol!r} is not a symbol: {why}; {GRAMMAR}.")


def _parse(symbol: str) -> InstrumentId:
    if not isinstance(symbol, str):
        raise _refuse(symbol, f"it is a {type(symbol).__name__}")
    prefix, dot, suffix = symbol.partition(".")
    if not dot or not suffix:
        raise _refuse(symbol, "the exchange is missing")
    if "." in suffix:
        raise _refuse(symbol, "it has more than one dot")
    if suffix not in ExchangeType.__members__:
        raise _refuse(symbol, f"there is no exchange {suffix!r} (there are {', '.join(ExchangeType.__members__)})")
    return InstrumentId(id=prefix, symbol=str(symbol), exchange=ExchangeType[suffix], type=_type_of(symbol, prefix))


def _type_of(symbol: str, prefix: str) -> InstrumentType:
    pair, dash, tail = prefix.partition("-")
    if not pair or any(c.isspace() or not c.isprintable() for c in prefix):
        raise _refuse(symbol, "the pair is missing or has blanks in it")
    if pair != pair.upper():
        raise _refuse(symbol, "the pair is not in capitals")
    if not dash:
        return InstrumentType.SPOT
    if tail != "PERP" and not _is_date(tail):
        raise _refuse(symbol, f"{'-' + tail!r} is neither -PERP nor a date -YYMMDD")
    # By the text alone, as NexusTrader does, until the venue's own list has been read (learn): text cannot tell
    # BNB quoted in USD, which is inverse, from BN quoted in BUSD, which is linear.
    return InstrumentType.INVERSE if pair.endswith("USD") else InstrumentType.LINEAR


def _is_date(text: str) -> bool:
    if len(text) != 6 or not text.isascii() or not text.isdigit():
        return False
    try:
        datetime.strptime(text, "%y%m%d")
    except ValueError:
        return False
    return True


class Symbol(str):
    """A symbol that knows its parts; raises as InstrumentId.from_str does."""

    __slots__ = ("_instrument_id",)
    _instrument_id: InstrumentId

    def __new__(cls, value: str) -> "Symbol":
        instance = str.__new__(cls, value)
        instance._instrument_id = InstrumentId.from_str(str(value))
        return instance

    @property
    def is_spot(self) -> bool:
        return self._instrument_id.is_spot

    @property
    def is_linear(self) -> bool:
        return self._instrument_id.is_linear

    @property
    def is_inverse(self) -> bool:
        return self._instrument_id.is_inverse

    @property
    def id(self) -> str:
        return self._instrument_id.id

    @property
    def exchange(self) -> ExchangeType:
        return self._instrument_id.exchange

    @property
    def type(self) -> InstrumentType:
        return self._instrument_id.type
