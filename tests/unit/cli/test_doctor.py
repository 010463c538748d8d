"""What `nexus-fast doctor` makes of a machine, on texts as kernels have them."""

import json

import pytest
from click.testing import CliRunner

from nexus_fast.cli import doctor
from nexus_fast.cli.doctor import kernel, memory, network, processors, software


@pytest.mark.parametrize(
    ("text", "numbers"), [("", []), ("3", [3]), ("0-2", [0, 1, 2]), ("0-1,8,10-11\n", [0, 1, 8, 10, 11])]
)
def test_cpu_list(text, numbers):
    assert kernel.cpu_list(text) == numbers


@pytest.mark.parametrize(("text", "word"), [("always [madvise] never", "madvise"), ("[always] never", "always"), (None, "")])
def test_chosen(text, word):
    assert kernel.chosen(text) == word


def with_files(monkeypatch, **files):
    monkeypatch.setattr(kernel, "read", lambda path: next((text for end, text in files.items() if path.endswith(end)), None))


@pytest.mark.parametrize(
    ("check", "files", "verdict"),
    [
        (processors.isolated, {"isolated": "2-3"}, "good"),
        (processors.isolated, {"isolated": ""}, "costs"),
        (processors.timer_ticks, {"nohz_full": "(null)"}, "costs"),
        (processors.timer_ticks, {"nohz_full": "3"}, "good"),
        (memory.huge_pages, {"enabled": "[always] madvise never", "defrag": "[madvise]"}, "costs"),
        (memory.huge_pages, {"enabled": "always madvise [never]"}, "costs"),
        (memory.huge_pages, {"enabled": "always [madvise] never"}, "good"),
        (memory.huge_pages, {}, "note"),
        (processors.governor, {"scaling_governor": "powersave"}, "costs"),
        (processors.governor, {"scaling_governor": "performance"}, "good"),
        (processors.governor, {}, "note"),
        (network.busy_poll, {"busy_poll": "0", "busy_read": "50"}, "costs"),
        (network.busy_poll, {"busy_poll": "50", "busy_read": "50"}, "good"),
        (network.socket_buffers, {"rmem_max": "212992", "wmem_max": "212992"}, "note"),
        (memory.clock_source, {"current_clocksource": "hpet"}, "costs"),
    ],
)
def test_verdicts(monkeypatch, check, files, verdict):
    with_files(monkeypatch, **files)
    monkeypatch.setattr(memory.platform, "machine", lambda: "x86_64")
    finding = check()
    assert finding.verdict == verdict
    assert bool(finding.remedy) or verdict != "costs"


def test_a_check_that_fails_is_a_note(monkeypatch):
    def broken_check():
        raise OSError("no such kernel")

    monkeypatch.setattr(doctor, "CHECKS", (broken_check, software.interpreter))
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


def test_what_slows_python_down_is_named(monkeypatch):
    for name in ("PYTHONMALLOC", "PYTHONTRACEMALLOC", "PYTHONASYNCIODEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(software.sys, "gettrace", lambda: None)
    assert software.debugging().verdict == "good"
    monkeypatch.setenv("PYTHONMALLOC", "debug")
    monkeypatch.setattr(software.gc, "get_debug", lambda: software.gc.DEBUG_STATS)
    finding = software.debugging()
    assert (finding.verdict, finding.found) == ("costs", "PYTHONMALLOC, gc.set_debug")
