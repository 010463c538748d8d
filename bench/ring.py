"""The ring in shared memory: one way between two processes, the cost of a write, what readers get.

    python -m bench.ring

The floor is one word that two processes throw to each other. Times of a single throw include one clock read; one way is half
of there and back, on both.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from bench.build import BENCH, BUILD, FLAGS, BuildError, compiler, compiler_version, fingerprint
from bench.build import run as build
from bench.histogram import PERCENTILES, median
from bench.machine import header, header_text
from bench.parts import Parts, failed_text
from bench.path.world import segments
from bench.progress import progress
from bench.results import save

READERS = (0, 1, 2, 4, 8)
THROWS = 200_000
WRITES = 3_000_000


def program() -> Path:
    """bench/floor/ring.c against the header that this package writes."""
    from nexus_fast.core import write_header

    folder = BUILD / "ring"
    folder.mkdir(parents=True, exist_ok=True)
    write_header(folder / "nexus_fast.h")
    sources = [path.read_bytes() for path in (folder / "nexus_fast.h", *sorted((BENCH / "floor").glob("*.[ch]")))]
    target = BUILD / f"ring-{fingerprint(*sources, compiler_version().encode())}"
    if not target.exists():
        build([*compiler().split(), *FLAGS, f"-I{folder}", "-o", str(target), str(BENCH / "floor" / "ring.c")], "ring")
    return target


def call(*arguments) -> dict:
    done = subprocess.run([str(program()), *map(str, arguments)], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise BuildError(f"ring {arguments[0]}: {done.stderr}")
    return json.loads(done.stdout)


def measure(options: argparse.Namespace, parts: Parts) -> dict:
    from nexus_fast.shm.ring import RingWriter

    with segments() as folder, progress("ring", 2 * options.rounds + len(READERS)) as step:
        rings = [RingWriter(name, "bookl1", 65536) for name in ("there", "back", "full")]
        there, back, full = (ring.segment.path for ring in rings)
        throws: list[tuple[dict, dict]] = []
        for number in range(options.rounds):
            with parts.part(f"round {number + 1}"):
                line = call("line", folder / "line", options.writer_cpu, options.reader_cpu, THROWS)["ns"]
                step(f"cache line: p50 {line['p50']} ns")
                way = call("one-way", there, back, options.writer_cpu, options.reader_cpu, THROWS)["ns"]
                step(f"ring: p50 {way['p50']} ns")
                throws.append((line, way))
        writes = []
        for readers in READERS:
            with parts.part(f"{readers} readers"):
                writes.append(
                    min((call("throughput", full, readers, WRITES) for _ in range(3)), key=lambda f: f["write_ns"])
                )
                step(f"{readers} readers: {writes[-1]['write_ns']:.1f} ns a write")
    ratios = [way["p50"] / max(line["p50"], 1) for line, way in throws]
    return {
        "line": [line for line, _ in throws],
        "one_way": [way for _, way in throws],
        "writes": writes,
        "ratio_p50": median(ratios) if ratios else None,
    }


def text(found: dict) -> str:
    lines = ["One way between two processes, ns, medians over the rounds", ""]
    ways = {"bare cache line": found["line"], "a record through the ring": found["one_way"]} if found["one_way"] else {}
    for label, runs in ways.items():
        lines.append(
            f"{label:<27}" + "  ".join(f"{name} {median([r[name] for r in runs]):.0f}" for name in PERCENTILES)
        )
    if found["ratio_p50"] is not None:
        lines += [f"{'ratio of the p50s, median':<27}{found['ratio_p50']:.2f}", ""]
    for row in found["writes"]:
        lines.append(
            f"{row['readers']} readers: a write {row['write_ns']:.1f} ns, {row['writes_per_second'] / 1e6:.1f} M writes/s, "
            f"{row['reads_per_second'] / 1e6:.1f} M reads/s in all, {row['lost']} passed over"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="nexus-fast bench ring", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--writer-cpu", type=int, default=0)
    parser.add_argument("--reader-cpu", type=int, default=1)
    parser.add_argument("--json", type=Path, help="default: bench/results/ring.json")
    options = parser.parse_args(arguments)
    parts = Parts()
    found = measure(options, parts)
    if not found["one_way"] and not found["writes"]:
        return 1
    print(header_text(header()))
    print("\n" + text(found))
    print(failed_text(parts.failed), end="\n" if parts.failed else "")
    print(f"written to {save('ring', {**found, 'failed': parts.failed}, options.json)}", file=sys.stderr)
    return 1 if parts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
