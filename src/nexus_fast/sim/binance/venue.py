"""Binance as one venue: its markets and where they listen."""

import asyncio
from dataclasses import dataclass
from ssl import SSLContext

from aiohttp import web
from picows import WSUpgradeRequest, ws_create_server

from nexus_fast.sim.account import Account
from nexus_fast.sim.binance import tables_coin_m, tables_margin, tables_portfolio, tables_spot, tables_usd_m
from nexus_fast.sim.binance.account_portfolio import Portfolio
from nexus_fast.sim.binance.instruments import COIN_M, SPOT, USD_M
from nexus_fast.sim.binance.operations_futures import cancel_all
from nexus_fast.sim.binance.requests import Call, Service
from nexus_fast.sim.binance.rest import RestServer
from nexus_fast.sim.binance.services import make_services
from nexus_fast.sim.binance.stream_connection import StreamConnection, is_stream_path
from nexus_fast.sim.binance.user_data import LISTEN_KEY_SECONDS
from nexus_fast.sim.binance.ws_api import WebsocketApiConnection
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.connections import Cadence, Connections
from nexus_fast.sim.endpoints import Place
from nexus_fast.sim.faults import Rule
from nexus_fast.sim.wire_statistics import WireStatistics

STREAM_BEAT_SECONDS = 0.05
PORTFOLIO_STREAM = "/pm"  # beside USD-M's streams, as on the venue
WS_APIS = {SPOT: ("/ws-api/v3", tables_spot.WEBSOCKET), USD_M: ("/ws-fapi/v1", tables_usd_m.WEBSOCKET),
           COIN_M: ("/ws-dapi/v1", tables_coin_m.WEBSOCKET)}
SPOT_CADENCE = Cadence(20.0, 60.0)      # a PING every 20 s, its PONG within a minute
FUTURES_CADENCE = Cadence(180.0, 600.0)
SPOT_MESSAGES, FUTURES_MESSAGES = 5, 10  # that a stream connection may send in a second


@dataclass(slots=True)
class BinanceOptions:
    """What a test or a fault script may want otherwise than the venue has it. Times in seconds.

    `post_only`: what a futures GTX order does that would take: "reject" (-5022) or "expire" (acknowledged, then EXPIRED).
    """

    order_limit_factor: int = 1000
    weight_limit_factor: int = 1
    listen_key_seconds: float = LISTEN_KEY_SECONDS
    post_only: str = "reject"
    spot_ping_interval: float = SPOT_CADENCE.ping_interval
    usd_m_ping_interval: float = FUTURES_CADENCE.ping_interval
    spot_pong_timeout: float = SPOT_CADENCE.pong_timeout
    usd_m_pong_timeout: float = FUTURES_CADENCE.pong_timeout
    connection_lifetime: float = SPOT_CADENCE.lifetime
    limit_messages: bool = True


