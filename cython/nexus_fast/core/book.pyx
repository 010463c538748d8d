"""BookL1: best bid and ask of one symbol, as NexusTrader's programs know it, with the exact values beside the floats.

The feed makes one per tick for Python strategies (`bookl1_from_record`: a freelist slot, a 128-byte copy, two
references); programs and tests make them by hand from floats. Either way an instance never changes.
"""

cimport cython
from libc.string cimport memcpy, memset

from nexus_fast.core.decimals cimport exact_decimal
from nexus_fast.core.types cimport NX_FLAG_NO_ASK, NX_FLAG_NO_BID, NX_FLAG_PASSED, NX_FLAG_STALE, nx_bookl1

from decimal import Decimal

cdef double NAN = float("nan")


cdef inline bint has_both(BookL1 book) noexcept:
    return not book._record.flags & (NX_FLAG_NO_BID | NX_FLAG_NO_ASK)


cdef object decimal_of(BookL1 book, int64_t mantissa, int scale, double value):
    return exact_decimal(mantissa, scale) if book._exact else Decimal(repr(value))


cdef tuple public_fields(BookL1 book):
    return (book.exchange, book.symbol, book._record.bid_value, book._record.ask_value,
            book._record.bid_size_value, book._record.ask_size_value, book.timestamp)


@cython.final
@cython.freelist(64)
@cython.no_gc
cdef class BookL1:
    """BookL1(exchange, symbol, bid, ask, bid_size, ask_size, timestamp); prices and sizes as floats, timestamp in ms.

    A side that the venue sent empty has has_bid or has_ask False and zeros; mid, spread and weighted_mid are then NaN.
    """

    __match_args__ = ("exchange", "symbol", "bid", "ask", "bid_size", "ask_size", "timestamp")

    def __init__(self, object exchange, str symbol not None, double bid, double ask, double bid_size, double ask_size,
                 int64_t timestamp):
        if self.symbol is not None:
            raise TypeError("a BookL1 never changes: make another one")
        memset(&self._record, 0, sizeof(nx_bookl1))
        self._record.bid_value = bid
        self._record.ask_value = ask
        self._record.bid_size_value = bid_size
        self._record.ask_size_value = ask_size
        self.exchange = exchange
        self.symbol = symbol
        self.timestamp = timestamp

    @property
    def bid(self):
        return self._record.bid_value

    @property
    def ask(self):
        return self._record.ask_value

    @property
    def bid_size(self):
        return self._record.bid_size_value

    @property
    def ask_size(self):
        return self._record.ask_size_value

    @property
    def mid(self):
        """The middle of bid and ask; NaN without both."""
        return (self._record.bid_value + self._record.ask_value) / 2 if has_both(self) else NAN

    @property
    def spread(self):
        """ask - bid; NaN without both."""
        return self._record.ask_value - self._record.bid_value if has_both(self) else NAN

    @property
    def weighted_mid(self):
        """The middle weighted by the other side's size; the plain one where both sizes are zero."""
        cdef double total = self._record.bid_size_value + self._record.ask_size_value
        if not has_both(self) or total == 0:
            return self.mid
        return (self._record.bid_value * self._record.ask_size_value
                + self._record.ask_value * self._record.bid_size_value) / total

    @property
    def bid_decimal(self):
        """The venue's own decimal, exact; of an object made from floats the shortest decimal of the float."""
        return decimal_of(self, self._record.bid, self._record.price_scale, self._record.bid_value)

    @property
    def ask_decimal(self):
        return decimal_of(self, self._record.ask, self._record.price_scale, self._record.ask_value)

    @property
    def bid_size_decimal(self):
        return decimal_of(self, self._record.bid_size, self._record.size_scale, self._record.bid_size_value)

    @property
    def ask_size_decimal(self):
        return decimal_of(self, self._record.ask_size, self._record.size_scale, self._record.ask_size_value)

    @property
    def has_bid(self):
        return not self._record.flags & NX_FLAG_NO_BID

    @property
    def has_ask(self):
        return not self._record.flags & NX_FLAG_NO_ASK

    @property
    def is_stale(self):
        """This quote was no longer the market when it was handed out: its connection was down, its stream silent beyond its time
        (FreshnessConfig), or a later quote had come that could not be used."""
        return bool(self._record.flags & (NX_FLAG_STALE | NX_FLAG_PASSED))

    @property
    def flags(self):
        return self._record.flags

    @property
    def update_id(self):
        """The venue's own; 0 where it sends none."""
        return self._record.update_id

    @property
    def venue_time_ns(self):
        """The venue's time of the quote, UTC; 0 where it sends none."""
        return self._record.venue_time_ns

    @property
    def receive_time_ns(self):
        """CLOCK_REALTIME when the bytes were read; 0 for an object made by hand."""
        return self._record.receive_time_ns

    def __eq__(self, other):
        if type(other) is not BookL1:
            return NotImplemented
        return public_fields(self) == public_fields(other)

    __hash__ = None

    def __repr__(self):
        pairs = zip(BookL1.__match_args__, public_fields(self))
        return "BookL1(" + ", ".join(f"{name}={value!r}" for name, value in pairs) + ")"

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        cdef bytes record = (<char*>&self._record)[:sizeof(nx_bookl1)]
        return restore_bookl1, (record, self.exchange, self.symbol, self.timestamp, bool(self._exact))


cdef inline BookL1 fill(const nx_bookl1* record, object exchange, str symbol, int64_t timestamp):
    cdef BookL1 book = BookL1.__new__(BookL1)
    memcpy(&book._record, record, sizeof(nx_bookl1))
    book.exchange = exchange
    book.symbol = symbol
    book.timestamp = timestamp
    book._exact = True
    return book


cdef BookL1 bookl1_from_record(const nx_bookl1* record, object exchange, str symbol):
    cdef int64_t time_ns = record.venue_time_ns if record.venue_time_ns else record.receive_time_ns
    return fill(record, exchange, symbol, time_ns // 1000000)


cdef BookL1 bookl1_with_time(const nx_bookl1* record, object exchange, str symbol, int64_t time_ns):
    return fill(record, exchange, symbol, time_ns // 1000000)


def restore_bookl1(bytes record not None, object exchange, str symbol not None, int64_t timestamp, bint exact):
    """What a pickled BookL1 is made of again."""
    cdef BookL1 book
    if len(record) != sizeof(nx_bookl1):
        raise ValueError(f"a pickled BookL1 has {sizeof(nx_bookl1)} bytes of record, this one {len(record)}: "
                         "it was written by another version")
    book = fill(<const nx_bookl1*><const char*>record, exchange, symbol, timestamp)
    book._exact = exact
    return book
