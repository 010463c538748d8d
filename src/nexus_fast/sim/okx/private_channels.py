"""Private channels: orders, fills, account, positions, balance_and_position.

`account` and `positions` begin with a snapshot, in pages, and repeat it every five seconds unless the subscription
asks for events alone (`extraParams` with updateInterval "0"); `orders` and `fills` tell only what happens from now on.
"""

from dataclasses import dataclass

import msgspec

from nexus_fast.sim.account import Account
from nexus_fast.sim.connections import Connection
from nexus_fast.sim.market import Execution
from nexus_fast.sim.okx import account_texts, order_texts
from nexus_fast.sim.okx.listing import Listing
from nexus_fast.sim.okx.requests import Exchange

CHANNELS = ("orders", "fills", "account", "positions", "balance_and_position")
NEED_KIND = ("orders", "positions")
REGULAR_INTERVAL_MS = 5000
ROWS_PER_PAGE = 100
MAXIMUM_CONNECTIONS = 30  # per account and channel
_encode = msgspec.json.encode


@dataclass(slots=True, eq=False)
class Subscription:
    """One channel of one connection. `head` begins its frames."""

    connection: Connection
    account: Account
    channel: str
    kind: str
    instrument_id: str
    family: str
    asset: str
    head: bytes
    interval_ms: int
    due_ms: int = 0

    def matches(self, listing: Listing) -> bool:
        return (self.kind in ("", "ANY", listing.kind) and self.instrument_id in ("", listing.instrument_id)
                and self.family in ("", listing.family))

    def push(self, rows: list, extra: bytes = b"") -> None:
        self.connection.send(self.head + extra + b'"data":' + _encode(rows) + b"}")


def interval_of(arg: dict) -> int:
    """Milliseconds between regular pushes; 0 when the subscription wants events alone."""
    try:
        wanted = msgspec.json.decode(arg.get("extraParams") or "{}")
        return int(wanted.get("updateInterval", REGULAR_INTERVAL_MS))
    except (msgspec.DecodeError, ValueError, TypeError, AttributeError):
        return REGULAR_INTERVAL_MS


class PrivateChannels:
    """All private subscriptions by account; hears of what happens as both markets' listener."""

    def __init__(self, exchange: Exchange, rows_per_page: int = ROWS_PER_PAGE):
        self.exchange = exchange
        self.rows_per_page = rows_per_page
        self.by_account: dict[str, list[Subscription]] = {}

    # ---- subscriptions

    def subscribe(self, connection: Connection, account: Account, arg: dict) -> Subscription:
        """Register; the snapshot follows with `begin`, behind the acknowledgement."""
        told = {name: value for name, value in arg.items() if name != "extraParams"}
        told["uid"] = account_texts.user_id(account)
        one = Subscription(connection, account, arg["channel"], arg.get("instType", ""), arg.get("instId", ""),
                           arg.get("instFamily") or arg.get("uly") or "", arg.get("ccy", ""),
                           b'{"arg":' + _encode(told) + b",", interval_of(arg))
        self.by_account.setdefault(account.key, []).append(one)
        return one

    def unsubscribe(self, one: Subscription) -> None:
        listed = self.by_account.get(one.account.key, [])
        if one in listed:
            listed.remove(one)

    def connections_of(self, account: Account, channel: str) -> list[Connection]:
        """Who listens to a channel of an account, each once."""
        return list(dict.fromkeys(one.connection for one in self.by_account.get(account.key, ())
                                  if one.channel == channel))

    def begin(self, one: Subscription) -> None:
        one.due_ms = self.exchange.now() + one.interval_ms
        if one.channel == "balance_and_position":
            assets = account_texts.assets_of(one.account)
            one.push([account_texts.balance_and_position(self.exchange, one.account, assets, self._held(one),
                                                         "snapshot")])
        else:
            self._snapshot(one)

    def regular(self) -> None:
        """By the clock: the snapshots that are due again."""
        now = self.exchange.now()
        for listed in self.by_account.values():
            for one in tuple(listed):
                if one.interval_ms and one.due_ms <= now:
                    one.due_ms = now + one.interval_ms
                    self._snapshot(one)

    # ---- snapshots

    def _held(self, one: Subscription) -> list[Listing]:
        listings = [listing for listing in self.exchange.listings.values() if one.matches(listing)]
        return account_texts.held(self.exchange, one.account, listings)

    def _snapshot(self, one: Subscription) -> None:
        if one.channel == "account":
            self._account_snapshot(one)
        elif one.channel == "positions":
            rows = [account_texts.position_row(self.exchange, one.account, listing) for listing in self._held(one)]
            self._pages(one, [rows[at:at + self.rows_per_page] for at in range(0, len(rows), self.rows_per_page)])

    def _account_snapshot(self, one: Subscription) -> None:
        assets = [asset for asset in account_texts.assets_of(one.account) if one.asset in ("", asset)]
        pages = [assets[at:at + self.rows_per_page] for at in range(0, len(assets), self.rows_per_page)] or [[]]
        self._pages(one, [[account_texts.balance_row(self.exchange, one.account, page)] for page in pages])

    @staticmethod
    def _pages(one: Subscription, pages: list[list]) -> None:
        pages = pages or [[]]
        for number, rows in enumerate(pages, start=1):
            last = b"true" if number == len(pages) else b"false"
            one.push(rows, b'"eventType":"snapshot","curPage":%d,"lastPage":%b,' % (number, last))

    # ---- events

    def on_execution(self, account: Account, execution: Execution) -> None:
        listed = tuple(self.by_account.get(account.key, ()))  # a connection may end while it is told
        listing = self.exchange.listings[execution.order.instrument.symbol]
        row = order_texts.order_push(listing, execution, self.exchange.book_of(listing).last_price)
        for one in listed:
            if one.channel == "orders" and one.matches(listing):
                one.push([row])
            elif one.channel == "fills" and execution.fill is not None and one.instrument_id in (
                    "", listing.instrument_id):
                one.push([order_texts.fill_push(listing, execution)])

    def on_account(self, account: Account, assets: list[str], symbols: list[str], reason: str) -> None:
        listings = [self.exchange.listings[symbol] for symbol in symbols]
        for one in tuple(self.by_account.get(account.key, ())):
            if one.channel == "account":
                changed = [asset for asset in assets if one.asset in ("", asset)]
                if changed:
                    one.push([account_texts.balance_row(self.exchange, account, changed)],
                             b'"eventType":"event_update",')
            elif one.channel == "positions":
                rows = [account_texts.position_row(self.exchange, account, each)
                        for each in listings if one.matches(each)]
                if rows:
                    one.push(rows, b'"eventType":"event_update",')
            elif one.channel == "balance_and_position" and reason == "TRADE":
                one.push([account_texts.balance_and_position(self.exchange, account, assets, listings, "filled")])
