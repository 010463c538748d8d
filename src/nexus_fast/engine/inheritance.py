"""What earlier sessions left: read from their journal at start, and written down in this session's.

Orders that were not over become orders of this session under their old client ids. Those on an account or a symbol that this
configuration does not have stay in the journal, for a session that has them. Idempotency keys hold until their orders would be
forgotten.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nexus_fast.journal.sessions import last_session

logger = logging.getLogger("nexus_fast.engine")


@dataclass
class Inheritance:
    """orders: number here -> its fills so far, {trade id: (price, quantity)} in mantissas. keys: as Replay.held_keys()."""

    orders: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)
    keys: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    left_out: int = 0


def inherit(
    core: Any, directory: Path, accounts: Sequence[str], strategies: Sequence[str], key_seconds: int, adopt: bool
) -> Inheritance:
    """adopt: False leaves every order out."""
    ledger = core.ledger
    for kind, names in (("account", accounts), ("strategy", strategies)):
        for number, name in enumerate(names):
            ledger.name(kind, number, name)
    found = Inheritance()
    session = last_session(directory, core.journal.epoch)
    if session is not None:
        replay = session.replay
        for problem in (*session.torn, *replay.differences):
            logger.error("the journal of the last session (epoch %d): %s", session.epoch, problem)
        for number in replay.open_orders():
            symbol, account, strategy = replay.names(number)
            place = _place(core, accounts, symbol, account) if adopt else None
            _take(ledger, found, replay.record(number), replay.trades.get(number, {}), place, symbol, account,
                  strategies.index(strategy) if strategy in strategies else 0)
        for record, symbol, account in replay.left_out:
            place = _place(core, accounts, symbol, account) if adopt else None
            _take(ledger, found, record, {}, place, symbol, account, 0)
        oldest = time.time_ns() - key_seconds * 1_000_000_000
        for key, (oid, state, at) in replay.held_keys().items():
            if not state or at >= oldest:
                found.keys[key] = (oid, state, at)
                ledger.key(key, oid, state, at)
    ledger.begun()
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
    trades: dict[int, tuple[int, int]],
    place: tuple[int, int] | None,
    symbol: str | None,
    account: str | None,
    strategy: int,
) -> None:
    if place is None:
        found.left_out += 1
        ledger.leave_out(record, symbol or "", account or "")
        return
    ledger.name("symbol", place[0], symbol)
    number = ledger.carry(record, trades, *place, strategy)
    found.orders[number] = trades
