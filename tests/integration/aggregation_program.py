"""A strategy that has bars made from trades and keeps both, on the simulated Binance. The file named by the first
argument gets {"trades": [[time, price, size, side], …], "seconds": […], "volume": […], "late_bars": n}."""

import json
import sys
import threading

from nexus_fast.config import BasicConfig, Config, PublicConnectorConfig
from nexus_fast.constants import ExchangeType, KlineInterval
from nexus_fast.engine import Engine
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.feed import aggregation
from nexus_fast.strategy import Strategy

PERP = "BTCUSDT-PERP.BINANCE"
THRESHOLD = 0.05
# What a loaded machine brings later than usual still belongs to its bar: the test compares bars with all trades.
aggregation.SETTLE_MS = 3000
BARS_WANTED = 4
FIELDS = ("start", "timestamp", "open", "high", "low", "close", "volume", "buy_volume")


class Keeping(Strategy):
    def __init__(self):
        super().__init__()
        self.trades, self.seconds, self.volume, self.late_bars = [], [], [], 0
        self.ended = False

    def on_start(self):
        self.subscribe_trade(PERP)
        self.subscribe_kline(PERP, KlineInterval.SECOND_1, use_aggregator=True)
        self.subscribe_volume_kline(PERP, THRESHOLD)

    def on_trade(self, trade):
        if not self.ended:
            self.trades.append([trade.timestamp, trade.price, trade.size, trade.side.value])

    def on_kline(self, kline):
        if self.ended:
            self.late_bars += 1
            return
        kept = self.volume if kline.interval is KlineInterval.VOLUME else self.seconds
        kept.append({name: getattr(kline, name) for name in FIELDS})
        if len(self.seconds) == BARS_WANTED:
            self.ended = True
            self.unsubscribe_kline(PERP, KlineInterval.SECOND_1, use_aggregator=True)
            self.unsubscribe_volume_kline(PERP, THRESHOLD)
            self.schedule(self.stop, "interval", seconds=1.5)


def main(file):
    strategy = Keeping()
    exchange = ExchangeType.BINANCE
    config = Config(
        strategy_id="bars",
        user_id=f"test{threading.get_native_id()}",
        strategy=strategy,
        basic_config={exchange: BasicConfig(api_key="sim", secret="sim", testnet=False)},
        public_conn_config={exchange: [PublicConnectorConfig(account_type=BinanceAccountType.USD_M_FUTURE)]},
        private_conn_config={},
    )
    engine = Engine(config)
    try:
        engine.start()
    finally:
        engine.dispose()
    with open(file, "w") as out:
        json.dump({name: getattr(strategy, name) for name in ("trades", "seconds", "volume", "late_bars")}, out)


if __name__ == "__main__":
    main(sys.argv[1])
