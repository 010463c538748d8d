"""What each table says, in a sentence computed from it, and what its words mean. For the report's readers."""

from collections.abc import Iterable

from bench.disturbance import warning
from bench.histogram import median
from bench.path.run import ORIGINS, stages
from bench.wire import gap_text

FLOOR = (
    "Floor: the program in C that does the same job by hand (bench/floor/client.c): it parses the quote, signs and sends the "
    "order, and does nothing else: no book, no risk gate, no journal, no order table. What it takes is mostly the kernel's, so "
    "that 1.00 is the least that any program can reach here. Each ratio is to the floor's run of the same round."
)
ENGINES = {"cython": "Cython strategy", "python": "Python strategy"}


def span(values: Iterable[float], form: str) -> str:
    """"1.04", or "0.95 to 1.42" where the values differ as printed."""
    ordered = sorted(values)
    low, high = format(ordered[0], form), format(ordered[-1], form)
    return low if low == high else f"{low} to {high}"


def wire_cell(row: dict) -> str:
    return f"{row['mode']}, {gap_text(row['gap_us'])}, {row['link']}, {row['entry']}"


def wire(result: dict) -> list[str]:
    rows, found = result["rows"], []
    for client, name in ENGINES.items():
        mine = [row for row in rows if row["client"] == client and row["ratio_p50"] is not None]
        if mine:
            most = max(mine, key=lambda row: row["ratio_p50"])
            ratios = span((row["ratio_p50"] for row in mine), ".2f")
            found.append(f"{name}: half of its orders leave within {ratios} times the floor's time"
                         + (f", the most in {wire_cell(most)}" if len(mine) > 1 else "") + ".")
    return [*(found or ["No engine was measured beside the floor."]), FLOOR, *filter(None, [warning(rows)])]


def peers(result: dict) -> list[str]:
    rows, found = result["rows"], []
    for gap in dict.fromkeys(row["gap_us"] for row in rows):
        here = [row for row in rows if row["gap_us"] == gap]
        ours = [row for row in here if row["label"].startswith("nexus_fast")]
        others = [row for row in here if not row["label"].startswith(("nexus_fast", "C,"))]
        if ours and others:
            best, next_best = (min(group, key=lambda row: row["p50"]) for group in (ours, others))
            found.append(f"{gap_text(gap)} between ticks: {best['label']} takes {best['p50'] / 1000:.0f} µs at p50, "
                         f"the fastest of the others ({next_best['label']}) {next_best['p50'] / 1000:.0f} µs, "
                         f"{next_best['p50'] / max(best['p50'], 1):.1f} times as long.")
    return [*(found or ["No peer was measured beside the engine."]), FLOOR, *filter(None, [warning(rows)])]


def path(result: dict) -> list[str]:
    found = []
    for market, values in result["results"].items():
        levels = {name: value["median"] for name, value in values["ns"].items()}
        if "cython whole" in levels:
            parts = stages(levels)
            most = max(parts, key=parts.__getitem__)
            found.append(f"{market} {levels['cython whole']:.0f} ns, of which {most} {parts[most]:.0f}")
    whole = "; ".join(found) or "nothing was walked to its end"
    return [f"From a quote's bytes to its order's, Cython strategy: {whole}.", f"Frames are {ORIGINS}."]


def ring(result: dict) -> list[str]:
    floor = "Floor here: one word of 8 bytes in one cache line that the two processes throw to each other."
    if result.get("ratio_p50") is None:
        return ["No way between two processes was measured.", floor]
    ns = median([run["p50"] for run in result["one_way"]])
    return [f"A record is with the other process after {ns:.0f} ns at p50, {result['ratio_p50']:.2f} times the floor's.", floor]


def scale(result: dict) -> list[str]:
    found = []
    if "symbols" in result:
        row = result["symbols"]["whole"]
        most = max(row, key=int)
        found.append(f"A tick and its order with {int(most):,} symbols take {row[most] / row['1']:.2f} times what they take "
                     "with one.")
    for run in result.get("memory", ()):
        ticks, grown = run["growth"][-1]
        found.append(f"{ENGINES.get(run['strategy'], run['strategy'])}: {grown / 1024:+.0f} KiB of resident memory after "
                     f"{ticks:,} ticks.")
    floor = "Floor, in the bursts: the program in C that does the same job by hand (bench/floor/client.c)."
    return [*(found or ["Neither symbols nor memory were measured."]), *([floor] if result.get("bursts") else [])]


VERDICTS = {"wire": wire, "peers": peers, "path": path, "ring": ring, "scale": scale}
