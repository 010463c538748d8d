"""What the private WebSocket tells an account of itself: orders, executions, positions, the wallet.

Events of one request or one step of a book are gathered and go out together when its market is flushed: one frame per
topic, in which an order stands once, as it has become. A taker's order is first heard of as Filled, as on the venue.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from nexus_fast.sim.account import Account
from nexus_fast.sim.bybit import order_texts
from nexus_fast.sim.bybit.errors import SPOT
from nexus_fast.sim.bybit.trading import Trade
from nexus_fast.sim.bybit.wallet import Member
from nexus_fast.sim.fixed_point import SCALE
from nexus_fast.sim.market import Market
from nexus_fast.sim.orders import Order

TOPICS = ("order", "execution", "execution.fast", "position", "wallet")
CATEGORIES = ("spot", "linear", "inverse")
DCP_TOPICS = ("dcp.spot", "dcp.future")
_encode = msgspec.json.encode


def is_topic(name: str) -> bool:
    """`order`, `order.linear`, `execution.fast.spot`, `wallet`, `dcp.future` …"""
    if name in TOPICS or name in DCP_TOPICS:
        return True
    head, _, category = name.rpartition(".")
    return head in ("order", "execution", "execution.fast", "position") and category in CATEGORIES


@dataclass(slots=True)
class News:
    """What happened to one account on one market since the last flush. Dictionaries keep the order of events."""

    orders: dict[int, Order] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    symbols: dict[str, None] = field(default_factory=dict)
    coins: dict[str, None] = field(default_factory=dict)


class PrivateEvents:
    """The private connections by account, and the news that wait for a flush."""

    def __init__(self, clock, members: dict[str, Member], coins_of: Callable[[Member], dict], rates: Callable[[], dict]):
        self.clock = clock
        self.members = members
        self.coins_of = coins_of  # Member -> {coin: wallet.Coin}
        self.rates = rates  # -> {coin: dollars}
        self.connections: dict[str, list] = {}
        self._news: dict[tuple[str, str], News] = {}
        self._number = 0

    def attach(self, connection) -> None:
        self.connections.setdefault(connection.account.key, []).append(connection)

    def detach(self, connection) -> None:
        listed = self.connections.get(connection.account.key, []) if connection.account is not None else []
        if connection in listed:
            listed.remove(connection)

    # ---- what markets report

    def _of(self, market: Market, account: Account) -> News:
        found = self._news.get((market.name, account.key))
        if found is None:
            found = self._news[market.name, account.key] = News()
        return found

    def changed(self, market: Market, account: Account, order: Order) -> None:
        self._of(market, account).orders[order.order_id] = order

    def traded(self, market: Market, account: Account, trade: Trade) -> None:
        self._of(market, account).trades.append(trade)

    def account_changed(self, market: Market, account: Account, coins: list[str], symbols: list[str]) -> None:
        news = self._of(market, account)
        news.symbols.update(dict.fromkeys(symbols))
        news.coins.update(dict.fromkeys(coins))

    # ---- frames

    def publish(self, market: Market) -> None:
        """Send what has gathered of one market. Fast executions first, then executions, orders, positions, the wallet."""
        for key in [key for key in self._news if key[0] == market.name]:
            news = self._news.pop(key)
            listeners = self.connections.get(key[1])
            if listeners:
                self._publish(market, self.members[key[1]], news, listeners)

    def _publish(self, market: Market, member: Member, news: News, listeners: list) -> None:
        sequence = news.trades[-1].sequence if news.trades else self._next()
        symbol = next(iter(news.orders.values())).instrument.symbol if news.orders else ""
        name = f"{member.uid}_{symbol}_{sequence}"
        if news.trades:
            self._send(listeners, "execution.fast", market.name, "", lambda: [
                order_texts.fast_execution_event(market, trade) for trade in news.trades])
            self._send(listeners, "execution", market.name, name, lambda: [
                order_texts.execution_event(market, trade) for trade in news.trades])
        if news.orders:
            self._send(listeners, "order", market.name, name, lambda: [
                order_texts.order_event(order) for order in news.orders.values()])
        if news.symbols and market.name != SPOT:
            self._send(listeners, "position", market.name, f"{member.uid}_position_{self.clock.milliseconds()}", lambda: [
                order_texts.position_event(market, member, market.instruments[each]) for each in news.symbols])
        if news.coins:
            self._send(listeners, "wallet", "", f"{member.uid}_wallet_{self.clock.milliseconds()}", lambda: [
                order_texts.wallet_row(self.coins_of(member), self.rates(), list(news.coins))])

    def _send(self, listeners: list, topic: str, category: str, name: str, rows: Callable[[], list]) -> None:
        """One frame for all who have the topic, under the name that they subscribed to. Rows are made when needed."""
        tail = None
        for connection in list(listeners):
            called = connection.called(topic, category)
            if called is None:
                continue
            if tail is None:
                identity = f'"id":{_encode(name).decode()},' if name else ""
                tail = f',{identity}"creationTime":{self.clock.milliseconds()},"data":'.encode() + _encode(rows()) + b"}"
            connection.send(b'{"topic":' + _encode(called) + tail)

    def _next(self) -> int:
        self._number += 1
        return self._number


def dollar_rates(spot: Market) -> dict[str, int]:
    """What a coin is worth in dollars: the last price of its spot pair; a stablecoin counts as one."""
    rates = {instrument.base: spot.books[symbol].last_price for symbol, instrument in spot.instruments.items()}
    return rates | {"USDT": SCALE, "USDC": SCALE}
