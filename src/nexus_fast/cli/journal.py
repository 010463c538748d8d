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
    """Print every record in DIRECTORY (.nexus_fast/STRATEGY_ID.USER_ID), oldest first. Ends with status 1 when some are
    damaged."""
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
    if any(not torn.unfinished for torn in events.torn):
        raise SystemExit(1)


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
    from nexus_fast.journal.sessions import what_is_left

    left = what_is_left(directory, 1 << 62)
    records = [(replay.record(number), *replay.names(number)) for replay, number in left.orders]
    outside = [(record, symbol, account, None) for record, _, symbol, account in left.left_out]
    for record, symbol, account, strategy in (*records, *outside):
        event, names = unpack("order_event", record), Names()
        names.symbols[event.symbol_id], names.accounts[event.account] = symbol, account
        names.strategies[event.strategy] = strategy
        click.echo(show(event, names))


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


@command.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False))
@click.option("--yes", is_flag=True, help="Do not ask.")
def accept(directory, yes):
    """Let a start go on with a damaged journal: with every record in DIRECTORY that is whole, and all its orders asked about."""
    from nexus_fast.journal.decision import accept as write_down
    from nexus_fast.journal.decision import undecided
    from nexus_fast.journal.sessions import what_is_left

    left = what_is_left(directory, 1 << 62)
    places = undecided(directory, left.sessions)
    if not places:
        click.echo("nothing is damaged that the next start would read and nobody has accepted")
        return
    for line in (*places, *consequences(left)):
        click.echo(line)
    if not yes:
        click.confirm("Go on with what is whole?", abort=True)
    write_down(directory, left.sessions)
    click.echo("accepted: the next start takes over what is whole")


def consequences(left):
    """What a damaged journal still says, and what it cannot say any more."""
    yield (
        f"{len(left.orders) + len(left.left_out)} orders are not over, {len(left.keys)} idempotency keys are held. What stood "
        "in the damaged places is lost: orders, their ends, keys. An intent whose key is lost would be placed again."
    )
    nameless = [replay.client_id(number) for replay, number in left.orders if None in replay.names(number)[:2]]
    if nameless:
        yield f"{len(nameless)} orders of which the symbol or the account is lost: {', '.join(nameless)}. The venue knows them."
    if left.missing:
        yield (
            f"No record is left of {len(left.missing)} orders, which may have been sent: {', '.join(left.missing)}. Look for "
            "them at the venue."
        )
