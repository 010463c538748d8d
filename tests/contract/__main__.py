"""What a program is told, over sessions among faults, against the venue's own ledger. In simulated time.

    python -m tests.contract --kind books --seed 17         one run with everything that happened
    python -m tests.contract --kind stop --seeds 1-200      many; a line for each that failed

books: programs that keep their own books end with the venue's position and P&L; stop: what is stopped opens nothing and
leaves what its configuration says.
"""

import argparse
import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from seeded_runs import add_options, conduct  # noqa: E402

KINDS = ("books", "cross", "stop")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.contract")
    parser.add_argument("--kind", choices=KINDS, required=True)
    add_options(parser)
    options = parser.parse_args()

    def load():
        kind = importlib.import_module(f"tests.contract.{options.kind}")
        return lambda seed, trace: kind.run(seed, trace, options.log), kind.label_of

    return conduct("tests.contract", options, ("--kind", options.kind), load)


sys.exit(main())
