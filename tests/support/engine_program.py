"""Engines inside the test's own process, driven by a coroutine.

    async def script(s):                       # s is the strategy; runs on the engine's loop
        oid = s.create_order(...)
        await s.until(lambda: s.heard("filled", oid))

    strategy = run_script(script, venue, symbols=[SPOT])

The engine ends when the coroutine ends; what it raises is raised again here, and a script that takes too long fails.
"""

import asyncio
import hashlib
import hmac
import itertools
import json
import time
import urllib.error
import urllib.request
from decimal import Decimal
from urllib.parse import urlencode

from patience import SCRIPT_SECONDS, WAIT_SECONDS
from verified import context_of

from nexus_fast.config import BasicConfig, Config, LogConfig, LoopConfig, PrivateConnectorConfig, PublicConnectorConfig
from nexus_fast.engine import Engine
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.strategy import Strategy

SPOT_ACCOUNT, PERP_ACCOUNT = BinanceAccountType.SPOT, BinanceAccountType.USD_M_FUTURE
SPOT, PERP = "USDCUSDT.BINANCE", "USDCUSDT-PERP.BINANCE"
BTC, BTC_PERP = "BTCUSDT.BINANCE", "BTCUSDT-PERP.BINANCE"
ORDER_CALLBACKS = ("pending", "accepted", "partially_filled", "filled", "canceling", "canceled", "failed", "cancel_failed",
                   "expired", "modified", "modify_failed")
_names = itertools.count(1)


class Scripted(Strategy):
    """Records every callback; `script` is a coroutine function of the strategy."""

    def __init__(self, script, symbols=()):
        super().__init__()
        self.script = script
        self.symbols = list(symbols)
        self.events = []                 # (callback without on_ and _order, argument), oldest first
        self.books = []
        self.failure = None
        self.engine = None
        self.script_seconds = SCRIPT_SECONDS
        self.wait_seconds, self.longest_pause = WAIT_SECONDS, 0.05

    def on_start(self):
        if self.symbols:
            self.subscribe_bookl1(self.symbols)
        self.task = asyncio.get_running_loop().create_task(self.play())

    async def play(self):
        try:
            await asyncio.wait_for(self.script(self), self.script_seconds)
        except BaseException as error:
            self.failure = error
        self.stop()

    def on_bookl1(self, book):
        self.books.append(book)

    async def until(self, condition, seconds=None, what=None):
        """Wait until the condition holds; its last value. It is looked at less and less often: many a condition asks the venue,
        which counts what it is asked."""
        deadline, pause = time.monotonic() + (self.wait_seconds if seconds is None else seconds), 0.003
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{what or 'the condition'} did not come true; heard: {self.summary()}")
            await asyncio.sleep(pause)
            pause = min(pause * 1.2, self.longest_pause)
        return found

    def heard(self, name, oid=None):
        """The arguments of a callback so far, of one order."""
        return [what for event, what in self.events if event == name and (oid is None or what.oid == oid)]

    def story(self, oid):
        """The names of an order's callbacks, in their order."""
        return [name for name in self.told(oid) if name in ORDER_CALLBACKS]

    def told(self, oid):
        """As story, with its fills and their late fees."""
        return [name for name, what in self.events if getattr(what, "oid", None) == oid]

    def summary(self):
        return [(name, getattr(what, "oid", what), getattr(what, "reason", "")) for name, what in self.events][-30:]

    async def quotes(self, *symbols):
        """Wait for a book of every symbol."""
        for symbol in symbols or self.symbols:
            await self.until(lambda s=symbol: self.cache.bookl1(s), what=f"a book of {symbol}")

    async def settled(self, oid, seconds=25.0):
        """Wait for the order's end; the order."""
        await self.until(lambda: (self.cache.get_order(oid) is not None) and self.cache.get_order(oid).is_closed,
                         seconds=seconds, what=f"the end of {oid}")
        return self.cache.get_order(oid)


def _recorder(name):
    def callback(self, what):
        self.events.append((name, what))
    return callback


for _name in ORDER_CALLBACKS:
    setattr(Scripted, f"on_{_name}_order", _recorder(_name))
for _name in ("fill", "fill_fee", "balance", "private_ws_status", "private_ws_resync_diff", "ws_order_request_result", "trade",
              "kline", "bookl2", "mark_price", "funding_rate", "index_price"):
    setattr(Scripted, f"on_{_name}", _recorder(_name))


