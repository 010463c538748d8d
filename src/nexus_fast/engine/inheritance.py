"""What earlier sessions left: read from their journal at start, and written down in this session's.

Orders that were not over, or of which a fill was not told, become orders of this session under their old client ids. Those on an
account or a symbol that this configuration does not have stay in the journal, for a session that has them. Idempotency keys hold
until their orders would be forgotten. A journal that is damaged is read around its holes once a person has accepted them: what
stood there is unknown, so an order of which only the key is left holds its key, and all others are asked about as ever.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nexus_fast.core.types import unpack
from nexus_fast.journal.decision import refuse_undecided
from nexus_fast.journal.sessions import Left, what_is_left
from nexus_fast.order.past import Past

logger = logging.getLogger("nexus_fast.engine")


@dataclass
class Inheritance:
    """orders: number here -> its fills so far. keys: as Replay.held_keys(), with
    UNKNOWN for an order of which there is no record. client_ids: of all orders, those that are left out too."""

    orders: dict[int, Past] = field(default_factory=dict)
    keys: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    client_ids: set[str] = field(default_factory=set)
    left_out: int = 0


def read_left(directory: Path, before_epoch: int) -> Left:
    """What the sessions before this one left. Raises JournalError for a damaged journal about which nobody has decided."""
    left = what_is_left(directory, before_epoch)
    refuse_undecided(directory, left.sessions)
    for session in left.sessions:
        for problem in (*session.torn, *session.replay.differences):
            logger.error("the journal of an earlier session (epoch %d): %s", session.epoch, problem)
    if left.missing:
        names = ", ".join(left.missing[:20])
        logger.error("no record is left of %d orders that may have been sent: %s", len(left.missing), names)
    return left


def inherit(
    core: Any, left: Left, accounts: Sequence[str], strategies: Sequence[str], key_seconds: int, adopt: bool
) -> Inheritance:
    """adopt: False leaves every order out. Raises JournalError when the journal has no room for all of it."""
    ledger = core.ledger
    for kind, names in (("account", accounts), ("strategy", strategies)):
        for number, name in enumerate(names):
            ledger.name(kind, number, name)
    found = Inheritance()
    for replay, number in left.orders:
        symbol, account, strategy = replay.names(number)
        place = _place(core, accounts, symbol, account) if adopt else None
        _take(ledger, found, replay.record(number), replay.past(number), place, symbol, account,
              strategies.index(strategy) if strategy in strategies else 0)
    for record, past, symbol, account in left.left_out:
        place = _place(core, accounts, symbol, account) if adopt else None
        _take(ledger, found, record, past, place, symbol, account, 0)
    now = time.time_ns()
    since = now - key_seconds * 1_000_000_000
    for key, (oid, state, at) in left.keys.items():
        if not state and oid not in found.client_ids:
            state, at = "UNKNOWN", now
        if not state or at >= since:
            found.keys[key] = (oid, state, at)
            ledger.carry_key(key, oid, state, at)
    ledger.begun(since)
    return found


def _place(core: Any, accounts: Sequence[str], symbol: str | None, account: str | None) -> tuple[int, int] | None:
    """(symbol id, account index) here."""
    if symbol not in core.symbol_ids or account not in accounts:
        return None
    return core.symbol_ids[symbol], accounts.index(account)


def _take(
    ledger: Any,
    found: Inheritance,
    record: bytes,
    past: Past,
    place: tuple[int, int] | None,
    symbol: str | None,
    account: str | None,
    strategy: int,
) -> None:
    found.client_ids.add(unpack("order_event", record).client_id)
    if place is None:
        found.left_out += 1
        ledger.leave_out(record, past, symbol or "", account or "")
        return
    ledger.name("symbol", place[0], symbol)
    number = ledger.carry(record, past, *place, strategy)
    found.orders[number] = past
