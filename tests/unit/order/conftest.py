import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nexus_fast.core

INSTALLED = Path(nexus_fast.core.__file__).parents[2]
PROBE = Path(__file__).with_name("order_probe.pyx")
SETUP = """
from Cython.Build import cythonize
from setuptools import Extension, setup
setup(ext_modules=cythonize([Extension("order_probe", ["order_probe.pyx"])], include_path=[{installed!r}], language_level=3))
"""


@pytest.fixture(scope="session")
def probe(tmp_path_factory):
    """order_probe.pyx, compiled as a user's module is."""
    directory = tmp_path_factory.mktemp("order_probe")
    shutil.copy(PROBE, directory)
    (directory / "setup.py").write_text(SETUP.format(installed=str(INSTALLED)))
    done = subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=directory, capture_output=True,
                          timeout=240, env=dict(os.environ, PYTHONPATH=str(INSTALLED), CFLAGS="-O0"))
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    spec = importlib.util.spec_from_file_location("order_probe", next(directory.glob("order_probe*.so")))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
