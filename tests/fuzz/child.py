"""Runs in a process with the sanitizer preloaded: mutants for a while, or a sample of them for the parent to judge."""

import argparse
import itertools
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "wire"))

from canonical_frames import CANONICAL  # noqa: E402
from wire_frames import ROOT, SHARED, recorded  # noqa: E402
from wire_fuzzer import WireFuzzer  # noqa: E402

from nexus_fast.wire import binance  # noqa: E402

PARSERS = [("binance", "spot"), ("binance", "usd_m"), ("bybit", "linear"), ("okx", "public")]
SOURCES = (
    "live_2026/*",
    "derived/*",
    "nautilus/rust_adapters/*/ws_*.json",
    "gocryptotrader/*_ws*",
    "crypto_msg_parser/*",
    "cryptofeed/binance_*.rawlog.gz",
)


# Of each quote from the venues' documents: where few quotes are recorded, a share of the mutants that counts is theirs.
COPIES = 10


def seeds():
    """A few hundred frames; quotes of each venue among them."""
    frames = list(dict.fromkeys(frame for _, frame in recorded(*(SOURCES if ROOT == SHARED else ("**/*",)))))
    quotes = [frame for frame in frames if b'"B":"' in frame or b"orderbook.1." in frame or b"bbo-tbt" in frame]
    documented = [frame for _, _, frame in CANONICAL] * COPIES
    return documented + quotes[:400] + [frame for frame in frames if len(frame) < 1500][:200]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--mutants", type=int, help="of each parser, however long they take")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--sample", type=int, default=0)
    options.add_argument("--fault", default=None)
    options = options.parse_args()
    frames = seeds()
    fuzzers = {pair: WireFuzzer(frames, *pair, options.seed, options.fault) for pair in PARSERS}
    if options.sample:
        for (venue, market), fuzzer in fuzzers.items():
            for frame, status in fuzzer.sample(options.sample):
                print(json.dumps([venue, market, frame.hex(), status]))
        return
    total = {pair: {} for pair in PARSERS}
    begun = time.monotonic()

    def is_over():
        if options.mutants is not None:
            return all(sum(counts.values()) >= options.mutants for counts in total.values())
        return time.monotonic() >= begun + options.seconds

    implementations = itertools.cycle(binance.implementations())
    while not is_over():
        binance.use_implementation(next(implementations))
        for pair, fuzzer in fuzzers.items():
            for status, count in fuzzer.run(5000).items():
                total[pair][status] = total[pair].get(status, 0) + count
    print(
        json.dumps({"seed": options.seed, "frames": len(frames), "mutants": {"/".join(k): v for k, v in total.items()}})
    )


if __name__ == "__main__":
    main()
