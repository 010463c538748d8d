"""Every scenario is tested, or listed with the reason why it is not."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
MARK = re.compile(r"pytest\.mark\.scenario\(([\d, ]+)\)")


def marked():
    found = {}
    for file in TESTS.rglob("test_*.py"):
        for numbers in MARK.findall(file.read_text(encoding="utf-8")):
            for number in numbers.split(","):
                found.setdefault(int(number), set()).add(file.name)
    return found


def listed():
    text = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    return {int(number) for number in re.findall(r"^\| (\d+) \|", text, re.M)}


def test_every_number_is_tested_or_listed():
    assert set(marked()) | listed() == set(range(1, 71))


def test_what_is_listed_is_not_tested():
    assert not set(marked()) & listed()
