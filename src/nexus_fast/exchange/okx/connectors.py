"""What OKX has for the engine: lists of instruments, its feed, its account, REST questions."""

import asyncio
from typing import Any

from nexus_fast.config import BasicConfig, PrivateConnectorConfig, PublicConnectorConfig
from nexus_fast.endpoints import Endpoints
from nexus_fast.error import CredentialError, EngineBuildError
from nexus_fast.exchange.instrument import Instrument, InstrumentTable

TABLE = "okx"


async def load_instruments(
    account_type: Any, testnet: bool, endpoints: Endpoints
) -> tuple[list[Instrument], list[tuple[str, str]]]:
    """Everything that the venue lists, and what was left out of it: (instId, reason).

    Raises OSError, TimeoutError or VenueError when the venue cannot be asked."""
    from nexus_fast.exchange.okx.instruments import KINDS, PATH, parse_instruments
    from nexus_fast.gateway.okx_rest import OkxRest

    rest = OkxRest(endpoints.url(TABLE, "rest", testnet), demo=account_type.is_testnet)
    try:
        bodies = await asyncio.gather(*(rest.get(PATH, {"instType": kind}) for kind in KINDS))
    finally:
        await rest.close()
    lists = [parse_instruments(body) for body in bodies]
    return [one for found, _ in lists for one in found], [one for _, skipped in lists for one in skipped]


def make_feed(host: Any, connector: PublicConnectorConfig, testnet: bool, endpoints: Endpoints) -> Any:
    from nexus_fast.exchange.okx.feed import OkxFeed
    from nexus_fast.exchange.okx.instruments import ALL_TYPES

    account_type = connector.account_type
    symbols = host.core.symbol_table(account_type.exchange, *ALL_TYPES)
    table = endpoints.table(TABLE, testnet)
    return OkxFeed(host, account_type, table, connector.custom_url, symbols, connector.connections)


def make_account(
    host: Any, connector: PrivateConnectorConfig, index: int, basic: BasicConfig, endpoints: Endpoints
) -> Any:
    """Raises CredentialError for keys that cannot be used, EngineBuildError for order entry by REST."""
    from nexus_fast.exchange.okx.account import OkxAccount
    from nexus_fast.gateway.okx_rest import OkxKey

    account_type = connector.account_type
    if (connector.entry or host.config.order_entry) == "rest":
        raise EngineBuildError(
            f'{account_type}: order entry by REST is not served for OKX; give PrivateConnectorConfig(entry="ws"), which is '
            "faster there."
        )
    try:
        key = OkxKey(basic.api_key, basic.secret, basic.passphrase)
    except ValueError as error:
        raise CredentialError(f"BasicConfig of {account_type.exchange.name}: {error}") from None
    return OkxAccount(host, account_type, index, key, endpoints.table(TABLE, basic.testnet))


def make_requests(account_type: Any, rest: Any, instruments: InstrumentTable) -> Any:
    """What can be asked over the REST client of a connector of this type."""
    from nexus_fast.exchange.okx.requests import OkxRequests

    return OkxRequests(rest, instruments)


def instrument_class() -> type[Instrument]:
    from nexus_fast.exchange.okx.instruments import OkxInstrument

    return OkxInstrument
