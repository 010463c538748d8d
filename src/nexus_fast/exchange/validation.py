"""Whether a configuration fits together: everything that can be known before a connection is opened.

`validate(config)` raises one ConfigurationError (or CredentialError), whose text names the thing, the value and the
way out, and warns once of each field that is accepted without effect.
"""

import warnings
from collections.abc import Callable, Iterable
from typing import Any

from nexus_fast.config import BasicConfig, Config, MockConnectorConfig, PrivateConnectorConfig, PublicConnectorConfig
from nexus_fast.constants import AccountType, ExchangeType, StorageType
from nexus_fast.error import ConfigurationError, CredentialError, EngineBuildError
from nexus_fast.exchange.binance.accounts import BinanceAccountType
from nexus_fast.exchange.bybit.accounts import BybitAccountType
from nexus_fast.exchange.okx.accounts import OkxAccountType

ACCOUNTS: dict[ExchangeType, type[AccountType]] = {
    ExchangeType.BINANCE: BinanceAccountType,
    ExchangeType.BYBIT: BybitAccountType,
    ExchangeType.OKX: OkxAccountType,
}
# Characters that an id may have: it becomes part of file names and of segments in shared memory.
ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
ID_LENGTH = 64


def validate(config: Config) -> None:
    """Checks in the order in which a person would read the configuration."""
    _ids(config)
    _strategies(config)
    _venues(config)
    for exchange, connectors in config.public_conn_config.items():
        _public(exchange, connectors, config.basic_config)
    for exchange, connectors in config.private_conn_config.items():
        _private(exchange, connectors, config)
    _warn_of_ignored(config)


# ------------------------------------------------------------------------------------------------ the program


def _ids(config: Config) -> None:
    for name in ("strategy_id", "user_id"):
        value = getattr(config, name)
        if not isinstance(value, str) or not value or len(value) > ID_LENGTH or not ID_CHARACTERS.issuperset(value):
            raise ConfigurationError(
                f"Config.{name}={value!r} cannot name files and shared memory: use 1 to {ID_LENGTH} characters of "
                "A-Z, a-z, 0-9, _ and -."
            )


def _strategies(config: Config) -> None:
    strategies = config.strategies
    if not strategies:
        raise ConfigurationError("Config.strategy is an empty list; give at least one Strategy.")
    for strategy in strategies:
        if isinstance(strategy, type):
            raise ConfigurationError(
                f"Config.strategy is the class {strategy.__name__}, not an instance: write {strategy.__name__}()."
            )
        if not callable(getattr(strategy, "create_order", None)):
            raise ConfigurationError(
                f"Config.strategy={strategy!r} is no Strategy; derive it from nexus_fast.strategy.Strategy."
            )
    if len(set(map(id, strategies))) != len(strategies):
        raise ConfigurationError("Config.strategy lists the same instance twice; make two instances.")


def _venues(config: Config) -> None:
    if not config.public_conn_config:
        raise ConfigurationError(
            "Config.public_conn_config is empty: without a public connector there is no market data and no list of "
            "instruments. Add {ExchangeType.BINANCE: [PublicConnectorConfig(account_type=BinanceAccountType.SPOT)]}."
        )
    for name in ("basic_config", "public_conn_config", "private_conn_config"):
        for exchange in getattr(config, name):
            _served(exchange, f"Config.{name}")
    for name in ("public_conn_config", "private_conn_config"):
        for exchange in getattr(config, name):
            if exchange not in config.basic_config:
                raise ConfigurationError(
                    f"Config.{name} has {exchange.name}, Config.basic_config has not (it has "
                    f"{_names(config.basic_config)}). Add {{ExchangeType.{exchange.name}: BasicConfig(testnet=False)}} "
                    "to Config.basic_config; market data alone needs no keys."
                )
    for exchange in config.private_conn_config:
        if exchange not in config.public_conn_config:
            raise ConfigurationError(
                f"Config.private_conn_config has {exchange.name}, Config.public_conn_config has not: its instruments "
                f"would not be known. Add a PublicConnectorConfig for ExchangeType.{exchange.name}."
            )


