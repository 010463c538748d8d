"""How an engine is put together: its accounts and feeds are made, connected and recovered, its strategies attached."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from nexus_fast.answers import told
from nexus_fast.config import PrivateConnectorConfig
from nexus_fast.constants import ExchangeType
from nexus_fast.engine.host import Host
from nexus_fast.engine.recovery import Recovery
from nexus_fast.engine.runtime import Runtime
from nexus_fast.error import EngineBuildError
from nexus_fast.exchange.catalogue import make_account, make_feed
from nexus_fast.exchange.routing import account_for
from nexus_fast.log import Logger
from nexus_fast.strategy.base import attach

READY_SECONDS = 30.0
OPEN_WAIT, LAST_WAIT = 1.0, 30.0     # before an account that could not be opened is tried again: doubles

Private = tuple[ExchangeType, PrivateConnectorConfig]


def make_accounts(host: Host, private: Sequence[Private], endpoints: Mapping) -> None:
    for index, (exchange, connector) in enumerate(private):
        host.safety.add(connector)
        account = make_account(host, connector, index, host.config.basic_config[exchange], endpoints)
        host.accounts[connector.account_type] = account


def make_feeds(host: Host, endpoints: Mapping) -> None:
    for exchange, connectors in host.config.public_conn_config.items():
        for connector in connectors:
            testnet = host.config.basic_config[exchange].testnet
            host.feeds[connector.account_type] = make_feed(host, connector, testnet, endpoints)


def set_default_accounts(host: Host) -> None:
    """Once per symbol: which account its orders take without account_type=."""
    configured = list(host.accounts)
    chosen: dict[Any, Any] = {}
    for number, instrument in enumerate(host.core.instruments):
        key = (instrument.exchange, instrument.type)
        if key not in chosen:
            chosen[key] = account_for(*key, configured)
        if chosen[key] is not None:
            host.core.routes.set_default(number, host.accounts[chosen[key]].index)


def attach_strategies(host: Host, runtime: Runtime) -> None:
    core = host.core
    names = [i.symbol for i in core.instruments]
    exchanges = [i.exchange for i in core.instruments]
    account_ids = {account_type: account.index for account_type, account in host.accounts.items()}
    for index, strategy in enumerate(host.strategies):
        attach(strategy, runtime, core.entry, index, core.symbol_ids, names, exchanges, account_ids)


async def open_accounts(host: Host, log: Logger) -> None:
    """All at once. A refused key stops the build; a venue that is down does not: its orders are refused until it is up."""
    accounts = list(host.accounts.values())
    results = await asyncio.gather(*(account.open() for account in accounts), return_exceptions=True)
    for account, result in zip(accounts, results, strict=True):
        if isinstance(result, EngineBuildError):
            raise result
        if isinstance(result, BaseException):
            log.error(f"{account.account_type}: could not be opened: {told(result)}")
            host.spawn(_open_later(account, log))
    await _connected([a for a, result in zip(accounts, results, strict=True) if result is None], log)


async def _connected(accounts: Sequence[Any], log: Logger) -> None:
    """Whoever is late goes on connecting beside the engine."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            await asyncio.gather(*(account.ready.wait() for account in accounts))
    except TimeoutError:
        for account in accounts:
            if not account.ready.is_set():
                log.error(f"{account.account_type}: not connected after {READY_SECONDS:.0f} s; going on without it")


async def _open_later(account: Any, log: Logger) -> None:
    """Until it is open; the end of the engine ends it."""
    wait = OPEN_WAIT
    while True:
        await asyncio.sleep(wait)
        wait = min(2 * wait, LAST_WAIT)
        try:
            await account.open()
            return
        except Exception as error:
            log.error(f"{account.account_type}: still not open: {told(error)}")


async def recover_accounts(host: Host, recovery: Recovery) -> None:
    """Before the strategies, of every account that is open; of the others as soon as they are."""

    async def recover(account: Any) -> None:
        await account.ready.wait()
        await recovery.recover(account)

    accounts = list(host.accounts.values())
    for account in accounts:
        if not account.ready.is_set():
            host.keep(f"{account.account_type}: the recovery", partial(recover, account))
    await asyncio.gather(*(recovery.recover(account) for account in accounts if account.ready.is_set()))
    recovery.tell_untold()
