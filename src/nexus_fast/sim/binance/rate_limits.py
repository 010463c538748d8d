"""Fixed windows, as the venue has them: they begin at :00, :10 … and do not slide.

Order limits are per account and request weight per client address. The venue's order limits (spot 100 in 10 s and
200,000 a day, USD-M 300 in 10 s and 1,200 a minute) would end a quoting demo within seconds, so they are multiplied
by `order_limit_factor` (1000 by default, 1 gives the venue's own). With a factor above 1 order entry (place, cancel,
amend, modify) also costs no request weight; all else keeps the venue's weights and limit. `weight_limit_factor` multiplies
that limit, for many programs that share one address.
"""

from dataclasses import dataclass, field

import msgspec

from nexus_fast.sim.binance.errors import VenueError

_SECONDS = {"SECOND": 1, "MINUTE": 60, "DAY": 86_400}
_LETTER = {"SECOND": "S", "MINUTE": "M", "DAY": "D"}

SPOT_ORDERS = (("SECOND", 10, 100), ("DAY", 1, 200_000))
SPOT_WEIGHT = 6000
FUTURES_ORDERS = (("SECOND", 10, 300), ("MINUTE", 1, 1200))
FUTURES_WEIGHT = 2400
PORTFOLIO_ORDERS = (("MINUTE", 1, 1200),)
PORTFOLIO_WEIGHT = 6000


@dataclass(slots=True)
class Window:
    """One counter over one fixed interval."""

    kind: str
    interval: str
    number: int
    limit: int
    count: int = 0
    started: int = 0

    def roll(self, now_ms: int) -> int:
        """Start the interval that `now_ms` is in, if it is another one; returns the count."""
        start = now_ms - now_ms % self.length_ms
        if start != self.started:
            self.started, self.count = start, 0
        return self.count

    @property
    def length_ms(self) -> int:
        return _SECONDS[self.interval] * self.number * 1000

    @property
    def suffix(self) -> str:
        return f"{self.number}{_LETTER[self.interval]}"

    def shape(self) -> dict:
        return {"rateLimitType": self.kind, "interval": self.interval, "intervalNum": self.number, "limit": self.limit,
                "count": self.count}


@dataclass(slots=True)
class RateLimits:
    """All counters of one market."""

    orders: tuple
    weight_limit: int
    order_limit_factor: int = 1000
    _weights: dict[str, Window] = field(default_factory=dict)
    _orders: dict[str, list[Window]] = field(default_factory=dict)

    @property
    def order_entry_is_free(self) -> bool:
        return self.order_limit_factor > 1

    def rules(self) -> list[dict]:
        """The `rateLimits` of exchangeInfo: the limits that are in force here."""
        rules = [self._weight_window(), *self._order_windows()]
        return [{"rateLimitType": w.kind, "interval": w.interval, "intervalNum": w.number, "limit": w.limit}
                for w in rules]

    def charge_weight(self, address: str, weight: int, now_ms: int) -> None:
        """Count request weight; over the limit the venue answers 429 with -1003 until the window ends."""
        window = self._weights.get(address)
        if window is None:
            window = self._weights[address] = self._weight_window()
        window.roll(now_ms)
        window.count += weight
        if window.count > window.limit:
            retry = window.started + window.length_ms
            raise VenueError(-1003, f"Too much request weight used; current limit is {window.limit} request weight per "
                             "1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.", 429,
                             {"serverTime": now_ms, "retryAfter": retry})

    def charge_order(self, account_key: str, now_ms: int) -> None:
        """Count one new order; over a limit the venue answers 429 with -1015."""
        windows = self._windows_of(account_key)
        for window in windows:
            if window.roll(now_ms) >= window.limit:
                raise VenueError(-1015, f"Too many new orders; current limit is {window.limit} orders per "
                                 f"{window.number} {window.interval}.", 429,
                                 {"serverTime": now_ms, "retryAfter": window.started + window.length_ms})
        for window in windows:
            window.count += 1

    def order_filled(self, account_key: str, as_maker: bool) -> None:
        """Spot counts unfilled orders: a first fill gives one back as taker, five as maker, never below nothing."""
        for window in self._windows_of(account_key):
            window.count = max(0, window.count - (5 if as_maker else 1))

    def orders_state(self, account_key: str, now_ms: int) -> list[dict]:
        windows = self._windows_of(account_key)
        for window in windows:
            window.roll(now_ms)
        return [window.shape() for window in windows]

    def websocket_tail(self, address: str, account_key: str | None, now_ms: int) -> bytes:
        """The `rateLimits` array of a WebSocket API answer."""
        limits = self.orders_state(account_key, now_ms) if account_key is not None else []
        window = self._weights.get(address) or self._weights.setdefault(address, self._weight_window())
        window.roll(now_ms)
        return msgspec.json.encode([*limits, window.shape()])

    def headers(self, address: str, account_key: str | None, now_ms: int) -> dict[str, str]:
        """X-MBX-USED-WEIGHT-… always, X-MBX-ORDER-COUNT-… on answers to orders."""
        window = self._weights.get(address)
        used = window.roll(now_ms) if window is not None else 0
        out = {"X-MBX-USED-WEIGHT": str(used), "X-MBX-USED-WEIGHT-1M": str(used)}
        if account_key is not None:
            for window in self._windows_of(account_key):
                out[f"X-MBX-ORDER-COUNT-{window.suffix}"] = str(window.roll(now_ms))
        return out

    def _weight_window(self) -> Window:
        return Window("REQUEST_WEIGHT", "MINUTE", 1, self.weight_limit)

    def _order_windows(self) -> list[Window]:
        return [Window("ORDERS", interval, number, limit * self.order_limit_factor)
                for interval, number, limit in self.orders]

    def _windows_of(self, account_key: str) -> list[Window]:
        windows = self._orders.get(account_key)
        if windows is None:
            windows = self._orders[account_key] = self._order_windows()
        return windows
