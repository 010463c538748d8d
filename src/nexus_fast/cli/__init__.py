"""`nexus-fast`: the command line. Each command's module is imported when it is called."""

import importlib
import sys

LEFT_OPEN_STATUS = 3             # exit status: orders or positions are open that the end should have closed
COMMANDS = {
    "demo": "the simulator and two strategies, with their latencies",
    "run": "run a program, on the simulator if wanted",
    "sim": "the simulated venues as a process of their own",
    "inspect": "what the engine makes of a frame, what it would send for an order",
    "journal": "the orders of a strategy as its journal has them",
    "guard": "a process that cancels everything when the engine's heart stops",
    "bench": "what it costs, beside the least that is possible and beside others",
    "doctor": "what of this machine costs latency, and how to change it",
}


def main() -> None:
    import click

    from nexus_fast.error import LeftOpenError
    from nexus_fast.surroundings import put_right

    put_right()

    class Lazy(click.Group):
        def list_commands(self, context):
            return list(COMMANDS)

        def get_command(self, context, name):
            if name not in COMMANDS:
                return None
            return importlib.import_module(f"nexus_fast.cli.{name}").command

        def format_commands(self, context, formatter):
            with formatter.section("Commands"):
                formatter.write_dl(list(COMMANDS.items()))

    @click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
    @click.version_option(package_name="nexus_fast", prog_name="nexus-fast")
    def group():
        """A low-latency trading engine for crypto venues."""

    try:
        group(prog_name="nexus-fast", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except LeftOpenError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(LEFT_OPEN_STATUS)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
