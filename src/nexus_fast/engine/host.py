"""The engine's side towards the connectors: they report here, and here it is decided what follows.

A connector has: account_type; open(), close(); an account further index, ready, templates(instrument), channels(instrument),
order_windows(instrument), query(instrument, client_id), refresh(), check(); a feed market, symbols, subscribe(…), unsubscribe(…).
"""

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import Any

from nexus_fast.cache import Cache
from nexus_fast.config import Config
from nexus_fast.constants import AccountType, DataType, WsOrderResultType
from nexus_fast.core.book import BookL1
from nexus_fast.engine.backlog import Backlog, newer_form_of
from nexus_fast.engine.core import Core
from nexus_fast.engine.freshness import Freshness
from nexus_fast.engine.gates import RATE_LIMITED, Gates
from nexus_fast.engine.halts import Halts
from nexus_fast.engine.heard import Heard
from nexus_fast.engine.inquiry import Inquiry
from nexus_fast.engine.orphans import Orphans
from nexus_fast.engine.poller import Poller
from nexus_fast.engine.positions import Positions
from nexus_fast.engine.reconcile import Reconciler
from nexus_fast.engine.safety import Safety
from nexus_fast.engine.timewatch import TimeWatch
from nexus_fast.feed.aggregation import TimeKlineAggregator, VolumeKlineAggregator
from nexus_fast.feed.market import MarketFeed
from nexus_fast.log import Logger
from nexus_fast.order.budgets import Budgets
from nexus_fast.order.callbacks import quote_callback
from nexus_fast.order.events import BalanceUpdate, OrderUpdate
from nexus_fast.order.external import apply_external
from nexus_fast.order.reasons import reason_text
from nexus_fast.order.route import Route
from nexus_fast.order.states import EVENTS
from nexus_fast.order.tracker import Tracker
from nexus_fast.order.watch import CallbackWatch
from nexus_fast.schema import Balance, BookL2, FundingRate, IndexPrice, Kline, MarkPrice, Trade
from nexus_fast.tasks import Tasks

DATA_CALLBACKS = {
    Trade: (DataType.TRADE, "on_trade"),
    Kline: (DataType.KLINE, "on_kline"),
    BookL2: (DataType.BOOKL2, "on_bookl2"),
    MarkPrice: (DataType.MARK_PRICE, "on_mark_price"),
    FundingRate: (DataType.FUNDING_RATE, "on_funding_rate"),
    IndexPrice: (DataType.INDEX_PRICE, "on_index_price"),
}

AGGREGATORS = (TimeKlineAggregator, VolumeKlineAggregator)

# The longest ban that a venue names (Binance: three days). Whoever answers may say anything.
LONGEST_PAUSE_SECONDS = 3 * 86_400


