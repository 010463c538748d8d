import pytest


@pytest.fixture(autouse=True)
def segments(tmp_path, monkeypatch):
    """A segment directory of the test's own."""
    directory = tmp_path / "segments"
    monkeypatch.setenv("NEXUS_FAST_SHM", str(directory))
    return directory
