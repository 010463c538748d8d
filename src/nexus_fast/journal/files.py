"""The journal's directory: who has it, its epoch, the names of its files.

    lock              flock held by the writer while it lives; its text is the writer's pid
    journal.json      {"epoch": last one handed out, "identity": whose journal}
    00000003-000001.journal   epoch 3, second file
"""

import errno
import fcntl
import json
import os
import re
from pathlib import Path

from nexus_fast.journal.error import JournalBusy, JournalError
from nexus_fast.private import make_folder, opener, replace_file

HEADER_SIZE = 4096
RECORD_SIZE = 256
OUT_OF_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FILE_NAME = re.compile(r"(\d{8,})-(\d{6,})\.journal")


def journal_path(base, strategy_id, user_id):
    """The directory of one engine's journal below `base`, which is Config.journal_directory; None is .nexus_fast."""
    return Path(base or ".nexus_fast") / re.sub(r"[^A-Za-z0-9_.-]", "_", f"{strategy_id}.{user_id}")


def journal_files(directory):
    """[(epoch, index, path)] of the journal files of a directory, in the order in which they were written."""
    found = ((FILE_NAME.fullmatch(path.name), path) for path in Path(directory).iterdir())
    return sorted((int(match[1]), int(match[2]), path) for match, path in found if match)


class JournalDirectory:
    """A directory that this process has to itself, with an epoch that was never handed out before."""

    def __init__(self, directory, identity):
        import xxhash

        self.path = Path(directory)
        self.identity = identity
        self.identity_hash = xxhash.xxh64_intdigest(identity.encode())
        make_folder(self.path)
        self.lock = self._locked()
        try:
            self.epoch = self._next_epoch()
            self._trim()
        except BaseException:
            self.close()
            raise

    def _locked(self):
        lock = opener(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(lock)
            raise JournalBusy(
                f"the journal in {self.path} is in use by process {holder}: stop that one first, "
                "or give this program another strategy_id or user_id"
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        return lock

    def _next_epoch(self):
        """Epochs make client ids unique, so the number is on the disk before it is used."""
        state = self.path / "journal.json"
        known = self._read_state(state)
        if known.get("identity", self.identity) != self.identity:
            raise JournalError(
                f"the journal in {self.path} belongs to {known['identity']!r}, this program is {self.identity!r}: "
                "give it a directory of its own"
            )
        epoch = max([known.get("epoch", 0), *(epoch for epoch, _, _ in journal_files(self.path))]) + 1
        replace_file(state, json.dumps({"epoch": epoch, "identity": self.identity}))
        return epoch

    def _read_state(self, state):
        try:
            return json.loads(state.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise JournalError(
                f"{state} is damaged ({error}): write it again as "
                '{"epoch": N, "identity": "…"} with N above every epoch that was ever used'
            ) from error

    def _trim(self):
        """Cuts the empty end that a killed writer left behind; every byte that was written stays, and what is empty before it.

        Only the last epoch can have some: those before were cut when it began.
        """
        files = journal_files(self.path)
        for _, _, path in reversed([file for file in files if file[0] == files[-1][0]]):
            used = written_size(path)
            if used > HEADER_SIZE:
                os.truncate(path, used)
                break
            path.unlink()

    def file_path(self, index):
        """The path of the epoch's file number `index`."""
        return str(self.path / f"{self.epoch:08d}-{index:06d}.journal")

    def close(self):
        """Gives the directory free."""
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None


def written_size(path):
    """Bytes of a journal file up to the last record that is not all zeros; 0 when there is no header."""
    content = path.read_bytes()
    end = len(content.rstrip(b"\0"))
    if end == 0:
        return 0
    records = max(0, end - HEADER_SIZE + RECORD_SIZE - 1) // RECORD_SIZE
    return min(HEADER_SIZE + records * RECORD_SIZE, len(content))
