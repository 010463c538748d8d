"""Rules of a fault script: which keys a kind has, what they may hold, and how a file is read.

    [[fault]]
    kind = "drop"                # see KINDS
    connection = "order"         # where it applies: see PLACE
    match = "order.place"
    nth = 1

Everything is checked when it is read; a FaultError names the rule, the key and what is allowed.
"""

import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from nexus_fast.sim.faults.hostile import SPOILED

TO_CLIENT, FROM_CLIENT = "to_client", "from_client"
CONNECTIONS = ("rest", "stream", "user", "order", "any")
# What a fill is called: Binance's events with their execution type, Bybit's topics, OKX's channel.
FILLS = ("executionReport.TRADE", "ORDER_TRADE_UPDATE.TRADE", "TRADE_LITE", "execution", "execution.*", "orders.fill", "fills")


class FaultError(ValueError):
    """A fault script that cannot be used."""


@dataclass(frozen=True)
class Key:
    """One key of a rule: `kinds` its types, `words` the values it may have, `least` the smallest number."""

    kinds: tuple[type, ...]
    default: Any = None
    words: tuple = ()
    least: float | None = None

    def refusal(self, value: Any) -> str | None:
        """What is allowed, when the value is not."""
        if self.words:
            return None if value in self.words else "one of " + ", ".join(map(str, self.words))
        if isinstance(value, bool) and bool not in self.kinds or not isinstance(value, self.kinds):
            return "of type " + " or ".join(kind.__name__ for kind in self.kinds)
        if self.least is not None and isinstance(value, (int, float)) and value < self.least:
            return f"at least {self.least}"
        if isinstance(value, list) and not (value and all(isinstance(one, (str, int)) for one in value)):
            return "a list with something in it"
        return None


NUMBER = (int, float)
WAY = Key((str,), TO_CLIENT, (TO_CLIENT, FROM_CLIENT))
EXECUTE = Key((bool,), False)

# Where a rule applies; every kind has these.
PLACE = {
    "venue": Key((str,), "any"),
    "connection": Key((str,), "any", CONNECTIONS),
    "match": Key((str, list), "*"),
    "account": Key((str,), ""),
    "nth": Key((int, list), None, least=1),
    "times": Key((int,), None, least=1),
    "probability": Key(NUMBER, 1.0, least=0),
    "after": Key(NUMBER, 0.0, least=0),
    "until": Key(NUMBER, None, least=0),
}
KINDS: dict[str, dict[str, Key]] = {
    "drop": {"way": WAY},
    "delay": {"way": WAY, "ms": Key(NUMBER, 100, least=0), "jitter_ms": Key(NUMBER, 0, least=0)},
    "reorder": {"way": WAY, "ms": Key(NUMBER, 100, least=0), "jitter_ms": Key(NUMBER, 0, least=0)},
    "duplicate": {"way": WAY, "copies": Key((int,), 1, least=1), "ms": Key(NUMBER, 0, least=0)},
    "double_fill": {"copies": Key((int,), 1, least=1), "ms": Key(NUMBER, 0, least=0)},
    "answer": {"status": Key((int,), 500, least=200), "code": Key((int, str), None), "text": Key((str,), "injected fault"),
               "body": Key((str,), ""), "execute": EXECUTE, "retry_after": Key(NUMBER, None, least=0)},
    "ban": {"status": Key((int,), 429, (429, 418, 403)), "seconds": Key(NUMBER, 1.0, least=0)},
    "cut": {"way": WAY, "how": Key((str,), "reset", ("reset", "close")), "bytes": Key((int,), None, least=0),
            "execute": EXECUTE},
    "one_byte": {"pause_us": Key(NUMBER, 0, least=0)},
    "fragment": {"parts": Key((int,), 3, least=2), "pings": Key((bool,), True)},
    "half_open": {"way": WAY, "seconds": Key(NUMBER, None, least=0)},
    "refuse": {},
    "silent": {},
    "stale": {"ms": Key(NUMBER, 500, least=0), "absent": Key((bool,), False)},
    "wrong": {"what": Key((str,), "malformed", ("malformed", "truncated", "masked", "reserved", "opcode", "utf8", "oversized",
                                                "deflate", *SPOILED)), "instead": Key((bool,), True)},
    "clock": {"offset_ms": Key((int,), 1000)},
    "revoke_session": {},
    "expire_listen_keys": {"announce": Key((bool,), True)},
    "shutdown": {"seconds": Key(NUMBER, 1.0, least=0)},
}
# These happen at a time (`after`; a clock goes back at `until`), not to a message.
TIMED = ("clock", "expire_listen_keys", "shutdown")
# The others happen to requests, or to what is said to the client; where there is a choice, `way` is a key of the kind.
WAYS = dict.fromkeys(("answer", "ban", "stale", "refuse", "revoke_session"), FROM_CLIENT)
MOMENTS = ("venue", "after", "until", "account")


