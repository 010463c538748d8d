"""ThreadSanitizer finds no data race in the ring and the latest table, and would find one."""

import shutil
import subprocess

import pytest

from nexus_fast.shm.latest import LatestTable
from nexus_fast.shm.ring import RingWriter

# gcc warns that it does not model fences: they order, and make no race where every shared word is atomic.
FLAGS = ("-O1", "-g", "-fsanitize=thread", "-Wno-tsan")
PLAIN_STORE = ("__atomic_store_n(word, value, __ATOMIC_RELAXED);", "*word = value;")


@pytest.fixture(scope="module", autouse=True)
def sanitizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tsan")
    (folder / "empty.c").write_text("int main(void) { return 0; }\n")
    command = ["gcc", "-fsanitize=thread", folder / "empty.c", "-o", folder / "empty"]
    build = subprocess.run(command, capture_output=True)
    if build.returncode or shutil.which("setarch") is None:
        pytest.skip("gcc has no ThreadSanitizer here")
    if subprocess.run(["setarch", "-R", folder / "empty"], capture_output=True).returncode:
        pytest.skip("ThreadSanitizer does not start here")


def run_threads(program, kind, path):
    command = ["setarch", "-R", program, "threads", kind, path, "20000"]
    return subprocess.run(command, input="go\n", text=True, capture_output=True, timeout=100)


@pytest.mark.parametrize("kind", ["ring", "latest"])
def test_writer_and_reader_threads_race_on_no_word(segments, compile_torn, kind):
    segment = RingWriter("ring", capacity=64) if kind == "ring" else LatestTable.create("latest", 16)
    result = run_threads(compile_torn(*FLAGS), kind, segment.segment.path)
    assert result.returncode == 0, result.stderr


def test_a_plain_store_of_a_word_is_found(segments, compile_torn):
    ring = RingWriter("ring", capacity=64)
    program = compile_torn(*FLAGS, change=lambda text: text.replace(*PLAIN_STORE))
    result = run_threads(program, "ring", ring.segment.path)
    assert result.returncode != 0 and "data race" in result.stderr
