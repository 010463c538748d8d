"""OKX's account types: one account, live or demo, which takes every instrument."""

from nexus_fast.constants import ExchangeType
from nexus_fast.exchange.accounts import VenueAccountType


class OkxAccountType(VenueAccountType):
    LIVE = "live"
    DEMO = "demo"
    LINEAR_MOCK = "linear_mock"
    INVERSE_MOCK = "inverse_mock"
    SPOT_MOCK = "spot_mock"

    @property
    def exchange(self) -> ExchangeType:
        return ExchangeType.OKX

    @property
    def family(self) -> str:
        return "okx"

    @property
    def is_testnet(self) -> bool:
        return self is OkxAccountType.DEMO
