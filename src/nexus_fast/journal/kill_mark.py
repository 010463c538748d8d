"""The mark that a kill switch leaves beside the journal: as long as it is there, nothing starts with these ids.

The end of a process is no reason to trade again, and a supervisor that restarts it is no person. `nexus-fast journal clear-kill`
takes the mark away.

    KILLED    {"time": ISO 8601, "by": "engine" or "guard", "reason": text, "pid": of who wrote it, "confirmed": bool}

confirmed: the venues have said since that no order is open. What was taken away stays as KILLED.cleared, with the journal's epoch
up to which a person has looked at the accounts.
"""

import json
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from nexus_fast.journal.files import journal_files
from nexus_fast.private import make_folder, replace_file, settle

NAME, CLEARED = "KILLED", "KILLED.cleared"


@dataclass(frozen=True)
class Kill:
    time: str
    by: str
    reason: str
    pid: int
    confirmed: bool = False
    epoch: int = 0

    def __str__(self) -> str:
        return f"pressed at {self.time} by the {self.by} ({self.reason})"


class KillMark:
    """`directory`: of the journal. Whatever is wrong with the file's text, a file that is there is a mark."""

    def __init__(self, directory: Path):
        self.path = Path(directory) / NAME

    def exists(self) -> bool:
        return self.path.exists()

    def read(self) -> Kill | None:
        return _read(self.path)

    def is_settled(self) -> bool:
        """Whether somebody has seen to it that nothing is open of what the journal has: the kill switch, or a person since."""
        kill, cleared = self.read(), _read(self.path.with_name(CLEARED))
        return (kill is not None and kill.confirmed) or (cleared is not None and cleared.epoch >= self._newest_epoch())

    def write(self, by: str, reason: str) -> None:
        """On the disk when it returns. The first one stays. Raises OSError."""
        make_folder(self.path.parent)
        if not self.exists():
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            _put(self.path, Kill(now, by, reason, os.getpid()))

    def confirm(self) -> None:
        """The venues say that no order is open. Raises OSError."""
        kill = self.read()
        if kill is not None:
            _put(self.path, replace(kill, confirmed=True))

    def clear(self) -> None:
        """A person has looked at the accounts. Raises OSError."""
        _put(self.path.with_name(CLEARED), replace(self.read(), epoch=self._newest_epoch()))
        self.path.unlink()
        settle(self.path.parent)

    def _newest_epoch(self) -> int:
        return max((epoch for epoch, _, _ in journal_files(self.path.parent)), default=0)


def _put(path: Path, kill: Kill) -> None:
    replace_file(path, json.dumps(asdict(kill)))


def _read(path: Path) -> Kill | None:
    try:
        text = path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        return Kill("a time that cannot be read", "engine", f"{path}: {error.strerror}", 0)
    try:
        return Kill(**json.loads(text))
    except (ValueError, TypeError):
        return Kill("a time that cannot be read", "engine", f"{path} is damaged", 0)
