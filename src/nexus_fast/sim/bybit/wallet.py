"""The unified account: one wallet for all markets, and what the venue remembers beside the core's ledgers.

The wallet is per coin: what a contract settles in is its margin, and no coin stands in for another, unlike the venue's
collateral in dollars. What the markets have in common is the free part of the spot ledger, which is also the contracts' wallet.
"""

from collections import deque
from dataclasses import dataclass, field

from nexus_fast.sim.account import Account, FuturesLedger, SpotLedger
from nexus_fast.sim.bybit.errors import SPOT
from nexus_fast.sim.bybit.instruments import BALANCES, MAINTENANCE
from nexus_fast.sim.fixed_point import product
from nexus_fast.sim.market import Market

TRADES_KEPT = 50_000


@dataclass(slots=True)
class PositionRecord:
    """What the venue tells of a position beside its amount: since when, and profits after fees, now and ever."""

    created: int = 0
    updated: int = 0
    current_profit: int = 0
    ever_profit: int = 0

    def traded(self, time: int, commission: int, realized: int, flat: bool) -> None:
        self.created = self.created or time
        self.updated = time
        gain = realized - commission
        self.ever_profit += gain
        self.current_profit = 0 if flat else self.current_profit + gain


@dataclass(slots=True)
class Member:
    """One account of the venue. `trades`: (market name, trading.Trade), oldest first."""

    account: Account
    uid: int
    records: dict[tuple[str, str], PositionRecord] = field(default_factory=dict)
    trades: deque = field(default_factory=lambda: deque(maxlen=TRADES_KEPT))
    dcp_seconds: dict[str, int] = field(default_factory=dict)  # product -> time window

    def record(self, market: str, symbol: str) -> PositionRecord:
        found = self.records.get((market, symbol))
        if found is None:
            found = self.records[market, symbol] = PositionRecord()
        return found


def admit(account: Account, number: int, contracts: tuple[str, ...]) -> Member:
    """Open an account's ledgers: spot's own, and one over the same coins for each market of contracts."""
    spot = SpotLedger(BALANCES)
    account.open(SPOT, spot)
    for market in contracts:
        account.open(market, FuturesLedger(wallet=spot.free))
    return Member(account, 100_000_000 + number)


@dataclass(slots=True)
class Coin:
    """One coin of a wallet, in scaled integers."""

    wallet: int
    locked: int
    unrealized: int
    order_margin: int
    position_margin: int
    maintenance: int
    profit: int

    @property
    def equity(self) -> int:
        return self.wallet + self.unrealized


def coin_of(account: Account, member: Member, coin: str, contracts: tuple[Market, ...]) -> Coin:
    """What the account has of a coin, over all markets."""
    spot = account.ledgers[SPOT]
    locked = spot.locked.get(coin, 0)
    out = Coin(spot.free.get(coin, 0) + locked, locked, 0, 0, 0, 0, 0)
    for market in contracts:
        ledger = account.ledgers[market.name]
        for symbol in market.settled_in(coin):
            position, mark = ledger.positions.get(symbol), market.mark_price(symbol)
            if position is not None and position.amount:
                out.unrealized += position.unrealized(mark)
                out.position_margin += ledger.position_margin(position.instrument, mark)
                out.maintenance += product(position.instrument.value(mark, abs(position.amount)), MAINTENANCE)
            if symbol in ledger.risk:
                out.order_margin += ledger.order_margin(symbol)
            record = member.records.get((market.name, symbol))
            out.profit += record.ever_profit if record else 0
    return out
