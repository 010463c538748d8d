"""Two accounts of one exchange in one strategy: on the first quote, a market buy and a market sell on spot and on USD-M.

    nexus-fast run --sim strategies/multi_conn.py        on the simulated venue, without keys
    nexus-fast run strategies/multi_conn.py              with keys in .keys/.secrets.toml or NEXUS_BINANCE__LIVE__ACCOUNT1__…
"""

from decimal import Decimal

from nexus_fast.config import BasicConfig, Config, PrivateConnectorConfig, PublicConnectorConfig
from nexus_fast.constants import ExchangeType, OrderSide, OrderType, settings
from nexus_fast.engine import Engine
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.schema import BookL1, Order
from nexus_fast.strategy import Strategy

SPOT, PERP = "USDCUSDT.BINANCE", "USDCUSDT-PERP.BINANCE"
API_KEY = settings.BINANCE.LIVE.ACCOUNT1.API_KEY
SECRET = settings.BINANCE.LIVE.ACCOUNT1.SECRET


class MultiConnDemo(Strategy):
    def __init__(self):
        super().__init__()
        self.signal = True

    def on_start(self):
        self.subscribe_bookl1(symbols=[PERP, SPOT])

    def on_filled_order(self, order: Order):
        self.log.info(str(order))

    def on_bookl1(self, bookl1: BookL1):
        if not self.signal:
            return
        self.signal = False
        for symbol, reduce_only in ((SPOT, False), (PERP, True)):
            self.create_order(symbol=symbol, side=OrderSide.BUY, type=OrderType.MARKET, amount=Decimal("6"))
            self.create_order(
                symbol=symbol, side=OrderSide.SELL, type=OrderType.MARKET, amount=Decimal("6"), reduce_only=reduce_only
            )


config = Config(
    strategy_id="multi_conn_binance",
    user_id="user_test",
    strategy=MultiConnDemo(),
    basic_config={ExchangeType.BINANCE: BasicConfig(api_key=API_KEY, secret=SECRET, testnet=False)},
    public_conn_config={
        ExchangeType.BINANCE: [
            PublicConnectorConfig(account_type=BinanceAccountType.USD_M_FUTURE),
            PublicConnectorConfig(account_type=BinanceAccountType.SPOT),
        ]
    },
    private_conn_config={
        ExchangeType.BINANCE: [
            PrivateConnectorConfig(account_type=BinanceAccountType.USD_M_FUTURE),
            PrivateConnectorConfig(account_type=BinanceAccountType.SPOT),
        ]
    },
)

engine = Engine(config)

if __name__ == "__main__":
    try:
        engine.start()
    finally:
        engine.dispose()
