"""What `api(account_type)` sends past the engine. The paths are the venues' own, from their documentation."""

import pytest

from nexus_fast.constants import ExchangeType
from nexus_fast.engine.requests import Api
from nexus_fast.error import OrderRefusedError
from nexus_fast.exchange import BinanceAccountType, BybitAccountType, OkxAccountType

BINANCE = """
POST /api/v3/order /api/v3/order/test /api/v3/order/cancelReplace /api/v3/order/oco /api/v3/orderList/oco /api/v3/orderList/oto
POST /api/v3/orderList/otoco /api/v3/orderList/opo /api/v3/sor/order /api/v3/sor/order/test
PUT /api/v3/order/amend/keepPriority
DELETE /api/v3/order /api/v3/openOrders /api/v3/orderList
POST /sapi/v1/margin/order /sapi/v1/margin/order/oco /sapi/v1/margin/order/oto /sapi/v1/margin/order/otoco
POST /sapi/v1/margin/manual-liquidation /sapi/v1/algo/spot/newOrderTwap /sapi/v1/algo/futures/newOrderVp
DELETE /sapi/v1/margin/order /sapi/v1/margin/openOrders /sapi/v1/margin/orderList /sapi/v1/algo/futures/order
POST /fapi/v1/order /fapi/v1/order/test /fapi/v1/batchOrders /fapi/v1/countdownCancelAll /fapi/v1/algoOrder
POST /fapi/v1/convert/acceptQuote
PUT /fapi/v1/order /fapi/v1/batchOrders /dapi/v1/order /dapi/v1/batchOrders /papi/v1/um/order /papi/v1/cm/order
DELETE /fapi/v1/order /fapi/v1/batchOrders /fapi/v1/allOpenOrders /fapi/v1/algoOrder /fapi/v1/algoOpenOrders
POST /dapi/v1/order /dapi/v1/batchOrders /dapi/v1/countdownCancelAll
DELETE /dapi/v1/order /dapi/v1/batchOrders /dapi/v1/allOpenOrders
POST /papi/v1/um/order /papi/v1/cm/order /papi/v1/margin/order /papi/v1/margin/order/oco /papi/v1/um/conditional/order
POST /papi/v1/cm/conditional/order /papi/v1/margin/repay-debt
DELETE /papi/v1/um/order /papi/v1/um/allOpenOrders /papi/v1/um/conditional/order /papi/v1/um/conditional/allOpenOrders
DELETE /papi/v1/cm/order /papi/v1/cm/allOpenOrders /papi/v1/margin/order /papi/v1/margin/allOpenOrders /papi/v1/margin/orderList
POST /fapi/v1/positionSide/dual /sapi/v1/capital/withdraw/apply /sapi/v1/asset/dust /sapi/v1/convert/acceptQuote
POST /sapi/v1/convert/limit/placeOrder /eapi/v1/order /eapi/v1/batchOrders
DELETE /fapi/v1/listenKey
"""
BYBIT = """
POST /v5/order/create /v5/order/amend /v5/order/cancel /v5/order/cancel-all /v5/order/create-batch /v5/order/amend-batch
POST /v5/order/cancel-batch /v5/order/disconnected-cancel-all /v5/order/pre-check /v5/position/trading-stop
POST /v5/position/move-positions /v5/position/switch-mode /v5/spread/order/create /v5/spread/order/cancel-all
POST /v5/rfq/execute-quote /v5/asset/exchange/convert-execute /v5/account/quick-repayment /v5/account/repay
POST /v5/asset/withdraw/create /v5/earn/place-order
"""
OKX = """
POST /api/v5/trade/order /api/v5/trade/batch-orders /api/v5/trade/cancel-order /api/v5/trade/cancel-batch-orders
POST /api/v5/trade/amend-order /api/v5/trade/amend-batch-orders /api/v5/trade/close-position /api/v5/trade/mass-cancel
POST /api/v5/trade/cancel-all-after /api/v5/trade/order-algo /api/v5/trade/cancel-algos /api/v5/trade/amend-algos
POST /api/v5/trade/cancel-advance-algos /api/v5/trade/easy-convert /api/v5/trade/one-click-repay /api/v5/trade/order-precheck
POST /api/v5/tradingBot/grid/order-algo /api/v5/tradingBot/grid/close-position /api/v5/tradingBot/signal/sub-order
POST /api/v5/sprd/order /api/v5/sprd/mass-cancel /api/v5/rfq/execute-quote /api/v5/asset/convert/trade
POST /api/v5/copytrading/close-subposition /api/v5/asset/withdrawal /api/v5/account/set-position-mode
"""
ACCOUNTS = {
    BinanceAccountType.SPOT: BINANCE, BinanceAccountType.USD_M_FUTURE: BINANCE, BinanceAccountType.PORTFOLIO_MARGIN: BINANCE,
    BybitAccountType.UNIFIED: BYBIT, OkxAccountType.LIVE: OKX,
}  # fmt: skip
LISTED = [(account, method, path) for account, text in ACCOUNTS.items() for line in text.strip().splitlines()
          for method, *paths in [line.split()] for path in paths]