class Host:
    def __init__(self, config: Config, core: Core, strategies: list, cache: Cache, poller: Poller | None, log: Logger):
        self.config = config
        self.core = core
        self.strategies = strategies
        self.cache = cache
        self.poller = poller
        self.deferred = None if poller is None else poller.deferred
        self.ssl_context: ssl.SSLContext | None = None
        self.recv_window_ms = config.recv_window_ms
        self.accounts: dict[Any, Any] = {}
        self.feeds: dict[Any, Any] = {}
        self.silent_feeds: list[str] = []
        self.subscribers: dict[tuple[DataType, str, Any], list] = {}     # with the interval of bars, else None
        self.market_feeds: list[MarketFeed] = []
        self.gates = Gates(core.entry)
        self.budgets = Budgets(config)
        self.freshness = Freshness(self, config.freshness, log)
        self.inquiry = Inquiry(self, log)
        self._heard = Heard()
        self.on_positions = Positions(self, self._heard, log).apply
        self.reconciler = Reconciler(self, self._heard, log)
        self.resynchronise = self.reconciler.resynchronise
        self.on_unreadable = self.reconciler.on_unreadable
        self._orphans = Orphans(self)
        self.reload: Any = None          # nexus_fast.engine.reload.Reload, once the engine is built
        self.safety = Safety(self, log)
        self.times = TimeWatch(self, log)
        self.query = self.inquiry.query
        self.watch = CallbackWatch(log, config.loop.slow_callback_ms, config.max_callback_errors, self._halt)
        self.tracker = Tracker(
            core.ledger, cache, core.instruments, strategies, self.query, log, self.account_type_at, self.watch,
            config.risk,
        )
        self.backlog = self._keep_turns(asyncio.get_running_loop(), log)
        self._log = log
        self.tasks = Tasks(log)
        self.spawn, self.keep = self.tasks.spawn, self.tasks.keep
        self.halts = Halts(core, strategies, self.subscribers, self.drop_waiting, self.keep, log)
        self.is_silent = False           # the engine is stopping
        self.unusable = 0                # answers that nothing could be concluded from
        self._journal_state = "ok"

    # ------------------------------------------------------------------------------------------ callbacks

    def _keep_turns(self, loop: asyncio.AbstractEventLoop, log: Logger) -> Backlog:
        """Quotes and other market data wait for the loop's turn when callbacks take long."""
        dispatcher, config = self.core.dispatcher, self.config.loop
        symbols = [instrument.symbol for instrument in self.core.instruments]
        made = Backlog(
            dispatcher,
            self.tracker.callback,
            loop.call_soon,
            symbols,
            log,
            coalesces=config.coalesce == "when_behind",
            ahead=self.deferred or (),
        )
        dispatcher.keep_turns(made, config.turn_ms)
        dispatcher.watch(config.slow_callback_ms, self._on_slow_quote, self._on_quote_success)
        return made

    def _halt(self, strategy: Any, why: str) -> None:
        self.halts.halt(strategy, why, self.backlog)

    def on_quote_error(self, strategy: Any, error: Exception) -> None:
        self.watch.raised(strategy, quote_callback(strategy), error)

    def _on_quote_success(self, strategy: Any) -> None:
        self.watch.went_well(strategy, quote_callback(strategy))

    def _on_slow_quote(self, strategy: Any, nanoseconds: int) -> None:
        self.watch.took(strategy, quote_callback(strategy), nanoseconds / 1e9)

    # ------------------------------------------------------------------------------------------ market data

    def market_feed(self, feed: Any, on_other: Callable[[bytes], None]) -> MarketFeed:
        """The hot path's handler of one connection."""
        exchange = feed.account_type.exchange
        made = MarketFeed(
            exchange.value,
            feed.market,
            feed.symbols,
            self.core.dispatcher,
            self.core.entry,
            self.core.market_ring,
            self.core.latest,
            on_other,
        )
        self.market_feeds.append(made)
        self.core.feeds.append(made)
        return made

    def symbol_of(self, feed: Any) -> Callable[[str], str | None]:
        """Our name of a venue symbol of this feed."""

        def find(venue_symbol: str) -> str | None:
            number = feed.symbols.lookup(venue_symbol.encode())
            return None if number is None else self.core.instruments[number].symbol

        return find

    def on_market_data(self, feed: Any, event: Any) -> None:
        data_type, callback = DATA_CALLBACKS[type(event)]
        self.freshness.heard(data_type, event.symbol, getattr(event, "interval", None))
        wanted = self.subscribers.get((data_type, event.symbol, getattr(event, "interval", None)))
        if not wanted:
            return
        self.cache.apply_data(data_type, event)
        replaces = newer_form_of(event)
        for listener in tuple(wanted):       # a callback may unsubscribe
            if isinstance(listener, AGGREGATORS):
                listener.on_trade(event)     # no strategy's code: it never waits
            else:
                self.backlog.deliver(listener, callback, event, replaces)

    def silence(self) -> None:
        """Market data reaches no strategy any more, whatever is subscribed to later."""
        self.is_silent = True
        self.subscribers.clear()
        self.backlog.close()
        for strategy in self.strategies:
            self.core.dispatcher.drop(strategy)

    def on_feed_status(self, feed: Any, name: str, up: bool) -> None:
        self._log.info(f"{name}: {'connected' if up else 'disconnected'}")

    def on_quotes_lost(self, feed: Any) -> None:
        """The books of a feed can no longer be trusted; each is fresh again with its next quote."""
        for number, instrument in enumerate(self.core.instruments):
            if feed.symbols.lookup(instrument.venue_symbol.encode()) == number:
                self.core.entry.mark_stale(number)

    def on_feed_silent(self, feed: Any, name: str, streams: list[str]) -> None:
        self.silent_feeds.append(name)
        self._log.error(
            f"{name}: the venue acknowledged {len(streams)} subscriptions and sends nothing: {', '.join(streams[:5])}. The "
            "streams may belong to another route of the venue, or the address in the endpoints is not the right one."
        )

    def book(self, symbol: str) -> BookL1 | None:
        """The last quote of a symbol; None before the first."""
        number = self.core.symbol_ids.get(symbol)
        if number is None:
            return None
        instrument = self.core.instruments[number]
        return self.core.entry.book(number, instrument.exchange, symbol, self.freshness.limit_ns(instrument))

    # ------------------------------------------------------------------------------------------ accounts

    def account_at(self, index: int) -> Any:
        return next(account for account in self.accounts.values() if account.index == index)

    def account_type_at(self, index: int) -> AccountType:
        return self.account_at(index).account_type

    def prepare_route(self, symbol_id: int, account_index: int) -> None:
        """Build the row of the route table: the templates of one symbol on one account."""
        account = self.account_at(account_index)
        instrument = self.core.instruments[symbol_id]
        risk = self.config.risk.limits_of(instrument.symbol)
        channels = account.channels(instrument)
        self.core.ledger.name("symbol", symbol_id, instrument.symbol)
        budgets = tuple(self.budgets.of(account.account_type, windows) for windows in account.order_windows(instrument))
        templates, fresh_ns = account.templates(instrument), self.freshness.limit_ns(instrument)
        self.core.routes.add(Route(instrument, symbol_id, account_index, templates, channels, risk, budgets, fresh_ns))

    def routed_symbols(self, account_index: int) -> list[str]:
        """The venue's names of everything that can be ordered on this account at present."""
        routes, instruments = self.core.routes, self.core.instruments
        return [i.venue_symbol for number, i in enumerate(instruments) if routes.has(number, account_index)]

    def drop_waiting(self, reason: int, strategy: int | None = None) -> None:
        """Orders that were not sent, as their connection was not free, are not sent any more. Cancels go on waiting, and so does
        what is not of this strategy, by its index; None: of any."""
        for waiting in self.core.entry.postponed.values():
            dropped = [
                request
                for request in waiting
                if EVENTS[request[1]] != "CANCEL_INTENT"
                and (strategy is None or self.core.ledger.fields(request[0])["strategy"] == strategy)
            ]
            waiting[:] = [request for request in waiting if request not in dropped]
            for number, kind, _ in dropped:
                if EVENTS[kind] == "INTENT":
                    self.core.ledger.refuse(number, reason)
                else:
                    self.core.ledger.answered(number)
                    self.core.ledger.apply(number, "MODIFY_REJECTED")
                    text = f"modify: {reason_text(reason)}"
                    self.tracker.modify_failed(number, WsOrderResultType.REQUEST_NOT_SENT, text)

    def on_order_update(self, account: Any, update: OrderUpdate) -> None:
        if not self._orphans.take(account, update) and not self.tracker.apply(update, account.index):
            self.on_external_order(account, update)

    def on_external_order(self, account: Any, update: OrderUpdate) -> None:
        kind = update.instrument_type or account.instrument_type
        instrument = self.core.by_venue_symbol(account.account_type.exchange, kind, update.venue_symbol)
        if instrument is None or self.core.ledger.is_ours(update.client_id):
            self._log.info(f"an order that nobody here knows (any more): {update.client_id} {update.venue_symbol} {update.event}")
            return
        order = apply_external(self.cache, instrument, update)
        if order is not None:
            self._log.info(f"an order that is not ours: {order.oid} {order.symbol} {order.status.value}")
            self.tell_all("on_external_order", order)

    def on_rate_limited(self, account: Any, seconds: float, reason: str) -> None:
        """The venue wants a pause: nothing but cancels is sent until it is over."""
        if not self.gates.remaining(account.index, RATE_LIMITED):
            what = f"the venue limits our requests ({reason}); only cancels leave for {seconds:.1f} s"
            self._log.error(f"{account.account_type}: {what}")
        self.gates.close(account.index, RATE_LIMITED, min(seconds, LONGEST_PAUSE_SECONDS))

    def on_filter_refused(self, account: Any) -> None:
        """The venue refused an order for a filter: the filters are not what they were at start."""
        if self.reload is not None:
            self.reload.after_refusal(account.account_type.exchange)

    def on_balance(self, account: Any, update: BalanceUpdate) -> None:
        balances = [Balance(asset, free, locked) for asset, (free, locked) in update.balances.items()]
        if update.complete:
            newer, held = self._heard.since_asked(account), self.cache.get_balance(account.account_type).balances
            balances = [b for b in balances if b.asset not in newer] + [b for a, b in held.items() if a in newer]
        else:
            self._heard.note(account, update.balances)
        apply = self.cache.replace_balances if update.complete else self.cache.apply_balance
        found = apply(account.account_type, balances)
        for strategy in self.strategies:
            self.tracker.callback(strategy, "on_balance", found)

    def on_private_status(self, account: Any, status: str) -> None:
        event = {
            "exchange": account.account_type.exchange,
            "account_type": account.account_type,
            "event": status,
            "timestamp": time.time_ns() // 1_000_000,
        }
        for strategy in self.strategies:
            self.tracker.callback(strategy, "on_private_ws_status", event)

    def on_connection_lost(self, account: Any) -> None:
        """Requests that were out on this connection are in doubt."""
        self.tracker.drain()
        for number in self.core.ledger.live(account=account.index):
            if self.core.ledger.state(number) in ("PENDING", "CANCELING"):
                self.tracker.doubt(number, "the order connection was lost before the venue answered")
        self.on_private_status(account, "disconnected")

    def tell_all(self, callback: str, event: Any) -> None:
        for strategy in self.strategies:
            self.tracker.callback(strategy, callback, event)

    # ------------------------------------------------------------------------------------------ orders in doubt

    def chores(self) -> list[Callable[[], None]]:
        """What has to be looked at often, in this order; in between, ticks may come."""
        return [
            *(account.check for account in self.accounts.values()),
            self.times.check,
            self.safety.check,
            self._watch_journal,
            self.gates.check,
            self.freshness.check,
            self._orphans.check,
            *([] if self.reload is None else [self.reload.check]),
            self.inquiry.fill_holes,
            self.tracker.shortfalls.tell_overdue,
            self.tracker.forget,
            self._check_deadlines,
        ]

    def _check_deadlines(self) -> None:
        """Silence becomes doubt, doubt becomes a query."""
        for number in self.core.ledger.overdue():
            self.tracker.drain()
            self.tracker.result(number, WsOrderResultType.ACK_TIMEOUT, "no answer came in time; asking the venue")
            self.tracker.doubt(number, "no answer came in time")
            if not self.core.ledger.closed(number):
                self.query(number)           # also an order that is known to live: its modification may be lost

    def _watch_journal(self) -> None:
        """A disk without room is a state, and said once: new orders are refused when the last prepared file is full too."""
        state = self.core.journal.state()
        word = "ok" if state["state"] == "no_next" else state["state"]
        if word != self._journal_state:
            self._journal_state = word
            if word == "ok":
                self._log.info("the journal has room again")
            else:
                self._log.error(f"the journal: {word}; {state['room']} more events fit, then new orders are refused")

    async def close(self) -> None:
        await self.tasks.close()
