"""A mutant: the tree with one piece of handling taken out, and the test that has to fail because of it.

`<area>/<name>.patch` begins with a line `Why: …` (what is taken out) and a line `Test: …` (a pytest id; several are separated by
spaces), then comes a unified diff against the tree.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
# Not copied: what is large and takes no part.
LEFT_OUT = shutil.ignore_patterns(".venv", ".git", ".hypothesis", ".pytest_cache", ".ruff_cache", "__pycache__", "results")
FAILED = 1                               # pytest's status when tests ran and some failed
BUILD_SECONDS, TEST_SECONDS = 1800, 900


class MutantError(Exception):
    """A mutant that proves nothing: it cannot be read, applied or built, or its test did not run."""


@dataclass(frozen=True)
class Mutant:
    name: str
    why: str
    tests: tuple[str, ...]
    patch: Path

    @property
    def compiled(self) -> bool:
        """Whether the tree has to be compiled for it."""
        return re.search(r"^\+\+\+ b/cython/", self.patch.read_text(), re.M) is not None

    def applies_to(self, tree: Path) -> str:
        """What stands in its way; "" when it applies."""
        return self._git_apply(tree, "--check")

    def survives(self) -> bool:
        """Whether its tests pass all the same. Raises MutantError when that cannot be told."""
        with copy_of_the_tree() as tree:
            if problem := self._git_apply(tree):
                raise MutantError(f"{self.name}: does not apply any more: {problem}")
            if self.compiled:
                build(tree, self.name)
            status, output = run(tree, self.tests)
        if status not in (0, FAILED):
            raise MutantError(f"{self.name}: its tests did not run (pytest ended with {status}):\n{output[-3000:]}")
        return status == 0

    def _git_apply(self, tree: Path, *options: str) -> str:
        # A folder above may be a repository of its own, which git would apply the patch in.
        variables = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
        command = ["git", "apply", *options, str(self.patch)]
        return subprocess.run(command, cwd=tree, env=variables, capture_output=True, text=True).stderr.strip()


def read(patch: Path) -> Mutant:
    name = str(patch.relative_to(FOLDER).with_suffix(""))
    head = patch.read_text().partition("\n--- ")[0]
    found = dict(re.findall(r"^(Why|Test): (.+)$", head, re.M))
    if set(found) != {"Why", "Test"}:
        raise MutantError(f"{name}: its first lines are `Why: …` and `Test: …`")
    return Mutant(name, found["Why"], tuple(found["Test"].split()), patch)


def mutants(wanted: Iterable[str] = ()) -> list[Mutant]:
    """All, or those whose names begin with one of `wanted`."""
    found = [read(patch) for patch in sorted(FOLDER.rglob("*.patch"))]
    chosen = tuple(wanted)
    return [mutant for mutant in found if mutant.name.startswith(chosen)] if chosen else found


def sample(found: Iterable[Mutant]) -> list[Mutant]:
    """The first of each area that needs no compiler."""
    first: dict[str, Mutant] = {}
    for mutant in found:
        if not mutant.compiled:
            first.setdefault(mutant.name.partition("/")[0], mutant)
    return list(first.values())


class copy_of_the_tree:
    """With what was compiled, so that only what a patch touches is compiled again. Removed at the end."""

    def __enter__(self) -> Path:
        self._made = Path(tempfile.mkdtemp(prefix="nexus_fast_mutant_"))
        return Path(shutil.copytree(ROOT, self._made / "tree", ignore=LEFT_OUT, symlinks=True))

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._made, ignore_errors=True)


def build(tree: Path, name: str) -> None:
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=BUILD_SECONDS)
    if done.returncode:
        raise MutantError(f"{name}: does not compile:\n{done.stderr[-3000:]}")


def run(tree: Path, tests: Iterable[str]) -> tuple[int, str]:
    """pytest's status and output, with the package of that tree."""
    variables = {**os.environ, "PYTHONPATH": str(tree / "src")}
    variables.pop("PYTEST_XDIST_WORKER", None)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=tree, env=variables, capture_output=True, text=True, timeout=TEST_SECONDS)
    return done.returncode, done.stdout + done.stderr
