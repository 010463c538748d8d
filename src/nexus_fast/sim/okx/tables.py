"""Which REST path leads to which operation."""

from collections.abc import Callable
from dataclasses import dataclass

from nexus_fast.sim.okx import account, market_data, order_queries, orders
from nexus_fast.sim.okx.requests import Call


@dataclass(slots=True, frozen=True)
class Operation:
    """`is_entry`: rows with an sCode each, and windows of their own; `places`: counts as new orders."""

    perform: Callable[[Call], list]
    is_private: bool = False
    is_entry: bool = False
    places: bool = False


def public(perform: Callable) -> Operation:
    return Operation(perform)


def private(perform: Callable) -> Operation:
    return Operation(perform, is_private=True)


def entry(perform: Callable) -> Operation:
    return Operation(perform, is_private=True, is_entry=True)


def placing(perform: Callable) -> Operation:
    return Operation(perform, is_private=True, is_entry=True, places=True)


REST: dict[tuple[str, str], Operation] = {
    ("GET", "/api/v5/public/time"): public(market_data.time),
    ("GET", "/api/v5/public/instruments"): public(market_data.instruments),
    ("GET", "/api/v5/public/underlying"): public(market_data.underlying),
    ("GET", "/api/v5/public/mark-price"): public(market_data.mark_price),
    ("GET", "/api/v5/public/funding-rate"): public(market_data.funding_rate),
    ("GET", "/api/v5/public/funding-rate-history"): public(market_data.funding_rate_history),
    ("GET", "/api/v5/public/open-interest"): public(market_data.open_interest),
    ("GET", "/api/v5/public/price-limit"): public(market_data.price_limit),
    ("GET", "/api/v5/public/position-tiers"): public(market_data.position_tiers),
    ("GET", "/api/v5/public/delivery-exercise-history"): public(market_data.nothing),
    ("GET", "/api/v5/system/status"): public(market_data.status),
    ("GET", "/api/v5/market/ticker"): public(market_data.ticker),
    ("GET", "/api/v5/market/tickers"): public(market_data.tickers),
    ("GET", "/api/v5/market/books"): public(market_data.books),
    ("GET", "/api/v5/market/books-full"): public(market_data.books),
    ("GET", "/api/v5/market/candles"): public(market_data.candles),
    ("GET", "/api/v5/market/history-candles"): public(market_data.candles),
    ("GET", "/api/v5/market/index-candles"): public(market_data.index_candles),
    ("GET", "/api/v5/market/mark-price-candles"): public(market_data.index_candles),
    ("GET", "/api/v5/market/trades"): public(market_data.trades),
    ("GET", "/api/v5/market/history-trades"): public(market_data.trades),
    ("GET", "/api/v5/market/index-tickers"): public(market_data.index_tickers),
    ("POST", "/api/v5/trade/order"): placing(orders.place),
    ("POST", "/api/v5/trade/batch-orders"): placing(orders.place),
    ("POST", "/api/v5/trade/amend-order"): entry(orders.amend),
    ("POST", "/api/v5/trade/amend-batch-orders"): entry(orders.amend),
    ("POST", "/api/v5/trade/cancel-order"): entry(orders.cancel),
    ("POST", "/api/v5/trade/cancel-batch-orders"): entry(orders.cancel),
    ("POST", "/api/v5/trade/cancel-all-after"): private(orders.cancel_all_after),
    ("POST", "/api/v5/trade/mass-cancel"): private(orders.mass_cancel),
    ("POST", "/api/v5/trade/close-position"): private(orders.close_position),
    ("GET", "/api/v5/trade/order"): private(order_queries.order),
    ("GET", "/api/v5/trade/orders-pending"): private(order_queries.pending),
    ("GET", "/api/v5/trade/orders-history"): private(order_queries.history),
    ("GET", "/api/v5/trade/orders-history-archive"): private(order_queries.history),
    ("GET", "/api/v5/trade/fills"): private(order_queries.fills),
    ("GET", "/api/v5/trade/fills-history"): private(order_queries.fills_history),
    ("POST", "/api/v5/trade/order-algo"): private(market_data.no_conditional_orders),
    ("POST", "/api/v5/trade/amend-algos"): private(market_data.no_conditional_orders),
    ("POST", "/api/v5/trade/cancel-algos"): private(market_data.no_conditional_orders),
    ("GET", "/api/v5/trade/orders-algo-pending"): private(market_data.nothing),
    ("GET", "/api/v5/trade/orders-algo-history"): private(market_data.nothing),
    ("GET", "/api/v5/trade/account-rate-limit"): private(account.account_rate_limit),
    ("GET", "/api/v5/account/config"): private(account.config),
    ("GET", "/api/v5/account/balance"): private(account.balance),
    ("GET", "/api/v5/account/positions"): private(account.positions),
    ("GET", "/api/v5/account/positions-history"): private(market_data.nothing),
    ("GET", "/api/v5/account/instruments"): private(account.instruments),
    ("GET", "/api/v5/account/leverage-info"): private(account.leverage_info),
    ("GET", "/api/v5/account/trade-fee"): private(account.trade_fee),
    ("GET", "/api/v5/account/max-size"): private(account.max_size),
    ("GET", "/api/v5/account/max-avail-size"): private(account.max_available),
    ("GET", "/api/v5/account/bills"): private(market_data.nothing),
    ("GET", "/api/v5/account/bills-archive"): private(market_data.nothing),
    ("POST", "/api/v5/account/set-leverage"): private(account.set_leverage),
    ("POST", "/api/v5/account/set-position-mode"): private(account.set_position_mode),
    ("GET", "/api/v5/asset/currencies"): private(account.currencies),
    ("GET", "/api/v5/asset/balances"): private(account.funding_balances),
    ("GET", "/api/v5/asset/asset-valuation"): private(account.valuation),
}
