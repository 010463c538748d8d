"""`nexus-fast bench`: what the engine costs, beside the least that is possible and beside what one would use instead.

The programs are in the repository's bench/ folder, which is no part of the installed package: they build C, and an
environment of their own for the peers.
"""

import importlib
import sys
from pathlib import Path

import click

PARTS = {
    "path": "frame bytes to frame bytes in memory, stage by stage: nanoseconds and instructions",
    "wire": "tick to order over loopback, beside a client in C",
    "peers": "the same, beside NexusTrader, NautilusTrader, ccxt pro and clients written by hand in Python",
    "ring": "shared memory: one-way latency, cost of a write, readers' throughput",
    "scale": "cost of a tick with many symbols, connections and strategies; bursts; memory",
    "allocations": "heap allocations per tick and per order, on the wire",
    "record": "instructions and allocations of the path against the recorded ones",
    "all": "all of these in a bounded time, and the report",
    "report": "an HTML page and SVG pictures from the results in bench/results",
}
MODULES = {name: f"bench.{name}" for name in PARTS} | {"path": "bench.path.run", "peers": "bench.peers.run"}


def enter_checkout() -> Path:
    """The repository, importable; a ClickException where there is none."""
    root = Path(__file__).resolve().parents[3]
    if not (root / "bench" / "wire.py").is_file():
        raise click.ClickException(
            "the benchmarks are in the source repository (bench/): run this from a checkout, `make bench`"
        )
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return root


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("part", required=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(part, arguments):
    """Measure. `nexus-fast bench` lists the parts; `nexus-fast bench PART --help` says what a part takes."""
    if part in (None, "-h", "--help"):
        for name, text in PARTS.items():
            click.echo(f"nexus-fast bench {name:<12} {text}")
        return
    if part not in PARTS:
        raise click.UsageError(f"{part!r} is no part of the bench: one of {', '.join(PARTS)}")
    enter_checkout()
    sys.exit(importlib.import_module(MODULES[part]).main(list(arguments)))
