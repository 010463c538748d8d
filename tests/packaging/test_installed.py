"""Wheel, source distribution and editable installs, each in a fresh environment, with a foreign Cython project beside it.

Long, and downloads the dependencies: `make packaging`. Builds run on a copy, so that the checkout stays as it is.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.packaging

FOREIGN_SETUP = """
from Cython.Build import cythonize
from setuptools import setup
setup(name="mystrat", ext_modules=cythonize("mystrat.pyx", language_level=3))
"""
FOREIGN = """
from nexus_fast.core.abi cimport require_abi
from nexus_fast.core.types cimport NX_BUY, NX_LIMIT, nx_bookl1
from nexus_fast.strategy.base cimport Strategy
require_abi()

cdef class Mine(Strategy):
    cdef readonly long quotes

    cdef int on_quote(self, const nx_bookl1* book) except -1:
        self.quotes += 1
        if self.quotes == 1:
            self.send_order(book.symbol_id, NX_BUY, NX_LIMIT, book.ask, 20)
        return 0

    def on_start(self):
        self.subscribe_bookl1("BTCUSDT-PERP.BINANCE")

    def on_filled_order(self, order):
        print("FILLED", order.symbol, flush=True)
        self.stop()

def record_size():
    return sizeof(nx_bookl1)
"""
PROGRAM = """
import mystrat
from nexus_fast.config import *
from nexus_fast.constants import ExchangeType, settings
from nexus_fast.engine import Engine
from nexus_fast.exchange import BinanceAccountType
assert mystrat.record_size() == 128
basic = BasicConfig(api_key=settings.BINANCE.X.API_KEY, secret=settings.BINANCE.X.SECRET)
perp = BinanceAccountType.USD_M_FUTURE
Engine(Config("foreign", "user", mystrat.Mine(), {ExchangeType.BINANCE: basic},
              {ExchangeType.BINANCE: [PublicConnectorConfig(perp)]},
              {ExchangeType.BINANCE: [PrivateConnectorConfig(perp)]})).start()
"""


def run(*command, cwd, **environment):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "NEXUS", "VIRTUAL_ENV"))}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env={**clean, **environment}, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def environment(path):
    run(sys.executable, "-m", "venv", path, cwd=path.parent)
    return path / "bin" / "python"


def install(python, *what, cwd):
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *what, cwd=cwd)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    target = tmp_path_factory.mktemp("source") / "nexus_fast"
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    return target


@pytest.fixture(scope="module")
def built(checkout, tmp_path_factory):
    """(sdist, wheel): the wheel is built from the source distribution, not from the checkout."""
    out = tmp_path_factory.mktemp("dist")
    python = environment(tmp_path_factory.mktemp("builder") / "venv")
    install(python, "build", cwd=out)
    run(python, "-m", "build", "--outdir", out, checkout, cwd=out)
    return next(out.glob("*.tar.gz")), next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def runtime(built, tmp_path_factory):
    """An environment with the wheel and what it depends on: no compiler's, no test's packages."""
    python = environment(tmp_path_factory.mktemp("runtime") / "venv")
    install(python, built[1], cwd=built[1].parent)
    return python


def test_the_wheel_holds_binaries_interfaces_and_strategies(built):
    names = set(zipfile.ZipFile(built[1]).namelist())
    for source in (ROOT / "cython").rglob("*.p[xy][dxi]"):
        name = str(source.relative_to(ROOT / "cython"))
        if source.suffix == ".pyx":
            module = name.removesuffix(".pyx")
            assert [n for n in names if n.startswith(f"{module}.") and n.endswith(".so")], module
        else:
            assert name in names
    for program in (*ROOT.glob("strategies/*.py"), *ROOT.glob("strategies/*.pyx")):
        assert f"nexus_fast/strategies/{program.name}" in names
    assert "nexus_fast/py.typed" in names
    assert not [n for n in names if n.endswith((".c", ".pyx")) and not n.startswith("nexus_fast/strategies/")]
    assert not [n for n in names if not n.startswith("nexus_fast")]


def test_the_demo_runs_from_the_wheel_alone(runtime, tmp_path):
    out = tmp_path / "demo.json"
    run(runtime.with_name("nexus-fast"), "demo", "--seconds", "3", "--json", out, cwd=tmp_path, HOME=str(tmp_path))
    figures = json.loads(out.read_text())
    assert figures["orders"] and figures["fills"] and figures["bad_signatures"] == 0


def test_without_cython_the_compiler_of_strategies_says_what_is_missing(runtime, tmp_path):
    (tmp_path / "x.pyx").write_text("a = 1\n")
    code = "from nexus_fast.build import compile_strategy\ntry: compile_strategy('x.pyx')\nexcept Exception as e: print(e)"
    assert "pip install 'nexus_fast[strategy]'" in run(runtime, "-c", code, cwd=tmp_path)


def foreign_project(python, directory):
    """Built as anyone would, and run on the simulated venue."""
    directory.mkdir()
    for name, text in (("setup.py", FOREIGN_SETUP), ("mystrat.pyx", FOREIGN), ("program.py", PROGRAM)):
        (directory / name).write_text(text)
    install(python, "Cython>=3.3,<3.4", "setuptools", cwd=directory)
    run(python, "setup.py", "-q", "build_ext", "--inplace", cwd=directory)
    assert "FILLED" in run(python, "-m", "nexus_fast", "run", "--sim", "program.py", cwd=directory)


def test_a_foreign_project_builds_against_the_wheel(built, tmp_path):
    python = environment(tmp_path / "venv")
    install(python, built[1], cwd=tmp_path)
    foreign_project(python, tmp_path / "mine")
    shutil.copy2(ROOT / "strategies/taker_fast.pyx", tmp_path)
    code = "from nexus_fast.build import compile_strategy; print(compile_strategy('taker_fast.pyx').TakerFast)"
    assert "TakerFast" in run(python, "-c", code, cwd=tmp_path)


@pytest.mark.parametrize("mode", ["lenient", "strict"])
def test_a_foreign_project_builds_against_an_editable_install(checkout, tmp_path, mode):
    python = environment(tmp_path / "venv")
    options = ["--config-settings", "editable_mode=strict"] if mode == "strict" else []
    install(python, *options, "-e", checkout, cwd=checkout)
    foreign_project(python, tmp_path / "mine")
    out = tmp_path / "demo.json"
    run(python.with_name("nexus-fast"), "demo", "--seconds", "3", "--json", out, cwd=tmp_path)
    assert json.loads(out.read_text())["bad_signatures"] == 0
