"""What nexus_fast writes is the user's alone, whatever the umask."""

import logging
import os
import stat
from types import SimpleNamespace

import pytest

from nexus_fast.config import LogConfig
from nexus_fast.engine.core import LAST_SESSION, next_session
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.exchange.catalogue import KeptInstruments
from nexus_fast.journal.error import JournalError
from nexus_fast.journal.kill_mark import KillMark
from nexus_fast.journal.writer import JournalWriter
from nexus_fast.log import Logger, configure
from nexus_fast.private import make_folder, open_private, replace_file
from nexus_fast.settings import Settings
from nexus_fast.shm.ring import RingWriter
from nexus_fast.shm.symbols import write_symbols
from nexus_fast.sim.endpoints import write as write_endpoints


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=oct)
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


def rights_of(folder):
    return {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")}


def assert_private(folder, at_least):
    found = rights_of(folder)
    assert len(found) >= at_least
    assert {path: oct(mode) for path, mode in found.items() if mode not in (0o600, 0o700)} == {}


def test_the_journal_its_parents_and_all_that_lies_beside_it(tmp_path, umask):
    directory = make_folder(tmp_path / "a" / "b" / "journal")
    journal = JournalWriter(directory, "s.u", 16)
    next_session(directory)
    KillMark(directory).write("test", "a reason")
    KeptInstruments(directory, BinanceAccountType.SPOT).write([])
    assert_private(tmp_path, 8)
    journal.close()


def test_shared_memory(tmp_path, umask, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_SHM", str(tmp_path / "x" / "shm"))
    ring = RingWriter("ring", capacity=8)
    write_symbols("ring", 1, [])
    assert_private(tmp_path, 4)
    ring.close()


def test_logs_also_those_that_were_rolled_over(tmp_path, umask):
    configure(LogConfig(directory=str(tmp_path / "x" / "logs"), file_name="engine.log", level_stdout="OFF", level_file="INFO",
                        max_file_size=100, max_backup_count=2))  # fmt: skip
    for number in range(5):
        Logger("test").info("a line that is long enough to make a file of its own, or nearly so", number=number)
    configure(LogConfig(level_stdout="OFF"))
    assert_private(tmp_path, 5)


def test_endpoints_and_reports(tmp_path, umask):
    write_endpoints(tmp_path / "x" / "endpoints.toml", {"sim": {"control": "http://127.0.0.1:1"}})
    with open_private(tmp_path / "x" / "out.log", "wb") as file:
        file.write(b"x")
    assert_private(tmp_path, 3)


def test_a_file_that_was_there_keeps_the_rights_that_it_has(tmp_path):
    path = tmp_path / "shared.log"
    path.touch(0o644)
    with open_private(path, "a") as file:
        file.write("x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_link_is_replaced_and_not_followed(tmp_path):
    victim, path = tmp_path / "victim", tmp_path / "session"
    victim.write_text("precious")
    path.symlink_to(victim)
    temporary = tmp_path / f".session.{os.getpid()}.new"
    temporary.symlink_to(victim)
    replace_file(path, "new")
    assert victim.read_text() == "precious" and path.read_text() == "new" and not path.is_symlink()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = replace_file(tmp_path / "session", "old")
    monkeypatch.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        replace_file(path, "new")
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["session"]


def test_what_is_replaced_is_on_the_disk_before_and_after_the_change_of_names(tmp_path, monkeypatch):
    done = []
    real_sync, real_replace = os.fsync, os.replace

    def sync(descriptor):
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_sync(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", lambda *names: (done.append("name"), real_replace(*names)))
    replace_file(tmp_path / "session", "1")
    assert done == ["file", "name", "folder"]


def test_sessions_grow(tmp_path, monkeypatch):
    first = next_session(tmp_path)
    monkeypatch.setattr("nexus_fast.engine.core.time", SimpleNamespace(time_ns=lambda: 5_000_000))    # the clock went back
    assert next_session(tmp_path) == first + 1


DAMAGED = [b"", b"\0\0\0", b"12x", b"-5", b"1e12", b"\xff\xfe", str(LAST_SESSION).encode(), b"9" * 5000]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_session_file_is_named_with_the_way_out(tmp_path, content):
    (tmp_path / "session").write_bytes(content)
    with pytest.raises(JournalError, match="session is damaged.*Write a time into it that is later") as raised:
        next_session(tmp_path)
    assert len(str(raised.value)) < 1000


def test_a_session_that_is_no_file_is_named(tmp_path):
    (tmp_path / "session").mkdir()
    with pytest.raises(JournalError, match="session, the start of the last session, cannot be read"):
        next_session(tmp_path)


@pytest.mark.parametrize("rights, warned", [(0o600, False), (0o400, False), (0o644, True), (0o620, True)])
def test_secrets_that_others_can_read_are_warned_of(tmp_path, monkeypatch, caplog, rights, warned):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging.getLogger("nexus_fast"), "propagate", True)
    (tmp_path / ".keys").mkdir()
    secrets = tmp_path / ".keys" / ".secrets.toml"
    secrets.write_text('[BINANCE.LIVE]\nAPI_KEY = "not to be shown"\nSECRET = "nor this"\n')
    secrets.chmod(rights)
    with caplog.at_level("WARNING", logger="nexus_fast"):
        assert Settings().get("BINANCE.LIVE.API_KEY") == "not to be shown"
    assert (f"chmod 600 {secrets}" in caplog.text) == warned and "not to be shown" not in caplog.text
