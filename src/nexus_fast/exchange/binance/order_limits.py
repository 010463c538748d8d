"""How many orders Binance takes of an account per time.

Fixed windows by the venue's clock. Spot counts orders that were not filled: a first fill gives some back, and an amendment counts
for nothing. USD-M and COIN-M count together, modifications too. The figures are asked for at start; those here are for a venue
that does not say them. Of margin accounts no figures are published, and none is counted.
Sources: developers.binance.com, "Rate limits", faqs/order_count_decrement.md, general info of the futures.
"""


import msgspec

from nexus_fast.constants import ExchangeType
from nexus_fast.exchange.rows import Rows
from nexus_fast.order.budgets import Budgets, Window, Windows
from nexus_fast.order.events import OrderUpdate

SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400}
SPOT, CONTRACTS, PORTFOLIO = "spot", "contracts", "portfolio margin"
POOLS = {"spot": SPOT, "usd_m": CONTRACTS, "coin_m": CONTRACTS, "portfolio_margin": PORTFOLIO}
LIMITS = {SPOT: {10: 100, 86_400: 200_000}, CONTRACTS: {10: 300, 60: 1200}, PORTFOLIO: {60: 1200}}
QUESTIONS = {
    "spot": "/api/v3/rateLimit/order",
    "usd_m": "/fapi/v1/rateLimit/order",
    "portfolio_margin": "/papi/v1/rateLimit/order",
}
GIVEN_BACK_TO_TAKER, GIVEN_BACK_TO_MAKER = 1, 5


class _Limit(msgspec.Struct, rename="camel"):
    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int
    count: int = 0

    @property
    def seconds(self) -> int:
        return SECONDS[self.interval] * self.interval_num


_limits = Rows(_Limit, "Binance order limits", "interval")


class OrderLimits:
    """Of one account."""

    def __init__(self, family: str, budgets: Budgets):
        self._pool = POOLS.get(family)
        self._budgets = budgets
        self._limits = dict(LIMITS.get(self._pool, {}))
        self.question = QUESTIONS.get(family)

    def windows(self) -> Windows:
        spot = self._pool == SPOT
        found = [Window(f"{self._pool} {s} s", n, s, reducible=not spot) for s, n in sorted(self._limits.items())]
        return found, [] if spot else found

    def read(self, body: bytes, asked_ns: int, now_ns: int) -> None:
        """The venue's answer: its limits, and what it has counted, also of other programs and of the one before this."""
        for limit in _limits.decode(body):
            if limit.rate_limit_type != "ORDERS" or limit.interval not in SECONDS:
                continue
            self._limits[limit.seconds] = limit.limit
            budget = self._budgets.get(ExchangeType.BINANCE, f"{self._pool} {limit.seconds} s")
            if budget is not None:
                budget.set_limit(limit.limit)
                budget.heard(limit.count, asked_ns, now_ns)

    def on_update(self, update: OrderUpdate) -> None:
        """The first fill of an order is one that has all that is filled."""
        if self._pool != SPOT or update.trade_id < 0 or update.filled != update.last_quantity:
            return
        for seconds in self._limits:
            budget = self._budgets.get(ExchangeType.BINANCE, f"{SPOT} {seconds} s")
            if budget is not None:
                budget.give_back(GIVEN_BACK_TO_MAKER if update.is_maker else GIVEN_BACK_TO_TAKER)
