"""Unmodified python-binance trades on the simulated Binance: sync, async, and its WebSocket API."""

import asyncio

import pytest

pytest.importorskip("binance.client")
from binance import AsyncClient, Client  # noqa: E402
from binance.exceptions import BinanceAPIException  # noqa: E402


@pytest.fixture(scope="module")
def client(simulator_endpoints):
    from clients import pointed

    one = pointed(Client, simulator_endpoints)("sim", "sim")
    yield one
    one.close_connection()


def test_spot_market_data(client):
    assert {"BTCUSDT", "ETHUSDT", "USDCUSDT"} <= {s["symbol"] for s in client.get_exchange_info()["symbols"]}
    book = client.get_order_book(symbol="BTCUSDT", limit=5)
    assert float(book["bids"][0][0]) < float(book["asks"][0][0])
    assert client.get_symbol_info("USDCUSDT")["filters"][0]["tickSize"] == "0.00001000"
    assert float(client.get_orderbook_ticker(symbol="BTCUSDT")["bidPrice"]) > 0


def test_spot_limit_order_life(client):
    order = client.order_limit_buy(symbol="BTCUSDT", quantity="0.01", price="82000.00")
    assert order["status"] == "NEW" and order["fills"] == []
    assert client.get_order(symbol="BTCUSDT", orderId=order["orderId"])["status"] == "NEW"
    assert order["orderId"] in [o["orderId"] for o in client.get_open_orders(symbol="BTCUSDT")]
    canceled = client.cancel_order(symbol="BTCUSDT", orderId=order["orderId"])
    assert canceled["status"] == "CANCELED"
    assert canceled["origClientOrderId"] == order["clientOrderId"] != canceled["clientOrderId"]
    with pytest.raises(BinanceAPIException, match="Unknown order sent") as caught:
        client.cancel_order(symbol="BTCUSDT", orderId=order["orderId"])
    assert caught.value.code == -2011


def test_spot_market_orders_by_quantity_and_by_quote(client):
    order = client.order_market_buy(symbol="ETHUSDT", quantity="0.05")
    assert order["status"] == "FILLED" and order["fills"]
    spent = client.order_market_buy(symbol="ETHUSDT", quoteOrderQty="100")
    assert 0 < float(spent["cummulativeQuoteQty"]) <= 100
    assert order["orderId"] in [t["orderId"] for t in client.get_my_trades(symbol="ETHUSDT")]
    assert float(client.get_asset_balance("ETH")["free"]) > 0


def test_filters_refuse_with_the_venues_words(client):
    for quantity, price, text in (("0.000001", "82000.00", "LOT_SIZE"), ("0.01", "82000.001", "PRICE_FILTER"),
                                  ("0.00005", "82000.00", "NOTIONAL"), ("0.01", "1.00", "PERCENT_PRICE_BY_SIDE")):
        with pytest.raises(BinanceAPIException, match=text) as caught:
            client.order_limit_buy(symbol="BTCUSDT", quantity=quantity, price=price)
        assert caught.value.code == -1013


def test_futures_limit_order_life(client):
    assert {"BTCUSDT", "USDCUSDT"} <= {s["symbol"] for s in client.futures_exchange_info()["symbols"]}
    assert float(client.futures_account_balance()[0]["availableBalance"]) > 0
    order = client.futures_create_order(symbol="USDCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity=20,
                                        price="0.9700000")
    assert order["status"] == "NEW"
    assert client.futures_get_order(symbol="USDCUSDT", orderId=order["orderId"])["price"] == "0.9700000"
    changed = client.futures_modify_order(symbol="USDCUSDT", orderId=order["orderId"], side="BUY", quantity=20,
                                          price="0.9710000")
    assert changed["price"] == "0.9710000" and changed["orderId"] == order["orderId"]
    assert order["orderId"] in [o["orderId"] for o in client.futures_get_open_orders()]
    assert client.futures_cancel_order(symbol="USDCUSDT", orderId=order["orderId"])["status"] == "CANCELED"


def test_futures_position(client):
    filled = client.futures_create_order(symbol="ETHUSDT", side="BUY", type="MARKET", quantity="0.1",
                                         newOrderRespType="RESULT")
    assert filled["status"] == "FILLED" and "avgPrice" not in filled
    position = client.futures_position_information(symbol="ETHUSDT")[0]
    assert position["positionAmt"] == "0.100"
    client.futures_create_order(symbol="ETHUSDT", side="SELL", type="MARKET", quantity="0.1", reduceOnly="true")
    assert client.futures_position_information(symbol="ETHUSDT") == []
    trades = client.futures_account_trades(symbol="ETHUSDT")
    assert {t["side"] for t in trades} == {"BUY", "SELL"}


def test_async_client_and_websocket_api(simulator_endpoints):
    from clients import pointed

    async def scenario():
        client = await pointed(AsyncClient, simulator_endpoints).create("sim", "sim")
        try:
            assert (await client.get_account())["canTrade"]
            form = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01",
                    "price": "82000.00"}
            spot = await client.ws_create_order(**form)
            assert spot["status"] == "NEW"
            assert (await client.ws_cancel_order(symbol="BTCUSDT", orderId=spot["orderId"]))["status"] == "CANCELED"
            future = await client.ws_futures_create_order(**form)
            assert future["status"] == "NEW"
            canceled = await client.ws_futures_cancel_order(symbol="BTCUSDT", orderId=future["orderId"])
            assert canceled["status"] == "CANCELED"
        finally:
            await client.close_connection()

    asyncio.run(scenario())
