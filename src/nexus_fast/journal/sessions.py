"""Sessions out of a journal: each replayed into an order table, and held against what the journal itself says of it.

A session (epoch) begins with what was left by those before it, written down again, so that no more than the last one has to
be read at a start. It ends with a digest of its table, unless the process was killed.
"""

from dataclasses import dataclass, field

from nexus_fast.journal.files import journal_files
from nexus_fast.journal.reader import JournalReader
from nexus_fast.order.ledger import digest
from nexus_fast.order.replay import Replay


@dataclass
class Session:
    """One epoch. `problems` says in words where the journal contradicts itself; empty when all is well."""

    epoch: int
    replay: Replay
    torn: list = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ended_cleanly(self):
        return self.replay.digest is not None


def replay_epoch(directory, epoch):
    """Raises JournalError for files of another version."""
    reader = JournalReader(directory, epoch)
    replay = Replay()
    for _, records in reader.blocks(until_epoch=epoch + 1):
        replay.read(records)
    return Session(epoch, replay, reader.torn)


def last_session(directory, before_epoch):
    """The newest session that had begun; None when there is none. One that ended while it began has done nothing yet."""
    epochs = {epoch for epoch, _, _ in journal_files(directory) if epoch < before_epoch}
    for epoch in sorted(epochs, reverse=True):
        session = replay_epoch(directory, epoch)
        if session.replay.begun:
            return session
    return None


def verify(directory):
    """Every session of a journal, oldest first, with its problems."""
    before = None
    for epoch in sorted({epoch for epoch, _, _ in journal_files(directory)}):
        session = replay_epoch(directory, epoch)
        replay = session.replay
        session.problems += [str(torn) for torn in session.torn if not _is_last(torn)]
        session.problems += replay.differences
        if replay.table is None and replay.records:
            session.problems.append("no record says that a session begins")
        if session.ended_cleanly and replay.digest != digest(replay.table.dump()):
            session.problems.append(f"the replayed table is not the one with which the engine ended{_lost(replay)}")
        if before is not None and replay.begun:
            session.problems += _not_carried(before, replay)
        if replay.begun:
            before = session
        yield session


def _is_last(torn):
    """A record that a loss of power cut is no contradiction: it was never acted on."""
    return torn.bytes_after == 0


def _lost(replay):
    return f"; {replay.refused} events found no room in the journal" if replay.refused else ""


def _not_carried(before, replay):
    """Orders that were not over at the end of one session and are not in the next."""
    left = {before.replay.client_id(number) for number in before.replay.open_orders()}
    missing = left - replay.carried
    return [f"order {name} was not over at the end of epoch {before.epoch} and is not carried over" for name in sorted(missing)]
