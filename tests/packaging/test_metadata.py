"""What the package says of itself, without building it."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import nexus_fast

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NAME = re.compile(r"[A-Za-z0-9_.-]+")
# Imported lazily and asked for only by those who use them (extras).
OPTIONAL = {"numpy", "pandas", "Cython", "setuptools"}
# Comes with another of the dependencies.
BROUGHT = {"yarl": "aiohttp"}


def names(requirements):
    return {NAME.match(r).group().lower() for r in requirements}


def test_the_version_is_said_once_and_the_same():
    assert PROJECT["project"]["version"] == nexus_fast.__version__
    assert f"## {nexus_fast.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_what_is_compiled_in_has_one_pin_for_building_and_running():
    build = {r for r in PROJECT["build-system"]["requires"] if "==" in r}
    assert names(build) == {"picows", "aiofastnet"}
    assert build <= set(PROJECT["project"]["dependencies"])


def test_cython_is_the_same_minor_version_everywhere():
    everywhere = [*PROJECT["build-system"]["requires"], *sum(PROJECT["project"]["optional-dependencies"].values(), [])]
    assert {r for r in everywhere if r.startswith("Cython")} == {"Cython>=3.3,<3.4"}


def imported():
    """Top-level names that the package imports: of Python files by their syntax tree, of Cython files line by line."""
    found = set()
    for path in (*ROOT.glob("src/**/*.py"), *ROOT.glob("strategies/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module)
    for path in ROOT.glob("cython/**/*.p[yx][xd]"):
        found |= set(re.findall(r"^\s*from ([\w.]+) c?import", path.read_text(), re.M))
        found |= set(re.findall(r"^\s*c?import ([\w.]+)$", path.read_text(), re.M))
    return {name.partition(".")[0] for name in found}


def test_every_import_is_a_declared_dependency():
    declared = names(PROJECT["project"]["dependencies"])
    third_party = imported() - set(sys.stdlib_module_names) - {"libc", "cpython", "posix", "cython", "nexus_fast"}
    assert {name for name in third_party - OPTIONAL if BROUGHT.get(name, name).lower() not in declared} == set()


def test_the_source_distribution_names_every_folder():
    manifest = (ROOT / "MANIFEST.in").read_text()
    git = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if git.returncode:
        pytest.skip("not a git checkout")
    tops = {line.split("/")[0] for line in git.stdout.splitlines()} - {".gitignore", "src", "MANIFEST.in"}
    assert [top for top in sorted(tops) if top not in manifest] == []


def test_each_make_verb_has_its_line_of_help():
    makefile = (ROOT / "Makefile").read_text()
    verbs = makefile.partition(".PHONY:")[2].partition("\n")[0].split()
    assert [verb for verb in verbs if not re.search(rf"^{verb}:.*## \S", makefile, re.M)] == []
