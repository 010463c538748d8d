"""OKX's REST answers about an account: its configuration, balances, positions, orders.

Source: www.okx.com/docs-v5, trading-account-rest-api and order-book-trading-trade-get-*.
"""

import msgspec
from msgspec import Struct

from nexus_fast.error import PositionModeError
from nexus_fast.exchange.okx.answers import FILL_ROWS, FillAnswer
from nexus_fast.exchange.okx.instruments import OkxInstrument
from nexus_fast.exchange.okx.user_data import (
    Find,
    Order,
    accounts,
    common,
    decimal,
    number,
    orders,
    read_balances,
    read_positions,
    state_event,
    unlisted,
)
from nexus_fast.exchange.rows import Found, first, require_whole
from nexus_fast.gateway.okx_rest import OkxRest
from nexus_fast.order.events import BalanceUpdate, OrderUpdate

CONFIG_PATH = "/api/v5/account/config"
BALANCE_PATH = "/api/v5/account/balance"
POSITIONS_PATH = "/api/v5/account/positions"
PENDING_PATH = "/api/v5/trade/orders-pending"
ORDER_PATH = "/api/v5/trade/order"
HISTORY_PATH = "/api/v5/trade/orders-history"
FILLS_PATH = "/api/v5/trade/fills"
CANCEL_PATH = "/api/v5/trade/cancel-order"
PAGE = 100
# Account modes (acctLv): spot, futures, multi-currency margin, portfolio margin. The last two trade spot against all of
# the account's money.
CROSS_SPOT = ("3", "4")


class Config(Struct, rename="camel"):
    acct_lv: str
    pos_mode: str

    def trade_mode(self, spot: bool) -> str:
        """tdMode of an order."""
        return "cash" if spot and self.acct_lv not in CROSS_SPOT else "cross"


_configs = msgspec.json.Decoder(list[Config])


async def read_config(rest: OkxRest, account_type: object) -> Config:
    """Raises PositionModeError for an account in hedge mode."""
    config = _configs.decode(await rest.data(CONFIG_PATH, signed=True))[0]
    if config.pos_mode != "net_mode":
        raise PositionModeError(
            f"{account_type} is in position mode {config.pos_mode!r} (hedge mode), the engine works in one-way mode: switch "
            "it to net mode in the venue's settings (close the positions first)."
        )
    return config


async def balances(rest: OkxRest) -> BalanceUpdate:
    return read_balances(accounts.decode(await rest.data(BALANCE_PATH, signed=True)), complete=True)


async def position_rows(rest: OkxRest) -> Found:
    return read_positions(await rest.data(POSITIONS_PATH, signed=True))


async def pending_orders(rest: OkxRest) -> Found:
    """Everything that is open, whatever its instrument: page after page, newest first. `odd` are open as well."""
    found = Found()
    after = None
    while True:
        page = orders.decode(await rest.data(PENDING_PATH, {"limit": PAGE, "after": after}, signed=True))
        known = {order.ord_id for order in found}
        new = [order for order in page if order.ord_id not in known]
        found += new
        found.odd += page.odd
        if len(page) + page.odd < PAGE or not new:
            return found
        after = new[-1].ord_id


async def find_order(rest: OkxRest, instrument: OkxInstrument, client_id: str) -> Order:
    """Raises VenueError 51603 when the venue knows none."""
    params = {"instId": instrument.venue_symbol, "clOrdId": client_id}
    return first(orders.decode(await rest.data(ORDER_PATH, params, signed=True)), ORDER_PATH, f"order {client_id}", "okx")


async def find_in_history(rest: OkxRest, instrument: OkxInstrument, client_id: str) -> Order | None:
    """Among the instrument's last orders that are over (of seven days; canceled ones without a fill of two hours)."""
    params = {"instType": instrument.kind, "instId": instrument.venue_symbol, "limit": PAGE}
    page = orders.decode(await rest.data(HISTORY_PATH, params, signed=True))
    order = next((order for order in page if order.cl_ord_id == client_id), None)
    if order is None:
        require_whole(page, f"order {client_id}", "okx")
    return order


async def fills(rest: OkxRest, instrument: OkxInstrument, client_id: str, venue_id: str) -> list[OrderUpdate]:
    """Of one order, oldest first, of the last three days: one of more than PAGE fills has only its last ones here."""
    params = {"instType": instrument.kind, "instId": instrument.venue_symbol, "ordId": venue_id, "limit": PAGE}

    def convert(row: FillAnswer) -> OrderUpdate | None:
        return None if row.ord_id != venue_id else OrderUpdate(
            event="FILL",
            client_id=client_id,
            venue_id=venue_id,
            venue_symbol=row.inst_id,
            last_price=number(row.fill_px),
            last_quantity=number(row.fill_sz) * instrument.contract_value,
            trade_id=int(row.trade_id),
            fee=-decimal(row.fee) if row.fee else None,
            fee_currency=row.fee_ccy or None,
            is_maker=row.exec_type == "M" if row.exec_type else None,
            time_ms=int(row.ts),
        )

    return list(reversed(FILL_ROWS.decode(await rest.data(FILLS_PATH, params, signed=True), convert)))


def order_update(order: Order, find: Find) -> OrderUpdate:
    """The order as the venue has it. Raises msgspec.ValidationError for a state nobody knows."""
    instrument = find(order.inst_id)
    return unlisted(order) if instrument is None else OrderUpdate(event=state_event(order), **common(order, instrument))
