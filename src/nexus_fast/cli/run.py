"""`nexus-fast run FILE.py`: a program as it stands; --sim: on a simulator; --nexustrader: written for NexusTrader."""

import runpy
import sys
from pathlib import Path

import click

from nexus_fast.error import LeftOpenError
from nexus_fast.log import redact
from nexus_fast.mistakes import text_of


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--sim", is_flag=True, help="On a simulator of its own and nothing else: its addresses, its credentials.")
@click.option("--nexustrader", is_flag=True, help="Let `import nexustrader` mean nexus_fast.")
@click.option("--venues", default="all", show_default=True, help="With --sim: which, comma-separated.")
@click.option("--rate", default=20.0, show_default=True, help="With --sim: ticks per second and symbol.")
@click.option("--seed", default="1", show_default=True, help="With --sim: of the market maker.")
@click.option("--tls", is_flag=True, help="With --sim: the simulator speaks TLS.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="With --sim: on the simulator of this folder, which goes on afterwards. `nexus-fast sim --stop DIR` ends it.",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(sim, nexustrader, venues, rate, seed, tls, keep, file, arguments):
    """Run FILE as its own interpreter would, arguments and all."""
    if nexustrader:
        from nexus_fast.compatibility.nexustrader import install

        install()
    if keep and not sim:
        raise click.UsageError("--keep is for simulators: give --sim, too")
    if not sim:
        run_program(file, arguments)
        return
    from nexus_fast import fence
    from nexus_fast.cli.kept import KeptSimulator
    from nexus_fast.cli.processes import SimulatorProcess
    from nexus_fast.constants import settings

    options = {"venues": venues, "rate": rate, "seed": seed, "tls": tls}
    with KeptSimulator(keep, **options) if keep else SimulatorProcess(**options) as simulator:
        if keep and simulator.was_running:
            click.echo(f"on the simulator that runs in {keep}, as it was started", err=True)
        fence.put_up(str(simulator.endpoints))
        settings.lend(fence.credentials())
        run_program(file, arguments)


def run_program(file: str, arguments: tuple[str, ...]) -> None:
    """What the program raises is shown by its own lines, and ends with status 1."""
    sys.argv = [file, *arguments]
    sys.path.insert(0, str(Path(file).resolve().parent))
    try:
        runpy.run_path(file, run_name="__main__")
    except LeftOpenError:
        raise
    except Exception as error:
        click.echo(redact(text_of(error)), err=True)
        raise SystemExit(1) from None
