"""Sessions out of a journal: each replayed into an order table, and held against what the journal itself says of it.

A session (epoch) begins with what was left by those before it, written down again, so that no more than the last one has to
be read at a start; more only where that one is damaged. It ends with a digest of its table, unless the process was killed.
"""

from dataclasses import dataclass, field

from nexus_fast.core.types import unpack
from nexus_fast.journal.files import journal_files
from nexus_fast.journal.reader import JournalReader
from nexus_fast.order.ledger import digest
from nexus_fast.order.past import Past
from nexus_fast.order.replay import Replay


@dataclass
class Session:
    """One epoch. `torn`: as the reader's. `problems` says in words where the journal contradicts itself; empty when all is
    well."""

    epoch: int
    replay: Replay
    torn: list = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ended_cleanly(self):
        return self.replay.digest is not None

    @property
    def damage(self):
        """The torn places behind which, or in which, something may have stood that nobody here knows. The last record alone is
        none: its order is not sent before the next one, or is asked about."""
        return [torn for torn in self.torn if not torn.last]


def replay_epoch(directory, epoch):
    """Raises JournalError for files of another version."""
    reader = JournalReader(directory, epoch)
    replay = Replay()
    for _, records in reader.blocks(until_epoch=epoch + 1):
        if records is None:
            replay.hole()
        else:
            replay.read(records)
    return Session(epoch, replay, reader.torn)


def last_sessions(directory, before_epoch):
    """Those that tell what is left, newest first: the newest that had begun, and where its beginning is not whole those before.
    One that ended while it began has done nothing yet."""
    found = []
    epochs = {epoch for epoch, _, _ in journal_files(directory) if epoch < before_epoch}
    for epoch in sorted(epochs, reverse=True):
        session = replay_epoch(directory, epoch)
        if session.replay.begun or session.damage:
            found.append(session)
        if session.replay.taken_over():
            break
    return found


@dataclass
class Left:
    """What was not over, or not told, at the end of the last sessions. orders: (replay, number). left_out: (record,
    fills, symbol, account), as Replay.left_out.
    keys: as Replay.held_keys(). missing: client ids of orders that no record tells of, and that may have been sent."""

    sessions: list[Session]
    orders: list[tuple[Replay, int]] = field(default_factory=list)
    left_out: list[tuple[bytes, Past, str | None, str | None]] = field(default_factory=list)
    keys: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def what_is_left(directory, before_epoch):
    """Of two sessions that name an order or a key, the newer one is right."""
    left = Left(last_sessions(directory, before_epoch))
    newer = []
    for session in left.sessions:
        _add(left, session.replay, newer)
        newer.append(session.replay)
    return left


def _add(left, replay, newer):
    for number in replay.left_orders():
        if not _is_known(replay.client_id(number), newer):
            left.orders.append((replay, number))
    for record, symbol, account in replay.left_out:
        if not _is_known(_client_id(record), newer):
            left.left_out.append((record, _past_outside(replay, record), symbol, account))
    left.missing += replay.missing.values()
    for key, (oid, state, at) in replay.held_keys().items():
        fate = next((fate for one in newer if (fate := one.fate(oid))), None)
        if any(key in one.noted_keys for one in newer) or (fate and fate[0] == "FAILED" and not fate[2]):
            continue
        if fate and fate[0] in ("FILLED", "CANCELED", "EXPIRED", "FAILED"):
            state, at = fate[:2]
        left.keys[key] = (oid, state, at)


def _past_outside(replay, record):
    """What was executed counts as told where the session does not say what was."""
    order = unpack("order_event", record)
    return replay.past_outside(order.client_id) if replay.notes_told else Past(told=order.filled)


def _is_known(client_id, replays):
    return any(client_id in replay.carried or replay.fate(client_id) for replay in replays)


def _client_id(record):
    return unpack("order_event", record).client_id


def verify(directory):
    """Every session of a journal, oldest first, with its problems."""
    before = None
    for epoch in sorted({epoch for epoch, _, _ in journal_files(directory)}):
        session = replay_epoch(directory, epoch)
        replay = session.replay
        session.problems += [str(torn) for torn in session.torn if not torn.unfinished]
        session.problems += replay.differences
        if replay.table is None and replay.records:
            session.problems.append("no record says that a session begins")
        if session.ended_cleanly and not replay.holes and replay.digest != digest(replay.table.dump()):
            session.problems.append(f"the replayed table is not the one with which the engine ended{_lost(replay)}")
        if before is not None and replay.begun:
            session.problems += _not_carried(before, replay)
        if replay.begun:
            before = session
        yield session


def _lost(replay):
    return f"; {replay.refused} events found no room in the journal" if replay.refused else ""


def _not_carried(before, replay):
    """Orders that were not over, and keys that were held, at the end of one session and are not in the next."""
    live = {before.replay.client_id(number) for number in before.replay.open_orders()}
    live |= {_client_id(record) for record, _, _ in before.replay.left_out}
    untold = {before.replay.client_id(number) for number in before.replay.left_orders()} - live
    texts = [f"order {name} was not over at the end of epoch {before.epoch} and is not carried over"
             for name in sorted(live - replay.carried)]
    texts += [f"of order {name} a fill was not told at the end of epoch {before.epoch}, and it is not carried over"
              for name in sorted(untold - replay.carried)]
    since = replay.keys_since_ns or 1 << 63                 # a version before this one did not say
    held = {key for key, (_, state, at) in before.replay.held_keys().items() if not state or at >= since}
    missing = sorted(held - replay.noted_keys)
    if missing:
        texts.append(f"{len(missing)} idempotency keys were held at the end of epoch {before.epoch} and are not carried over: "
                     f"{', '.join(map(repr, missing[:5]))}{', …' if len(missing) > 5 else ''}")
    return texts
