"""Spot: which REST path and which WebSocket API method leads to which operation, with the venue's request weights
and parameters: others are refused. What is below /sapi ignores what it does not know."""

from nexus_fast.sim.binance import exchange_info, market_data, ws_api
from nexus_fast.sim.binance import operations_spot as spot
from nexus_fast.sim.binance import operations_wallet as wallet
from nexus_fast.sim.binance.operations_margin import subscribe_with_token
from nexus_fast.sim.binance.requests import Call
from nexus_fast.sim.binance.routes import Operation, Security, new_order, open_to_all, order_change, signed


def info(call: Call) -> dict:
    return exchange_info.spot(market_data.chosen(call), call.service.limits.rules(), call.service.clock.milliseconds())


# Parameters that several requests have.
ORDER = ("symbol side type timeInForce quantity quoteOrderQty price newClientOrderId strategyId strategyType stopPrice "
         "trailingDelta icebergQty newOrderRespType selfTradePreventionMode pegPriceType pegOffsetValue pegOffsetType")
TEST = f"{ORDER} computeCommissionRates"
ONE = "symbol orderId origClientOrderId"
CANCEL = f"{ONE} newClientOrderId cancelRestrictions"
REPLACE = (f"{ORDER} cancelReplaceMode cancelNewClientOrderId cancelOrigClientOrderId cancelOrderId cancelRestrictions "
           "orderRateLimitExceededMode")
AMEND = f"{ONE} newClientOrderId newQty"
HISTORY = "symbol orderId startTime endTime limit"
TRADES = f"{HISTORY} fromId"
LISTED = "symbol symbols symbolStatus"
DAY = f"{LISTED} type"
INFO = "symbol symbols permissions showPermissionSets symbolStatus"
DEPTH = "symbol limit symbolStatus"
AGGREGATE = "symbol fromId startTime endTime limit"
BARS = "symbol interval startTime endTime timeZone limit"


REST = {
    ("GET", "/api/v3/ping"): open_to_all(market_data.ping, 1, ""),
    ("GET", "/api/v3/time"): open_to_all(market_data.server_time, 1, ""),
    ("GET", "/api/v3/exchangeInfo"): open_to_all(info, 20, INFO),
    ("GET", "/api/v3/depth"): open_to_all(market_data.depth, 5, DEPTH),
    ("GET", "/api/v3/trades"): open_to_all(market_data.trades, 25, "symbol limit"),
    ("GET", "/api/v3/historicalTrades"): open_to_all(market_data.trades, 25, "symbol limit fromId"),
    ("GET", "/api/v3/aggTrades"): open_to_all(market_data.aggregate_trades, 4, AGGREGATE),
    ("GET", "/api/v3/klines"): open_to_all(market_data.klines, 2, BARS),
    ("GET", "/api/v3/uiKlines"): open_to_all(market_data.klines, 2, BARS),
    ("GET", "/api/v3/avgPrice"): open_to_all(market_data.average_price, 2, "symbol"),
    ("GET", "/api/v3/ticker/bookTicker"): open_to_all(market_data.book_ticker, 2, LISTED),
    ("GET", "/api/v3/ticker/price"): open_to_all(market_data.price, 2, LISTED),
    ("GET", "/api/v3/ticker/24hr"): open_to_all(market_data.day_ticker, 2, DAY),
    ("GET", "/api/v3/ticker"): open_to_all(market_data.day_ticker, 4, f"{DAY} windowSize"),
    ("POST", "/api/v3/order"): new_order(spot.place, 1, ORDER),
    ("POST", "/api/v3/order/test"): signed(spot.test_order, 1, TEST),
    ("GET", "/api/v3/order"): signed(spot.status, 4, ONE),
    ("DELETE", "/api/v3/order"): order_change(spot.cancel, 1, CANCEL),
    ("POST", "/api/v3/order/cancelReplace"): new_order(spot.cancel_replace, 1, REPLACE),
    ("PUT", "/api/v3/order/amend/keepPriority"): order_change(spot.amend, 4, AMEND),
    ("GET", "/api/v3/openOrders"): signed(spot.open_orders, 6, "symbol"),
    ("DELETE", "/api/v3/openOrders"): order_change(spot.cancel_open_orders, 1, "symbol"),
    ("GET", "/api/v3/allOrders"): signed(spot.all_orders, 20, HISTORY),
    ("GET", "/api/v3/myTrades"): signed(spot.my_trades, 20, TRADES),
    ("GET", "/api/v3/account"): signed(spot.account, 20, "omitZeroBalances"),
    ("GET", "/api/v3/account/commission"): signed(spot.commission, 20, "symbol"),
    ("GET", "/api/v3/rateLimit/order"): signed(spot.order_rate_limits, 40, ""),
    ("GET", "/sapi/v1/capital/config/getall"): signed(wallet.all_coins, 10),
    ("GET", "/sapi/v1/asset/tradeFee"): signed(wallet.trade_fees),
    ("GET", "/sapi/v1/system/status"): open_to_all(wallet.system_status),
    ("GET", "/sapi/v1/account/apiRestrictions"): signed(wallet.api_restrictions),
    ("POST", "/sapi/v3/asset/getUserAsset"): signed(wallet.nothing),
    ("POST", "/sapi/v1/asset/get-funding-asset"): signed(wallet.nothing),
}

