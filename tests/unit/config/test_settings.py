"""`settings`: where values come from, what a missing one says, what the simulator lends."""

import os
import subprocess
import sys

import pytest
from patience import PROCESS_SECONDS

from nexus_fast.config import BasicConfig
from nexus_fast.error import ConfigurationError, NexusError
from nexus_fast.settings import Settings, credential_part, variable_name

SECRETS = """
[BINANCE.LIVE.ACCOUNT1]
API_KEY = "key-from-file"
secret = "secret-from-file"

[okx.demo]
api_key = "okx-key"
SECRET = "okx-secret"
PASSPHRASE = "okx-passphrase"
"""


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """An empty working directory, and no NEXUS_ variable."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("NEXUS_")]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def settings(directory, monkeypatch):
    from nexus_fast import constants

    fresh = Settings()
    monkeypatch.setattr(constants, "settings", fresh)
    return fresh


def write_secrets(directory, text=SECRETS):
    (directory / ".keys").mkdir()
    (directory / ".keys" / ".secrets.toml").write_text(text)


class TestReading:
    def test_a_value_comes_from_the_secrets_file(self, settings, directory):
        write_secrets(directory)
        assert settings.BINANCE.LIVE.ACCOUNT1.API_KEY == "key-from-file"

    @pytest.mark.parametrize("path", ["binance.live.account1.secret", "BINANCE.LIVE.ACCOUNT1.SECRET"])
    def test_names_match_in_any_case(self, settings, directory, path):
        write_secrets(directory)
        assert settings.get(path) == "secret-from-file"

    def test_a_lower_case_table_is_found_by_an_upper_case_name(self, settings, directory):
        write_secrets(directory)
        assert settings.OKX.DEMO.PASSPHRASE == "okx-passphrase"

    def test_settings_toml_is_read_too(self, settings, directory):
        (directory / ".keys").mkdir()
        (directory / ".keys" / "settings.toml").write_text('[BYBIT]\nAPI_KEY = "b"\n')
        assert settings.BYBIT.API_KEY == "b"

    def test_a_variable_needs_no_file(self, settings, monkeypatch):
        monkeypatch.setenv("NEXUS_BINANCE__LIVE__ACCOUNT1__API_KEY", "key-from-variable")
        assert settings.BINANCE.LIVE.ACCOUNT1.API_KEY == "key-from-variable"

    def test_a_variable_stands_over_the_file_and_leaves_the_rest(self, settings, directory, monkeypatch):
        write_secrets(directory)
        monkeypatch.setenv("NEXUS_BINANCE__LIVE__ACCOUNT1__API_KEY", "key-from-variable")
        assert settings.BINANCE.LIVE.ACCOUNT1.API_KEY == "key-from-variable"
        assert settings.BINANCE.LIVE.ACCOUNT1.SECRET == "secret-from-file"

    def test_a_variable_set_after_the_first_question_is_seen(self, settings, monkeypatch):
        with pytest.raises(AttributeError):
            _ = settings.BINANCE
        monkeypatch.setenv("NEXUS_BINANCE__API_KEY", "later")
        assert settings.BINANCE.API_KEY == "later"

    def test_a_dotenv_file_is_read(self, directory):
        (directory / ".env").write_text("NEXUS_OKX__LIVE__API_KEY=from-dotenv\n")
        # In a process of its own: .env becomes part of the environment.
        code = "from nexus_fast.constants import settings; print(settings.OKX.LIVE.API_KEY)"
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", code]
        answer = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PROCESS_SECONDS)
        assert answer.stdout.strip() == "from-dotenv", answer.stderr

    @pytest.mark.parametrize("text", ["123456789", "12e34", "true"])
    def test_a_key_that_looks_like_a_number_stays_text(self, settings, monkeypatch, text):
        monkeypatch.setenv("NEXUS_BINANCE__LIVE__API_KEY", text)
        assert settings.BINANCE.LIVE.API_KEY == text

    def test_sections_are_mappings(self, settings, directory):
        write_secrets(directory)
        assert dict(settings.BINANCE.LIVE.ACCOUNT1) == {"API_KEY": "key-from-file", "secret": "secret-from-file"}
        assert "api_key" in settings.BINANCE.LIVE.ACCOUNT1
        assert settings.BINANCE.LIVE.ACCOUNT1.get("PASSPHRASE", "none") == "none"
        assert settings["BINANCE.LIVE.ACCOUNT1.API_KEY"] == "key-from-file"

    def test_asking_writes_nothing(self, settings, directory):
        with pytest.raises(AttributeError):
            _ = settings.BINANCE
        assert list(directory.iterdir()) == []


class TestMissing:
    def test_the_text_names_the_path_the_places_and_the_remedy(self, settings, directory):
        write_secrets(directory)
        with pytest.raises(AttributeError) as caught:
            _ = settings.BINANCE.LIVE.ACCOUNT2.API_KEY
        text = str(caught.value)
        assert "'BINANCE.LIVE.ACCOUNT2'" in text
        assert str(directory / ".keys" / ".secrets.toml") + " (read)" in text
        assert str(directory / ".keys" / "settings.toml") + " (not there)" in text
        assert "NEXUS_BINANCE__LIVE__ACCOUNT2" in text
        assert "nexus-fast run --sim" in text
        assert isinstance(caught.value, NexusError)

    def test_the_text_shows_no_secret(self, settings, directory):
        write_secrets(directory)
        with pytest.raises(AttributeError) as caught:
            _ = settings.BINANCE.LIVE.ACCOUNT1.PASSPHRASE
        assert "from-file" not in str(caught.value)

    def test_no_representation_shows_a_secret(self, settings, directory):
        write_secrets(directory)
        for shown in (settings, settings.BINANCE, settings.BINANCE.LIVE, settings.BINANCE.LIVE.ACCOUNT1):
            assert "from-file" not in f"{shown!r} {shown}"

    def test_getattr_with_a_default_and_hasattr_work(self, settings):
        assert getattr(settings, "BINANCE", None) is None
        assert not hasattr(settings, "BINANCE")
        assert settings.get("BINANCE.LIVE.API_KEY", "default") == "default"

    def test_a_broken_file_is_named_and_not_taken_for_a_missing_key(self, settings, directory):
        write_secrets(directory, "[BINANCE\nAPI_KEY = unquoted")
        with pytest.raises(ConfigurationError, match=r"\.secrets\.toml"):
            _ = settings.BINANCE


class TestLending:
    LENT = {"api_key": "lent-key", "secret": "lent-secret", "passphrase": "lent-passphrase"}

    def test_any_missing_path_ends_in_the_lent_credentials(self, settings):
        settings.lend(self.LENT)
        account = settings.BINANCE.LIVE.ACCOUNT1
        assert (account.API_KEY, account.SECRET, account.PASSPHRASE) == ("lent-key", "lent-secret", "lent-passphrase")
        assert settings.WHATEVER.api_key == "lent-key"
        assert settings.BYBIT_API_SECRET == "lent-secret"
        assert settings["OKX"]["DEMO"]["PASSPHRASE"] == "lent-passphrase"

    def test_they_stand_in_for_those_that_are_there(self, settings, directory, monkeypatch):
        """What runs on the simulator never sees a key of a real venue."""
        write_secrets(directory)
        monkeypatch.setenv("NEXUS_BINANCE__LIVE__ACCOUNT3__SECRET", "secret-from-environment")
        settings.lend(self.LENT)
        assert settings.BINANCE.LIVE.ACCOUNT1.API_KEY == "lent-key"
        assert settings.get("BINANCE.LIVE.ACCOUNT1.SECRET") == "lent-secret"
        assert settings.BINANCE.LIVE.ACCOUNT3.SECRET == "lent-secret"
        assert "from-" not in f"{BasicConfig(settings_key='BINANCE.LIVE.ACCOUNT1').api_key}"
        assert settings.BINANCE.LIVE.ACCOUNT2.API_KEY == "lent-key"
        assert settings.BINANCE.LIVE.ACCOUNT1.PASSPHRASE == "lent-passphrase"

    def test_settings_key_borrows_too(self, settings):
        settings.lend(self.LENT)
        config = BasicConfig(settings_key="BINANCE.DEMO")
        assert (config.api_key, config.secret) == ("lent-key", "lent-secret")

    def test_lending_ends(self, settings):
        settings.lend(self.LENT)
        settings.lend(None)
        with pytest.raises(AttributeError):
            _ = settings.BINANCE

    def test_a_lent_section_shows_no_secret(self, settings):
        settings.lend(self.LENT)
        assert "lent-" not in repr(settings.BINANCE.LIVE)

    def test_credentials_may_be_an_object(self, settings):
        class Account:
            api_key, secret = "object-key", "object-secret"

        settings.lend(Account())
        assert settings.BINANCE.SECRET == "object-secret"
        assert settings.BINANCE.PASSPHRASE is None


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("API_KEY", "api_key"),
        ("apikey", "api_key"),
        ("SECRET", "secret"),
        ("API_SECRET", "secret"),
        ("SECRET_KEY", "secret"),
        ("secretKey", "secret"),
        ("PASSPHRASE", "passphrase"),
        ("password", "passphrase"),
        ("BINANCE_API_KEY", "api_key"),
        ("BINANCE", None),
        ("MONKEY", None),
        ("LIVE", None),
    ],
)
def test_which_part_of_a_credential_a_name_asks_for(name, part):
    assert credential_part(name) == part


def test_the_variable_of_a_path():
    assert variable_name(("Binance", "live", "API_KEY")) == "NEXUS_BINANCE__LIVE__API_KEY"
