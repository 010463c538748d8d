"""Every mutant can be applied, and one of each area is seen. All of them: `make mutants`."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from mutant import ROOT, mutants, sample  # noqa: E402

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git applies the patches")
FOUND = mutants()


def test_there_are_mutants():
    assert len(FOUND) >= 1


@pytest.mark.parametrize("mutant", FOUND, ids=lambda mutant: mutant.name)
def test_it_applies_and_its_tests_are_there(mutant):
    assert mutant.applies_to(ROOT) == ""
    for test in mutant.tests:
        path, *names = test.split("::")
        text = (ROOT / path).read_text()
        assert [name for name in names if name.partition("[")[0] not in text] == [], test


@pytest.mark.parametrize("mutant", sample(FOUND), ids=lambda mutant: mutant.name)
def test_its_test_sees_it(mutant):
    assert not mutant.survives()
