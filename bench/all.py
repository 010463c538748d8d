"""Everything in turn, in a bounded time, and the report.

nexus-fast bench all --minutes 40
"""

import argparse
import importlib
import sys
import time
import traceback

# Share of the time, module, arguments before --minutes. What takes its own bounded time has no share.
PARTS = (
    (0.0, "bench.path.run", []),
    (0.0, "bench.ring", []),
    (0.0, "bench.allocations", ["--ticks", "5000"]),
    (0.55, "bench.wire", ["--standard"]),
    (0.30, "bench.peers.run", []),
    (0.15, "bench.scale", []),
)


def without_end(module: str, arguments: list[str]) -> bool:
    """Runs a part; whether it has no result, or not all of it. What one part raises is no reason to leave the next away."""
    try:
        return bool(importlib.import_module(module).main(arguments))
    except Exception:
        traceback.print_exc()
        return True


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="nexus-fast bench all", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--minutes", type=float, default=40, help="in all; at least one round of everything is made (some 20)"
    )
    parser.add_argument("--without", default="", help="parts that are left away, e.g. peers,scale")
    options = parser.parse_args(arguments)
    left_away, failed = options.without.split(","), []
    end = time.monotonic() + 60 * options.minutes
    for place, (share, module, given) in enumerate(PARTS):
        name = module.removeprefix("bench.").removesuffix(".run")
        if name in left_away:
            continue
        rest = sum(part[0] for part in PARTS[place:])
        minutes = max(0.5, (end - time.monotonic()) / 60 * share / rest) if share else 0
        print(f"\n== {name}" + (f", {minutes:.0f} minutes" if share else ""), flush=True)
        took = [*given, *(["--minutes", f"{minutes:.2f}"] if share else [])]
        if without_end(module, took):
            failed.append(name)
    importlib.import_module("bench.report").main([])
    if failed:
        print(f"without a result, or not all of it: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
