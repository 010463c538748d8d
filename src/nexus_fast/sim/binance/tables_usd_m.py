"""USD-M: which REST path and which WebSocket API method leads to which operation, with the venue's request weights."""

from nexus_fast.sim.binance import account_usd_m as account
from nexus_fast.sim.binance import exchange_info, market_data, ws_api
from nexus_fast.sim.binance import operations_usd_m as usd_m
from nexus_fast.sim.binance.requests import Call
from nexus_fast.sim.binance.routes import new_order, open_to_all, order_change, signed, with_key


def info(call: Call) -> dict:
    return exchange_info.usd_m(market_data.chosen(call), call.service.limits.rules(), call.service.clock.milliseconds())


def no_symbols(call: Call) -> dict:
    """COIN-M is not simulated: its list is empty, so that clients which always load it can start."""
    return {**info(call), "assets": [], "symbols": []}


def no_leverage_brackets(call: Call) -> list:
    return []


REST = {
    ("GET", "/fapi/v1/ping"): open_to_all(market_data.ping),
    ("GET", "/fapi/v1/time"): open_to_all(market_data.server_time),
    ("GET", "/fapi/v1/exchangeInfo"): open_to_all(info),
    ("GET", "/fapi/v1/depth"): open_to_all(market_data.depth, 10),
    ("GET", "/fapi/v1/trades"): open_to_all(market_data.trades, 5),
    ("GET", "/fapi/v1/aggTrades"): open_to_all(market_data.aggregate_trades, 20),
    ("GET", "/fapi/v1/klines"): open_to_all(market_data.klines, 5),
    ("GET", "/fapi/v1/indexPriceKlines"): open_to_all(market_data.index_klines, 5),
    ("GET", "/fapi/v1/ticker/bookTicker"): open_to_all(market_data.book_ticker, 2),
    ("GET", "/fapi/v1/ticker/price"): open_to_all(market_data.price, 1),
    ("GET", "/fapi/v2/ticker/price"): open_to_all(market_data.price, 1),
    ("GET", "/fapi/v1/ticker/24hr"): open_to_all(market_data.day_ticker, 1),
    ("GET", "/fapi/v1/premiumIndex"): open_to_all(market_data.premium_index, 1),
    ("GET", "/fapi/v1/fundingRate"): open_to_all(market_data.funding_rates, 1),
    ("GET", "/fapi/v1/fundingInfo"): open_to_all(account.empty_list, 1),
    ("GET", "/fapi/v1/openInterest"): open_to_all(market_data.open_interest, 1),
    ("POST", "/fapi/v1/order"): new_order(usd_m.place, 0),
    ("POST", "/fapi/v1/order/test"): signed(usd_m.test_order),
    ("GET", "/fapi/v1/order"): signed(usd_m.status),
    ("DELETE", "/fapi/v1/order"): order_change(usd_m.cancel),
    ("PUT", "/fapi/v1/order"): order_change(usd_m.modify),
    ("POST", "/fapi/v1/batchOrders"): new_order(usd_m.batch_orders, 5),
    ("DELETE", "/fapi/v1/batchOrders"): order_change(usd_m.cancel_batch),
    ("GET", "/fapi/v1/openOrder"): signed(usd_m.open_order),
    ("GET", "/fapi/v1/openOrders"): signed(usd_m.open_orders),
    ("DELETE", "/fapi/v1/allOpenOrders"): order_change(usd_m.cancel_open_orders),
    ("GET", "/fapi/v1/allOrders"): signed(usd_m.all_orders, 5),
    ("GET", "/fapi/v1/userTrades"): signed(usd_m.user_trades, 5),
    ("POST", "/fapi/v1/countdownCancelAll"): signed(usd_m.countdown_cancel_all, 10),
    ("GET", "/fapi/v1/openAlgoOrders"): signed(account.empty_list),
    ("GET", "/fapi/v1/forceOrders"): signed(account.empty_list, 20),
    ("GET", "/fapi/v1/income"): signed(account.empty_list, 30),
    ("GET", "/fapi/v1/rateLimit/order"): signed(account.order_rate_limits),
    ("POST", "/fapi/v1/listenKey"): with_key(account.start_listen_key),
    ("PUT", "/fapi/v1/listenKey"): with_key(account.keep_listen_key),
    ("DELETE", "/fapi/v1/listenKey"): with_key(account.close_listen_key),
    ("GET", "/fapi/v1/positionSide/dual"): signed(account.position_mode, 30),
    ("POST", "/fapi/v1/positionSide/dual"): signed(account.set_position_mode),
    ("GET", "/fapi/v1/multiAssetsMargin"): signed(account.multi_assets_mode, 30),
    ("GET", "/fapi/v1/leverageBracket"): signed(account.leverage_brackets),
    ("POST", "/fapi/v1/leverage"): signed(account.leverage),
    ("POST", "/fapi/v1/marginType"): signed(account.margin_type),
    ("GET", "/fapi/v1/symbolConfig"): signed(account.symbol_config, 5),
    ("GET", "/fapi/v1/accountConfig"): signed(account.account_config, 5),
    ("GET", "/fapi/v1/commissionRate"): signed(account.commission_rate, 20),
    ("GET", "/fapi/v1/account"): signed(account.account_v2, 5),
    ("GET", "/fapi/v2/account"): signed(account.account_v2, 5),
    ("GET", "/fapi/v3/account"): signed(account.account_v3, 5),
    ("GET", "/fapi/v1/balance"): signed(account.balance, 5),
    ("GET", "/fapi/v2/balance"): signed(account.balance, 5),
    ("GET", "/fapi/v3/balance"): signed(account.balance, 5),
    ("GET", "/fapi/v1/positionRisk"): signed(account.position_risk_v2, 5),
    ("GET", "/fapi/v2/positionRisk"): signed(account.position_risk_v2, 5),
    ("GET", "/fapi/v3/positionRisk"): signed(account.position_risk_v3, 5),
    ("GET", "/dapi/v1/ping"): open_to_all(market_data.ping),
    ("GET", "/dapi/v1/time"): open_to_all(market_data.server_time),
    ("GET", "/dapi/v1/exchangeInfo"): open_to_all(no_symbols),
    ("GET", "/dapi/v2/leverageBracket"): signed(no_leverage_brackets),
}

