"""Which account takes a symbol: the one place where that is decided, once per symbol when the engine is built.

For each kind of instrument a venue has an order of preference; the first account type that is configured takes it.
Specific accounts come before general ones, so that a program which has SPOT and MARGIN trades spot symbols on SPOT,
and one which has PORTFOLIO_MARGIN besides USD_M_FUTURE trades linear ones on USD_M_FUTURE.
"""

from collections.abc import Collection, Iterable

from nexus_fast.constants import AccountType, ExchangeType, InstrumentType
from nexus_fast.error import RouteError
from nexus_fast.exchange.binance.accounts import BinanceAccountType as Binance
from nexus_fast.exchange.bybit.accounts import BybitAccountType as Bybit
from nexus_fast.exchange.okx.accounts import OkxAccountType as Okx

SPOT, LINEAR, INVERSE = InstrumentType.SPOT, InstrumentType.LINEAR, InstrumentType.INVERSE
_BYBIT_PRIVATE = (Bybit.UNIFIED, Bybit.UNIFIED_TESTNET)
_OKX = (Okx.LIVE, Okx.DEMO)

PRIVATE: dict[ExchangeType, dict[InstrumentType, tuple[AccountType, ...]]] = {
    ExchangeType.BINANCE: {
        SPOT: (Binance.SPOT, Binance.SPOT_TESTNET, Binance.MARGIN, Binance.ISOLATED_MARGIN, Binance.PORTFOLIO_MARGIN),
        LINEAR: (Binance.USD_M_FUTURE, Binance.USD_M_FUTURE_TESTNET, Binance.PORTFOLIO_MARGIN),
        INVERSE: (Binance.COIN_M_FUTURE, Binance.COIN_M_FUTURE_TESTNET, Binance.PORTFOLIO_MARGIN),
    },
    ExchangeType.BYBIT: {SPOT: _BYBIT_PRIVATE, LINEAR: _BYBIT_PRIVATE, INVERSE: _BYBIT_PRIVATE},
    ExchangeType.OKX: {SPOT: _OKX, LINEAR: _OKX, INVERSE: _OKX},
}
PUBLIC: dict[ExchangeType, dict[InstrumentType, tuple[AccountType, ...]]] = {
    ExchangeType.BINANCE: {
        SPOT: (Binance.SPOT, Binance.SPOT_TESTNET),
        LINEAR: (Binance.USD_M_FUTURE, Binance.USD_M_FUTURE_TESTNET),
        INVERSE: (Binance.COIN_M_FUTURE, Binance.COIN_M_FUTURE_TESTNET),
    },
    ExchangeType.BYBIT: {
        SPOT: (Bybit.SPOT, Bybit.SPOT_TESTNET),
        LINEAR: (Bybit.LINEAR, Bybit.LINEAR_TESTNET),
        INVERSE: (Bybit.INVERSE, Bybit.INVERSE_TESTNET),
    },
    ExchangeType.OKX: {SPOT: _OKX, LINEAR: _OKX, INVERSE: _OKX},
}


def _first(table, exchange: ExchangeType, type: InstrumentType, configured: Collection) -> AccountType | None:
    preferred = table.get(exchange, {}).get(type, ())
    return next((account for account in preferred if account in configured), None)


def account_for(
    exchange: ExchangeType, type: InstrumentType, configured: Collection[AccountType]
) -> AccountType | None:
    """The account an order for such an instrument takes, of the private connectors configured; None if none does."""
    return _first(PRIVATE, exchange, type, configured)


def feed_for(exchange: ExchangeType, type: InstrumentType, configured: Collection[AccountType]) -> AccountType | None:
    """The public connector that carries such an instrument's market data; None if none does."""
    return _first(PUBLIC, exchange, type, configured)


def takes(account: AccountType, exchange: ExchangeType, type: InstrumentType) -> bool:
    """Whether an account of this type can hold orders for such an instrument at all."""
    return account in PRIVATE.get(exchange, {}).get(type, ())


def _named(accounts: Iterable[AccountType]) -> str:
    return ", ".join(map(str, accounts)) or "none"


def resolve_account(
    symbol: str,
    exchange: ExchangeType,
    type: InstrumentType,
    configured: Collection[AccountType],
    override: AccountType | None = None,
) -> AccountType:
    """The account for one order: `override` when given and fit, else account_for. Raises RouteError."""
    if override is None:
        account = account_for(exchange, type, configured)
        if account is None:
            wanted = PRIVATE.get(exchange, {}).get(type, ())
            raise RouteError(
                f"{symbol}: no private connector takes {type.value} orders on {exchange.name} (configured: "
                f"{_named(configured)}). Add PrivateConnectorConfig(account_type=…) with one of {_named(wanted)} to "
                f"Config.private_conn_config[ExchangeType.{exchange.name}]."
            )
        return account
    if not isinstance(override, AccountType):
        raise RouteError(
            f"{symbol}: account_type={override!r} is a {override.__class__.__name__}, not an account type such as "
            f"{_named(PRIVATE.get(exchange, {}).get(type, ())[:1])}."
        )
    if override not in configured:
        raise RouteError(
            f"{symbol}: account_type={override} has no private connector (configured: {_named(configured)}). Add one "
            "to Config.private_conn_config, or leave account_type out."
        )
    if not takes(override, exchange, type):
        raise RouteError(
            f"{symbol}: account_type={override} does not take {type.value} orders of {exchange.name}; "
            f"{_named(a for a in PRIVATE.get(exchange, {}).get(type, ()) if a in configured)} of those configured do."
        )
    return override


def resolve_feed(
    symbol: str, exchange: ExchangeType, type: InstrumentType, configured: Collection[AccountType]
) -> AccountType:
    """The public connector for one symbol. Raises RouteError."""
    feed = feed_for(exchange, type, configured)
    if feed is None:
        raise RouteError(
            f"{symbol}: no public connector carries {type.value} market data of {exchange.name} (configured: "
            f"{_named(configured)}). Add PublicConnectorConfig(account_type=…) with one of "
            f"{_named(PUBLIC.get(exchange, {}).get(type, ()))} to "
            f"Config.public_conn_config[ExchangeType.{exchange.name}]."
        )
    return feed
