"""NautilusTrader: a live node with its Binance adapter, one strategy that answers each quote with a LIMIT order by REST.

Its own base_url options lead to the exchange. Risk engine bypassed, no reconciliation, errors alone are logged; on uvloop.
"""

import os
import tempfile
from decimal import Decimal

from common import options

OPTIONS = options(("rest",))
os.chdir(tempfile.mkdtemp(prefix="nexus-bench-peer-"))

from nautilus_trader.adapters.binance import (  # noqa: E402
    BINANCE,
    BinanceAccountType,
    BinanceDataClientConfig,
    BinanceExecClientConfig,
    BinanceLiveDataClientFactory,
    BinanceLiveExecClientFactory,
)
from nautilus_trader.config import (  # noqa: E402
    InstrumentProviderConfig,
    LiveExecEngineConfig,
    LiveRiskEngineConfig,
    LoggingConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode  # noqa: E402
from nautilus_trader.model.enums import OrderSide  # noqa: E402
from nautilus_trader.model.identifiers import InstrumentId, TraderId  # noqa: E402
from nautilus_trader.trading.strategy import Strategy  # noqa: E402

INSTRUMENT = InstrumentId.from_str("BTCUSDT.BINANCE")


class Taker(Strategy):
    def on_start(self):
        self.amount = self.cache.instrument(INSTRUMENT).make_qty(Decimal("0.001"))
        self.subscribe_quote_ticks(INSTRUMENT)

    def on_quote_tick(self, tick):
        self.submit_order(self.order_factory.limit(INSTRUMENT, OrderSide.BUY, self.amount, tick.ask_price))


shared = {
    "api_key": OPTIONS.key,
    "api_secret": OPTIONS.secret,
    "account_type": BinanceAccountType.SPOT,
    "base_url_http": OPTIONS.http,
    "base_url_ws": OPTIONS.ws,
    "instrument_provider": InstrumentProviderConfig(load_ids=frozenset([INSTRUMENT])),
}
node = TradingNode(
    TradingNodeConfig(
        trader_id=TraderId("BENCH-001"),
        logging=LoggingConfig(log_level="ERROR"),  # it refuses to run live with none
        exec_engine=LiveExecEngineConfig(reconciliation=False),
        risk_engine=LiveRiskEngineConfig(bypass=True),
        data_clients={BINANCE: BinanceDataClientConfig(**shared)},
        exec_clients={BINANCE: BinanceExecClientConfig(**shared)},
        timeout_connection=60.0,
    )
)
node.add_data_client_factory(BINANCE, BinanceLiveDataClientFactory)
node.add_exec_client_factory(BINANCE, BinanceLiveExecClientFactory)
node.build()
node.trader.add_strategy(Taker(StrategyConfig(strategy_id="bench")))
node.run()
