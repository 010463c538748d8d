"""What every figure is printed under: on what it was measured. Never a host's name or address."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.build import compiler_version

PACKAGES = ("nexus_fast", "picows", "aiofastnet", "uvloop", "Cython")


def read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def processor() -> str:
    for line in read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def package_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def header() -> dict[str, str]:
    """Facts about the machine, in the order in which they are printed."""
    governor = read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "not visible"
    return {
        "cpu": processor(),
        "cpus": str(len(os.sched_getaffinity(0))),
        "virtual machine": "yes" if " hypervisor " in read("/proc/cpuinfo") + " " else "no",
        "isolated cpus": read("/sys/devices/system/cpu/isolated") or "none",
        "governor": governor,
        "clock": read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "compiler": compiler_version(),
        "packages": ", ".join(f"{name} {package_version(name)}" for name in PACKAGES),
    }


def header_text(facts: dict[str, str]) -> str:
    width = max(map(len, facts))
    return "\n".join(f"{name:<{width}}  {value}" for name, value in facts.items())
