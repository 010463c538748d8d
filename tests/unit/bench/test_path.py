"""What the path's loops make is what a venue would accept: read back and judged by hashlib."""

import hashlib
import hmac
import json
import subprocess
import sys

import pytest
from patience import PROCESS_SECONDS

from bench.build import ROOT, c_program
from bench.counting import dumps
from bench.path.frames import SOURCES, combined, documented, frames_of, later
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
    for frame in (*frames, *map(later, frames, range(len(frames)))):
        json.loads(frame)
    if name.startswith("binance"):
        assert all(
            json.loads(wrapped)["data"] == json.loads(frame)
            for wrapped, frame in zip(combined(name, frames), frames, strict=True)
        )
    assert all(json.loads(frame) for frame in documented(name))


def test_callgrinds_dumps_are_read_by_name(tmp_path):
    (tmp_path / "out.1").write_text("desc: Trigger: Client Request: spot|cython|parse\n\nevents: Ir\nsummary: 1234\n")
    (tmp_path / "out.3").write_text("desc: Trigger: Client Request: spot|cython|parse\n\nevents: Ir\nsummary: 1300\n")
    (tmp_path / "out.2").write_text("desc: Trigger: Program termination\n\nevents: Ir\nsummary: 99\n")
    assert dumps(tmp_path) == {"spot|cython|parse": 1234}
