"""A program's own books: position, cash and fees by symbol, made of the fills that it was told, each counted once.

    class MarketMaker(Strategy):
        def on_start(self):
            self.books = Books(self.instrument, "maker.books")

        def on_fill(self, fill):
            self.books.add(fill)

        def on_fill_fee(self, fill):
            self.books.add_fee(fill)

With a file the books outlive the process: they count the fills that a restart recovers too, each once, whether or not it was told
before. Without one they begin with the process: `start_from` takes the position of on_start, which contains what is recovered.

A line of the file is a check sum and a change, about 200 bytes, written in one piece before `add` returns: the file is right
whenever the process is killed. It is not forced onto the disk: a loss of power may take its last lines.
"""

import contextlib
import fcntl
import os
import zlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from nexus_fast.constants import OrderSide
from nexus_fast.error import NexusError
from nexus_fast.exact import OWN, as_decimal
from nexus_fast.exchange.instrument import Instrument
from nexus_fast.private import opener
from nexus_fast.schema import Fill, Position

ZERO = Decimal(0)
REMEMBERED = 100_000             # fills, and orders; what a restart tells again is among the last of them
HEADER = b"nexus_fast books 1\n"


class BooksError(NexusError):
    """The file of the books cannot be used, or what was asked of the books would make them wrong."""


class Entry(Struct, gc=False):
    """One symbol. position: signed, base units or contracts. cash: see Books.cash. fees: by currency."""

    position: Decimal = ZERO
    cash: Decimal = ZERO
    fees: dict[str, Decimal] = field(default_factory=dict)


class Change(Struct, omit_defaults=True, kw_only=True, gc=False):
    """A line of the file. fill, order: whose it is; none for a start. covered: how much of the order the books have with it.
    is_part: a fill without a trade, after which the order's trades may bring nothing new."""

    symbol: str
    fill: str = ""
    order: str = ""
    covered: Decimal = ZERO
    is_part: bool = False
    position: Decimal = ZERO
    cash: Decimal = ZERO
    fee: Decimal | None = None
    fee_currency: str = ""


class Books:
    """instrument: finds the instrument of a symbol, as Strategy.instrument does. path: of the file; None: in memory."""

    def __init__(self, instrument: Callable[[str], Instrument], path: str | Path | None = None):
        self._instrument = instrument
        self._entries: dict[str, Entry] = {}
        self._has_fee: dict[str, bool] = {}                      # by fill
        self._covered: dict[str, tuple[Decimal, bool]] = {}      # by order; and whether a part of it had no trade
        self._file = None if path is None else BooksFile(Path(path))
        if self._file is not None:
            try:
                for change in self._file.read():
                    self._take(change)
            except BaseException:
                self._file.close()
                raise

    # ------------------------------------------------------------------------------------------ what is told

    def add(self, fill: Fill) -> bool:
        """A fill of on_fill. Whether the books changed: a fill that they have changes nothing, and books in memory leave out what
        is recovered."""
        if self._file is None and fill.recovered:
            return False
        name, order = _names(fill)
        if name in self._has_fee:
            return self.add_fee(fill)
        covered, is_part = self._covered.get(order) or (OWN.subtract(fill.order.filled, fill.amount), False)
        amount, is_part = fill.amount, is_part or fill.trade_id is None
        if is_part:
            amount = max(ZERO, min(amount, OWN.subtract(fill.order.filled, covered)))
        signed = amount if fill.side is OrderSide.BUY else amount.copy_negate()
        change = Change(
            symbol=fill.symbol,
            fill=name,
            order=order,
            covered=OWN.add(covered, amount),
            is_part=is_part,
            position=signed,
            cash=self._cash(fill.symbol, signed, fill.price),
            fee=fill.fee,
            fee_currency=fill.fee_currency or "",
        )
        self._note(change)
        return True

    def add_fee(self, fill: Fill) -> bool:
        """A fill of on_fill_fee: its fee, once. Whether the books changed."""
        name, _ = _names(fill)
        if fill.fee is None or self._has_fee.get(name) or (self._file is None and fill.recovered):
            return False
        self._note(Change(symbol=fill.symbol, fill=name, fee=fill.fee, fee_currency=fill.fee_currency or ""))
        return True

    def start_from(self, symbol: str, position: Position | Decimal | None, price: Decimal | float | None = None) -> None:
        """The position that was there before the first fill; None: flat. price: at which it counts as acquired; None: its entry
        price. Raises BooksError when the books have something of the symbol, and where a position has no price."""
        if symbol in self._entries:
            raise BooksError(f"the books have {symbol} already: call start_from() once, before its first fill.")
        if isinstance(position, Position):
            price = position.entry_price if price is None else price
            position = position.signed_amount
        if position and not price:
            raise BooksError(f"start_from({symbol!r}, {position}): say at which price it counts as acquired (price=).")
        signed = position or ZERO
        self._note(Change(symbol=symbol, position=signed, cash=self._cash(symbol, signed, as_decimal(price or ZERO))))

    # ------------------------------------------------------------------------------------------ what they say

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._entries

    def position(self, symbol: str) -> Decimal:
        """Signed; 0 where the books have nothing."""
        return self._entry(symbol).position

    def cash(self, symbol: str) -> Decimal:
        """What sales brought less what purchases cost, without fees; in the quote asset, of inverse contracts in their coin."""
        return self._entry(symbol).cash

    def fees(self, symbol: str | None = None) -> dict[str, Decimal]:
        """What was paid, by currency: for a symbol, or for all. A rebate is below zero."""
        if symbol is not None:
            return dict(self._entry(symbol).fees)
        total: dict[str, Decimal] = {}
        for entry in self._entries.values():
            _add_up(total, entry.fees)
        return total

    def profit(self, symbol: str, price: Decimal | float) -> Decimal:
        """Realized and not, with the position worth this price, in the currency of cash(). Fees are not taken off."""
        entry = self._entry(symbol)
        return OWN.subtract(entry.cash, self._cash(symbol, entry.position, as_decimal(price)))

    def close(self) -> None:
        """Lets go of the file, which another process may have then."""
        if self._file is not None:
            self._file.close()

    # ------------------------------------------------------------------------------------------ within

    def _entry(self, symbol: str) -> Entry:
        return self._entries.get(symbol) or Entry()

    def _cash(self, symbol: str, signed: Decimal, price: Decimal) -> Decimal:
        """What buying this much brings: less than nothing. Of an inverse contract more: its value in the coin falls as its
        price rises."""
        if not signed:
            return ZERO
        instrument = self._instrument(symbol)
        cost = instrument.cost(price, signed)
        return cost if instrument.is_inverse else cost.copy_negate()

    def _note(self, change: Change) -> None:
        if self._file is not None:
            self._file.append(change)
        self._take(change)

    def _take(self, change: Change) -> None:
        entry = self._entries.get(change.symbol)
        if entry is None:
            entry = self._entries[change.symbol] = Entry()
        entry.position = OWN.add(entry.position, change.position)
        entry.cash = OWN.add(entry.cash, change.cash)
        if change.fee is not None:
            _add_up(entry.fees, {change.fee_currency: change.fee})
        if change.fill:
            _remember(self._has_fee, change.fill, change.fee is not None)
        if change.order:
            _remember(self._covered, change.order, (change.covered, change.is_part))


