"""OKX as one venue: its two markets under one account, what they say to whom, and where they listen."""

import asyncio
from dataclasses import dataclass
from ssl import SSLContext

from aiohttp import web
from picows import WSUpgradeRequest, ws_create_server

from nexus_fast.sim.account import Account
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.connections import Connections
from nexus_fast.sim.endpoints import Place
from nexus_fast.sim.market import Listener
from nexus_fast.sim.okx.connection import OkxConnection
from nexus_fast.sim.okx.listing import CONTRACT_MARKET, SPOT_MARKET, listings
from nexus_fast.sim.okx.orders import count_down
from nexus_fast.sim.okx.private_channels import ROWS_PER_PAGE, PrivateChannels
from nexus_fast.sim.okx.public_channels import PublicChannels
from nexus_fast.sim.okx.rate_limits import RateLimits
from nexus_fast.sim.okx.requests import Exchange, Service
from nexus_fast.sim.okx.rest import RestServer
from nexus_fast.sim.okx.trading import UnifiedContractMarket, UnifiedSpotMarket, share_order_ids, unify
from nexus_fast.sim.wire_statistics import WireStatistics

PLACES = ("public", "private", "business")
FAST_BEAT_SECONDS, BEAT_SECONDS = 0.01, 0.05


@dataclass(slots=True)
class OkxOptions:
    """What a test or a fault script may want otherwise than the venue has it. Times in seconds.

    `limit_factor` multiplies every rate limit; 1 gives the venue's own. `rows_per_page`: of private snapshots.
    """

    limit_factor: int = 1000
    idle_seconds: float = 30.0
    rows_per_page: int = ROWS_PER_PAGE


class OkxVenue:
    """Spot and contracts with their sockets. `start` listens, `endpoints` says where, `stop` closes everything."""

    name = "okx"
    ports = 2  # REST, WebSockets

    def __init__(self, accounts: dict[str, Account], statistics: WireStatistics, clock: Clock,
                 options: OkxOptions | None = None):
        self.options = options = options or OkxOptions()
        self.accounts = accounts
        for account in accounts.values():
            unify(account)
        first_id, listed = clock.milliseconds() * 100, listings(clock.milliseconds())
        spot = UnifiedSpotMarket(SPOT_MARKET, tuple(one.instrument for one in listed if one.is_spot), clock,
                                 statistics, first_id)
        contracts = UnifiedContractMarket(CONTRACT_MARKET, tuple(one.instrument for one in listed if not one.is_spot),
                                          clock, statistics, first_id)
        spot.contracts = contracts
        share_order_ids(first_id * 1000, spot, contracts)
        self.exchange = exchange = Exchange({one.instrument_id: one for one in listed}, spot, contracts, accounts, clock,
                                            RateLimits(options.limit_factor), statistics)
        exchange.users, exchange.channels = PrivateChannels(exchange, options.rows_per_page), PublicChannels(exchange)
        for market in (spot, contracts):
            market.listener = self._publisher()
        self.services = (Service(spot), Service(contracts))
        self.connections = Connections(clock)
        self._server: asyncio.Server | None = None
        self._runner: web.ServerRunner | None = None
        self._tasks: list[asyncio.Task] = []
        self._addresses: dict[str, Place] = {}

    def _publisher(self) -> Listener:
        users, channels, publisher = self.exchange.users, self.exchange.channels, Listener()
        publisher.on_execution, publisher.on_account = users.on_execution, users.on_account
        publisher.on_trade, publisher.on_best = channels.on_trade, channels.on_best
        return publisher

    # ---- life

    async def start(self, host: str, port: int, tls: SSLContext | None = None) -> None:
        """Listen on `ports` ports from `port` on; 0: any free ones."""
        self._runner = web.ServerRunner(RestServer(self.exchange, self.connections.faults), shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, ssl_context=tls).start()
        self._addresses["rest"] = Place(self._runner.addresses[0], tls)
        self._server = await ws_create_server(self._accept, host, port + 1 if port else 0, enable_auto_pong=False, ssl=tls,
                                              websocket_handshake_timeout=10)
        self._addresses["sockets"] = Place(self._server.sockets[0].getsockname(), tls)
        self._tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._maintain())]

    def _accept(self, request: WSUpgradeRequest) -> OkxConnection | None:
        path = request.path.decode("utf-8", "replace").partition("?")[0].rstrip("/")
        place = path.removeprefix("/ws/v5/")
        kind = "order" if place == "private" else "stream"
        if place not in PLACES or place == path or self.connections.faults.refuses(self.name, kind):
            return None
        return OkxConnection(self.connections, self.exchange, place, self.options.idle_seconds)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.connections.shut_down()
        if self._server is not None:
            self._server.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def endpoints(self) -> dict[str, dict[str, str]]:
        """The table of the endpoints file."""
        sockets = self._addresses["sockets"]
        return {"okx": {"rest": self._addresses["rest"].http(),
                        **{place: sockets.ws(f"/ws/v5/{place}") for place in PLACES},
                        "order_limit_factor": str(self.options.limit_factor)}}

    # ---- by the clock

    async def _beat(self) -> None:
        """Periodic channels, regular snapshots, and the dead man's switches."""
        while True:
            await asyncio.sleep(FAST_BEAT_SECONDS if self.exchange.channels.is_fast else BEAT_SECONDS)
            self.exchange.channels.tick()
            self.exchange.users.regular()
            count_down(self.exchange)

    async def _maintain(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self.options.idle_seconds / 4))
            self.connections.maintain()
