"""Bars that a running engine makes from the simulated Binance's trades, against those trades."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PROCESS_SECONDS

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "src"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    from simulator import start_simulator

    directory = tmp_path_factory.mktemp("aggregation")
    endpoints, stop = start_simulator(directory=directory, rate=50, prices="walk", seed=7)
    path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH")]))
    environment = dict(os.environ, NEXUS_FAST_ENDPOINTS=str(endpoints), PYTHONPATH=path)
    command = [sys.executable, str(HERE / "aggregation_program.py"), str(directory / "bars.json")]
    try:
        ended = subprocess.run(
            command, cwd=directory, env=environment, timeout=PROCESS_SECONDS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    finally:
        stop()
    assert ended.returncode == 0, ended.stdout.decode()[-4000:]
    return json.loads((directory / "bars.json").read_text())


def test_every_second_is_a_bar_of_its_trades(run):
    first = run["trades"][0][0] // 1000 * 1000
    assert [bar["start"] for bar in run["seconds"]] == [first + 1000 * number for number in range(4)]
    for bar in run["seconds"]:
        trades = [t for t in run["trades"] if bar["start"] <= t[0] < bar["start"] + 1000]
        assert trades and bar["timestamp"] == bar["start"] + 1000
        prices = [price for _, price, _, _ in trades]
        assert (bar["open"], bar["close"]) == (prices[0], prices[-1])
        assert (bar["high"], bar["low"]) == (max(prices), min(prices))
        assert bar["volume"] == pytest.approx(sum(size for _, _, size, _ in trades))
        assert bar["buy_volume"] == pytest.approx(sum(size for _, _, size, side in trades if side == "BUY"))


def test_bars_of_equal_volume(run):
    assert {bar["volume"] for bar in run["volume"]} == {0.05}
    traded = sum(size for _, _, size, _ in run["trades"])
    assert 0 <= traded - 0.05 * len(run["volume"]) < 0.05 + max(size for _, _, size, _ in run["trades"])
    assert [bar["timestamp"] for bar in run["volume"]] == sorted(bar["timestamp"] for bar in run["volume"])


def test_after_unsubscribing_there_are_no_more(run):
    assert run["late_bars"] == 0
