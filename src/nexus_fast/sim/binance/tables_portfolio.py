"""Portfolio margin: its REST paths below /papi, for each of its parts, with the venue's request weights."""

from nexus_fast.sim.binance import account_coin_m, account_futures, market_data, tables_futures
from nexus_fast.sim.binance import operations_margin as margin
from nexus_fast.sim.binance.account_portfolio import Portfolio
from nexus_fast.sim.binance.routes import new_order, open_to_all, order_change, signed
from nexus_fast.sim.binance.tables_futures import Routes

USD_M = {
    **tables_futures.order_routes("/papi/v1/um"),
    ("GET", "/papi/v1/um/account"): signed(account_futures.account_v2, 5),
    ("GET", "/papi/v2/um/account"): signed(account_futures.account_v2, 5),
    ("GET", "/papi/v1/um/positionRisk"): signed(account_futures.position_risk_v2, 5),
    ("GET", "/papi/v1/um/leverageBracket"): signed(account_futures.leverage_brackets),
    ("POST", "/papi/v1/um/leverage"): signed(account_futures.leverage),
    ("GET", "/papi/v1/um/algo/openAlgoOrders"): signed(account_futures.empty_list),
}

COIN_M = {
    **tables_futures.order_routes("/papi/v1/cm"),
    ("GET", "/papi/v1/cm/account"): signed(account_coin_m.account, 5),
    ("GET", "/papi/v1/cm/positionRisk"): signed(account_coin_m.position_risk, 1),
    ("GET", "/papi/v1/cm/leverageBracket"): signed(account_coin_m.leverage_brackets),
    ("POST", "/papi/v1/cm/leverage"): signed(account_coin_m.leverage),
    ("GET", "/papi/v1/cm/conditional/openOrders"): signed(account_futures.empty_list),
}

MARGIN = {
    ("POST", "/papi/v1/margin/order"): new_order(margin.place),
    ("GET", "/papi/v1/margin/order"): signed(margin.status, 10),
    ("DELETE", "/papi/v1/margin/order"): order_change(margin.cancel, 2),
    ("GET", "/papi/v1/margin/openOrders"): signed(margin.open_orders, 5),
    ("DELETE", "/papi/v1/margin/allOpenOrders"): order_change(margin.cancel_open_orders, 5),
    ("GET", "/papi/v1/margin/allOrders"): signed(margin.all_orders, 100),
    ("GET", "/papi/v1/margin/myTrades"): signed(margin.my_trades, 5),
}


def whole(portfolio: Portfolio) -> Routes:
    """What is about the account as a whole."""
    return {
        ("GET", "/papi/v1/ping"): open_to_all(market_data.ping),
        ("GET", "/papi/v1/balance"): signed(portfolio.balance, 20),
        ("GET", "/papi/v1/account"): signed(portfolio.account, 20),
        ("GET", "/papi/v1/rateLimit/order"): signed(account_futures.order_rate_limits),
        **tables_futures.listen_key_routes("/papi/v1"),
    }