class Venue:
    """A running simulator as its account's owner sees it: REST with hmac and urllib, nothing of the engine's."""

    def __init__(self, endpoints, key="sim", secret="sim", directory=None):
        self.endpoints = endpoints       # what the engine is given; a proxy may stand in it
        self.rest = endpoints["binance"]["spot"]["rest"]
        self.control = endpoints.get("sim", {}).get("control")
        self.context = context_of({"sim": {}, **endpoints})
        self.key, self.secret = key, secret
        self.directory = directory

    def with_addresses(self, **tables):
        """The same venue with other addresses for the engine: with_addresses(spot={"rest": …}); `rest` here stays direct."""
        changed = {"binance": {name: {**table, **tables.get(name, {})} for name, table in self.endpoints["binance"].items()},
                   "sim": self.endpoints.get("sim", {})}
        other = Venue(changed, self.key, self.secret, self.directory)
        other.rest = self.rest
        return other

    def ask(self, method, path, **params):
        """Signed."""
        params["timestamp"] = int(time.time() * 1000)
        text = urlencode(params)
        text += "&signature=" + hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        request = urllib.request.Request(f"{self.rest}{path}?{text}", method=method, headers={"X-MBX-APIKEY": self.key})
        try:
            with urllib.request.urlopen(request, timeout=WAIT_SECONDS, context=self.context) as answer:
                return json.loads(answer.read(), parse_float=Decimal)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:300]}") from None

    def open_orders(self):
        return [*self.ask("GET", "/api/v3/openOrders"), *self.ask("GET", "/fapi/v1/openOrders")]

    def order(self, family, symbol, oid):
        return self.ask("GET", "/api/v3/order" if family == "spot" else "/fapi/v1/order", symbol=symbol, origClientOrderId=oid)

    def spot_balances(self):
        found = self.ask("GET", "/api/v3/account")["balances"]
        return {b["asset"]: (Decimal(b["free"]), Decimal(b["locked"])) for b in found}

    def futures_balances(self):
        return {a["asset"]: Decimal(a["walletBalance"]) for a in self.ask("GET", "/fapi/v3/account")["assets"]}

    def positions(self):
        found = self.ask("GET", "/fapi/v3/positionRisk")
        return {p["symbol"]: Decimal(p["positionAmt"]) for p in found if Decimal(p["positionAmt"])}

    def statistics(self):
        with urllib.request.urlopen(f"{self.control}/sim/v1/statistics", timeout=WAIT_SECONDS) as answer:
            return json.loads(answer.read())

    def prices(self, what):
        """They "walk", or "stand" as they do at first."""
        urllib.request.urlopen(f"{self.control}/sim/v1/prices", data=what.encode(), timeout=WAIT_SECONDS).read()

    def reset_statistics(self):
        urllib.request.urlopen(f"{self.control}/sim/v1/statistics/reset", data=b"", timeout=WAIT_SECONDS).read()


def far_below(strategy, symbol, share="0.9"):
    """A bid that nothing will hit."""
    return strategy.price_to_precision(symbol, Decimal(str(strategy.cache.bookl1(symbol).bid)) * Decimal(share), "floor")


def make_config(strategy, venue, *, public=(PERP_ACCOUNT, SPOT_ACCOUNT), private=(PERP_ACCOUNT, SPOT_ACCOUNT), mode="block",
                loop=None, directory=None, secret=None, connections=1, connectors=None, counted=True, **options):
    """A configuration of account types on a simulator, of any venues, with a strategy id and a journal of its own.
    `connections`: of every public connector; `connectors`: Binance's private ones, where account types do not say enough;
    `counted`: whether orders are held against the venue's limits here."""
    exchanges = list(dict.fromkeys(account.exchange for account in (*public, *private)))
    basic = BasicConfig(api_key=venue.key, secret=secret or venue.secret, passphrase="sim")
    options.setdefault("strategy_id", f"test{next(_names)}x{time.time_ns() % 10**9}")
    options.setdefault("log_config", LogConfig(level_stdout="DEBUG"))
    return Config(
        user_id="tests",
        strategy=strategy,
        basic_config=dict.fromkeys(exchanges, basic),
        public_conn_config={
            e: [PublicConnectorConfig(account_type=a, connections=connections) for a in public if a.exchange is e]
            for e in exchanges
        },
        private_conn_config={SPOT_ACCOUNT.exchange: connectors} if connectors else {
            e: [PrivateConnectorConfig(account_type=a, enable_rate_limit=counted) for a in private if a.exchange is e]
            for e in exchanges
        },
        endpoints=venue.endpoints,
        journal_directory=directory or venue.directory,
        loop=loop or LoopConfig(mode=mode, idle_ms=20),
        **options,
    )


def run_script(script, venue, *, symbols=(), others=(), **options):
    """Run the engine until the script ends; the strategy, with what it heard."""
    strategy = Scripted(script, symbols)
    run_strategies([strategy, *others], venue, **options)
    return strategy


def run_strategies(strategies, venue, **options):
    engine = Engine(make_config(strategies, venue, **options))
    for strategy in strategies:
        strategy.engine = engine
    try:
        engine.start()
    finally:
        engine.dispose()
    for strategy in strategies:
        failure = getattr(strategy, "failure", None)
        if failure is not None:
            raise failure
    return engine
