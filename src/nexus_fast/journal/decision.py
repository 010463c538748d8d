"""A person's decision about a damaged journal: which damage a start may go on with.

    00000003.accepted       beside the files of epoch 3: a line for each place, as a Torn is written
"""

from pathlib import Path

from nexus_fast.journal.error import JournalError
from nexus_fast.private import replace_file


def undecided(directory, sessions):
    """Damage of these sessions that nobody has accepted."""
    return [torn for session in sessions for torn in session.damage if str(torn) not in _accepted(directory, session.epoch)]


def refuse_undecided(directory, sessions):
    """Raises JournalError when there is some: what stood there, nobody can tell from the journal, and an order or an idempotency
    key that is missing could be placed again."""
    found = undecided(directory, sessions)
    if found:
        more = f" and {len(found) - 3} more places" if len(found) > 3 else ""
        raise JournalError(
            f"the journal in {directory} is damaged: {'; '.join(map(str, found[:3]))}{more}. Orders and idempotency keys "
            f"may have stood there. Look at what `nexus-fast journal verify {directory}` says and at the venue's orders; "
            f"`nexus-fast journal accept {directory}` then lets a start go on with every record that is whole."
        )


def accept(directory, sessions):
    """Written down, and on the disk when this returns. The places that were new."""
    found = undecided(directory, sessions)
    for session in sessions:
        lines = _accepted(directory, session.epoch) | {str(torn) for torn in session.damage}
        if lines and any(torn in found for torn in session.damage):
            replace_file(_file(directory, session.epoch), "".join(f"{line}\n" for line in sorted(lines)))
    return found


def _file(directory, epoch):
    return Path(directory) / f"{epoch:08d}.accepted"


def _accepted(directory, epoch):
    file = _file(directory, epoch)
    return set(file.read_text(encoding="utf-8").splitlines()) if file.exists() else set()
