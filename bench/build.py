"""Builds the bench's own programs: C with the compiler at hand, the Cython strategy with Cython.

Everything lands under build/bench, named by a hash of what it was made from, so that nothing is built twice and nothing
stale is ever run.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
BUILD = ROOT / "build" / "bench"
FLAGS = ["-std=gnu17", "-O3", "-march=native", "-Wall", "-Wextra", "-Wno-unused-function"]


class BuildError(Exception):
    """A program of the bench could not be built; the text has the compiler's own words."""


def compiler() -> str:
    name = os.environ.get("CC", "cc")
    if shutil.which(name.split()[0]) is None:
        raise BuildError(f"there is no C compiler {name!r}; install one (Debian: build-essential) or name it in CC")
    return name


def compiler_version() -> str:
    return subprocess.run([*compiler().split(), "--version"], capture_output=True, text=True).stdout.splitlines()[0]


def fingerprint(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:12]


def run(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise BuildError(f"{what} was not built: {' '.join(command)}\n{done.stdout}{done.stderr}")


def c_program(name: str, shared: bool = False, tls: bool = False) -> Path:
    """The program bench/floor/{name}.c, or the library with shared=True; built when it is not there yet. tls: with OpenSSL,
    whose headers must be installed."""
    sources = [path.read_bytes() for path in sorted((BENCH / "floor").glob("*.[ch]"))]
    flags = [*FLAGS, *(["-shared", "-fPIC"] if shared else []), *(["-DBENCH_TLS"] if tls else [])]
    key = fingerprint(*sources, compiler_version().encode(), " ".join(flags).encode())
    target = BUILD / f"{name}-{key}{'.so' if shared else ''}"
    if not target.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        half = target.with_name(f"{target.name}.{os.getpid()}")
        source = str(BENCH / "floor" / f"{name}.c")
        libraries = [*(["-ldl"] if shared else []), *(["-lssl", "-lcrypto"] if tls else [])]
        run([*compiler().split(), *flags, "-o", str(half), source, *libraries], name)
        half.replace(target)
    return target


def cython_module(source: Path):
    """Imports the module that a .pyx of the bench makes, built against the nexus_fast that is imported here."""
    import nexus_fast

    interfaces = sorted(Path(nexus_fast.__file__).parent.rglob("*.pxd"))
    parts = [source.read_bytes(), sys.version.encode(), *(path.read_bytes() for path in interfaces)]
    folder = BUILD / f"{source.stem}-{fingerprint(*parts)}"
    found = list(folder.glob(f"{source.stem}.*.so"))
    if not found:
        build_extension(source, folder)
        found = list(folder.glob(f"{source.stem}.*.so"))
    spec = importlib.util.spec_from_file_location(source.stem, found[0])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build_extension(source: Path, folder: Path) -> None:
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    extension = Extension(source.stem, [str(source)], extra_compile_args=["-O3"])
    directives = {"language_level": 3, "boundscheck": False, "wraparound": False, "cdivision": True}
    made = cythonize([extension], build_dir=str(folder / "c"), compiler_directives=directives, quiet=True, force=True)
    command = Distribution({"ext_modules": made}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(folder), str(folder / "o")
    command.ensure_finalized()
    command.run()
