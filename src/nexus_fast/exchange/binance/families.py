"""Where Binance's kinds of accounts are asked by REST: one row of paths for each.

The names of the rows are those of the order templates (nexus_fast.gateway.binance.FAMILIES). Portfolio margin has three rows,
one for each kind of instrument that it trades; every other account has one.
Sources: developers.binance.com, the REST endpoints of spot, margin, the futures and portfolio margin.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nexus_fast.constants import InstrumentType

SPOT, LINEAR, INVERSE = InstrumentType.SPOT, InstrumentType.LINEAR, InstrumentType.INVERSE


@dataclass(frozen=True)
class Market:
    """Public questions. index_klines: "" where there is no index. longest_span_ms: between the start and the end of a request for
    bars, of which the last ones are given (COIN-M); 0: any span, from the start on."""

    exchange_info: str
    time: str
    ticker: str
    klines: str
    index_klines: str = ""
    largest_page: int = 1500     # bars in one answer
    longest_span_ms: int = 0


@dataclass(frozen=True)
class Family:
    """Questions about an account. `endpoints` is the table of its addresses. constants: parameters of every request.
    lists_by_symbol: open orders are told of one symbol at a time."""

    endpoints: str
    type: InstrumentType
    order: str
    open_orders: str
    recent_trades: str
    account: str
    positions: str = ""
    position_mode: str = ""
    listen_key: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)
    lists_by_symbol: bool = False


MARKETS = {
    "spot": Market(
        "/api/v3/exchangeInfo", "/api/v3/time", "/api/v3/ticker/24hr", "/api/v3/klines", largest_page=1000
    ),
    "usd_m": Market(
        "/fapi/v1/exchangeInfo", "/fapi/v1/time", "/fapi/v1/ticker/24hr", "/fapi/v1/klines", "/fapi/v1/indexPriceKlines"
    ),
    "coin_m": Market(
        "/dapi/v1/exchangeInfo",
        "/dapi/v1/time",
        "/dapi/v1/ticker/24hr",
        "/dapi/v1/klines",
        "/dapi/v1/indexPriceKlines",
        longest_span_ms=200 * 86_400_000,
    ),
}
# Which market's clock an account's requests are timed by: portfolio margin has no clock of its own.
CLOCKS = {"margin": "spot", "isolated_margin": "spot", "portfolio_margin": "usd_m"}


def _futures(prefix: str, endpoints: str, type: InstrumentType, account: str, positions: str, listen_key: str) -> Family:
    return Family(
        endpoints=endpoints,
        type=type,
        order=f"{prefix}/order",
        open_orders=f"{prefix}/openOrders",
        recent_trades=f"{prefix}/userTrades",
        account=account,
        positions=positions,
        position_mode=f"{prefix}/positionSide/dual",
        listen_key=listen_key,
    )


PAPI, PAPI_LISTEN_KEY = "portfolio_margin", "/papi/v1/listenKey"
FAMILIES = {
    "spot": Family("spot", SPOT, "/api/v3/order", "/api/v3/openOrders", "/api/v3/myTrades", "/api/v3/account"),
    "margin": Family(
        "spot",
        SPOT,
        "/sapi/v1/margin/order",
        "/sapi/v1/margin/openOrders",
        "/sapi/v1/margin/myTrades",
        "/sapi/v1/margin/account",
    ),
    "isolated_margin": Family(
        "spot",
        SPOT,
        "/sapi/v1/margin/order",
        "/sapi/v1/margin/openOrders",
        "/sapi/v1/margin/myTrades",
        "/sapi/v1/margin/isolated/account",
        constants={"isIsolated": "TRUE"},
        lists_by_symbol=True,
    ),
    "usd_m": _futures("/fapi/v1", "usd_m", LINEAR, "/fapi/v3/account", "/fapi/v3/positionRisk", "/fapi/v1/listenKey"),
    "coin_m": _futures("/dapi/v1", "coin_m", INVERSE, "/dapi/v1/account", "/dapi/v1/positionRisk", "/dapi/v1/listenKey"),
    "portfolio_margin": Family(
        PAPI,
        SPOT,
        "/papi/v1/margin/order",
        "/papi/v1/margin/openOrders",
        "/papi/v1/margin/myTrades",
        "/papi/v1/balance",
        listen_key=PAPI_LISTEN_KEY,
        lists_by_symbol=True,
    ),
    "portfolio_usd_m": _futures("/papi/v1/um", PAPI, LINEAR, "/papi/v1/balance", "/papi/v1/um/positionRisk", PAPI_LISTEN_KEY),
    "portfolio_coin_m": _futures("/papi/v1/cm", PAPI, INVERSE, "/papi/v1/balance", "/papi/v1/cm/positionRisk", PAPI_LISTEN_KEY),
}
_PORTFOLIO = {SPOT: "portfolio_margin", LINEAR: "portfolio_usd_m", INVERSE: "portfolio_coin_m"}


def family_name(account_type: Any, type: InstrumentType) -> str:
    """The row of an account for one kind of instrument."""
    if account_type.is_portfolio_margin:
        return _PORTFOLIO[type]
    return "isolated_margin" if account_type.is_isolated_margin else account_type.family


def family_of(account_type: Any, type: InstrumentType) -> Family:
    return FAMILIES[family_name(account_type, type)]


def families_of(account_type: Any) -> list[Family]:
    """All rows of an account."""
    if account_type.is_portfolio_margin:
        return [FAMILIES[name] for name in _PORTFOLIO.values()]
    return [family_of(account_type, SPOT)]


def clock_market(account_type: Any) -> str:
    return CLOCKS.get(account_type.family, account_type.family)
