"""Build of the compiled half: every .pyx under cython/nexus_fast becomes a module of the package src/nexus_fast.

Environment: NEXUS_DEBUG=1 (bounds checks, -O0 -g), NEXUS_ANNOTATE=1 (HTML beside the C in build/cython),
NEXUS_FORCE=1 (translate everything again), NEXUS_SANITIZE=1 (AddressSanitizer and UBSan).
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

CYTHON_ROOT = Path("cython")
PYTHON_ROOT = Path("src")
PACKAGE = CYTHON_ROOT / "nexus_fast"


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
    return ["-O3", "-fno-plt", "-fno-semantic-interposition"]


def link_args():
    return ["-fsanitize=address,undefined"] if SANITIZE else []


class build_ext_with_interfaces(build_ext):
    """Places X.pxd and X.pyi beside the X.so it has just built, so that an interface never gets ahead of its binary."""

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
        nthreads=0,
    ),
    cmdclass={"build_ext": build_ext_with_interfaces},
)
