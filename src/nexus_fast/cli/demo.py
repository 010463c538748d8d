"""`nexus-fast demo`: the simulated venue, the seed's program and a quoting strategy, and what they cost.

Three processes: the simulator, the program under measurement, and this one, which shows progress and waits.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

from nexus_fast.cli.processes import SimulatorProcess, stop
from nexus_fast.private import make_folder, open_private, replace_file

SEED_SECONDS = 3.0
COUNTS = ("ticks", "orders", "fills", "rejects")
FIGURES = ("n", "p50", "p90", "p99", "p999", "max")


@click.command()
@click.option("--seconds", default=12.0, show_default=True, help="How long the quoting strategy runs.")
@click.option("--rate", default=200.0, show_default=True, help="Ticks per second and symbol.")
@click.option("--multi", is_flag=True, help="Two venues in one program: quotes on Bybit, hedges on Binance.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False), help="Write the figures here too.")
def command(seconds, rate, multi, json_file):
    """Run two strategies on a simulated Binance, spot and USD-M at once, and show their latencies."""
    venues = "binance,bybit" if multi else "binance"
    programs = {"cross_exchange.py": seconds} if multi else {"multi_conn.py": SEED_SECONDS, "quoter.py": seconds}
    cpus = sorted(os.sched_getaffinity(0))
    venue_cpu, engine_cpu = (cpus[0], cpus[1]) if len(cpus) > 1 else (None, None)
    with SimulatorProcess(venues=venues, rate=rate, cpu=venue_cpu) as simulator:
        reports = []
        for program, limit in programs.items():
            simulator.reset_statistics()
            reports.append(run_measured(find(program), limit, simulator, engine_cpu))
        result = summarise(reports, simulator.statistics())
    show(result)
    if json_file:
        replace_file(json_file, json.dumps(result, indent=2) + "\n")
    if result["bad_signatures"] or not result["orders"] or not result["fills"]:
        raise click.ClickException("the demo did not trade as it should: see the figures above")


def find(program: str) -> Path:
    """The strategies folder of a checkout, or the copy in the installed package."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package.parents[1] / "strategies", package / "strategies"):
        if (folder / program).is_file():
            return folder / program
    raise click.ClickException(f"{program} was not found beside the package")


def run_measured(program: Path, seconds: float, simulator: SimulatorProcess, cpu: int | None) -> dict[str, Any]:
    """Run one program against the simulator for `seconds`; the engine's own report of the run."""
    report = simulator.directory / f"{program.stem}.json"
    environment = dict(
        os.environ, NEXUS_FAST_FENCE=str(simulator.endpoints), NEXUS_FAST_REPORT=str(report), PYTHONUNBUFFERED="1"
    )
    if cpu is not None:
        environment.setdefault("NEXUS_FAST_LOOP", "busy")
        environment.setdefault("NEXUS_FAST_CPU", str(cpu))
    code = f"from nexus_fast.cli.run import run_program; run_program({str(program)!r}, ())"
    work = simulator.directory / "work"
    make_folder(work)
    # Shared memory of its own: the demo's programs never meet a user's that runs under the same strategy id.
    shared = tempfile.mkdtemp(prefix="nexus_fast_demo_", dir="/dev/shm")
    environment["NEXUS_FAST_SHM"] = shared
    log = simulator.directory / f"{program.stem}.log"
    with open_private(log, "wb") as output:
        process = subprocess.Popen([sys.executable, "-c", code], cwd=work, env=environment, stdout=output, stderr=output)
        try:
            watch(process, program.stem, seconds, simulator)
            process.send_signal(signal.SIGINT)
            process.wait(20)
        finally:
            stop(process)
            remove(shared)
            remove(work)
    if process.returncode or not report.exists():
        raise click.ClickException(f"{program.name} ended with status {process.returncode}:\n{log.read_text()[-4000:]}")
    print_fills(log)
    return json.loads(report.read_text())


def watch(process: subprocess.Popen, name: str, seconds: float, simulator: SimulatorProcess) -> None:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<11}"), BarColumn(), TextColumn("{task.fields[seen]}"), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task(name, total=seconds, seen="starting")
        begun = None
        limit = time.monotonic() + seconds + 30
        while time.monotonic() < limit and process.poll() is None and simulator.alive:
            seen = simulator.statistics()
            if begun is None and seen["ticks"]:
                begun = time.monotonic()
            elapsed = time.monotonic() - begun if begun else 0.0
            text = f"{seen['ticks']} ticks, {seen['orders']} orders, {seen['fills']} fills"
            progress.update(task, completed=min(elapsed, seconds), seen=text)
            if elapsed >= seconds:
                return
            time.sleep(0.25)


def remove(directory: str | Path) -> None:
    import shutil

    shutil.rmtree(directory, ignore_errors=True)


def print_fills(log: Path) -> None:
    lines = [line for line in log.read_text(errors="replace").splitlines() if "MultiConnDemo: Order(" in line]
    for line in lines[:4]:
        fields = dict(part.split("=", 1) for part in line.split("Order(", 1)[1].split(", ") if "=" in part)
        side = fields["side"].partition(".")[2].partition(":")[0]
        click.echo(f"  filled: {fields['symbol']} {side} at {fields['average']}")


def summarise(reports: list[dict[str, Any]], venue: dict[str, Any]) -> dict[str, Any]:
    """Counts of all programs; latencies of the quoting strategy, the venues' of the same run."""
    result = {name: sum(report[name] for report in reports) for name in COUNTS}
    result["bad_signatures"] = venue["bad_signatures"]
    result["engine_ns"] = reports[-1]["engine_ns"]
    result["wire_us"] = {name: venue["wire_us"][name] for name in FIGURES}
    return result


def show(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    counts = "   ".join(f"{name} {result[name]}" for name in (*COUNTS, "bad_signatures"))
    console.print(counts.replace("bad_signatures", "bad signatures"))
    table = Table(title="tick to order, quoting strategy in Python")
    table.add_column("stage")
    for name in FIGURES:
        table.add_column(name, justify="right")
    for stage, figures in result["engine_ns"].items():
        table.add_row(f"{stage}, ns", *(f"{figures[name]:,}" for name in FIGURES))
    wire = result["wire_us"]
    table.add_row("over the wire, µs", *(f"{wire[name]:,.1f}" if name != "n" else f"{wire[name]:,}" for name in FIGURES))
    console.print(table)
