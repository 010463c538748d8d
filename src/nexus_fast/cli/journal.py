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
    """A strategy's journal."""


@command.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False))
@click.option("--since", callback=nanoseconds, metavar="TIME", help="From this ISO 8601 time on.")
@click.option("--until", callback=nanoseconds, metavar="TIME", help="Before this ISO 8601 time.")
@click.option("--order", metavar="OID", help="Of this order alone: our id or the venue's.")
@click.option("--open", "open_only", is_flag=True, help="Instead: the orders that are not over at the journal's end.")
def show(directory, since, until, order, open_only):
    """Print every record in DIRECTORY (.nexus_fast/STRATEGY_ID.USER_ID), oldest first."""
    from nexus_fast import journal

    if open_only:
        show_open(directory)
        return
    events = journal.read_journal(directory)
    for event in events:
        named = order is None or order in (event.client_id, event.venue_id)
        if named and (since is None or event.time_ns >= since) and (until is None or event.time_ns < until):
            click.echo(journal.show(event, events.names))
    for torn in events.torn:
        click.echo(f"not readable: {torn}", err=True)


@command.command("clear-kill")
@click.argument("directory", type=click.Path(exists=True, file_okay=False))
def clear_kill(directory):
    """Lift the kill switch of the engine whose journal is in DIRECTORY (.nexus_fast/STRATEGY_ID.USER_ID).

    Look at the accounts first: nothing here asks the venues."""
    from nexus_fast.journal.kill_mark import KillMark

    mark = KillMark(directory)
    kill = mark.read()
    if kill is None:
        click.echo(f"{directory}: no kill switch was pressed")
        return
    mark.clear()
    said = "" if kill.confirmed else "not "
    click.echo(f"lifted: {kill}; that no order was open then had {said}been confirmed")


def show_open(directory):
    from nexus_fast.core.types import unpack
    from nexus_fast.journal.reader import Names, show
    from nexus_fast.journal.sessions import last_session

    session = last_session(directory, 1 << 62)
    if session is None:
        return
    replay, names = session.replay, Names()
    names.symbols, names.accounts, names.strategies = replay.symbols, replay.accounts, replay.strategies
    records = [replay.record(number) for number in replay.open_orders()]
    for record in (*records, *(raw for raw, _, _ in replay.left_out)):
        click.echo(show(unpack("order_event", record), names))


@command.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False))
def verify(directory):
    """Replay every session in DIRECTORY and compare. Ends with status 1 when the journal contradicts itself."""
    from nexus_fast.journal.sessions import verify as sessions

    problems = 0
    for session in sessions(directory):
        end = "ended cleanly, same table byte for byte" if session.ended_cleanly else "did not end cleanly"
        live = len(session.replay.open_orders())
        click.echo(f"epoch {session.epoch}: {session.replay.records} records, {live} orders not over; {end}")
        for problem in session.problems:
            click.echo(f"  {problem}", err=True)
        problems += len(session.problems)
    if problems:
        raise SystemExit(1)
