"""Recorded frames: from ../shared/data next to the repository, or the samples in tests/data where that is absent."""

import gzip
import json
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
SHARED = REPOSITORY.parent / "shared" / "data"
SAMPLES = REPOSITORY / "tests" / "data"
ROOT = SHARED if SHARED.is_dir() else SAMPLES


def strings(value):
    """Every string inside a JSON value: raw frames are kept in many of the files as text within records."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def objects(value):
    """Every JSON object inside a JSON value, outermost first."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(item)


def from_record(line):
    """The frames in a JSON line: the line itself, its objects as compact text, its strings that look like a frame."""
    yield line
    try:
        record = json.loads(line)
    except ValueError:
        return
    for item in objects(record):
        yield json.dumps(item, separators=(",", ":"), ensure_ascii=False).encode()
    for text in strings(record):
        if text[:1] in ("{", "["):
            yield text.encode()


def from_file(path):
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    name = path.name.removesuffix(".gz")
    if name.endswith(".rawlog"):
        for line in data.splitlines():
            yield line[line.index(b"{") :] if b"{" in line else line
    elif name.endswith(".jsonl"):
        for line in data.splitlines():
            yield from from_record(line)
    elif name.endswith(".json"):
        yield data
        yield from from_record(data.strip())


def recorded(*patterns):
    """(path, frame) of every file that matches one of the patterns, relative to the data's root."""
    for pattern in patterns:
        for path in sorted(found for found in ROOT.glob(pattern) if found.is_file()):
            for frame in from_file(path):
                yield path, frame


def quotes(text, patterns=("**/*.rawlog*", "**/*.jsonl*", "**/*.json")):
    """The recorded frames that carry the text, once each."""
    return list(dict.fromkeys(frame for _, frame in recorded(*patterns) if text in frame))
