"""Questions to the venue.

Safe in every callback. Each waits for the venue's answer, 10 seconds at most, and meanwhile the engine's thread
stands still: no tick, no fill and no timer is seen. Errors: RouteError, VenueError (the venue refused),
ConnectionError (it cannot be reached), TimeoutError (no complete answer in time).
"""

from collections.abc import Awaitable
from typing import Any

from nexus_fast.constants import AccountType, ExchangeType, KlineInterval
from nexus_fast.schema import KlineList, Order, Ticker
from nexus_fast.strategy.arguments import Time, checked_symbols, milliseconds, require_member
from nexus_fast.strategy.runtime_access import engine_of


class Requests:
    __slots__ = ()

    def arequest(self, name: str, **kwargs: Any) -> Awaitable[Any]:
        """The questions below for coroutines, as those of schedule(): the engine goes on while the answer is awaited.

        name and kwargs: ticker(symbol), all_tickers(account_type), klines and index_klines(symbols, interval, limit,
        start_time, end_time), order(symbol, oid), open_orders(symbol), recent_trades(symbol, limit); all but
        all_tickers may have account_type=. No limit on the whole, so that it suits downloads of many bars.
        """
        runtime = engine_of(self, "arequest")
        for bound in kwargs.keys() & {"start_time", "end_time"}:
            kwargs[bound] = milliseconds(kwargs[bound])
        return runtime.request_async(name, **kwargs)

    def request_ticker(self, symbol: str, account_type: AccountType | None = None) -> Ticker:
        return engine_of(self, "request_ticker").request("ticker", symbol=symbol, account_type=account_type)

    def request_all_tickers(self, account_type: AccountType) -> dict[str, Ticker]:
        return engine_of(self, "request_all_tickers").request("all_tickers", account_type=account_type)

    def request_klines(
        self,
        symbol: str | list[str],
        interval: KlineInterval,
        limit: int | None = None,
        start_time: Time = None,
        end_time: Time = None,
        account_type: AccountType | None = None,
    ) -> KlineList:
        """Bars whose start lies in start_time … end_time (both included): milliseconds since 1970 or datetimes.

        limit: at most so many of each symbol: the first ones from start_time on, without start_time the last ones.
        Without limit: all of them from start_time on, without start_time the last 500. As many pages as it takes.
        """
        return _klines(self, "request_klines", "klines", symbol, interval, limit, start_time, end_time, account_type)

    def request_index_klines(
        self,
        symbol: str | list[str],
        interval: KlineInterval,
        limit: int | None = None,
        start_time: Time = None,
        end_time: Time = None,
        account_type: AccountType | None = None,
    ) -> KlineList:
        """The same of the index price, without volumes. Raises SubscriptionError for spot."""
        return _klines(
            self, "request_index_klines", "index_klines", symbol, interval, limit, start_time, end_time, account_type
        )

    def fetch_order(
        self, symbol: str, oid: str, account_type: AccountType | None = None, force_refresh: bool = False
    ) -> Order | None:
        """The order as known here; as the venue says now with force_refresh, or when it is not known here."""
        runtime = engine_of(self, "fetch_order")
        known = None if force_refresh else self.cache.get_order(oid)
        return known or runtime.request("order", symbol=symbol, oid=oid, account_type=account_type)

    def fetch_open_orders(self, symbol: str, account_type: AccountType | None = None) -> list[Order]:
        """Everything of the account that is open on the symbol at the venue, whoever placed it."""
        return engine_of(self, "fetch_open_orders").request("open_orders", symbol=symbol, account_type=account_type)

    def fetch_recent_trades(
        self, symbol: str, limit: int = 50, account_type: AccountType | None = None
    ) -> list[Order]:
        """The account's own last fills of a symbol, newest first, each as an order that consists of that fill alone.

        amount, filled and last_filled are the fill's, eid is the venue's id of its order; oid and price are not told.
        """
        return engine_of(self, "fetch_recent_trades").request(
            "recent_trades", symbol=symbol, limit=limit, account_type=account_type
        )

    def api(self, account_type: AccountType) -> Any:
        """The venue's REST with the account's key, by path: .get(path, params, signed=), .post, .put and .delete return
        its decoded JSON. Orders do not go this way: what is no question and not listed in nexus_fast.exchange.direct_calls
        raises OrderRefusedError. NexusTrader's generated method names are not served."""
        return engine_of(self, "api").api(account_type)

    def set_reconnect_reconcile_grace_ms(self, exchange: ExchangeType, grace_ms: int) -> None:
        """How long after a reconnect an order that the venue no longer lists is held to be on its way."""
        runtime = engine_of(self, "set_reconnect_reconcile_grace_ms")
        if grace_ms < 0:
            raise ValueError(f"grace_ms={grace_ms} is negative")
        runtime.set_reconcile_grace_ms(exchange, grace_ms)


def _klines(
    strategy: Any,
    method: str,
    name: str,
    symbol: str | list[str],
    interval: KlineInterval,
    limit: int | None,
    start_time: Time,
    end_time: Time,
    account_type: AccountType | None,
) -> KlineList:
    require_member(method, "interval", interval, KlineInterval)
    return engine_of(strategy, method).request(
        name,
        symbols=checked_symbols(method, symbol),
        interval=interval,
        limit=limit,
        start_time=milliseconds(start_time),
        end_time=milliseconds(end_time),
        account_type=account_type,
    )
