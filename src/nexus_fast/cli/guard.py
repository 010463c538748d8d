"""`nexus-fast guard`: cancels everything on the accounts when the engine's heart stops."""

import asyncio

import click


def account_types():
    """{"binance.SPOT": BinanceAccountType.SPOT, …}"""
    from nexus_fast.exchange import BinanceAccountType, BybitAccountType, OkxAccountType

    return {f"{t.exchange.value}.{t.name}": t for kind in (BinanceAccountType, BybitAccountType, OkxAccountType) for t in kind}


def parse_account(text):
    """`VENUE.TYPE[=SETTINGS_KEY]`: (account type, settings key or None)."""
    name, _, key = text.partition("=")
    known = account_types()
    if name not in known:
        raise click.BadParameter(f"{name!r} is no account; choose from {', '.join(known)}")
    return known[name], key or None


def credentials(account_type, settings_key, prefix, testnet):
    from nexus_fast.config import BasicConfig

    if settings_key:
        return BasicConfig(settings_key=settings_key, testnet=testnet)
    return BasicConfig.from_env(prefix or account_type.exchange.name, testnet)


@click.command()
@click.argument("strategy_id")
@click.argument("user_id")
@click.option("--account", "accounts", multiple=True, required=True, metavar="VENUE.TYPE[=KEY]",
              help="binance.SPOT=BINANCE.LIVE.ACCOUNT1: the account, and the settings that have its key. May be repeated.")
@click.option("--env", "prefix", metavar="PREFIX", help="Where no settings are named: PREFIX_API_KEY, PREFIX_SECRET, "
              "PREFIX_PASSPHRASE. The default is the venue's name in capitals.")
@click.option("--after", default=15.0, show_default=True, help="Seconds without a heartbeat.")
@click.option("--testnet", is_flag=True)
@click.option("--endpoints", type=click.Path(exists=True, dir_okay=False), help="A file of addresses.")
@click.option("--journal", metavar="DIR", help="Where the journals are: Config.journal_directory of the engine. Its own journal "
              "below it proves a clean end; without that proof everything is canceled. The default is .nexus_fast.")
@click.option("--once", is_flag=True, help="End after everything has been canceled.")
def command(strategy_id, user_id, accounts, prefix, after, testnet, endpoints, journal, once):
    """Watch the engine of STRATEGY_ID and USER_ID, from another process, with its own connections.

    A strategy that blocks its own thread stops the heart too: --after has to be longer than that."""
    import uvloop

    from nexus_fast.answers import reading, told
    from nexus_fast.config import LogConfig
    from nexus_fast.endpoints import load_endpoints
    from nexus_fast.engine.guard import Engine, Heartbeat, guard
    from nexus_fast.engine.safety import emergency_of
    from nexus_fast.error import UnusableAnswer, VenueError
    from nexus_fast.journal.files import journal_path
    from nexus_fast.log import Logger, configure, register_secret
    from nexus_fast.surroundings import keep_secrets

    configure(LogConfig())
    chosen = [parse_account(text) for text in accounts]
    table = load_endpoints(endpoints)

    async def run():
        clients = []
        for account_type, key in chosen:
            basic = credentials(account_type, key, prefix, testnet)
            register_secret(basic.api_key, basic.secret, basic.passphrase)
            keep_secrets()
            try:
                clients.append((account_type, emergency_of(account_type).open_rest(account_type, basic, table)))
            except ValueError as error:
                raise click.UsageError(f"{account_type}: {error}") from None
        log = Logger("guard")
        for account_type, rest in clients:
            try:                                    # a key that is refused shows now, not when it matters
                with reading("the answer to a question with this key"):
                    await emergency_of(account_type).check(rest, account_type)
            except (OSError, UnusableAnswer) as error:
                log.error(f"{account_type}: the key could not be tried: {told(error)}; watching all the same")
            except VenueError as error:
                raise click.ClickException(f"{account_type}: the venue refuses the key: {error}") from None
        log.info(f"watching {strategy_id}.{user_id}: {', '.join(str(t) for t, _ in clients)}")
        try:
            directory = journal_path(journal, strategy_id, user_id).absolute()
            await guard(Engine(Heartbeat(strategy_id, user_id), directory), clients, after, log, once)
        finally:
            await asyncio.gather(*(rest.close() for _, rest in clients))

    uvloop.run(run())
