"""The command line, as processes: run, demo, inspect, journal, sim."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PROCESS_SECONDS
from simulator import SOURCE

ROOT = Path(__file__).resolve().parents[2]
SEED = '''
from decimal import Decimal
from PACKAGE.constants import settings, ExchangeType, OrderSide, OrderType
from PACKAGE.config import Config, PublicConnectorConfig, PrivateConnectorConfig, BasicConfig
from PACKAGE.strategy import Strategy
from PACKAGE.exchange import BinanceAccountType
from PACKAGE.schema import BookL1, Order
from PACKAGE.engine import Engine

API_KEY = settings.BINANCE.LIVE.ACCOUNT1.API_KEY
SECRET = settings.BINANCE.LIVE.ACCOUNT1.SECRET


class MultiConnDemo(Strategy):
    def __init__(self):
        super().__init__()
        self.signal = True
        self.count = 0

    def on_start(self):
        self.subscribe_bookl1(symbols=["USDCUSDT-PERP.BINANCE", "USDCUSDT.BINANCE"])

    def on_filled_order(self, order: Order):
        self.count += 1
        print("FILLED", order.symbol, order.side.value, order.filled, flush=True)
        if self.count == 4:
            self.stop()

    def on_bookl1(self, bookl1: BookL1):
        if self.signal:
            self.signal = False
            self.create_order(symbol="USDCUSDT.BINANCE", side=OrderSide.BUY, type=OrderType.MARKET, amount=Decimal("6"))
            self.create_order(symbol="USDCUSDT.BINANCE", side=OrderSide.SELL, type=OrderType.MARKET, amount=Decimal("6"))
            self.create_order(symbol="USDCUSDT-PERP.BINANCE", side=OrderSide.BUY, type=OrderType.MARKET, amount=Decimal("6"))
            self.create_order(symbol="USDCUSDT-PERP.BINANCE", side=OrderSide.SELL, type=OrderType.MARKET, amount=Decimal("6"),
                              reduce_only=True)


config = Config(
    strategy_id="multi_conn_binance",
    user_id="user_test",
    strategy=MultiConnDemo(),
    basic_config={ExchangeType.BINANCE: BasicConfig(api_key=API_KEY, secret=SECRET, testnet=False)},
    public_conn_config={ExchangeType.BINANCE: [
        PublicConnectorConfig(account_type=BinanceAccountType.USD_M_FUTURE),
        PublicConnectorConfig(account_type=BinanceAccountType.SPOT)]},
    private_conn_config={ExchangeType.BINANCE: [
        PrivateConnectorConfig(account_type=BinanceAccountType.USD_M_FUTURE),
        PrivateConnectorConfig(account_type=BinanceAccountType.SPOT)]},
)
engine = Engine(config)

if __name__ == "__main__":
    try:
        engine.start()
    finally:
        engine.dispose()
'''
FILLS = {("USDCUSDT.BINANCE", "BUY"), ("USDCUSDT.BINANCE", "SELL"), ("USDCUSDT-PERP.BINANCE", "BUY"),
         ("USDCUSDT-PERP.BINANCE", "SELL")}


def environment():
    kept = {k: v for k, v in os.environ.items() if not k.startswith("NEXUS_") or k in ("NEXUS_FAST_SHM", "NEXUS_FAST_FENCE")}
    return dict(kept, PYTHONPATH=str(SOURCE))


def command(*arguments, cwd, **variables):
    return subprocess.run([sys.executable, "-m", "nexus_fast", *map(str, arguments)], cwd=cwd, capture_output=True, text=True,
                          timeout=PROCESS_SECONDS, env={**environment(), **variables})


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """The folder of a simulator's endpoints.toml."""
    from simulator import start_simulator

    folder = tmp_path_factory.mktemp("listed")
    _, stop = start_simulator(directory=folder)
    yield folder
    stop()


def fills(text):
    return [tuple(line.split()[1:3]) for line in text.splitlines() if line.startswith("FILLED ")]


