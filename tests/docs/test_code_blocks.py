"""What the documentation shows is run, on a simulated venue of its own.

A comment before a block says how: <!-- test: KIND name=value … -->

    program  name=FILE expect="TEXT"    the block is written to FILE and runs until TEXT is printed
    snippet  [after=FILE]               it runs by itself, after the program of that name
    reader   program=FILE …             it runs in a second process while the program does
    cython   name=FILE                  it is written to FILE and compiles
    shell    [after=FILE]               each line ends with status 0
    endpoints                           TOML that the engine takes

Python blocks without one must compile. Commands in other blocks must be verbs of make and commands that exist.
"""

import ast
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from patience import PROCESS_SECONDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md"), *ROOT.glob("strategies/*.md")])
BLOCK = re.compile(r"(?:<!-- test: (?P<how>[^>]*?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
DEADLINE = PROCESS_SECONDS


@dataclass
class Block:
    page: Path
    line: int
    language: str
    text: str
    kind: str = ""
    options: dict = field(default_factory=dict)

    def __str__(self):
        return f"{self.page.name}:{self.line}"


def blocks_of(page):
    content = page.read_text()
    for match in BLOCK.finditer(content):
        kind, *options = shlex.split(match["how"] or "") or [""]
        line = content.count("\n", 0, match.start()) + 1
        yield Block(page, line, match["language"], match["text"], kind, dict(option.split("=", 1) for option in options))


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def of(*kinds):
    chosen = [block for block in BLOCKS if block.kind in kinds]
    return pytest.mark.parametrize("block", chosen, ids=map(str, chosen))


def named(name):
    """The one block that is written to a file of this name."""
    (found,) = [block for block in BLOCKS if block.options.get("name") == name]
    return found


@pytest.fixture(scope="module")
def simulator():
    from nexus_fast.cli.processes import SimulatorProcess

    with SimulatorProcess(rate=50, venues="binance,bybit,okx") as running:
        yield running


@pytest.fixture
def place(tmp_path, simulator, monkeypatch):
    """A working directory, with the addresses of the simulator and its account's keys."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEXUS_FAST_ENDPOINTS", str(simulator.endpoints))
    monkeypatch.setenv("NEXUS_FAST_LOOP", "block")
    for path in ("BINANCE__LIVE__ACCOUNT1", "BINANCE__LIVE", "BYBIT__LIVE__ACCOUNT1", "OKX__LIVE__ACCOUNT1"):
        for name in ("API_KEY", "SECRET", "PASSPHRASE"):
            monkeypatch.setenv(f"NEXUS_{path}__{name}", "sim")
    paths = [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    return tmp_path


class Program:
    """A block that runs until it has printed what is expected of it."""

    def __init__(self, block, place):
        self.expect = block.options["expect"]
        file = place / block.options["name"]
        file.write_text(block.text)
        self.log = place / f"{file.stem}.log"
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen([sys.executable, "-u", file.name], cwd=place, stdout=out, stderr=out)

    def __enter__(self):
        return self

    def wait_for_output(self):
        until = time.monotonic() + DEADLINE
        while self.expect not in self.log.read_text(errors="replace"):
            assert self.process.poll() is None or self.expect in self.log.read_text(), self.log.read_text()
            assert time.monotonic() < until, f"no {self.expect!r}:\n{self.log.read_text()}"
            time.sleep(0.05)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        # A program that stops by itself may be past its engine when the signal comes.
        assert self.process.wait(DEADLINE) in (0, -signal.SIGINT), self.log.read_text()


def prepare(block, place):
    """Run or write what the block builds on."""
    name = block.options.get("after")
    if name is None:
        return
    needed = named(name)
    (place / name).write_text(needed.text)
    if needed.kind == "program" and block.kind == "snippet":
        with Program(needed, place) as program:
            program.wait_for_output()


def run(command, place):
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=2 * DEADLINE)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_every_test_comment_belongs_to_a_block():
    comments = sum(page.read_text().count("<!-- test:") for page in PAGES)
    assert comments == sum(bool(block.kind) for block in BLOCKS)
    assert {block.kind for block in BLOCKS} <= {"", "program", "snippet", "reader", "cython", "shell", "endpoints"}


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "python"], ids=str)
def test_python_compiles(block):
    compile(block.text, str(block), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@of("program")
def test_program(block, place):
    with Program(block, place) as program:
        program.wait_for_output()


@of("snippet")
def test_snippet(block, place):
    prepare(block, place)
    (place / "snippet.py").write_text(block.text)
    run([sys.executable, "snippet.py"], place)


@of("reader")
def test_reader(block, place):
    """The program it reads from must go on for as long as it reads: its last step is taken out."""
    source = named(block.options["program"])
    lasting = Block(source.page, source.line, "python", source.text.replace("self.stop()", "pass"), "program", source.options)
    (place / "reader.py").write_text(block.text)
    with Program(lasting, place) as program:
        program.wait_for_output()
        shown = run([sys.executable, "reader.py"], place)
    assert re.match(r"[\d.]+ \d+ \d+\n", shown), shown


@of("cython")
def test_cython_compiles(block, place):
    from nexus_fast.build import build

    source = place / block.options["name"]
    source.write_text(block.text)
    assert build(source).exists()


@of("shell")
def test_shell(block, place):
    prepare(block, place)
    script = "set -eu\n" + block.text.replace("nexus-fast", f"{shlex.quote(sys.executable)} -m nexus_fast")
    script = re.sub(r"^python ", f"{shlex.quote(sys.executable)} ", script, flags=re.M)
    run(["bash", "-c", script], place)


@of("endpoints")
def test_endpoints(block, place):
    from nexus_fast.endpoints import load_endpoints

    (place / "endpoints.toml").write_text(block.text)
    assert load_endpoints(place / "endpoints.toml", {}).given


def test_commands_that_are_shown_exist():
    from nexus_fast.cli import COMMANDS

    verbs = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for block in BLOCKS:
        if block.language != "sh":
            continue
        for line in block.text.splitlines():
            line = line.partition("#")[0].split()
            if line[:1] == ["make"]:
                assert set(line[1:]) <= verbs, f"{block}: {line}"
            if "nexus-fast" in line:
                assert line[line.index("nexus-fast") + 1] in COMMANDS, f"{block}: {line}"


def test_inline_commands_exist():
    """`nexus-fast X` and `make X` in running text."""
    from nexus_fast.cli import COMMANDS

    verbs = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for page in PAGES:
        text = page.read_text()
        assert set(re.findall(r"`nexus-fast ([a-z]+)", text)) <= set(COMMANDS), page.name
        assert set(re.findall(r"`make ([a-z]+)", text)) <= verbs, page.name


def test_modules_and_files_that_are_named_exist():
    """`path/to/file.ext` and `nexus_fast.x.y` in running text."""
    import importlib

    missing = []
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
        for path in re.findall(r"`((?:src|cython|tests|bench|docs|strategies)/[\w./-]+)`", text):
            if not (ROOT / path).exists():
                missing.append(f"{page.name}: {path}")
        for name in set(re.findall(r"`(nexus_fast(?:\.\w+)+)", text)):
            module, found = name, None
            while "." in module and found is None:
                try:
                    found = importlib.import_module(module)
                except ImportError:
                    module = module.rpartition(".")[0]
            rest = name[len(module) :].strip(".").split(".") if name != module else []
            for part in filter(None, rest):
                found = getattr(found, part, None)
            if found is None:
                missing.append(f"{page.name}: {name}")
    assert missing == []
