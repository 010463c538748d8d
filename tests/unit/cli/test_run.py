"""What a user's mistake looks like: the sentence and the user's own lines."""

import subprocess
import sys

import pytest

HEAD = """
from nexus_fast.config import Config
from nexus_fast.constants import ExchangeType
from nexus_fast.engine import Engine
from nexus_fast.strategy import Strategy
"""
CONFIG = "Config(strategy_id='a', user_id='b', strategy=Strategy, basic_config={}, public_conn_config={})"
PROGRAMS = {
    "a configuration": (f"{HEAD}\ndef build():\n    return Engine({CONFIG})\n\nbuild()\n",
                        "ConfigurationError: Config.strategy is the class Strategy, not an instance: write Strategy().",
                        ("build()", f"return Engine({CONFIG})")),
    "an argument": (f"{HEAD}\nStrategy().create_order('BTCUSDT.BINANCE', 'BUY', None, 1)\n",
                    "StrategyBuildError: create_order was called before the engine was built", ("Strategy().create_order(",)),
    "a name": ("def price():\n    return prise\n\nprice()\n", "NameError: name 'prise' is not defined",
               ("price()", "return prise")),
    "a module": ("import nexus_fasd\n", "ModuleNotFoundError: No module named 'nexus_fasd'", ("import nexus_fasd",)),
    "a cause": ("try:\n    1 / 0\nexcept ArithmeticError as error:\n    raise OSError('no') from error\n", "OSError: no",
                ("1 / 0",)),
    "syntax": ("def price(:\n    pass\n", "SyntaxError: invalid syntax", ("def price(:",)),
}  # fmt: skip


def run(folder, text, *options):
    program = folder / "program.py"
    program.write_text(text)
    command = [sys.executable, "-m", "nexus_fast", "run", *options, str(program)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60)


@pytest.mark.parametrize("mistake", PROGRAMS)
def test_a_mistake_is_shown_by_the_programs_own_lines(tmp_path, mistake):
    program, sentence, lines = PROGRAMS[mistake]
    done = run(tmp_path, program)
    shown = done.stderr.strip().splitlines()
    assert done.returncode == 1 and done.stdout == "" and len(shown) < 20
    assert any(line.startswith(sentence) for line in shown[-2:])
    assert all(any(line in one for one in shown) for line in lines)
    named = [line.split('"')[1] for line in shown if line.lstrip().startswith("File ")]
    assert named and set(named) == {str(tmp_path / "program.py")}


def test_a_program_that_is_not_there(tmp_path):
    command = [sys.executable, "-m", "nexus_fast", "run", "none.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 2 and "File 'none.py' does not exist" in done.stderr and "Traceback" not in done.stderr


def test_an_end_of_the_programs_own_is_its_own(tmp_path):
    assert run(tmp_path, "raise SystemExit(7)\n").returncode == 7


def test_a_fault_of_ours_is_shown_whole():
    """What begins in the engine is not cut: its lines are what is needed."""
    from nexus_fast.journal.reader import Names
    from nexus_fast.mistakes import text_of

    with pytest.raises(AttributeError) as caught:
        Names().learn(None, b"")
    assert "journal/reader.py" in text_of(caught.value) and "AttributeError" in text_of(caught.value)
