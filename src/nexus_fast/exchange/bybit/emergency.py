"""What stops everything on a Bybit account: cancel all that is open, and disconnect protection (DCP).

DCP is for institutional clients. Once it is set, and a private connection is subscribed to its topics, the venue cancels all
orders of a product when every such connection has been gone for so many seconds; there is no call that switches it off.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from nexus_fast.config import BasicConfig
from nexus_fast.endpoints import Endpoints
from nexus_fast.exchange.bybit.connectors import TABLE
from nexus_fast.exchange.bybit.snapshot import rows_of
from nexus_fast.exchange.rows import Rows

OPEN_PATH, CANCEL_PATH = "/v5/order/realtime", "/v5/order/cancel-all"
DCP_PATH = "/v5/order/disconnected-cancel-all"
DCP_TOPICS = ["dcp.future", "dcp.spot"]
PRODUCTS = ("DERIVATIVES", "SPOT")
LISTS = ({"category": "linear", "settleCoin": "USDT"}, {"category": "linear", "settleCoin": "USDC"}, {"category": "inverse"},
         {"category": "spot"})


class _Open(Struct):
    symbol: str


_open = Rows(_Open, "Bybit open orders", "orderId")


def has_switch(account_type: Any) -> bool:
    return True


async def check(rest: Any, account_type: Any) -> None:
    """Measure the venue's clock and try the key. Raises VenueError, OSError, TimeoutError."""
    await rest.synchronise()
    await rest.pages(OPEN_PATH, {**LISTS[0], "openOnly": 0, "limit": 50}, signed=True)


async def cancel_everything(rest: Any, account_type: Any, symbols: Iterable[str] = ()) -> int:
    """As nexus_fast.exchange.binance.emergency.cancel_everything."""
    count = 0
    for question in LISTS:
        pages = await rest.pages(OPEN_PATH, {**question, "openOnly": 0, "limit": 50}, signed=True)
        found = [_open.decode(rows_of(page)) for page in pages]
        for symbol in sorted({order.symbol for orders in found for order in orders}):
            await rest.request("POST", CANCEL_PATH, {"category": question["category"], "symbol": symbol}, signed=True)
        count += sum(len(orders) + orders.odd for orders in found)       # one that cannot be read is open, too
    return count


async def set_switch(rest: Any, account_type: Any, symbols: Iterable[str], seconds: int) -> None:
    """For all symbols; 3 to 300 seconds."""
    if seconds:
        for product in PRODUCTS:
            await rest.request("POST", DCP_PATH, {"product": product, "timeWindow": max(3, min(seconds, 300))}, signed=True)


def open_rest(account_type: Any, basic: BasicConfig, endpoints: Endpoints) -> Any:
    """A client with the account's key. Raises ValueError for keys that cannot be used."""
    from nexus_fast.gateway.bybit_rest import BybitRest
    from nexus_fast.gateway.credentials import Credentials

    return BybitRest(endpoints.url(TABLE, "rest", basic.testnet), Credentials(basic.api_key, basic.secret))