def _served(exchange: Any, where: str) -> None:
    if not isinstance(exchange, ExchangeType):
        raise ConfigurationError(f"{where} has the key {exchange!r}, which is not an ExchangeType.")
    if exchange not in ACCOUNTS:
        raise ConfigurationError(
            f"{where} has {exchange.name}, which nexus_fast does not support yet; it supports {_names(ACCOUNTS)}."
        )


def _names(exchanges: Iterable[ExchangeType]) -> str:
    return ", ".join(exchange.name for exchange in exchanges) or "none"


# ------------------------------------------------------------------------------------------------ connectors


def _account(exchange: ExchangeType, connector: Any, where: str) -> Any:
    """The connector's account type, when it belongs to the exchange."""
    account = connector.account_type
    if not isinstance(account, AccountType):
        raise ConfigurationError(f"{where}: account_type={account!r} is not an account type of nexus_fast.exchange.")
    if not isinstance(account, ACCOUNTS[exchange]):
        raise ConfigurationError(
            f"{where}: {account} is an account of {type(account).__name__.removesuffix('AccountType')}, not of "
            f"{exchange.name}. Move it under ExchangeType.{account.exchange.name}, or take one of "
            f"{ACCOUNTS[exchange].__name__}."
        )
    if account.is_mock:
        raise _no_mock(where, account)
    return account


def _no_mock(where: str, account: Any) -> EngineBuildError:
    return ConfigurationError(
        f"{where}: {account} is a mock account, which nexus_fast does not have. Use the real account type and trade on "
        "the simulator instead: `nexus-fast run --sim FILE.py`, or NEXUS_FAST_ENDPOINTS with `nexus-fast sim`."
    )


def _list(connectors: Any, where: str) -> list:
    if not isinstance(connectors, list | tuple) or not connectors:
        raise ConfigurationError(
            f"{where} is {connectors!r}; it must be a list of at least one connector. Leave the exchange out where "
            "there is none."
        )
    return list(connectors)


def _distinct(accounts: list, where: str) -> None:
    for account in accounts:
        if accounts.count(account) > 1:
            raise ConfigurationError(f"{where} has {account} twice; one connector per account type is enough.")


def _testnet(exchange: ExchangeType, account: Any, basic: BasicConfig, where: str) -> None:
    if account.is_testnet == bool(basic.testnet):
        return
    raise ConfigurationError(
        f"{where}: {account} is {'a testnet' if account.is_testnet else 'a live'} account, but "
        f"BasicConfig.testnet={basic.testnet} for {exchange.name} says {'testnet' if basic.testnet else 'live'}. "
        f"Set testnet={account.is_testnet} in Config.basic_config[ExchangeType.{exchange.name}], or take the "
        f"{'testnet' if basic.testnet else 'live'} account type."
    )


def _public(exchange: ExchangeType, connectors: Any, basic: dict[ExchangeType, BasicConfig]) -> None:
    where = f"Config.public_conn_config[ExchangeType.{exchange.name}]"
    accounts = []
    for connector in _list(connectors, where):
        if not isinstance(connector, PublicConnectorConfig):
            raise ConfigurationError(f"{where} has {connector!r}, which is not a PublicConnectorConfig.")
        account = _account(exchange, connector, where)
        if not account.may_be_public:
            raise ConfigurationError(f"{where}: {account} has no market data of its own. {_public_remedy(account)}")
        _testnet(exchange, account, basic[exchange], where)
        _custom_url(connector, where)
        accounts.append(account)
    _one_okx(exchange, accounts, where)
    _distinct(accounts, where)


def _public_remedy(account: Any) -> str:
    """Which public connectors stand in for an account that only takes orders."""
    kind = type(account)
    suffix = "_TESTNET" if account.is_testnet else ""
    if kind is BinanceAccountType and account.is_portfolio_margin:
        names = ("SPOT", "USD_M_FUTURE", "COIN_M_FUTURE")
    elif kind is BinanceAccountType:
        names = ("SPOT",)
    else:
        names = tuple(f"{name}{suffix}" for name in ("SPOT", "LINEAR", "INVERSE"))
    wanted = " or ".join(f"{kind.__name__}.{name}" for name in names)
    return f"Use {wanted} in public_conn_config and keep {account.name} in private_conn_config."


