"""The simulated venues in one process: accounts, statistics, market makers, and the control address.

`SimulatedVenue` is for embedding (an asyncio or uvloop loop must run); `run` is the command. A venue is a class of
`sim/<venue>/venue.py`:

    X(accounts, statistics, clock, options)    `accounts` are its own; `options` may be None
    services      each has the `market` that a market maker drives
    ports         how many it listens on
    start(host, port, tls), stop(), endpoints()     port 0: any free ones; tls: an ssl.SSLContext, or None
    connections   its Connections: through them faults reach its WebSockets, and its REST server through `connections.faults`
    fault_actions may be left out: what it does when a timed fault is due, by kind; callables that take the rule
"""

import asyncio
import gc
import importlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nexus_fast.sim.account import Account
from nexus_fast.sim.binance.signing import load_public_key
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.control import ControlServer
from nexus_fast.sim.endpoints import to_toml, write
from nexus_fast.sim.faults import Faults
from nexus_fast.sim.market_maker import MarketMaker, Pacer
from nexus_fast.sim.replay import Replay
from nexus_fast.sim.wire_statistics import WireStatistics

VENUES = {"binance": "BinanceVenue", "bybit": "BybitVenue", "okx": "OkxVenue"}
STANDING_ACCOUNT = "sim:sim:sim"
DEFAULT_TICK_RATE = 20.0
ALL = "all"                      # in the place of the venues' names
PRICES = ("walk", "stand")


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

    `venues`: names of VENUES, or "all" alone. `tick_rate`: steps of the market maker per second and symbol (0: books stand
    still). `prices`: they "walk", or "stand" while quantities change. `seed`: of the market maker.
    `accounts`: more accounts beside the standing one, as `account_of` takes them. `replay`: recordings that replace
    the market maker of their symbols. `options`: by venue, e.g. binance=BinanceOptions(…). Every venue is an attribute.
    `faults`: a script of faults as a file, a text or a list of tables (nexus_fast.sim.faults), with the same seed;
    `self.faults.load` replaces them. `tls`: the venues speak TLS, with a certificate made for this run;
    `endpoints()["sim"]["ca"]` is the file of its authority, until `stop`.
    """

    def __init__(self, venues: Sequence[str] = ("binance",), *, host: str = "127.0.0.1", port: int = 0, seed: int | str = 1,
                 tick_rate: float = DEFAULT_TICK_RATE, prices: str = "walk", accounts: Sequence[str] = (),
                 replay: Sequence[str] = (), replay_rate: float | None = None, clock_offset_ms: int = 0,
                 faults: str | Path | Sequence[Mapping] = (), tls: bool = False, **options: Any):
        venues = tuple(VENUES) if tuple(venues) == (ALL,) else venues
        unknown = [name for name in (*venues, *options) if name not in VENUES]
        if unknown:
            raise ValueError(f"venue {unknown[0]!r} is not simulated; choose from {', '.join(VENUES)}")
        self.host, self.port, self._tls = host, port, tls
        self._certificates: Any = None
        self.clock = Clock(clock_offset_ms)
        self.statistics = WireStatistics()
        self.faults = Faults(faults, seed, self.clock)
        self.venues = {name: self._venue(name, accounts, options.get(name)) for name in venues}
        self.makers = [MarketMaker(service.market, seed) for venue in self.venues.values() for service in venue.services]
        self.prices(prices)
        self.pacer = Pacer(tick_rate)
        if replay and "binance" not in self.venues:
            raise ValueError("recordings are replayed by the simulated Binance; add it to the venues")
        self.replays = [Replay(text, self.binance, self.makers, replay_rate) for text in replay]
        self._control = ControlServer({
            ("GET", "/sim/v1/statistics"): lambda body: self.statistics.summary(),
            ("POST", "/sim/v1/statistics/reset"): lambda body: self.statistics.reset(),
            ("POST", "/sim/v1/prices"): lambda body: self.prices(body.decode()),
            ("GET", "/sim/v1/faults"): lambda body: self.faults.summary(),
            ("POST", "/sim/v1/faults"): lambda body: self.faults.load(f"{body.decode()}\n"),
        })

    def prices(self, what: str) -> None:
        """Prices "walk", or "stand" where they are."""
        if what not in PRICES:
            raise ValueError(f"prices {what!r}: choose from {', '.join(PRICES)}")
        for maker in self.makers:
            maker.stand(what == "stand")

    def _venue(self, name: str, accounts: Sequence[str], options: Any) -> Any:
        listed = [account_of(text) for text in (STANDING_ACCOUNT, *accounts)]
        module = importlib.import_module(f"nexus_fast.sim.{name}.venue")
        venue = getattr(module, VENUES[name])({account.key: account for account in listed}, self.statistics, self.clock, options)
        self.faults.serve(venue)
        setattr(self, name, venue)
        return venue

    async def start(self) -> None:
        """On free ports, or on consecutive ones from `port`: the control address, then the venues in their order."""
        if self._tls:
            from nexus_fast.sim.certificates import Certificates

            self._certificates = Certificates(self.host)
        port = self.port
        await self._control.start(self.host, port)
        port += 1 if port else 0
        for venue in self.venues.values():
            await venue.start(self.host, port, self._certificates and self._certificates.context)
            port += venue.ports if port else 0
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
        for venue in self.venues.values():
            await venue.stop()
        await self._control.stop()
        if self._certificates is not None:
            self._certificates.remove()

    def endpoints(self) -> dict[str, dict[str, str]]:
        """The tables of the endpoints file, e.g. `endpoints()["binance.spot"]["rest"]`."""
        tables: dict[str, dict[str, str]] = {}
        for venue in self.venues.values():
            tables.update(venue.endpoints())
        own = {"control": self._control.url, "account": STANDING_ACCOUNT}
        if self._certificates is not None:
            own["ca"] = str(self._certificates.authority)
        return {**tables, "sim": own}


def run(venues: Sequence[str] = ("binance",), endpoints_file: str | Path | None = None, *, seed: int | str = 1,
        tick_rate: float = DEFAULT_TICK_RATE, prices: str = "walk", accounts: Sequence[str] = (), host: str = "127.0.0.1",
        port: int = 0, replay: Sequence[str] = (), replay_rate: float | None = None, parent: int | None = None, announce=print,
        faults: str | Path = (), tls: bool = False, **options: Any) -> None:
    """Serve until SIGINT or SIGTERM, or until the process `parent` is no longer this one's parent."""
    import uvloop

    async def serve() -> None:
        venue = SimulatedVenue(venues, host=host, port=port, seed=seed, tick_rate=tick_rate, prices=prices, accounts=accounts,
                               replay=replay, replay_rate=replay_rate, faults=faults, tls=tls, **options)
        try:
            await venue.start()
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
            async with asyncio.timeout(0.5):
                await told.wait()
        except TimeoutError:
            continue
