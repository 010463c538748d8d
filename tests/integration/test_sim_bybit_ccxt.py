"""Unmodified ccxt trades on the simulated Bybit, spot, linear and inverse, with the sync and the pro client."""

import asyncio

import pytest
from patience import WAIT_SECONDS

ccxt = pytest.importorskip("ccxt")

CREDENTIALS = {"apiKey": "sim", "secret": "sim"}
SPOT, LINEAR, INVERSE = "BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC"
AMOUNTS = {SPOT: 0.01, LINEAR: 0.01, INVERSE: 100}
FOUND = {"acknowledged": True}  # ccxt wants to hear that old orders are not found


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory):
    from simulator import read_endpoints, start_simulator

    file, stop = start_simulator(directory=tmp_path_factory.mktemp("bybit"), venues="bybit", rate=20, seed=7)
    yield read_endpoints(file)
    stop()


@pytest.fixture(scope="module")
def exchange(endpoints):
    from clients import point_ccxt_bybit

    client = point_ccxt_bybit(ccxt.bybit({**CREDENTIALS, "enableRateLimit": False}), endpoints)
    client.load_markets()
    return client


def far_below(exchange, symbol):
    return float(exchange.price_to_precision(symbol, exchange.fetch_order_book(symbol, 5)["bids"][0][0] * 0.97))


def status(exchange, order, symbol):
    return exchange.fetch_order(order["id"], symbol, FOUND)["status"]


def test_markets_carry_the_filters(exchange):
    assert exchange.markets[SPOT]["precision"] == {"amount": 1e-06, "price": 0.1}
    linear, inverse = exchange.markets[LINEAR], exchange.markets[INVERSE]
    assert linear["swap"] and linear["linear"] and linear["settle"] == "USDT" and linear["limits"]["amount"]["min"] == 0.001
    assert inverse["inverse"] and inverse["settle"] == "BTC" and inverse["precision"]["amount"] == 1
    assert exchange.currencies["BTC"]["id"] == "BTC"


@pytest.mark.parametrize("symbol", AMOUNTS)
def test_books_tickers_trades_and_candles(exchange, symbol):
    book = exchange.fetch_order_book(symbol, 10)
    assert book["bids"][0][0] < book["asks"][0][0]
    exchange.create_order(symbol, "market", "buy", AMOUNTS[symbol])
    ticker = exchange.fetch_ticker(symbol)
    assert ticker["last"] > 0 and ticker["bid"] < ticker["ask"]
    assert symbol in exchange.fetch_tickers([symbol])
    assert exchange.fetch_trades(symbol)[-1]["amount"] > 0
    assert exchange.fetch_ohlcv(symbol, "1m")[-1][5] > 0
    if symbol != SPOT:
        assert exchange.fetch_funding_rate(symbol)["fundingRate"] == 0.0001


@pytest.mark.parametrize("symbol", AMOUNTS)
def test_a_limit_order_rests_is_edited_and_is_cancelled(exchange, symbol):
    amount, price = AMOUNTS[symbol], far_below(exchange, symbol)
    coin = "BTC" if symbol == INVERSE else "USDT"
    free = exchange.fetch_balance()[coin]["free"]
    order = exchange.create_order(symbol, "limit", "buy", amount, price, {"clientOrderId": f"mine-{symbol[-3:]}"})
    found = exchange.fetch_order(order["id"], symbol, FOUND)
    assert (found["status"], found["price"], found["amount"]) == ("open", price, amount)
    assert found["clientOrderId"] == order["clientOrderId"] == f"mine-{symbol[-3:]}"
    assert order["id"] in [o["id"] for o in exchange.fetch_open_orders(symbol)]
    assert exchange.fetch_balance()[coin]["free"] < free
    lower = float(exchange.price_to_precision(symbol, price * 0.99))
    assert exchange.edit_order(order["id"], symbol, "limit", "buy", amount, lower)["id"] == order["id"]
    assert exchange.fetch_order(order["id"], symbol, FOUND)["price"] == lower
    assert exchange.cancel_order(order["id"], symbol)["id"] == order["id"]
    assert status(exchange, order, symbol) == "canceled"
    assert order["id"] in [o["id"] for o in exchange.fetch_canceled_orders(symbol)]
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order(order["id"], symbol)
    placed = [exchange.create_order(symbol, "limit", "buy", amount, price)["id"] for _ in range(2)]
    exchange.cancel_all_orders(symbol)
    assert not {o["id"] for o in exchange.fetch_open_orders(symbol)} & set(placed)


