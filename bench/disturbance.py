"""Whether others had the processors while something was measured, as the kernel tells it."""

import os
from pathlib import Path

SHARE = 0.01                    # of the ticks, or of the time: from there on p99 can be the neighbours' alone
MARK = " !"
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def stolen_seconds(cpus: set[int]) -> float:
    """What the host has taken of these processors since the machine began: 0 where it is none, or does not say."""
    names, taken = {f"cpu{cpu}" for cpu in cpus}, 0
    for line in Path("/proc/stat").read_text().splitlines():
        fields = line.split()
        if fields[0] in names and len(fields) > 8:
            taken += int(fields[8])
    return taken / TICKS_A_SECOND


def disturbed(row: dict) -> bool:
    """Whether as many ticks as p99 leaves out, or as large a part of the time, can be somebody else's. row: "n" ticks,
    "switches" of exchange and client, and of newer results "stolen" seconds out of "seconds"."""
    return row.get("switches", 0) >= SHARE * row["n"] or row.get("stolen", 0.0) > SHARE * row.get("seconds", 0.0)


def disturbance(runs: list[dict]) -> dict[str, float]:
    """The columns that `disturbed` looks at, of several runs."""
    return {
        "switches": sum(r["involuntary_switches"] + max(r["client_switches"], 0) for r in runs),
        "stolen": sum(r["stolen"] for r in runs),
        "seconds": sum(r["seconds"] for r in runs),
    }


def warning(rows: list[dict]) -> str:
    """What the marks beside p99 mean; empty where there are none."""
    marked = [row for row in rows if disturbed(row)]
    if not marked:
        return ""
    switches, stolen = (sum(row.get(name, 0) for row in marked) for name in ("switches", "stolen"))
    return (
        f"{MARK.strip()} beside a p99: the processors were taken away during {len(marked)} of {len(rows)} rows (switches "
        f"{switches:.0f}, stolen by the host {stolen:.2f} s). There p99 and what is above it are the neighbours' figures, not "
        "the program's."
    )
