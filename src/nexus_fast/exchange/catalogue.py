"""Which venue has which connectors: each has a module `exchange/<venue>/connectors.py`, imported when it is configured.

    async load_instruments(account_type, testnet, endpoints) -> (instruments, [(venue symbol, why it was left out)])
    make_feed(host, connector, testnet, endpoints)              the public connector of one account type
    make_account(host, connector, index, basic, endpoints)      the private one; raises CredentialError for unusable keys
    make_requests(account_type, rest, instruments)              what can be asked over a connector's REST client
    instrument_class()                                          of its instruments: Instrument, or what derives from it
"""

import asyncio
import importlib
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from nexus_fast.answers import reading, told
from nexus_fast.config import BasicConfig, Config, PrivateConnectorConfig, PublicConnectorConfig
from nexus_fast.constants import ExchangeType
from nexus_fast.endpoints import Endpoints
from nexus_fast.error import NO_ANSWER, EngineBuildError, InstrumentError
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.exchange.one_to_one import is_reused, one_to_one, twin_text, venue_key
from nexus_fast.log import Logger
from nexus_fast.private import replace_file

# A list of instruments that was not given, or not in a form that can be used.
NO_LIST = (*NO_ANSWER, InstrumentError)
_log = Logger("instruments")


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
    kept, twins = one_to_one(instrument for found in lists for instrument in found)
    for left_out, holder in twins:
        _log.warning(twin_text(left_out, holder))
    return kept


async def read_list(account_type: Any, testnet: bool, endpoints: Endpoints) -> tuple[list[Instrument], list[tuple[str, str]]]:
    """The venue's list as it is now, and what was left out of it. Raises one of NO_LIST when there is none: an empty one and one
    without a readable row are no answer."""
    with reading(f"{account_type}: the list of instruments"):
        instruments, skipped = await connectors_of(account_type.exchange).load_instruments(account_type, testnet, endpoints)
    if not instruments:
        why = f"none of its {len(skipped)} rows can be used ({skipped[0][0]}: {skipped[0][1]})" if skipped else "it is empty"
        raise InstrumentError(f"{account_type}: the venue's list of instruments has nothing to trade: {why}")
    return instruments, skipped


async def _load(account_type: Any, testnet: bool, endpoints: Endpoints, directory: Path) -> list[Instrument]:
    kept = KeptInstruments(directory, account_type)
    try:
        instruments, skipped = await read_list(account_type, testnet, endpoints)
    except NO_LIST as error:
        return _stand_in(kept, account_type, told(error))
    for symbol, reason in skipped:
        _log.warning(f"{account_type}: {symbol} is left out: {reason}")
    before = kept.read() or []
    _tell_switched(account_type, before, instruments)
    instruments += _missing_kinds(kept, account_type, before, instruments)
    kept.write(instruments)
    return instruments


def _stand_in(kept: "KeptInstruments", account_type: Any, cause: str) -> list[Instrument]:
    instruments = kept.read()
    if not instruments:
        raise EngineBuildError(
            f"{account_type}: the list of instruments could not be loaded ({cause}). Check the network and the "
            "endpoints; without its instruments a venue cannot be traded."
        )
    _log.error(
        f"{account_type}: the list of instruments could not be loaded ({cause}); using the one of "
        f"{kept.age_hours():.1f} hours ago, so that the other venues can be traded"
    )
    return instruments


def _tell_switched(account_type: Any, before: list[Instrument], instruments: list[Instrument]) -> None:
    """A symbol that stands for another contract than in the last session: what that one left is not this one's."""
    stood = {instrument.symbol: instrument for instrument in one_to_one(before)[0]}
    for now in one_to_one(instruments)[0]:
        known = stood.get(now.symbol)
        if known is not None and (venue_key(known) != venue_key(now) or is_reused(known, now)):
            _log.error(
                f"{account_type}: {now.symbol} stood for {known.venue_symbol} in the last session and stands for another "
                f"contract now ({now.venue_symbol}): look after orders and positions that the last one left by hand"
            )


def _missing_kinds(
    kept: "KeptInstruments", account_type: Any, before: list[Instrument], instruments: list[Instrument]
) -> list[Instrument]:
    """Of a venue with a list for each kind, one may be empty: what was there last time stands in for that kind."""
    kinds = {instrument.type for instrument in instruments}
    missing = [instrument for instrument in before if instrument.type not in kinds]
    if missing:
        names = ", ".join(sorted({instrument.type.value for instrument in missing}))
        _log.error(
            f"{account_type}: the venue lists nothing {names} any more; using its list of {kept.age_hours():.1f} hours ago. If "
            f"that is so, remove {kept.file}"
        )
    return missing


class KeptInstruments:
    """The last list that a venue gave, in a file private to the user."""

    def __init__(self, directory: Path, account_type: Any):
        self.exchange = account_type.exchange
        self.file = directory / f"instruments.{account_type.exchange.value}.{account_type.name.lower()}.json"

    def write(self, instruments: list[Instrument]) -> None:
        replace_file(self.file, msgspec.json.encode(instruments))

    def read(self) -> list[Instrument] | None:
        try:
            return msgspec.json.decode(self.file.read_bytes(), type=list[connectors_of(self.exchange).instrument_class()])
        except (FileNotFoundError, msgspec.DecodeError, RecursionError):
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
