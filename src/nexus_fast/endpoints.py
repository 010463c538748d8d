"""Which addresses the engine uses: the venues' own, or those of a file, so that a simulator, a proxy, a test exchange
or a gateway in the same rack can stand in their place.

    NEXUS_FAST_ENDPOINTS=FILE, or Config(endpoints=FILE or a mapping). FILE is TOML:

    [binance.spot]
    rest = "http://127.0.0.1:8081"
    stream = "ws://127.0.0.1:8081"
    ws_api = "ws://127.0.0.1:8081/ws-api/v3"

Any subset may be given; what is not given stays the venue's own. Tables and keys are those of `TABLES`. `order_limit_factor` may
stand beside them for a venue that does not say its limits of orders: how many times the published ones this address takes.
`ca` of [sim] names the certificate authority (PEM) of all these addresses; the simulator writes it with --tls.
"""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from nexus_fast import authorities, fence
from nexus_fast.error import ConfigurationError
from nexus_fast.exchange.binance import endpoints as binance
from nexus_fast.exchange.bybit import endpoints as bybit
from nexus_fast.exchange.okx import endpoints as okx

VARIABLE = "NEXUS_FAST_ENDPOINTS"
SIMULATOR = "sim"               # the simulator's own table in the files it writes: no address of a venue
LIMIT_FACTOR = "order_limit_factor"
FACTORED = ("bybit", "okx")
LIVE = {**{f"binance.{family}": table for family, table in binance.LIVE.items()}, "bybit": bybit.LIVE, "okx": okx.LIVE}
TESTNET = {
    **{f"binance.{family}": table for family, table in binance.TESTNET.items()},
    "bybit": bybit.TESTNET,
    "okx": okx.TESTNET,
}
TABLES: dict[str, tuple[str, ...]] = {name: tuple(table) for name, table in LIVE.items()}


class Endpoints:
    """Addresses by table ("binance.spot") and key ("rest"). Given ones stand for live and testnet alike."""

    def __init__(self, given: Mapping[str, Mapping[str, str]] | None = None, source: str = ""):
        self.given: dict[str, dict[str, str]] = {table: dict(keys) for table, keys in (given or {}).items()}
        self.source = source

    def url(self, table: str, key: str, testnet: bool = False) -> str:
        """Without a slash at its end. Raises ConfigurationError where the venue has no such address."""
        _known(table, key, "an address was asked for: ")
        self._require_served(table)
        found = self.given.get(table, {}).get(key) or (TESTNET if testnet else LIVE)[table].get(key)
        if found is None:
            raise ConfigurationError(
                f"{table} has no {'testnet ' if testnet else ''}address for {key!r}; give one in the endpoints "
                f"({VARIABLE} or Config.endpoints) as [{table}] {key} = \"…\"."
            )
        return found

    def table(self, table: str, testnet: bool = False) -> dict[str, str]:
        """All addresses of one table, given ones over the venue's own."""
        if table not in TABLES:
            raise ConfigurationError(f"there is no table {table!r} of endpoints; there are {', '.join(TABLES)}.")
        self._require_served(table)
        return {**(TESTNET if testnet else LIVE)[table], **self.given.get(table, {})}

    def _require_served(self, table: str) -> None:
        """On the simulator the venue's own addresses stand in for nothing."""
        if fence.simulator() is not None and table not in self.given:
            raise ConfigurationError(
                f"the program configures {table}, which this simulator does not serve; it serves {', '.join(self.given)}. "
                "Leave --venues out of `nexus-fast run --sim`, or name the venue in it."
            )

    def is_given(self, table: str, key: str) -> bool:
        return key in self.given.get(table, {})

    def __repr__(self) -> str:
        return f"<Endpoints {self.source or 'of the venues'}: {', '.join(self.given) or 'none given'}>"


def load_endpoints(
    source: str | os.PathLike | Mapping | None = None, environ: Mapping[str, str] | None = None
) -> Endpoints:
    """NEXUS_FAST_ENDPOINTS stands over `source`, so that a program can be pointed elsewhere without being edited; the simulator
    that a program is to run on stands over both.

    Raises ConfigurationError for a file that cannot be read and for a table, key or address that is not one.
    """
    environ = os.environ if environ is None else environ
    name = "Config.endpoints"
    if environ.get(VARIABLE):
        source, name = environ[VARIABLE], VARIABLE
    if fence.simulator() is not None:
        source, name = fence.simulator(), fence.VARIABLE
    if source is None:
        return Endpoints()
    if isinstance(source, Mapping):
        return _loaded(source, name)
    path = os.path.abspath(os.fspath(source))
    return _loaded(_read(path, name), path)


def _loaded(data: Mapping, where: str) -> Endpoints:
    """With the certificate authority that `data` names for its addresses, if it does."""
    tables = _flatten(data, where)
    simulator = data.get(SIMULATOR)
    file = simulator.get("ca") if isinstance(simulator, Mapping) else None
    if file is not None:
        urls = [url for keys in tables.values() for key, url in keys.items() if key != LIMIT_FACTOR]
        authorities.trust(file, urls, where)
    return Endpoints(tables, where)


def _read(path: str, name: str) -> dict[str, Any]:
    import tomllib

    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigurationError(
            f"{name} names {path}, which cannot be read ({error.strerror}). "
            "`nexus-fast sim --endpoints FILE` writes such a file when it is ready."
        ) from None
    except ValueError as error:
        raise ConfigurationError(f"{name}: {path} is not TOML: {error}.") from None


def _flatten(data: Mapping, where: str) -> dict[str, dict[str, str]]:
    """{"binance": {"spot": {…}}, "okx": {…}} and {"binance.spot": {…}} alike, checked."""
    flat: dict[str, dict[str, str]] = {}
    for venue, content in data.items():
        if venue == SIMULATOR:
            continue
        if not isinstance(content, Mapping):
            raise ConfigurationError(f"{where}: {venue} = {content!r} is not a table; tables: {', '.join(TABLES)}.")
        nested = venue not in TABLES and all(isinstance(v, Mapping) for v in content.values())
        tables = {f"{venue}.{family}": keys for family, keys in content.items()} if nested else {venue: content}
        for table, keys in tables.items():
            flat[table] = {
                key: _factor(where, table, value) if key == LIMIT_FACTOR else _address(where, table, key, value)
                for key, value in keys.items()
            }
    return flat


def _known(table: str, key: str, where: str) -> None:
    if table not in TABLES:
        raise ConfigurationError(f"{where}[{table}] is not a table of endpoints; there are {', '.join(TABLES)}.")
    if key not in TABLES[table]:
        raise ConfigurationError(f"{where}[{table}] has no {key!r}; it has {', '.join(TABLES[table])}.")


def _factor(where: str, table: str, value: Any) -> str:
    if table not in FACTORED or not isinstance(value, int | str) or not str(value).isdigit() or int(value) < 1:
        raise ConfigurationError(
            f"{where}: [{table}] {LIMIT_FACTOR} = {value!r}: a whole number from 1 on, of {' or '.join(FACTORED)}; the other "
            "venues say their limits themselves."
        )
    return str(value)


def _address(where: str, table: str, key: str, value: Any) -> str:
    _known(table, key, f"{where}: ")
    schemes = ("http", "https") if key == "rest" else ("ws", "wss")
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or parts.scheme not in schemes or not parts.hostname:
        raise ConfigurationError(
            f"{where}: [{table}] {key} = {value!r} is not an address; it begins with {' or '.join(schemes)}:// and "
            "names a host."
        )
    return value.rstrip("/")
