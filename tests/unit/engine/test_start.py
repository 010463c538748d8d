"""A start that cannot be: the thing, the value, the way out."""

import asyncio
import os
from types import SimpleNamespace

import pytest

from nexus_fast import proxies
from nexus_fast.config import LogConfig
from nexus_fast.engine import core
from nexus_fast.engine.core import journal_directory
from nexus_fast.engine.engine import Engine
from nexus_fast.error import ConfigurationError, EngineBuildError
from nexus_fast.log import configure


def test_inside_a_running_loop_it_is_refused_with_the_way_out():
    """A notebook, or `async def main`: uvloop would say no more than that this event loop is running."""
    engine = object.__new__(Engine)

    async def main():
        with pytest.raises(EngineBuildError, match="await engine.run()"):
            engine.start()

    asyncio.run(main())


def config(directory):
    return SimpleNamespace(journal_directory=str(directory), strategy_id="s", user_id="u")


def test_a_journal_folder_that_cannot_be_made_is_named_with_the_remedy(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ConfigurationError) as raised:
        journal_directory(config(tmp_path / "taken"))
    text = str(raised.value)
    assert str(tmp_path / "taken" / "s.u") in text and "Not a directory" in text and "journal_directory=" in text


def test_a_journal_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path, monkeypatch):
    """A read-only mount, of a folder that is there."""
    monkeypatch.setattr(core.os, "access", lambda path, mode: not mode & os.W_OK)
    with pytest.raises(ConfigurationError, match="cannot be written to.*journal_directory="):
        journal_directory(config(tmp_path))


def test_a_log_that_cannot_be_written_is_named_with_the_remedy(tmp_path):
    (tmp_path / "taken").write_text("a file")
    try:
        with pytest.raises(ConfigurationError, match="taken.*LogConfig"):
            configure(LogConfig(directory=str(tmp_path / "taken"), file_name="log"))
    finally:
        configure()


@pytest.fixture
def environment(monkeypatch):
    for name in (*proxies.VARIABLES, "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_that_is_not_used_is_said_without_its_address(environment, name):
    assert proxies.warning() == ""
    environment.setenv(name, "http://user:password@gate:3128")
    assert name in proxies.warning() and "not used" in proxies.warning() and "password" not in proxies.warning()
    environment.setenv("NO_PROXY", "localhost")
    assert proxies.warning()
    environment.setenv("NO_PROXY", "*")
    assert proxies.warning() == ""
