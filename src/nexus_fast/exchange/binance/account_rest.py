"""What a Binance account asks and is told by REST: another path than the one whose silence is asked about.

Addresses and parameters by kind of account: families.py; what the answers mean: snapshot.py.
"""

import time
from collections.abc import Iterable
from typing import Any

import msgspec

from nexus_fast.answers import reading
from nexus_fast.constants import InstrumentType
from nexus_fast.error import PositionModeError, VenueError
from nexus_fast.exchange.account import Account
from nexus_fast.exchange.binance.families import MARKETS, Family, clock_market, families_of, family_of
from nexus_fast.exchange.binance.order_limits import OrderLimits
from nexus_fast.exchange.binance.snapshot import (
    Balances,
    read_balances,
    read_open_orders,
    read_order,
    read_positions,
    read_trades,
)
from nexus_fast.exchange.rows import Found, Named, odd_in
from nexus_fast.gateway.rest import BinanceRest
from nexus_fast.log import Logger
from nexus_fast.order.budgets import Windows
from nexus_fast.order.events import BalanceUpdate, OrderUpdate, PositionUpdate


class AccountRest(Account):
    def __init__(self, host: Any, account_type: Any, index: int, rest: BinanceRest):
        self.families = families_of(account_type)
        self.family = account_type.family
        super().__init__(host, account_type, index, rest, Logger(f"binance.{self.family}"))
        rest.on_clock_refused = self.synchronise_clock
        self._limits = OrderLimits(self.family, host.budgets)
        self._traded: dict[InstrumentType, set[str]] = {}     # venue symbols whose requests were made

    @property
    def instrument_type(self) -> InstrumentType:
        """The kind of instrument whose venue symbols the private events name, where they do not say it themselves."""
        return self._family.type

    @property
    def _family(self) -> Family:
        """The account's only row, or what its rows have in common."""
        return self.families[0]

    # ------------------------------------------------------------------------------------------ orders per time

    def order_windows(self, instrument: Any) -> Windows:
        return self._limits.windows()

    async def _read_order_limits(self) -> None:
        """How many orders the venue takes per time, and how many it has counted."""
        if self._limits.question is None:
            return
        asked_ns = self._venue_ns()
        try:
            with reading("how many orders the venue takes"):
                body = await self._rest.get(self._limits.question, signed=True)
                self._limits.read(body, asked_ns, self._venue_ns())
        except VenueError as error:
            self._log.warning(f"the venue did not say how many orders it takes ({error}); counting by its published limits")

    def _venue_ns(self) -> int:
        return time.time_ns() + self.channel.clock_offset_ms * 1_000_000

    # ------------------------------------------------------------------------------------------ clock and mode

    async def _read_clock(self) -> int:
        return await self._rest.synchronise(MARKETS[clock_market(self.account_type)].time)

    async def _require_one_way(self) -> None:
        for path in [family.position_mode for family in self.families if family.position_mode]:
            body = await self._rest.get(path, signed=True)
            if msgspec.json.decode(body).get("dualSidePosition"):
                raise PositionModeError(
                    f"{self.account_type} is in hedge mode, the engine works in one-way mode: switch the position mode in the "
                    "venue's settings (close the positions first)."
                )

    # ------------------------------------------------------------------------------------------ what the account has

    async def _snapshot(self) -> None:
        """Balances and positions as the venue has them now."""
        balances = await self._read_balances()
        self._host.on_balance(self, BalanceUpdate(balances=balances, complete=not odd_in(balances)))
        positions: list[PositionUpdate] = []
        complete = True
        for family in self.families:
            if family.positions:
                found = read_positions(await self._rest.get(family.positions, signed=True), family.type)
                positions += found
                complete = complete and not found.odd
        if any(family.positions for family in self.families):
            self._host.on_positions(self, positions, complete)

    async def _read_balances(self) -> Balances:
        return read_balances(self.family, await self._rest.get(self._family.account, signed=True))

    async def refresh(self) -> dict[str, Any]:
        """After a reconnect: balances, positions and the orders that are open at the venue, by client id."""
        await self._snapshot()
        found = Named()
        for family in self.families:
            orders = await self._open_orders(family)
            found.update({order.client_id: order for order in orders})
            found.odd += orders.odd
        return found

    # ------------------------------------------------------------------------------------------ orders

    def _note_traded(self, instrument: Any) -> None:
        """Orders of this instrument may be at the venue from now on."""
        self._traded.setdefault(instrument.type, set()).add(instrument.venue_symbol)

    def _symbols_to_list(self, family: Family) -> Iterable[str]:
        return self._traded.get(family.type, ())

    async def _open_orders(self, family: Family) -> Found:
        """Some are listed by symbol alone: then those that the engine trades."""
        asked: list[dict] = [{}]
        if family.lists_by_symbol:
            asked = [{"symbol": symbol} for symbol in sorted(self._symbols_to_list(family))]
        found = Found()
        for params in asked:
            body = await self._rest.get(family.open_orders, {**params, **family.constants}, signed=True)
            orders = read_open_orders(body, family.type)
            found += orders
            found.odd += orders.odd
        for order in found:
            order.instrument_type = family.type
        return found

    async def query(self, instrument: Any, client_id: str) -> OrderUpdate | None:
        """What the venue knows of an order; None when it says that it knows none. Over REST: another path than the one
        whose silence is asked about."""
        family = family_of(self.account_type, instrument.type)
        params = {"symbol": instrument.venue_symbol, "origClientOrderId": client_id, **family.constants}
        try:
            return read_order(await self._rest.get(family.order, params, signed=True), family.type)
        except VenueError as error:
            if error.code == -2013:
                return None
            raise

    async def trades(self, instrument: Any, client_id: str, venue_id: str) -> list[OrderUpdate]:
        """The fills of one order."""
        family = family_of(self.account_type, instrument.type)
        params = {"symbol": instrument.venue_symbol, "orderId": venue_id, **family.constants}
        found = read_trades(await self._rest.get(family.recent_trades, params, signed=True), client_id)
        return [trade for trade in found if trade.venue_id == venue_id]      # portfolio margin lists the symbol's

    async def cancel_foreign(self, instrument: Any, client_id: str) -> None:
        """Cancel an order that this engine did not place."""
        family = family_of(self.account_type, instrument.type)
        params = {"symbol": instrument.venue_symbol, "origClientOrderId": client_id, **family.constants}
        await self._rest.request("DELETE", family.order, params, signed=True)
