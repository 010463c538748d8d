"""`nexus-fast inspect`: what the engine makes of a frame, and the bytes it would send for an order."""

import json
import os
import sys

import click


@click.group()
def command():
    """Look at what goes in and out."""


@command.command()
@click.argument("venue")
@click.argument("market")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--explain", is_flag=True, help="Also how the parser saw each frame.")
def frame(venue, market, file, explain):
    """Decode frames, one a line, from FILE or standard input. A leading receive time, as in recordings, is skipped.

    VENUE and MARKET: binance spot|usd_m|coin_m, bybit spot|linear|inverse, okx public.
    """
    from nexus_fast import wire

    for line in file:
        payload = line.strip()
        head, _, rest = payload.partition(b" ")
        if head.isdigit():
            payload = rest
        if not payload:
            continue
        events = wire.decode(venue, market, payload)
        click.echo("\n".join(map(str, events)) if events else "no event")
        if explain:
            click.echo(json.dumps(wire.explain(venue, market, payload), default=str))


@command.command()
@click.argument("account_type")
@click.argument("symbol")
@click.argument("side", type=click.Choice(["BUY", "SELL"]))
@click.argument("type", type=click.Choice(["MARKET", "LIMIT", "POST_ONLY"]))
@click.argument("amount")
@click.option("--price")
@click.option("--time-in-force", default="GTC", show_default=True, type=click.Choice(["GTC", "IOC", "FOK"]))
@click.option("--reduce-only", is_flag=True)
@click.option("--client-oid")
@click.option("--entry", default="ws", show_default=True, type=click.Choice(["ws", "rest"]))
@click.option("--api-key", default="example-key", show_default=True)
@click.option(
    "--secret",
    envvar="NEXUS_FAST_SECRET",
    default="example-secret",
    show_default=True,
    help="Better by the variable NEXUS_FAST_SECRET: a command line can be seen by others.",
)
@click.option("--timestamp-ms", type=int)
@click.option("--check", is_flag=True, help="Ask the venue for the symbol's limits, also without NEXUS_FAST_ENDPOINTS.")
def order(account_type, symbol, side, type, amount, check, **options):
    """The exact bytes that the engine would send for an order. ACCOUNT_TYPE: SPOT, USD_M_FUTURE, …

    With --check, or with NEXUS_FAST_ENDPOINTS, the order is held against the symbol's limits as the venue lists them: what the
    engine would refuse is said, and ends with status 1."""
    from nexus_fast.cli.order_check import arguments_of
    from nexus_fast.endpoints import VARIABLE
    from nexus_fast.exchange import BinanceAccountType
    from nexus_fast.gateway import preview

    if account_type not in BinanceAccountType.__members__:
        raise click.BadParameter(f"{account_type} is not one of {', '.join(BinanceAccountType.__members__)}")
    try:
        sent = preview(BinanceAccountType[account_type], symbol=symbol, side=side, type=type, amount=amount, **options)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    sys.stdout.buffer.write(sent + b"\n")
    sys.stdout.flush()
    if check or os.environ.get(VARIABLE):
        say_refusal(BinanceAccountType[account_type], symbol, arguments_of(side, type, amount, options))
    else:
        click.echo("not held against the symbol's limits: with --check the venue is asked for them", err=True)


def say_refusal(account_type, symbol, order):
    from nexus_fast.answers import told
    from nexus_fast.cli.order_check import refusal_of
    from nexus_fast.error import NO_ANSWER, OrderError

    try:
        refusal = refusal_of(account_type, symbol, order)
    except OrderError as error:
        refusal = str(error)
    except NO_ANSWER as error:
        raise click.ClickException(f"the venue could not be asked for the symbol's limits: {told(error)}") from None
    if refusal is not None:
        raise click.ClickException(f"the engine would refuse this order: {refusal}")
