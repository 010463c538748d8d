"""What `nexus-fast doctor` makes of a machine, on texts as kernels have them."""

import json

import pytest
from click.testing import CliRunner

from nexus_fast.cli import doctor


@pytest.mark.parametrize(
    ("text", "numbers"), [("", []), ("3", [3]), ("0-2", [0, 1, 2]), ("0-1,8,10-11\n", [0, 1, 8, 10, 11])]
)
def test_cpu_list(text, numbers):
    assert doctor.cpu_list(text) == numbers


@pytest.mark.parametrize(("text", "word"), [("always [madvise] never", "madvise"), ("[always] never", "always"), (None, "")])
def test_chosen(text, word):
    assert doctor.chosen(text) == word


def with_files(monkeypatch, **files):
    monkeypatch.setattr(doctor, "read", lambda path: next((text for end, text in files.items() if path.endswith(end)), None))


@pytest.mark.parametrize(
    ("check", "files", "verdict"),
    [
        ("isolated", {"isolated": "2-3"}, "good"),
        ("isolated", {"isolated": ""}, "costs"),
        ("timer_ticks", {"nohz_full": "(null)"}, "costs"),
        ("timer_ticks", {"nohz_full": "3"}, "good"),
        ("huge_pages", {"enabled": "[always] madvise never", "defrag": "[madvise]"}, "costs"),
        ("huge_pages", {}, "note"),
        ("governor", {"scaling_governor": "powersave"}, "costs"),
        ("governor", {"scaling_governor": "performance"}, "good"),
        ("governor", {}, "note"),
        ("busy_poll", {"busy_poll": "0", "busy_read": "50"}, "costs"),
        ("busy_poll", {"busy_poll": "50", "busy_read": "50"}, "good"),
        ("socket_buffers", {"rmem_max": "212992", "wmem_max": "212992"}, "note"),
        ("clock_source", {"current_clocksource": "hpet"}, "costs"),
    ],
)
def test_verdicts(monkeypatch, check, files, verdict):
    with_files(monkeypatch, **files)
    monkeypatch.setattr(doctor.platform, "machine", lambda: "x86_64")
    finding = getattr(doctor, check)()
    assert finding.verdict == verdict
    assert bool(finding.remedy) or verdict != "costs"


def test_a_check_that_fails_is_a_note(monkeypatch):
    def broken_check():
        raise OSError("no such kernel")

    monkeypatch.setattr(doctor, "CHECKS", (broken_check, doctor.interpreter))
    first, second = doctor.examine()
    assert (first.verdict, second.verdict) == ("note", "good")
    assert "no such kernel" in first.found


def test_json():
    done = CliRunner().invoke(doctor.command, ["--json"])
    findings = json.loads(done.output)
    assert {f["verdict"] for f in findings} <= {"good", "costs", "broken", "note"}
    assert all(set(f) == {"what", "found", "verdict", "effect", "remedy"} and f["found"] for f in findings)
    assert done.exit_code == any(f["verdict"] == "broken" for f in findings)


def test_every_cost_has_a_remedy():
    for finding in doctor.examine():
        assert finding.verdict not in ("costs", "broken") or (finding.effect and finding.remedy), finding
