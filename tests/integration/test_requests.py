"""REST questions from every kind of callback of a running engine, against the simulated Binance."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PROCESS_SECONDS

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "src"
SPOT, PERP = "BTCUSDT.BINANCE", "BTCUSDT-PERP.BINANCE"
CALLBACKS = ("on_start", "on_bookl1", "job")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What the program was answered: {"answers": [[where, what, text], …], "resting": {symbol: oid}}."""
    from simulator import start_simulator

    directory = tmp_path_factory.mktemp("requests")
    endpoints, stop = start_simulator(directory=directory, rate=20, seed=7)
    path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH")]))
    environment = dict(os.environ, NEXUS_FAST_ENDPOINTS=str(endpoints), PYTHONPATH=path)
    command = [sys.executable, str(HERE / "request_program.py"), str(directory / "answers.json")]
    try:
        ended = subprocess.run(
            command, cwd=directory, env=environment, timeout=PROCESS_SECONDS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    finally:
        stop()
    assert ended.returncode == 0, ended.stdout.decode()[-4000:]
    return json.loads((directory / "answers.json").read_text())


def answers(run, where, what):
    return [text for place, name, text in run["answers"] if (place, name) == (where, what)]


@pytest.mark.parametrize("where", CALLBACKS)
def test_market_data(run, where):
    (ticker,), (perpetual,) = answers(run, where, "ticker"), answers(run, where, "all_tickers")
    assert ticker["symbol"] == SPOT and perpetual["symbol"] == PERP
    assert float(ticker["last_price"]) > 0 and float(perpetual["last_price"]) > 0
    (bars,) = answers(run, where, "klines")
    assert [bar["symbol"] for bar in bars] == [SPOT, PERP]
    for bar in bars:
        assert float(bar["low"]) <= float(bar["close"]) <= float(bar["high"])
        assert float(bar["volume"]) > 0 and int(bar["start"]) % 60_000 == 0


@pytest.mark.parametrize("where", CALLBACKS)
def test_bars_between_two_times(run, where):
    (since,), (before,) = answers(run, where, "since"), answers(run, where, "before")
    assert since and before == []
    assert [int(bar["start"]) for bar in since] == sorted({int(bar["start"]) for bar in since})


@pytest.mark.parametrize("where", CALLBACKS)
def test_the_index_of_a_perpetual(run, where):
    (bars,) = answers(run, where, "index")
    assert bars and {bar["symbol"] for bar in bars} == {PERP} and "volume" not in bars[0]


@pytest.mark.parametrize("where", CALLBACKS)
def test_spot_has_no_index(run, where):
    (text,) = answers(run, where, "no index")
    assert text.startswith("SubscriptionError: request_index_klines(BTCUSDT.BINANCE)")


@pytest.mark.parametrize("where", CALLBACKS[1:])
def test_orders_and_fills_of_both_accounts(run, where):
    orders = answers(run, where, "order")
    assert [(o["symbol"], o["oid"], o["status"]) for o in orders] == [
        (SPOT, run["resting"][SPOT], "ACCEPTED"),
        (PERP, run["resting"][PERP], "ACCEPTED"),
    ]
    assert {(o["side"], o["type"], o["time_in_force"], float(o["amount"])) for o in orders} == {
        ("BUY", "LIMIT", "GTC", 0.01)
    }
    assert answers(run, where, "open_orders") == [[order] for order in orders]
    assert answers(run, where, "no order") == ["None", "None"]
    for (fill,), currency in zip(answers(run, where, "recent_trades"), ("BTC", "USDT"), strict=True):
        assert (fill["side"], float(fill["filled"]), fill["fee_currency"]) == ("BUY", 0.01, currency)
        assert float(fill["cost"]) == pytest.approx(0.01 * float(fill["average"]))


@pytest.mark.parametrize("where", CALLBACKS[1:])
def test_the_venues_own_methods(run, where):
    spot, perpetual, leverage = answers(run, where, "api")
    assert "balances" in spot and "totalWalletBalance" in perpetual and leverage == "7"
    (refusal,) = answers(run, where, "refusal")
    assert refusal.startswith("VenueError: binance code=-1121")


def test_a_coroutine_awaits_the_same_answers(run):
    (bars,) = answers(run, "coroutine", "klines")
    assert [bar["symbol"] for bar in bars] == [SPOT, PERP]
    assert {(o["symbol"], o["oid"]) for o in answers(run, "coroutine", "order")} == set(run["resting"].items())
