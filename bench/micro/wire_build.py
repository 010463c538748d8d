"""Builds bench/micro/wire_loops.pyx against the package's .pxd files into build/bench; run by test_wire.py."""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

REPOSITORY = Path(__file__).resolve().parents[2]
BUILT = REPOSITORY / "build" / "bench"

if __name__ == "__main__":
    loops = Extension("wire_loops", [str(Path(__file__).with_name("wire_loops.pyx"))], extra_compile_args=["-O3"])
    setup(
        name="nexus_fast_wire_loops",
        script_args=["build_ext", "--build-lib", str(BUILT / "lib"), "--build-temp", str(BUILT / "temp")],
        ext_modules=cythonize(
            [loops],
            include_path=[str(REPOSITORY / "cython")],
            build_dir=str(BUILT / "c"),
            compiler_directives={"language_level": 3},
        ),
    )
