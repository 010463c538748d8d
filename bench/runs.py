"""One run: an exchange on one processor, a client on another, until the exchange has its ticks."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.build import ROOT, c_program
from bench.disturbance import stolen_seconds
from bench.rest import answers_text

# Of the length that the venue's own have: how many blocks a signature takes depends on it.
API_KEY = "bench0" * 10 + "keys"
SECRET = "bench1" * 10 + "sign"
PATIENCE = 90                   # seconds in which a client must be ready for quotes, on a machine that is busy too
FLOOR_MODES = {"busy": "spin", "adaptive": "spin", "block": "epoll"}
ENGINES = ("cython", "python")
SYMBOLS = {"spot": "BTCUSDT.BINANCE", "usd_m": "BTCUSDT-PERP.BINANCE"}


def end_on_sigterm() -> None:
    """Ended from outside, the harness still ends what it has started."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


class RunError(Exception):
    """A run that is not a measurement: somebody did not start, an order was wrong, ticks went unanswered."""


class Unfinished(RunError):
    """The run came to no end: no client in time, or ticks without orders. On a machine that is shared it may be the machine."""


@dataclass(frozen=True)
class Scene:
    """What one run is. client: "floor", "cython", "python" or a peer's name. gap_us: from an order to the next tick (pace
    "after") or from tick to tick (pace "schedule"). events: what user data brings, "none", "new" or "fill" (new, then filled).
    nice: priority of exchange and client, for machines that others use as well; below zero it takes privileges.
    measure: the engine records its stages, at the price of some clock reads per order. entry: "ws" or "rest", how orders go.
    tls: every connection to the exchange is encrypted. bound_ms: a tick
    without an order for as long is lost. warm_gap_us: between the warm-up's ticks where that is another (pace "schedule").
    every: only ticks whose update id divides by it are answered (cython, pace "schedule")."""

    client: str
    family: str = "spot"
    mode: str = "busy"
    gap_us: float = 20
    ticks: int = 10_000
    warm_up: int = 1_000
    events: str = "fill"
    pace: str = "after"
    exchange_cpu: int = 0
    client_cpu: int = 1
    entry: str = "ws"
    nice: int = 0
    measure: bool = False
    tls: bool = False
    bound_ms: int = 1_000
    warm_gap_us: float | None = None
    every: int = 1

    @property
    def seconds(self) -> float:
        """After which the exchange gives up: what the run should take, fourfold, and 20 s."""
        return 20 + 4 * (self.ticks + self.warm_up) * (self.gap_us + 200) / 1e6 + (60 if self.bound_ms > 1_000 else 0)


def endpoints_text(exchange: int, rest: int, entry: str = "ws", tls: bool = False) -> str:
    """An endpoints file that points every address of Binance at the bench. Orders by REST go to the exchange, and so must all
    that is asked for by REST, since the venue has one address for it."""
    ws = f"{'wss' if tls else 'ws'}://127.0.0.1:{exchange}"
    http = f"{'https' if tls else 'http'}://127.0.0.1:{exchange}" if entry == "rest" else f"http://127.0.0.1:{rest}"
    return (
        f'[binance.spot]\nrest = "{http}"\nstream = "{ws}"\nws_api = "{ws}/ws-api/v3"\n\n'
        f'[binance.usd_m]\nrest = "{http}"\npublic = "{ws}/public"\nmarket = "{ws}/market"\nprivate = "{ws}/private"\n'
        f'ws_api = "{ws}/ws-fapi/v1"\n'
    )


def write_certificate(file: Path) -> None:
    """A key and a certificate for 127.0.0.1 that signs itself, good for two days, in one PEM file."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench")])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(text + signed.public_bytes(serialization.Encoding.PEM))


def exchange_command(scene: Scene, folder: Path) -> list[str]:
    """folder: where the result goes, and where answers and certificate are."""
    options = {
        "--cpu": scene.exchange_cpu, "--gap-ns": int(scene.gap_us * 1000), "--ticks": scene.ticks,
        "--warm-up": scene.warm_up, "--events": scene.events, "--pace": scene.pace, "--secret": SECRET,
        "--seconds": int(scene.seconds), "--connect-seconds": PATIENCE, "--out": folder / "result.json",
        "--linger-ms": 0 if scene.client == "floor" else 5000, "--answers": folder / "answers",
        **({"--warm-gap-ns": int(scene.warm_gap_us * 1000)} if scene.warm_gap_us is not None else {}),
        "--bound-ms": scene.bound_ms, "--every": scene.every,
        "--ready": "orders" if scene.client in (*ENGINES, "floor") else "market",
        **({"--tls": folder / "tls.pem"} if scene.tls else {}),
    }
    return [str(c_program("exchange", tls=scene.tls)), *(str(part) for pair in options.items() for part in pair)]


def client_command(scene: Scene, port: int, endpoints: Path) -> list[str]:
    if scene.client == "floor":
        options = {
            "--port": port, "--cpu": scene.client_cpu, "--family": scene.family, "--mode": FLOOR_MODES[scene.mode],
            "--key": API_KEY, "--secret": SECRET, "--seconds": int(scene.seconds) + 40,
            "--entry": scene.entry, "--tls": int(scene.tls),
        }
        return [str(c_program("client", tls=scene.tls)), *(str(part) for pair in options.items() for part in pair)]
    if scene.client not in ENGINES:
        return peer_command(scene, port)
    options = {
        "--endpoints": endpoints, "--cpu": scene.client_cpu, "--family": scene.family, "--mode": scene.mode,
        "--strategy": scene.client, "--entry": scene.entry,
        "--measure": "on" if scene.measure else "off", "--every": scene.every,
    }
    return [sys.executable, "-m", "bench.engine_client", *(str(part) for pair in options.items() for part in pair)]


def peer_command(scene: Scene, port: int) -> list[str]:
    """client is the name of a program of bench/peers, "name" or "name:option,option": --option off."""
    from bench.peers.environment import PEERS, python

    name, _, off = scene.client.partition(":")
    options = {"--port": port, "--cpu": scene.client_cpu, "--entry": scene.entry, "--key": API_KEY, "--secret": SECRET,
               "--events": scene.events}
    switched = [part for option in filter(None, off.split(",")) for part in (f"--{option}", "off")]
    return [str(python(name)), str(PEERS / f"{name}.py"), *(str(part) for pair in options.items() for part in pair), *switched]


def engine_environment() -> dict[str, str]:
    """The bench's package and, from a checkout, the engine's; no NEXUS_FAST_… variable may change what is measured."""
    import nexus_fast

    paths = [str(ROOT), str(Path(nexus_fast.__file__).parent.parent)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEXUS_FAST_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(paths)}


def switches_of(pid: int) -> int:
    """How often another process was given the processor of this one."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return -1
    return int(text.partition("nonvoluntary_ctxt_switches:")[2].split()[0])


