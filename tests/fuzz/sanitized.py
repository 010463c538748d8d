"""Fuzzing of the wire parsers under AddressSanitizer and UBSan.

    python tests/fuzz/sanitized.py --seconds 600 [--seed N]

builds the parsers and the fuzzer with both sanitizers under build/fuzz and lets a child process with the sanitizer's
library preloaded run mutated frames through them. Its exit status is the child's; a finding names seed and input.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BUILT = REPOSITORY / "build" / "fuzz"
MODULES = [
    "core.scan",
    "core.types",
    "wire.document",
    "wire.field",
    "wire.binance",
    "wire.bybit",
    "wire.okx",
    "wire.registry",
]
# -fno-wrapv: Python's own flags make signed overflow defined, which would hide it.
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer"]
COMPILE = ["-O1", "-g1", "-fno-wrapv", *SANITIZERS]


def sanitizer_library():
    """The path of libasan.so, or None where the compiler comes without it."""
    compiler = os.environ.get("CC", "gcc").split()
    try:
        found = subprocess.run([*compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    path = found.stdout.strip()
    return path if os.path.isabs(path) and os.path.exists(path) else None


def build():
    """Builds into build/fuzz/lib what has changed since the last time; returns that folder."""
    environment = {**os.environ, "PYTHONPATH": ""}
    command = [sys.executable, str(Path(__file__)), "--build"]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the sanitized build failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return BUILT / "lib"


def build_here():
    from Cython.Build import cythonize
    from setuptools import Extension, setup

    def extension(name, source):
        return Extension(name, [source], include_dirs=["cython"], extra_compile_args=COMPILE, extra_link_args=SANITIZERS)

    modules = [extension(f"nexus_fast.{m}", f"cython/nexus_fast/{m.replace('.', '/')}.pyx") for m in MODULES]
    modules.append(extension("wire_fuzzer", "tests/fuzz/wire_fuzzer.pyx"))
    directives = {"language_level": 3, "cdivision": True, "wraparound": False, "boundscheck": True}
    setup(
        name="nexus_fast_fuzz",
        script_args=["build_ext", "--build-lib", str(BUILT / "lib"), "--build-temp", str(BUILT / "temp")],
        ext_modules=cythonize(
            modules, include_path=["cython"], build_dir=str(BUILT / "c"), compiler_directives=directives
        ),
    )
    for package in ("nexus_fast", "nexus_fast/core", "nexus_fast/wire"):
        (BUILT / "lib" / package / "__init__.py").touch()


def run_child(arguments, timeout):
    """Runs child.py over the sanitized build; the finished process with its output."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(BUILT / "lib"),
        "LD_PRELOAD": sanitizer_library(),
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0",  # the interpreter leaks by design
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    command = [sys.executable, str(Path(__file__).with_name("child.py")), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, check=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--build", action="store_true", help="build only, in this process")
    options = parser.parse_args()
    if options.build:
        build_here()
        return 0
    if sanitizer_library() is None:
        print("this compiler has no libasan.so: install it (Debian: libasan8) or set CC", file=sys.stderr)
        return 2
    build()
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4))
    done = run_child(["--seconds", options.seconds, "--seed", seed], timeout=options.seconds * 2 + 120)
    print(done.stdout + done.stderr)
    return done.returncode


if __name__ == "__main__":
    if "--build" in sys.argv:
        sys.argv = sys.argv[:1]
        build_here()
        sys.exit(0)
    sys.exit(main())
