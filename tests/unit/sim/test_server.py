"""The process: endpoints file, options, clean end; and the statistics it keeps."""

import subprocess
import sys
import time
import tomllib

import pytest
from patience import PROCESS_SECONDS, WAIT_SECONDS
from simulator import SOURCE, read_endpoints, start_simulator

from nexus_fast.sim.endpoints import to_toml, write
from nexus_fast.sim.server import SimulatedVenue
from nexus_fast.sim.wire_statistics import Histogram


def test_endpoints_file_is_toml_in_one_piece(tmp_path):
    tables = {"binance.spot": {"rest": "http://h:1", "stream": "ws://h:2"}, "sim": {"control": "http://h:1"}}
    file = tmp_path / "deep" / "endpoints.toml"
    write(file, tables)
    assert tomllib.loads(to_toml(tables))["binance"]["spot"]["stream"] == "ws://h:2"
    assert tomllib.loads(file.read_text())["sim"]["control"] == "http://h:1"
    assert [p.name for p in file.parent.iterdir()] == ["endpoints.toml"]


def test_the_process_starts_names_its_addresses_and_ends(tmp_path):
    file, stop = start_simulator(directory=tmp_path, rate=5, account=["other:secret:words"])
    endpoints = read_endpoints(file)
    stop()
    assert set(endpoints["binance"]["spot"]) == {"rest", "stream", "ws_api"}
    assert set(endpoints["binance"]["usd_m"]) == {"rest", "public", "market", "private", "ws_api"}
    assert endpoints["sim"]["control"].startswith("http://127.0.0.1:")
    assert (tmp_path / "simulator.log").read_text().count("Traceback") == 0


def test_it_ends_with_its_parent(tmp_path):
    code = ("import subprocess, sys, os\n"
            "p = subprocess.Popen([sys.executable, '-m', 'nexus_fast.sim', '--endpoints', sys.argv[1], '--parent', "
            "str(os.getpid())], stdout=subprocess.DEVNULL)\n"
            "import time, pathlib\n"
            "while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.02)\n"
            "print(p.pid, flush=True)\n")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "e.toml")], capture_output=True, text=True,
                          timeout=PROCESS_SECONDS, env={"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin"}, check=True)
    pid = int(done.stdout)
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            state = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    pytest.fail("the simulator outlived its parent")


def test_unknown_venues_are_named():
    with pytest.raises(ValueError, match="'kraken' is not simulated; choose from binance"):
        SimulatedVenue(("kraken",))


def test_histogram_percentiles():
    histogram = Histogram()
    for value in range(1, 1001):
        histogram.add(value - 0.5)
    histogram.add(55_000)
    summary = histogram.summary()
    assert summary["n"] == 1001 and summary["max"] == 55_000
    assert abs(summary["p50"] - 501) <= 1 and abs(summary["p90"] - 901) <= 1
    assert Histogram().summary()["p99"] == 0