def test_a_spot_market_order_fills_and_pays(exchange):
    before = exchange.fetch_balance()["BTC"]["total"]
    order = exchange.create_order(SPOT, "market", "buy", 0.01)
    found = exchange.fetch_order(order["id"], SPOT, FOUND)
    assert (found["status"], found["filled"], found["fee"]["currency"]) == ("closed", 0.01, "BTC")
    trade = [t for t in exchange.fetch_my_trades(SPOT) if t["order"] == order["id"]]
    assert sum(t["amount"] for t in trade) == pytest.approx(0.01) and trade[0]["fee"]["currency"] == "BTC"
    assert exchange.fetch_balance()["BTC"]["total"] == pytest.approx(before + 0.01 * 0.999, abs=1e-8)
    assert order["id"] in [o["id"] for o in exchange.fetch_closed_orders(SPOT)]
    by_cost = exchange.create_market_buy_order_with_cost(SPOT, 500)
    assert exchange.fetch_order(by_cost["id"], SPOT, FOUND)["cost"] == pytest.approx(500, abs=1)


@pytest.mark.parametrize("symbol", [LINEAR, INVERSE])
def test_a_perpetual_is_opened_and_closed_reduce_only(exchange, symbol):
    amount = AMOUNTS[symbol]
    held = sum(p["contracts"] for p in exchange.fetch_positions([symbol]) if p["side"])
    exchange.create_order(symbol, "market", "buy", amount)
    position = exchange.fetch_positions([symbol])[0]
    assert (position["side"], position["contracts"]) == ("long", pytest.approx(held + amount))
    order = exchange.create_order(symbol, "market", "sell", held + amount, params={"reduceOnly": True})
    assert status(exchange, order, symbol) == "closed"
    assert exchange.fetch_positions([symbol])[0]["contracts"] == 0
    with pytest.raises(ccxt.InvalidOrder, match="110017"):
        exchange.create_order(symbol, "market", "sell", amount, params={"reduceOnly": True})
    leverage = 7 if exchange.fetch_leverage(symbol)["longLeverage"] != 7 else 8
    exchange.set_leverage(leverage, symbol)
    assert exchange.fetch_leverage(symbol)["longLeverage"] == leverage


def test_errors_arrive_as_ccxt_knows_them(exchange, endpoints):
    from clients import point_ccxt_bybit

    for symbol in (SPOT, LINEAR):
        with pytest.raises(ccxt.InsufficientFunds):
            exchange.create_order(symbol, "limit", "buy", 60 if symbol == SPOT else 1000, far_below(exchange, symbol))
    with pytest.raises(ccxt.OrderNotFound):
        exchange.fetch_order("1", SPOT, FOUND)
    stranger = point_ccxt_bybit(ccxt.bybit({"apiKey": "sim", "secret": "wrong"}), endpoints)
    with pytest.raises(ccxt.AuthenticationError, match="10004"):
        stranger.fetch_balance()


def test_the_pro_client_watches_and_trades_by_websocket(endpoints):
    pro = pytest.importorskip("ccxt.pro")
    from clients import point_ccxt_bybit

    async def one(client, symbol):
        async def soon(awaitable):
            return await asyncio.wait_for(awaitable, WAIT_SECONDS)

        book = await soon(client.watch_order_book(symbol))
        assert book["bids"][0][0] < book["asks"][0][0]
        best = await soon(client.watch_bids_asks([symbol]))
        assert best[symbol]["bid"] < best[symbol]["ask"]
        assert (await soon(client.watch_ticker(symbol)))["last"] > 0
        watched = [asyncio.create_task(call) for call in (client.watch_orders(symbol), client.watch_my_trades(symbol))]
        placed = []
        for _ in range(60):                      # ccxt does not say when its subscriptions are there
            placed.append((await soon(client.create_order_ws(symbol, "market", "buy", AMOUNTS[symbol])))["id"])
            if not (await asyncio.wait(watched, timeout=0.5))[1]:
                break
        order, trade = [task.result()[-1] for task in watched]
        assert order["id"] in placed and (order["status"], order["symbol"]) == ("closed", symbol)
        assert trade["order"] in placed and trade["symbol"] == symbol and trade["fee"]["cost"] > 0
        resting = await soon(client.create_order_ws(symbol, "limit", "buy", AMOUNTS[symbol], 82500))
        assert (await soon(client.edit_order_ws(resting["id"], symbol, "limit", "buy", AMOUNTS[symbol], 82000)))["id"]
        watched = asyncio.create_task(client.watch_orders(symbol))
        assert (await soon(client.cancel_order_ws(resting["id"], symbol)))["id"] == resting["id"]
        ended = (await soon(watched))[-1]
        assert (ended["id"], ended["price"]) == (resting["id"], 82000)
        with pytest.raises(ccxt.OrderNotFound):
            await soon(client.cancel_order_ws(resting["id"], symbol))

    async def scenario():
        client = point_ccxt_bybit(pro.bybit({**CREDENTIALS, "enableRateLimit": False}), endpoints)
        try:
            await client.load_markets()
            for symbol in AMOUNTS:
                await one(client, symbol)
        finally:
            await client.close()

    asyncio.run(scenario())
