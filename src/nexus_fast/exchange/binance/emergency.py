"""What stops everything on a Binance account: cancel all that is open, and the venue's own timer that does so when we fall
silent.

USD-M and COIN-M have the timer, countdownCancelAll, per symbol; spot has none (protocols: futures, "Auto-Cancel All Open
Orders"). All over REST, so that a process of its own can do it (nexus-fast guard).
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from nexus_fast.answers import require_json
from nexus_fast.config import BasicConfig
from nexus_fast.endpoints import Endpoints
from nexus_fast.error import VenueError
from nexus_fast.exchange.binance.families import MARKETS, Family, clock_market, families_of
from nexus_fast.exchange.binance.snapshot import read_isolated, read_portfolio
from nexus_fast.exchange.rows import Found, Rows

# Where one request cancels all orders of a symbol; elsewhere each is canceled by its own.
UNKNOWN_SYMBOL = -1121
CANCEL_PATHS = {"spot": "/api/v3/openOrders", "usd_m": "/fapi/v1/allOpenOrders", "coin_m": "/dapi/v1/allOpenOrders"}
COUNTDOWN_PATHS = {"usd_m": "/fapi/v1/countdownCancelAll", "coin_m": "/dapi/v1/countdownCancelAll"}


class _Open(Struct, rename="camel"):
    symbol: str
    order_id: int


_open = Rows(_Open, "Binance open orders", "orderId")


def has_switch(account_type: Any) -> bool:
    return account_type.family in COUNTDOWN_PATHS


async def check(rest: Any, account_type: Any) -> None:
    """Measure the venue's clock and try the key. Raises VenueError, OSError, TimeoutError."""
    if rest.on_clock_refused is not None:
        await rest.on_clock_refused()
    await _listed(rest, families_of(account_type)[0], ())


async def _listed(rest: Any, family: Family, symbols: Iterable[str]) -> Found:
    """The open orders of one row; `symbols` where the venue tells of one symbol at a time. One that cannot be read is open, too:
    it is in `odd`."""
    if not family.lists_by_symbol:
        return _open.decode(await rest.get(family.open_orders, family.constants, signed=True))
    found = Found()
    for symbol in sorted({*symbols, *await _symbols_of(rest, family, not symbols)}):
        try:
            orders = _open.decode(await rest.get(family.open_orders, {**family.constants, "symbol": symbol}, signed=True))
            found += orders
            found.odd += orders.odd
        except VenueError as error:
            if error.code != UNKNOWN_SYMBOL:     # one of another part of a portfolio
                raise
    return found


async def _symbols_of(rest: Any, family: Family, alone: bool) -> Iterable[str]:
    """Where orders may be open, as far as the account tells. alone: nobody else knows. Raises VenueError where there are orders
    that cannot be found: what is locked belongs to some."""
    body = await rest.get(family.account, signed=True)
    if family.constants:
        return read_isolated(body)
    locked = [asset for asset, (_, amount) in read_portfolio(body)["margin"].items() if amount]
    if locked and alone:
        raise VenueError(
            "unlisted",
            f"margin orders are open ({', '.join(locked)} locked), and the venue lists them by symbol alone: cancel them by hand",
            venue="binance",
        )
    return ()


async def cancel_everything(rest: Any, account_type: Any, symbols: Iterable[str] = ()) -> int:
    """Cancel every open order of the account, whoever placed it; how many the venue listed before: 0 is the proof that none is
    left. symbols: that are traded, for margin orders of a portfolio, of which the venue has no list of all. Raises VenueError,
    OSError, TimeoutError."""
    count = 0
    for family in families_of(account_type):
        orders = await _listed(rest, family, symbols)
        count += len(orders) + orders.odd
        path = CANCEL_PATHS.get(account_type.family)
        if path is not None:
            for symbol in sorted({order.symbol for order in orders}):
                await rest.request("DELETE", path, {"symbol": symbol}, signed=True)
            continue
        for order in orders:
            params = {**family.constants, "symbol": order.symbol, "orderId": order.order_id}
            await rest.request("DELETE", family.order, params, signed=True)
    return count


async def set_switch(rest: Any, account_type: Any, symbols: Iterable[str], seconds: int) -> None:
    """Without another call within so many seconds, the venue cancels all orders of these symbols; 0 switches it off."""
    path = COUNTDOWN_PATHS[account_type.family]
    for symbol in symbols:
        params = {"symbol": symbol, "countdownTime": seconds * 1000}
        require_json(await rest.request("POST", path, params, signed=True), f"the answer to POST {path}")


def open_rest(account_type: Any, basic: BasicConfig, endpoints: Endpoints) -> Any:
    """A client with the account's key. Raises ValueError for keys that cannot be used."""
    from nexus_fast.gateway.credentials import Credentials
    from nexus_fast.gateway.rest import BinanceRest

    table, market = families_of(account_type)[0].endpoints, clock_market(account_type)
    rest = BinanceRest(endpoints.url(f"binance.{table}", "rest", basic.testnet), Credentials(basic.api_key, basic.secret))

    async def measure_clock() -> None:
        await rest.synchronise(MARKETS[market].time)

    # A guard waits for days: when it has to act, a clock may have moved.
    if table == market:
        rest.on_clock_refused = measure_clock
    return rest