WEBSOCKET = {
    "ping": open_to_all(market_data.ping),
    "time": open_to_all(market_data.server_time),
    "exchangeInfo": open_to_all(info),
    "depth": open_to_all(market_data.depth, 5),
    "ticker.book": open_to_all(market_data.book_ticker, 2),
    "ticker.price": open_to_all(market_data.price, 1),
    "order.place": new_order(usd_m.place, 0),
    "order.test": signed(usd_m.test_order),
    "order.status": signed(usd_m.status),
    "order.cancel": order_change(usd_m.cancel),
    "order.modify": order_change(usd_m.modify),
    "openOrders.status": signed(usd_m.open_orders),
    "openOrders.cancelAll": order_change(usd_m.cancel_open_orders),
    "account.status": signed(account.account_v2, 5),
    "account.balance": signed(account.balance, 5),
    "account.position": signed(account.position_risk_v2, 5),
    "v2/account.status": signed(account.account_v3, 5),
    "v2/account.balance": signed(account.balance, 5),
    "v2/account.position": signed(account.position_risk_v3, 5),
    "session.logon": signed(ws_api.session_logon, 2),
    "session.status": open_to_all(ws_api.session_status, 2),
    "session.logout": open_to_all(ws_api.session_logout, 2),
    "userDataStream.start": with_key(account.start_listen_key, 5),
    "userDataStream.ping": with_key(account.keep_listen_key),
    "userDataStream.stop": with_key(account.close_listen_key),
}
