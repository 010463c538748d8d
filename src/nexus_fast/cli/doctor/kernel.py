"""The texts in which the kernel speaks of itself."""

from pathlib import Path


def read(path: str) -> str | None:
    """The text of a file of the kernel's, None when it is not there or not for us."""
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None


def cpu_list(text: str) -> list[int]:
    """ "0-3,8" → [0, 1, 2, 3, 8]."""
    numbers: list[int] = []
    for part in filter(None, text.replace("\n", "").split(",")):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def chosen(text: str | None) -> str:
    """ "always [madvise] never" → "madvise"."""
    return (text or "").partition("[")[2].partition("]")[0]
