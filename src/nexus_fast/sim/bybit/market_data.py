"""Market data on request: books, tickers, candles, trades, instruments. Index and mark are the middle of the book."""

from nexus_fast.sim.bybit import errors
from nexus_fast.sim.bybit.errors import SPOT
from nexus_fast.sim.bybit.ids import execution_text
from nexus_fast.sim.bybit.instruments import FUNDING_MINUTES, FUNDING_RATE, MAINTENANCE, MAXIMUM_LEVERAGE
from nexus_fast.sim.bybit.order_queries import page
from nexus_fast.sim.bybit.requests import Call
from nexus_fast.sim.fixed_point import SCALE, quotient, short, text
from nexus_fast.sim.instruments import Instrument
from nexus_fast.sim.market import Market
from nexus_fast.sim.orders import BUY
from nexus_fast.sim.tape import MINUTES_KEPT, Candle

INTERVALS = {"1": 1, "3": 3, "5": 5, "15": 15, "30": 30, "60": 60, "120": 120, "240": 240, "360": 360, "720": 720,
             "D": 1440, "W": 10_080, "M": 43_200}
OPTION = "option"


def levels(book, side: int, limit: int) -> list[list[str]]:
    """[[price, size], …] of one side, best first."""
    i = book.instrument
    return [[text(price, i.price_decimals), text(quantity, i.quantity_decimals)]
            for price, quantity in (book.bids if side == BUY else book.asks).depth(limit)]


