"""User data: spot events in the WebSocket API's subscription envelope, futures events by listen key.

Spot: executionReport and outboundAccountPosition. Futures: TRADE_LITE, then ORDER_TRADE_UPDATE, and ACCOUNT_UPDATE with
only the balances and positions that changed; a listen key lives an hour unless it is kept alive, and when it ends its
connections hear `listenKeyExpired` and nothing more, but stay open.
"""

import secrets
from dataclasses import dataclass, field

import msgspec

from nexus_fast.sim.account import Account
from nexus_fast.sim.binance.instruments import SPOT
from nexus_fast.sim.binance.order_texts import (
    SELF_TRADE,
    SIDE,
    STATUS,
    price_text,
    quantity_text,
)
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.fixed_point import short, text
from nexus_fast.sim.futures_market import FuturesMarket
from nexus_fast.sim.market import Execution
from nexus_fast.sim.orders import Order, Status

LISTEN_KEY_SECONDS = 3600
_ZERO = "0.00000000"
_encode = msgspec.json.encode


class SpotUserData:
    """Subscriptions of WebSocket API connections, of spot and margin accounts: account -> {(connection, subscription id): end}.

    Those that were made with a listen token (`tokens`: token -> (account, end in ms)) end, 0 is never.
    """

    def __init__(self, clock: Clock):
        self.clock = clock
        self.subscribers: dict[Account, dict[tuple, int]] = {}
        self.tokens: dict[str, tuple[Account, int]] = {}

    def subscribe(self, account: Account, connection, subscription_id: int, end: int = 0) -> None:
        self.subscribers.setdefault(account, {})[connection, subscription_id] = end

    def unsubscribe(self, account: Account, connection, subscription_id: int) -> None:
        self.subscribers.get(account, {}).pop((connection, subscription_id), None)

    def expire(self) -> None:
        """End the subscriptions whose token is over; their connections hear of it."""
        now = self.clock.milliseconds()
        for account, found in self.subscribers.items():
            for connection, number in [place for place, end in found.items() if end and end <= now]:
                connection.send(b'{"subscriptionId":%d,"event":{"e":"eventStreamTerminated","E":%d}}' % (number, now))
                connection.subscriptions.pop(number, None)
                self.unsubscribe(account, connection, number)

    def push(self, account: Account, event: bytes) -> None:
        for connection, subscription_id in list(self.subscribers.get(account, ())):
            connection.send(b'{"subscriptionId":%d,"event":%b}' % (subscription_id, event))

    def on_execution(self, account: Account, execution: Execution) -> None:
        if self.subscribers.get(account):
            self.push(account, _encode(execution_report(execution, self.clock.milliseconds())))

    def on_account(self, account: Account, assets: list[str], symbols: list[str], reason: str) -> None:
        if self.subscribers.get(account):
            self.push(account, _encode(account_position(account, assets, self.clock.milliseconds())))


def account_position(account: Account, assets: list[str], now: int) -> dict:
    ledger = account.ledgers[SPOT]
    return {"e": "outboundAccountPosition", "E": now, "u": now, "B": [
        {"a": asset, "f": text(ledger.free.get(asset, 0)), "l": text(ledger.locked.get(asset, 0))} for asset in assets]}


def execution_report(execution: Execution, now: int) -> dict:
    order, fill, words = execution.order, execution.fill, execution.order.words
    renamed = execution.kind in ("CANCELED", "REPLACED")
    return {
        "e": "executionReport", "E": now, "s": order.instrument.symbol, "c": order.client_id,
        "S": SIDE[order.side], "o": words.type, "f": words.time_in_force, "q": text(order.quantity),
        "p": text(order.price), "P": _ZERO, "F": _ZERO, "g": -1, "C": order.original_client_id if renamed else "",
        "x": execution.kind, "X": STATUS[execution.status], "r": "NONE", "i": order.order_id,
        "l": text(fill.quantity) if fill else _ZERO, "z": text(execution.executed),
        "L": text(fill.price) if fill else _ZERO, "n": text(execution.commission) if fill else "0",
        "N": execution.commission_asset if fill else None, "T": execution.time,
        "t": fill.trade_id if fill else -1, "I": execution.execution_id,
        "w": execution.status <= Status.PARTIALLY_FILLED, "m": execution.is_maker, "M": False, "O": order.time,
        "Z": text(execution.quote_executed), "Y": text(fill.quote) if fill else _ZERO,
        "Q": text(words.quote_order_quantity), "W": order.time, "V": SELF_TRADE[order.self_trade]}