@dataclass
class Rule:
    """One fault with its own random generator: rules do not disturb each other's draws."""

    number: int
    kind: str
    place: dict[str, Any]
    parameters: dict[str, Any]
    chance: random.Random
    seen: int = 0
    applied: int = 0
    state: dict = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]

    def fits(self, venue: str, connections: Sequence[str], names: Sequence[str], account: str, way: str,
             seconds: float) -> bool:
        """Whether the rule is about such a message at this time; nothing is counted."""
        place = self.place
        if seconds < place["after"] or place["until"] is not None and seconds >= place["until"]:
            return False
        if place["venue"] not in ("any", venue) or place["connection"] != "any" and place["connection"] not in connections:
            return False
        if place["account"] and place["account"] != account:
            return False
        if way != (self.parameters.get("way") or WAYS.get(self.kind, TO_CLIENT)):
            return False
        return any(fnmatchcase(name, pattern) for pattern in place["match"] for name in names)

    def fires(self) -> bool:
        """Count one message that fits; whether the fault happens to it."""
        self.seen += 1
        place = self.place
        if place["nth"] is not None and self.seen not in place["nth"]:
            return False
        if place["times"] is not None and self.applied >= place["times"]:
            return False
        if place["probability"] < 1 and self.chance.random() >= place["probability"]:
            return False
        self.applied += 1
        return True

    def milliseconds(self) -> float:
        """The delay of one message."""
        return self["ms"] + (self.chance.uniform(0, self["jitter_ms"]) if self["jitter_ms"] else 0)

    def summary(self) -> dict:
        return {"rule": self.number, "kind": self.kind, "seen": self.seen, "applied": self.applied}


def read_rules(source: str | Path | Sequence[Mapping], seed: int | str = 1) -> list[Rule]:
    """Rules of a file, of a script's text (it holds a line break), or of a list of tables. Raises FaultError."""
    if isinstance(source, (str, Path)):
        tables = _tables(source)
    else:
        tables = source
    return [rule_of(number, table, seed) for number, table in enumerate(tables, start=1)]


def _tables(source: str | Path) -> Sequence[Mapping]:
    name = "the fault script" if isinstance(source, str) and ("\n" in source or not source) else str(source)
    try:
        text = source if name == "the fault script" else Path(source).read_text(encoding="utf-8")
        script = tomllib.loads(text)
    except OSError as error:
        raise FaultError(f"{name}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise FaultError(f"{name}: no TOML: {error}") from None
    unknown = sorted(set(script) - {"fault"})
    if unknown or not isinstance(script.get("fault", []), list):
        raise FaultError(f"{name}: key {(unknown or ['fault'])[0]!r}: a script is a list of [[fault]] tables")
    return script.get("fault", [])


def rule_of(number: int, table: Mapping, seed: int | str) -> Rule:
    """One checked rule. Its random generator depends on the seed and the rule's number alone."""
    if not isinstance(table, Mapping):
        raise FaultError(f"rule {number}: a table is expected, not {table!r}")
    kind = table.get("kind")
    if kind not in KINDS:
        raise FaultError(f"rule {number}: kind = {kind!r}; allowed: {', '.join(KINDS)}")
    place = {name: PLACE[name] for name in (MOMENTS if kind in TIMED else PLACE)}
    allowed = {**place, **KINDS[kind]}
    for name, value in table.items():
        if name == "kind":
            continue
        if name not in allowed:
            raise FaultError(f"rule {number} ({kind}): key {name!r}; allowed: {', '.join(sorted(allowed))}")
        refusal = allowed[name].refusal(value)
        if refusal is not None:
            raise FaultError(f"rule {number} ({kind}): {name} = {value!r}; allowed: {refusal}")
    where = {name: table.get(name, key.default) for name, key in PLACE.items()}
    if "match" not in table and kind == "double_fill":
        where["match"] = list(FILLS)
    for name in ("match", "nth"):
        if where[name] is not None and not isinstance(where[name], list):
            where[name] = [where[name]]
    parameters = {name: table.get(name, key.default) for name, key in KINDS[kind].items()}
    return Rule(number, kind, where, parameters, random.Random(f"{seed}/{number}"))
