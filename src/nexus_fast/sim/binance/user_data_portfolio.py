"""Portfolio margin's user data: one listen key for all parts; futures events say with `fs` whose they are, spot's come bare."""

from nexus_fast.sim.account import Account
from nexus_fast.sim.binance.instruments import COIN_M, USD_M
from nexus_fast.sim.binance.user_data import (
    LISTEN_KEY_SECONDS,
    CoinMUserData,
    FuturesUserData,
    ListenKeys,
    account_position,
    execution_report,
)
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.futures_market import FuturesMarket
from nexus_fast.sim.market import Execution


class _UsdMPart(FuturesUserData):
    sends_trade_lite = False

    def extra(self) -> dict:
        return {"fs": "UM"}


class _CoinMPart(CoinMUserData):
    def extra(self) -> dict:
        return {"fs": "CM", **super().extra()}


class PortfolioUserData(ListenKeys):
    def __init__(self, clock: Clock, usd_m: FuturesMarket, coin_m: FuturesMarket, lifetime_seconds: float = LISTEN_KEY_SECONDS):
        super().__init__(clock, lifetime_seconds)
        self.parts = {USD_M: _UsdMPart(clock, usd_m), COIN_M: _CoinMPart(clock, coin_m)}
        for part in self.parts.values():
            part.by_key, part.by_account = self.by_key, self.by_account

    def on_execution(self, account: Account, execution: Execution) -> None:
        part = self.parts.get(execution.order.instrument.market)
        if part is not None:
            part.on_execution(account, execution)
        elif live := self.listening(account):
            self.push(live, "executionReport", execution_report(execution, self.clock.milliseconds()))

    def on_account(self, account: Account, assets: list[str], symbols: list[str], reason: str) -> None:
        """Only futures events name symbols."""
        for part in self.parts.values():
            if symbols and symbols[0] in part.market.instruments:
                part.on_account(account, assets, symbols, reason)
                return
        if live := self.listening(account):
            self.push(live, "outboundAccountPosition", account_position(account, assets, self.clock.milliseconds()))

    def on_leverage(self, account: Account, symbol: str, leverage: int) -> None:
        for part in self.parts.values():
            if symbol in part.market.instruments:
                part.on_leverage(account, symbol, leverage)
