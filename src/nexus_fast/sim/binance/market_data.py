"""Market data on request: what spot, USD-M and COIN-M answer alike, with their differences by the service's name."""

from nexus_fast.sim.binance import errors
from nexus_fast.sim.binance.requests import Call
from nexus_fast.sim.fixed_point import DECIMALS, product, quotient, short, text
from nexus_fast.sim.instruments import Instrument
from nexus_fast.sim.market import Market
from nexus_fast.sim.orders import BUY
from nexus_fast.sim.tape import MINUTES_KEPT, Candle

INTERVALS = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360, "8h": 480,
             "12h": 720, "1d": 1440, "3d": 4320, "1w": 10080}
LONGEST_SPAN_MS = 200 * 86_400_000  # of a request for bars, on COIN-M


def levels(book, side: int, limit: int) -> list[list[str]]:
    """[[price, quantity], …] of one side as texts, best first."""
    instrument = book.instrument
    pairs = (book.bids if side == BUY else book.asks).depth(limit)
    return [[text(price, instrument.price_decimals), text(quantity, instrument.quantity_decimals)]
            for price, quantity in pairs]


def pair_of(instrument: Instrument, *, symbol: bool = False) -> dict:
    """COIN-M's answers name the pair beside the symbol."""
    if not instrument.inverse:
        return {}
    return {"symbol": instrument.symbol, "pair": instrument.words["pair"]} if symbol else {"pair": instrument.words["pair"]}


def ping(call: Call) -> dict:
    return {}


def server_time(call: Call) -> dict:
    return {"serverTime": call.service.clock.milliseconds()}


def depth(call: Call) -> dict:
    book = call.service.market.books[call.instrument().symbol]
    is_spot = call.service.name == "spot"
    limit = call.integer("limit", 100 if is_spot else 500)
    out = {"lastUpdateId": book.update_id}
    if not is_spot:
        out.update(pair_of(book.instrument, symbol=True))
        out["E"] = out["T"] = call.service.clock.milliseconds()
    out["bids"] = levels(book, BUY, min(limit, 5000))
    out["asks"] = levels(book, -BUY, min(limit, 5000))
    return out


def trades(call: Call) -> list:
    tape = call.service.market.tapes[call.instrument().symbol]
    instrument = tape.instrument
    newest = list(tape.trades)[-call.integer("limit", 500):]
    out = [{"id": t.trade_id, "price": text(t.price, instrument.price_decimals),
            "qty": text(t.quantity, instrument.quantity_decimals), "quoteQty": text(t.quote, instrument.price_decimals),
            "time": t.time, "isBuyerMaker": t.taker.side != BUY} for t in newest]
    if call.service.name == "spot":
        for trade in out:
            trade["isBestMatch"] = True
    return out


def aggregate_trades(call: Call) -> list:
    tape = call.service.market.tapes[call.instrument().symbol]
    instrument = tape.instrument
    return [{"a": t.trade_id, "p": text(t.price, instrument.price_decimals),
             "q": text(t.quantity, instrument.quantity_decimals), "f": t.trade_id, "l": t.trade_id, "T": t.time,
             "m": t.taker.side != BUY, "M": True} for t in list(tape.trades)[-call.integer("limit", 500):]]


def _for_symbols(call: Call, one):
    """One object for `symbol`, a list for `symbols` or for none."""
    instrument = call.instrument(mandatory=False)
    if instrument is not None:
        return one(call, instrument)
    return [one(call, each) for each in chosen(call)]


def chosen(call: Call) -> list[Instrument]:
    """The instruments that `symbol` or `symbols` (a JSON array as text) names; all when neither is sent."""
    instruments = call.service.market.instruments
    if call.params.get("symbol"):
        return [call.instrument()]
    names = call.params.get("symbols")
    if names is None:
        return list(instruments.values())
    listed = [name.strip().strip('"') for name in names.strip("[]").split(",") if name.strip()]
    if any(name not in instruments for name in listed):
        raise errors.bad_symbol()
    return [instruments[name] for name in listed]


