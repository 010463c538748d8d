"""What the venue has booked of an account: its own list of trades and its own wallets, in exact numbers. Nothing of the engine's.

Quantities are the engine's: base coins, also where the venue counts contracts.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from truth import scaled

from nexus_fast.sim.account import SpotLedger


@dataclass
class Sums:
    """Of one symbol: what was bought less what was sold, the cash that it brought, and the fees of each currency."""

    position: Decimal = Decimal(0)
    cash: Decimal = Decimal(0)
    fees: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, signed: Decimal, price_times_amount: Decimal) -> None:
        self.position += signed
        self.cash -= price_times_amount

    def differences(self, other: "Sums", here: str, there: str) -> list[str]:
        found = []
        for name in ("position", "cash"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                found.append(f"{name} {here} {mine}, {there} {theirs}")
        for currency in sorted(self.fees.keys() | other.fees.keys()):
            mine, theirs = self.fees.get(currency, Decimal(0)), other.fees.get(currency, Decimal(0))
            if mine != theirs:
                found.append(f"fees in {currency} {here} {mine}, {there} {theirs}")
        return found


def instrument_of(truth, symbol):
    market, name = truth.markets[symbol]
    return market.instruments[name]


def trades_of(truth, symbol):
    """[(order, fill, signed amount, worth, fee, currency, is_maker)] of a symbol, oldest first."""
    instrument, found = instrument_of(truth, symbol), []
    for order, fill, fee, currency, is_maker, _ in (trade for store in truth.account.stores.values() for trade in store.trades):
        if order.instrument is instrument:
            signed = scaled(order.side * fill.quantity) * truth.size_of(order)
            found.append((order, fill, signed, scaled(order.side * fill.quote), scaled(fee), currency, is_maker))
    return found


def sums_of(truth, symbol) -> Sums:
    sums = Sums()
    for _, _, signed, worth, fee, currency, _ in trades_of(truth, symbol):
        sums.add(signed, worth)
        sums.fees[currency] += fee
    return sums


def contradictions(truth) -> list[str]:
    """Of the venue with itself: its list of trades against what its ledgers have booked. Who judges is judged first."""
    found, fees = [], defaultdict(Decimal)
    for symbol in truth.symbols:
        sums = sums_of(truth, symbol)
        market, _ = truth.markets[symbol]
        ledger = truth.account.ledgers[market.name]
        for currency, fee in sums.fees.items():
            fees[id(ledger), currency] += fee
            if not isinstance(ledger, SpotLedger) and symbol == truth.perp and sums.position != truth.position():
                found.append(f"the venue's trades of {symbol} sum up to {sums.position}, its position is {truth.position()}")
        for currency in sums.fees:
            booked = scaled(ledger.fees_paid.get(currency, 0))
            if fees[id(ledger), currency] > booked:
                found.append(f"the venue's trades have fees of {fees[id(ledger), currency]} {currency}, its ledger {booked}")
    return found


def executed_of(truth, oid) -> Decimal:
    """What the venue has executed of an order, by its trades: signed."""
    return sum((signed for symbol in truth.symbols for order, _, signed, *_ in trades_of(truth, symbol)
                if truth.id_of(order) == oid), Decimal(0))


def resting(truth):
    """[(market, order)] of the account's open orders."""
    orders = [order for store in truth.account.stores.values() for order in store.open.values()]
    return [(market, order) for market, name in truth.markets.values() for order in orders
            if order.instrument is market.instruments[name]]