class BinanceVenue:
    """All markets with their sockets. `start` listens, `endpoints` says where, `stop` closes everything."""

    name = "binance"
    ports = 4                    # REST, and the WebSockets of spot, USD-M and COIN-M

    def __init__(self, accounts: dict[str, Account], statistics: WireStatistics, clock: Clock,
                 options: BinanceOptions | None = None):
        self.options = options = options or BinanceOptions()
        self.accounts = accounts
        self.clock = clock
        made = make_services(accounts, statistics, clock, options)
        self.spot, self.usd_m, self.coin_m = self.services = made.of_markets
        portfolio = Portfolio(made.portfolio_margin, made.portfolio_usd_m, made.portfolio_coin_m)
        self.routes = [
            (made.spot, tables_spot.REST), (made.margin, tables_margin.REST), (made.usd_m, tables_usd_m.REST),
            (made.coin_m, tables_coin_m.REST), (made.portfolio_margin, tables_portfolio.MARGIN),
            (made.portfolio_usd_m, tables_portfolio.USD_M), (made.portfolio_coin_m, tables_portfolio.COIN_M),
            (made.portfolio_margin, tables_portfolio.whole(portfolio))]
        self.portfolio_users = made.portfolio_margin.users
        self._listen_keys = [made.usd_m.users, made.coin_m.users, self.portfolio_users]
        self.connections = Connections(clock)
        self.fault_actions = {"expire_listen_keys": self._expire_listen_keys}
        self._servers: list[asyncio.Server] = []
        self._runner: web.ServerRunner | None = None
        self._tasks: list[asyncio.Task] = []
        self._addresses: dict[str, Place] = {}

    # ---- life

    async def start(self, host: str, port: int, tls: SSLContext | None = None) -> None:
        """Listen on `ports` ports from `port` on; 0: any free ones. With `tls`: over TLS."""
        rest = RestServer(self.routes, self.connections.faults)
        self._runner = web.ServerRunner(rest, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, ssl_context=tls).start()
        self._addresses["rest"] = Place(self._runner.addresses[0], tls)
        for offset, service in enumerate(self.services, start=1):
            await self._listen(service, host, port + offset if port else 0, tls)
        self._tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._maintain())]

    async def _listen(self, service: Service, host: str, port: int, tls: SSLContext | None) -> None:
        server = await ws_create_server(lambda request: self._accept(service, request), host, port,
                                        enable_auto_pong=False, ssl=tls, websocket_handshake_timeout=10)
        self._servers.append(server)
        self._addresses[service.name] = Place(server.sockets[0].getsockname(), tls)

    def _accept(self, service: Service, request: WSUpgradeRequest):
        path = request.path.decode("utf-8", "replace")
        place = path.partition("?")[0].rstrip("/")
        is_spot = service is self.spot
        private = place.startswith(("/private", PORTFOLIO_STREAM))
        kind = "order" if place.startswith("/ws-") else "user" if private else "stream"
        if self.connections.faults.refuses(self.name, kind):
            return None
        if service is self.usd_m and place.startswith(PORTFOLIO_STREAM + "/"):
            return StreamConnection(self.connections, self._cadence(False, FUTURES_MESSAGES), service.streams,
                                    path.removeprefix(PORTFOLIO_STREAM), self.portfolio_users)
        api, table = WS_APIS[service.name]
        if place == api:
            return WebsocketApiConnection(self.connections, self._cadence(is_spot, 0), service, table, path)
        if is_stream_path(path, service.streams.is_routed):
            messages = SPOT_MESSAGES if is_spot else FUTURES_MESSAGES
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
        rest, spot, usd_m, coin_m = (self._addresses[name] for name in ("rest", SPOT, USD_M, COIN_M))
        return {
            "binance.spot": {"rest": rest.http(), "stream": spot.ws(), "ws_api": spot.ws("/ws-api/v3")},
            "binance.usd_m": {"rest": rest.http(), **{route: usd_m.ws(f"/{route}") for route in ("public", "market", "private")},
                              "ws_api": usd_m.ws("/ws-fapi/v1")},
            "binance.coin_m": {"rest": rest.http(), "stream": coin_m.ws(), "ws_api": coin_m.ws("/ws-dapi/v1")},
            "binance.portfolio_margin": {"rest": rest.http(), "stream": usd_m.ws(PORTFOLIO_STREAM)}}

    # ---- faults

    def _expire_listen_keys(self, rule: Rule) -> None:
        for users in self._listen_keys:
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
            for users in (*self._listen_keys, self.spot.users):
                users.expire()
            for service in (self.usd_m, self.coin_m):
                self._end_dated_orders(service)

    def _end_dated_orders(self, service: Service) -> None:
        """GTD orders whose date has come expire."""
        now, market = self.clock.milliseconds(), service.market
        for account in service.accounts.values():
            for order in [o for o in market.orders_of(account).open.values() if o.good_till and o.good_till <= now]:
                market.cancel(order, kind="EXPIRED")
        market.flush()

    def _count_down(self) -> None:
        now = self.clock.milliseconds()
        for service in (self.usd_m, self.coin_m):
            for (key, symbol), deadline in list(service.countdowns.items()):
                if deadline <= now:
                    del service.countdowns[key, symbol]
                    cancel_all(Call(service, {}, account=service.accounts[key]), service.market.instruments[symbol])
                    service.market.flush()
