"""What Binance has for the engine: lists of instruments, feeds, accounts, REST questions."""

from typing import Any

from nexus_fast.config import BasicConfig, PrivateConnectorConfig, PublicConnectorConfig
from nexus_fast.endpoints import Endpoints
from nexus_fast.error import CredentialError, EngineBuildError
from nexus_fast.exchange.instrument import Instrument, InstrumentTable

EXCHANGE_INFO = {"spot": "/api/v3/exchangeInfo", "usd_m": "/fapi/v1/exchangeInfo"}


async def load_instruments(
    account_type: Any, testnet: bool, endpoints: Endpoints
) -> tuple[list[Instrument], list[tuple[str, str]]]:
    """What the venue lists for this account type, and what was left out of it: (venue symbol, reason).

    Raises OSError, TimeoutError or VenueError when the venue cannot be asked."""
    from nexus_fast.exchange.binance.instruments import parse_exchange_info
    from nexus_fast.gateway.rest import BinanceRest

    _require_served(account_type)
    rest = BinanceRest(endpoints.url(f"binance.{account_type.family}", "rest", testnet))
    try:
        info = parse_exchange_info(account_type.family, await rest.get(EXCHANGE_INFO[account_type.family]))
    finally:
        await rest.close()
    return info.instruments, info.skipped


def make_feed(host: Any, connector: PublicConnectorConfig, testnet: bool, endpoints: Endpoints) -> Any:
    from nexus_fast.exchange.binance.feed import BinanceFeed
    from nexus_fast.exchange.binance.instruments import TYPES

    account_type = connector.account_type
    symbols = host.core.symbol_table(account_type.exchange, TYPES[account_type.family])
    table = endpoints.table(f"binance.{account_type.family}", testnet)
    return BinanceFeed(host, account_type, table, connector.custom_url, symbols, connector.connections)


def make_account(
    host: Any, connector: PrivateConnectorConfig, index: int, basic: BasicConfig, endpoints: Endpoints
) -> Any:
    """Raises CredentialError for keys that cannot be used."""
    from nexus_fast.exchange.binance.account import BinanceAccount
    from nexus_fast.gateway.credentials import ED25519, Credentials

    account_type = connector.account_type
    _require_served(account_type)
    try:
        credentials = Credentials(basic.api_key, basic.secret)
    except ValueError as error:
        raise CredentialError(f"BasicConfig of {account_type.exchange.name}: {error}") from None
    wanted = connector.entry or host.config.order_entry
    if wanted == "rest" and credentials.kind == ED25519:
        raise CredentialError(
            f"{account_type}: order entry by REST needs an HMAC key, as an Ed25519 signature of each order costs 38 µs. Use the "
            'WebSocket API (order_entry="fastest"), where an Ed25519 key logs on once.'
        )
    table = endpoints.table(f"binance.{account_type.family}", basic.testnet)
    return BinanceAccount(host, account_type, index, credentials, table, "rest" if wanted == "rest" else "ws")


def make_requests(account_type: Any, rest: Any, instruments: InstrumentTable) -> Any:
    """What can be asked over the REST client of a connector of this type."""
    from nexus_fast.exchange.binance.requests import BinanceRequests

    return BinanceRequests(rest, account_type.family, instruments)


def _require_served(account_type: Any) -> None:
    if account_type.family not in EXCHANGE_INFO:
        raise EngineBuildError(
            f"{account_type} cannot be connected by this version: it serves Binance SPOT and USD_M_FUTURE and their testnets."
        )


def instrument_class() -> type[Instrument]:
    return Instrument
