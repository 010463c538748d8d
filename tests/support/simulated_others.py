"""Bybit and OKX in simulated time: what `Truth` of simulated_run is for Binance, for scenarios that ask little of the inside."""

from simulated_run import nested

from nexus_fast.sim.bybit.venue import BybitOptions
from nexus_fast.sim.okx.venue import OkxOptions
from nexus_fast.sim.server import SimulatedVenue


class OtherVenues:
    """A simulated Bybit or OKX. limit_factor: of its limits of orders, 1 are the venue's own."""

    def __init__(self, name, seed=1, tick_rate=20, faults=(), limit_factor=1000):
        self.key, self.secret, self.directory = "sim", "sim", None
        self.venue = SimulatedVenue((name,), seed=seed, tick_rate=tick_rate, bybit=BybitOptions(order_limit_factor=limit_factor),
                                    okx=OkxOptions(limit_factor=limit_factor))
        self.faults = self.venue.faults
        self._rules = faults
        self.venues = ()                 # a scenario names its connectors

    async def start(self):
        await self.venue.start()
        self.endpoints = nested(self.venue.endpoints())
        self.faults.load(self._rules)

    async def stop(self):
        await self.venue.stop()
