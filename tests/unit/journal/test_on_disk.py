"""What has to be on the disk before it is used: the epoch, and the directory's entry for it. Client ids are made from it."""

import json
import os

import pytest

from nexus_fast.journal.files import JournalDirectory


@pytest.fixture
def calls(monkeypatch):
    """What a loss of power knows of, in order: ("sync", file or directory, its content then) and ("replace", from, to)."""
    said = []
    fsync, replace = os.fsync, os.replace

    def record_sync(descriptor):
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        said.append(("sync", path, sorted(os.listdir(path)) if os.path.isdir(path) else open(path).read()))
        fsync(descriptor)

    def record_replace(old, new):
        said.append(("replace", str(old), str(new)))
        replace(old, new)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(os, "replace", record_replace)
    return said


@pytest.mark.scenario(47)
@pytest.mark.parametrize("opening", [1, 2])
def test_the_epoch_and_its_name_are_synced_in_order(tmp_path, calls, opening):
    """The content before the name points to it, the name before anybody goes on."""
    for _ in range(opening - 1):
        JournalDirectory(tmp_path, "s.u").close()
    calls.clear()
    directory = JournalDirectory(tmp_path, "s.u")
    state = str(tmp_path / "journal.json")
    content, renamed, listed = calls
    assert content[0] == "sync" and content[1] != state
    assert json.loads(content[2]) == {"epoch": opening, "identity": "s.u"} and directory.epoch == opening
    assert renamed == ("replace", content[1], state)
    assert listed[:2] == ("sync", str(tmp_path)) and "journal.json" in listed[2]
    directory.close()
