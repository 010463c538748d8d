"""The simulated venues in one process: accounts, statistics, market makers, and the control address.

`SimulatedVenue` is for embedding (an asyncio or uvloop loop must run); `run` is the command.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from aiohttp import web

from nexus_fast.sim.account import Account
from nexus_fast.sim.binance.signing import load_public_key
from nexus_fast.sim.binance.venue import BinanceOptions, BinanceVenue
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.endpoints import to_toml, write
from nexus_fast.sim.faults import FaultError, Faults
from nexus_fast.sim.market_maker import MarketMaker, Pacer
from nexus_fast.sim.replay import Replay
from nexus_fast.sim.wire_statistics import WireStatistics

VENUES = ("binance",)
STANDING_ACCOUNT = "sim:sim:sim"
DEFAULT_TICK_RATE = 20.0


def account_of(text: str) -> Account:
    """`KEY:SECRET[:PASSPHRASE]`, or `KEY:@FILE[:PASSPHRASE]` with an Ed25519 public key in PEM in FILE."""
    key, _, rest = text.partition(":")
    secret, _, passphrase = rest.partition(":")
    if not key or not secret:
        raise ValueError(f"account {text!r}: expected KEY:SECRET[:PASSPHRASE] or KEY:@PUBLIC_KEY.pem[:PASSPHRASE]")
    if secret.startswith("@"):
        return Account(key, passphrase=passphrase, public_key=load_public_key(Path(secret[1:]).read_bytes()))
    return Account(key, secret, passphrase)


class SimulatedVenue:
    """Start it, read `endpoints()`, trade, stop it.

    `tick_rate`: steps of the market maker per second and symbol (0: books stand still). `seed`: of the market maker.
    `accounts`: more accounts beside the standing one, as `account_of` takes them. `replay`: recordings that replace
    the market maker of their symbols. `binance`: see `BinanceOptions`. `faults`: a script of faults as a file, a text or a
    list of tables (nexus_fast.sim.faults), with the same seed; `self.faults.load` replaces them.
    """

    def __init__(self, venues: Sequence[str] = VENUES, *, host: str = "127.0.0.1", port: int = 0, seed: int | str = 1,
                 tick_rate: float = DEFAULT_TICK_RATE, accounts: Sequence[str] = (), replay: Sequence[str] = (),
                 replay_rate: float | None = None, clock_offset_ms: int = 0, binance: BinanceOptions | None = None,
                 faults: str | Path | Sequence[Mapping] = ()):
        unknown = [name for name in venues if name not in VENUES]
        if unknown:
            raise ValueError(f"venue {unknown[0]!r} is not simulated; choose from {', '.join(VENUES)}")
        self.host, self.port = host, port
        self.clock = Clock(clock_offset_ms)
        self.statistics = WireStatistics()
        listed = [account_of(text) for text in (STANDING_ACCOUNT, *accounts)]
        self.accounts = {account.key: account for account in listed}
        self.faults = Faults(faults, seed, self.clock)
        self.binance = BinanceVenue(self.accounts, self.statistics, self.clock, binance, self.faults)
        self.makers = [MarketMaker(service.market, seed) for service in self.binance.services]
        self.pacer = Pacer(tick_rate)
        self.replays = [Replay(text, self.binance, self.makers, replay_rate) for text in replay]

    async def start(self) -> None:
        await self.binance.start(self.host, self.port, self._control)
        self.faults.start()
        replayed = {symbol for replay in self.replays for symbol in replay.symbols}
        self.pacer.start(asyncio.get_running_loop(), [
            walk for maker in self.makers for symbol, walk in maker.walks.items()
            if (maker.market.name, symbol) not in replayed])
        for replay in self.replays:
            replay.start(lambda walks: self.pacer.start(asyncio.get_running_loop(), walks))

    async def stop(self) -> None:
        for one in (self.faults, self.pacer, *self.replays):
            one.stop()
        await self.binance.stop()

    def endpoints(self) -> dict[str, dict[str, str]]:
        """The tables of the endpoints file, e.g. `endpoints()["binance.spot"]["rest"]`."""
        return self.binance.endpoints()

    def _control(self, method: str, path: str, body: bytes = b"") -> web.Response:
        """GET /sim/v1/statistics, POST /sim/v1/statistics/reset; GET /sim/v1/faults, and POST to replace them."""
        if (method, path) == ("GET", "/sim/v1/statistics"):
            answer = self.statistics.summary()
        elif (method, path) == ("POST", "/sim/v1/statistics/reset"):
            self.statistics.reset()
            answer = {}
        elif path == "/sim/v1/faults" and method in ("GET", "POST"):
            try:
                if method == "POST":
                    self.faults.load(f"{body.decode()}\n")
            except (FaultError, UnicodeDecodeError) as error:
                return web.Response(status=400, text=f"{error}\n")
            answer = self.faults.summary()
        else:
            return web.Response(status=404, text=f"no {method} {path} here\n")
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


def run(venues: Sequence[str] = VENUES, endpoints_file: str | Path | None = None, *, seed: int | str = 1,
        tick_rate: float = DEFAULT_TICK_RATE, accounts: Sequence[str] = (), host: str = "127.0.0.1", port: int = 0,
        replay: Sequence[str] = (), replay_rate: float | None = None, parent: int | None = None, faults: str | Path = (),
        binance: BinanceOptions | None = None, announce=print) -> None:
    """Serve until SIGINT or SIGTERM, or until the process `parent` is no longer this one's parent."""
    import uvloop

    async def serve() -> None:
        venue = SimulatedVenue(venues, host=host, port=port, seed=seed, tick_rate=tick_rate, accounts=accounts,
                               replay=replay, replay_rate=replay_rate, binance=binance, faults=faults)
        await venue.start()
        try:
            if endpoints_file is not None:
                write(endpoints_file, venue.endpoints())
            if announce is not None:
                announce(to_toml(venue.endpoints()), flush=True)
            gc.freeze()  # what start-up made stays; later collections look only at what came since
            await _until_told(parent)
        finally:
            await venue.stop()

    uvloop.run(serve())


async def _until_told(parent: int | None) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    while not told.is_set():
        if parent is not None and os.getppid() != parent:
            return
        try:
            await asyncio.wait_for(told.wait(), 0.5)
        except TimeoutError:
            continue
