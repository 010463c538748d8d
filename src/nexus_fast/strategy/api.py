"""The cold half of Strategy: subscriptions, timers, markets, precision, requests, parameters, and callbacks that do
nothing until a program overrides them.

`StrategyApi` is a mixin without fields. What it needs stands in `self._runtime`, which the engine sets when it is
built; before that every method raises StrategyBuildError. The runtime has

    subscribe(strategy, data_type, symbols, **options)      symbols: list of checked symbols
    unsubscribe(strategy, data_type, symbols, **options)
    ready(strategy) -> bool                                 every subscription with ready=True has had its first data
    request(name, **arguments) -> Any                       a REST question, safe on the loop's own thread
    request_async(name, **arguments) -> Awaitable           the same on the loop, which goes on meanwhile
    api(account_type) -> object                             the account's REST methods
    stop()                                                  as Ctrl+C
    kill(reason)                                            the kill switch
    instruments                                             nexus_fast.exchange.instrument.InstrumentTable
    scheduler                                               nexus_fast.scheduling.Scheduler
    private_accounts                                        account types with a private connector
    protect(strategy, order, take_profit, stop_loss) -> str the entry's oid; see create_tp_sl_order
    set_reconcile_grace_ms(exchange, grace_ms)
"""

import time
import warnings
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from nexus_fast.constants import (
    AccountType,
    BookLevel,
    DataType,
    ExchangeType,
    InstrumentType,
    KlineInterval,
    OrderSide,
    OrderType,
    ParamBackend,
    TimeInForce,
    TriggerType,
)
from nexus_fast.error import InstrumentError, OrderRefusedError, StrategyBuildError, SubscriptionError
from nexus_fast.exchange.instrument import Instrument
from nexus_fast.exchange.market import base_market
from nexus_fast.exchange.routing import resolve_account
from nexus_fast.identity import InstrumentId
from nexus_fast.schema import (
    AccountBalance,
    BaseMarket,
    BatchOrder,
    BookL1,
    BookL2,
    FundingRate,
    IndexPrice,
    Kline,
    KlineList,
    MarkPrice,
    Order,
    Ticker,
    Trade,
)

Symbols = str | Iterable[str]
Mode = Literal["round", "ceil", "floor"]
VolumeType = Literal["DEFAULT", "BUY", "SELL"]
Time = int | datetime | None


class ProtectiveLeg(Struct, frozen=True, kw_only=True):
    """A take-profit or a stop-loss. price: None for the types that end as a market order."""

    type: OrderType
    trigger_price: Decimal
    price: Decimal | None
    trigger_type: TriggerType


