"""The table of parsers. Python asks by name once, at start-up, and keeps the two numbers."""

from nexus_fast.core.types cimport NX_BINANCE, NX_BYBIT, NX_OKX
from nexus_fast.wire cimport binance, bybit, okx

cdef enum:
    VENUES = 4          # nx_venue counts from 1
    MARKETS = 6

cdef nx_parser[VENUES][MARKETS] TABLE

VENUE_NUMBERS = {"binance": NX_BINANCE, "bybit": NX_BYBIT, "okx": NX_OKX}
MARKET_NUMBERS = {
    "binance": {"spot": NX_MARKET_SPOT, "usd_m": NX_MARKET_USD_M, "coin_m": NX_MARKET_COIN_M},
    "bybit": {"spot": NX_MARKET_SPOT, "linear": NX_MARKET_LINEAR, "inverse": NX_MARKET_INVERSE},
    "okx": {"public": NX_MARKET_PUBLIC},
}


class UnknownParser(ValueError):
    """A venue or market name that no parser goes by; the text lists those that exist."""


cdef void register(int venue, int market, nx_parse_function parse, nx_parse_function fast,
                   nx_parse_function general) noexcept:
    TABLE[venue][market].parse = parse
    TABLE[venue][market].fast = fast
    TABLE[venue][market].general = general


register(NX_BINANCE, NX_MARKET_SPOT, binance.parse_spot, binance.fast_book_ticker, binance.general_book_ticker)
register(NX_BINANCE, NX_MARKET_USD_M, binance.parse_usd_m, binance.fast_book_ticker, binance.general_book_ticker)
register(NX_BINANCE, NX_MARKET_COIN_M, binance.parse_coin_m, binance.fast_book_ticker, binance.general_book_ticker)
register(NX_BYBIT, NX_MARKET_SPOT, bybit.parse_spot, bybit.fast_order_book, bybit.general_order_book)
register(NX_BYBIT, NX_MARKET_LINEAR, bybit.parse_linear, bybit.fast_order_book, bybit.general_order_book)
register(NX_BYBIT, NX_MARKET_INVERSE, bybit.parse_inverse, bybit.fast_order_book, bybit.general_order_book)
register(NX_OKX, NX_MARKET_PUBLIC, okx.parse_public, okx.fast_best_levels, okx.general_best_levels)


cdef const nx_parser* parser_row(int venue, int market) noexcept nogil:
    if not (0 <= venue < VENUES and 0 <= market < MARKETS) or TABLE[venue][market].parse == NULL:
        return NULL
    return &TABLE[venue][market]


cdef nx_parse_function parser_for(int venue, int market) noexcept nogil:
    cdef const nx_parser* row = parser_row(venue, market)
    return row.parse if row != NULL else NULL


def parser_id(str venue, str market):
    """(venue number, market number) for `parser_for`. Raises UnknownParser, a ValueError."""
    if venue not in VENUE_NUMBERS:
        raise UnknownParser(f"unknown venue {venue!r}: use one of {', '.join(map(repr, VENUE_NUMBERS))}")
    markets = MARKET_NUMBERS[venue]
    if market not in markets:
        raise UnknownParser(f"unknown market {market!r} of venue {venue!r}: use one of {', '.join(map(repr, markets))}")
    return VENUE_NUMBERS[venue], markets[market]
