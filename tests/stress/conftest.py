"""Segments of a test's own in /dev/shm, and the C program of torn.c compiled with this installation's header."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from nexus_fast.core import write_header

SOURCE = Path(__file__).with_name("torn.c")
WATCHDOG_SECONDS = 300


@pytest.fixture
def segments(monkeypatch):
    directory = tempfile.mkdtemp(prefix="nexus_fast-test-", dir="/dev/shm")
    monkeypatch.setenv("NEXUS_FAST_SHM", directory)
    yield Path(directory)
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def compile_torn(tmp_path_factory):
    """compile_torn(*flags, change=None) -> path of the program; change edits the header's text first."""

    def compile_it(*flags, change=None):
        folder = tmp_path_factory.mktemp("torn")
        header = Path(write_header(folder / "nexus_fast.h"))
        if change:
            before = header.read_text()
            header.write_text(change(before))
            assert header.read_text() != before
        program = folder / "torn"
        subprocess.run(["gcc", "-std=gnu11", *flags, f"-I{folder}", SOURCE, "-o", program, "-pthread"], check=True)
        return program

    return compile_it


@pytest.fixture(scope="session")
def torn(compile_torn):
    return compile_torn("-O3", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function")


@pytest.fixture
def race():
    """race(program, mode, kind, path, reads) -> (exit status, reads, torn, lost).

    Runs a writer and a reader, two processes that start together.
    """
    processes = []

    def start(*command):
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = subprocess.Popen([str(part) for part in command], text=True, **pipes)
        processes.append(process)
        return process

    def end():
        while processes:
            process = processes.pop()
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                pipe.close()

    def run(program, mode, kind, path, reads):
        end()
        writer = None if mode == "threads" else start(program, "write", kind, path)
        reader = start(program, mode, kind, path, reads)
        for process in processes:
            assert process.stdout.readline() == "ready\n", process.stderr.read()
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        output, errors = reader.communicate(timeout=WATCHDOG_SECONDS)
        if writer is not None:
            assert writer.poll() is None, "the writer ended before the reader was done"
        assert output, errors
        return reader.returncode, *(int(word) for word in output.split())

    yield run
    end()
