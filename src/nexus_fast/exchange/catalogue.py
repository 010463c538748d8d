"""Which venue has which connectors: the one place that names the venues' folders."""

import asyncio
from typing import Any

from nexus_fast.config import BasicConfig, Config, PrivateConnectorConfig, PublicConnectorConfig
from nexus_fast.constants import ExchangeType
from nexus_fast.endpoints import Endpoints
from nexus_fast.error import CredentialError, EngineBuildError, VenueError
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.log import Logger

EXCHANGE_INFO = {"spot": "/api/v3/exchangeInfo", "usd_m": "/fapi/v1/exchangeInfo"}


async def load_instruments(config: Config, endpoints: Endpoints) -> list[Instrument]:
    """What the configured public connectors list. Raises EngineBuildError when a venue cannot be asked."""
    for connectors in config.private_conn_config.values():
        for connector in connectors:
            _require_served(connector.account_type)
    wanted = [
        (connector.account_type, config.basic_config[exchange].testnet)
        for exchange, connectors in config.public_conn_config.items()
        for connector in connectors
    ]
    lists = await asyncio.gather(*(_load(account_type, testnet, endpoints) for account_type, testnet in wanted))
    # By way of the table: of two kinds under one symbol the first stays.
    return list(InstrumentTable(instrument for found in lists for instrument in found))


async def _load(account_type: Any, testnet: bool, endpoints: Endpoints) -> list[Instrument]:
    from nexus_fast.exchange.binance.instruments import parse_exchange_info
    from nexus_fast.gateway.rest import BinanceRest

    _require_served(account_type)
    family = account_type.family
    url = endpoints.url(f"binance.{family}", "rest", testnet)
    rest = BinanceRest(url)
    try:
        body = await rest.get(EXCHANGE_INFO[family])
    except (OSError, TimeoutError, VenueError) as error:
        raise EngineBuildError(
            f"{account_type}: the list of instruments could not be loaded from {url} ({error}). Check the network and the "
            "endpoints; without its instruments a venue cannot be traded."
        ) from None
    finally:
        await rest.close()
    info = parse_exchange_info(family, body)
    for symbol, reason in info.skipped:
        Logger("instruments").warning(f"{account_type}: {symbol} is left out: {reason}")
    return info.instruments


def _require_served(account_type: Any) -> None:
    if account_type.exchange is not ExchangeType.BINANCE or account_type.family not in EXCHANGE_INFO:
        raise EngineBuildError(
            f"{account_type} cannot be connected by this version: it serves Binance SPOT and USD_M_FUTURE and their testnets."
        )


def make_feed(host: Any, connector: PublicConnectorConfig, testnet: bool, endpoints: Endpoints) -> Any:
    """The public connector of one account type."""
    from nexus_fast.exchange.binance.feed import BinanceFeed
    from nexus_fast.exchange.binance.instruments import TYPES

    account_type = connector.account_type
    symbols = host.core.symbol_table(account_type.exchange, TYPES[account_type.family])
    table = endpoints.table(f"binance.{account_type.family}", testnet)
    return BinanceFeed(host, account_type, table, connector.custom_url, symbols)


def make_account(
    host: Any, connector: PrivateConnectorConfig, index: int, basic: BasicConfig, endpoints: Endpoints
) -> Any:
    """The private connector of one account type. Raises CredentialError for keys that cannot be used."""
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
