"""Hyperliquid's account types. The names exist so that programs import; validation says that it is not served."""

from nexus_fast.constants import ExchangeType
from nexus_fast.exchange.accounts import VenueAccountType


class HyperLiquidAccountType(VenueAccountType):
    MAINNET = "mainnet"
    TESTNET = "testnet"
    LINEAR_MOCK = "linear_mock"
    INVERSE_MOCK = "inverse_mock"
    SPOT_MOCK = "spot_mock"

    @property
    def exchange(self) -> ExchangeType:
        return ExchangeType.HYPERLIQUID

    @property
    def is_supported(self) -> bool:
        return False

    @property
    def is_testnet(self) -> bool:
        return self is HyperLiquidAccountType.TESTNET
