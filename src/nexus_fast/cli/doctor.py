"""`nexus-fast doctor`: what of this machine costs latency, and how to change it. It only reads, and needs no rights."""

import importlib.metadata
import json
import os
import platform
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import click

# What one engine maps there: market ring 8 MiB, order ring 4 MiB, latest table; and a second engine beside it.
SHARED_MEMORY_NEEDED = 64 << 20
MEMORY_LOCK_NEEDED = 512 << 20
SOCKET_BUFFER_WANTED = 4 << 20
PACKAGES = ("picows", "aiofastnet", "uvloop", "Cython")
COLOURS = {"good": "green", "costs": "yellow", "broken": "red"}


@dataclass(frozen=True)
class Finding:
    """verdict: good; costs (latency, or its steadiness); broken (the engine cannot do what it should); note (known, neither)."""

    what: str
    found: str
    verdict: str
    effect: str = ""
    remedy: str = ""


def read(path: str) -> str | None:
    """The text of a file of the kernel's, None when it is not there or not for us."""
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None


def cpu_list(text: str) -> list[int]:
    """ "0-3,8" → [0, 1, 2, 3, 8]."""
    numbers: list[int] = []
    for part in filter(None, text.replace("\n", "").split(",")):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def chosen(text: str | None) -> str:
    """ "always [madvise] never" → "madvise"."""
    return (text or "").partition("[")[2].partition("]")[0]


# ------------------------------------------------------------------------------------------ processors


def processors() -> Finding:
    usable = len(os.sched_getaffinity(0))
    found = f"{usable} of {os.cpu_count()} may be used"
    if usable > 1:
        return Finding("processors", found, "good")
    return Finding(
        "processors",
        found,
        "costs",
        "a spinning engine has no processor of its own",
        "give the process a second processor, or use loop mode block",
    )


def load() -> Finding:
    minute = os.getloadavg()[0]
    usable = len(os.sched_getaffinity(0))
    found = f"{minute:.2f} over the last minute"
    if minute < 0.5 * usable:
        return Finding("load", found, "good")
    return Finding(
        "load", found, "costs", "others take the processor and its caches", "stop them, or pin them elsewhere"
    )


def governor() -> Finding:
    found = sorted(
        {
            g
            for cpu in os.sched_getaffinity(0)
            if (g := read(f"/sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor"))
        }
    )
    if not found:
        return Finding("frequency governor", "not shown (virtual machine?)", "note")
    if found == ["performance"]:
        return Finding("frequency governor", "performance", "good")
    return Finding(
        "frequency governor",
        ", ".join(found),
        "costs",
        "the first tick after a pause runs at a low frequency",
        "cpupower frequency-set -g performance",
    )


def isolated() -> Finding:
    found = read("/sys/devices/system/cpu/isolated")
    if found:
        return Finding("isolated processors", found, "good")
    return Finding(
        "isolated processors",
        "none",
        "costs",
        "the scheduler may put other threads on the engine's processor",
        "boot with isolcpus=N, or a cpuset partition; then NEXUS_FAST_CPU=N",
    )


def timer_ticks() -> Finding:
    found = read("/sys/devices/system/cpu/nohz_full")
    if found and found != "(null)":
        return Finding("timer ticks", f"off on {found}", "good")
    return Finding(
        "timer ticks",
        "on everywhere",
        "costs",
        "the timer interrupts the spin 100 to 1000 times a second",
        "boot with nohz_full=N rcu_nocbs=N for the engine's processor",
    )


