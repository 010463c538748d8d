"""Compiles taker_fast.pyx, if it has to, and runs it.

    nexus-fast run --sim strategies/taker_fast.py        on the simulated venue, without keys
"""

from decimal import Decimal
from pathlib import Path

from nexus_fast.build import compile_strategy
from nexus_fast.config import BasicConfig, Config, PrivateConnectorConfig, PublicConnectorConfig, RiskConfig
from nexus_fast.constants import ExchangeType, settings
from nexus_fast.engine import Engine
from nexus_fast.exchange import BinanceAccountType

TakerFast = compile_strategy(Path(__file__).with_suffix(".pyx")).TakerFast

config = Config(
    strategy_id="taker_fast_binance",
    user_id="user_test",
    strategy=TakerFast("BTCUSDT-PERP.BINANCE", Decimal("0.002")),
    basic_config={
        ExchangeType.BINANCE: BasicConfig(
            api_key=settings.BINANCE.LIVE.ACCOUNT1.API_KEY, secret=settings.BINANCE.LIVE.ACCOUNT1.SECRET
        )
    },
    public_conn_config={ExchangeType.BINANCE: [PublicConnectorConfig(account_type=BinanceAccountType.USD_M_FUTURE)]},
    private_conn_config={ExchangeType.BINANCE: [PrivateConnectorConfig(account_type=BinanceAccountType.USD_M_FUTURE)]},
    risk=RiskConfig(max_quantity=Decimal("0.01"), max_notional=Decimal("2000"), max_price_distance=Decimal("0.02")),
)

engine = Engine(config)

if __name__ == "__main__":
    try:
        engine.start()
    finally:
        engine.dispose()
