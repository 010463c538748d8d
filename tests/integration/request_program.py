"""A strategy that asks everything by REST from on_start, from on_bookl1 and from jobs, on the simulated Binance.

Run as a program of its own, so that a deadlock is a test that fails and not one that hangs: the answers go to the file
named by the first argument, as a list of [where, what, text].
"""

import asyncio
import json
import sys
import threading
from datetime import UTC, datetime
from decimal import Decimal

from nexus_fast.config import BasicConfig, Config, PrivateConnectorConfig, PublicConnectorConfig
from nexus_fast.constants import ExchangeType, KlineInterval, OrderSide, OrderType
from nexus_fast.engine import Engine
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.strategy import Strategy

SPOT, PERP = "BTCUSDT.BINANCE", "BTCUSDT-PERP.BINANCE"
ACCOUNTS = (BinanceAccountType.SPOT, BinanceAccountType.USD_M_FUTURE)
MINUTE = KlineInterval.MINUTE_1
FAR = datetime(2100, 1, 1, tzinfo=UTC)


class Asking(Strategy):
    def __init__(self):
        super().__init__()
        self.answers = []
        self.filled = {}
        self.resting = {}
        self.left = {"on_bookl1", "job", "coroutine"}

    def ask(self, where, what, question):
        assert threading.current_thread() is threading.main_thread()
        try:
            answer = question()
        except Exception as error:
            answer = f"{type(error).__name__}: {error}"
        self.answers.append([where, what, answer if isinstance(answer, str) else describe(answer)])

    def market_data(self, where):
        self.ask(where, "ticker", lambda: self.request_ticker(SPOT))
        self.ask(where, "all_tickers", lambda: self.request_all_tickers(BinanceAccountType.USD_M_FUTURE)[PERP])
        self.ask(where, "klines", lambda: self.request_klines([SPOT, PERP], MINUTE, limit=1))
        self.ask(where, "since", lambda: self.request_klines(SPOT, MINUTE, start_time=0, end_time=FAR))
        self.ask(where, "before", lambda: self.request_klines(SPOT, MINUTE, end_time=1))
        self.ask(where, "index", lambda: self.request_index_klines(PERP, MINUTE, limit=2))
        self.ask(where, "no index", lambda: self.request_index_klines(SPOT, MINUTE))

    def account(self, where):
        for symbol in (SPOT, PERP):
            oid = self.resting[symbol]
            self.ask(where, "order", lambda s=symbol, o=oid: self.fetch_order(s, o, force_refresh=True))
            self.ask(where, "no order", lambda s=symbol: str(self.fetch_order(s, "nobody")))
            self.ask(where, "open_orders", lambda s=symbol: self.fetch_open_orders(s))
            self.ask(where, "recent_trades", lambda s=symbol: self.fetch_recent_trades(s, limit=1))
        for account_type, path in zip(ACCOUNTS, ("/api/v3/account", "/fapi/v3/account"), strict=True):
            self.ask(where, "api", lambda a=account_type, p=path: sorted(self.api(a).get(p, signed=True)))
        leverage = {"symbol": "BTCUSDT", "leverage": 7}
        self.ask(where, "api", lambda: self.api(ACCOUNTS[1]).post("/fapi/v1/leverage", leverage)["leverage"])
        self.ask(where, "refusal", lambda: self.api(ACCOUNTS[0]).get("/api/v3/order", {"symbol": "X"}, signed=True))

    def on_start(self):
        self.market_data("on_start")
        self.subscribe_bookl1([SPOT, PERP])

    def on_bookl1(self, bookl1):
        if bookl1.symbol not in self.resting:
            price = self.price_to_precision(bookl1.symbol, bookl1.bid * 0.97)
            limit = {"symbol": bookl1.symbol, "side": OrderSide.BUY, "amount": Decimal("0.01")}
            self.create_order(**limit, type=OrderType.MARKET)
            self.resting[bookl1.symbol] = self.create_order(**limit, type=OrderType.LIMIT, price=price)
        elif len(self.filled) == 2 and "on_bookl1" in self.left:
            self.left.discard("on_bookl1")
            self.market_data("on_bookl1")
            self.account("on_bookl1")
            self.schedule(self.job, "date")
            self.schedule(self.coroutine, "date")

    def on_filled_order(self, order):
        self.filled[order.symbol] = order

    def job(self):
        self.market_data("job")
        self.account("job")
        self.done("job")

    async def coroutine(self):
        bars = await self.arequest("klines", symbols=[SPOT, PERP], interval=MINUTE, limit=1)
        orders = await asyncio.gather(*(self.arequest("order", symbol=s, oid=o) for s, o in self.resting.items()))
        self.answers.append(["coroutine", "klines", describe(bars)])
        self.answers += [["coroutine", "order", describe(order)] for order in orders]
        self.done("coroutine")

    def done(self, what):
        self.left.discard(what)
        if not self.left:
            self.stop()


def describe(answer):
    """What a test can compare: texts and numbers."""
    if isinstance(answer, (list, tuple)):
        return [describe(one) for one in answer]
    if hasattr(answer, "__struct_fields__"):
        named = {name: getattr(answer, name) for name in answer.__struct_fields__}
        return {name: str(getattr(value, "value", value)) for name, value in named.items() if value is not None}
    return str(answer)


def main(file):
    strategy = Asking()
    exchange = ExchangeType.BINANCE
    config = Config(
        strategy_id="requests",
        user_id=f"test{threading.get_native_id()}",
        strategy=strategy,
        basic_config={exchange: BasicConfig(api_key="sim", secret="sim", testnet=False)},
        public_conn_config={exchange: [PublicConnectorConfig(account_type=a) for a in ACCOUNTS]},
        private_conn_config={exchange: [PrivateConnectorConfig(account_type=a) for a in ACCOUNTS]},
    )
    engine = Engine(config)
    try:
        engine.start()
    finally:
        engine.dispose()
    with open(file, "w") as out:
        json.dump({"answers": strategy.answers, "resting": strategy.resting}, out)


if __name__ == "__main__":
    main(sys.argv[1])
