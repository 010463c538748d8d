"""What stops everything on an OKX account: cancel all that is open, and cancel-all-after, the venue's timer for the account."""

from collections.abc import Iterable
from typing import Any

from nexus_fast.config import BasicConfig
from nexus_fast.endpoints import Endpoints
from nexus_fast.exchange.okx import snapshot
from nexus_fast.exchange.okx.connectors import TABLE

CANCEL_BATCH_PATH, TIMER_PATH = "/api/v5/trade/cancel-batch-orders", "/api/v5/trade/cancel-all-after"
BATCH = 20


def has_switch(account_type: Any) -> bool:
    return True


async def check(rest: Any, account_type: Any) -> None:
    """Measure the venue's clock and try the key. Raises VenueError, OSError, TimeoutError."""
    await rest.synchronise()
    await snapshot.pending_orders(rest)


async def cancel_everything(rest: Any, account_type: Any, symbols: Iterable[str] = ()) -> int:
    """As nexus_fast.exchange.binance.emergency.cancel_everything."""
    orders = await snapshot.pending_orders(rest)
    named = [{"instId": order.inst_id, "ordId": order.ord_id} for order in orders]
    for start in range(0, len(named), BATCH):
        await rest.request("POST", CANCEL_BATCH_PATH, named[start : start + BATCH], signed=True)
    return len(orders) + orders.odd


async def set_switch(rest: Any, account_type: Any, symbols: Iterable[str], seconds: int) -> None:
    """For all symbols; 10 to 120 seconds, 0 switches it off."""
    timeout = max(10, min(seconds, 120)) if seconds else 0
    await rest.request("POST", TIMER_PATH, {"timeOut": str(timeout)}, signed=True)


def open_rest(account_type: Any, basic: BasicConfig, endpoints: Endpoints) -> Any:
    """A client with the account's key. Raises ValueError for keys that cannot be used."""
    from nexus_fast.gateway.okx_rest import OkxKey, OkxRest

    key = OkxKey(basic.api_key, basic.secret, basic.passphrase)
    return OkxRest(endpoints.url(TABLE, "rest", basic.testnet), key, demo=basic.testnet)
