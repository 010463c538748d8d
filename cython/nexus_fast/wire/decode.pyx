"""The Python face of the parsers: one frame's bytes in, events out. Cold: for `nexus-fast inspect`, tests and notebooks.

It runs the very functions that the feed calls; only what surrounds them is Python.
"""

from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memset
from posix.time cimport CLOCK_REALTIME, clock_gettime, timespec

from nexus_fast.core.book cimport BookL1, bookl1_with_time
from nexus_fast.core.scan cimport NX_SCAN_OK, number_to_double, nx_number, rescale
from nexus_fast.core.types cimport NX_FLAG_NO_ASK, NX_FLAG_NO_BID, NX_FLAG_RESET, nx_bookl1
from nexus_fast.wire.quote cimport (
    NX_PARSE_INSANE, NX_PARSE_MALFORMED, NX_PARSE_OTHER, NX_PARSE_QUOTE, NX_PARSE_RANGE, NX_PARSE_UNUSUAL, nx_quote,
)
from nexus_fast.wire.registry cimport nx_parser, parser_row

from nexus_fast.wire.registry import parser_id

cdef dict STATUS_NAMES = {
    NX_PARSE_QUOTE: "quote",
    NX_PARSE_OTHER: "other",
    NX_PARSE_MALFORMED: "malformed",
    NX_PARSE_RANGE: "range",
    NX_PARSE_INSANE: "insane",
}
cdef dict FLAG_NAMES = {NX_FLAG_NO_BID: "no_bid", NX_FLAG_NO_ASK: "no_ask", NX_FLAG_RESET: "reset"}


cdef const nx_parser* find_parser(str venue, str market) except NULL:
    venue_number, market_number = parser_id(venue, market)
    return parser_row(venue_number, market_number)


cdef int64_t now_ns() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_REALTIME, &now)
    return <int64_t>now.tv_sec * 1000000000 + now.tv_nsec


cdef int put_pair(const nx_number* a, const nx_number* b, uint8_t* scale, int64_t* a_out, int64_t* b_out) noexcept nogil:
    """Two numbers at one scale, as the record wants them: the finer of those that they were written with, or where one has no
    room there the finer that their values need. NX_SCAN_OK or NX_SCAN_RANGE."""
    if put_both(a, b, max(a.decimals, b.decimals), scale, a_out, b_out) == NX_SCAN_OK:
        return NX_SCAN_OK
    return put_both(a, b, max(decimals_needed(a), decimals_needed(b)), scale, a_out, b_out)


cdef int put_both(const nx_number* a, const nx_number* b, int wanted, uint8_t* scale, int64_t* a_out, int64_t* b_out) noexcept nogil:
    cdef int status = rescale(a.mantissa, a.decimals, wanted, a_out)
    scale[0] = <uint8_t>wanted
    return status if status != NX_SCAN_OK else rescale(b.mantissa, b.decimals, wanted, b_out)


cdef int decimals_needed(const nx_number* number) noexcept nogil:
    cdef int64_t mantissa = number.mantissa
    cdef int decimals = number.decimals
    while decimals > 0 and mantissa % 10 == 0:
        mantissa //= 10
        decimals -= 1
    return decimals


cdef int fill_record(const nx_quote* quote, int venue, int64_t received, nx_bookl1* record) noexcept nogil:
    cdef int status
    memset(record, 0, sizeof(nx_bookl1))
    status = put_pair(&quote.bid, &quote.ask, &record.price_scale, &record.bid, &record.ask)
    if status == NX_SCAN_OK:
        status = put_pair(&quote.bid_size, &quote.ask_size, &record.size_scale, &record.bid_size, &record.ask_size)
    record.bid_value = number_to_double(&quote.bid)
    record.ask_value = number_to_double(&quote.ask)
    record.bid_size_value = number_to_double(&quote.bid_size)
    record.ask_size_value = number_to_double(&quote.ask_size)
    record.venue_time_ns = quote.venue_time_ns
    record.receive_time_ns = received
    record.update_id = quote.update_id
    record.venue = <uint8_t>venue
    record.flags = <uint8_t>quote.flags
    return status


cdef str symbol_text(const nx_quote* quote):
    return quote.symbol[:quote.symbol_length].decode("utf-8")


def decode(str venue not None, str market not None, payload):
    """The events that the engine's parser makes of one frame: [BookL1] for a quote, [] for anything else.

    venue and market: "binance" with "spot", "usd_m", "coin_m"; "bybit" with "spot", "linear", "inverse"; "okx" with
    "public". payload: the frame's bytes. The symbol is the venue's own; timestamp is the venue's event time in ms, the
    present where the venue sends none. Raises UnknownParser (a ValueError) for a name that is not among these.
    """
    cdef const nx_parser* parser = find_parser(venue, market)
    cdef bytes frame = memoryview(payload).tobytes()
    cdef nx_quote quote
    cdef nx_bookl1 record
    quote.symbols = NULL
    if parser.parse(frame, len(frame), &quote) != NX_PARSE_QUOTE:
        return []
    if fill_record(&quote, parser_id(venue, market)[0], now_ns(), &record) != NX_SCAN_OK:
        return []
    from nexus_fast.constants import ExchangeType    # late: the shell and the tests of this package go without it
    exchange = ExchangeType[venue.upper()]
    return [bookl1_with_time(
        &record, exchange, symbol_text(&quote), quote.event_time_ns if quote.event_time_ns else record.receive_time_ns
    )]


cdef dict number_text(const nx_number* number):
    if number.text == NULL:
        return {"text": None, "mantissa": 0, "decimals": 0, "value": 0.0}
    return {
        "text": number.text[:number.text_length].decode("ascii"),
        "mantissa": number.mantissa,
        "decimals": number.decimals,
        "value": number_to_double(number),
    }


cdef dict quote_fields(const nx_quote* quote):
    return {
        "symbol": symbol_text(quote),
        "update_id": quote.update_id,
        "venue_time_ns": quote.venue_time_ns,
        "event_time_ns": quote.event_time_ns,
        "flags": [name for flag, name in FLAG_NAMES.items() if quote.flags & flag],
        "bid": number_text(&quote.bid),
        "bid_size": number_text(&quote.bid_size),
        "ask": number_text(&quote.ask),
        "ask_size": number_text(&quote.ask_size),
    }


def explain(str venue not None, str market not None, payload, str path=None):
    """What the engine's parser makes of one frame: {"status", "path", and for a quote "fields"}.

    status: "quote", "other", "malformed", "range" (a number that does not fit exactly), "insane" (crossed, negative).
    path: which half decided, "fast" or "general". path="general" asks that half alone.
    """
    cdef const nx_parser* parser = find_parser(venue, market)
    cdef bytes frame = memoryview(payload).tobytes()
    cdef nx_quote quote
    cdef int status = NX_PARSE_UNUSUAL
    quote.symbols = NULL
    if path is not None and path != "general":
        raise ValueError(f"unknown path {path!r}: use None or 'general'")
    if path is None:
        status = parser.fast(frame, len(frame), &quote)
    taken = "general" if status == NX_PARSE_UNUSUAL else "fast"
    if status == NX_PARSE_UNUSUAL:
        status = parser.general(frame, len(frame), &quote)
    found = {"venue": venue, "market": market, "status": STATUS_NAMES[status], "path": taken}
    if status == NX_PARSE_QUOTE:
        found["fields"] = quote_fields(&quote)
    return found
