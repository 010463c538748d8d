"""Margin: its REST paths below /sapi/v1, with the venue's request weights. Its events come over spot's WebSocket API."""

from nexus_fast.sim.binance import operations_margin as margin
from nexus_fast.sim.binance import operations_wallet as wallet
from nexus_fast.sim.binance.operations_margin import on_account
from nexus_fast.sim.binance.routes import new_order, open_to_all, order_change, signed, with_key

REST = {
    ("POST", "/sapi/v1/margin/order"): new_order(on_account(margin.place), 6),
    ("GET", "/sapi/v1/margin/order"): signed(on_account(margin.status), 10),
    ("DELETE", "/sapi/v1/margin/order"): order_change(on_account(margin.cancel), 10),
    ("GET", "/sapi/v1/margin/openOrders"): signed(on_account(margin.open_orders), 10),
    ("DELETE", "/sapi/v1/margin/openOrders"): order_change(on_account(margin.cancel_open_orders)),
    ("GET", "/sapi/v1/margin/allOrders"): signed(on_account(margin.all_orders), 200),
    ("GET", "/sapi/v1/margin/myTrades"): signed(on_account(margin.my_trades), 10),
    ("GET", "/sapi/v1/margin/account"): signed(margin.account, 10),
    ("GET", "/sapi/v1/margin/isolated/account"): signed(margin.isolated_accounts, 10),
    ("GET", "/sapi/v1/margin/allPairs"): open_to_all(margin.pairs),
    ("GET", "/sapi/v1/margin/isolated/allPairs"): open_to_all(margin.pairs, 10),
    ("GET", "/sapi/v1/margin/allAssets"): open_to_all(wallet.nothing),
    ("POST", "/sapi/v1/userListenToken"): with_key(margin.listen_token),
}