@dataclass(slots=True)
class ListenKey:
    """A live key: whose it is, until when (ms), and who listens with which allow-list of events."""

    key: str
    account: Account
    expires: int
    connections: dict = field(default_factory=dict)


class ListenKeys:
    """Listen keys and their connections."""

    def __init__(self, clock: Clock, lifetime_seconds: float = LISTEN_KEY_SECONDS):
        self.clock = clock
        self.lifetime_ms = int(lifetime_seconds * 1000)
        self.by_key: dict[str, ListenKey] = {}
        self.by_account: dict[str, ListenKey] = {}

    # ---- life of a key

    def start(self, account: Account) -> str:
        """A new key, or the live one with its hour started again."""
        live = self.by_account.get(account.key)
        if live is None:
            live = ListenKey(secrets.token_hex(32), account, 0)
            self.by_key[live.key] = self.by_account[account.key] = live
        live.expires = self.clock.milliseconds() + self.lifetime_ms
        return live.key

    def keep_alive(self, account: Account) -> str | None:
        """Begin the hour anew; None when the account has no live key."""
        self.expire()
        live = self.by_account.get(account.key)
        if live is None:
            return None
        live.expires = self.clock.milliseconds() + self.lifetime_ms
        return live.key

    def close(self, account: Account) -> None:
        live = self.by_account.pop(account.key, None)
        if live is not None:
            del self.by_key[live.key]

    def expire(self) -> None:
        """End the keys whose time is up: their connections hear of it, stay open, and get nothing more."""
        now = self.clock.milliseconds()
        for live in [one for one in self.by_account.values() if one.expires <= now]:
            self.push(live, "listenKeyExpired", {"e": "listenKeyExpired", "E": now, "listenKey": live.key})
            self.close(live.account)

    # ---- connections

    def attach(self, connection, key: str, events: frozenset[str]) -> None:
        """An unknown or dead key connects all the same, and stays silent."""
        live = self.by_key.get(key)
        if live is not None:
            live.connections[connection] = events

    def detach(self, connection, key: str | None = None) -> None:
        """No more events of this key (None: of any) for the connection."""
        for live in self.by_key.values():
            if key in (None, live.key):
                live.connections.pop(connection, None)

    def push(self, live: ListenKey, name: str, event: dict) -> None:
        payload = _encode(event)
        for connection, events in list(live.connections.items()):
            if events and name not in events:
                continue
            connection.send(b'{"stream":"%b","data":%b}' % (live.key.encode(), payload)
                            if connection.combined else payload)

    def listening(self, account: Account) -> ListenKey | None:
        live = self.by_account.get(account.key)
        return live if live is not None and live.connections else None


