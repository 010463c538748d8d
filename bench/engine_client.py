"""The engine as a client of the bench: one strategy that answers every tick with an order, until it is interrupted.

The harness starts it (`python -m bench.engine_client --endpoints FILE …`) and ends it with SIGINT when the exchange has
its ticks. The last line of stdout is what it says of itself, JSON.
"""

import argparse
import json
import os
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

from bench.build import BENCH, cython_module
from bench.runs import API_KEY, SECRET, SYMBOLS
from nexus_fast.config import (
    BasicConfig,
    Config,
    LogConfig,
    LoopConfig,
    PrivateConnectorConfig,
    PublicConnectorConfig,
)
from nexus_fast.constants import ExchangeType
from nexus_fast.engine import Engine
from nexus_fast.exchange import BinanceAccountType

ACCOUNTS = {"spot": BinanceAccountType.SPOT, "usd_m": BinanceAccountType.USD_M_FUTURE}
AMOUNT = Decimal("0.001")
AMOUNT_MANTISSA = {"spot": 100, "usd_m": 1}  # the same amount at the symbol's size scale, 5 and 3


def make_strategy(kind: str, family: str, every: int):
    if kind == "cython":
        return cython_module(BENCH / "strategies" / "taker_fast.pyx").Taker(
            SYMBOLS[family], AMOUNT_MANTISSA[family], every)
    from bench.strategies.taker import Taker

    return Taker(SYMBOLS[family], AMOUNT)


def make_config(options: argparse.Namespace, strategy, journal: str) -> Config:
    """A program as a user would write it, in its fastest form: own core, quiet log, nothing else changed."""
    account = ACCOUNTS[options.family]
    return Config(
        strategy_id=f"bench_{options.strategy}_{os.getpid()}",  # several benches may run side by side
        user_id="bench",
        strategy=strategy,
        basic_config={ExchangeType.BINANCE: BasicConfig(api_key=API_KEY, secret=SECRET, testnet=False)},
        public_conn_config={ExchangeType.BINANCE: [PublicConnectorConfig(account_type=account)]},
        private_conn_config={ExchangeType.BINANCE: [PrivateConnectorConfig(account_type=account)]},
        log_config=LogConfig(level_stdout="WARNING"),
        endpoints=options.endpoints,
        loop=LoopConfig(mode=options.mode, cpu=options.cpu if options.cpu >= 0 else None, warm=options.warm == "on"),
        journal_directory=journal,
        order_entry=options.entry,
        exit_after_cancel=False,
        measure=options.measure == "on",
    )


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.engine_client", description=__doc__.splitlines()[0])
    parser.add_argument("--endpoints", type=Path, required=True)
    parser.add_argument("--family", choices=tuple(SYMBOLS), default="spot")
    parser.add_argument("--strategy", choices=("cython", "python"), default="cython")
    parser.add_argument("--mode", choices=("busy", "block", "adaptive"), default="busy")
    parser.add_argument("--cpu", type=int, default=-1, help="-1: wherever the kernel likes")
    parser.add_argument("--entry", choices=("ws", "rest"), default="ws")
    parser.add_argument("--every", type=int, default=1, help="order only where the update id divides by it (Cython)")
    parser.add_argument("--warm", choices=("on", "off"), default="on", help="LoopConfig.warm")
    parser.add_argument("--measure", choices=("on", "off"), default="off", help="where the time goes, stage by stage")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    strategy = make_strategy(options.strategy, options.family, options.every)
    with tempfile.TemporaryDirectory(prefix="nexus-bench-journal-") as journal:
        engine = Engine(make_config(options, strategy, journal))
        try:
            engine.start()
        except KeyboardInterrupt:
            pass
        finally:
            engine.dispose()
    print(json.dumps({"sent": strategy.sent, "engine": engine.report()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
