"""Where figures are kept: a JSON file for each kind of measurement, with the machine and the time it was taken on."""

import json
import time
from pathlib import Path
from typing import Any

from bench.build import ROOT
from bench.machine import header

RESULTS = ROOT / "bench" / "results"


def save(kind: str, content: dict[str, Any], file: Path | None = None) -> Path:
    """Writes {kind, machine, finished, **content}; without a file, build/bench/results/{kind}.json of bench/."""
    target = file or RESULTS / f"{kind}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    whole = {"kind": kind, "machine": header(), "finished": int(time.time()), **content}
    target.write_text(json.dumps(whole, indent=1) + "\n")
    return target


def load_all(folder: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """{kind: content} of all that was saved there; what is no result is passed over."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text())
        if isinstance(content, dict) and "kind" in content and "machine" in content:
            found[content["kind"]] = content
    return found