WEBSOCKET = {
    "ping": open_to_all(market_data.ping, 1, ""),
    "time": open_to_all(market_data.server_time, 1, ""),
    "exchangeInfo": open_to_all(info, 20, INFO),
    "depth": open_to_all(market_data.depth, 5, DEPTH),
    "trades.recent": open_to_all(market_data.trades, 25, "symbol limit"),
    "trades.aggregate": open_to_all(market_data.aggregate_trades, 4, AGGREGATE),
    "klines": open_to_all(market_data.klines, 2, BARS),
    "avgPrice": open_to_all(market_data.average_price, 2, "symbol"),
    "ticker.book": open_to_all(market_data.book_ticker, 2, LISTED),
    "ticker.price": open_to_all(market_data.price, 2, LISTED),
    "ticker.24hr": open_to_all(market_data.day_ticker, 2, DAY),
    "order.place": new_order(spot.place, 1, ORDER),
    "order.test": signed(spot.test_order, 1, TEST),
    "order.status": signed(spot.status, 4, ONE),
    "order.cancel": order_change(spot.cancel, 1, CANCEL),
    "order.cancelReplace": new_order(spot.cancel_replace, 1, REPLACE),
    "order.amend.keepPriority": order_change(spot.amend, 4, AMEND),
    "openOrders.status": signed(spot.open_orders, 6, "symbol"),
    "openOrders.cancelAll": order_change(spot.cancel_open_orders, 1, "symbol"),
    "allOrders": signed(spot.all_orders, 20, HISTORY),
    "myTrades": signed(spot.my_trades, 20, TRADES),
    "account.status": signed(spot.account, 20, "omitZeroBalances"),
    "account.commission": signed(spot.commission, 20, "symbol"),
    "account.rateLimits.orders": signed(spot.order_rate_limits, 40, ""),
    "session.logon": signed(ws_api.session_logon, 2, ""),
    "session.status": open_to_all(ws_api.session_status, 2, ""),
    "session.logout": open_to_all(ws_api.session_logout, 2, ""),
    "session.subscriptions": open_to_all(ws_api.list_subscriptions, 2, ""),
    "userDataStream.subscribe": Operation(ws_api.subscribe_in_session, Security.NONE, 2, takes=frozenset()),
    "userDataStream.subscribe.signature": signed(ws_api.subscribe, 2, ""),
    "userDataStream.subscribe.listenToken": open_to_all(subscribe_with_token, 2, "listenToken"),
    "userDataStream.unsubscribe": open_to_all(ws_api.unsubscribe, 2, "subscriptionId"),
}
