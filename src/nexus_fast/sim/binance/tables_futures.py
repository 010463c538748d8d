"""What USD-M, COIN-M and portfolio margin have in common: their routes below the market's own prefix."""

from nexus_fast.sim.binance import account_futures as account
from nexus_fast.sim.binance import market_data, ws_api
from nexus_fast.sim.binance import operations_futures as orders
from nexus_fast.sim.binance.requests import Call
from nexus_fast.sim.binance.routes import Operation, new_order, open_to_all, order_change, signed, with_key

Routes = dict[tuple[str, str], Operation]


def as_list(perform):
    """COIN-M answers with a list where USD-M gives one object for one symbol."""

    def perform_as_list(call: Call) -> list:
        found = perform(call)
        return found if isinstance(found, list) else [found]

    return perform_as_list


def order_routes(prefix: str) -> Routes:
    """One order and many, of one kind of contract: `prefix` is "/fapi/v1", "/papi/v1/um", …"""
    return {
        ("POST", f"{prefix}/order"): new_order(orders.place, 0),
        ("GET", f"{prefix}/order"): signed(orders.status),
        ("DELETE", f"{prefix}/order"): order_change(orders.cancel),
        ("PUT", f"{prefix}/order"): order_change(orders.modify),
        ("GET", f"{prefix}/openOrder"): signed(orders.open_order),
        ("GET", f"{prefix}/openOrders"): signed(orders.open_orders),
        ("DELETE", f"{prefix}/allOpenOrders"): order_change(orders.cancel_open_orders),
        ("GET", f"{prefix}/allOrders"): signed(orders.all_orders, 5),
        ("GET", f"{prefix}/userTrades"): signed(orders.user_trades, 5),
        ("GET", f"{prefix}/forceOrders"): signed(account.empty_list, 20),
        ("GET", f"{prefix}/income"): signed(account.empty_list, 30),
        ("GET", f"{prefix}/positionSide/dual"): signed(account.position_mode, 30),
        ("POST", f"{prefix}/positionSide/dual"): signed(account.set_position_mode),
        ("GET", f"{prefix}/commissionRate"): signed(account.commission_rate, 20),
    }


def market_routes(prefix: str, info, listed=lambda perform: perform) -> Routes:
    """Market data below `prefix`; `info` answers exchangeInfo, `listed` wraps what COIN-M always gives as a list."""
    return {
        ("GET", f"{prefix}/ping"): open_to_all(market_data.ping),
        ("GET", f"{prefix}/time"): open_to_all(market_data.server_time),
        ("GET", f"{prefix}/exchangeInfo"): open_to_all(info),
        ("GET", f"{prefix}/depth"): open_to_all(market_data.depth, 10),
        ("GET", f"{prefix}/trades"): open_to_all(market_data.trades, 5),
        ("GET", f"{prefix}/aggTrades"): open_to_all(market_data.aggregate_trades, 20),
        ("GET", f"{prefix}/klines"): open_to_all(market_data.klines, 5),
        ("GET", f"{prefix}/indexPriceKlines"): open_to_all(market_data.index_klines, 5),
        ("GET", f"{prefix}/ticker/bookTicker"): open_to_all(listed(market_data.book_ticker), 2),
        ("GET", f"{prefix}/ticker/price"): open_to_all(listed(market_data.price), 1),
        ("GET", f"{prefix}/ticker/24hr"): open_to_all(listed(market_data.day_ticker), 1),
        ("GET", f"{prefix}/premiumIndex"): open_to_all(listed(market_data.premium_index), 1),
        ("GET", f"{prefix}/fundingRate"): open_to_all(market_data.funding_rates, 1),
        ("GET", f"{prefix}/fundingInfo"): open_to_all(account.empty_list, 1),
        ("GET", f"{prefix}/openInterest"): open_to_all(market_data.open_interest, 1),
    }


def listen_key_routes(prefix: str) -> Routes:
    return {
        ("POST", f"{prefix}/listenKey"): with_key(account.start_listen_key),
        ("PUT", f"{prefix}/listenKey"): with_key(account.keep_listen_key),
        ("DELETE", f"{prefix}/listenKey"): with_key(account.close_listen_key),
    }


# Of the WebSocket API: both markets', beside their account.* methods.
WEBSOCKET = {
    "ping": open_to_all(market_data.ping),
    "time": open_to_all(market_data.server_time),
    "order.place": new_order(orders.place, 0),
    "order.status": signed(orders.status),
    "order.cancel": order_change(orders.cancel),
    "order.modify": order_change(orders.modify),
    "session.logon": signed(ws_api.session_logon, 2),
    "session.status": open_to_all(ws_api.session_status, 2),
    "session.logout": open_to_all(ws_api.session_logout, 2),
    "userDataStream.start": with_key(account.start_listen_key, 5),
    "userDataStream.ping": with_key(account.keep_listen_key),
    "userDataStream.stop": with_key(account.close_listen_key),
}
