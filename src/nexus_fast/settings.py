"""`settings.BINANCE.LIVE.ACCOUNT1.API_KEY`: credentials and the like from `.keys/*.toml`, `NEXUS_…` variables, `.env`.

Dynaconf does the reading, with NexusTrader's arguments, and is imported when the first value is asked for. Names are
looked up in any case. A value's representation never shows a secret: sections print their names only.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from nexus_fast import fence
from nexus_fast.error import ConfigurationError, SettingsError

PREFIX = "NEXUS"
FILES = (".keys/settings.toml", ".keys/.secrets.toml")

# How programs name the three parts of a credential, alone or after a prefix (BINANCE_API_KEY).
_CREDENTIAL_NAMES = {
    "api_key": ("api_key", "apikey", "access_key", "key"),
    "secret": ("secret", "api_secret", "apisecret", "secret_key", "secretkey", "private_key"),
    "passphrase": ("passphrase", "api_passphrase", "password"),
}
_MISSING = object()


def credential_part(name: str) -> str | None:
    """Which part of a credential `name` asks for: "api_key", "secret", "passphrase" or None."""
    lower = name.lower()
    for part in ("secret", "passphrase", "api_key"):  # SECRET_KEY ends with KEY: secrets come first
        if any(lower == alias or lower.endswith("_" + alias) for alias in _CREDENTIAL_NAMES[part]):
            return part
    return None


def variable_name(path: tuple[str, ...]) -> str:
    """The environment variable that sets this path: NEXUS_BINANCE__LIVE__API_KEY."""
    return f"{PREFIX}_{'__'.join(path).upper()}"


def _find(data: Mapping, name: str) -> Any:
    if name in data:
        return data[name]
    lower = name.lower()
    return next((value for key, value in data.items() if str(key).lower() == lower), _MISSING)


class Section(Mapping):
    """One table of the settings, by attribute or by key, in any case."""

    __slots__ = ("_settings", "_path", "_data")

    def __init__(self, settings: "Settings", path: tuple[str, ...], data: Mapping):
        self._settings = settings
        self._path = path
        self._data = data

    def _lookup(self, name: str) -> Any:
        return self._settings._child(self._path, self._data, name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._lookup(name)

    def __getitem__(self, name: str) -> Any:
        try:
            return self._lookup(name)
        except SettingsError as error:
            raise KeyError(str(error)) from None

    def get(self, name: str, default: Any = None) -> Any:
        value = _find(self._data, name)
        if value is _MISSING and not self._settings._lends(name):
            return default
        return self._lookup(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _find(self._data, name) is not _MISSING

    def __repr__(self) -> str:
        return f"<settings {'.'.join(self._path)}: {', '.join(map(str, self._data)) or 'empty'}>"


class Settings:
    """What `nexus_fast.constants.settings` is. Reads nothing until it is asked, and again when the working
    directory or a NEXUS_ variable has changed since."""

    def __init__(self) -> None:
        self._source: Any = None
        self._read_under: tuple | None = None
        self._lent: dict[str, str] | None = fence.credentials()

    # -------------------------------------------------------------------------------------------- asking

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._child((), self._tables(), name)

    def __getitem__(self, name: str) -> Any:
        try:
            return self._dotted(name)
        except SettingsError as error:
            raise KeyError(str(error)) from None

    def __contains__(self, name: str) -> bool:
        return self.exists(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The value at a dotted path, or `default`."""
        if self.exists(name) or self._lends(name.rsplit(".", 1)[-1]):
            return self._dotted(name)
        return default

    def exists(self, name: str) -> bool:
        data: Any = self._tables()
        for part in name.split("."):
            data = _find(data, part) if isinstance(data, Mapping) else _MISSING
            if data is _MISSING:
                return False
        return True

    def as_dict(self) -> dict[str, Any]:
        """Every value, secrets included: not for printing."""
        return self._dynaconf().as_dict()

    def reload(self) -> None:
        """Read the files and variables anew at the next question."""
        self._source = None

    def lend(self, credentials: Any) -> None:
        """From now on answer any question for a credential with these, whether another is there or not; None ends it.

        credentials: a mapping or an object with api_key, secret and, optionally, passphrase.
        """
        if credentials is None:
            self._lent = None
            return
        take = credentials.get if isinstance(credentials, Mapping) else lambda part: getattr(credentials, part, None)
        self._lent = {part: take(part) for part in _CREDENTIAL_NAMES}

    def __repr__(self) -> str:
        return f"<settings from {', '.join(FILES)} and {PREFIX}_… variables>"

    # -------------------------------------------------------------------------------------------- looking up

    def _dotted(self, name: str) -> Any:
        value: Any = self
        for part in name.split("."):
            value = getattr(value, part)
        return value

    def _lends(self, name: str) -> bool:
        return self._lent is not None and credential_part(name) is not None

    def _child(self, path: tuple[str, ...], data: Mapping, name: str) -> Any:
        value = _find(data, name)
        path = (*path, name)
        if isinstance(value, Mapping):
            return Section(self, path, value)
        if self._lends(name):
            return self._lent[credential_part(name)]
        if value is _MISSING:
            return self._missing(path)
        if not isinstance(value, str) and credential_part(name):
            # Dynaconf reads variables as TOML: a key made of digits would come back as a number.
            return os.environ.get(variable_name(path), str(value))
        return value

    def _missing(self, path: tuple[str, ...]) -> Any:
        if self._lent is None:
            raise SettingsError(self._explanation(path))
        return Section(self, path, {})

    def _explanation(self, path: tuple[str, ...]) -> str:
        dotted, variable = ".".join(path), variable_name(path)
        section = path[:-1] if credential_part(path[-1]) else path
        places = map(os.path.abspath, (*FILES, ".env"))
        looked = [f"{place} ({'read' if os.path.exists(place) else 'not there'})" for place in places]
        return (
            f"settings has no {dotted!r}. Looked at {', '.join(looked)} and the variable {variable} "
            f"({'set' if variable in os.environ else 'not set'}). "
            f"Write [{'.'.join(section) or dotted}] with API_KEY and SECRET to {FILES[1]}, or set "
            f"{variable_name((*section, 'API_KEY'))} and {variable_name((*section, 'SECRET'))}; "
            "`nexus-fast run --sim FILE.py` runs a program on the simulator without any keys."
        )

    # -------------------------------------------------------------------------------------------- reading

    def _tables(self) -> Mapping:
        source = self._dynaconf()
        # `store` holds Dynaconf's own options too (LOAD_DOTENV); nobody asks for those.
        return source.store

    def _dynaconf(self) -> Any:
        if self._source is None or self._read_under != _surroundings():
            self._source = _read()
            self._read_under = _surroundings()  # after reading: `.env` adds variables
        return self._source


def _surroundings() -> tuple:
    try:
        directory = os.getcwd()
    except FileNotFoundError:
        directory = ""
    return directory, tuple(sorted(item for item in os.environ.items() if item[0].startswith(PREFIX + "_")))


def _read() -> Any:
    from dynaconf import Dynaconf

    try:
        source = Dynaconf(
            envvar_prefix=PREFIX, settings_files=list(FILES), environments=False, load_dotenv=True
        )
        source.store  # noqa: B018  Dynaconf reads at the first access
        _warn_of_rights()
    except Exception as error:
        raise ConfigurationError(
            f"the settings cannot be read ({type(error).__name__}: {error}). "
            f"Check {', '.join(map(os.path.abspath, FILES))}: they are TOML, strings stand in quotes."
        ) from None
    return source


def _warn_of_rights() -> None:
    """Of files with secrets that others on the machine can read."""
    from nexus_fast.log import Logger

    for place in map(os.path.abspath, (FILES[1], ".env")):
        try:
            rights = os.stat(place).st_mode & 0o777
        except OSError:
            continue
        if rights & 0o077:
            text = f"{place} holds secrets and others can read or write it (mode {rights:04o}): chmod 600 {place}"
            Logger("settings").warning(text)


settings = Settings()
