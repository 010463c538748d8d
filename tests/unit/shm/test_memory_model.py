"""The protocols under the C11 memory model: every value that a reader may see, on any processor that keeps to the model.

x86-64 keeps most orders by itself, so no run on it tells whether a fence or an acquire is missing.
memory_model.c says how it goes.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nexus_fast.core import header_text

SCENES = ("ring", "newest", "takeover", "latest", "journal")
ATOMICS = {"__atomic_load_n(": "model_load(", "__atomic_store_n(": "model_store(", "__atomic_thread_fence(": "model_fence("}
# Records of two words behind the stamp: one word more would be written and read as they are.
SMALLER = {
    "#define NX_QUOTE_WORDS 16": "#define NX_QUOTE_WORDS 3",
    "#define NX_LATEST_WORDS 16": "#define NX_LATEST_WORDS 3",
    "#define NX_LATEST_ATTEMPTS 1000": "#define NX_LATEST_ATTEMPTS 2",
}
WEAKER = re.compile(r"nx_fence_(?:release|acquire)\(\);|nx_store_release_u64\(|nx_load_acquire_u64\(")
FUNCTION = re.compile(r"^static inline [^;{]*?(nx_\w+)\(", re.M)
# What no reader of these scenes depends on, and why.
NOT_NEEDED = {
    ("nx_ring_open", "nx_load_acquire_u64("): "the lock of the file has put an end to the writer whose ring this takes over",
    ("nx_ring_open", "nx_store_release_u64("): "the fence behind it orders what comes",
    ("nx_latest_reset", "nx_store_release_u64("): "a stamp that says 'empty' lets nothing be read",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """model(header text, scene) -> (exit status, output)."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc here")
    folder = tmp_path_factory.mktemp("model")
    source, built = Path(__file__).with_name("memory_model.c"), {}

    def run(text, scene):
        if text not in built:
            built[text] = program = folder / f"model{len(built)}"
            (folder / "nexus_fast.h").write_text(modelled(text))
            flags = ["-std=gnu11", "-O1", "-Wno-unused-function", f"-I{folder}"]
            subprocess.run(["gcc", *flags, source, "-o", program], check=True)
        result = subprocess.run([built[text], scene], capture_output=True, text=True, timeout=60)
        return result.returncode, result.stdout + result.stderr

    return run


def modelled(text):
    for old, new in {**ATOMICS, **SMALLER}.items():
        assert old in text
        text = text.replace(old, new)
    assert "__atomic_load" not in text and "__atomic_store" not in text
    return text


def weakenings():
    """(function, operation, text with that one weakened) for each place in the protocols that orders anything."""
    text = header_text()
    begin = text.index("nexus_fast ring: begin")
    for match in WEAKER.finditer(text, begin):
        function = [found[1] for found in FUNCTION.finditer(text, 0, match.start())][-1]
        weaker = "" if "fence" in match[0] else re.sub("release|acquire", "relaxed", match[0])
        yield function, match[0], text[: match.start()] + weaker + text[match.end() :]


@pytest.mark.parametrize("scene", SCENES)
def test_no_reader_sees_what_was_never_written(model, scene):
    status, output = model(header_text(), scene)
    assert status == 0, output
    paths, seen = map(int, output.split())
    assert paths > 1 and bin(seen).count("1") >= 2, "the scene has readers that see records and readers that do not"


WEAKENINGS = [pytest.param(*parts, id=f"{parts[0]}-{number}") for number, parts in enumerate(weakenings())]


@pytest.mark.parametrize("function, operation, text", WEAKENINGS)
def test_each_fence_release_and_acquire_is_needed(model, function, operation, text):
    results = [model(text, scene) for scene in SCENES]
    assert all(status in (0, 1) for status, _ in results), results
    found = any(status == 1 for status, _ in results)
    assert found != ((function, operation) in NOT_NEEDED), (operation, results)


@pytest.mark.parametrize("order", ["__ATOMIC_ACQUIRE)", "__ATOMIC_RELEASE)"])
def test_an_order_that_is_weakened_where_it_is_defined_is_seen(model, order):
    text = header_text()
    for match in re.finditer(re.escape(order), text):
        weaker = text[: match.start()] + "__ATOMIC_RELAXED)" + text[match.end() :]
        assert any(model(weaker, scene)[0] == 1 for scene in SCENES), text[match.start() - 100 : match.end()]
