"""Bars made here, from trades: by time and by volume.

Sums are kept in Decimal, so that a bar's volume is that of its trades to the last digit; a Kline's fields are floats.
Filled in are open, high, low, close, volume, buy_volume and taker_volume (both: what buyers took), quote_volume and
taker_quote_volume. Trades without a price or a size (the venue's own bookings) are no part of a bar.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from nexus_fast.constants import ExchangeType, KlineInterval, OrderSide
from nexus_fast.error import KlineSupportedError
from nexus_fast.exact import OWN, as_decimal, exactly
from nexus_fast.schema import Kline, Trade

# How long after a bar's end, once its trades should be here, the bar waits for the last of them.
SETTLE_MS = 200
# 1970-01-05 was a Monday: the venues' weeks begin on it.
FIRST_MONDAY_MS = 4 * 86_400_000
SIDES = {"DEFAULT": None, "BUY": OrderSide.BUY, "SELL": OrderSide.SELL}
Publish = Callable[[Kline], None]


def bar_bounds(timestamp: int, interval: KlineInterval) -> tuple[int, int]:
    """Start and end (ms, the end belongs to the next bar) of the bar that holds a time: UTC, weeks from Monday,
    calendar months."""
    if interval is KlineInterval.MONTH_1:
        day = datetime.fromtimestamp(timestamp / 1000, UTC)
        start = datetime(day.year, day.month, 1, tzinfo=UTC)
        end = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
        return int(start.timestamp()) * 1000, int(end.timestamp()) * 1000
    length = interval.milliseconds
    origin = FIRST_MONDAY_MS if interval is KlineInterval.WEEK_1 else 0
    start = timestamp - (timestamp - origin) % length
    return start, start + length


class Building:
    """The bar that is being made."""

    __slots__ = ("open", "high", "low", "close", "volume", "quote_volume", "buy_volume", "buy_quote_volume", "start")

    def __init__(self) -> None:
        self.close: float | None = None
        self.clear()

    def clear(self) -> None:
        """The next bar. The close stays: it is the price of a bar without trades."""
        self.open = self.high = self.low = self.close
        self.volume = self.quote_volume = self.buy_volume = self.buy_quote_volume = Decimal(0)
        self.start: int | None = None    # the first trade's time; None without one

    @exactly
    def add(self, trade: Trade, size: Decimal) -> None:
        """size: how much of the trade belongs to this bar."""
        price = trade.price
        if self.start is None:
            self.open = self.high = self.low = price
            self.start = trade.timestamp
        self.high, self.low, self.close = max(self.high, price), min(self.low, price), price
        cost = as_decimal(price) * size
        self.volume += size
        self.quote_volume += cost
        if trade.side is OrderSide.BUY:
            self.buy_volume += size
            self.buy_quote_volume += cost

    def as_kline(
        self, exchange: ExchangeType, symbol: str, interval: KlineInterval, start: int, timestamp: int
    ) -> Kline:
        return Kline(
            exchange=exchange,
            symbol=symbol,
            interval=interval,
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=float(self.volume),
            buy_volume=float(self.buy_volume),
            quote_volume=float(self.quote_volume),
            taker_volume=float(self.buy_volume),
            taker_quote_volume=float(self.buy_quote_volume),
            start=start,
            timestamp=timestamp,
            confirm=True,
        )


class TimeKlineAggregator:
    """Bars of a length of time, by the venue's time of the trades. Each is published once, when it is over.

    A bar is over when a trade of a later one comes, or, without one, when `advance` is called with a local time at
    which its trades have been here for SETTLE_MS: the trades themselves tell how far the local clock and the way from
    the venue are off. Trades of a bar that was published before are dropped and counted in `late`. The first
    bar holds what was traded since the first trade seen. build_with_no_updates: a bar without trades is published too,
    at the last close, once there was a trade. A bar's timestamp is its end.
    """

    def __init__(
        self,
        exchange: ExchangeType,
        symbol: str,
        interval: KlineInterval,
        publish: Publish,
        build_with_no_updates: bool = True,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ):
        if interval is KlineInterval.VOLUME:
            raise KlineSupportedError("bars by volume have no length of time; use subscribe_volume_kline")
        self.late = 0
        self._what = (exchange, symbol, interval)
        self._publish = publish
        self._build_with_no_updates = build_with_no_updates
        self._now_ms = now_ms
        self._building = Building()
        self._start = self._end = 0
        # Local time minus the venue's time of a trade at its arrival, at least: of this bar, and of the one before it.
        self._lag: int | None = None
        self._lag_before: int | None = None

    def on_trade(self, trade: Trade) -> None:
        if trade.price <= 0 or trade.size <= 0:
            return
        lag = self._now_ms() - trade.timestamp
        if not self._end:
            self._start, self._end = bar_bounds(trade.timestamp, self._what[2])
        if trade.timestamp < self._start:
            self.late += 1
            return
        self._close_until(trade.timestamp)
        self._lag = lag if self._lag is None else min(lag, self._lag)
        self._building.add(trade, as_decimal(trade.size))

    def advance(self, now_ms: int) -> None:
        """now_ms: local time. Publishes what is over by now."""
        if self._end:
            self._close_until(now_ms - self._delay())

    @property
    def due_ms(self) -> int | None:
        """The local time at which `advance` will have something to publish; None before the first trade."""
        return self._end + self._delay() if self._end else None

    def _delay(self) -> int:
        return min(lag for lag in (self._lag, self._lag_before) if lag is not None) + SETTLE_MS

    def _close_until(self, timestamp: int) -> None:
        """Publish every bar that ended at this venue time or before it."""
        while self._end <= timestamp:
            traded = self._building.start is not None
            if traded or self._build_with_no_updates:
                bar = self._building.as_kline(*self._what, start=self._start, timestamp=self._end)
                self._building.clear()
                self._start, self._end = bar_bounds(self._end, self._what[2])
            else:
                bar = None
                self._start, self._end = bar_bounds(timestamp, self._what[2])
            if self._lag is not None:
                self._lag_before, self._lag = self._lag, None
            if bar is not None:
                self._publish(bar)


class VolumeKlineAggregator:
    """Bars of equal volume: each holds exactly `volume_threshold` base units; a trade that is larger than what is
    missing goes on in the next bars. volume_type: of all trades (DEFAULT), or of those alone in which the taker bought
    (BUY) or sold (SELL). start and timestamp are the times of a bar's first and last trade."""

    def __init__(
        self,
        exchange: ExchangeType,
        symbol: str,
        volume_threshold: float,
        publish: Publish,
        volume_type: str = "DEFAULT",
    ):
        self._what = (exchange, symbol, KlineInterval.VOLUME)
        self._threshold = as_decimal(volume_threshold)
        self._side = SIDES[volume_type]
        self._publish = publish
        self._building = Building()

    def on_trade(self, trade: Trade) -> None:
        if trade.price <= 0 or trade.size <= 0 or (self._side is not None and trade.side is not self._side):
            return
        left = as_decimal(trade.size)
        while left:
            part = min(left, OWN.subtract(self._threshold, self._building.volume))
            self._building.add(trade, part)
            left = OWN.subtract(left, part)
            if self._building.volume == self._threshold:
                bar = self._building.as_kline(*self._what, start=self._building.start, timestamp=trade.timestamp)
                self._building.clear()
                self._publish(bar)