class FuturesUserData(ListenKeys):
    """A futures account's events."""

    sends_trade_lite = True

    def __init__(self, clock: Clock, market: FuturesMarket, lifetime_seconds: float = LISTEN_KEY_SECONDS):
        super().__init__(clock, lifetime_seconds)
        self.market = market

    def on_execution(self, account: Account, execution: Execution) -> None:
        live = self.listening(account)
        if live is None:
            return
        if execution.fill is not None and self.sends_trade_lite:
            self.push(live, "TRADE_LITE", self._trade_lite(execution))
        self.push(live, "ORDER_TRADE_UPDATE", self._order_update(account, execution))

    def on_leverage(self, account: Account, symbol: str, leverage: int) -> None:
        live = self.listening(account)
        if live is not None:
            now = self.clock.milliseconds()
            self.push(live, "ACCOUNT_CONFIG_UPDATE", {"e": "ACCOUNT_CONFIG_UPDATE", "E": now, "T": now,
                                                       "ac": {"s": symbol, "l": leverage}})

    def on_account(self, account: Account, assets: list[str], symbols: list[str], reason: str) -> None:
        live = self.listening(account)
        if live is None:
            return
        now, ledger = self.clock.milliseconds(), self.market.ledger_of(account)
        balances = [{"a": asset, "wb": text(ledger.wallet[asset]), "cw": text(ledger.wallet[asset]), "bc": "0"}
                    for asset in assets]
        positions = [self._position(account, symbol) for symbol in symbols]
        self.push(live, "ACCOUNT_UPDATE", {"e": "ACCOUNT_UPDATE", "E": now, "T": now, **self.extra(),
                                            "a": {"m": reason, "B": balances, "P": positions}})

    def _position(self, account: Account, symbol: str) -> dict:
        instrument, ledger = self.market.instruments[symbol], self.market.ledger_of(account)
        position, risk = ledger.position(instrument), ledger.symbol_risk(symbol)
        return {"s": symbol, "pa": text(position.amount, instrument.quantity_decimals),
                "ep": text(position.entry_price), "bep": text(position.entry_price), "cr": text(position.realized),
                "up": text(position.unrealized(self.market.mark_price(symbol))),
                "mt": "isolated" if risk.isolated else "cross", "iw": "0", "ps": "BOTH", "ma": instrument.settle}

    def _trade_lite(self, execution: Execution) -> dict:
        order, fill = execution.order, execution.fill
        return {"e": "TRADE_LITE", "E": self.clock.milliseconds(), "T": execution.time, "s": order.instrument.symbol,
                "q": quantity_text(order, order.quantity), "p": price_text(order, order.price),
                "m": execution.is_maker, "c": order.client_id, "S": SIDE[order.side],
                "L": price_text(order, fill.price), "l": quantity_text(order, fill.quantity),
                "t": fill.trade_id, "i": order.order_id}

    def _order_update(self, account: Account, execution: Execution) -> dict:
        order, fill, words = execution.order, execution.fill, execution.order.words
        risk = self.market.ledger_of(account).symbol_risk(order.instrument.symbol)
        body = {
            "s": order.instrument.symbol, "c": order.client_id, "S": SIDE[order.side], "o": words.type,
            "f": words.time_in_force, "q": quantity_text(order, order.quantity), "p": price_text(order, order.price),
            "ap": price_text(order, execution.average) if execution.average else "0", "sp": "0", "x": execution.kind,
            "X": STATUS[execution.status], "i": order.order_id,
            "l": quantity_text(order, fill.quantity) if fill else "0", "z": quantity_text(order, execution.executed),
            "L": price_text(order, fill.price) if fill else "0", "n": text(execution.commission) if fill else "0",
            "N": order.instrument.settle, "T": execution.time, "t": fill.trade_id if fill else 0,
            "b": short(risk.open_buy), "a": short(risk.open_sell), "m": execution.is_maker, "R": order.reduce_only,
            "wt": "CONTRACT_PRICE", "ot": words.type, "ps": "BOTH", "cp": False, "rp": text(execution.realized),
            "pP": False, "si": 0, "ss": 0, "V": SELF_TRADE[order.self_trade], "pm": words.price_match,
            "gtd": order.good_till, "er": "0"}
        return {"e": "ORDER_TRADE_UPDATE", "E": self.clock.milliseconds(), "T": execution.time, **self.extra(),
                "o": self.order_body(body, order)}

    # ---- what the kinds of accounts say differently

    def extra(self) -> dict:
        """Keys of the event itself, before its content."""
        return {}

    def order_body(self, body: dict, order: Order) -> dict:
        return body


class CoinMUserData(FuturesUserData):
    """COIN-M: the account's alias as `i`, the margin asset as `ma`, no TRADE_LITE."""

    sends_trade_lite = False
    alias = "SimS"

    def extra(self) -> dict:
        return {"i": self.alias}

    def order_body(self, body: dict, order: Order) -> dict:
        out = {}
        for name, value in body.items():
            if name == "n":
                continue
            if name == "N":
                out.update(ma=order.instrument.settle, N=value, n=body["n"])
            else:
                out[name] = value
        return out
