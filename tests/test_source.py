"""Rules of the source itself; CONTRIBUTING.md gives the reasons."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOT = ROOT / "cython" / "nexus_fast"
HOT_FOLDERS = ("core", "shm", "wire", "order", "gateway", "journal")
# What runs between a tick and its order, outside of the seams.
HOT_PATH = {
    "shm/ring": ["ring_publish"],
    "shm/latest": ["latest_write"],
    "order/gate": ["gate_check"],
    "order/entry": ["submit", "cancel", "request", "record", "note"],
    "order/table": ["take", "by_number", "by_client_id", "apply"],
    "order/route": ["find"],
    "gateway/canvas": ["canvas_begin", "canvas_end"],
    "gateway/channel": ["channel_send"],
    "gateway/frame": ["ws_frame"],
    "journal/writer": ["journal_append"],
    "strategy/base": ["send_order", "send_cancel"],
}
# The paths of somebody's machine, addresses of package indexes and unfinished thoughts have no place in the product.
FORBIDDEN = re.compile(r"/home/\w|/Users/(?!self/verify)\w|/tmp/\w+/\w|pypi\.org/simple|\bTODO\b|\bFIXME\b", re.I)
# This file, whose subject the words are.
ALLOWED = {"tests/test_source.py"}
TEXTS = {".py", ".pyx", ".pxd", ".pyi", ".md", ".toml", ".c", ".h", ".in", ".txt", ""}


def files():
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def relative(path):
    return str(path.relative_to(ROOT))


def sources(suffix):
    return sorted(HOT.rglob(f"*{suffix}"))


def test_cython_folder_shadows_nothing():
    inside = [p for p in (ROOT / "cython").rglob("*") if p.is_file()]
    assert [relative(p) for p in inside if p.suffix == ".py"] == []
    inits = [p for p in inside if p.name.startswith("__init__.")]
    assert all(p.name == "__init__.pxd" and p.stat().st_size == 0 and p.is_relative_to(HOT) for p in inits)
    folders = {p.parent for p in sources(".pyx")} | {HOT}
    assert {p.parent for p in inits} == folders


def test_import_cython_is_cython():
    pytest.importorskip("Cython")
    code = "import cython; assert cython.compiled is False; print(cython.__file__)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert ROOT / "cython" not in Path(found.stdout.strip()).parents


def test_every_module_has_a_python_face():
    """A .pyi where Python is meant to call it; what only Cython uses has a .pxd."""
    for pyx in sources(".pyx"):
        assert pyx.with_suffix(".pyi").exists() or pyx.with_suffix(".pxd").exists(), relative(pyx)


def test_what_is_cimported_has_an_interface():
    wanted = set()
    for path in (*sources(".pyx"), *sources(".pxd"), *ROOT.glob("strategies/*.pyx"), *ROOT.glob("bench/**/*.pyx")):
        wanted |= set(re.findall(r"^\s*from nexus_fast\.([\w.]+) cimport", path.read_text(), re.M))
    paths = {name: HOT / name.replace(".", "/") for name in sorted(wanted)}
    missing = [name for name, path in paths.items() if not path.with_suffix(".pxd").exists() and not path.is_dir()]
    assert missing == []


def test_every_compiled_module_can_be_imported():
    for pyx in sources(".pyx"):
        name = ".".join(pyx.relative_to(HOT.parent).with_suffix("").parts)
        assert importlib.util.find_spec(name) is not None, f"{name} is not compiled"


def test_interfaces_need_no_include_path():
    """Users cimport them from their own projects: a quoted header would not be found there."""
    headers = {}
    for pxd in sources(".pxd"):
        found = re.findall(r'cdef extern from "([^<"]+)"', pxd.read_text())
        if found:
            headers[relative(pxd)] = found
    private = {"cython/nexus_fast/gateway/sha256.pxd", "cython/nexus_fast/gateway/fields.pxd"}
    assert set(headers) <= private, "a quoted header in an interface"


def test_the_hot_path_is_noexcept_nogil():
    for module, functions in HOT_PATH.items():
        text = (HOT / f"{module}.pxd").read_text()
        for function in functions:
            tails = re.findall(rf'\b{function}(?: "\w+")?\((?:[^()]|\([^()]*\))*\)([^\n]*)', text)
            assert any("noexcept nogil" in tail for tail in tails), f"{module}.{function} is not noexcept nogil"


def test_the_interpreter_is_taken_at_marked_seams_only():
    """A `noexcept nogil` function can reach Python in one way, by `with gil`; the compiler refuses all others. So every
    function that is not `noexcept nogil` stays out of the hot path unless such a place leads into it."""
    unmarked = []
    for folder in HOT_FOLDERS:
        for pyx in sorted((HOT / folder).glob("*.pyx")):
            text = pyx.read_text()
            if "with gil" in text and "# seam" not in text:
                unmarked.append(relative(pyx))
    assert unmarked == []


def test_seams_are_in_the_documentation():
    architecture = (ROOT / "docs" / "architecture.md").read_text()
    seams = [p for p in sources(".pyx") if "# seam" in p.read_text()]
    names = [str(p.relative_to(HOT).with_suffix("")) for p in seams]
    assert [name for name in names if f"`{name}`" not in architecture] == []


def test_the_cold_half_is_not_written_in_cython():
    found = [relative(p) for p in (ROOT / "src").rglob("*.py") if re.search(r"^\s*(import|from) cython\b", p.read_text(), re.M)]
    assert found == []


def test_no_cancellation_is_swallowed():
    """Until Python 3.12 asyncio.wait_for gives the result of what ended in the turn in which its caller was cancelled, and the
    caller goes on for ever; asyncio.timeout does not."""
    found = [relative(p) for p in ROOT.glob("src/**/*.py") if "asyncio.wait_for(" in p.read_text()]
    assert found == []


def test_the_repository_speaks_of_the_product_alone():
    found = []
    for path in files():
        name = relative(path)
        if path.suffix not in TEXTS or name in ALLOWED or name.startswith("tests/data/"):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if match := FORBIDDEN.search(line):
                found.append(f"{name}:{number}: {match.group()}")
    assert found == []


def test_documentation_links_lead_somewhere():
    broken = []
    for path in files():
        if path.suffix != ".md" or relative(path).startswith("tests/data/"):
            continue
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
            if not (path.parent / target).exists():
                broken.append(f"{relative(path)}: {target}")
    assert broken == []


def test_ruff():
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")
    done = subprocess.run(
        [ruff, "check", "--no-cache", "--output-format", "concise", "src", "tests", "bench", "strategies"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_written_is_private():
    """nexus_fast.private opens it; build.py writes into the installation, and headers are for others."""
    ways = r"\.write_(text|bytes)\(|\.mkdir\(|makedirs\(|(?<![\w.])open\([^)]*[\"'][rb+]*[wax][b+]*[\"']|os\.O_CREAT"
    allowed = {"private.py", "build.py", "segment.pyx", "writer.pyx", "types.pyx", "files.py", "process.py",
               "books.py"}
    paths = [*(ROOT / "src/nexus_fast").rglob("*.py"), *(ROOT / "cython/nexus_fast").rglob("*.pyx")]
    found = [f"{relative(p)}: {line.strip()}" for p in paths if p.name not in allowed for line in p.read_text().splitlines()
             if re.search(ways, line)]  # fmt: skip
    assert found == []
