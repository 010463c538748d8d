"""Two venues in one strategy: quote on Bybit, hedge every fill on Binance.

    nexus-fast run --sim strategies/cross_exchange.py    on the simulated venues, without keys
    nexus-fast demo --multi                                                      the same, with its figures

A bid and an ask rest on Bybit's perpetual, EDGE away from where Binance's could be hit at once. When one is filled, the same
amount is traded on Binance in the other direction: what is earned is the edge, what is left is no position. Both sides' positions
are counted from fills, so that a hedge is sent once for each, however the answers come.

Its limits: the engine's gate refuses an order that is too large or too far from the book (RiskConfig); the strategy quotes no
side whose position on Bybit has reached POSITION_LIMIT, and none while what is not hedged exceeds UNHEDGED_LIMIT or a venue's
connection is lost.
"""

from decimal import Decimal

from nexus_fast.config import BasicConfig, Config, PrivateConnectorConfig, PublicConnectorConfig, RiskConfig
from nexus_fast.constants import ExchangeType, OrderSide, OrderType, settings
from nexus_fast.engine import Engine
from nexus_fast.exchange import BinanceAccountType, BybitAccountType
from nexus_fast.schema import BookL1, Fill, Order
from nexus_fast.strategy import Strategy

QUOTE, HEDGE = "BTCUSDT-PERP.BYBIT", "BTCUSDT-PERP.BINANCE"
AMOUNT = Decimal("0.004")               # of each quote, base units
EDGE = 0.0002                           # of the price, from the hedge's price to the quote
MOVE = 0.00005                          # of the price: how far a quote may be from its place before it moves
POSITION_LIMIT = Decimal("0.02")        # on Bybit, either way
UNHEDGED_LIMIT = Decimal("0.01")        # fills whose hedge is not filled yet
BUY, SELL = OrderSide.BUY, OrderSide.SELL


class CrossExchange(Strategy):
    def __init__(self):
        super().__init__()
        self.quotes: dict[OrderSide, str] = {}              # side -> oid of the resting quote
        self.prices: dict[OrderSide, float] = {}
        self.positions = {QUOTE: Decimal(0), HEDGE: Decimal(0)}
        self.hedges: dict[str, Decimal] = {}                # oid -> signed: sent to Binance and not filled yet
        self.down: set[ExchangeType] = set()

    def on_start(self):
        self.hedge_step = Decimal(str(self.market(HEDGE).precision.amount))
        for symbol in self.positions:
            position = self.cache.get_position(symbol)
            if position is not None:
                self.positions[symbol] = position.signed_amount
        self.subscribe_bookl1([QUOTE, HEDGE])

    # ---- quotes

    def on_bookl1(self, book: BookL1):
        self.hedge()                                        # what a refused hedge has left
        hedge, quote = self.cache.bookl1(HEDGE), self.cache.bookl1(QUOTE)
        if hedge is None or quote is None:
            return
        self.place(BUY, min(hedge.bid * (1 - EDGE), quote.bid))
        self.place(SELL, max(hedge.ask * (1 + EDGE), quote.ask))

    def place(self, side: OrderSide, price: float):
        """Keep one quote of the side near the price; none where a limit is reached."""
        if not self.may_quote(side):
            self.withdraw(side)
            return
        if side in self.quotes and abs(price - self.prices[side]) <= MOVE * price:
            return
        self.withdraw(side)
        exact = self.price_to_precision(QUOTE, Decimal(str(price)), "floor" if side is BUY else "ceil")
        self.prices[side] = price
        self.quotes[side] = self.create_order(QUOTE, side, OrderType.POST_ONLY, AMOUNT, exact)

    def may_quote(self, side: OrderSide) -> bool:
        signed = self.positions[QUOTE] if side is BUY else -self.positions[QUOTE]
        return not self.down and signed < POSITION_LIMIT and abs(self.unhedged()) < UNHEDGED_LIMIT

    def withdraw(self, side: OrderSide):
        oid = self.quotes.pop(side, None)
        if oid is not None:
            self.cancel_order(QUOTE, oid)

    # ---- hedges

    def unhedged(self) -> Decimal:
        """What Bybit has filled and Binance does not hold against it yet, signed."""
        return self.positions[QUOTE] + self.positions[HEDGE]

    def hedge(self):
        amount = self.unhedged() + sum(self.hedges.values())
        if abs(amount) >= self.hedge_step and ExchangeType.BINANCE not in self.down:
            side = SELL if amount > 0 else BUY
            self.hedges[self.create_order(HEDGE, side, OrderType.MARKET, abs(amount))] = -amount

    def on_fill(self, fill: Fill):
        """Every fill comes here once. A recovered one is in the positions of on_start already."""
        if fill.recovered:
            return
        self.positions[fill.symbol] += fill.signed_amount
        if fill.oid in self.hedges:
            self.hedges[fill.oid] -= fill.signed_amount
        self.hedge()

    def on_filled_order(self, order: Order):
        self.forget(order)

    # ---- what is over

    def forget(self, order: Order):
        """Its fills were told before its end. What a hedge leaves unfilled the next book sends again."""
        self.hedges.pop(order.oid, None)
        if self.quotes.get(order.side) == order.oid:
            del self.quotes[order.side]

    def on_canceled_order(self, order: Order):
        self.forget(order)

    def on_expired_order(self, order: Order):
        self.forget(order)

    def on_failed_order(self, order: Order):
        self.log.warning(f"{order.symbol} {order.side.value} {order.amount} at {order.price}: {order.reason}")
        self.forget(order)

    def on_private_ws_status(self, event: dict):
        if event["event"] == "disconnected":
            self.down.add(event["exchange"])
        elif event["event"] in ("connected", "resynced"):
            self.down.discard(event["exchange"])
            self.hedge()


def keys(exchange) -> BasicConfig:
    return BasicConfig(api_key=exchange.LIVE.ACCOUNT1.API_KEY, secret=exchange.LIVE.ACCOUNT1.SECRET)


config = Config(
    strategy_id="cross_exchange",
    user_id="user_test",
    strategy=CrossExchange(),
    basic_config={ExchangeType.BINANCE: keys(settings.BINANCE), ExchangeType.BYBIT: keys(settings.BYBIT)},
    public_conn_config={
        ExchangeType.BINANCE: [PublicConnectorConfig(account_type=BinanceAccountType.USD_M_FUTURE)],
        ExchangeType.BYBIT: [PublicConnectorConfig(account_type=BybitAccountType.LINEAR)],
    },
    private_conn_config={
        ExchangeType.BINANCE: [PrivateConnectorConfig(account_type=BinanceAccountType.USD_M_FUTURE)],
        ExchangeType.BYBIT: [PrivateConnectorConfig(account_type=BybitAccountType.UNIFIED)],
    },
    risk=RiskConfig(max_quantity=Decimal("0.03"), max_notional=Decimal("5000"), max_price_distance=Decimal("0.02")),
)

engine = Engine(config)

if __name__ == "__main__":
    try:
        engine.start()
    finally:
        engine.dispose()
