"""What can go wrong with a journal."""


class JournalError(RuntimeError):
    """The journal could not be opened or read."""


class JournalBusy(JournalError):
    """Another live process has the journal's directory."""
