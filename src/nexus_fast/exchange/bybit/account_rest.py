"""What the unified account is asked over REST: balances, positions and their mode, open orders, one order, its fills.

Sources: bybit-exchange.github.io/docs/v5, account/wallet-balance, position, order/open-order, order/order-list, order/execution.
Every question raises VenueError for a refusal, OSError and TimeoutError when no answer came.
"""

from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.error import PositionModeError, VenueError
from nexus_fast.exchange.bybit.fills import Fills, all_together, read_executions, updates_of
from nexus_fast.exchange.bybit.instruments import CATEGORIES
from nexus_fast.exchange.bybit.snapshot import PositionRow, position_update, read_balances, read_orders, read_positions
from nexus_fast.exchange.rows import Found, Named, require_whole
from nexus_fast.gateway.bybit_rest import BybitRest
from nexus_fast.order.events import BalanceUpdate, OrderUpdate, PositionUpdate

WALLET_PATH, POSITIONS_PATH = "/v5/account/wallet-balance", "/v5/position/list"
OPEN_PATH, HISTORY_PATH, EXECUTIONS_PATH = "/v5/order/realtime", "/v5/order/history", "/v5/execution/list"
CANCEL_PATH = "/v5/order/cancel"
BAD_PARAMETER, OPTION = 10001, "option"
SETTLE_COINS = ("USDC", "USDT")  # of all linear contracts
ORDERS_PAGE, EXECUTIONS_PAGE, POSITIONS_PAGE = 50, 100, 200
HEDGED = (
    "is in hedge mode for {symbol}, the engine works in one-way mode: switch the position mode in the venue's settings "
    "(close the positions first)."
)


