"""The venue's own client, pybit, unmodified, trades on the simulated Bybit: HTTP, its streams, its trade WebSocket.

pybit lets its users choose a domain but neither scheme nor port: HTTP is given another `endpoint` once it is made, and the
WebSockets another template of their address, which is a constant of their modules. It sends a subscription before it notes
its name, so that an answer must not come before its thread goes on: the simulator's line has some delay.
"""

import logging
import queue
import signal
import time

import pytest
from patience import SCRIPT_SECONDS, WAIT_SECONDS

pytest.importorskip("pybit")

from pybit import _websocket_stream, _websocket_trading, exceptions, unified_trading  # noqa: E402

MARKETS = {"spot": ("BTCUSDT", "0.01"), "linear": ("BTCUSDT", "0.01"), "inverse": ("BTCUSD", "100")}

LINES = ("stream", "user", "order")


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory):
    from simulator import read_endpoints, start_simulator

    directory = tmp_path_factory.mktemp("bybit")
    script = directory / "line.toml"
    script.write_text("".join(f'[[fault]]\nkind = "delay"\nconnection = "{name}"\nms = 200\n' for name in LINES))
    file, stop = start_simulator(directory=directory, venues="bybit", rate=20, seed=9, faults=script)
    yield read_endpoints(file)["bybit"]
    stop()


@pytest.fixture(scope="module")
def http(endpoints):
    client = unified_trading.HTTP(api_key="sim", api_secret="sim", force_retry=False, max_retries=1)
    client.endpoint = endpoints["rest"]
    return client


@pytest.fixture
def addresses(endpoints, monkeypatch):
    """pybit's address templates, pointed at the simulator; its waits, which have no end of their own, are given one."""
    def too_long(*_):
        raise TimeoutError("pybit waits for ever")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(int(SCRIPT_SECONDS))
    monkeypatch.setattr(unified_trading, "PUBLIC_WSS", endpoints["public"] + "/{CHANNEL_TYPE}")
    monkeypatch.setattr(unified_trading, "PRIVATE_WSS", endpoints["private"])
    monkeypatch.setattr(_websocket_trading, "TRADE_WSS", endpoints["trade"])
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def test_market_data(http):
    assert abs(int(http.get_server_time()["result"]["timeSecond"]) - time.time()) < 5
    for category, (symbol, _) in MARKETS.items():
        question = {"category": category, "symbol": symbol}
        assert http.get_instruments_info(**question)["result"]["list"][0]["symbol"] == symbol
        book = http.get_orderbook(**question)["result"]
        assert float(book["b"][0][0]) < float(book["a"][0][0])
        assert float(http.get_tickers(**question)["result"]["list"][0]["lastPrice"]) > 0
        http.get_kline(**question, interval=1)
        http.get_public_trade_history(**question)
        if category != "spot":
            assert http.get_funding_rate_history(**question)["result"]["list"]
            assert http.get_risk_limit(**question)["result"]["list"]
    listed, cursor = [], ""
    while True:
        result = http.get_instruments_info(category="linear", limit=2, cursor=cursor)["result"]
        listed += [each["symbol"] for each in result["list"]]
        cursor = result["nextPageCursor"]
        if not cursor:
            break
    assert listed == [each["symbol"] for each in http.get_instruments_info(category="linear")["result"]["list"]]


@pytest.mark.parametrize("category", MARKETS)
def test_orders_over_http(http, category):
    symbol, qty = MARKETS[category]
    market = {"category": category, "symbol": symbol}
    placed = http.place_order(**market, side="Buy", orderType="Limit", qty=qty, price="82000",
                              orderLinkId=f"http-{category}")["result"]
    named = {**market, "orderLinkId": f"http-{category}"}
    row = http.get_open_orders(**named)["result"]["list"][0]
    assert (row["orderId"], row["orderStatus"], row["price"]) == (placed["orderId"], "New", "82000")
    assert http.amend_order(**named, price="81000")["result"] == placed
    assert http.cancel_order(**named)["result"] == placed
    assert http.get_order_history(**named)["result"]["list"][0]["orderStatus"].startswith("Cancelled")
    filled = http.place_order(**market, side="Buy", orderType="Market", qty=qty, marketUnit="baseCoin")["result"]
    rows = http.get_executions(**market, orderId=filled["orderId"])["result"]["list"]
    assert sum(float(row["execQty"]) for row in rows) == pytest.approx(float(qty))
    forms = [{"symbol": symbol, "side": "Buy", "orderType": "Limit", "qty": qty, "price": "82000"}] * 2
    batch = http.place_batch_order(category=category, request=forms)
    assert [each["code"] for each in batch["retExtInfo"]["list"]] == [0, 0]
    assert len(http.cancel_all_orders(**market)["result"]["list"]) == 2
    with pytest.raises(exceptions.InvalidRequestError) as refused:
        http.cancel_order(**named)
    assert refused.value.status_code == (170213 if category == "spot" else 110001)


