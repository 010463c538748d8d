"""Strategies are compiled when they have to be, and what is missing is said."""

import sys

import pytest

from nexus_fast import build
from nexus_fast.error import StrategyBuildError

SOURCE = "from nexus_fast.core.types cimport nx_bookl1\n\ndef answer():\n    return sizeof(nx_bookl1) + {extra}\n"


def write(path, extra=0):
    path.write_text(SOURCE.format(extra=extra))
    return path


def test_compiles_once_and_again_after_a_change(tmp_path):
    source = write(tmp_path / "nx_build_test.pyx")
    assert build.compile_strategy(source).answer() == 128
    first = build.target_of(source).stat().st_mtime_ns
    assert build.compile_strategy(source).answer() == 128
    assert build.target_of(source).stat().st_mtime_ns == first
    write(source, 1)
    assert not build.is_fresh(source)
    assert [p.name for p in tmp_path.iterdir() if p.suffix in (".c", ".o")] == []


def test_an_interface_that_changed_makes_it_stale(tmp_path, monkeypatch):
    source = write(tmp_path / "mine.pyx")
    before = build.fingerprint(source)
    package = tmp_path / "package"
    package.mkdir()
    (package / "other.pxd").write_text("cdef enum:\n    A = 1\n")
    monkeypatch.setattr(build, "PACKAGE", package)
    changed = build.fingerprint(source)
    (package / "other.pxd").write_text("cdef enum:\n    A = 2\n")
    assert len({before, changed, build.fingerprint(source)}) == 3


def test_the_compilers_words_are_in_the_error(tmp_path):
    source = tmp_path / "wrong.pyx"
    source.write_text("cdef int x = undeclared_name_here\n")
    with pytest.raises(StrategyBuildError, match="undeclared_name_here"):
        build.compile_strategy(source)
    assert not build.target_of(source).exists()


@pytest.mark.parametrize(
    ("name", "text"), [("absent.pyx", "there is no file"), ("x.py", "no Cython source"), ("a-b.pyx", "cannot be a module")]
)
def test_what_cannot_be_compiled(tmp_path, name, text):
    if name != "absent.pyx":
        (tmp_path / name).write_text("")
    with pytest.raises(StrategyBuildError, match=text):
        build.compile_strategy(tmp_path / name)


def test_missing_tools_are_named_with_their_remedy(tmp_path, monkeypatch):
    source = write(tmp_path / "mine.pyx")
    find = build.importlib.util.find_spec
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: None if name == "Cython" else find(name))
    monkeypatch.setenv("CC", "no-such-compiler-here")
    monkeypatch.setattr(build.sysconfig, "get_path", lambda name: str(tmp_path / "no_headers"))
    with pytest.raises(StrategyBuildError) as error:
        build.compile_strategy(source)
    for text in ("nexus_fast[strategy]", "no-such-compiler-here", "python3-dev"):
        assert text in str(error.value)


def test_a_fresh_module_needs_no_tools(tmp_path, monkeypatch):
    source = write(tmp_path / "nx_build_fresh.pyx")
    build.build(source)
    monkeypatch.setattr(build, "_require_tools", lambda source: pytest.fail("tools were asked for"))
    assert build.compile_strategy(source).answer() == 128
    assert sys.modules["nx_build_fresh"].__file__ == str(build.target_of(source))
