"""The journal of order events: what was decided, on disk before it was sent."""

from nexus_fast.journal.error import JournalBusy, JournalError
from nexus_fast.journal.reader import read_journal, show

__all__ = ["JournalBusy", "JournalError", "read_journal", "show"]
