"""The engine's side towards the strategies: what `self._nexus_runtime` is (see nexus_fast.strategy.api and strategy/base.pyx)."""

import itertools
import re
import time
from decimal import Decimal
from typing import Any

from nexus_fast.constants import DataType, ExchangeType, OrderStatus, OrderType
from nexus_fast.engine.bars import Bars, is_made_here
from nexus_fast.engine.host import Host
from nexus_fast.engine.order_requests import OrderRequests, require_number
from nexus_fast.error import OrderError, RouteError
from nexus_fast.exchange.instrument import InstrumentTable
from nexus_fast.exchange.routing import resolve_account, resolve_feed
from nexus_fast.identity import InstrumentId
from nexus_fast.log import Logger
from nexus_fast.order.refusals import refusal_text
from nexus_fast.scheduling import Scheduler
from nexus_fast.schema import Order

CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,36}"), "1 to 36 of A-Z, a-z, 0-9, _ and - are allowed"
# Where a venue takes less than the others do.
NARROWER_IDS = {
    ExchangeType.OKX: (re.compile(r"[A-Za-z0-9]{1,32}"), "OKX takes 1 to 32 of A-Z, a-z and 0-9, neither _ nor -"),
}
SYMBOL_UNKNOWN = 1


class Runtime:
    def __init__(self, host: Host, instruments: InstrumentTable, engine: Any, log: Logger):
        self.instruments = instruments
        self.scheduler = Scheduler(host.watch)
        self._host = host
        self._core = host.core
        self._cache = host.cache
        self._engine = engine
        self._log = log
        self._refusals = itertools.count(1)
        self._bars = Bars(host)
        self.orders = OrderRequests(host, instruments, lambda *call: engine.loop.call_soon(*call), log)
        self._awaited: dict[int, list[tuple[float, str]]] = {}

    @property
    def private_accounts(self) -> list:
        return list(self._host.accounts)

    # ------------------------------------------------------------------------------------------ subscriptions

    def subscribe(self, strategy: Any, data_type: DataType, symbols: list[str], **options: Any) -> None:
        if self._host.halts.are_about(strategy):
            return
        groups: dict[Any, list] = {}
        for symbol in () if self._host.is_silent else symbols:
            instrument = self.instruments.get(symbol)
            feed_type = resolve_feed(symbol, instrument.exchange, instrument.type, self._host.feeds)
            groups.setdefault(feed_type, []).append(instrument)
        ready, timeout = options.pop("ready", True), options.pop("ready_timeout", 60)
        for feed_type, instruments in groups.items():
            feed = self._host.feeds[feed_type]
            if is_made_here(data_type, options):
                for instrument in instruments:
                    self._bars.subscribe(strategy, data_type, instrument, feed, **options)
                continue
            feed.subscribe(data_type, instruments, **options)
            for instrument in instruments:
                self._register(strategy, data_type, instrument, options.get("interval"))
                if ready and data_type is DataType.BOOKL1:
                    wanted = self._awaited.setdefault(id(strategy), [])
                    wanted.append((time.monotonic() + timeout, instrument.symbol))

    def _register(self, strategy: Any, data_type: DataType, instrument: Any, interval: Any) -> None:
        symbol_id = self._core.symbol_ids[instrument.symbol]
        if data_type is DataType.BOOKL1:
            self._core.dispatcher.subscribe(symbol_id, strategy)
            account = self._core.routes.default(symbol_id)
            if account is not None and not self._core.routes.has(symbol_id, account):
                self._host.prepare_route(symbol_id, account)
            return
        listeners = self._host.subscribers.setdefault((data_type, instrument.symbol, interval), [])
        if strategy not in listeners:
            listeners.append(strategy)

    def unsubscribe(self, strategy: Any, data_type: DataType, symbols: list[str], **options: Any) -> None:
        for symbol in symbols:
            instrument = self.instruments.get(symbol)
            feed_type = resolve_feed(symbol, instrument.exchange, instrument.type, self._host.feeds)
            if is_made_here(data_type, options):
                self._bars.unsubscribe(strategy, data_type, instrument, self._host.feeds[feed_type], **options)
                continue
            if data_type is DataType.BOOKL1:
                symbol_id = self._core.symbol_ids[symbol]
                self._core.dispatcher.unsubscribe(symbol_id, strategy)
                left = self._core.dispatcher.subscribers(symbol_id)
            else:
                listeners = self._host.subscribers.get((data_type, symbol, options.get("interval")), [])
                if strategy in listeners:
                    listeners.remove(strategy)
                left = len(listeners)
            if not left:
                self._host.feeds[feed_type].unsubscribe(data_type, [instrument], **options)

    def ready(self, strategy: Any) -> bool:
        """Every awaited symbol has a book, or its time to wait is over."""
        now = time.monotonic()
        waiting = self._awaited.get(id(strategy), [])
        waiting[:] = [(until, symbol) for until, symbol in waiting if until > now and self._host.book(symbol) is None]
        return not waiting

    # ------------------------------------------------------------------------------------------ orders

    def prepare_route(self, symbol_id: int, account: int) -> None:
        """Raises RouteError when the account does not trade the symbol: two markets of a venue may use one name."""
        instrument = self._core.instruments[symbol_id]
        account_type = next(t for t, a in self._host.accounts.items() if a.index == account)
        resolve_account(instrument.symbol, instrument.exchange, instrument.type, self.private_accounts, account_type)
        self._host.prepare_route(symbol_id, account)

    def before_create(self, strategy: Any, symbol: str, client_oid: str | None, key: str | None, extra: dict) -> str | None:
        """The rare arguments of create_order. Returns the oid of the order that this call repeats, if it repeats one."""
        extra.pop("ws_fallback", None)
        if extra:
            raise OrderError(
                f"create_order({symbol}): unknown arguments {', '.join(sorted(extra))}. It takes symbol, side, type, amount, "
                "price, time_in_force, reduce_only, client_oid, idempotency_key and account_type."
            )
        if client_oid is not None:
            check_client_id(symbol, client_oid)
        if key is not None:
            if not isinstance(key, str):
                raise OrderError(f"create_order({symbol}): idempotency_key={key!r} is no text")
            existing = self._cache.get_idempotent_create_order_oid(key)
            if existing is not None:
                self._log.info(f"idempotency_key={key!r} was used for {existing}: not sent again")
                return existing
        number = self._core.ledger.find(client_oid) if client_oid is not None else 0
        if number and not self._core.ledger.closed(number):
            raise OrderError(f"client_oid={client_oid!r} is in use by an order that is not over; choose another")
        if client_oid is not None:
            self._cache.begin_anew(client_oid)
        return None

    def journal_key(self, key: str, client_oid: str | None) -> bool:
        """Before the order: a restart must know the key of every order that may have left. False without room in the journal."""
        return self._core.ledger.key(key, client_oid or self._core.ledger.next_client_id())

    def remember_key(self, key: str, oid: str) -> None:
        self._cache.reserve_idempotent_create_order(key, oid)

    def refuse_unknown(self, strategy: Any, symbol: str, side: Any, type: Any, amount: Any, price: Any, *rest: Any) -> str:
        """An order for a symbol that no venue lists. A text that is no symbol at all raises InstrumentError."""
        try:
            self.instruments.get(symbol)
        except KeyError as error:
            text = str(error)
        require_number("create_order", "amount", amount)
        if price is not None:
            require_number("create_order", "price", price)
        return self._refused(strategy, text, symbol, side, type, amount, price, *rest[:3])

    def refuse(self, strategy: Any, reason: int, symbol: str, side: Any, type: Any, amount: Any, price: Any, *rest: Any) -> str:
        """An order with numbers that cannot be written down. Raises OrderError for what are no numbers."""
        require_number("create_order", "amount", amount)
        is_market = type is OrderType.MARKET
        if price is not None and not is_market:
            require_number("create_order", "price", price)
        instrument = self.instruments.get(symbol)
        risk = self._host.config.risk.limits_of(symbol)
        text = refusal_text(reason, instrument, risk, is_market, None if is_market else price, amount)
        return self._refused(strategy, text, symbol, side, type, amount, price, *rest)

    def _refused(
        self, strategy, reason, symbol, side, type, amount, price, time_in_force=None, reduce_only=False, client_oid=None
    ) -> str:
        """An order that ends before it has a slot. The callback comes in the loop's next turn, as every other does."""
        oid = client_oid or f"refused{time.time_ns() // 1_000_000}n{next(self._refusals)}"
        order = Order(
            exchange=InstrumentId.from_str(symbol).exchange,
            symbol=symbol,
            status=OrderStatus.FAILED,
            oid=oid,
            amount=amount,
            filled=Decimal(0),
            timestamp=time.time_ns() // 1_000_000,
            type=type,
            side=side,
            time_in_force=time_in_force,
            price=None if price is None else float(price),
            remaining=amount,
            reduce_only=reduce_only,
            reason=reason,
        )
        self._engine.loop.call_soon(self._host.tracker.refuse_locally, strategy, order)
        return oid

    def no_account(self, symbol: str) -> None:
        instrument = self.instruments.get(symbol)
        resolve_account(symbol, instrument.exchange, instrument.type, self.private_accounts)
        raise RouteError(f"{symbol}: no private connector trades this symbol")

    def wrong_account(self, symbol: str, account_type: Any) -> None:
        instrument = self.instruments.get(symbol)
        resolve_account(symbol, instrument.exchange, instrument.type, self.private_accounts, account_type)
        raise RouteError(f"{symbol}: account_type={account_type} cannot take this order")

    def require_websocket_entry(self, symbol: str, account_type: Any) -> None:
        instrument = self.instruments.get(symbol)
        chosen = resolve_account(symbol, instrument.exchange, instrument.type, self.private_accounts, account_type)
        if not self._host.accounts[chosen].has_websocket_entry:
            raise RouteError(f"{symbol}: {chosen} takes no orders over WebSocket; use create_order, which goes by REST there")

    # ------------------------------------------------------------------------------------------ requests

    def request(self, name: str, **arguments: Any) -> Any:
        """A REST question asked from a callback: a second thread asks, this one waits for it. No tick is seen meanwhile."""
        from nexus_fast.engine.requests import ask

        return ask(self._host, self.instruments, name, arguments)

    async def request_async(self, name: str, **arguments: Any) -> Any:
        """The same question on the engine's own loop, which goes on meanwhile."""
        from nexus_fast.engine.requests import ask_async

        return await ask_async(self._host, self.instruments, name, arguments)

    def api(self, account_type: Any) -> Any:
        from nexus_fast.engine.requests import Api

        account = self._host.accounts.get(account_type)
        if account is None:
            raise RouteError(f"api({account_type}): no private connector of this type (there are {self.private_accounts})")
        return Api(account, lambda: self._core.entry.halted)

    def kill(self, reason: str) -> None:
        self._engine.kill_switch(reason)

    def stop(self) -> None:
        self._engine.stop()

    def set_reconcile_grace_ms(self, exchange: Any, grace_ms: int) -> None:
        """Kept for NexusTrader's programs: every order that is missing after a reconnect is asked for by its id, so that
        there is no period in which one could be taken for gone."""


def check_client_id(symbol: str, client_oid: str) -> None:
    allowed, text = NARROWER_IDS.get(InstrumentId.from_str(symbol).exchange, CLIENT_ID)
    if not isinstance(client_oid, str) or not allowed.fullmatch(client_oid):
        raise OrderError(f"create_order({symbol}): client_oid={client_oid!r}: {text}")