TRICKS = [
    "/FAPI/V1/ORDER", "/fapi/v1/Order", "//fapi/v1/order", "/fapi//v1/order", "/fapi/v1/order/", "/fapi/v1/./order",
    "/fapi/v1/leverage/../order", "/fapi/v1/%6frder", "/fapi/v1/%6Frder", "/fapi/v1/leverage%2f..%2forder", "/fapi/v1/order?x=1",
    "/fapi/v1/leverage?x=1", "/fapi/v1/leverage#x", "/fapi/v1/leverage;x", "/fapi/v1\\order", "fapi/v1/order", "",
    "/fapi/v1/leverage\n", "/fapi/v1/leverage ", "/fapi/v1/lever\u0430ge", "@elsewhere.example/fapi/v1/leverage",
    ".elsewhere.example/fapi/v1/leverage", ":8080/fapi/v1/leverage", "https://elsewhere.example/fapi/v1/leverage",
]  # fmt: skip


class Account:
    """Its REST client takes notes and answers nothing."""

    def __init__(self, account_type):
        self.account_type, self.sent = account_type, []

    def open_rest(self):
        return self

    async def request(self, method, path, params=None, **options):
        self.sent.append((method, path))
        return b"{}"

    async def close(self):
        pass


def send(account, method, path, **options):
    return getattr(Api(account, **options), method.lower())(path, {"symbol": "BTCUSDT"})


@pytest.mark.parametrize(("account_type", "method", "path"), LISTED)
def test_no_order_goes_past_the_engine(account_type, method, path):
    account = Account(account_type)
    with pytest.raises(OrderRefusedError, match="create_order, modify_order, cancel_order"):
        send(account, method, path)
    assert account.sent == []


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", TRICKS)
def test_nor_by_another_way_to_write_its_path(path, method):
    """Questions neither: a path that changes the host would take the key with it."""
    account = Account(BinanceAccountType.USD_M_FUTURE)
    if method == "GET" and path in ("/FAPI/V1/ORDER", "/fapi/v1/Order"):
        return                                       # a question, which the venue answers as it likes
    with pytest.raises(OrderRefusedError):
        send(account, method, path)
    assert account.sent == []


@pytest.mark.parametrize("name", ["post_api_v3_order", "delete_fapi_v1_all_open_orders", "new_order", "request", "_request"])
def test_nor_by_a_generated_name(name):
    with pytest.raises(AttributeError, match="methods by name are not served"):
        getattr(Api(Account(BinanceAccountType.SPOT)), name)


@pytest.mark.parametrize(("account_type", "method", "path"), [
    (BinanceAccountType.USD_M_FUTURE, "POST", "/fapi/v1/leverage"),
    (BinanceAccountType.USD_M_FUTURE, "PUT", "/fapi/v1/listenKey"),
    (BinanceAccountType.SPOT, "POST", "/sapi/v1/asset/transfer"), (BybitAccountType.UNIFIED, "POST", "/v5/position/set-leverage"),
    (OkxAccountType.LIVE, "POST", "/api/v5/account/set-leverage"),
])  # fmt: skip
def test_settings_of_the_account_are_sent_until_the_kill_switch_is_pressed(account_type, method, path):
    account = Account(account_type)
    assert send(account, method, path) == {} and account.sent == [(method, path)]
    with pytest.raises(OrderRefusedError, match="kill switch"):
        send(account, method, path, is_halted=lambda: True)
    assert send(account, "GET", "/any/question", is_halted=lambda: True) == {}
    assert len(account.sent) == 2


def test_one_venue_does_not_take_anothers():
    with pytest.raises(OrderRefusedError):
        send(Account(OkxAccountType.LIVE), "POST", "/fapi/v1/leverage")


def test_every_venue_with_accounts_has_a_list():
    from nexus_fast.exchange.direct_calls import ALLOWED

    assert set(ALLOWED) == {ExchangeType.BINANCE, ExchangeType.BYBIT, ExchangeType.OKX}
    assert not [path for calls in ALLOWED.values() for _, path in calls if "order" in path.lower()]
