"""Disconnection protection: when the last connection that kept a product alive is gone for long enough, the account's orders
of that product are cancelled."""

from time import monotonic

from nexus_fast.sim.bybit.errors import SPOT
from nexus_fast.sim.bybit.requests import Exchange
from nexus_fast.sim.bybit.wallet import Member


class DeadConnections:
    """Looks once a second. A product is watched from when a connection with its dcp topic was first seen."""

    def __init__(self, exchange: Exchange):
        self.exchange = exchange
        self._alive: dict[tuple[str, str], float] = {}  # (account key, topic) -> when last seen alive

    def look(self) -> None:
        now = monotonic()
        for member in self.exchange.members.values():
            if not member.dcp_seconds:
                continue
            key = member.account.key
            for connection in self.exchange.events.connections.get(key, ()):
                for topic in connection.protected:
                    self._alive[key, topic] = now
            for topic, seconds in member.dcp_seconds.items():
                if now - self._alive.get((key, topic), now) >= seconds:
                    del self._alive[key, topic]
                    self._cancel(member, topic)

    def _cancel(self, member: Member, topic: str) -> None:
        for market in self.exchange.markets.values():
            if (market.name == SPOT) != (topic == "dcp.spot") or topic == "dcp.option":
                continue
            for order in list(market.orders_of(member.account).open.values()):
                if order.is_open:
                    market.cancel_for(order, "CancelByDCP")
            market.flush()
