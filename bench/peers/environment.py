"""The peers' own Python environments, one each: what they need must not meet what the engine pins, or what another needs.

They stand in the user's cache directory and are filled by pip from the package index that pip is set up for.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.build import fingerprint

PEERS = Path(__file__).resolve().parent

# Each peer's packages; versions as they were measured, so that a table says what it is about.
REQUIREMENTS = {
    "picows_msgspec": ["picows==2.3.1", "msgspec==0.22.0", "uvloop==0.22.1"],
    "aiohttp_json": ["aiohttp==3.14.5", "uvloop==0.22.1"],
    "ccxt_pro": ["ccxt==4.5.90", "aiohttp==3.14.5", "uvloop==0.22.1"],
    "nexustrader_engine": ["nexustrader==0.3.38"],
    "nautilus_node": ["nautilus_trader==1.221.0"],
}


class PeerError(Exception):
    """The environment could not be made; the text has pip's own words."""


def folder(name: str) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (
        cache
        / "nexus_fast"
        / f"peer-{name}-{fingerprint(sys.version.encode(), *(r.encode() for r in REQUIREMENTS[name]))}"
    )


def python(name: str) -> Path:
    return folder(name) / "bin" / "python"


def make(name: str) -> None:
    """An empty environment, filled by the pip of this one. Raises PeerError."""
    place = folder(name)
    shutil.rmtree(place, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--python", str(python(name)), "--disable-pip-version-check", "install", "-q"]
    for command in ([sys.executable, "-m", "venv", "--without-pip", str(place)], [*pip, *REQUIREMENTS[name]]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=900)
        if done.returncode:
            raise PeerError((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    (place / ".complete").touch()


def prepare(names: list[str], say) -> dict[str, str]:
    """Makes the environments that are not there. {peer: why it is not to be had} of those that could not be made."""
    missing = {}
    for name in names:
        if (folder(name) / ".complete").exists():
            continue
        say(f"installing {', '.join(REQUIREMENTS[name])}")
        try:
            make(name)
        except PeerError as error:
            missing[name] = str(error)
    return missing


def versions(name: str) -> str:
    """What the peer's table line is about: the packages that its requirements name, as they were installed."""
    code = "import importlib.metadata as m, sys; print(', '.join(f'{n} {m.version(n)}' for n in sys.argv[1:]))"
    wanted = [requirement.partition("==")[0] for requirement in REQUIREMENTS[name]]
    done = subprocess.run([str(python(name)), "-c", code, *wanted], capture_output=True, text=True)
    return done.stdout.strip()