class BooksFile:
    """The lines of one file, which is this process's alone while it is open. Raises BooksError with the file and the remedy."""

    def __init__(self, path: Path):
        self._path = path
        self._descriptor = opener(str(path), os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.close()
            raise BooksError(f"{path}: another process keeps its books in this file; end it, or name another file.") from None
        self._encode = msgspec.json.Encoder().encode

    def read(self) -> Iterator[Change]:
        """What it holds. A last line that was not finished is cut off: its fill is told again."""
        with open(self._path, "rb") as file:
            content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.ftruncate(self._descriptor, whole)
        if not whole:
            self._write(HEADER)
            return
        lines = content[:whole].splitlines()
        if lines[0] + b"\n" != HEADER:
            raise BooksError(f"{self._path} is no file of books: name another file for them.")
        decode = msgspec.json.Decoder(Change).decode
        for number, line in enumerate(lines[1:], 2):
            check, _, text = line.partition(b" ")
            if check != _check_of(text):
                raise self._damaged(number)
            try:
                yield decode(text)
            except msgspec.DecodeError:
                raise self._damaged(number) from None

    def append(self, change: Change) -> None:
        text = self._encode(change)
        self._write(b"%b %b\n" % (_check_of(text), text))

    def _write(self, line: bytes) -> None:
        """All of it or nothing."""
        size = os.fstat(self._descriptor).st_size
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            raise BooksError(f"{self._path}: the books could not be written: {error}") from error
        if written < len(line):
            os.ftruncate(self._descriptor, size)
            raise BooksError(f"{self._path}: the books could not be written: no room is left on the disk")

    def _damaged(self, number: int) -> BooksError:
        return BooksError(
            f"{self._path}: line {number} is damaged, and the books cannot be trusted. Restore the file from a copy, or "
            "move it away and begin again: Books.start_from() takes the position that the venue has."
        )

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


def _names(fill: Fill) -> tuple[str, str]:
    """Of the fill and of its order. Both sides of one trade may be ours; a client id may be used again by a later order."""
    account = f"{fill.account_type} {fill.symbol} {fill.oid}"
    order = f"{account} {fill.eid or ''}"
    return (f"{order} to {fill.order.filled}" if fill.trade_id is None else f"{account} {fill.trade_id}"), order


def _check_of(text: bytes) -> bytes:
    return b"%08x" % zlib.crc32(text)


def _add_up(total: dict[str, Decimal], fees: dict[str, Decimal]) -> None:
    for currency, fee in fees.items():
        total[currency] = OWN.add(total.get(currency, ZERO), fee)


def _remember(known: dict[str, Any], name: str, value: Any) -> None:
    known[name] = value
    if len(known) > REMEMBERED:
        del known[next(iter(known))]
