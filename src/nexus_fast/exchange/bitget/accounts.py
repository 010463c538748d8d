"""Bitget's account types. The names exist so that programs import; validation says that the venue is not served."""

from nexus_fast.constants import ExchangeType
from nexus_fast.exchange.accounts import VenueAccountType


class BitgetAccountType(VenueAccountType):
    UTA = "UTA"
    SPOT = "SPOT"
    FUTURE = "FUTURE"
    UTA_DEMO = "UTA_DEMO"
    SPOT_DEMO = "SPOT_DEMO"
    FUTURE_DEMO = "FUTURE_DEMO"
    SPOT_MOCK = "SPOT_MOCK"
    LINEAR_MOCK = "LINEAR_MOCK"
    INVERSE_MOCK = "INVERSE_MOCK"

    @property
    def exchange(self) -> ExchangeType:
        return ExchangeType.BITGET

    @property
    def is_supported(self) -> bool:
        return False
