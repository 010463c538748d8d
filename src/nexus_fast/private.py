"""Files and folders that are the user's alone, whatever the umask of the program: 0600 and 0700.

What nexus_fast writes (journal, session, logs, kept lists, reports, endpoints) tells of positions and orders. All of it is opened
here. What is there already keeps the rights that its owner gave it.
"""

import contextlib
import os
from pathlib import Path
from typing import Any

FILE, FOLDER = 0o600, 0o700


def make_folder(path: str | Path) -> Path:
    """The folder, and every folder above it that is missing."""
    path = Path(path)
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, FOLDER)
            os.chmod(folder, FOLDER)         # an umask may have taken the user's own rights
    return path


def opener(path: str, flags: int) -> int:
    """For `open(…, opener=opener)`: a file that is new is private."""
    flags |= os.O_CLOEXEC
    if not flags & os.O_CREAT:
        return os.open(path, flags)
    try:
        descriptor = os.open(path, flags | os.O_EXCL, FILE)
    except FileExistsError:
        return os.open(path, flags & ~os.O_EXCL, FILE)
    os.fchmod(descriptor, FILE)
    return descriptor


def open_private(path: str | Path, mode: str = "w", **more: Any) -> Any:
    if "b" not in mode:
        more.setdefault("encoding", "utf-8")
    return open(path, mode, opener=opener, **more)


def replace_file(path: str | Path, content: bytes | str) -> Path:
    """The file as a whole, in one step, on the disk when this returns: a reader sees the old content or the new one, also after a
    loss of power. A link in its place is replaced and not followed."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    try:
        with open_private(temporary, "xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    settle(path.parent)
    return path


def settle(folder: Path) -> None:
    """The change of a name is on the disk when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
