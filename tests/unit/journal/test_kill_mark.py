"""The mark of a kill switch: it is there until a person takes it away, whatever is wrong with it."""

import json

import pytest
from click.testing import CliRunner

from nexus_fast.cli.journal import command
from nexus_fast.journal.kill_mark import KillMark


@pytest.fixture
def mark(tmp_path):
    return KillMark(tmp_path / "s.u")


def test_the_first_reason_stays(mark):
    mark.write("engine", "the first")
    mark.write("guard", "the second")
    kill = mark.read()
    assert (kill.by, kill.reason, kill.confirmed) == ("engine", "the first", False)
    assert oct(mark.path.stat().st_mode & 0o777) == "0o600" and oct(mark.path.parent.stat().st_mode & 0o777) == "0o700"
    mark.confirm()
    assert mark.read().confirmed and mark.read().time == kill.time


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b'{"time": 1}', b'{"unknown": 1}'])
def test_a_damaged_one_is_one_all_the_same(mark, text):
    mark.path.parent.mkdir()
    mark.path.write_bytes(text)
    assert mark.exists() and "damaged" in str(mark.read()) and not mark.is_settled()
    mark.clear()
    assert not mark.exists()


def test_there_is_none_before(mark):
    assert not mark.exists() and mark.read() is None
    mark.confirm()
    assert not mark.exists()


def test_a_person_clears_it(mark):
    mark.write("engine", "SIGUSR1")
    done = CliRunner().invoke(command, ["clear-kill", str(mark.path.parent)])
    assert done.exit_code == 0 and "SIGUSR1" in done.output and "not been confirmed" in done.output
    assert not mark.exists()
    assert json.loads((mark.path.parent / "KILLED.cleared").read_text())["reason"] == "SIGUSR1"
    again = CliRunner().invoke(command, ["clear-kill", str(mark.path.parent)])
    assert again.exit_code == 0 and "no kill switch was pressed" in again.output
