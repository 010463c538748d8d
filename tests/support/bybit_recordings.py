"""Recorded Bybit messages: those of ../shared/data beside the repository, else the samples in tests/data."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED, SAMPLES = ROOT.parent / "shared" / "data", ROOT / "tests" / "data"
COMPLETE = SHARED.is_dir()


def lines(name):
    """The JSON objects of a file, one a line; none where the file is not there."""
    path = SHARED / name if (SHARED / name).exists() else SAMPLES / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def document(name):
    """A JSON document of nautilus' recordings; None where it is not there."""
    path = SHARED / "nautilus" / "rust_adapters" / "bybit" / name
    return json.loads(path.read_text()) if path.exists() else None


def pushes(*topics):
    """Recorded messages of these topics (what stands before the first dot)."""
    found = []
    for name in ("order_stream", "position"):
        found += lines(f"nexustrader/bybit_{name}.part1.jsonl")
    found += [document(f"ws_{name}.json") or {} for name in (
        "account_order", "account_order_filled", "account_order_stop_loss", "account_execution_fast", "account_wallet", "kline",
        "orderbook_delta")]  # fmt: skip
    for record in lines("jkorf_net/bybit_subscriptions.jsonl"):
        found += [step["json"] for step in record["steps"] if step["dir"] == "server_push"]
    found += [json.loads(record["raw"]) for record in lines("gocryptotrader/bybit_ws_embedded.jsonl")]
    return [message for message in found if message.get("topic", "").split(".")[0] in topics]


def answer(name):
    """`result` of a REST answer of Bybit.Net's tests."""
    (found,) = [r for r in lines("jkorf_net/bybit_endpoints.jsonl") if r["file"].endswith(f"/{name}.txt")]
    return found["response"]["result"]