def test_the_account_over_http(http):
    assert http.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0]["accountType"] == "UNIFIED"
    assert http.get_account_info()["result"]["unifiedMarginStatus"] == 6
    assert http.get_fee_rates(category="linear", symbol="BTCUSDT")["result"]["list"][0]["takerFeeRate"] == "0.00055"
    assert http.get_api_key_information()["result"]["uta"] == 1
    assert http.get_coin_info()["result"]["rows"]
    assert http.get_positions(category="linear", settleCoin="USDT")["retCode"] == 0
    http.set_leverage(category="linear", symbol="ETHUSDT", buyLeverage="5", sellLeverage="5")
    with pytest.raises(exceptions.InvalidRequestError, match="110043"):
        http.set_leverage(category="linear", symbol="ETHUSDT", buyLeverage="5", sellLeverage="5")
    assert http.set_dcp(timeWindow=40)["retCode"] == 0


@pytest.mark.parametrize("category", MARKETS)
def test_public_streams(addresses, category):
    symbol = MARKETS[category][0]
    heard: queue.Queue = queue.Queue()
    socket = unified_trading.WebSocket(testnet=False, channel_type=category)
    try:
        socket.orderbook_stream(1, symbol, heard.put)
        first = heard.get(timeout=WAIT_SECONDS)
        assert first["topic"] == f"orderbook.1.{symbol}" and first["data"]["b"] and first["data"]["a"]
        others: queue.Queue = queue.Queue()
        socket.orderbook_stream(50, symbol, others.put)
        socket.ticker_stream(symbol, others.put)
        socket.trade_stream(symbol, others.put)
        wanted = {f"orderbook.50.{symbol}", f"tickers.{symbol}", f"publicTrade.{symbol}"}
        while wanted:
            wanted.discard(others.get(timeout=WAIT_SECONDS)["topic"])
        book = socket.data[f"orderbook.50.{symbol}"]
        assert max(float(p) for p, _ in book["b"]) < min(float(p) for p, _ in book["a"])
    finally:
        socket.exit()


def test_private_streams_and_the_trade_socket(addresses, caplog):
    caplog.set_level(logging.DEBUG, logger=_websocket_stream.logger.name)
    heard = {name: queue.Queue() for name in ("order", "execution", "fast", "position", "wallet")}
    private = unified_trading.WebSocket(testnet=False, channel_type="private", api_key="sim", api_secret="sim")
    trade = unified_trading.WebSocketTrading(testnet=False, api_key="sim", api_secret="sim")
    try:
        private.order_stream(heard["order"].put)
        private.execution_stream(heard["execution"].put)
        private.fast_execution_stream(heard["fast"].put, categorised_topic="linear")
        private.position_stream(heard["position"].put)
        private.wallet_stream(heard["wallet"].put)
        while caplog.text.count("successful.") < len(heard):     # of subscriptions: pybit tells its log alone
            time.sleep(0.05)
        answers: queue.Queue = queue.Queue()
        form = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.01"}
        trade.place_order(answers.put, **form)
        placed = answers.get(timeout=WAIT_SECONDS)
        assert (placed["retCode"], placed["op"]) == (0, "order.create")
        order_id = placed["data"]["orderId"]
        order = heard["order"].get(timeout=WAIT_SECONDS)["data"][0]
        assert (order["orderId"], order["orderStatus"]) == (order_id, "Filled")
        assert heard["execution"].get(timeout=WAIT_SECONDS)["data"][0]["orderId"] == order_id
        assert heard["fast"].get(timeout=WAIT_SECONDS)["topic"] == "execution.fast.linear"
        assert heard["position"].get(timeout=WAIT_SECONDS)["data"][0]["side"] == "Buy"
        assert heard["wallet"].get(timeout=WAIT_SECONDS)["data"][0]["coin"][0]["coin"] == "USDT"
        trade.place_order(answers.put, **{**form, "orderType": "Limit"}, price="82000")
        named = {"category": "linear", "symbol": "BTCUSDT", "orderId": answers.get(timeout=WAIT_SECONDS)["data"]["orderId"]}
        trade.amend_order(answers.put, **named, price="81000")
        assert answers.get(timeout=WAIT_SECONDS)["retCode"] == 0
        trade.cancel_order(answers.put, **named)
        assert answers.get(timeout=WAIT_SECONDS)["retCode"] == 0
        statuses = [heard["order"].get(timeout=WAIT_SECONDS)["data"][0]["orderStatus"] for _ in range(3)]
        assert statuses == ["New", "New", "Cancelled"]
    finally:
        private.exit()
        trade.exit()