class StrategyApi:
    __slots__ = ()

    # ------------------------------------------------------------------------------------------ the engine

    def _engine(self, method: str) -> Any:
        runtime = getattr(self, "_runtime", None)
        if runtime is None:
            raise StrategyBuildError(
                f"{type(self).__name__}.{method}() was called before the engine was built. Call it in on_start or in a "
                "later callback, not in __init__; a subclass with an __init__ of its own calls super().__init__()."
            )
        return runtime

    @property
    def ready(self) -> bool:
        """Whether every subscription made with ready=True has had its first data; True when there is none."""
        return self._engine("ready").ready(self)

    def stop(self) -> None:
        """Ends the engine as Ctrl+C does: on_stop, cancels when Config.exit_after_cancel, disconnect."""
        self._engine("stop").stop()

    def kill_switch(self, reason: str = "") -> None:
        """Nothing but cancels leaves any more, from any strategy, and everything on the accounts is canceled, whoever placed
        it, until
        the venues confirm that no order is open: on_private_ws_status says "halted", then "halted_empty". The engine goes on
        running; only its end lifts it."""
        self._engine("kill_switch").kill(reason)

    def wait(self, seconds: float) -> None:
        """Sleeps on the engine's thread: no tick and no fill is seen meanwhile. A job of schedule() does without."""
        time.sleep(seconds)

    # ------------------------------------------------------------------------------------------ subscriptions

    def _subscribe(self, method: str, data_type: DataType, symbols: Symbols, **options: Any) -> None:
        runtime = self._engine(method)
        runtime.subscribe(self, data_type, _checked(method, symbols), **options)

    def _unsubscribe(self, method: str, data_type: DataType, symbols: Symbols, **options: Any) -> None:
        runtime = self._engine(method)
        runtime.unsubscribe(self, data_type, _checked(method, symbols), **options)

    def subscribe_bookl1(self, symbols: Symbols, ready_timeout: int = 60, ready: bool = True) -> None:
        """Best bid and ask, to on_bookl1. ready: self.ready waits for the first, at most ready_timeout seconds."""
        self._subscribe("subscribe_bookl1", DataType.BOOKL1, symbols, ready_timeout=ready_timeout, ready=ready)

    def subscribe_bookl2(
        self, symbols: Symbols, level: BookLevel, ready_timeout: int = 60, ready: bool = True
    ) -> None:
        _member("subscribe_bookl2", "level", level, BookLevel)
        self._subscribe(
            "subscribe_bookl2", DataType.BOOKL2, symbols, level=level, ready_timeout=ready_timeout, ready=ready
        )

    def subscribe_trade(self, symbols: Symbols, ready_timeout: int = 60, ready: bool = True) -> None:
        self._subscribe("subscribe_trade", DataType.TRADE, symbols, ready_timeout=ready_timeout, ready=ready)

    def subscribe_funding_rate(self, symbols: Symbols, ready_timeout: int = 60, ready: bool = True) -> None:
        self._subscribe(
            "subscribe_funding_rate", DataType.FUNDING_RATE, symbols, ready_timeout=ready_timeout, ready=ready
        )

    def subscribe_index_price(self, symbols: Symbols, ready_timeout: int = 60, ready: bool = True) -> None:
        self._subscribe(
            "subscribe_index_price", DataType.INDEX_PRICE, symbols, ready_timeout=ready_timeout, ready=ready
        )

    def subscribe_mark_price(self, symbols: Symbols, ready_timeout: int = 60, ready: bool = True) -> None:
        self._subscribe("subscribe_mark_price", DataType.MARK_PRICE, symbols, ready_timeout=ready_timeout, ready=ready)

    def subscribe_kline(
        self,
        symbols: Symbols,
        interval: KlineInterval,
        ready_timeout: int = 60,
        ready: bool = True,
        use_aggregator: bool = False,
        build_with_no_updates: bool = True,
    ) -> None:
        """Bars, to on_kline. use_aggregator: made here from trades; build_with_no_updates: also without any trade."""
        _member("subscribe_kline", "interval", interval, KlineInterval)
        self._subscribe(
            "subscribe_kline",
            DataType.KLINE,
            symbols,
            interval=interval,
            ready_timeout=ready_timeout,
            ready=ready,
            use_aggregator=use_aggregator,
            build_with_no_updates=build_with_no_updates,
        )

    def subscribe_volume_kline(
        self,
        symbols: Symbols,
        volume_threshold: float,
        volume_type: VolumeType = "DEFAULT",
        ready_timeout: int = 60,
        ready: bool = True,
    ) -> None:
        _volume("subscribe_volume_kline", volume_threshold, volume_type)
        self._subscribe(
            "subscribe_volume_kline",
            DataType.VOLUME_KLINE,
            symbols,
            volume_threshold=volume_threshold,
            volume_type=volume_type,
            ready_timeout=ready_timeout,
            ready=ready,
        )

    def unsubscribe_bookl1(self, symbols: Symbols) -> None:
        self._unsubscribe("unsubscribe_bookl1", DataType.BOOKL1, symbols)

    def unsubscribe_bookl2(self, symbols: Symbols, level: BookLevel) -> None:
        _member("unsubscribe_bookl2", "level", level, BookLevel)
        self._unsubscribe("unsubscribe_bookl2", DataType.BOOKL2, symbols, level=level)

    def unsubscribe_trade(self, symbols: Symbols) -> None:
        self._unsubscribe("unsubscribe_trade", DataType.TRADE, symbols)

    def unsubscribe_funding_rate(self, symbols: Symbols) -> None:
        self._unsubscribe("unsubscribe_funding_rate", DataType.FUNDING_RATE, symbols)

    def unsubscribe_index_price(self, symbols: Symbols) -> None:
        self._unsubscribe("unsubscribe_index_price", DataType.INDEX_PRICE, symbols)

    def unsubscribe_mark_price(self, symbols: Symbols) -> None:
        self._unsubscribe("unsubscribe_mark_price", DataType.MARK_PRICE, symbols)

    def unsubscribe_kline(self, symbols: Symbols, interval: KlineInterval, use_aggregator: bool = False) -> None:
        _member("unsubscribe_kline", "interval", interval, KlineInterval)
        self._unsubscribe(
            "unsubscribe_kline", DataType.KLINE, symbols, interval=interval, use_aggregator=use_aggregator
        )

    def unsubscribe_volume_kline(
        self, symbols: Symbols, volume_threshold: float, volume_type: VolumeType = "DEFAULT"
    ) -> None:
        _volume("unsubscribe_volume_kline", volume_threshold, volume_type)
        self._unsubscribe(
            "unsubscribe_volume_kline",
            DataType.VOLUME_KLINE,
            symbols,
            volume_threshold=volume_threshold,
            volume_type=volume_type,
        )

    # ------------------------------------------------------------------------------------------ timers

    def schedule(
        self, func: Callable, trigger: Literal["interval", "cron", "date"] = "interval", **kwargs: Any
    ) -> Any:
        """Runs func on the engine's thread: every seconds=/minutes=/… (interval), at hour=/minute=/… (cron), or at
        run_date= (date). Further arguments are APScheduler's. Returns the job."""
        return self._engine("schedule").scheduler.add(func, trigger, **kwargs)

    def set_timer(
        self,
        callback: Callable,
        interval: timedelta,
        name: str | None = None,
        start_time: datetime | None = None,
        stop_time: datetime | None = None,
    ) -> Any:
        """Deprecated: schedule(callback, seconds=…)."""
        warnings.warn("set_timer() is deprecated, use schedule() instead", DeprecationWarning, stacklevel=2)
        options = {"seconds": interval.total_seconds(), "name": name, "start_date": start_time, "end_date": stop_time}
        return self.schedule(callback, "interval", **{k: v for k, v in options.items() if v is not None})

    # ------------------------------------------------------------------------------------------ markets

    def _instrument(self, method: str, symbol: str) -> Instrument:
        return self._engine(method).instruments.get(symbol)

    def market(self, symbol: str) -> BaseMarket:
        return base_market(self._instrument("market", symbol))

    def instrument(self, symbol: str) -> Instrument:
        """The same with exact steps and limits."""
        return self._instrument("instrument", symbol)

    def tick_sz(self, symbol: str) -> float:
        return float(self._instrument("tick_sz", symbol).tick_size)

    def lot_sz(self, symbol: str) -> float:
        return float(self._instrument("lot_sz", symbol).lot_size)

    def min_order_amount(self, symbol: str, px: float | None = None) -> Decimal:
        """The least amount the venue takes at price px (the book's middle where it is left out), 1 % to spare."""
        instrument = self._instrument("min_order_amount", symbol)
        if px is None:
            book = self.cache.bookl1(symbol)
            if book is None:
                raise SubscriptionError(
                    f"min_order_amount({symbol!r}) needs a price and no quote of it has come yet: pass px=, or "
                    "subscribe_bookl1 it and call after its first on_bookl1."
                )
            px = book.mid
        return instrument.smallest_quantity(px)

    def amount_to_precision(self, symbol: str, amount: float | Decimal, mode: Mode = "round") -> Decimal:
        """amount on the symbol's lot, exactly; halves go away from zero with "round"."""
        return self._instrument("amount_to_precision", symbol).round_quantity(amount, mode)

    def price_to_precision(self, symbol: str, price: float | Decimal, mode: Mode = "round") -> Decimal:
        """price on the symbol's tick, exactly; halves go away from zero with "round"."""
        return self._instrument("price_to_precision", symbol).round_price(price, mode)

    def _symbols(self, method: str, exchange: ExchangeType, type: InstrumentType, *rest: Any) -> list[str]:
        return self._engine(method).instruments.symbols(exchange, type, *rest)

    def linear_info(
        self,
        exchange: ExchangeType,
        base: str | None = None,
        quote: str | None = None,
        exclude: list[str] | None = None,
    ) -> list[str]:
        """Linear perpetuals that are being traded."""
        return self._symbols("linear_info", exchange, InstrumentType.LINEAR, base, quote, exclude)

    def inverse_info(
        self,
        exchange: ExchangeType,
        base: str | None = None,
        quote: str | None = None,
        exclude: list[str] | None = None,
    ) -> list[str]:
        """Inverse perpetuals that are being traded."""
        return self._symbols("inverse_info", exchange, InstrumentType.INVERSE, base, quote, exclude)

    def spot_info(
        self,
        exchange: ExchangeType,
        base: str | None = None,
        quote: str | None = None,
        exclude: list[str] | None = None,
    ) -> list[str]:
        return self._symbols("spot_info", exchange, InstrumentType.SPOT, base, quote, exclude)

    def future_info(
        self,
        exchange: ExchangeType,
        base: str | None = None,
        quote: str | None = None,
        exclude: list[str] | None = None,
    ) -> list[str]:
        """Dated futures that are being traded, linear and inverse."""
        kinds = (InstrumentType.LINEAR, InstrumentType.INVERSE)
        return [s for kind in kinds for s in self._symbols("future_info", exchange, kind, base, quote, exclude, True)]

    # ------------------------------------------------------------------------------------------ requests
    #
    # Safe in every callback. Each waits for the venue's answer, 10 seconds at most, and meanwhile the engine's thread
    # stands still: no tick, no fill and no timer is seen. Errors: RouteError, VenueError (the venue refused),
    # ConnectionError (it cannot be reached), TimeoutError (no complete answer in time).

    def arequest(self, name: str, **kwargs: Any) -> Awaitable[Any]:
        """The questions below for coroutines, as those of schedule(): the engine goes on while the answer is awaited.

        name and kwargs: ticker(symbol), all_tickers(account_type), klines and index_klines(symbols, interval, limit,
        start_time, end_time), order(symbol, oid), open_orders(symbol), recent_trades(symbol, limit); all but
        all_tickers may have account_type=. No limit on the whole, so that it suits downloads of many bars.
        """
        runtime = self._engine("arequest")
        for bound in kwargs.keys() & {"start_time", "end_time"}:
            kwargs[bound] = _milliseconds(kwargs[bound])
        return runtime.request_async(name, **kwargs)

    def request_ticker(self, symbol: str, account_type: AccountType | None = None) -> Ticker:
        return self._engine("request_ticker").request("ticker", symbol=symbol, account_type=account_type)

    def request_all_tickers(self, account_type: AccountType) -> dict[str, Ticker]:
        return self._engine("request_all_tickers").request("all_tickers", account_type=account_type)

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
        return self._klines("request_klines", "klines", symbol, interval, limit, start_time, end_time, account_type)

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
        return self._klines(
            "request_index_klines", "index_klines", symbol, interval, limit, start_time, end_time, account_type
        )

    def _klines(
        self,
        method: str,
        name: str,
        symbol: str | list[str],
        interval: KlineInterval,
        limit: int | None,
        start_time: Time,
        end_time: Time,
        account_type: AccountType | None,
    ) -> KlineList:
        _member(method, "interval", interval, KlineInterval)
        return self._engine(method).request(
            name,
            symbols=_checked(method, symbol),
            interval=interval,
            limit=limit,
            start_time=_milliseconds(start_time),
            end_time=_milliseconds(end_time),
            account_type=account_type,
        )

    def fetch_order(
        self, symbol: str, oid: str, account_type: AccountType | None = None, force_refresh: bool = False
    ) -> Order | None:
        """The order as known here; as the venue says now with force_refresh, or when it is not known here."""
        runtime = self._engine("fetch_order")
        known = None if force_refresh else self.cache.get_order(oid)
        return known or runtime.request("order", symbol=symbol, oid=oid, account_type=account_type)

    def fetch_open_orders(self, symbol: str, account_type: AccountType | None = None) -> list[Order]:
        """Everything of the account that is open on the symbol at the venue, whoever placed it."""
        return self._engine("fetch_open_orders").request("open_orders", symbol=symbol, account_type=account_type)

    def fetch_recent_trades(
        self, symbol: str, limit: int = 50, account_type: AccountType | None = None
    ) -> list[Order]:
        """The account's own last fills of a symbol, newest first, each as an order that consists of that fill alone.

        amount, filled and last_filled are the fill's, eid is the venue's id of its order; oid and price are not told.
        """
        return self._engine("fetch_recent_trades").request(
            "recent_trades", symbol=symbol, limit=limit, account_type=account_type
        )

    def api(self, account_type: AccountType) -> Any:
        """The venue's REST with the account's key, by path: .get(path, params, signed=), .post, .put and .delete return
        its decoded JSON. NexusTrader's generated method names are not served."""
        return self._engine("api").api(account_type)

    def set_reconnect_reconcile_grace_ms(self, exchange: ExchangeType, grace_ms: int) -> None:
        """How long after a reconnect an order that the venue no longer lists is held to be on its way."""
        runtime = self._engine("set_reconnect_reconcile_grace_ms")
        if grace_ms < 0:
            raise ValueError(f"grace_ms={grace_ms} is negative")
        runtime.set_reconcile_grace_ms(exchange, grace_ms)

    # ------------------------------------------------------------------------------------------ parameters

    def param(
        self,
        name: str,
        value: Any = None,
        default: Any = None,
        backend: Literal["memory", "redis"] = "memory",
    ) -> Any:
        """Sets the parameter when a value is given, and returns it otherwise. Parameters live in memory."""
        self._engine("param")
        if value is None:
            return self.cache.get_param(name, default, ParamBackend(backend))
        self.cache.set_param(name, value, ParamBackend(backend))
        return None

    def clear_param(self, name: str | None = None, backend: Literal["memory", "redis"] = "memory") -> None:
        """Clears one parameter, or all."""
        self._engine("clear_param")
        self.cache.clear_param(name, ParamBackend(backend))

    # ------------------------------------------------------------------------------------------ orders, composed

    def create_batch_orders(self, orders: list[BatchOrder], account_type: AccountType | None = None) -> list[str]:
        """Places the orders in their order, each on its own symbol's account; their oids.

        Raises RouteError before the first one leaves when an account is missing for any of them.
        """
        runtime = self._engine("create_batch_orders")
        for order in orders:
            _require_route(runtime, order.symbol, account_type)
        return [
            self.create_order(
                symbol=order.symbol,
                side=order.side,
                type=order.type,
                amount=order.amount,
                price=order.price,
                time_in_force=order.time_in_force,
                reduce_only=order.reduce_only,
                account_type=account_type,
                **order.kwargs,
            )
            for order in orders
        ]

    def create_tp_sl_order(
        self,
        symbol: str,
        side: OrderSide,
        type: OrderType,
        amount: Decimal,
        price: Decimal | None = None,
        time_in_force: TimeInForce = TimeInForce.GTC,
        tp_order_type: OrderType | None = None,
        tp_trigger_price: Decimal | None = None,
        tp_price: Decimal | None = None,
        tp_trigger_type: TriggerType = TriggerType.LAST_PRICE,
        sl_order_type: OrderType | None = None,
        sl_trigger_price: Decimal | None = None,
        sl_price: Decimal | None = None,
        sl_trigger_type: TriggerType = TriggerType.LAST_PRICE,
        account_type: AccountType | None = None,
        **kwargs: Any,
    ) -> str:
        """An entry with a take-profit, a stop-loss or both; the entry's oid. Legs that do not hold together are
        refused before the entry leaves."""
        runtime = self._engine("create_tp_sl_order")
        entry = {
            "symbol": symbol,
            "side": side,
            "type": type,
            "amount": amount,
            "price": price,
            "time_in_force": time_in_force,
            "account_type": account_type,
            **kwargs,
        }
        take_profit = _leg("tp", tp_order_type, tp_trigger_price, tp_price, tp_trigger_type)
        stop_loss = _leg("sl", sl_order_type, sl_trigger_price, sl_price, sl_trigger_type)
        if take_profit is None and stop_loss is None:
            return self.create_order(**entry)
        _require_sides(symbol, side, take_profit, stop_loss)
        _require_route(runtime, symbol, account_type)
        protect = getattr(runtime, "protect", None)
        if protect is None:
            raise OrderRefusedError(
                f"{symbol}: this engine places no take-profit and stop-loss legs. Place the entry with create_order "
                "and the legs in on_filled_order, as reduce_only orders at their prices."
            )
        return protect(self, entry, take_profit, stop_loss)

    # ------------------------------------------------------------------------------------------ callbacks

    def on_start(self) -> None:
        """The engine is connected; subscribe here."""

    def on_stop(self) -> None:
        """The engine is about to end; it is still connected."""

    def on_bookl1(self, bookl1: BookL1) -> None: ...

    def on_bookl2(self, bookl2: BookL2) -> None: ...

    def on_trade(self, trade: Trade) -> None: ...

    def on_kline(self, kline: Kline) -> None: ...

    def on_funding_rate(self, funding_rate: FundingRate) -> None: ...

    def on_index_price(self, index_price: IndexPrice) -> None: ...

    def on_mark_price(self, mark_price: MarkPrice) -> None: ...

    def on_pending_order(self, order: Order) -> None: ...

    def on_accepted_order(self, order: Order) -> None: ...

    def on_partially_filled_order(self, order: Order) -> None: ...

    def on_filled_order(self, order: Order) -> None: ...

    def on_canceling_order(self, order: Order) -> None: ...

    def on_canceled_order(self, order: Order) -> None: ...

    def on_expired_order(self, order: Order) -> None:
        """The venue ended the order: an IOC's or FOK's rest, a post-only that would have taken, self-trade
        prevention. `filled` may be above zero."""

    def on_failed_order(self, order: Order) -> None:
        """The order was refused, here or by the venue; `order.reason` says why."""

    def on_cancel_failed_order(self, order: Order) -> None:
        """The cancel was refused; the order lives on."""

    def on_balance(self, balance: AccountBalance) -> None: ...

    def on_private_ws_status(self, status: dict) -> None: ...

    def on_external_order(self, order: Order) -> None:
        """An order on one of the accounts that no strategy here placed: by hand, by another program, by the venue (liquidation).
        `cache.get_external_orders()` has those that are open."""

    def on_private_ws_resync_diff(self, diff: dict) -> None: ...

    def on_ws_order_request_result(self, result: dict) -> None: ...

    def on_custom_signal(self, signal: object) -> None: ...


