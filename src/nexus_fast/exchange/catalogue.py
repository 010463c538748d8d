"""Which venue has which connectors: each has a module `exchange/<venue>/connectors.py`, imported when it is configured.

    async load_instruments(account_type, testnet, endpoints) -> (instruments, [(venue symbol, why it was left out)])
    make_feed(host, connector, testnet, endpoints)              the public connector of one account type
    make_account(host, connector, index, basic, endpoints)      the private one; raises CredentialError for unusable keys
    make_requests(account_type, rest, instruments)              what can be asked over a connector's REST client
    instrument_class()                                          of its instruments: Instrument, or what derives from it
"""

import asyncio
import importlib
import os
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from nexus_fast.config import BasicConfig, Config, PrivateConnectorConfig, PublicConnectorConfig
from nexus_fast.constants import ExchangeType
from nexus_fast.endpoints import Endpoints
from nexus_fast.error import EngineBuildError, VenueError
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.log import Logger


def connectors_of(exchange: ExchangeType) -> ModuleType:
    """Raises EngineBuildError for a venue that this version cannot connect."""
    if not _has_connectors(exchange):
        served = ", ".join(e.name for e in ExchangeType if _has_connectors(e))
        raise EngineBuildError(f"{exchange.name} cannot be connected by this version; it serves {served}.")
    return importlib.import_module(f"nexus_fast.exchange.{exchange.value}.connectors")


def _has_connectors(exchange: ExchangeType) -> bool:
    return (Path(__file__).parent / exchange.value / "connectors.py").is_file()


async def load_instruments(config: Config, endpoints: Endpoints, directory: Path) -> list[Instrument]:
    """What the configured public connectors list. A venue that cannot be asked does not stop the others: its last list, kept
    in `directory`, stands in. Raises EngineBuildError when there is none."""
    for exchange in config.private_conn_config:
        connectors_of(exchange)
    wanted = [
        (connector.account_type, config.basic_config[exchange].testnet)
        for exchange, connectors in config.public_conn_config.items()
        for connector in connectors
    ]
    lists = await asyncio.gather(*(_load(account_type, testnet, endpoints, directory) for account_type, testnet in wanted))
    # By way of the table: of two kinds under one symbol the first stays.
    return list(InstrumentTable(instrument for found in lists for instrument in found))


async def _load(account_type: Any, testnet: bool, endpoints: Endpoints, directory: Path) -> list[Instrument]:
    kept = KeptInstruments(directory, account_type)
    try:
        instruments, skipped = await connectors_of(account_type.exchange).load_instruments(account_type, testnet, endpoints)
    except (OSError, TimeoutError, VenueError) as error:
        instruments = kept.read()
        cause = str(error) or type(error).__name__
        if instruments is None:
            raise EngineBuildError(
                f"{account_type}: the list of instruments could not be loaded ({cause}). Check the network and the "
                "endpoints; without its instruments a venue cannot be traded."
            ) from None
        Logger("instruments").error(
            f"{account_type}: the list of instruments could not be loaded ({cause}); using the one of "
            f"{kept.age_hours():.1f} hours ago, so that the other venues can be traded"
        )
        return instruments
    for symbol, reason in skipped:
        Logger("instruments").warning(f"{account_type}: {symbol} is left out: {reason}")
    kept.write(instruments)
    return instruments


class KeptInstruments:
    """The last list that a venue gave, in a file private to the user."""

    def __init__(self, directory: Path, account_type: Any):
        self.exchange = account_type.exchange
        self.file = directory / f"instruments.{account_type.exchange.value}.{account_type.name.lower()}.json"

    def write(self, instruments: list[Instrument]) -> None:
        replacement = self.file.with_suffix(".new")
        replacement.write_bytes(msgspec.json.encode(instruments))
        os.replace(replacement, self.file)

    def read(self) -> list[Instrument] | None:
        try:
            return msgspec.json.decode(self.file.read_bytes(), type=list[connectors_of(self.exchange).instrument_class()])
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def age_hours(self) -> float:
        return (time.time() - self.file.stat().st_mtime) / 3600


def make_feed(host: Any, connector: PublicConnectorConfig, testnet: bool, endpoints: Endpoints) -> Any:
    return connectors_of(connector.account_type.exchange).make_feed(host, connector, testnet, endpoints)


def make_account(
    host: Any, connector: PrivateConnectorConfig, index: int, basic: BasicConfig, endpoints: Endpoints
) -> Any:
    return connectors_of(connector.account_type.exchange).make_account(host, connector, index, basic, endpoints)


def make_requests(account_type: Any, rest: Any, instruments: InstrumentTable) -> Any:
    return connectors_of(account_type.exchange).make_requests(account_type, rest, instruments)
