"""Binance as one venue: its two markets, what they say to whom, and where they listen."""

import asyncio
import re
from dataclasses import dataclass

from aiohttp import web
from picows import WSUpgradeRequest, ws_create_server

from nexus_fast.sim.account import Account, FuturesLedger, SpotLedger
from nexus_fast.sim.binance import rate_limits, tables_spot, tables_usd_m
from nexus_fast.sim.binance.instruments import (
    SPOT,
    SPOT_BALANCES,
    SPOT_INSTRUMENTS,
    USD_M,
    USD_M_BALANCES,
    USD_M_INSTRUMENTS,
)
from nexus_fast.sim.binance.operations_usd_m import cancel_all
from nexus_fast.sim.binance.rate_limits import RateLimits
from nexus_fast.sim.binance.requests import Call, Service
from nexus_fast.sim.binance.rest import RestServer
from nexus_fast.sim.binance.stream_connection import StreamConnection, is_stream_path
from nexus_fast.sim.binance.streams import StreamHub
from nexus_fast.sim.binance.user_data import LISTEN_KEY_SECONDS, SpotUserData, UsdMUserData
from nexus_fast.sim.binance.ws_api import WebsocketApiConnection
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.connections import Cadence, Connections
from nexus_fast.sim.endpoints import address_of
from nexus_fast.sim.faults import Rule
from nexus_fast.sim.futures_market import FuturesMarket
from nexus_fast.sim.market import Execution, Listener
from nexus_fast.sim.spot_market import SpotMarket
from nexus_fast.sim.wire_statistics import WireStatistics

SPOT_CLIENT_ID = re.compile(r"^[a-zA-Z0-9-_]{1,36}$")
USD_M_CLIENT_ID = re.compile(r"^[\.A-Z\:/a-z0-9_-]{1,36}$")
STREAM_BEAT_SECONDS = 0.05
SPOT_CADENCE = Cadence(20.0, 60.0)      # a PING every 20 s, its PONG within a minute
USD_M_CADENCE = Cadence(180.0, 600.0)
SPOT_MESSAGES, USD_M_MESSAGES = 5, 10  # that a stream connection may send in a second


@dataclass(slots=True)
class BinanceOptions:
    """What a test or a fault script may want otherwise than the venue has it. Times in seconds.

    `post_only`: what a USD-M GTX order does that would take: "expire" (acknowledged, then EXPIRED) or "reject" (-5022).
    """

    order_limit_factor: int = 1000
    weight_limit_factor: int = 1
    listen_key_seconds: float = LISTEN_KEY_SECONDS
    post_only: str = "expire"
    spot_ping_interval: float = SPOT_CADENCE.ping_interval
    usd_m_ping_interval: float = USD_M_CADENCE.ping_interval
    spot_pong_timeout: float = SPOT_CADENCE.pong_timeout
    usd_m_pong_timeout: float = USD_M_CADENCE.pong_timeout
    connection_lifetime: float = SPOT_CADENCE.lifetime
    limit_messages: bool = True


class Publisher(Listener):
    """Market events go to user data and streams of the same service."""

    def __init__(self, service: Service):
        self.service = service
        users, streams = service.users, service.streams
        self.on_execution = self.spot_execution if service.name == SPOT else users.on_execution
        self.on_account = users.on_account
        self.on_trade = streams.publish_trade
        self.on_best = streams.publish_best

    def spot_execution(self, account: Account, execution: Execution) -> None:
        """Spot counts unfilled orders: an order's first fill gives some of the count back."""
        if execution.fill is not None and execution.executed == execution.fill.quantity:
            self.service.limits.order_filled(account.key, execution.is_maker)
        self.service.users.on_execution(account, execution)


