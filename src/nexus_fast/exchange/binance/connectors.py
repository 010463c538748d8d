"""What Binance has for the engine: lists of instruments, feeds, accounts, REST questions."""

from typing import Any

from nexus_fast.config import BasicConfig, PrivateConnectorConfig, PublicConnectorConfig
from nexus_fast.endpoints import Endpoints
from nexus_fast.error import CredentialError
from nexus_fast.exchange.instrument import Instrument, InstrumentTable


async def load_instruments(
    account_type: Any, testnet: bool, endpoints: Endpoints
) -> tuple[list[Instrument], list[tuple[str, str]]]:
    """What the venue lists for this account type, and what was left out of it: (venue symbol, reason).

    Raises OSError, TimeoutError or VenueError when the venue cannot be asked."""
    from nexus_fast.exchange.binance.families import MARKETS
    from nexus_fast.exchange.binance.instruments import parse_exchange_info
    from nexus_fast.gateway.rest import BinanceRest

    rest = BinanceRest(endpoints.url(f"binance.{account_type.family}", "rest", testnet))
    try:
        info = parse_exchange_info(account_type.family, await rest.get(MARKETS[account_type.family].exchange_info))
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
    from nexus_fast.exchange.binance.families import MARKETS, clock_market, families_of
    from nexus_fast.gateway.credentials import ED25519, Credentials

    account_type = connector.account_type
    try:
        credentials = Credentials(basic.api_key, basic.secret)
    except ValueError as error:
        raise CredentialError(f"BasicConfig of {account_type.exchange.name}: {error}") from None
    by_rest = _is_by_rest(account_type)
    entry = "rest" if by_rest or (connector.entry or host.config.order_entry) == "rest" else "ws"
    if entry == "rest" and credentials.kind == ED25519:
        remedy = "Use an HMAC key: this account has no other order entry." if by_rest else (
            'Use the WebSocket API (order_entry="fastest"), where an Ed25519 key logs on once.'
        )
        raise CredentialError(
            f"{account_type}: order entry by REST needs an HMAC key, as an Ed25519 signature of each order costs 38 µs. {remedy}"
        )
    table = endpoints.table(f"binance.{families_of(account_type)[0].endpoints}", basic.testnet)
    arguments = (host, account_type, index, credentials, table, entry)
    if account_type.is_portfolio_margin:
        from nexus_fast.exchange.binance.portfolio_account import PortfolioAccount

        market = clock_market(account_type)
        clock = endpoints.url(f"binance.{market}", "rest", basic.testnet), MARKETS[market].time
        return PortfolioAccount(*arguments, clock=clock)
    if account_type.is_isolated_margin_or_margin:
        from nexus_fast.exchange.binance.margin_account import IsolatedMarginAccount, MarginAccount

        return (IsolatedMarginAccount if account_type.is_isolated_margin else MarginAccount)(*arguments)
    from nexus_fast.exchange.binance.account import BinanceAccount

    return BinanceAccount(*arguments)


def _is_by_rest(account_type: Any) -> bool:
    """Whether its orders can be sent by REST alone."""
    return account_type.is_portfolio_margin or account_type.is_isolated_margin_or_margin


def make_requests(account_type: Any, rest: Any, instruments: InstrumentTable) -> Any:
    """What can be asked over the REST client of a connector of this type."""
    from nexus_fast.exchange.binance.requests import BinanceRequests

    return BinanceRequests(rest, account_type, instruments)


def instrument_class() -> type[Instrument]:
    return Instrument
