"""Bybit's account types: market data is split by category, all orders go through the unified account."""

from nexus_fast.constants import ExchangeType
from nexus_fast.exchange.accounts import VenueAccountType


class BybitAccountType(VenueAccountType):
    SPOT = "SPOT"
    LINEAR = "LINEAR"
    INVERSE = "INVERSE"
    OPTION = "OPTION"
    SPOT_TESTNET = "SPOT_TESTNET"
    LINEAR_TESTNET = "LINEAR_TESTNET"
    INVERSE_TESTNET = "INVERSE_TESTNET"
    OPTION_TESTNET = "OPTION_TESTNET"
    UNIFIED = "UNIFIED"
    UNIFIED_TESTNET = "UNIFIED_TESTNET"
    LINEAR_MOCK = "LINEAR_MOCK"
    INVERSE_MOCK = "INVERSE_MOCK"
    SPOT_MOCK = "SPOT_MOCK"

    @property
    def exchange(self) -> ExchangeType:
        return ExchangeType.BYBIT

    @property
    def family(self) -> str:
        """The category of its market data, or "unified"."""
        return self.name.removesuffix("_TESTNET").removesuffix("_MOCK").lower()

    @property
    def is_spot(self) -> bool:
        return self in (BybitAccountType.SPOT, BybitAccountType.SPOT_TESTNET)

    @property
    def is_linear(self) -> bool:
        return self in (BybitAccountType.LINEAR, BybitAccountType.LINEAR_TESTNET)

    @property
    def is_inverse(self) -> bool:
        return self in (BybitAccountType.INVERSE, BybitAccountType.INVERSE_TESTNET)

    @property
    def is_option(self) -> bool:
        return self in (BybitAccountType.OPTION, BybitAccountType.OPTION_TESTNET)

    @property
    def is_unified(self) -> bool:
        return self in (BybitAccountType.UNIFIED, BybitAccountType.UNIFIED_TESTNET)

    @property
    def may_be_public(self) -> bool:
        return not self.is_mock and not self.is_unified

    @property
    def may_be_private(self) -> bool:
        return self.is_unified
