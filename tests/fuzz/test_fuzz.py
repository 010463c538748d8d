"""A share of the fuzzing in every run, and proof that it can fail. The long run: python tests/fuzz/sanitized.py."""

import json
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(Path(__file__).parent), str(TESTS / "unit" / "wire"), str(TESTS / "support")]

import sanitized  # noqa: E402
from patience import PROCESS_SECONDS  # noqa: E402
from wire_reference import expected  # noqa: E402

STATUS = {1: "quote", 0: "other", -1: "malformed", -2: "range", -3: "insane"}


@pytest.fixture(scope="module", autouse=True)
def built():
    if sanitized.sanitizer_library() is None:
        pytest.skip("the compiler comes without libasan.so")
    return sanitized.build()


def test_mutated_frames_never_read_outside_their_block():
    done = sanitized.run_child(["--mutants", 100_000, "--seed", 20261122], timeout=PROCESS_SECONDS * 4)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    for pair, counts in json.loads(done.stdout)["mutants"].items():
        assert sum(counts.values()) >= 100_000, (pair, counts)
        assert counts["1"] > 200 and counts["-1"] > 200, (pair, counts)  # mutants on both sides of the rules


def test_mutants_get_what_the_rules_give():
    done = sanitized.run_child(["--sample", 3000, "--seed", 7], timeout=PROCESS_SECONDS * 4)
    assert done.returncode == 0, done.stderr[-6000:]
    for line in done.stdout.splitlines():
        venue, _, frame, status = json.loads(line)
        assert STATUS[status] == expected(venue, bytes.fromhex(frame))[0], bytes.fromhex(frame)


@pytest.mark.parametrize(
    ("fault", "words"), [("over_read", "heap-buffer-overflow"), ("overflow", "signed integer overflow")]
)
def test_the_harness_reports_a_parser_that_is_wrong(fault, words):
    done = sanitized.run_child(["--seconds", 1, "--fault", fault], timeout=PROCESS_SECONDS * 4)
    assert done.returncode != 0
    assert words in done.stderr, done.stderr[-3000:]
