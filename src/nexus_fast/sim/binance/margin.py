"""Margin accounts: a spot wallet that may borrow, and only when an order asks for it.

`sideEffectType`: NO_SIDE_EFFECT (the default) borrows nothing; MARGIN_BUY borrows what is missing for the order; AUTO_REPAY
pays back from what the order brings; AUTO_BORROW_REPAY does both. Interest is not simulated: it accrues hourly on the venue.
"""

from nexus_fast.sim.account import Account, SpotLedger
from nexus_fast.sim.binance.instruments import SPOT
from nexus_fast.sim.fixed_point import parse
from nexus_fast.sim.instruments import Instrument
from nexus_fast.sim.orders import Fill, Order

SIDE_EFFECTS = ("NO_SIDE_EFFECT", "MARGIN_BUY", "AUTO_REPAY", "AUTO_BORROW_REPAY")
BORROWS, REPAYS = ("MARGIN_BUY", "AUTO_BORROW_REPAY"), ("AUTO_REPAY", "AUTO_BORROW_REPAY")
MARGIN, ISOLATED = "margin", "isolated"  # kinds of accounts

# What a margin account starts with, and the most that it may owe of an asset.
BALANCES = {"USDT": parse("500000"), "USDC": parse("500000"), "BTC": parse("20"), "ETH": parse("200"), "BNB": parse("200"),
            "SOL": parse("2000")}
BORROW_LIMITS = {asset: 2 * amount for asset, amount in BALANCES.items()}
ISOLATED_SHARE = 10  # a pair's own wallet begins with a tenth of these


class MarginLedger(SpotLedger):
    """Free, locked and borrowed amounts by asset; what is borrowed is in the free amount until it is spent."""

    def __init__(self, balances: dict[str, int], limits: dict[str, int]):
        super().__init__(balances)
        self.limits = limits
        self.borrowed = dict.fromkeys(balances, 0)

    def lock(self, order: Order, amount: int) -> bool:
        asset = self.held_asset(order)
        missing = amount - self.free.get(asset, 0)
        if missing > 0 and order.words.side_effect in BORROWS:
            if self.borrowed.get(asset, 0) + missing > self.limits.get(asset, 0):
                return False
            self.borrowed[asset] = self.borrowed.get(asset, 0) + missing
            self.free[asset] = self.free.get(asset, 0) + missing
        return super().lock(order, amount)

    def settle(self, order: Order, fill: Fill, fee_rate: int) -> tuple[int, str]:
        booked = super().settle(order, fill, fee_rate)
        if order.words.side_effect in REPAYS:
            self._repay(booked[1])
        return booked

    def _repay(self, asset: str) -> None:
        amount = min(self.borrowed.get(asset, 0), self.free.get(asset, 0))
        if amount:
            self.borrowed[asset] -= amount
            self.free[asset] -= amount


def open_margin(account: Account) -> Account:
    """The cross margin account of a key."""
    made = account.twin(MARGIN)
    made.open(SPOT, MarginLedger(BALANCES, BORROW_LIMITS))
    return made


def open_isolated(account: Account, instrument: Instrument) -> Account:
    """The isolated margin account of a key and a pair."""
    made = account.twin(f"{ISOLATED} {instrument.symbol}")
    balances = {asset: BALANCES[asset] // ISOLATED_SHARE for asset in (instrument.base, instrument.quote)}
    made.open(SPOT, MarginLedger(balances, {asset: 2 * amount for asset, amount in balances.items()}))
    return made
