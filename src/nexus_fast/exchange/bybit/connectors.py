"""What Bybit has for the engine: lists of instruments, feeds, the account, REST questions."""

from typing import Any

from nexus_fast.config import BasicConfig, PrivateConnectorConfig, PublicConnectorConfig
from nexus_fast.endpoints import Endpoints
from nexus_fast.error import CredentialError, EngineBuildError
from nexus_fast.exchange.instrument import Instrument, InstrumentTable

TABLE = "bybit"
PAGE = 1000


async def load_instruments(
    account_type: Any, testnet: bool, endpoints: Endpoints
) -> tuple[list[Instrument], list[tuple[str, str]]]:
    """What the venue lists for this account type, and what was left out of it: (venue symbol, reason).

    Raises OSError, TimeoutError or VenueError when the venue cannot be asked."""
    from nexus_fast.exchange.bybit.instruments import PATH, parse_instruments
    from nexus_fast.gateway.bybit_rest import BybitRest

    _require_served(account_type)
    rest = BybitRest(endpoints.url(TABLE, "rest", testnet))
    try:
        pages = await rest.pages(PATH, {"category": account_type.family, "limit": PAGE})
    finally:
        await rest.close()
    instruments, skipped = [], []
    for page in pages:
        found, left_out = parse_instruments(account_type.family, page)
        instruments += found
        skipped += left_out
    return instruments, skipped


def make_feed(host: Any, connector: PublicConnectorConfig, testnet: bool, endpoints: Endpoints) -> Any:
    from nexus_fast.exchange.bybit.feed import BybitFeed
    from nexus_fast.exchange.bybit.instruments import TYPES

    account_type = connector.account_type
    symbols = host.core.symbol_table(account_type.exchange, TYPES[account_type.family])
    table = endpoints.table(TABLE, testnet)
    return BybitFeed(host, account_type, table, connector.custom_url, symbols, connector.connections)


def make_account(
    host: Any, connector: PrivateConnectorConfig, index: int, basic: BasicConfig, endpoints: Endpoints
) -> Any:
    """Raises CredentialError for keys that cannot be used."""
    from nexus_fast.exchange.bybit.account import BybitAccount
    from nexus_fast.gateway.credentials import HMAC, Credentials

    account_type = connector.account_type
    try:
        credentials = Credentials(basic.api_key, basic.secret)
    except ValueError as error:
        raise CredentialError(f"BasicConfig of {account_type.exchange.name}: {error}") from None
    if credentials.kind != HMAC:
        raise CredentialError(f"BasicConfig of {account_type.exchange.name}: the secret is a private key; give an HMAC secret.")
    if connector.entry == "rest":
        raise CredentialError(f"{account_type}: orders go over the trade WebSocket; leave entry= out of its connector.")
    return BybitAccount(host, account_type, index, credentials, endpoints.table(TABLE, basic.testnet))


def make_requests(account_type: Any, rest: Any, instruments: InstrumentTable) -> Any:
    """What can be asked over the REST client of a connector of this type."""
    from nexus_fast.exchange.bybit.requests import BybitRequests

    return BybitRequests(rest, account_type.family, instruments)


def _require_served(account_type: Any) -> None:
    if account_type.family not in ("spot", "linear", "inverse"):
        raise EngineBuildError(
            f"{account_type} cannot be connected by this version: it serves Bybit SPOT, LINEAR and INVERSE and their testnets."
        )


def instrument_class() -> type[Instrument]:
    return Instrument
