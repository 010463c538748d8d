"""What stops everything on a Binance account: cancel all that is open, and the venue's own timer that does so when we fall
silent.

USD-M and COIN-M have the timer, countdownCancelAll, per symbol; spot has none (protocols: futures, "Auto-Cancel All Open
Orders"). All over REST, so that a process of its own can do it (nexus-fast guard).
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from nexus_fast.config import BasicConfig
from nexus_fast.endpoints import Endpoints

OPEN_PATHS = {"spot": "/api/v3/openOrders", "usd_m": "/fapi/v1/openOrders", "coin_m": "/dapi/v1/openOrders"}
CANCEL_PATHS = {"spot": "/api/v3/openOrders", "usd_m": "/fapi/v1/allOpenOrders", "coin_m": "/dapi/v1/allOpenOrders"}
TIME_PATHS = {"spot": "/api/v3/time", "usd_m": "/fapi/v1/time", "coin_m": "/dapi/v1/time"}
COUNTDOWN_PATHS = {"usd_m": "/fapi/v1/countdownCancelAll", "coin_m": "/dapi/v1/countdownCancelAll"}


class _Open(Struct):
    symbol: str


_open = msgspec.json.Decoder(list[_Open])


def has_switch(account_type: Any) -> bool:
    return account_type.family in COUNTDOWN_PATHS


async def check(rest: Any, account_type: Any) -> None:
    """Measure the venue's clock and try the key. Raises VenueError, OSError, TimeoutError."""
    await rest.synchronise(TIME_PATHS[account_type.family])
    await rest.get(OPEN_PATHS[account_type.family], signed=True)


async def cancel_everything(rest: Any, account_type: Any) -> int:
    """Cancel every open order of the account, whoever placed it; how many the venue listed before: 0 is the proof that none
    is left. Raises VenueError, OSError, TimeoutError."""
    family = account_type.family
    orders = _open.decode(await rest.get(OPEN_PATHS[family], signed=True))
    for symbol in sorted({order.symbol for order in orders}):
        await rest.request("DELETE", CANCEL_PATHS[family], {"symbol": symbol}, signed=True)
    return len(orders)


async def set_switch(rest: Any, account_type: Any, symbols: Iterable[str], seconds: int) -> None:
    """Without another call within so many seconds, the venue cancels all orders of these symbols; 0 switches it off."""
    path = COUNTDOWN_PATHS[account_type.family]
    for symbol in symbols:
        await rest.request("POST", path, {"symbol": symbol, "countdownTime": seconds * 1000}, signed=True)


def open_rest(account_type: Any, basic: BasicConfig, endpoints: Endpoints) -> Any:
    """A client with the account's key. Raises ValueError for keys that cannot be used."""
    from nexus_fast.gateway.credentials import Credentials
    from nexus_fast.gateway.rest import BinanceRest

    address = endpoints.url(f"binance.{account_type.family}", "rest", basic.testnet)
    return BinanceRest(address, Credentials(basic.api_key, basic.secret))
