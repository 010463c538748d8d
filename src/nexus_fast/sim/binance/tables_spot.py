"""Spot: which REST path and which WebSocket API method leads to which operation, with the venue's request weights."""

from nexus_fast.sim.binance import exchange_info, market_data, ws_api
from nexus_fast.sim.binance import operations_spot as spot
from nexus_fast.sim.binance.operations_margin import subscribe_with_token
from nexus_fast.sim.binance.requests import Call
from nexus_fast.sim.binance.routes import Operation, Security, new_order, open_to_all, order_change, signed


def info(call: Call) -> dict:
    return exchange_info.spot(market_data.chosen(call), call.service.limits.rules(), call.service.clock.milliseconds())


REST = {
    ("GET", "/api/v3/ping"): open_to_all(market_data.ping),
    ("GET", "/api/v3/time"): open_to_all(market_data.server_time),
    ("GET", "/api/v3/exchangeInfo"): open_to_all(info, 20),
    ("GET", "/api/v3/depth"): open_to_all(market_data.depth, 5),
    ("GET", "/api/v3/trades"): open_to_all(market_data.trades, 25),
    ("GET", "/api/v3/historicalTrades"): open_to_all(market_data.trades, 25),
    ("GET", "/api/v3/aggTrades"): open_to_all(market_data.aggregate_trades, 4),
    ("GET", "/api/v3/klines"): open_to_all(market_data.klines, 2),
    ("GET", "/api/v3/uiKlines"): open_to_all(market_data.klines, 2),
    ("GET", "/api/v3/avgPrice"): open_to_all(market_data.average_price, 2),
    ("GET", "/api/v3/ticker/bookTicker"): open_to_all(market_data.book_ticker, 2),
    ("GET", "/api/v3/ticker/price"): open_to_all(market_data.price, 2),
    ("GET", "/api/v3/ticker/24hr"): open_to_all(market_data.day_ticker, 2),
    ("GET", "/api/v3/ticker"): open_to_all(market_data.day_ticker, 4),
    ("POST", "/api/v3/order"): new_order(spot.place),
    ("POST", "/api/v3/order/test"): signed(spot.test_order),
    ("GET", "/api/v3/order"): signed(spot.status, 4),
    ("DELETE", "/api/v3/order"): order_change(spot.cancel),
    ("POST", "/api/v3/order/cancelReplace"): new_order(spot.cancel_replace),
    ("PUT", "/api/v3/order/amend/keepPriority"): order_change(spot.amend, 4),
    ("GET", "/api/v3/openOrders"): signed(spot.open_orders, 6),
    ("DELETE", "/api/v3/openOrders"): order_change(spot.cancel_open_orders),
    ("GET", "/api/v3/allOrders"): signed(spot.all_orders, 20),
    ("GET", "/api/v3/myTrades"): signed(spot.my_trades, 20),
    ("GET", "/api/v3/account"): signed(spot.account, 20),
    ("GET", "/api/v3/account/commission"): signed(spot.commission, 20),
    ("GET", "/api/v3/rateLimit/order"): signed(spot.order_rate_limits, 40),
    ("GET", "/sapi/v1/capital/config/getall"): signed(spot.all_coins, 10),
    ("GET", "/sapi/v1/asset/tradeFee"): signed(spot.trade_fees),
    ("GET", "/sapi/v1/system/status"): open_to_all(spot.system_status),
    ("GET", "/sapi/v1/account/apiRestrictions"): signed(spot.api_restrictions),
    ("POST", "/sapi/v3/asset/getUserAsset"): signed(spot.nothing),
    ("POST", "/sapi/v1/asset/get-funding-asset"): signed(spot.nothing),
}

WEBSOCKET = {
    "ping": open_to_all(market_data.ping),
    "time": open_to_all(market_data.server_time),
    "exchangeInfo": open_to_all(info, 20),
    "depth": open_to_all(market_data.depth, 5),
    "trades.recent": open_to_all(market_data.trades, 25),
    "trades.aggregate": open_to_all(market_data.aggregate_trades, 4),
    "klines": open_to_all(market_data.klines, 2),
    "avgPrice": open_to_all(market_data.average_price, 2),
    "ticker.book": open_to_all(market_data.book_ticker, 2),
    "ticker.price": open_to_all(market_data.price, 2),
    "ticker.24hr": open_to_all(market_data.day_ticker, 2),
    "order.place": new_order(spot.place),
    "order.test": signed(spot.test_order),
    "order.status": signed(spot.status, 4),
    "order.cancel": order_change(spot.cancel),
    "order.cancelReplace": new_order(spot.cancel_replace),
    "order.amend.keepPriority": order_change(spot.amend, 4),
    "openOrders.status": signed(spot.open_orders, 6),
    "openOrders.cancelAll": order_change(spot.cancel_open_orders),
    "allOrders": signed(spot.all_orders, 20),
    "myTrades": signed(spot.my_trades, 20),
    "account.status": signed(spot.account, 20),
    "account.commission": signed(spot.commission, 20),
    "account.rateLimits.orders": signed(spot.order_rate_limits, 40),
    "session.logon": signed(ws_api.session_logon, 2),
    "session.status": open_to_all(ws_api.session_status, 2),
    "session.logout": open_to_all(ws_api.session_logout, 2),
    "session.subscriptions": open_to_all(ws_api.list_subscriptions, 2),
    "userDataStream.subscribe": Operation(ws_api.subscribe_in_session, Security.NONE, 2),
    "userDataStream.subscribe.signature": signed(ws_api.subscribe, 2),
    "userDataStream.subscribe.listenToken": open_to_all(subscribe_with_token, 2),
    "userDataStream.unsubscribe": open_to_all(ws_api.unsubscribe, 2),
}
