"""Build of the compiled half: every .pyx under cython/nexus_fast becomes a module of the package src/nexus_fast.

Environment: NEXUS_DEBUG=1 (bounds checks, -O0 -g), NEXUS_ANNOTATE=1 (HTML beside the C in build/cython),
NEXUS_FORCE=1 (translate everything again), NEXUS_SANITIZE=1 (AddressSanitizer and UBSan), NEXUS_JOBS=n (compilers at a
time; as many as there are processors).
"""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

CYTHON_ROOT = Path("cython")
PYTHON_ROOT = Path("src")
PACKAGE = CYTHON_ROOT / "nexus_fast"
STRATEGIES = Path("strategies")
JOBS = int(os.environ.get("NEXUS_JOBS", 0)) or len(os.sched_getaffinity(0))


def flag(name):
    return os.environ.get(name, "0") not in ("", "0")


DEBUG = flag("NEXUS_DEBUG")
SANITIZE = flag("NEXUS_SANITIZE")
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": DEBUG,
    "initializedcheck": DEBUG,
    "nonecheck": DEBUG,
    "wraparound": False,
    "cdivision": True,
    "embedsignature": True,
}


def compile_args():
    if SANITIZE:
        return ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
    if DEBUG:
        return ["-O0", "-g", "-DNX_DEBUG=1"]
    # -g0: Python's own flags ask for debug information, seven times the size of what it describes. Names stay for profilers.
    # Sign comparisons are Cython's own, in loops over C enums.
    return ["-O3", "-g0", "-Wno-sign-compare", "-fno-plt", "-fno-semantic-interposition"]


def link_args():
    return ["-fsanitize=address,undefined"] if SANITIZE else []


class build_ext_with_interfaces(build_ext):
    """Places X.pxd and X.pyi beside the X.so it has just built, so that an interface never gets ahead of its binary."""

    def finalize_options(self):
        super().finalize_options()
        if self.parallel is None:
            self.parallel = JOBS

    def interfaces(self):
        found = [p for p in sorted(PACKAGE.rglob("*")) if p.suffix in (".pxd", ".pyi")]
        relative = [p.relative_to(CYTHON_ROOT) for p in found]
        return {os.path.join(self.build_lib, r): str(PYTHON_ROOT / r) for r in relative}

    def run(self):
        super().run()
        for built, inplace in self.interfaces().items():
            target = inplace if self.inplace else built
            self.mkpath(os.path.dirname(target))
            self.copy_file(str(CYTHON_ROOT / Path(inplace).relative_to(PYTHON_ROOT)), target)

    def get_outputs(self):
        return sorted({*super().get_outputs(), *self.interfaces()})

    def get_output_mapping(self):
        mapping = super().get_output_mapping()
        return {**mapping, **self.interfaces()} if self.inplace else mapping


class build_py_with_strategies(build_py):
    """Ships the programs of strategies/ as nexus_fast/strategies/, so that the demo runs from an installed package. An
    editable install finds them in the checkout."""

    def programs(self):
        found = [p for p in sorted(STRATEGIES.iterdir()) if p.suffix in (".py", ".pyx", ".md")]
        return {os.path.join(self.build_lib, "nexus_fast", str(p)): str(p) for p in found}

    def run(self):
        super().run()
        if not self.editable_mode:
            for built, source in self.programs().items():
                self.mkpath(os.path.dirname(built))
                self.copy_file(source, built)

    def get_outputs(self, include_bytecode=1):
        own = [] if self.editable_mode else list(self.programs())
        return [*super().get_outputs(include_bytecode), *own]


def extension(pyx):
    name = ".".join(pyx.relative_to(CYTHON_ROOT).with_suffix("").parts)
    return Extension(
        name, [str(pyx)], include_dirs=[str(CYTHON_ROOT)], extra_compile_args=compile_args(), extra_link_args=link_args()
    )


setup(
    ext_modules=cythonize(
        [extension(pyx) for pyx in sorted(PACKAGE.rglob("*.pyx"))],
        include_path=[str(CYTHON_ROOT)],
        build_dir="build/cython",
        compiler_directives=DIRECTIVES,
        annotate=flag("NEXUS_ANNOTATE"),
        force=flag("NEXUS_FORCE"),
        # Worker processes are forked; where they would be spawned (3.14), each would run this file again.
        nthreads=JOBS if sys.version_info < (3, 14) else 0,
    ),
    cmdclass={"build_ext": build_ext_with_interfaces, "build_py": build_py_with_strategies},
)
