"""The interpreter and the packages on the path."""

import gc
import importlib.metadata
import os
import platform
import sys

from nexus_fast.cli.doctor.finding import Finding

PACKAGES = ("picows", "aiofastnet", "uvloop", "Cython")


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


def threads() -> Finding:
    """A thread that computes gives the interpreter away only after the switch interval."""
    return Finding(
        "GIL",
        f"a thread that computes holds it for {sys.getswitchinterval() * 1000:g} ms",
        "note",
        "a Python thread beside the engine's delays a tick by as much",
        "put what is slow into a process of its own that reads the shared memory",
    )


def debugging() -> Finding:
    """What makes every allocation or every call of Python's slower."""
    switched_on = {
        "PYTHONDEVMODE or -X dev": sys.flags.dev_mode,
        "PYTHONMALLOC": bool(os.environ.get("PYTHONMALLOC")),
        "PYTHONTRACEMALLOC": bool(os.environ.get("PYTHONTRACEMALLOC")),
        "PYTHONASYNCIODEBUG": bool(os.environ.get("PYTHONASYNCIODEBUG")),
        "gc.set_debug": bool(gc.get_debug()),
        "a trace or profile function": bool(sys.gettrace() or sys.getprofile()),
    }
    found = [name for name, is_on in switched_on.items() if is_on]
    if not found:
        return Finding("debugging aids", "off", "good")
    return Finding(
        "debugging aids", ", ".join(found), "costs", "each call or allocation in Python takes longer", "switch them off"
    )


def garbage_collector() -> Finding:
    if gc.isenabled():
        return Finding("garbage collector", "on here; the engine freezes what is there and runs it in quiet turns", "good")
    return Finding("garbage collector", "off here; the engine runs it in quiet turns all the same", "note")


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
