"""Market data and listings on request: each operation takes a `Call` and gives the rows of the answer."""

from nexus_fast.sim.okx import errors, market_texts
from nexus_fast.sim.okx.errors import VenueError
from nexus_fast.sim.okx.listing import FUTURES, MAXIMUM_LEVERAGE, SWAP, instrument_row
from nexus_fast.sim.okx.requests import Call
from nexus_fast.sim.tape import MINUTES_KEPT

MAXIMUM_DEPTH = 400


def time(call: Call) -> list:
    return [{"ts": str(call.exchange.now())}]


def status(call: Call) -> list:
    return []


def instruments(call: Call) -> list:
    return [instrument_row(listing) for listing in call.selected(mandatory=True)]


def underlying(call: Call) -> list:
    return [sorted({listing.family for listing in call.selected(mandatory=True) if not listing.is_spot})]


def tickers(call: Call) -> list:
    return [market_texts.ticker_row(call.exchange, listing) for listing in call.selected(mandatory=True)]


def ticker(call: Call) -> list:
    return [market_texts.ticker_row(call.exchange, call.listing())]


def books(call: Call) -> list:
    listing, depth = call.listing(), call.integer("sz", 1)
    if not 1 <= depth <= 5000:
        raise errors.parameter("sz")
    book = call.exchange.book_of(listing)
    depth = min(depth, MAXIMUM_DEPTH)
    return [{"asks": market_texts.side_rows(book.asks, depth),
             "bids": market_texts.side_rows(book.bids, depth),
             "ts": str(book.now or call.exchange.now()), "seqId": book.update_id}]


def trades(call: Call) -> list:
    listing = call.listing()
    newest = list(call.exchange.tape_of(listing).trades)[-call.limit(500):]
    return [{**market_texts.trade_row(listing, fill), "source": "0"} for fill in reversed(newest)]


def candles(call: Call) -> list:
    """Newest first. `after`: older than this time; `before`: newer."""
    listing, length = call.listing(), market_texts.BARS[call.choice("bar", market_texts.BARS, "1m")]
    after, before, now = call.integer("after"), call.integer("before"), call.exchange.now()
    kept = [one for one in call.exchange.tape_of(listing).candles(length, MINUTES_KEPT)
            if (after is None or one.open_time < after) and (before is None or one.open_time > before)]
    return [market_texts.candle_row(listing, one, length, now) for one in reversed(kept[-call.limit(300):])]


def index_tickers(call: Call) -> list:
    names = market_texts.index_names(call.exchange)
    wanted, quote = call.text("instId"), call.text("quoteCcy")
    if not wanted and not quote:
        raise VenueError(50015, "Either parameter instId or quoteCcy is required.", 400)
    if wanted and wanted not in names:
        raise VenueError(51014, "Index doesn't exist.")
    return [market_texts.index_row(call.exchange, name) for name in names
            if wanted in ("", name) and quote in ("", name.partition("-")[2])]


def index_candles(call: Call) -> list:
    """The index of a pair is its spot: candles without volumes."""
    rows = candles(call)
    return [[*row[:5], row[-1]] for row in rows]


def mark_price(call: Call) -> list:
    return [market_texts.mark_row(call.exchange, listing)
            for listing in call.selected(mandatory=not call.text("instId"))]


def funding_rate(call: Call) -> list:
    if call.text("instId") == "ANY":
        return [market_texts.funding_row(call.exchange, one) for one in call.exchange.listings.values()
                if one.kind == SWAP]
    listing = call.listing()
    if listing.kind != SWAP:
        raise errors.parameter("instId")
    return [market_texts.funding_row(call.exchange, listing)]


def funding_rate_history(call: Call) -> list:
    row = market_texts.funding_row(call.exchange, call.listing())
    return [{"formulaType": row["formulaType"], "fundingRate": row["fundingRate"],
             "fundingTime": row["prevFundingTime"], "instId": row["instId"], "instType": row["instType"],
             "method": row["method"], "realizedRate": row["settFundingRate"]}]


def open_interest(call: Call) -> list:
    return [market_texts.open_interest_row(call.exchange, listing) for listing in call.selected(mandatory=True)
            if listing.kind in (SWAP, FUTURES)]


def price_limit(call: Call) -> list:
    return [market_texts.price_limit_row(call.exchange, call.listing())]


def position_tiers(call: Call) -> list:
    return [{"baseMaxLoan": "", "imr": "0.01", "instFamily": one.family, "instId": one.instrument_id,
             "maxLever": str(MAXIMUM_LEVERAGE[one.kind]), "maxSz": "1000000", "minSz": "0", "mmr": "0.004",
             "optMgnFactor": "0", "quoteMaxLoan": "", "tier": "1", "uly": one.family}
            for one in call.selected(mandatory=True) if not one.is_spot]


def no_conditional_orders(call: Call) -> list:
    raise errors.unavailable("the simulator takes no conditional orders")


def nothing(call: Call) -> list:
    """Conditional orders, bills, transfers, past positions: there are none here."""
    return []
