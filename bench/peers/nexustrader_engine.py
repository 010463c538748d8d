"""NexusTrader, one strategy that answers each book with create_order_ws or create_order.

Its addresses are module constants: they are changed before its engine is built, and so are those of the ccxt client that it
loads markets with. --limiter off is its own enable_rate_limit=False (public and private connector).
"""

import logging
import os
import tempfile
from decimal import Decimal

from common import options

OPTIONS = options(("ws", "rest"), ("--limiter",))
os.chdir(tempfile.mkdtemp(prefix="nexus-bench-peer-"))
logging.disable(logging.WARNING)

from nexustrader.base import exchange as base_exchange  # noqa: E402
from nexustrader.config import (  # noqa: E402
    BasicConfig,
    Config,
    LogConfig,
    PrivateConnectorConfig,
    PublicConnectorConfig,
)
from nexustrader.constants import ExchangeType, OrderSide, OrderType  # noqa: E402
from nexustrader.engine import Engine  # noqa: E402
from nexustrader.exchange import BinanceAccountType  # noqa: E402
from nexustrader.exchange.binance import constants  # noqa: E402
from nexustrader.strategy import Strategy  # noqa: E402

SPOT, SYMBOL, AMOUNT = BinanceAccountType.SPOT, "BTCUSDT.BINANCE", Decimal("0.001")


def redirect():
    constants.BASE_URLS[SPOT] = OPTIONS.http
    constants.STREAM_URLS[SPOT] = OPTIONS.ws
    constants.WS_ORDER_URLS[SPOT] = f"{OPTIONS.ws}/ws-api/v3"
    make = base_exchange.ExchangeManager._init_exchange

    def made(self):
        api = make(self)
        api.urls["api"].update(public=f"{OPTIONS.http}/api/v3", private=f"{OPTIONS.http}/api/v3")
        api.options.update(fetchMarkets={"types": ["spot"]}, fetchCurrencies=False, fetchMargins=False)
        return api

    base_exchange.ExchangeManager._init_exchange = made


class Taker(Strategy):
    def on_start(self):
        self.subscribe_bookl1(SYMBOL)

    def on_bookl1(self, bookl1):
        send = self.create_order_ws if OPTIONS.entry == "ws" else self.create_order
        send(symbol=SYMBOL, side=OrderSide.BUY, type=OrderType.LIMIT, amount=AMOUNT, price=Decimal(f"{bookl1.ask:.2f}"))


redirect()
limited = OPTIONS.limiter == "on"
Engine(
    Config(
        strategy_id="bench",
        user_id="bench",
        strategy=Taker(),
        exit_after_cancel=False,
        basic_config={ExchangeType.BINANCE: BasicConfig(api_key=OPTIONS.key, secret=OPTIONS.secret, testnet=False)},
        public_conn_config={
            ExchangeType.BINANCE: [PublicConnectorConfig(account_type=SPOT, enable_rate_limit=limited)]
        },
        private_conn_config={
            ExchangeType.BINANCE: [PrivateConnectorConfig(account_type=SPOT, enable_rate_limit=limited)]
        },
        log_config=LogConfig(level_stdout="ERROR"),
    )
).start()
