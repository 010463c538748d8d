"""Processors: how many, who else is on them, and what takes the engine off its own."""

import os

from nexus_fast.cli.doctor import kernel
from nexus_fast.cli.doctor.finding import Finding


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
            if (g := kernel.read(f"/sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor"))
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
    found = kernel.read("/sys/devices/system/cpu/isolated")
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
    found = kernel.read("/sys/devices/system/cpu/nohz_full")
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
        text = kernel.read(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        if text and len(kernel.cpu_list(text)) > 1:
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