# ---------------------------------------------------------------------------------------------- checks of arguments


def _checked(method: str, symbols: Symbols) -> list[str]:
    """As a list without repetitions; raises InstrumentError for what is not a symbol."""
    listed = [symbols] if isinstance(symbols, str) else list(dict.fromkeys(symbols))
    if not listed:
        raise SubscriptionError(f"{method}() got no symbols; give one or a list of them.")
    for symbol in listed:
        InstrumentId.from_str(symbol)
    return listed


def _member(method: str, name: str, value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        raise SubscriptionError(
            f"{method}({name}={value!r}) needs a {kind.__name__}: {', '.join(map(str, kind))}."
        )


def _volume(method: str, threshold: float, volume_type: str) -> None:
    if not threshold > 0:
        raise SubscriptionError(f"{method}(volume_threshold={threshold!r}) must be above 0.")
    if volume_type not in ("DEFAULT", "BUY", "SELL"):
        raise SubscriptionError(f"{method}(volume_type={volume_type!r}) is not 'DEFAULT', 'BUY' or 'SELL'.")


def _milliseconds(time: Time) -> int | None:
    return int(time.timestamp() * 1000) if isinstance(time, datetime) else time


def _require_route(runtime: Any, symbol: str, account_type: AccountType | None) -> None:
    """Raises RouteError. A symbol that is none is left to create_order, which refuses it with a callback."""
    try:
        parsed = InstrumentId.from_str(symbol)
    except InstrumentError:
        return
    resolve_account(symbol, parsed.exchange, parsed.type, runtime.private_accounts, account_type)


def _leg(
    which: str, type: OrderType | None, trigger_price: Any, price: Any, trigger_type: TriggerType
) -> ProtectiveLeg | None:
    if type is None and trigger_price is None and price is None:
        return None
    fits = type is not None and (type.is_take_profit if which == "tp" else type.is_stop_loss)
    if not fits:
        wanted = "TAKE_PROFIT" if which == "tp" else "STOP_LOSS"
        raise OrderRefusedError(f"{which}_order_type={type} is neither {wanted}_MARKET nor {wanted}_LIMIT.")
    if trigger_price is None:
        raise OrderRefusedError(f"{which}_order_type={type} needs {which}_trigger_price=.")
    if type.is_limit == (price is None):
        raise OrderRefusedError(f"{which}_order_type={type} {'needs' if type.is_limit else 'takes no'} {which}_price=.")
    return ProtectiveLeg(type=type, trigger_price=trigger_price, price=price, trigger_type=trigger_type)


def _require_sides(
    symbol: str, side: OrderSide, take_profit: ProtectiveLeg | None, stop_loss: ProtectiveLeg | None
) -> None:
    """A long position takes its profit above its stop, a short one below."""
    if take_profit is None or stop_loss is None:
        return
    gain = take_profit.trigger_price - stop_loss.trigger_price
    if gain == 0 or (gain > 0) != side.is_buy:
        raise OrderRefusedError(
            f"{symbol}: for a {side.value} the take-profit ({take_profit.trigger_price}) must lie "
            f"{'above' if side.is_buy else 'below'} the stop-loss ({stop_loss.trigger_price})."
        )
