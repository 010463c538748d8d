"""Rows of market data, which REST answers and channels push alike."""

from nexus_fast.sim.fixed_point import SCALE, quotient, short
from nexus_fast.sim.matching import Side
from nexus_fast.sim.okx.listing import Listing
from nexus_fast.sim.okx.requests import Exchange
from nexus_fast.sim.okx.trading import contract_ledger
from nexus_fast.sim.orders import BUY, Fill
from nexus_fast.sim.tape import Candle

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_BASE_BARS = {"1m": _MINUTE, "3m": 3 * _MINUTE, "5m": 5 * _MINUTE, "15m": 15 * _MINUTE, "30m": 30 * _MINUTE,
              "1H": _HOUR, "2H": 2 * _HOUR, "4H": 4 * _HOUR}
_LONG_BARS = {"6H": 6 * _HOUR, "12H": 12 * _HOUR, "1D": _DAY, "2D": 2 * _DAY, "3D": 3 * _DAY, "1W": 7 * _DAY,
              "1M": 30 * _DAY, "3M": 90 * _DAY}
BARS = {**_BASE_BARS, **_LONG_BARS, **{name + "utc": length for name, length in _LONG_BARS.items()}}
FUNDING_INTERVAL = 8 * _HOUR
FUNDING_RATE = "0.0001"


def side_rows(side: Side, limit: int) -> list[list[str]]:
    """[[price, size, "0", orders], …], best first; the third field has no meaning any more."""
    direction, levels = side.direction, side.levels
    return [level_row(price, levels[price].quantity, len(levels[price].orders))
            for price in [key * direction for key in side.keys[:limit]]]


def level_row(price: int, quantity: int, orders: int) -> list[str]:
    return [short(price), short(quantity), "0", str(orders)]


def trade_row(listing: Listing, fill: Fill) -> dict:
    return {"instId": listing.instrument_id, "tradeId": str(fill.trade_id), "px": short(fill.price),
            "sz": short(fill.quantity), "side": "buy" if fill.taker.side == BUY else "sell",
            "ts": str(fill.time)}


def candle_row(listing: Listing, candle: Candle, length: int, now: int) -> list[str]:
    """[ts, open, high, low, close, volume, volume in base (spot: quote), volume in quote, complete]."""
    base, quote = (short(turn(candle.volume, candle.quote_volume)) for turn in (listing.in_base, listing.in_quote))
    return [str(candle.open_time), short(candle.open), short(candle.high), short(candle.low), short(candle.close),
            short(candle.volume), quote if listing.is_spot else base, quote,
            "1" if now >= candle.open_time + length else "0"]


def ticker_row(exchange: Exchange, listing: Listing) -> dict:
    book, tape = exchange.book_of(listing), exchange.tape_of(listing)
    bid, bid_quantity, ask, ask_quantity = book.best()
    day = tape.day()
    last = tape.trades[-1].quantity if tape.trades else 0
    return {"instType": listing.kind, "instId": listing.instrument_id, "last": short(book.last_price),
            "lastSz": short(last), "askPx": short(ask) if ask else "", "askSz": short(ask_quantity),
            "bidPx": short(bid) if bid else "", "bidSz": short(bid_quantity), "open24h": short(day.open),
            "high24h": short(day.high), "low24h": short(day.low),
            "volCcy24h": short(day.quote_volume if listing.is_spot else listing.in_base(day.volume, day.quote_volume)),
            "vol24h": short(day.volume), "sodUtc0": short(day.open), "sodUtc8": short(day.open),
            "ts": str(exchange.now())}


def index_names(exchange: Exchange) -> list[str]:
    return sorted({listing.family for listing in exchange.listings.values()})


def index_price(exchange: Exchange, name: str) -> int:
    """The index of a pair is what its spot trades at; dollars are taken for the stablecoin."""
    base, _, quote = name.partition("-")
    spot = exchange.listings.get(f"{base}-USDT" if quote == "USD" else name)
    if spot is not None and spot.is_spot:
        return exchange.book_of(spot).middle()
    return next(exchange.book_of(one).middle() for one in exchange.listings.values() if one.family == name)


def index_row(exchange: Exchange, name: str) -> dict:
    price = short(index_price(exchange, name))
    return {"instId": name, "idxPx": price, "high24h": price, "low24h": price, "open24h": price, "sodUtc0": price,
            "sodUtc8": price, "ts": str(exchange.now())}


def mark_row(exchange: Exchange, listing: Listing) -> dict:
    return {"instType": "MARGIN" if listing.is_spot else listing.kind, "instId": listing.instrument_id,
            "markPx": short(exchange.book_of(listing).middle()), "ts": str(exchange.now())}


def funding_row(exchange: Exchange, listing: Listing) -> dict:
    now = exchange.now()
    due = now - now % FUNDING_INTERVAL + FUNDING_INTERVAL
    return {"formulaType": "withRate", "fundingRate": FUNDING_RATE, "fundingTime": str(due), "impactValue": "20000",
            "instId": listing.instrument_id, "instType": listing.kind, "interestRate": FUNDING_RATE,
            "maxFundingRate": "0.00375", "method": "current_period", "minFundingRate": "-0.00375",
            "nextFundingRate": "", "nextFundingTime": str(due + FUNDING_INTERVAL), "premium": "0",
            "prevFundingTime": str(due - FUNDING_INTERVAL), "settFundingRate": FUNDING_RATE, "settState": "settled",
            "ts": str(now)}


def last_maintenance(exchange: Exchange) -> dict:
    """What the `status` channel begins with: the newest maintenance, which is over."""
    ended = exchange.now() - _DAY
    return {"begin": str(ended - _HOUR), "end": str(ended), "env": "1", "href": "", "maintType": "1", "preOpenBegin": "",
            "scheDesc": "", "serviceType": "5", "state": "completed", "system": "unified", "title": "Trading service",
            "ts": str(exchange.now())}


def open_interest_row(exchange: Exchange, listing: Listing) -> dict:
    instrument, price = listing.instrument, exchange.book_of(listing).middle()
    held = sum(abs(contract_ledger(one).position(instrument).amount) for one in exchange.accounts.values())
    return {"instType": listing.kind, "instId": listing.instrument_id, "oi": short(held),
            "oiCcy": short(listing.in_base(held, instrument.value(price, held))),
            "oiUsd": short(instrument.notional(price, held)), "ts": str(exchange.now())}


def price_limit_row(exchange: Exchange, listing: Listing) -> dict:
    lowest, highest = exchange.market_of(listing).price_limits(exchange.book_of(listing))
    return {"instType": listing.kind, "instId": listing.instrument_id, "buyLmt": short(highest), "sellLmt": short(lowest),
            "enabled": True, "ts": str(exchange.now())}


def dollars(exchange: Exchange, asset: str) -> int:
    """What one unit of an asset is worth in dollars; a stablecoin without a pair of its own is worth one."""
    spot = exchange.listings.get(f"{asset}-USDT")
    return exchange.book_of(spot).middle() if spot is not None else SCALE


def share(part: int, whole: int) -> str:
    return short(quotient(part, whole))
