"""What a venue's answer to a request means for the order. Each venue's outcomes.py turns its codes into a Verdict.

Unknown is an answer like any other: silence, a 5xx, a cut connection after the send. Only proof leads out of it: the
account's own stream, or a query. An order of unknown outcome is never sent again blindly.
"""

from enum import Enum
from typing import Literal

from msgspec import Struct

Request = Literal["place", "cancel", "modify", "query"]


class Outcome(Enum):
    ACCEPTED = "accepted"               # the venue did it
    REFUSED = "refused"                 # definitely not done: the request left no trace
    UNKNOWN = "unknown"                 # it may have been done
    DUPLICATE = "duplicate"             # place: an order of this id lives; the proof that an earlier try arrived
    NO_SUCH_ORDER = "no such order"     # cancel, modify, query: over already, or not arrived yet


class Verdict(Struct, frozen=True):
    """pause_ms: how long this kind of request should rest now. resync_clock: the request's time was refused.
    rate_limited: a limit was hit. session_lost: the key was revoked or the session ended; stop trading on it.
    filtered: refused for a tick, lot, minimum, maximum or notional, or because the symbol is not traded."""

    outcome: Outcome
    reason: str = ""
    pause_ms: int = 0
    resync_clock: bool = False
    rate_limited: bool = False
    session_lost: bool = False
    filtered: bool = False