def port_of(process: subprocess.Popen) -> int:
    line = process.stdout.readline()
    if not line.startswith("PORT "):
        process.kill()
        raise RunError(f"the exchange did not start: {process.stderr.read().strip()}")
    return int(line.split()[1])


def finish(process: subprocess.Popen, patience: float = 10) -> None:
    """By itself, and by force after `patience` seconds."""
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for_result(exchange: subprocess.Popen, client: subprocess.Popen, limit: float) -> None:
    """Until the exchange says DONE or ends, asleep: a harness that looks every so often takes a processor to do it.
    A client that ends first has 3 s in which the exchange may end as well; then the exchange is killed."""
    client_end = os.pidfd_open(client.pid)
    try:
        ready = select.select([exchange.stdout, client_end], [], [], limit)[0]
        if exchange.stdout not in ready:
            ready = select.select([exchange.stdout], [], [], 3)[0] if ready else []
        if not ready:
            exchange.kill()
    finally:
        os.close(client_end)


def judge(scene: Scene, result: dict, stderr: str) -> None:
    """Raises RunError unless every order was in order."""
    for name in ("bad_signatures", "refused", "unmatched"):
        if result[name]:
            raise RunError(f"{scene.client}: {name}: {result[name]}; the first of them:\n{stderr[-4000:]}")
    if result["ended"]:
        seen = f"{result['sent']} ticks and {result['orders']} orders"
        raise Unfinished(f"{scene.client}: {result['ended']}, after {seen}\n{stderr[-4000:]}")


def run(scene: Scene, rest_port: int, environment: dict[str, str] | None = None, on_start=None) -> dict:
    """The exchange's result, with `scene`, `client` (what the client says of itself), `client_switches`, and the seconds that
    the host has `stolen` out of `seconds`, both of the two processors together.
    environment: variables for the client besides its usual ones. on_start(exchange's pid, client's pid)."""
    with tempfile.TemporaryDirectory(prefix="nexus-bench-") as folder:
        out, endpoints = Path(folder, "result.json"), Path(folder, "endpoints.toml")
        said, log = Path(folder, "client.out"), Path(folder, "client.log")
        pipe = subprocess.PIPE
        Path(folder, "answers").write_text(answers_text())
        if scene.tls:
            write_certificate(Path(folder, "tls.pem"))
        cpus = {scene.exchange_cpu, scene.client_cpu}
        begun, stolen = time.monotonic(), stolen_seconds(cpus)
        exchange = subprocess.Popen(exchange_command(scene, Path(folder)), stdout=pipe, stderr=pipe, text=True)
        client = None
        try:
            port = port_of(exchange)
            endpoints.write_text(endpoints_text(port, rest_port, scene.entry, scene.tls))
            with said.open("w") as output, log.open("w") as errors:
                command = client_command(scene, port, endpoints)
                variables = {**engine_environment(), **(environment or {})}
                if scene.tls:
                    variables["SSL_CERT_FILE"] = str(Path(folder, "tls.pem"))
                client = subprocess.Popen(command, stdout=output, stderr=errors, env=variables, cwd=folder)
            for process in (exchange, client) if scene.nice else ():
                os.setpriority(os.PRIO_PROCESS, process.pid, scene.nice)
            if on_start is not None:
                on_start(exchange.pid, client.pid)
            wait_for_result(exchange, client, scene.seconds + PATIENCE + 30)
            switches, stolen = switches_of(client.pid), stolen_seconds(cpus) - stolen
            seconds = (time.monotonic() - begun) * len(cpus)
            if scene.client != "floor":
                client.send_signal(signal.SIGINT if scene.client in ENGINES else signal.SIGTERM)
            finish(client)
            finish(exchange)
            stderr = exchange.stderr.read() + log.read_text()
            if not out.exists():
                raise Unfinished(f"{scene.client}: the exchange ended without a result:\n{stderr[-4000:]}")
            result = json.loads(out.read_text())
            judge(scene, result, stderr)
            lines = said.read_text().splitlines()
            return {**result, "scene": asdict(scene), "client_switches": switches, "stolen": stolen, "seconds": seconds,
                    "client": json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}}
        finally:
            for process in (exchange, client):
                if process is not None and process.poll() is None:
                    process.kill()
                    process.wait()
