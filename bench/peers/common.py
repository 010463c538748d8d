"""What every peer's program is told, and nothing else: it runs in an environment that knows neither the bench nor nexus_fast."""

import argparse
import hashlib
import hmac
import os
import signal
import sys
import time


def options(entries=("ws",), extra=()):
    """--port of the exchange (WebSocket and REST, plain), --entry, key and secret; pins this process to --cpu."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--entry", choices=entries, default=entries[0])
    parser.add_argument("--key", required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--cpu", type=int, default=-1)
    parser.add_argument("--events", choices=("none", "new", "fill"), default="fill")
    for flag in extra:
        parser.add_argument(flag, choices=("on", "off"), default="on")
    found = parser.parse_args()
    if found.cpu >= 0:
        os.sched_setaffinity(0, {found.cpu})
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))
    found.ws, found.http = f"ws://127.0.0.1:{found.port}", f"http://127.0.0.1:{found.port}"
    return found


def sign(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def signed(secret: str, params: dict) -> dict:
    """As Binance's WebSocket API wants it: sorted by name."""
    text = "&".join(f"{name}={params[name]}" for name in sorted(params))
    return {**params, "signature": sign(secret, text)}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
