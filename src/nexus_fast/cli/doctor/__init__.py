"""`nexus-fast doctor`: what of this machine costs latency, and how to change it. It only reads, and needs no rights."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict

import click

from nexus_fast.cli.doctor import memory, network, processors, software
from nexus_fast.cli.doctor.finding import Finding

COLOURS = {"good": "green", "costs": "yellow", "broken": "red"}

CHECKS: tuple[Callable[[], Finding], ...] = (
    processors.processors,
    processors.load,
    processors.governor,
    processors.isolated,
    processors.timer_ticks,
    processors.siblings,
    processors.sleep_states,
    memory.clock_source,
    memory.huge_pages,
    memory.memory_lock,
    memory.shared_memory,
    network.busy_poll,
    network.socket_buffers,
    network.network_interrupts,
    network.proxies_of_the_environment,
    software.interpreter,
    software.threads,
    software.garbage_collector,
    software.debugging,
    software.packages,
    software.direct_polling,
    software.hashing,
)


def examine() -> list[Finding]:
    """Every check in order. A check that fails is a note, not the end: kernels and containers differ."""
    findings = []
    for check in CHECKS:
        try:
            findings.append(check())
        except Exception as error:
            findings.append(
                Finding(check.__name__.replace("_", " "), f"could not be read: {type(error).__name__}: {error}", "note")
            )
    return findings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON: a list of {what, found, verdict, effect, remedy}.")
def command(as_json):
    """Show what of this machine costs latency, and how to change it. Ends with status 1 when something is broken."""
    findings = examine()
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        show(findings)
    if any(finding.verdict == "broken" for finding in findings):
        sys.exit(1)


def show(findings: list[Finding]) -> None:
    for finding in findings:
        mark = click.style(f"{finding.verdict:<7}", fg=COLOURS.get(finding.verdict))
        click.echo(f"{mark} {finding.what:<28} {finding.found}")
        if finding.verdict != "good":
            for text in filter(None, (finding.effect, finding.remedy and f"→ {finding.remedy}")):
                click.echo(f"{'':8}  {text}")