def _custom_url(connector: PublicConnectorConfig, where: str) -> None:
    url = connector.custom_url
    if url is not None and not str(url).startswith(("ws://", "wss://")):
        raise ConfigurationError(f"{where}: custom_url={url!r} does not begin with ws:// or wss://.")


def _one_okx(exchange: ExchangeType, accounts: list, where: str) -> None:
    if exchange is ExchangeType.OKX and len(accounts) > 1:
        raise ConfigurationError(
            f"{where} has {len(accounts)} connectors ({', '.join(map(str, accounts))}); OKX has one account for all "
            "instruments: keep one."
        )


def _private(exchange: ExchangeType, connectors: Any, config: Config) -> None:
    where = f"Config.private_conn_config[ExchangeType.{exchange.name}]"
    accounts = []
    for connector in _list(connectors, where):
        if isinstance(connector, MockConnectorConfig):
            raise _no_mock(where, connector.account_type)
        if not isinstance(connector, PrivateConnectorConfig):
            raise ConfigurationError(f"{where} has {connector!r}, which is not a PrivateConnectorConfig.")
        account = _account(exchange, connector, where)
        if not account.may_be_private:
            remedy = BybitAccountType.UNIFIED_TESTNET if account.is_testnet else BybitAccountType.UNIFIED
            raise ConfigurationError(
                f"{where}: {account} takes no orders. Use {remedy} here and keep {account.name} in public_conn_config."
            )
        _testnet(exchange, account, config.basic_config[exchange], where)
        accounts.append(account)
    _one_okx(exchange, accounts, where)
    _distinct(accounts, where)
    _credentials(exchange, config.basic_config[exchange], where)


def _credentials(exchange: ExchangeType, basic: BasicConfig, where: str) -> None:
    needed = ["api_key", "secret"] + (["passphrase"] if exchange is ExchangeType.OKX else [])
    missing = [name for name in needed if not (getattr(basic, name) or "").strip()]
    if missing:
        raise CredentialError(
            f"{where} needs {' and '.join(missing)}, which Config.basic_config[ExchangeType.{exchange.name}] lacks. "
            f"Give BasicConfig({', '.join(f'{n}=…' for n in missing)}), or settings_key=\"{exchange.name}.LIVE\" with "
            f".keys/.secrets.toml, or BasicConfig.from_env(\"{exchange.name}\"); without keys, leave the private "
            "connectors out and run on market data alone, or try `nexus-fast run --sim FILE.py`."
        )
    for name in needed:
        value = getattr(basic, name)
        # A PEM key (Ed25519) has line breaks of its own; anything else with blanks in it was pasted wrongly.
        if "-----BEGIN" not in value and any(c.isspace() or not c.isascii() for c in value):
            raise CredentialError(
                f"the {name} of {exchange.name} has blanks, line breaks or letters outside ASCII in it "
                f"({len(value)} characters); copy it anew. It is not shown here."
            )


# ------------------------------------------------------------------------------------------------ without effect


def _warn_of_ignored(config: Config) -> None:
    for applies, text in _IGNORED:
        if applies(config):
            warnings.warn(f"Config.{text}", UserWarning, stacklevel=4)


_IGNORED: list[tuple[Callable[[Config], bool], str]] = [
    (
        lambda c: c.zero_mq_signal_config is not None,
        "zero_mq_signal_config is not served: on_custom_signal will not be called. Read the socket from a job of "
        "self.schedule, or from another process that writes shared memory.",
    ),
    (
        lambda c: c.web_config.enabled,
        "web_config.enabled is not served: a web server in this process would take the interpreter from the feed. "
        "Run it as a second process that reads the shared memory.",
    ),
    (
        lambda c: c.enable_cli,
        "enable_cli is not served; nexus_fast.shm shows a running engine's quotes and orders from another process.",
    ),
    (
        lambda c: c.storage_backend is not StorageType.SQLITE,
        "storage_backend is not served: orders are kept in the journal (Config.journal_directory), without a database.",
    ),
    (
        lambda c: any(p.tick_poll_interval is not None for group in c.public_conn_config.values() for p in group),
        "public_conn_config: tick_poll_interval has no effect; all venues served here push their data.",
    ),
]
