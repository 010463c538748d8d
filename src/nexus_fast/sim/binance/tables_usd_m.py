"""USD-M: which REST path and which WebSocket API method leads to which operation, with the venue's request weights."""

from nexus_fast.sim.binance import account_futures as account
from nexus_fast.sim.binance import exchange_info, market_data, tables_futures
from nexus_fast.sim.binance import operations_futures as orders
from nexus_fast.sim.binance.requests import Call
from nexus_fast.sim.binance.routes import new_order, open_to_all, order_change, signed


def info(call: Call) -> dict:
    return exchange_info.usd_m(market_data.chosen(call), call.service.limits.rules(), call.service.clock.milliseconds())


REST = {
    **tables_futures.market_routes("/fapi/v1", info),
    **tables_futures.order_routes("/fapi/v1"),
    **tables_futures.listen_key_routes("/fapi/v1"),
    ("GET", "/fapi/v2/ticker/price"): open_to_all(market_data.price, 1),
    ("POST", "/fapi/v1/order/test"): signed(orders.test_order),
    ("POST", "/fapi/v1/batchOrders"): new_order(orders.batch_orders, 5),
    ("DELETE", "/fapi/v1/batchOrders"): order_change(orders.cancel_batch),
    ("POST", "/fapi/v1/countdownCancelAll"): signed(orders.countdown_cancel_all, 10),
    ("GET", "/fapi/v1/openAlgoOrders"): signed(account.empty_list),
    ("GET", "/fapi/v1/rateLimit/order"): signed(account.order_rate_limits),
    ("GET", "/fapi/v1/multiAssetsMargin"): signed(account.multi_assets_mode, 30),
    ("GET", "/fapi/v1/leverageBracket"): signed(account.leverage_brackets),
    ("POST", "/fapi/v1/leverage"): signed(account.leverage),
    ("POST", "/fapi/v1/marginType"): signed(account.margin_type),
    ("GET", "/fapi/v1/symbolConfig"): signed(account.symbol_config, 5),
    ("GET", "/fapi/v1/accountConfig"): signed(account.account_config, 5),
    ("GET", "/fapi/v1/account"): signed(account.account_v2, 5),
    ("GET", "/fapi/v2/account"): signed(account.account_v2, 5),
    ("GET", "/fapi/v3/account"): signed(account.account_v3, 5),
    ("GET", "/fapi/v1/balance"): signed(account.balance, 5),
    ("GET", "/fapi/v2/balance"): signed(account.balance, 5),
    ("GET", "/fapi/v3/balance"): signed(account.balance, 5),
    ("GET", "/fapi/v1/positionRisk"): signed(account.position_risk_v2, 5),
    ("GET", "/fapi/v2/positionRisk"): signed(account.position_risk_v2, 5),
    ("GET", "/fapi/v3/positionRisk"): signed(account.position_risk_v3, 5),
}

WEBSOCKET = {
    **tables_futures.WEBSOCKET,
    "exchangeInfo": open_to_all(info),
    "depth": open_to_all(market_data.depth, 5),
    "ticker.book": open_to_all(market_data.book_ticker, 2),
    "ticker.price": open_to_all(market_data.price, 1),
    "order.test": signed(orders.test_order),
    "openOrders.status": signed(orders.open_orders),
    "openOrders.cancelAll": order_change(orders.cancel_open_orders),
    "account.status": signed(account.account_v2, 5),
    "account.balance": signed(account.balance, 5),
    "account.position": signed(account.position_risk_v2, 5),
    "v2/account.status": signed(account.account_v3, 5),
    "v2/account.balance": signed(account.balance, 5),
    "v2/account.position": signed(account.position_risk_v3, 5),
}