def book_ticker(call: Call):
    return _for_symbols(call, _book_ticker)


def _book_ticker(call: Call, instrument: Instrument) -> dict:
    bid, bid_quantity, ask, ask_quantity = call.service.market.books[instrument.symbol].best()
    price, quantity = instrument.price_decimals, instrument.quantity_decimals
    out = {"symbol": instrument.symbol, **pair_of(instrument),
           "bidPrice": text(bid, price), "bidQty": text(bid_quantity, quantity),
           "askPrice": text(ask, price), "askQty": text(ask_quantity, quantity)}
    if call.service.name != "spot":
        out["time"] = call.service.clock.milliseconds()
        out["lastUpdateId"] = call.service.market.books[instrument.symbol].update_id
    return out


def price(call: Call):
    return _for_symbols(call, _price)


def _price(call: Call, instrument: Instrument) -> dict:
    last = call.service.market.books[instrument.symbol].last_price
    out = {"symbol": instrument.symbol, **pair_of(instrument, symbol=True), "price": text(last, instrument.price_decimals)}
    if call.service.name != "spot":
        out["time"] = call.service.clock.milliseconds()
    return out


def day_ticker(call: Call):
    return _for_symbols(call, _day_ticker)


def average(instrument: Instrument, candle: Candle) -> int:
    """The price at which a candle's volume changed hands on average."""
    if instrument.inverse:
        return quotient(product(candle.volume, instrument.contract), candle.quote_volume)
    return quotient(candle.quote_volume, product(candle.volume, instrument.contract))


def _day_ticker(call: Call, instrument: Instrument) -> dict:
    day = call.service.market.tapes[instrument.symbol].day()
    now = call.service.clock.milliseconds()
    tape = call.service.market.tapes[instrument.symbol].trades
    places, lots = instrument.price_decimals, instrument.quantity_decimals
    # What COIN-M's contracts are worth is counted in coins.
    turnover = {"baseVolume": text(day.quote_volume)} if instrument.inverse else {"quoteVolume": text(day.quote_volume, places)}
    out = {"symbol": instrument.symbol, **pair_of(instrument), "priceChange": text(day.close - day.open, places),
           "priceChangePercent": text(quotient((day.close - day.open) * 100, day.open), 3),
           "weightedAvgPrice": text(average(instrument, day), places),
           "lastPrice": text(day.close, places),
           "lastQty": text(tape[-1].quantity if tape else 0, lots), "openPrice": text(day.open, places),
           "highPrice": text(day.high, places), "lowPrice": text(day.low, places), "volume": text(day.volume, lots),
           **turnover, "openTime": now - 86_400_000, "closeTime": now,
           "firstId": day.first_trade_id, "lastId": day.last_trade_id, "count": day.trades}
    if call.service.name == "spot":
        out["prevClosePrice"] = out["openPrice"]
        out.update({k: v for k, v in _book_ticker(call, instrument).items() if k != "symbol"})
    return out


def average_price(call: Call) -> dict:
    price = recent_average(call.service.market, call.instrument())
    return {"mins": 5, "price": text(price), "closeTime": call.service.clock.milliseconds()}


def recent_average(market: Market, instrument: Instrument) -> int:
    """At which the newest five minutes with trades changed hands on average."""
    last = market.tapes[instrument.symbol].candles(300_000, 1)
    return quotient(last[-1].quote_volume, last[-1].volume) if last else instrument.start_price


