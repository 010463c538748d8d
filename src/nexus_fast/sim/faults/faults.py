"""The faults of one simulator: which rules hold now, what they do to a message, and what happens by the clock.

Connections and REST servers of every venue ask here while `active` is set, and only then.
"""

import asyncio
import dataclasses
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nexus_fast.sim.faults.replica import Replica
from nexus_fast.sim.faults.rules import FROM_CLIENT, TIMED, Rule, read_rules
from nexus_fast.sim.faults.wire import Wire

BEAT_SECONDS = 0.02


class Faults:
    """`clock` is the venues' (its offset can be shifted). `serve` takes a venue in."""

    def __init__(self, source: str | Path | Sequence[Mapping] = (), seed: int | str = 1, clock: Any = None,
                 monotonic: Callable[[], float] = time.monotonic):
        self.seed = seed
        self.clock = clock
        self.actions: dict[str, list[Callable[[Rule], None]]] = {}
        self.accounts: dict[str, Mapping[str, Any]] = {}
        self.rules: list[Rule] = []
        self.active = False
        self.wires: weakref.WeakSet = weakref.WeakSet()
        self.replica = Replica(monotonic)
        self._monotonic = monotonic
        self._began = monotonic()
        self._task: asyncio.Task | None = None
        self.load(source)

    def load(self, source: str | Path | Sequence[Mapping]) -> list[dict]:
        """Replace all rules; the time of `after` and `until` begins anew. Raises FaultError, then nothing changes.
        Returns the summary of the new ones."""
        rules = read_rules(source, self.seed)
        for rule in self.rules:
            if rule.kind == "clock":
                self._shift_clock(rule, False)
        for wire in list(self.wires):
            wire.heal()
        self.rules = rules
        self.replica = Replica(self._monotonic)
        self._began = self._monotonic()
        self.active = bool(rules)
        self.beat()
        return self.summary()

    def serve(self, venue: Any) -> None:
        """From now on faults happen at this venue: a class of sim/<venue>/venue.py, before it is started."""
        venue.connections.venue, venue.connections.faults = venue.name, self
        self.accounts[venue.name] = venue.accounts
        for kind, action in {"shutdown": venue.connections.announce_end, **getattr(venue, "fault_actions", {})}.items():
            self.actions.setdefault(kind, []).append(action)

    def seconds(self) -> float:
        return self._monotonic() - self._began

    def firing(self, venue: str, connections: Sequence[str], names: Sequence[str], account: str, way: str) -> Iterable[Rule]:
        """The rules that strike this message, in the script's order. A silent subscription is the wire's to decide."""
        now = self.seconds()
        for rule in self.rules:
            if rule.kind in TIMED or not rule.fits(venue, connections, names, account, way, now):
                continue
            if rule.kind == "silent" or rule.fires():
                yield rule

    def refuses(self, venue: str, connection: str) -> bool:
        """Whether a new connection is turned away."""
        return self.active and any(
            rule.kind == "refuse" for rule in self.firing(venue, (connection,), ("connect",), "", FROM_CLIENT))

    # ------------------------------------------------------------------------------------------ WebSocket connections

    def send(self, connection: Any, payload: bytes) -> None:
        self._wire(connection).send(payload)

    def receive(self, connection: Any, payload: bytes, handle: Callable[[bytes], None]) -> None:
        self._wire(connection).receive(payload, handle)

    def is_deaf(self, connection: Any) -> bool:
        return connection.wire is not None and connection.wire.deaf

    def _wire(self, connection: Any) -> Wire:
        if connection.wire is None:
            connection.wire = Wire(self, connection)
            self.wires.add(connection.wire)
        return connection.wire

    # ------------------------------------------------------------------------------------------ lagging answers

    def hear(self, venue: str, key: str) -> None:
        """A request of this account: copies for a lagging replica begin here."""
        account = self.accounts.get(venue, {}).get(key)
        if account is not None and any(rule.kind == "stale" for rule in self.rules):
            self.replica.hear(account)

    def seen_by_replica(self, account: Any, rule: Rule) -> Any:
        """The account as a stale answer shows it."""
        if not rule["absent"]:
            return self.replica.as_of(account, rule["ms"])
        return dataclasses.replace(account, stores={})

    # ------------------------------------------------------------------------------------------ by the clock

    def start(self) -> None:
        """Begin to look at the time; needs a running loop."""
        self._began = self._monotonic()
        self._task = asyncio.get_running_loop().create_task(self._keep_beating())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            self.beat()

    def beat(self) -> None:
        now = self.seconds()
        for rule in self.rules:
            if rule.kind == "stale":
                self.replica.sample_all()
            elif rule.kind == "clock":
                until = rule.place["until"]
                self._shift_clock(rule, now >= rule.place["after"] and (until is None or now < until))
            elif rule.kind in TIMED and not rule.applied and now >= rule.place["after"]:
                rule.applied += 1
                for action in self.actions.get(rule.kind, ()):
                    action(rule)

    def _shift_clock(self, rule: Rule, wanted: bool) -> None:
        if self.clock is not None and wanted != rule.state.get("shifted", False):
            rule.state["shifted"] = wanted
            rule.applied += wanted
            self.clock.offset_ms += rule["offset_ms"] if wanted else -rule["offset_ms"]

    # ------------------------------------------------------------------------------------------ control

    def summary(self) -> list[dict]:
        return [rule.summary() for rule in self.rules]


NONE = Faults()
