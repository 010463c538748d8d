"""The log: levels per component, files, JSON, and secrets struck out."""

import json
import logging

import pytest

from nexus_fast import log
from nexus_fast.config import LogConfig
from nexus_fast.log import Logger, configure, redact, register_secret


class Console:
    """What was written so far."""

    def __init__(self, capsys):
        self._capsys = capsys
        self._text = ""

    def getvalue(self):
        self._text += self._capsys.readouterr().out
        return self._text


@pytest.fixture(autouse=True)
def console(monkeypatch, capsys):
    monkeypatch.setattr(log, "_secrets", set())
    yield Console(capsys)
    root = logging.getLogger(log.ROOT)
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    root.propagate = True
    root.setLevel(logging.NOTSET)


def test_a_line(console):
    configure()
    Logger("strategy").info("filled", price=1.5, side="BUY")
    line = console.getvalue()
    assert line.endswith("Z [INFO] strategy: filled price=1.5 side=BUY\n") and line.startswith("20")


@pytest.mark.parametrize("level", ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "OFF"])
def test_levels(console, level):
    configure(LogConfig(level_stdout=level))
    logger = Logger("a")
    for name in ("trace", "debug", "info", "warning", "error", "critical"):
        getattr(logger, name)("x")
    names = ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
    shown = [line.split("[")[1].split("]")[0] for line in console.getvalue().splitlines()]
    assert shown == ([] if level == "OFF" else names[names.index(level) :])


def test_a_components_own_level(console):
    configure(LogConfig(level_stdout="WARNING", component_levels={"feed": "DEBUG", "loud": "ERROR"}))
    Logger("feed").debug("seen")
    Logger("loud").warning("unseen")
    Logger("other").info("unseen")
    assert [line.split(": ")[-1] for line in console.getvalue().splitlines()] == ["seen"]


def test_components_only(console):
    configure(LogConfig(component_levels={"feed": "INFO"}, log_components_only=True))
    Logger("feed").info("seen")
    Logger("other").error("unseen")
    assert console.getvalue().count("\n") == 1


def test_bypass(console):
    configure(LogConfig(bypass=True))
    Logger("a").critical("unseen")
    assert console.getvalue() == ""


def test_percent_signs_and_any_object_are_text(console):
    configure()
    Logger("a").info("100% %s %d")
    Logger("a").info({"a": 1})
    assert "100% %s %d" in console.getvalue() and "{'a': 1}" in console.getvalue()


def test_a_file_of_json(console, tmp_path):
    directory = tmp_path / "logs"
    configure(LogConfig(level_stdout="OFF", level_file="DEBUG", directory=str(directory), file_name="a.json",
                        file_format="JSON"))  # fmt: skip
    Logger("a").debug("hello", number=7)
    try:
        raise ValueError("why")
    except ValueError as error:
        Logger("a").exception("failed", error)
    lines = [json.loads(line) for line in (directory / "a.json").read_text().splitlines()]
    assert (lines[0]["level"], lines[0]["component"], lines[0]["message"], lines[0]["number"]) == (
        "DEBUG", "a", "hello", "7",
    )  # fmt: skip
    assert "ValueError: why" in lines[1]["traceback"] and console.getvalue() == ""


def test_a_file_name_without_a_level_takes_the_consoles(console, tmp_path):
    configure(LogConfig(directory=str(tmp_path), file_name="a.log"))
    Logger("a").info("hello")
    assert "hello" in (tmp_path / "a.log").read_text() and "hello" in console.getvalue()


def test_files_are_rotated(tmp_path):
    configure(LogConfig(directory=str(tmp_path), file_name="a.log", max_file_size=200, max_backup_count=2))
    for number in range(20):
        Logger("a").info(f"line {number}")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.log", "a.log.1", "a.log.2"]


def test_configuring_again_replaces(console):
    configure()
    configure()
    Logger("a").info("once")
    assert console.getvalue().count("once") == 1


class TestSecrets:
    def test_they_are_struck_out_everywhere(self, console, tmp_path):
        register_secret("s3cr3t-value", None, "")
        configure(LogConfig(level_file="INFO", directory=str(tmp_path), file_name="a.json", file_format="JSON"))
        Logger("a").info("with s3cr3t-value inside", field="s3cr3t-value")
        try:
            raise RuntimeError("url?signature=s3cr3t-value")
        except RuntimeError as error:
            Logger("a").exception("failed", error)
        for text in (console.getvalue(), (tmp_path / "a.json").read_text()):
            assert "s3cr3t" not in text and text.count("***") >= 3

    def test_the_longest_first(self):
        register_secret("abcd", "abcdefgh")
        assert redact("x abcdefgh y abcd") == "x *** y ***"

    def test_short_texts_are_no_secrets(self):
        """The simulator's key is `sim`: striking that out would spoil half of every line."""
        register_secret("sim")
        assert redact("similar") == "similar"
