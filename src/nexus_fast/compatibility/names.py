"""Small names that NexusTrader's programs import and that nexus_fast has no other use for."""

import uuid
from dataclasses import dataclass


@dataclass
class RateLimit:
    """Accepted; the engine counts the venue's own limits."""

    max_rate: float
    time_period: float = 60


class TraderId(str):
    __slots__ = ()


class UUID4:
    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = str(uuid.uuid4())

    def __repr__(self) -> str:
        return f"UUID4('{self.value}')"

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UUID4) and self.value == other.value
