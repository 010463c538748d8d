"""The endpoints file: TOML, one table per account family, written in one piece when everything listens."""

import os
from pathlib import Path


def to_toml(tables: dict[str, dict[str, str]]) -> str:
    """`{"binance.spot": {"rest": "http://…"}}` -> TOML text."""
    lines: list[str] = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        lines += [f'{key} = "{value}"' for key, value in table.items()]
        lines.append("")
    return "\n".join(lines)


def write(path: str | Path, tables: dict[str, dict[str, str]]) -> None:
    """Write beside the target and rename, so that who waits for the file never reads half of it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(to_toml(tables), encoding="utf-8")
    temporary.replace(path)


def address_of(name: tuple) -> str:
    """`("127.0.0.1", 80)` -> `"127.0.0.1:80"`; IPv6 hosts in brackets."""
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"
