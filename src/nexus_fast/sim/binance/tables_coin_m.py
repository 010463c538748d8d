"""COIN-M: which REST path and which WebSocket API method leads to which operation, with the venue's request weights."""

from nexus_fast.sim.binance import account_coin_m as account
from nexus_fast.sim.binance import account_futures, exchange_info, market_data, tables_futures
from nexus_fast.sim.binance import operations_futures as orders
from nexus_fast.sim.binance.requests import Call
from nexus_fast.sim.binance.routes import new_order, open_to_all, order_change, signed


def info(call: Call) -> dict:
    return exchange_info.coin_m(market_data.chosen(call), call.service.limits.rules(), call.service.clock.milliseconds())


REST = {
    **tables_futures.market_routes("/dapi/v1", info, tables_futures.as_list),
    **tables_futures.order_routes("/dapi/v1"),
    **tables_futures.listen_key_routes("/dapi/v1"),
    ("POST", "/dapi/v1/batchOrders"): new_order(orders.batch_orders, 5),
    ("DELETE", "/dapi/v1/batchOrders"): order_change(orders.cancel_batch),
    ("POST", "/dapi/v1/countdownCancelAll"): signed(orders.countdown_cancel_all, 10),
    ("GET", "/dapi/v1/openAlgoOrders"): signed(account_futures.empty_list),
    ("GET", "/dapi/v1/leverageBracket"): signed(account.leverage_brackets),
    ("GET", "/dapi/v2/leverageBracket"): signed(account.leverage_brackets),
    ("POST", "/dapi/v1/leverage"): signed(account.leverage),
    ("POST", "/dapi/v1/marginType"): signed(account_futures.margin_type),
    ("GET", "/dapi/v1/account"): signed(account.account, 5),
    ("GET", "/dapi/v1/balance"): signed(account.balance, 1),
    ("GET", "/dapi/v1/positionRisk"): signed(account.position_risk, 1),
}

WEBSOCKET = {
    **tables_futures.WEBSOCKET,
    "exchangeInfo": open_to_all(info),
    "account.status": signed(account.account, 5),
    "account.balance": signed(account.balance, 5),
    "account.position": signed(account.position_risk, 5),
}
