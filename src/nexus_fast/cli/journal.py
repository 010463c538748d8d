"""`nexus-fast journal`: the orders of a strategy as its journal has them."""

import click


@click.group()
def command():
    """Read a strategy's journal."""


@command.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False))
def show(directory):
    """Print every order event in DIRECTORY (.nexus_fast/STRATEGY_ID.USER_ID), oldest first."""
    from nexus_fast import journal
    from nexus_fast.order.states import EVENTS, STATES

    for event in journal.read_journal(directory):
        codes = f"kind={event.kind} state={event.state}"
        click.echo(journal.show(event).replace(codes, f"{EVENTS[event.kind]} -> {STATES[event.state]}"))
