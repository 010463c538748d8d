"""The routes: what is asked with which method and path, by whom, and how often per second."""

from collections.abc import Callable
from dataclasses import dataclass

from nexus_fast.sim.bybit import account_operations as account
from nexus_fast.sim.bybit import market_data, order_entry, order_queries, positions


@dataclass(slots=True, frozen=True)
class Operation:
    """`perform` takes a `requests.Call`. `limit`: requests per second and account; 0 for order entry, which counts orders
    itself. `is_order` marks what places orders, for the statistics."""

    perform: Callable
    is_private: bool = False
    limit: int = 0
    is_order: bool = False


def _open(perform: Callable) -> Operation:
    return Operation(perform)


def _asked(perform: Callable, limit: int = 50) -> Operation:
    return Operation(perform, is_private=True, limit=limit)


def _entry(perform: Callable, is_order: bool = False) -> Operation:
    return Operation(perform, is_private=True, is_order=is_order)


TRADE = {
    "order.create": _entry(order_entry.create, is_order=True),
    "order.amend": _entry(order_entry.amend),
    "order.cancel": _entry(order_entry.cancel),
    "order.create-batch": _entry(order_entry.create_batch, is_order=True),
    "order.amend-batch": _entry(order_entry.amend_batch),
    "order.cancel-batch": _entry(order_entry.cancel_batch),
}

REST = {
    ("GET", "/v5/market/time"): _open(market_data.server_time),
    ("GET", "/v5/market/instruments-info"): _open(market_data.instruments_info),
    ("GET", "/v5/market/orderbook"): _open(market_data.orderbook),
    ("GET", "/v5/market/tickers"): _open(market_data.tickers),
    ("GET", "/v5/market/kline"): _open(market_data.kline),
    ("GET", "/v5/market/mark-price-kline"): _open(market_data.price_kline),
    ("GET", "/v5/market/index-price-kline"): _open(market_data.price_kline),
    ("GET", "/v5/market/premium-index-price-kline"): _open(market_data.price_kline),
    ("GET", "/v5/market/recent-trade"): _open(market_data.recent_trades),
    ("GET", "/v5/market/funding/history"): _open(market_data.funding_history),
    ("GET", "/v5/market/risk-limit"): _open(market_data.risk_limit),
    ("GET", "/v5/market/open-interest"): _open(market_data.open_interest),
    ("GET", "/v5/market/price-limit"): _open(market_data.price_limit),
    ("POST", "/v5/order/create"): _entry(order_entry.create, is_order=True),
    ("POST", "/v5/order/amend"): _entry(order_entry.amend),
    ("POST", "/v5/order/cancel"): _entry(order_entry.cancel),
    ("POST", "/v5/order/cancel-all"): _entry(order_entry.cancel_all),
    ("POST", "/v5/order/create-batch"): _entry(order_entry.create_batch, is_order=True),
    ("POST", "/v5/order/amend-batch"): _entry(order_entry.amend_batch),
    ("POST", "/v5/order/cancel-batch"): _entry(order_entry.cancel_batch),
    ("POST", "/v5/order/disconnected-cancel-all"): _asked(account.set_dcp, 5),
    ("GET", "/v5/order/realtime"): _asked(order_queries.realtime),
    ("GET", "/v5/order/history"): _asked(order_queries.history),
    ("GET", "/v5/execution/list"): _asked(order_queries.executions),
    ("GET", "/v5/position/list"): _asked(positions.positions),
    ("GET", "/v5/position/closed-pnl"): _asked(positions.closed_profits),
    ("POST", "/v5/position/set-leverage"): _asked(positions.set_leverage, 10),
    ("POST", "/v5/position/switch-mode"): _asked(positions.switch_mode, 10),
    ("POST", "/v5/position/switch-isolated"): _asked(positions.switch_isolated, 10),
    ("POST", "/v5/position/trading-stop"): _asked(positions.trading_stop, 10),
    ("GET", "/v5/account/wallet-balance"): _asked(account.wallet_balance),
    ("GET", "/v5/account/info"): _asked(account.info),
    ("GET", "/v5/account/fee-rate"): _asked(account.fee_rate, 10),
    ("POST", "/v5/account/set-margin-mode"): _asked(account.set_margin_mode, 5),
    ("GET", "/v5/account/query-dcp-info"): _asked(account.dcp_info, 5),
    ("GET", "/v5/user/query-api"): _asked(account.api_key, 10),
    ("GET", "/v5/asset/coin/query-info"): _asked(account.coin_info, 5),
    ("GET", "/v5/asset/transfer/query-account-coins-balance"): _asked(account.coin_balances, 5),
    ("GET", "/v5/asset/transfer/query-account-coin-balance"): _asked(account.coin_balance, 5),
}
