"""Sockets and network cards."""

import os
from pathlib import Path

from nexus_fast import proxies
from nexus_fast.cli.doctor import kernel
from nexus_fast.cli.doctor.finding import Finding

SOCKET_BUFFER_WANTED = 4 << 20


def busy_poll() -> Finding:
    values = [kernel.read(f"/proc/sys/net/core/{name}") for name in ("busy_poll", "busy_read")]
    if None in values:
        return Finding("socket busy polling", "not shown here (container?)", "note")
    found = f"net.core.busy_poll={values[0]} busy_read={values[1]}"
    if all(value != "0" for value in values):
        return Finding("socket busy polling", found, "good")
    return Finding(
        "socket busy polling",
        found,
        "costs",
        "the driver waits for its interrupt before a packet is seen (not on loopback)",
        "sysctl net.core.busy_poll=50 net.core.busy_read=50 where the network card supports it",
    )


def socket_buffers() -> Finding:
    values = [kernel.read(f"/proc/sys/net/core/{name}") for name in ("rmem_max", "wmem_max")]
    if None in values:
        return Finding("socket buffers", "not shown here (container?)", "note")
    found = f"net.core.rmem_max={values[0]} wmem_max={values[1]}"
    if int(values[0] or 0) >= SOCKET_BUFFER_WANTED:
        return Finding("socket buffers", found, "good")
    return Finding(
        "socket buffers",
        found,
        "note",
        "a burst beyond the buffer makes the venue wait",
        f"sysctl net.core.rmem_max={SOCKET_BUFFER_WANTED}",
    )


def network_interrupts() -> Finding:
    cards = (
        [p.name for p in Path("/sys/class/net").iterdir() if (p / "device").exists()]
        if os.path.isdir("/sys/class/net")
        else []
    )
    where: dict[str, str] = {}
    for line in (kernel.read("/proc/interrupts") or "").splitlines()[1:]:
        number, _, rest = line.partition(":")
        if number.strip().isdigit() and any(card in rest for card in cards):
            where[number.strip()] = kernel.read(f"/proc/irq/{number.strip()}/smp_affinity_list") or "?"
    if not where:
        shown = f"none of {', '.join(cards)} in /proc/interrupts" if cards else "no network card to be seen"
        return Finding("interrupts of network cards", shown, "note")
    shown = ", ".join(f"{number} on {cpus}" for number, cpus in where.items())
    return Finding(
        "interrupts of network cards",
        shown,
        "note",
        "an interrupt on the engine's processor delays what runs there",
        "echo CPU > /proc/irq/NUMBER/smp_affinity_list (and stop irqbalance)",
    )


def proxies_of_the_environment() -> Finding:
    named = proxies.named_in_the_environment()
    if not named:
        return Finding("proxies", "none in the environment", "good")
    return Finding(
        "proxies",
        f"named in {', '.join(named)}",
        "note",
        "they are not used: REST and WebSockets go straight to the venue",
        "where a proxy is the only way out, name a gateway in the endpoints",
    )