def _candles(call: Call, instrument: Instrument) -> tuple[int, list[Candle]]:
    """Length in ms, and the candles that `startTime`, `endTime` (both included) and `limit` cut out, oldest first."""
    minutes = INTERVALS.get(call.need("interval"))
    if minutes is None:
        raise errors.VenueError(-1120, "Invalid interval.")
    start, end = call.integer("startTime"), call.integer("endTime")
    limit = min(call.integer("limit", 500), 1000 if call.service.name == "spot" else 1500)
    if limit < 1:
        raise errors.VenueError(-1130, "Data sent for parameter 'limit' is not valid.")
    if call.service.name == "coin_m":
        start, end = _coin_m_span(call, start, end)
    kept = call.service.market.tapes[instrument.symbol].candles(minutes * 60_000, MINUTES_KEPT)
    found = [c for c in kept if (start is None or c.open_time >= start) and (end is None or c.open_time <= end)]
    from_start = start is not None and call.service.name != "coin_m"
    return minutes * 60_000, found[:limit] if from_start else found[-limit:]


def _coin_m_span(call: Call, start: int | None, end: int | None) -> tuple[int, int]:
    """COIN-M looks at 200 days at most, and gives the last bars between start and end."""
    now = call.service.clock.milliseconds()
    if end is None:
        end = now if start is None else min(now, start + LONGEST_SPAN_MS)
    start = end - LONGEST_SPAN_MS if start is None else start
    if end - start > LONGEST_SPAN_MS:
        raise errors.VenueError(-1127, "Lookup interval is too big.")
    return start, end


def _perpetual_of(call: Call, pair: str) -> Instrument:
    for instrument in call.service.market.instruments.values():
        if instrument.words.get("pair") == pair and not instrument.delivery:
            return instrument
    raise errors.bad_symbol()


def index_klines(call: Call) -> list:
    """The index of a pair is taken for what its perpetual trades at; there are no volumes."""
    instrument = _perpetual_of(call, call.need("pair"))
    length, candles = _candles(call, instrument)
    places = instrument.price_decimals
    return [[c.open_time, text(c.open, places), text(c.high, places), text(c.low, places), text(c.close, places),
             "0", c.open_time + length - 1, "0", c.trades, "0", "0", "0"] for c in candles]


def value_decimals(instrument: Instrument) -> int:
    """Of turnovers: a coin has eight."""
    return DECIMALS if instrument.inverse else instrument.price_decimals


def klines(call: Call) -> list:
    instrument = call.instrument()
    length, candles = _candles(call, instrument)
    places, lots, worth = instrument.price_decimals, instrument.quantity_decimals, value_decimals(instrument)
    return [[c.open_time, text(c.open, places), text(c.high, places), text(c.low, places), text(c.close, places),
             text(c.volume, lots), c.open_time + length - 1, text(c.quote_volume, worth), c.trades,
             text(c.taker_buy_volume, lots), text(c.taker_buy_quote, worth), "0"] for c in candles]


def premium_index(call: Call):
    return _for_symbols(call, _premium_index)


def _premium_index(call: Call, instrument: Instrument) -> dict:
    now = call.service.clock.milliseconds()
    mark = text(call.service.market.mark_price(instrument.symbol))
    rate = "" if instrument.delivery else "0.00010000"
    return {"symbol": instrument.symbol, **pair_of(instrument), "markPrice": mark, "indexPrice": mark,
            "estimatedSettlePrice": mark, "lastFundingRate": rate, "interestRate": rate,
            "nextFundingTime": 0 if instrument.delivery else next_funding(now), "time": now}


def funding_rates(call: Call) -> list:
    now = call.service.clock.milliseconds()
    return [{"symbol": each.symbol, "fundingTime": next_funding(now) - 28_800_000, "fundingRate": "0.00010000",
             "markPrice": text(call.service.market.mark_price(each.symbol))} for each in chosen(call)]


def open_interest(call: Call) -> dict:
    instrument = call.instrument()
    ledger_of = call.service.market.ledger_of
    held = sum(abs(ledger_of(account).position(instrument).amount) for account in call.service.accounts.values())
    return {"openInterest": short(held), "symbol": instrument.symbol, "time": call.service.clock.milliseconds()}


def next_funding(now_ms: int) -> int:
    """Funding times are 00:00, 08:00 and 16:00 UTC."""
    return now_ms - now_ms % 28_800_000 + 28_800_000
