"""Binance's account types."""

from nexus_fast.constants import ExchangeType
from nexus_fast.exchange.accounts import VenueAccountType


class BinanceAccountType(VenueAccountType):
    SPOT = "SPOT"
    MARGIN = "MARGIN"
    ISOLATED_MARGIN = "ISOLATED_MARGIN"
    USD_M_FUTURE = "USD_M_FUTURE"
    COIN_M_FUTURE = "COIN_M_FUTURE"
    PORTFOLIO_MARGIN = "PORTFOLIO_MARGIN"
    SPOT_TESTNET = "SPOT_TESTNET"
    USD_M_FUTURE_TESTNET = "USD_M_FUTURE_TESTNET"
    COIN_M_FUTURE_TESTNET = "COIN_M_FUTURE_TESTNET"
    LINEAR_MOCK = "LINEAR_MOCK"
    INVERSE_MOCK = "INVERSE_MOCK"
    SPOT_MOCK = "SPOT_MOCK"

    @property
    def exchange(self) -> ExchangeType:
        return ExchangeType.BINANCE

    @property
    def family(self) -> str:
        """The table of addresses and of order requests it belongs to: spot, margin, usd_m, coin_m, portfolio_margin."""
        if self.is_spot:
            return "spot"
        if self.is_linear:
            return "usd_m"
        if self.is_inverse:
            return "coin_m"
        return "portfolio_margin" if self.is_portfolio_margin else "margin"

    @property
    def is_spot(self) -> bool:
        return self in (BinanceAccountType.SPOT, BinanceAccountType.SPOT_TESTNET)

    @property
    def is_margin(self) -> bool:
        return self is BinanceAccountType.MARGIN

    @property
    def is_isolated_margin(self) -> bool:
        return self is BinanceAccountType.ISOLATED_MARGIN

    @property
    def is_isolated_margin_or_margin(self) -> bool:
        return self.is_margin or self.is_isolated_margin

    @property
    def is_spot_or_margin(self) -> bool:
        return self.is_spot or self.is_isolated_margin_or_margin

    @property
    def is_linear(self) -> bool:
        return self in (BinanceAccountType.USD_M_FUTURE, BinanceAccountType.USD_M_FUTURE_TESTNET)

    @property
    def is_inverse(self) -> bool:
        return self in (BinanceAccountType.COIN_M_FUTURE, BinanceAccountType.COIN_M_FUTURE_TESTNET)

    @property
    def is_future(self) -> bool:
        return self.is_linear or self.is_inverse

    @property
    def is_portfolio_margin(self) -> bool:
        return self is BinanceAccountType.PORTFOLIO_MARGIN

    @property
    def may_be_public(self) -> bool:
        return self.is_spot or self.is_future
