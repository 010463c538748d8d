"""A user's module that was compiled against other .pxd files is refused when it is imported."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nexus_fast.core

CYTHON_ROOT = Path(__file__).parents[3] / "cython"
INSTALLED = Path(nexus_fast.core.__file__).parents[2]
MODULE = "from nexus_fast.core.abi cimport require_abi\nrequire_abi()\n"
BUILD = """
import sys
from setuptools import Extension, setup
from Cython.Build import cythonize
root = sys.argv.pop()
sys.argv[1:] = ["build_ext", "--inplace"]
setup(ext_modules=cythonize([Extension("users", ["users.pyx"])], include_path=[root], quiet=True))
"""


@pytest.fixture
def import_compiled(tmp_path):
    def build_and_import(change):
        shutil.copytree(CYTHON_ROOT / "nexus_fast/core", tmp_path / "root/nexus_fast/core")
        (tmp_path / "root/nexus_fast/__init__.pxd").touch()
        declaration = tmp_path / "root/nexus_fast/core/abi.pxd"
        declaration.write_text(change(declaration.read_text()))
        (tmp_path / "users.pyx").write_text(MODULE)
        (tmp_path / "build.py").write_text(BUILD)
        subprocess.run([sys.executable, "build.py", "root"], cwd=tmp_path, check=True, capture_output=True)
        program = f"import sys; sys.path.insert(0, {str(INSTALLED)!r}); import users"
        return subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)

    return build_and_import


def test_a_module_of_the_same_abi_is_imported(import_compiled):
    result = import_compiled(lambda text: text)
    assert result.returncode == 0, result.stderr


def test_a_module_of_another_abi_is_refused(import_compiled):
    result = import_compiled(lambda text: re.sub(r"NEXUS_ABI = \d+", "NEXUS_ABI = 1000", text))
    assert "ImportError: users was compiled against ABI 1000 of nexus_fast" in result.stderr
