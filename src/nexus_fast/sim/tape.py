"""What a market remembers of its trades: the last ones, minute candles and a day's statistics."""

from collections import deque
from dataclasses import dataclass

from nexus_fast.sim.orders import SELL, Fill

TRADES_KEPT = 1000
MINUTES_KEPT = 1500
MINUTE = 60_000


@dataclass(slots=True)
class Candle:
    """One interval. Times in ms, the rest scaled integers (`trades` is a plain count)."""

    open_time: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    quote_volume: int = 0
    trades: int = 0
    taker_buy_volume: int = 0
    taker_buy_quote: int = 0
    first_trade_id: int = -1
    last_trade_id: int = -1

    def add(self, fill: Fill) -> None:
        if not self.trades:
            self.first_trade_id = fill.trade_id
        self.high = max(self.high, fill.price)
        self.low = min(self.low, fill.price)
        self.close = fill.price
        self.volume += fill.quantity
        self.quote_volume += fill.quote
        self.trades += 1
        self.last_trade_id = fill.trade_id
        if fill.taker.side != SELL:
            self.taker_buy_volume += fill.quantity
            self.taker_buy_quote += fill.quote

    def merge(self, other: "Candle") -> None:
        """Take a later candle in."""
        if not self.trades:
            self.first_trade_id = other.first_trade_id
        self.high, self.low, self.close = max(self.high, other.high), min(self.low, other.low), other.close
        self.volume += other.volume
        self.quote_volume += other.quote_volume
        self.trades += other.trades
        self.taker_buy_volume += other.taker_buy_volume
        self.taker_buy_quote += other.taker_buy_quote
        if other.trades:
            self.last_trade_id = other.last_trade_id


class Tape:
    """The trades of one symbol since the simulator started."""

    def __init__(self, instrument):
        self.instrument = instrument
        self.trades: deque[Fill] = deque(maxlen=TRADES_KEPT)
        self.minutes: deque[Candle] = deque(maxlen=MINUTES_KEPT)

    def add(self, fill: Fill) -> None:
        self.trades.append(fill)
        minute = fill.time - fill.time % MINUTE
        if not self.minutes or self.minutes[-1].open_time != minute:
            open_price = self.minutes[-1].close if self.minutes else fill.price
            self.minutes.append(Candle(minute, open_price, max(open_price, fill.price), min(open_price, fill.price),
                                       fill.price))
        self.minutes[-1].add(fill)

    def candles(self, interval: int, limit: int) -> list[Candle]:
        """The newest `limit` candles of `interval` ms that have trades, oldest first."""
        out: list[Candle] = []
        for minute in self.minutes:
            start = minute.open_time - minute.open_time % interval
            if not out or out[-1].open_time != start:
                out.append(Candle(start, minute.open, minute.high, minute.low, minute.close))
            out[-1].merge(minute)
        return out[-limit:]

    def day(self) -> Candle:
        """All candles kept, as one: the statistics of (at most) the last day."""
        start = self.instrument.start_price
        if not self.minutes:
            return Candle(0, start, start, start, start)
        total = Candle(self.minutes[0].open_time, self.minutes[0].open, self.minutes[0].high, self.minutes[0].low,
                       self.minutes[0].close)
        for minute in self.minutes:
            total.merge(minute)
        return total
