"""Compiles a Cython strategy where it lies, against the installed package, and loads it.

    from nexus_fast.build import compile_strategy
    Taker = compile_strategy(Path(__file__).with_name("taker_fast.pyx")).Taker

    python -m nexus_fast.build strategies/taker_fast.pyx        the same from the shell, without loading

It is compiled when it has to be: when there is no module for this interpreter, or when the source, its .pxd or one of the .pxd
files of nexus_fast has changed since. The latter matters: a module that was compiled against another layout of a record
would read wrong bytes. Compiling needs Cython, a C compiler and Python's headers; loading a module that is fresh needs none.
"""

import contextlib
import importlib.util
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

from nexus_fast.error import StrategyBuildError

SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
# Nothing here changes what the source means: a strategy sets its own directives in its first lines.
COMPILE_ARGS = ("-O3", "-w")
PACKAGE = Path(__file__).resolve().parent


def compile_strategy(path: str | os.PathLike) -> ModuleType:
    """The module of a .pyx file, compiled beside it if it is not fresh. Raises StrategyBuildError with the compiler's words."""
    source = _source(path)
    target = target_of(source)
    if not is_fresh(source):
        _require_tools(source)
        # In a process of its own: compilers and their imports have no place in a trading one.
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
        command = [sys.executable, "-m", "nexus_fast.build", str(source)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise StrategyBuildError(f"{source} does not compile:\n{(done.stderr or done.stdout)[-4000:]}")
    return _load(source.stem, target)


def target_of(source: Path) -> Path:
    """Where the compiled module of a source lies."""
    return source.with_name(source.stem + SUFFIX)


def is_fresh(source: Path) -> bool:
    """Whether the compiled module is there and was made from what the source and the interfaces are now."""
    stamp = _stamp_of(source)
    return target_of(source).exists() and stamp.exists() and stamp.read_text().strip() == fingerprint(source)


def fingerprint(source: Path) -> str:
    """Of the source, its own .pxd, and every interface of the installed package."""
    import xxhash

    digest = xxhash.xxh3_128()
    for file in (source, source.with_suffix(".pxd"), *sorted(PACKAGE.rglob("*.pxd"))):
        if file.exists():
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _stamp_of(source: Path) -> Path:
    return source.with_name(f".{source.stem}{SUFFIX}.made_from")


def _source(path: str | os.PathLike) -> Path:
    source = Path(path).resolve()
    if source.suffix != ".pyx":
        raise StrategyBuildError(f"{source} is no Cython source; give a .pyx file")
    if not source.is_file():
        raise StrategyBuildError(f"there is no file {source}")
    if not source.stem.isidentifier():
        raise StrategyBuildError(f"{source.name} cannot be a module: rename it to letters, digits and _")
    return source


def _require_tools(source: Path) -> None:
    import shutil

    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    headers = os.path.join(sysconfig.get_path("include"), "Python.h")
    lacking = []
    if any(importlib.util.find_spec(name) is None for name in ("Cython", "setuptools")):
        lacking.append("Cython and setuptools (pip install 'nexus_fast[strategy]')")
    if shutil.which(compiler) is None:
        lacking.append(f"a C compiler ({compiler} was not found; install gcc, or set CC)")
    if not os.path.exists(headers):
        lacking.append(f"Python's headers ({headers} is not there; install python3-dev)")
    if not os.access(source.parent, os.W_OK):
        lacking.append(f"a directory that can be written to (copy {source.name} out of {source.parent})")
    if lacking:
        raise StrategyBuildError(f"compiling {source.name} needs {'; '.join(lacking)}")


def _load(name: str, target: Path) -> ModuleType:
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, "__file__", None) == str(target):
        return loaded
    spec = importlib.util.spec_from_file_location(name, target)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # Where a program of the same name is not there already: pickles and tracebacks look their classes up by it.
    sys.modules.setdefault(name, module)
    return module


def build(source: Path) -> Path:
    """Translate and compile into a directory of its own, then put the module in its place in one step."""
    import tempfile

    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    made_from = fingerprint(source)
    with tempfile.TemporaryDirectory(prefix="nexus_fast_build_") as work, contextlib.chdir(source.parent):
        extension = Extension(source.stem, [source.name], extra_compile_args=list(COMPILE_ARGS))
        modules = cythonize(
            [extension], build_dir=work, include_path=[str(PACKAGE.parent)], language_level=3, quiet=True, force=True
        )
        distribution = Distribution({"name": source.stem, "ext_modules": modules})
        command = distribution.get_command_obj("build_ext")
        command.build_lib, command.build_temp = os.path.join(work, "lib"), os.path.join(work, "objects")
        command.ensure_finalized()
        command.run()
        fresh = target_of(source).with_suffix(f".{os.getpid()}")
        fresh.write_bytes(Path(command.get_ext_fullpath(source.stem)).read_bytes())
        fresh.chmod(0o755)
        os.replace(fresh, target_of(source))
    _stamp_of(source).write_text(made_from + "\n")
    return target_of(source)


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit("python -m nexus_fast.build FILE.pyx …")
    for path in sys.argv[1:]:
        source = _source(path)
        _require_tools(source)
        build(source)


if __name__ == "__main__":
    main()
