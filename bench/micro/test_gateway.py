"""Nanoseconds from an order to the bytes of its request, step by step. Run: pytest bench/micro/test_gateway.py

`extra_info` has the best and the median round, per step, of a loop in C (gateway_loops.pyx, compiled against the
installed package); on a machine that does other things as well, the best is the figure of the code. Python's hmac
beside them is called once per signature, from Python.
"""

import hashlib
import hmac
import importlib.util
import sys
from pathlib import Path

import pytest

N = 2_000
KEY, SECRET = "k" * 64, "s" * 64


@pytest.fixture(scope="session")
def loops(tmp_path_factory):
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    target = tmp_path_factory.mktemp("gateway_loops")
    source = Path(__file__).with_name("gateway_loops.pyx")
    directives = {"language_level": 3, "cdivision": True, "boundscheck": False, "wraparound": False}
    extension = Extension("gateway_loops", [str(source)], extra_compile_args=["-O3"])
    modules = cythonize(
        [extension], build_dir=str(target), compiler_directives=directives, include_path=sys.path, quiet=True
    )
    command = Distribution({"ext_modules": modules}).get_command_obj("build_ext")
    command.build_lib = command.build_temp = str(target)
    command.ensure_finalized()
    command.run()
    spec = importlib.util.spec_from_file_location("gateway_loops", command.get_ext_fullpath("gateway_loops"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def per_step(benchmark, capsys):
    def run(name, steps, function, *args):
        benchmark.pedantic(function, args, rounds=300, warmup_rounds=20)
        if benchmark.stats is None:  # --benchmark-disable: only that it runs
            return
        best, median = (figure / steps * 1e9 for figure in (benchmark.stats.stats.min, benchmark.stats.stats.median))
        benchmark.extra_info.update(best_ns=round(best, 1), median_ns=round(median, 1))
        with capsys.disabled():
            print(f"\n{name:<52}{best:>10.1f} ns best {median:>10.1f} ns median", end="")

    return run


@pytest.fixture
def implementation(request):
    from nexus_fast.gateway import sha256

    if request.param not in sha256.implementations():
        pytest.skip(f"{request.param} does not run here")
    sha256.use_implementation(request.param)
    yield request.param
    sha256.use_implementation(sha256.implementations()[0])


def templates(entry, family="usd_m", secret=SECRET):
    from nexus_fast.gateway import binance

    return binance.order_templates(
        family, "BTCUSDT", entry=entry, price_scale=2, size_scale=3, api_key=KEY, secret=secret
    )


@pytest.mark.parametrize("implementation", ["sha-ni", "armv8", "portable"], indirect=True)
def test_sha256_block(loops, per_step, implementation):
    per_step(f"SHA-256 block, {implementation}", N, loops.blocks, N)


@pytest.mark.parametrize("size", [24, 100, 128, 180])
def test_hmac_over_a_midstate(loops, per_step, size):
    per_step(f"HMAC-SHA256 over {size} new bytes, hex", N, loops.hmacs, N, size)


@pytest.mark.parametrize("size", [128, 200])
def test_hmac_of_the_standard_library(per_step, size):
    key, message = b"s" * 64, b"m" * size

    def many():
        for _ in range(20):
            hmac.new(key, message, hashlib.sha256).hexdigest()

    per_step(f"  beside it: hmac.new().hexdigest() over {size} bytes", 20, many)


@pytest.mark.parametrize("size", [128, 200])
def test_hmac_of_openssl(per_step, size):
    key, message = b"s" * 64, b"m" * size

    def many():
        for _ in range(20):
            hmac.digest(key, message, "sha256")

    per_step(f"  beside it: OpenSSL's one-shot HMAC over {size} bytes", 20, many)


def test_price_to_text(loops, per_step):
    per_step("price to text", N, loops.numbers, N, 6180020, 2)


def test_timestamp_to_text(loops, per_step):
    per_step("timestamp to text", N, loops.timestamps, N)


@pytest.mark.parametrize("kind", ["market", "limit"])
@pytest.mark.parametrize("family", ["spot", "usd_m"])
def test_signed_websocket_order(loops, per_step, family, kind):
    number = ["market", "limit"].index(kind)
    name = f"{family} {kind} order by WebSocket: fill, sign, frame"
    per_step(name, N, loops.orders, templates("ws", family), N, number, True)


def test_websocket_order_after_logon(loops, per_step):
    per_step("limit order after session.logon: fill, frame", N, loops.orders, templates("ws", secret=None), N, 1, True)


def test_rest_order(loops, per_step):
    per_step("limit order by REST: fill, sign", N, loops.orders, templates("rest"), N, 1, False)
