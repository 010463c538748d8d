"""Which venue has which connectors: each has a module `exchange/<venue>/connectors.py`, imported when it is configured.

    async load_instruments(account_type, testnet, endpoints) -> (instruments, [(venue symbol, why it was left out)])
    make_feed(host, connector, testnet, endpoints)              the public connector of one account type
    make_account(host, connector, index, basic, endpoints)      the private one; raises CredentialError for unusable keys
    make_requests(account_type, rest, instruments)              what can be asked over a connector's REST client
"""

import asyncio
import importlib
import importlib.util
from types import ModuleType
from typing import Any

from nexus_fast.config import BasicConfig, Config, PrivateConnectorConfig, PublicConnectorConfig
from nexus_fast.constants import ExchangeType
from nexus_fast.endpoints import Endpoints
from nexus_fast.error import EngineBuildError, VenueError
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.log import Logger


def connectors_of(exchange: ExchangeType) -> ModuleType:
    """Raises EngineBuildError for a venue that this version cannot connect."""
    name = f"nexus_fast.exchange.{exchange.value}.connectors"
    if importlib.util.find_spec(name) is None:
        served = [e.name for e in ExchangeType if importlib.util.find_spec(f"nexus_fast.exchange.{e.value}.connectors")]
        raise EngineBuildError(f"{exchange.name} cannot be connected by this version; it serves {', '.join(served)}.")
    return importlib.import_module(name)


async def load_instruments(config: Config, endpoints: Endpoints) -> list[Instrument]:
    """What the configured public connectors list. Raises EngineBuildError when a venue cannot be asked."""
    for exchange in config.private_conn_config:
        connectors_of(exchange)
    wanted = [
        (connector.account_type, config.basic_config[exchange].testnet)
        for exchange, connectors in config.public_conn_config.items()
        for connector in connectors
    ]
    lists = await asyncio.gather(*(_load(account_type, testnet, endpoints) for account_type, testnet in wanted))
    # By way of the table: of two kinds under one symbol the first stays.
    return list(InstrumentTable(instrument for found in lists for instrument in found))


async def _load(account_type: Any, testnet: bool, endpoints: Endpoints) -> list[Instrument]:
    try:
        instruments, skipped = await connectors_of(account_type.exchange).load_instruments(account_type, testnet, endpoints)
    except (OSError, TimeoutError, VenueError) as error:
        raise EngineBuildError(
            f"{account_type}: the list of instruments could not be loaded ({error}). Check the network and the "
            "endpoints; without its instruments a venue cannot be traded."
        ) from None
    for symbol, reason in skipped:
        Logger("instruments").warning(f"{account_type}: {symbol} is left out: {reason}")
    return instruments


def make_feed(host: Any, connector: PublicConnectorConfig, testnet: bool, endpoints: Endpoints) -> Any:
    return connectors_of(connector.account_type.exchange).make_feed(host, connector, testnet, endpoints)


def make_account(
    host: Any, connector: PrivateConnectorConfig, index: int, basic: BasicConfig, endpoints: Endpoints
) -> Any:
    return connectors_of(connector.account_type.exchange).make_account(host, connector, index, basic, endpoints)


def make_requests(account_type: Any, rest: Any, instruments: InstrumentTable) -> Any:
    return connectors_of(account_type.exchange).make_requests(account_type, rest, instruments)