class BinanceVenue:
    """Spot and USD-M with their sockets. `start` listens, `endpoints` says where, `stop` closes everything."""

    name = "binance"
    ports = 3                    # REST, spot WebSockets, USD-M WebSockets

    def __init__(self, accounts: dict[str, Account], statistics: WireStatistics, clock: Clock,
                 options: BinanceOptions | None = None):
        self.options = options = options or BinanceOptions()
        self.accounts = accounts
        self.clock = clock
        for account in accounts.values():
            account.open(SPOT, SpotLedger(SPOT_BALANCES))
            account.open(USD_M, FuturesLedger(USD_M_BALANCES))
        first_id = clock.milliseconds() * 100
        spot = SpotMarket(SPOT, SPOT_INSTRUMENTS, clock, statistics, first_id)
        usd_m = FuturesMarket(USD_M, USD_M_INSTRUMENTS, clock, statistics, first_id)
        usd_m.refuses_taking_post_only = options.post_only == "reject"
        factor = options.order_limit_factor
        weight = options.weight_limit_factor
        spot_limits = RateLimits(rate_limits.SPOT_ORDERS, rate_limits.SPOT_WEIGHT * weight, factor)
        usd_m_limits = RateLimits(rate_limits.USD_M_ORDERS, rate_limits.USD_M_WEIGHT * weight, factor)
        self.spot = Service(spot, accounts, clock, spot_limits, statistics, SPOT_CLIENT_ID, users=SpotUserData(clock))
        self.usd_m = Service(usd_m, accounts, clock, usd_m_limits, statistics, USD_M_CLIENT_ID,
                             users=UsdMUserData(clock, usd_m, options.listen_key_seconds))
        self.services = (self.spot, self.usd_m)
        for service in self.services:
            service.streams = StreamHub(service)
            service.market.listener = Publisher(service)
        self.connections = Connections(clock)
        self.fault_actions = {"expire_listen_keys": self._expire_listen_keys}
        self._servers: list[asyncio.Server] = []
        self._runner: web.ServerRunner | None = None
        self._tasks: list[asyncio.Task] = []
        self._addresses: dict[str, str] = {}

    # ---- life

    async def start(self, host: str, port: int) -> None:
        """Listen on `ports` ports from `port` on; 0: any free ones."""
        routes = [(self.spot, tables_spot.REST), (self.usd_m, tables_usd_m.REST)]
        rest = RestServer(routes, self.connections.faults)
        self._runner = web.ServerRunner(rest, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self._addresses["rest"] = address_of(self._runner.addresses[0])
        for offset, service in enumerate(self.services, start=1):
            await self._listen(service, host, port + offset if port else 0)
        self._tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._maintain())]

    async def _listen(self, service: Service, host: str, port: int) -> None:
        server = await ws_create_server(lambda request: self._accept(service, request), host, port,
                                        enable_auto_pong=False, websocket_handshake_timeout=10)
        self._servers.append(server)
        self._addresses[service.name] = address_of(server.sockets[0].getsockname())

    def _accept(self, service: Service, request: WSUpgradeRequest):
        path = request.path.decode("utf-8", "replace")
        place = path.partition("?")[0].rstrip("/")
        is_spot = service is self.spot
        kind = "order" if place.startswith("/ws-") else "user" if place.startswith("/private") else "stream"
        if self.connections.faults.refuses(self.name, kind):
            return None
        if place == ("/ws-api/v3" if is_spot else "/ws-fapi/v1"):
            table = tables_spot.WEBSOCKET if is_spot else tables_usd_m.WEBSOCKET
            return WebsocketApiConnection(self.connections, self._cadence(is_spot, 0), service, table, path)
        if is_stream_path(path, is_spot):
            messages = SPOT_MESSAGES if is_spot else USD_M_MESSAGES
            return StreamConnection(self.connections, self._cadence(is_spot, messages), service.streams, path)
        return None

    def _cadence(self, is_spot: bool, messages: int) -> Cadence:
        options = self.options
        return Cadence(options.spot_ping_interval if is_spot else options.usd_m_ping_interval,
                       options.spot_pong_timeout if is_spot else options.usd_m_pong_timeout,
                       options.connection_lifetime, messages if options.limit_messages else 0)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.connections.shut_down()
        for server in self._servers:
            server.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def endpoints(self) -> dict[str, dict[str, str]]:
        """The tables of the endpoints file."""
        rest, spot, usd_m = (self._addresses[name] for name in ("rest", SPOT, USD_M))
        return {
            "binance.spot": {"rest": f"http://{rest}", "stream": f"ws://{spot}", "ws_api": f"ws://{spot}/ws-api/v3"},
            "binance.usd_m": {"rest": f"http://{rest}", "public": f"ws://{usd_m}/public",
                              "market": f"ws://{usd_m}/market", "private": f"ws://{usd_m}/private",
                              "ws_api": f"ws://{usd_m}/ws-fapi/v1"}}

    # ---- faults

    def _expire_listen_keys(self, rule: Rule) -> None:
        users = self.usd_m.users
        for live in list(users.by_account.values()):
            if rule.place["account"] not in ("", live.account.key):
                continue
            live.expires = 0
            if not rule["announce"]:
                users.close(live.account)
        users.expire()

    # ---- by the clock

    async def _beat(self) -> None:
        """Periodic streams and the dead man's switches."""
        while True:
            await asyncio.sleep(STREAM_BEAT_SECONDS)
            for service in self.services:
                service.streams.tick()
            self._count_down()

    async def _maintain(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self.options.listen_key_seconds / 4))
            self.connections.maintain()
            self.usd_m.users.expire()
            self._end_dated_orders()

    def _end_dated_orders(self) -> None:
        """GTD orders whose date has come expire."""
        now, market = self.clock.milliseconds(), self.usd_m.market
        for account in self.usd_m.accounts.values():
            for order in [o for o in market.orders_of(account).open.values() if o.good_till and o.good_till <= now]:
                market.cancel(order, kind="EXPIRED")
        market.flush()

    def _count_down(self) -> None:
        service = self.usd_m
        if not service.countdowns:
            return
        now = self.clock.milliseconds()
        for (key, symbol), deadline in list(service.countdowns.items()):
            if deadline <= now:
                del service.countdowns[key, symbol]
                cancel_all(Call(service, {}, account=service.accounts[key]), service.market.instruments[symbol])
                service.market.flush()
