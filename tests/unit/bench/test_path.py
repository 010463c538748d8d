"""What the path's loops make is what a venue would accept: read back and judged by hashlib."""

import hashlib
import hmac
import json
import subprocess
import sys

import pytest
from patience import PROCESS_SECONDS

from bench.build import ROOT, c_program
from bench.counting import CountError, dumps
from bench.path import frames as frames_module
from bench.path import run as path_run
from bench.path.frames import MOST, SOURCES, combined, documented, frames_of, repeated
from bench.runs import API_KEY, SECRET

PROGRAM = """
import ctypes, json, sys
from pathlib import Path
from bench.path.frames import frames_of
from bench.path.world import World, loops, read_back, segments
libc = ctypes.CDLL(None)
ctypes.c_int.in_dll(libc, "bench_keep_sent").value = 1
sent = lambda: bytes((ctypes.c_char * 4096).in_dll(libc, "bench_last_sent"))
found = {}
with segments() as folder:
    for name in ("binance spot", "okx"):
        frames, _ = frames_of(name, recorded=False)
        for kind in ("cython", "python"):
            world = World(name, frames, folder / f"{name}-{kind}".replace(" ", "_"), (kind,))
            if kind == "cython":
                world.strategies[0].level = loops().LEVELS.index("whole")
            assert len(world.path.times(loops().LEVELS.index("whole"), 2)) == 2
            assert world.entry.sent >= 2 * len(frames)
            found[f"{name} {kind}"] = read_back(sent())
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def requests(program):
    from bench.counting import environment

    variables = {**environment(), "LD_PRELOAD": str(c_program("no_send", shared=True))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=PROCESS_SECONDS
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", ["cython", "python"])
def test_the_order_at_the_end_of_the_path_is_signed_and_at_the_ask(requests, kind):
    request = requests[f"binance spot {kind}"]
    params = dict(request["params"])
    signature = params.pop("signature")
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
    assert signature == hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
    last = json.loads(frames_of("binance spot", recorded=False)[0][-1])
    assert (request["method"], params["apiKey"], float(params["price"])) == ("order.place", API_KEY, float(last["a"]))


@pytest.mark.parametrize("kind", ["cython", "python"])
def test_an_order_after_logon_has_no_signature(requests, kind):
    request = requests[f"okx {kind}"]
    assert request["op"] == "order" and "sign" not in json.dumps(request)


@pytest.mark.parametrize("name", SOURCES)
def test_frames_are_json_and_stay_so(name):
    frames, origin = frames_of(name, recorded=False)
    assert frames and origin in ("samples", "documented")
    for frame in (*frames, *repeated(frames)):
        json.loads(frame)
    if name.startswith("binance"):
        assert all(
            json.loads(wrapped)["data"] == json.loads(frame)
            for wrapped, frame in zip(combined(name, frames), frames, strict=True)
        )
    assert all(json.loads(frame) for frame in documented(name))


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """As in a clone that has nothing beside it."""
    monkeypatch.setattr(frames_module, "RECORDINGS", tmp_path / "shared" / "data")


@pytest.mark.parametrize("name", SOURCES)
def test_without_recordings_every_market_has_frames_that_are_in_order(name, bare):
    """Judged by what the venues say of them: neither an update id or a sequence number nor the time of a transaction falls."""
    frames, origin = frames_of(name)
    assert origin == ("samples" if name.startswith("binance") else "documented")
    assert len(frames) == (MOST if origin == "samples" else len(documented(name)))
    found = [json.loads(frame) for frame in frames]
    ids = [f["data"][0]["seqId"] if name == "okx" else f["data"]["u"] if name == "bybit linear" else f["u"] for f in found]
    times = [f["T"] for f in found if "T" in f]
    assert ids == sorted(ids) and times == sorted(times) and len(times) in (0, len(found))


def test_a_market_that_fails_leaves_the_others(bare, monkeypatch, tmp_path, capsys):
    def timed(market, passes):
        if market == "okx":
            raise CountError("Traceback\nValueError: 62 of 1000 frames were quotes")
        return {"frames": 1000, "origin": "samples", "ns": {"cython whole": {"median": 300.0, "best": 290.0}}}

    monkeypatch.setattr(path_run, "timed", timed)
    where = tmp_path / "path.json"
    assert path_run.main(["--markets", "binance usd_m,okx,binance coin_m", "--no-count", "--json", str(where)]) == 1
    said = capsys.readouterr().out
    assert "okx: not measured: ValueError: 62 of 1000 frames were quotes" in said and "1000 samples" in said
    kept = json.loads(where.read_text())
    assert list(kept["results"]) == ["binance usd_m", "binance coin_m"] and list(kept["failed"]) == ["okx"]


def test_callgrinds_dumps_are_read_by_name(tmp_path):
    (tmp_path / "out.1").write_text("desc: Trigger: Client Request: spot|cython|parse\n\nevents: Ir\nsummary: 1234\n")
    (tmp_path / "out.3").write_text("desc: Trigger: Client Request: spot|cython|parse\n\nevents: Ir\nsummary: 1300\n")
    (tmp_path / "out.2").write_text("desc: Trigger: Program termination\n\nevents: Ir\nsummary: 99\n")
    assert dumps(tmp_path) == {"spot|cython|parse": 1234}
