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

    for event in journal.read_journal(directory):
        click.echo(journal.show(event))
