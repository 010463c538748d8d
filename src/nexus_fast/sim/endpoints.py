"""The endpoints file: TOML, one table per account family, written in one piece when everything listens."""

from pathlib import Path

from nexus_fast.private import make_folder, replace_file


def to_toml(tables: dict[str, dict[str, str]]) -> str:
    """`{"binance.spot": {"rest": "http://…"}}` -> TOML text."""
    lines: list[str] = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        lines += [f'{key} = "{value}"' for key, value in table.items()]
        lines.append("")
    return "\n".join(lines)


def write(path: str | Path, tables: dict[str, dict[str, str]]) -> None:
    """In one step: who waits for the file never reads half of it."""
    make_folder(Path(path).parent)
    replace_file(path, to_toml(tables))


class Place:
    """Where a server listens, and whether it speaks TLS: `Place(("127.0.0.1", 80)).ws("/x")` is "ws://127.0.0.1:80/x"."""

    def __init__(self, name: tuple, tls: object = None):
        self._address = f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"
        self._secure = "s" if tls is not None else ""

    def http(self, path: str = "") -> str:
        return f"http{self._secure}://{self._address}{path}"

    def ws(self, path: str = "") -> str:
        return f"ws{self._secure}://{self._address}{path}"
