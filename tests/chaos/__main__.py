"""Seeded chaos in simulated time.

    python -m tests.chaos --seed 17                 one run with everything that happened
    python -m tests.chaos --seeds 1-10000           many, over all cores; a line for each that failed
    python -m tests.chaos --venues binance,okx …    of these venues, whichever the seed would choose
    python -m tests.chaos --restarts …              each with a kill, a journal that may be damaged, and a restart
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from seeded_runs import add_options, conduct  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    add_options(parser)
    parser.add_argument("--venues", default="", metavar="A,B", help="instead of those that the seed chooses")
    parser.add_argument("--restarts", action="store_true", help="every run with a kill and a restart, not only a share")
    options = parser.parse_args()
    venues = tuple(filter(None, options.venues.split(",")))
    more = (("--venues", options.venues) if venues else ()) + (("--restarts",) if options.restarts else ())

    def load():
        from tests.chaos import harness, restarts

        if options.restarts:
            restarts.SHARE = 1.0

        def venues_of(seed):
            return venues or harness.venues_of(seed)

        return (lambda seed, trace: harness.run(seed, venues_of(seed), trace, options.log),
                lambda seed: "+".join(venues_of(seed)))

    return conduct("tests.chaos", options, more, load)


sys.exit(main())
