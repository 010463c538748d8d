"""The clock, and memory: pages, locks, room for shared segments."""

import os
import platform
import resource

from nexus_fast.cli.doctor import kernel
from nexus_fast.cli.doctor.finding import Finding

# What one engine maps there: market ring 8 MiB, order ring 4 MiB, latest table; and a second engine beside it.
SHARED_MEMORY_NEEDED = 64 << 20
MEMORY_LOCK_NEEDED = 512 << 20


def clock_source() -> Finding:
    found = kernel.read("/sys/devices/system/clocksource/clocksource0/current_clocksource") or "unknown"
    flags = set((kernel.read("/proc/cpuinfo") or "").partition("flags")[2].partition("\n")[0].split())
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
    found = kernel.chosen(kernel.read("/sys/kernel/mm/transparent_hugepage/enabled"))
    defrag = kernel.chosen(kernel.read("/sys/kernel/mm/transparent_hugepage/defrag"))
    if not found:
        return Finding("transparent huge pages", "not in this kernel", "note")
    if found == "never":
        return Finding(
            "transparent huge pages",
            found,
            "costs",
            "books, routes and orders of thousands of symbols are spread over small pages",
            "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
        )
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
