"""Options and settings that the documents name are those of the code, and so are the defaults that they give."""

import dataclasses
import re
from pathlib import Path

import pytest

from nexus_fast import config
from nexus_fast.cli import COMMANDS
from nexus_fast.sim.__main__ import parser

ROOT = Path(__file__).resolve().parents[2]
OTHERS = [ROOT / "README.md", ROOT / "BENCHMARKING.md", ROOT / "strategies" / "README.md"]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *OTHERS])
CLASSES = {name: found for name, found in vars(config).items() if dataclasses.is_dataclass(found) and isinstance(found, type)}
FIELDS = {name: {field.name: field for field in dataclasses.fields(found)} for name, found in CLASSES.items()}


def command_of(words):
    """The click command that these words call, as far as they go."""
    import importlib

    found = importlib.import_module(f"nexus_fast.cli.{words[0]}").command
    for word in words[1:]:
        if word not in getattr(found, "commands", {}):
            break
        found = found.commands[word]
    return found


def options_of(command):
    return {option: parameter for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


def calls():
    """(page, words after nexus-fast, options) of every call of the command line that a page shows."""
    for page in PAGES:
        for line in page.read_text().splitlines():
            for found in re.finditer(r"nexus-fast ([a-z][\w-]*(?: [a-z][\w-]*)?)([^`|#]*)", line):
                if found.group(1).startswith("bench"):          # has a parser of its own for each of its parts
                    continue
                words, options = found.group(1).split(), re.findall(r"(?<![\w-])--[a-z][\w-]*", found.group(2))
                yield pytest.param(page.name, words, options, id=f"{page.name}: {found.group(0)[:60].strip()}")


@pytest.mark.parametrize(("page", "words", "options"), list(calls()))
def test_a_call_of_the_command_line_has_a_command_and_its_options(page, words, options):
    assert words[0] in COMMANDS
    assert set(options) <= {*options_of(command_of(words)), "--help"}


def test_both_ways_to_start_the_simulator_have_the_same_options_and_defaults():
    actions = [action for action in parser()._actions if "--help" not in action.option_strings]
    by_module = {option: action.default for action in actions for option in action.option_strings}
    by_command = options_of(command_of(["sim"]))
    assert set(by_command) - set(by_module) == {"--stop"} and set(by_module) <= set(by_command)
    called = command_of(["sim"]).make_context("sim", []).params
    for option, default in by_module.items():
        assert (called[by_command[option].name] or None) == (default or None), option
    run = options_of(command_of(["run"]))
    assert all(run[name].default == by_command[name].default for name in ("--rate", "--seed"))


def settings():
    """(page, class, field) of every setting that a page names: Config(field=…), Config.field."""
    names = "|".join(CLASSES)
    for page in PAGES:
        text = page.read_text()
        for found in re.finditer(rf"\b({names})\(((?:[^()]|\([^()]*\))*)\)", text):
            flat = re.sub(r"\([^()]*\)|\{[^{}]*\}|\"[^\"]*\"", "", found.group(2))
            for name in re.findall(r"(\w+)\s*=(?!=)", flat):
                yield page.name, found.group(1), name
        yield from ((page.name, *found) for found in re.findall(rf"\b({names})\.([a-z]\w*)", text) if found[1] != "from_env")


@pytest.mark.parametrize(("page", "owner", "name"), sorted(set(settings())))
def test_a_setting_that_is_named_is_one(page, owner, name):
    assert name in FIELDS[owner] or hasattr(CLASSES[owner], name)


def said_defaults():
    """(page, setting, value) of every line of code that says "the default" of one setting."""
    for page in PAGES:
        for line in page.read_text().splitlines():
            found = re.search(r"(\w+)\((?:\.\.\., )?(\w+)=(\"[^\"]*\"|[\w.]+)\)\s+# the default", line)
            if found:
                yield page.name, *found.groups()


@pytest.mark.parametrize(("page", "owner", "name", "value"), list(said_defaults()))
def test_a_default_in_a_line_of_code(page, owner, name, value):
    assert repr(FIELDS[owner][name].default).replace("'", '"') == value


# What a sentence says of a default: the page, the sentence with the value taken out, and what it is in the code.
SENTENCES = [
    ("simulator.md", r"`--rate` steps per second and symbol \((\d+)\s+by default",
     lambda: options_of(command_of(["sim"]))["--rate"].default),
    ("operate.md", r"`recv_window_ms`, (\d+) ms unless set", lambda: FIELDS["Config"]["recv_window_ms"].default),
    ("operate.md", r'`order_entry="(\w+)"` \(the default\)', lambda: FIELDS["Config"]["order_entry"].default),
    ("operate.md", r"(\d+) % are kept for reduce-only orders",
     lambda: 100 * FIELDS["PrivateConnectorConfig"]["order_reserve"].default),
    ("migrate-from-nexustrader.md", r"`recv_window_ms=(\d+)`", lambda: FIELDS["Config"]["recv_window_ms"].default),
]


@pytest.mark.parametrize(("page", "sentence", "default"), SENTENCES, ids=[sentence for _, sentence, _ in SENTENCES])
def test_a_default_in_a_sentence(page, sentence, default):
    found = re.search(sentence, (ROOT / "docs" / page).read_text())
    assert found, f"{page} does not say this any more: change the sentence here, too"
    value = default()
    assert found.group(1) == (f"{value:g}" if isinstance(value, float) else str(value))


def test_both_pages_say_who_counts_the_orders():
    """PrivateConnectorConfig.enable_rate_limit: counted here and refused at once; nothing sleeps."""
    from nexus_fast.order.reasons import TEXTS

    migrate, operate = ((ROOT / "docs" / page).read_text() for page in ("migrate-from-nexustrader.md", "operate.md"))
    assert any("by its limit of orders per time, which is counted here" in text for text in TEXTS)
    assert FIELDS["PrivateConnectorConfig"]["enable_rate_limit"].default is True
    assert "is counted here, on by default" in operate
    (row,) = [line for line in migrate.splitlines() if line.startswith("| a rate limiter that sleeps")]
    assert "counted" in row and "operate.md" in row


def test_every_program_of_strategies_is_in_their_list():
    listed = set(re.findall(r"`([\w.]+\.pyx?)`", (ROOT / "strategies" / "README.md").read_text()))
    assert {file.name for file in (ROOT / "strategies").glob("*.py*")} <= listed
    assert all((ROOT / "strategies" / name).exists() for name in listed)