def siblings() -> Finding:
    shared = {}
    for cpu in sorted(os.sched_getaffinity(0)):
        text = read(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        if text and len(cpu_list(text)) > 1:
            shared[text] = cpu
    if not shared:
        return Finding("SMT siblings", "none", "good")
    return Finding(
        "SMT siblings",
        "; ".join(sorted(shared)),
        "costs",
        "two hardware threads share one core's caches and units",
        "keep the sibling of the engine's processor idle, or switch SMT off (/sys/devices/system/cpu/smt/control)",
    )


def sleep_states() -> Finding:
    path = "/dev/cpu_dma_latency"
    if os.access(path, os.W_OK):
        return Finding("sleep states", "can be held off (loop mode busy does)", "good")
    if not os.path.exists(path) or not os.path.isdir("/sys/devices/system/cpu/cpuidle"):
        return Finding("sleep states", "not in this kernel's hands (virtual machine?)", "note")
    return Finding(
        "sleep states",
        f"{path} is not writable",
        "costs",
        "a core that has slept deeply wakes tens of microseconds late",
        f"give the user write access to {path} (a udev rule)",
    )


# ------------------------------------------------------------------------------------------ clock, memory


def clock_source() -> Finding:
    found = read("/sys/devices/system/clocksource/clocksource0/current_clocksource") or "unknown"
    flags = set((read("/proc/cpuinfo") or "").partition("flags")[2].partition("\n")[0].split())
    if platform.machine() == "aarch64":
        return Finding("clock source", found, "good")
    steady = {"constant_tsc", "nonstop_tsc"} <= flags
    shown = f"{found}; TSC {'constant and nonstop' if steady else 'not marked constant and nonstop'}"
    if found in ("tsc", "kvm-clock", "hyperv_clocksource_tsc_page"):
        return Finding(
            "clock source",
            shown,
            "good" if steady else "note",
            "" if steady else "stage times (Config.measure) are read from the TSC and may drift",
        )
    return Finding(
        "clock source",
        shown,
        "costs",
        "each time stamp is a system call",
        "boot with clocksource=tsc tsc=reliable where the processor allows",
    )


def huge_pages() -> Finding:
    found = chosen(read("/sys/kernel/mm/transparent_hugepage/enabled"))
    defrag = chosen(read("/sys/kernel/mm/transparent_hugepage/defrag"))
    if not found:
        return Finding("transparent huge pages", "not in this kernel", "note")
    if found != "always":
        return Finding("transparent huge pages", found, "good")
    return Finding(
        "transparent huge pages",
        f"always, defrag {defrag}",
        "costs",
        "a page fault may stop to compact memory",
        "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
    )


def memory_lock() -> Finding:
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if soft == resource.RLIM_INFINITY or os.geteuid() == 0:
        return Finding("locked memory", "unlimited", "good")
    found = f"{soft >> 10} KiB"
    if soft >= MEMORY_LOCK_NEEDED:
        return Finding("locked memory", found, "note", "only what is there at start is locked")
    return Finding(
        "locked memory",
        found,
        "costs",
        "memory cannot be locked: a page may have to be fetched in the middle of a tick",
        "ulimit -l unlimited (limits.conf: memlock; systemd: LimitMEMLOCK=infinity)",
    )


def shared_memory() -> Finding:
    from nexus_fast.shm.segment import segment_directory

    directory = segment_directory()
    try:
        room = os.statvfs(directory)
    except OSError as error:
        return Finding(
            "shared memory",
            f"{directory}: {error.strerror}",
            "broken",
            "the engine cannot be built",
            "mount a tmpfs there",
        )
    free = room.f_bavail * room.f_frsize
    found = f"{free >> 20} MiB free in {directory}"
    if free >= SHARED_MEMORY_NEEDED:
        return Finding("shared memory", found, "good")
    return Finding(
        "shared memory",
        found,
        "broken",
        f"the rings of an engine want {SHARED_MEMORY_NEEDED >> 20} MiB",
        f"mount -o remount,size=1G {directory} (containers: --shm-size=1g)",
    )


# ------------------------------------------------------------------------------------------ network


def busy_poll() -> Finding:
    values = [read(f"/proc/sys/net/core/{name}") for name in ("busy_poll", "busy_read")]
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
    values = [read(f"/proc/sys/net/core/{name}") for name in ("rmem_max", "wmem_max")]
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
    for line in (read("/proc/interrupts") or "").splitlines()[1:]:
        number, _, rest = line.partition(":")
        if number.strip().isdigit() and any(card in rest for card in cards):
            where[number.strip()] = read(f"/proc/irq/{number.strip()}/smp_affinity_list") or "?"
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


# ------------------------------------------------------------------------------------------ software


def interpreter() -> Finding:
    found = f"{platform.python_implementation()} {platform.python_version()}"
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return Finding(
            "interpreter",
            f"{found}, without GIL",
            "broken",
            "the engine was not written for it",
            "use a build with the GIL",
        )
    return Finding("interpreter", f"{found}, with GIL", "good")


def packages() -> Finding:
    found, absent = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            absent.append(name)
    if absent == ["Cython"]:
        return Finding(
            "packages",
            ", ".join(found),
            "note",
            "without Cython, .pyx strategies cannot be compiled here",
            "pip install 'nexus_fast[strategy]'",
        )
    if absent:
        return Finding(
            "packages", f"missing: {', '.join(absent)}", "broken", "the engine cannot run", "pip install nexus_fast"
        )
    return Finding("packages", ", ".join(found), "good")


def direct_polling() -> Finding:
    from aiofastnet.selector_transport import SelectorSocketTransport
    from aiofastnet.ssl_transport import SSLTransport_Socket

    lacking = [t.__name__ for t in (SelectorSocketTransport, SSLTransport_Socket) if not hasattr(t, "_read_ready")]
    if not lacking:
        return Finding("direct polling", "available, plain and TLS", "good")
    return Finding(
        "direct polling",
        f"no _read_ready on {', '.join(lacking)}",
        "costs",
        "every tick goes through the selector",
        "install the aiofastnet that nexus_fast pins: pip install --force-reinstall nexus_fast",
    )


def hashing() -> Finding:
    from nexus_fast.gateway.sha256 import implementations

    found = implementations()
    if len(found) > 1:
        return Finding("SHA-256", f"{found[0]} (of {', '.join(found)})", "good")
    return Finding(
        "SHA-256",
        found[0],
        "costs",
        "signing without the processor's SHA instructions takes longer",
        "a processor (or virtual machine type) with them, or an Ed25519 key, which signs once per connection",
    )


CHECKS: tuple[Callable[[], Finding], ...] = (
    processors,
    load,
    governor,
    isolated,
    timer_ticks,
    siblings,
    sleep_states,
    clock_source,
    huge_pages,
    memory_lock,
    shared_memory,
    busy_poll,
    socket_buffers,
    network_interrupts,
    interpreter,
    packages,
    direct_polling,
    hashing,
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
