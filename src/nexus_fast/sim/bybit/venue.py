"""Bybit as one venue: its markets of one unified account, what they say to whom, and where they listen."""

import asyncio
from dataclasses import dataclass
from ssl import SSLContext

from aiohttp import web
from picows import WSUpgradeRequest, ws_create_server

from nexus_fast.sim.account import Account
from nexus_fast.sim.bybit.dead_connections import DeadConnections
from nexus_fast.sim.bybit.errors import SPOT
from nexus_fast.sim.bybit.instruments import INVERSE, INVERSE_INSTRUMENTS, LINEAR, LINEAR_INSTRUMENTS, SPOT_INSTRUMENTS
from nexus_fast.sim.bybit.private_connection import PrivateConnection
from nexus_fast.sim.bybit.private_events import PrivateEvents, dollar_rates
from nexus_fast.sim.bybit.public_channels import BEAT_MS, PublicChannels
from nexus_fast.sim.bybit.public_connection import PublicConnection
from nexus_fast.sim.bybit.rate_limits import RateLimits
from nexus_fast.sim.bybit.requests import Exchange, Service
from nexus_fast.sim.bybit.rest import RestServer
from nexus_fast.sim.bybit.sockets import IDLE_SECONDS, Socket, active_seconds
from nexus_fast.sim.bybit.trade_connection import TradeConnection
from nexus_fast.sim.bybit.trading import CANCEL_RACE_MS, BybitContracts, BybitSpot, Publisher
from nexus_fast.sim.bybit.wallet import Member, admit, coin_of
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.connections import Connections
from nexus_fast.sim.endpoints import Place
from nexus_fast.sim.faults import Rule
from nexus_fast.sim.wire_statistics import WireStatistics

PUBLIC = "/v5/public/"


@dataclass(slots=True)
class BybitOptions:
    """What a test or a fault script may want otherwise than the venue has it. Times in seconds.

    `cancel_race_ms`: how long after its last fill an order's cancel is still accepted, see `Trading.cancel_for`.
    """

    order_limit_factor: int = 1000
    request_limit_factor: int = 1
    idle_seconds: float = IDLE_SECONDS
    cancel_race_ms: int = CANCEL_RACE_MS


class BybitVenue:
    """Spot and contracts with their sockets. `start` listens, `endpoints` says where, `stop` closes everything."""

    name = "bybit"
    ports = 2  # REST, WebSockets

    def __init__(self, accounts: dict[str, Account], statistics: WireStatistics, clock: Clock,
                 options: BybitOptions | None = None):
        self.options = options = options or BybitOptions()
        self.clock, self.accounts = clock, accounts
        members: dict[str, Member] = {}
        first_id = clock.milliseconds() * 100
        spot = BybitSpot(SPOT, SPOT_INSTRUMENTS, clock, statistics, first_id, members)
        linear = BybitContracts(LINEAR, LINEAR_INSTRUMENTS, clock, statistics, first_id, members)
        inverse = BybitContracts(INVERSE, INVERSE_INSTRUMENTS, clock, statistics, first_id, members)
        spot.contracts = (linear, inverse)
        markets = {market.name: market for market in (spot, linear, inverse)}
        members.update({key: admit(account, number, (LINEAR, INVERSE))
                        for number, (key, account) in enumerate(accounts.items())})
        events = PrivateEvents(clock, members, self._coins, lambda: dollar_rates(spot))
        limits = RateLimits(options.order_limit_factor, options.request_limit_factor)
        self.exchange = Exchange(markets, accounts, members, clock, limits, statistics, events)
        for market in markets.values():
            channels = self.exchange.channels[market.name] = PublicChannels(
                market, clock, statistics, self.exchange.market_name(market.name))
            market.events = events
            market.cancel_race_ms = options.cancel_race_ms
            market.listener = Publisher(market, events, channels)
        self.services = tuple(Service(market) for market in markets.values())
        self.connections = Connections(clock)
        self.fault_actions = {"shutdown": self._restart}
        self._dead = DeadConnections(self.exchange)
        self._server: asyncio.Server | None = None
        self._runner: web.ServerRunner | None = None
        self._tasks: list[asyncio.Task] = []
        self._addresses: dict[str, Place] = {}

    def _coins(self, member: Member) -> dict:
        """{coin: wallet.Coin} of every coin that the account has or had."""
        ledger = member.account.ledgers[SPOT]
        return {name: coin_of(member.account, member, name, self.exchange.contracts) for name in ledger.free}

    # ---- life

    async def start(self, host: str, port: int, tls: SSLContext | None = None) -> None:
        """Listen on two ports: `port` for REST, the next for WebSockets; 0: any free ones."""
        self._runner = web.ServerRunner(RestServer(self.exchange, self.connections), shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, ssl_context=tls).start()
        self._addresses["rest"] = Place(self._runner.addresses[0], tls)
        self._server = await ws_create_server(self._accept, host, port + 1 if port else 0, enable_auto_pong=False, ssl=tls,
                                              websocket_handshake_timeout=10)
        self._addresses["socket"] = Place(self._server.sockets[0].getsockname(), tls)
        self._tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._maintain())]

    def _accept(self, request: WSUpgradeRequest) -> Socket | None:
        path = request.path.decode("utf-8", "replace")
        place = path.partition("?")[0].rstrip("/")
        found = {"/v5/private": PrivateConnection, "/v5/trade": TradeConnection}.get(place)
        channels = self.exchange.channels.get(place.removeprefix(PUBLIC)) if place.startswith(PUBLIC) else None
        kind = found or (PublicConnection if channels is not None else None)
        if kind is None or self.connections.faults.refuses(self.name, kind.kind):
            return None
        idle = self.options.idle_seconds
        if found is None:
            return PublicConnection(self.connections, self.exchange, idle, channels)
        return found(self.connections, self.exchange, active_seconds(path, idle))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.connections.shut_down()
        if self._server is not None:
            self._server.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _restart(self, rule: Rule) -> None:
        """A fault: the books begin again at once, the connections end when the rule says."""
        if rule.place["venue"] in ("any", self.name):
            for channels in self.exchange.channels.values():
                channels.restart()
            self.connections.announce_end(rule)

    def endpoints(self) -> dict[str, dict[str, str]]:
        """The table of the endpoints file. `public` stands before /spot, /linear, /inverse."""
        rest, socket = self._addresses["rest"], self._addresses["socket"]
        return {"bybit": {"rest": rest.http(), "public": socket.ws("/v5/public"), "private": socket.ws("/v5/private"),
                          "trade": socket.ws("/v5/trade"),
                          "order_limit_factor": str(self.options.order_limit_factor)}}

    # ---- by the clock

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_MS / 1000)
            for channels in self.exchange.channels.values():
                channels.tick()

    async def _maintain(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self.options.idle_seconds / 4))
            self.connections.maintain()
            self._dead.look()