def server_time(call: Call) -> dict:
    now = call.exchange.clock.microseconds()
    return {"timeSecond": str(now // 1_000_000), "timeNano": str(now * 1000)}


def instruments_info(call: Call) -> dict:
    """Options are a category in which nothing is listed. Spot knows no pages."""
    if call.get("category") == OPTION:
        return {"category": OPTION, "list": [], "nextPageCursor": ""}
    market = call.market
    listed = call.chosen() if call.get("status", "Trading") == "Trading" else []
    make = _spot_info if market.name == SPOT else _contract_info
    if market.name == SPOT:
        return {"category": SPOT, "list": [make(each) for each in listed]}
    found, cursor = page(call, listed, 500, 1000)
    return {"category": market.name, "list": [make(each) for each in found], "nextPageCursor": cursor}


def _spot_info(i: Instrument) -> dict:
    return {
        "symbol": i.symbol, "baseCoin": i.base, "quoteCoin": i.quote, "innovation": "0", "status": "Trading",
        "marginTrading": "none", "stTag": "0",
        "lotSizeFilter": {"basePrecision": short(i.step), "quotePrecision": "0.0000001",
                          "minOrderQty": short(i.minimum_quantity), "maxOrderQty": short(i.maximum_quantity),
                          "minOrderAmt": short(i.minimum_notional), "maxOrderAmt": "8000000",
                          "maxLimitOrderQty": short(i.maximum_quantity), "maxMarketOrderQty":
                          short(i.market_maximum_quantity), "postOnlyMaxLimitOrderSize": short(i.maximum_quantity)},
        "priceFilter": {"tickSize": short(i.tick)},
        "riskParameters": {"priceLimitRatioX": short(i.multiplier_up - SCALE),
                           "priceLimitRatioY": short(i.multiplier_up - SCALE)}}


def _contract_info(i: Instrument) -> dict:
    lots, places = i.quantity_decimals, i.price_decimals
    return {
        "symbol": i.symbol, "contractType": "InversePerpetual" if i.inverse else "LinearPerpetual", "status": "Trading",
        "baseCoin": i.base, "quoteCoin": i.quote, "launchTime": "1585526400000", "deliveryTime": "0",
        "deliveryFeeRate": "", "priceScale": str(places),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": f"{MAXIMUM_LEVERAGE}.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": text(i.minimum_price, places), "maxPrice": text(i.maximum_price, places),
                        "tickSize": text(i.tick, places)},
        "lotSizeFilter": {"maxOrderQty": text(i.maximum_quantity, lots), "minOrderQty": text(i.minimum_quantity, lots),
                          "qtyStep": text(i.step, lots), "postOnlyMaxOrderQty": text(i.maximum_quantity, lots),
                          "maxMktOrderQty": text(i.market_maximum_quantity, lots),
                          "minNotionalValue": short(i.minimum_notional)},
        "unifiedMarginTrade": True, "fundingInterval": FUNDING_MINUTES, "settleCoin": i.settle, "copyTrading": "none",
        "upperFundingRate": "0.005", "lowerFundingRate": "-0.005", "isPreListing": False, "preListingInfo": None,
        "displayName": "", "riskParameters": {"priceLimitRatioX": short(i.multiplier_up - SCALE),
                                              "priceLimitRatioY": short(i.multiplier_up - SCALE)}}


def orderbook(call: Call) -> dict:
    instrument, market = call.instrument(), call.market
    is_spot = market.name == SPOT
    book, limit = market.books[instrument.symbol], call.limit(1 if is_spot else 25, 200 if is_spot else 500)
    now, channels = call.now(), call.exchange.channels[market.name]
    return {"s": instrument.symbol, "b": levels(book, BUY, limit), "a": levels(book, -BUY, limit), "ts": now,
            "u": channels.update_id(instrument.symbol, book.update_id), "seq": market.sequence(book), "cts": book.now or now}


# ---- tickers


def tickers(call: Call) -> dict:
    if call.get("category") == OPTION:
        return {"category": OPTION, "list": []}
    market = call.market
    return {"category": market.name, "list": [ticker(market, each, call.now()) for each in call.chosen()]}


def ticker(market: Market, i: Instrument, now: int) -> dict:
    """A symbol's row, of which the channel `tickers` takes what it tells."""
    book, day = market.books[i.symbol], market.tapes[i.symbol].day()
    bid, bid_size, ask, ask_size = book.best()
    places, lots = i.price_decimals, i.quantity_decimals
    row = {"symbol": i.symbol, "bid1Price": text(bid, places), "bid1Size": text(bid_size, lots),
           "ask1Price": text(ask, places), "ask1Size": text(ask_size, lots), "lastPrice": text(day.close, places),
           "prevPrice24h": text(day.open, places), "price24hPcnt": short(quotient(day.close - day.open, day.open) // 100 * 100),
           "highPrice24h": text(day.high, places), "lowPrice24h": text(day.low, places),
           "turnover24h": short(day.quote_volume), "volume24h": short(day.volume)}
    if market.name == SPOT:
        return row | {"usdIndexPrice": text((bid + ask) // 2 if bid and ask else day.close)}
    mark = text(market.mark_price(i.symbol), places)
    return row | {"indexPrice": mark, "markPrice": mark, "prevPrice1h": text(day.open, places), "openInterest": "0",
                  "openInterestValue": "0", "fundingRate": FUNDING_RATE, "nextFundingTime": str(next_funding(now)),
                  "predictedDeliveryPrice": "", "basisRate": "", "basis": "", "deliveryFeeRate": "", "deliveryTime": "0",
                  "preOpenPrice": "", "preQty": "", "curPreListingPhase": "",
                  "fundingIntervalHour": str(FUNDING_MINUTES // 60)}


def next_funding(now: int) -> int:
    """The next full eight hours of the day, in ms."""
    length = FUNDING_MINUTES * 60_000
    return now - now % length + length


# ---- candles


def _candles(call: Call) -> tuple[Instrument, list[Candle]]:
    """What `start`, `end` (both included) and `limit` cut out, newest first."""
    instrument, minutes = call.instrument(), INTERVALS.get(call.need("interval"))
    if minutes is None:
        raise errors.parameter("Invalid period!")
    start, end, limit = call.integer("start"), call.integer("end"), call.limit(200, 1000)
    kept = call.market.tapes[instrument.symbol].candles(minutes * 60_000, MINUTES_KEPT)
    found = [c for c in kept if (start is None or c.open_time >= start) and (end is None or c.open_time <= end)]
    return instrument, found[::-1][:limit]


def kline(call: Call) -> dict:
    i, candles = _candles(call)
    rows = [[*_prices(i, c), text(c.volume, i.quantity_decimals), short(c.quote_volume)] for c in candles]
    return {"symbol": i.symbol, "category": call.category, "list": rows}


def price_kline(call: Call) -> dict:
    """Of mark, index or premium: without volumes."""
    if call.category == SPOT:
        raise errors.parameter("params error: Category is invalid")
    i, candles = _candles(call)
    return {"symbol": i.symbol, "category": call.category, "list": [_prices(i, c) for c in candles]}


def _prices(i: Instrument, c: Candle) -> list[str]:
    return [str(c.open_time), *(text(price, i.price_decimals) for price in (c.open, c.high, c.low, c.close))]


# ---- trades and the rest


def recent_trades(call: Call) -> dict:
    market, instrument = call.market, call.instrument()
    kept = list(market.tapes[instrument.symbol].trades)[::-1]
    number, places, lots = market.numbers[instrument.symbol], instrument.price_decimals, instrument.quantity_decimals
    rows = [{"execId": execution_text(market.name, number, t.trade_id), "symbol": instrument.symbol,
             "price": text(t.price, places), "size": text(t.quantity, lots), "side": "Buy" if t.taker.side == BUY else "Sell",
             "time": str(t.time), "isBlockTrade": False, "isRPITrade": False, "seq": str(t.trade_id)}
            for t in kept[:call.limit(60 if market.name == SPOT else 500, 60 if market.name == SPOT else 1000)]]
    return {"category": market.name, "list": rows}


def _contract(call: Call) -> Instrument:
    instrument = call.instrument()
    if call.category == SPOT:
        raise errors.parameter("params error: Category is invalid")
    return instrument


def funding_history(call: Call) -> dict:
    """The rate has always been the same; newest first."""
    instrument, length, now = _contract(call), FUNDING_MINUTES * 60_000, call.now()
    start, end = call.integer("startTime", 0), min(call.integer("endTime", now), now)
    times = [end - end % length - number * length for number in range(call.limit(200, 200))]
    rows = [{"symbol": instrument.symbol, "fundingRate": FUNDING_RATE, "fundingRateTimestamp": str(t)}
            for t in times if t >= max(start, 0)]
    return {"category": call.category, "list": rows}


def risk_limit(call: Call) -> dict:
    rows = [{"id": 1, "symbol": each.symbol, "riskLimitValue": "2000000", "maintenanceMargin": short(MAINTENANCE),
             "initialMargin": short(quotient(SCALE, MAXIMUM_LEVERAGE * SCALE)), "isLowestRisk": 1,
             "maxLeverage": f"{MAXIMUM_LEVERAGE}.00", "mmDeduction": ""} for each in call.chosen()]
    return {"category": call.category, "list": rows, "nextPageCursor": ""}


def open_interest(call: Call) -> dict:
    """Only the simulator's clients hold positions; they are not counted."""
    instrument = _contract(call)
    return {"symbol": instrument.symbol, "category": call.category, "nextPageCursor": "", "list": [
        {"openInterest": "0", "timestamp": str(call.now() // 300_000 * 300_000)}]}


def price_limit(call: Call) -> dict:
    """Within what a buy and a sell order may be priced."""
    i = call.instrument()
    market = call.market
    lowest, highest = market.price_limits(market.books[i.symbol])
    return {"symbol": i.symbol, "buyLmt": text(highest, i.price_decimals), "sellLmt": text(lowest, i.price_decimals),
            "ts": str(call.now())}