@pytest.mark.parametrize(("package", "options"), [("nexus_fast", []), ("nexustrader", ["--nexustrader"])])
def test_run_the_seeds_program_on_a_simulator(tmp_path, package, options):
    program = tmp_path / "program.py"
    program.write_text(SEED.replace("PACKAGE", package))
    done = command("run", *options, "--sim", program, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = fills(done.stdout)
    assert len(found) == 4 and set(found) == FILLS
    assert "Traceback" not in done.stdout + done.stderr
    listed = command("journal", "show", tmp_path / ".nexus_fast" / "multi_conn_binance.user_test", cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    ended = {line.split()[2] for line in listed.stdout.splitlines() if "-> FILLED" in line}
    assert len(ended) == 4 and listed.stdout.count("INTENT -> PENDING") == 4


def test_run_the_strategy_that_ships(tmp_path):
    """strategies/multi_conn.py runs until Ctrl+C and has filled four orders by then."""
    process = subprocess.Popen([sys.executable, "-m", "nexus_fast", "run", "--sim", str(ROOT / "strategies" / "multi_conn.py")],
                               cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment())
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if sum("MultiConnDemo: Order(" in text for text in lines) == 4:
                break
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=PROCESS_SECONDS)
    finally:
        process.kill()
    assert process.returncode == 0, "".join(lines) + rest
    assert sum("MultiConnDemo: Order(" in text for text in lines) == 4
    assert "Traceback" not in "".join(lines) + rest


REAL_KEYS = """
[BYBIT.LIVE]
API_KEY = "real-bybit-key"
SECRET = "real-bybit-secret"
"""
OTHER_VENUES = '''
from decimal import Decimal

from nexus_fast.config import BasicConfig, Config, PrivateConnectorConfig, PublicConnectorConfig
from nexus_fast.constants import ExchangeType, OrderSide, OrderType, settings
from nexus_fast.engine import Engine
from nexus_fast.exchange import BybitAccountType, OkxAccountType
from nexus_fast.strategy import Strategy

SYMBOLS = ["BTCUSDT-PERP.BYBIT", "BTCUSDT-PERP.OKX"]


class Buyer(Strategy):
    def on_start(self):
        self.subscribe_bookl1(SYMBOLS)
        self.bought = set()

    def on_bookl1(self, book):
        if book.symbol not in self.bought:
            self.bought.add(book.symbol)
            amount = Decimal("0.01") if book.symbol.endswith("BYBIT") else Decimal(1)
            self.create_order(book.symbol, OrderSide.BUY, OrderType.MARKET, amount)

    def on_filled_order(self, order):
        print("FILLED", order.symbol, order.side.value, flush=True)
        self.bought.add(("filled", order.symbol))
        if len(self.bought) == 4:
            self.stop()


okx = BasicConfig(api_key="real-okx-key", secret="real-okx-secret", passphrase="real-passphrase")
config = Config(
    strategy_id="elsewhere", user_id="tests", strategy=Buyer(),
    basic_config={ExchangeType.BYBIT: BasicConfig(api_key=settings.BYBIT.LIVE.API_KEY, secret=settings.BYBIT.LIVE.SECRET),
                  ExchangeType.OKX: okx},
    public_conn_config={
        ExchangeType.BYBIT: [PublicConnectorConfig(account_type=BybitAccountType.LINEAR, custom_url="wss://stream.bybit.com/v5/public/linear")],
        ExchangeType.OKX: [PublicConnectorConfig(account_type=OkxAccountType.LIVE)]},
    private_conn_config={ExchangeType.BYBIT: [PrivateConnectorConfig(account_type=BybitAccountType.UNIFIED)],
                         ExchangeType.OKX: [PrivateConnectorConfig(account_type=OkxAccountType.LIVE)]},
    endpoints={"bybit": {"rest": "https://api.bybit.com"}},
)
okx.api_key = "real-okx-key"             # whenever a program assigns it
Engine(config).start()
'''


@pytest.mark.parametrize("options", [[], ["--tls"]])
def test_a_program_of_any_venue_runs_on_the_simulator_alone(tmp_path, options):
    """With real keys in the settings and in the code, an address of the venue's in both: it has the simulator's of everything."""
    (tmp_path / ".keys").mkdir()
    (tmp_path / ".keys" / ".secrets.toml").write_text(REAL_KEYS)
    (tmp_path / ".keys" / ".secrets.toml").chmod(0o600)
    program = tmp_path / "program.py"
    program.write_text(OTHER_VENUES)
    done = command("run", "--sim", *options, program, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(fills(done.stdout)) == {("BTCUSDT-PERP.BYBIT", "BUY"), ("BTCUSDT-PERP.OKX", "BUY")}


def test_a_venue_that_was_left_out_of_the_simulator_is_not_reached_elsewhere(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(OTHER_VENUES)
    done = command("run", "--sim", "--venues", "binance,okx", program, cwd=tmp_path)
    assert done.returncode != 0 and "bybit, which this simulator does not serve" in done.stderr
    assert "api.bybit.com" not in done.stdout + done.stderr


def test_run_says_what_is_missing(tmp_path):
    """Without a simulator and without keys the program ends with a text that names them."""
    program = tmp_path / "program.py"
    program.write_text(SEED.replace("PACKAGE", "nexus_fast"))
    done = command("run", program, cwd=tmp_path)
    assert done.returncode != 0
    assert "API_KEY" in done.stderr and ".secrets.toml" in done.stderr


def test_run_of_a_file_that_is_not_there(tmp_path):
    done = command("run", "nothing.py", cwd=tmp_path)
    assert done.returncode == 2 and "nothing.py" in done.stderr and "Traceback" not in done.stderr


def test_demo(tmp_path):
    done = command("demo", "--seconds", 3, "--json", tmp_path / "figures.json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["bad_signatures"] == 0
    assert figures["ticks"] > 0 and figures["orders"] >= 4 and figures["fills"] >= 4
    assert {"total", "parse", "encode"} <= set(figures["engine_ns"])
    for measured in (*figures["engine_ns"].values(), figures["wire_us"]):
        assert set(measured) == {"n", "p50", "p90", "p99", "p999", "max"}
        assert measured["p50"] <= measured["p90"] <= measured["p99"] <= measured["p999"] <= measured["max"]
    assert figures["engine_ns"]["total"]["n"] > 0 and figures["wire_us"]["n"] > 0
    assert "bad signatures 0" in done.stdout


def test_inspect_frame(tmp_path):
    frame = b'{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}\n'
    recording = tmp_path / "frames.log"
    recording.write_bytes(frame + b"1700000000000000000 " + frame + b"{not json\n")
    done = command("inspect", "frame", "binance", "spot", recording, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and lines[2] == "no event"
    for part in ("BNBUSDT", "25.3519", "25.3652"):
        assert part in lines[0] and part in lines[1]


def test_inspect_order(tmp_path):
    import hashlib
    import hmac

    done = command("inspect", "order", "USD_M_FUTURE", "BTCUSDT", "BUY", "LIMIT", "0.002", "--price", "50000.1", "--client-oid",
                   "abc", "--api-key", "K", "--secret", "S", "--timestamp-ms", "1700000000000", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    sent = json.loads(done.stdout)
    params = sent["params"]
    signature = params.pop("signature")
    text = "&".join(f"{name}={params[name]}" for name in sorted(params))
    assert hmac.new(b"S", text.encode(), hashlib.sha256).hexdigest() == signature
    assert params["price"] == "50000.1" and params["quantity"] == "0.002" and params["newClientOrderId"] == "abc"
    bad = command("inspect", "order", "NOWHERE", "BTCUSDT", "BUY", "LIMIT", "1", cwd=tmp_path)
    assert bad.returncode == 2 and "USD_M_FUTURE" in bad.stderr


def test_journal_between_two_times(tmp_path):
    from nexus_fast.core.types import pack
    from nexus_fast.journal.writer import JournalWriter

    journal = JournalWriter(tmp_path, "s.u", 16)
    for number, time_ns in ((1, 10**18), (2, 10**18 + 60 * 10**9)):      # 2001-09-09T01:46:40Z, and a minute later
        journal.append(pack("order_event", number=number, time_ns=time_ns, client_id=f"order{number}"))
    journal.close()
    done = command("journal", "show", tmp_path, "--since", "2001-09-09T01:47:00Z", cwd=tmp_path)
    assert "order2" in done.stdout and "order1" not in done.stdout
    done = command("journal", "show", tmp_path, "--until", "2001-09-09T03:47:00+02:00", cwd=tmp_path)
    assert "order1" in done.stdout and "order2" not in done.stdout


def test_journal_of_what_is_none(tmp_path):
    done = command("journal", "show", tmp_path, cwd=tmp_path)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("order", "refusal"), [
    (("USD_M_FUTURE", "BTCUSDT-PERP.BINANCE", "BUY", "LIMIT", "0.002", "--price", "60000.1"), None),
    (("USD_M_FUTURE", "BTCUSDT", "BUY", "MARKET", "0.0005"), "amount 0.0005 has too many digits"),
    (("SPOT", "BTCUSDT.BINANCE", "SELL", "LIMIT", "0.00001", "--price", "60000"), "minimum notional"),
    (("PORTFOLIO_MARGIN", "BTCUSDT-PERP.BINANCE", "SELL", "LIMIT", "0.01", "--price", "60000.15", "--entry", "rest"),
     "60000.1 and 60000.2"),
    (("SPOT", "BTCUSTD.BINANCE", "BUY", "MARKET", "1"), "did you mean BTCUSDT.BINANCE?"),
])  # fmt: skip
def test_inspect_order_says_what_the_engine_would_refuse(listed, order, refusal):
    """By the symbol's limits as the venue lists them, and the checks that every order passes."""
    done = command("inspect", "order", *order, cwd=listed, NEXUS_FAST_ENDPOINTS=str(listed / "endpoints.toml"))
    assert done.stdout and done.returncode == (refusal is not None), done.stderr
    assert (done.stderr == "") == (refusal is None)
    assert refusal is None or ("the engine would refuse this order: " in done.stderr and refusal in done.stderr)


def test_inspect_order_says_that_it_did_not_look_at_the_limits(tmp_path):
    done = command("inspect", "order", "SPOT", "BTCUSDT", "BUY", "MARKET", "1", cwd=tmp_path)
    assert done.returncode == 0 and "--check" in done.stderr


KEPT = """
from decimal import Decimal
from nexus_fast.config import BasicConfig, Config, PrivateConnectorConfig, PublicConnectorConfig
from nexus_fast.constants import ExchangeType, OrderSide, OrderType, settings
from nexus_fast.engine import Engine
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.strategy import Strategy

PERP = "BTCUSDT-PERP.BINANCE"
ACCOUNT = BinanceAccountType.USD_M_FUTURE


class Buyer(Strategy):
    def on_start(self):
        position = self.cache.get_position(PERP)
        print("BEFORE", position.signed_amount if position else 0, flush=True)
        self.create_order(PERP, OrderSide.BUY, OrderType.MARKET, Decimal("0.002"))

    def on_fill(self, fill):
        print("FILLED", fill.amount, flush=True)
        self.stop()


basic = BasicConfig(api_key=settings.BINANCE.LIVE.API_KEY, secret=settings.BINANCE.LIVE.SECRET)
Engine(Config(strategy_id="buyer", user_id="me", strategy=Buyer(), basic_config={ExchangeType.BINANCE: basic},
              public_conn_config={ExchangeType.BINANCE: [PublicConnectorConfig(ACCOUNT)]},
              private_conn_config={ExchangeType.BINANCE: [PrivateConnectorConfig(ACCOUNT)]})).start()
"""


def test_a_kept_simulator_goes_on_between_runs(tmp_path):
    """The second run finds the position of the first; after sim --stop a new one begins with none."""
    (tmp_path / "buyer.py").write_text(KEPT)
    said = []
    try:
        for _ in range(2):
            done = command("run", "--sim", "--keep", "venue", "--venues", "binance", "buyer.py", cwd=tmp_path)
            assert done.returncode == 0, done.stdout + done.stderr
            said += [line for line in done.stdout.splitlines() if line.startswith(("BEFORE", "FILLED"))]
        assert said == ["BEFORE 0", "FILLED 0.002", "BEFORE 0.002", "FILLED 0.002"]
    finally:
        ended = command("sim", "--stop", "venue", cwd=tmp_path)
    assert ended.returncode == 0 and "stopped" in ended.stdout
    assert command("sim", "--stop", "venue", cwd=tmp_path).returncode == 1
    assert (tmp_path / "venue").is_dir() and not (tmp_path / "venue" / "simulator.pid").exists()


def test_keep_is_for_simulators(tmp_path):
    (tmp_path / "program.py").write_text("")
    done = command("run", "--keep", "venue", "program.py", cwd=tmp_path)
    assert done.returncode == 2 and "--keep" in done.stderr and "--sim" in done.stderr