class AccountRest:
    """instruments: those that are loaded; of others only positions are asked for. fills: hears whose the orders are."""

    def __init__(self, account_type: Any, rest: BybitRest, instruments: list, fills: Fills):
        self.rest = rest
        self._account_type = account_type
        self._traded = [i for i in instruments if i.exchange is ExchangeType.BYBIT]
        self._fills = fills

    async def balances(self) -> BalanceUpdate:
        wallet = await self.rest.result(WALLET_PATH, {"accountType": "UNIFIED"}, signed=True)
        found = read_balances(wallet)
        return BalanceUpdate(balances=found, complete=not found.odd)

    # ------------------------------------------------------------------------------------------ positions

    async def positions(self) -> Found:
        """All that are held; with `odd` some could not be read. Raises PositionModeError."""
        found = Found()
        for question in self._position_lists():
            rows = await self._positions({**question, "limit": POSITIONS_PAGE})
            found += [update for update in rows if update.signed_amount]
            found.odd += rows.odd
        return found

    async def require_one_way(self) -> None:
        """Asked for a symbol, the venue answers also where nothing is held. The mode is set for all contracts of a coin, or
        for one of them: of each coin one is asked for, the others are refused with their first order (10001).

        Raises PositionModeError."""
        asked: dict[str | None, str] = {}
        for instrument in self._traded:
            if instrument.type is InstrumentType.LINEAR and instrument.active:
                asked.setdefault(instrument.settle, instrument.venue_symbol)
        for symbol in asked.values():
            require_whole(await self._positions({"category": "linear", "symbol": symbol}), f"the position in {symbol}", "bybit")

    async def _positions(self, params: dict[str, Any]) -> Found:
        def convert(row: PositionRow) -> PositionUpdate:
            if row.position_idx:
                raise PositionModeError(f"{self._account_type} {HEDGED.format(symbol=row.symbol)}")
            return position_update(row, params["category"])

        found = Found()
        for page in await self._pages_of_positions(params):
            rows = read_positions(page, convert)
            found += rows
            found.odd += rows.odd
        return found

    async def _pages_of_positions(self, params: dict[str, Any]) -> list[Raw]:
        """Options are not traded here: an account that has none may refuse the question."""
        try:
            return await self.rest.pages(POSITIONS_PATH, params, signed=True)
        except VenueError as error:
            if error.code != BAD_PARAMETER or params["category"] != OPTION:
                raise
            return []

    # ------------------------------------------------------------------------------------------ orders

    async def open_orders(self) -> dict[str, OrderUpdate]:
        """By client id; those that were placed without one by the venue's. With `odd` some could not be read."""
        found = Named()
        for question in self._order_lists():
            params = {**question, "openOnly": 0, "limit": ORDERS_PAGE}
            for page in await self.rest.pages(OPEN_PATH, params, signed=True):
                orders = read_orders(page, question["category"])
                found.odd += orders.odd
                for update in orders:
                    self._fills.on_order(update)
                    found[update.client_id or update.venue_id] = update
        return found

    async def order(self, instrument: Any, client_id: str) -> OrderUpdate | None:
        """What the venue knows of an order; None when it knows none.

        order/realtime has what is open and the last 500 that are not; it forgets those when the service restarts.
        order/history has orders without a fill for one day, the others for two years; it may lag behind. That an order
        was filled is proven by execution/list in any case."""
        params = _named(instrument, client_id)
        for path in (OPEN_PATH, HISTORY_PATH):
            orders = read_orders(await self.rest.result(path, params, signed=True), params["category"])
            for update in orders:
                if update.client_id == client_id:
                    self._fills.on_order(update)
                    return update
            require_whole(orders, f"order {client_id}", "bybit")
            if orders:
                return orders[0]         # another order's: the engine judges
        # Neither list has it. A fill would prove that it lived: the last one brings what all together come to.
        executions = await self._executions(params)
        require_whole(executions, f"the fills of order {client_id}", "bybit")
        fills = updates_of(executions, params["category"])
        if not fills:
            return None
        for update in fills:
            if update.client_id != client_id:
                return update
        return all_together(fills)

    async def trades(self, instrument: Any, client_id: str) -> list[OrderUpdate]:
        """The fills of an order, oldest first, each with its fee."""
        params = _named(instrument, client_id)
        found = updates_of(await self._executions(params), params["category"], self._fills)
        return [replace(update, fee_currency=update.fee_currency or instrument.settle) for update in found]

    async def _executions(self, params: dict[str, Any]) -> Found:
        found = Found()
        for page in await self.rest.pages(EXECUTIONS_PATH, {**params, "limit": EXECUTIONS_PAGE}, signed=True):
            rows = read_executions(page)
            found += rows
            found.odd += rows.odd
        return found

    async def cancel(self, instrument: Any, client_id: str) -> None:
        await self.rest.request("POST", CANCEL_PATH, _named(instrument, client_id), signed=True)

    def _order_lists(self) -> list[dict[str, str]]:
        """What makes a list complete: linear has to be asked for each currency that its contracts are settled in."""
        coins = sorted({i.settle for i in self._traded if i.type is InstrumentType.LINEAR})
        kinds = [k for k in (InstrumentType.SPOT, InstrumentType.INVERSE) if any(i.type is k for i in self._traded)]
        return [_linear(coin) for coin in coins] + [{"category": CATEGORIES[kind]} for kind in kinds]

    def _position_lists(self) -> list[dict[str, str]]:
        """Also of what is not loaded: a position may be held in it."""
        coins = {i.settle for i in self._traded if i.type is InstrumentType.LINEAR} | set(SETTLE_COINS)
        others = [{"category": CATEGORIES[InstrumentType.INVERSE]}, {"category": OPTION}]
        return [_linear(coin) for coin in sorted(coins)] + others


def _linear(coin: str) -> dict[str, str]:
    return {"category": CATEGORIES[InstrumentType.LINEAR], "settleCoin": coin}


def _named(instrument: Any, client_id: str) -> dict[str, Any]:
    return {"category": CATEGORIES[instrument.type], "symbol": instrument.venue_symbol, "orderLinkId": client_id}
