"""A quoting strategy: one bid and one ask around the middle of two books, moved when the market has moved.

It quotes a passive bid and ask on the perpetual and crosses the spread on spot every now and then, so that orders rest, are
canceled and are filled. Limits are set: a trader would start from here.
"""

from decimal import Decimal

from nexus_fast.config import BasicConfig, Config, PrivateConnectorConfig, PublicConnectorConfig, RiskConfig
from nexus_fast.constants import ExchangeType, OrderSide, OrderType, settings
from nexus_fast.engine import Engine
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.schema import BookL1, Order
from nexus_fast.strategy import Strategy

PERP, SPOT = "BTCUSDT-PERP.BINANCE", "BTCUSDT.BINANCE"
AMOUNT = Decimal("0.002")
DISTANCE = Decimal("0.0002")        # of the price, from the middle to each quote
MOVE = 0.00002                      # of the price: how far the middle moves before the quotes follow
TAKE_EVERY = 50                     # quotes of the spot book between two market orders


class Quoter(Strategy):
    def __init__(self):
        super().__init__()
        self.middle = 0.0
        self.spot_quotes = 0
        self.quotes: dict[OrderSide, str] = {}

    def on_start(self):
        self.subscribe_bookl1([PERP, SPOT])

    def on_bookl1(self, book: BookL1):
        if book.symbol == PERP:
            if abs(book.mid - self.middle) > MOVE * book.mid:
                self.requote(book)
        else:
            self.spot_quotes += 1
            if self.spot_quotes % TAKE_EVERY == 0:
                side = OrderSide.BUY if self.spot_quotes // TAKE_EVERY % 2 else OrderSide.SELL
                self.create_order(SPOT, side, OrderType.MARKET, AMOUNT)

    def requote(self, book: BookL1):
        """New quotes first, old ones away after: the new are what the tick is about."""
        self.middle = book.mid
        old = dict(self.quotes)
        middle = Decimal(str(book.mid))
        for side, sign, mode in ((OrderSide.BUY, -1, "floor"), (OrderSide.SELL, 1, "ceil")):
            price = self.price_to_precision(PERP, middle * (1 + sign * DISTANCE), mode)
            self.quotes[side] = self.create_order(PERP, side, OrderType.POST_ONLY, AMOUNT, price)
        for oid in old.values():
            self.cancel_order(PERP, oid)

    def on_failed_order(self, order: Order):
        self.log.warning(f"{order.symbol} {order.side} {order.price}: {order.reason}")


config = Config(
    strategy_id="quoter_binance",
    user_id="user_test",
    strategy=Quoter(),
    basic_config={
        ExchangeType.BINANCE: BasicConfig(
            api_key=settings.BINANCE.LIVE.ACCOUNT1.API_KEY, secret=settings.BINANCE.LIVE.ACCOUNT1.SECRET
        )
    },
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
    risk=RiskConfig(max_quantity=Decimal("0.01"), max_notional=Decimal("2000"), max_price_distance=Decimal("0.02")),
)

engine = Engine(config)

if __name__ == "__main__":
    try:
        engine.start()
    finally:
        engine.dispose()
