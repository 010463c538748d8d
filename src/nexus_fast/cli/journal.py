"""`nexus-fast journal`: the orders of a strategy as its journal has them."""

import click


def nanoseconds(context, parameter, text):
    """An ISO 8601 time, UTC unless it says otherwise, as nanoseconds since 1970."""
    if text is None:
        return None
    from datetime import UTC

    import ciso8601

    try:
        moment = ciso8601.parse_datetime(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not an ISO 8601 time such as 2026-11-22T20:15:00Z ({error})") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000


@click.group()
def command():
    """Read a strategy's journal."""


@command.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False))
@click.option("--since", callback=nanoseconds, metavar="TIME", help="From this ISO 8601 time on.")
@click.option("--until", callback=nanoseconds, metavar="TIME", help="Before this ISO 8601 time.")
def show(directory, since, until):
    """Print every order event in DIRECTORY (.nexus_fast/STRATEGY_ID.USER_ID), oldest first."""
    from nexus_fast import journal

    events = journal.read_journal(directory)
    for event in events:
        if (since is None or event.time_ns >= since) and (until is None or event.time_ns < until):
            click.echo(journal.show(event))
    for torn in events.torn:
        click.echo(f"not readable: {torn}", err=True)
