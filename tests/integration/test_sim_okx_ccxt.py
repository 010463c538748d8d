"""Unmodified ccxt trades on the simulated OKX: spot, linear and inverse swaps, futures; sync, async and pro."""

import asyncio

import pytest
from patience import WAIT_SECONDS

ccxt = pytest.importorskip("ccxt")

CREDENTIALS = {"apiKey": "sim", "secret": "sim", "password": "sim", "enableRateLimit": False}
SPOT, LINEAR, INVERSE = "BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC"
AMOUNTS = {SPOT: 0.01, LINEAR: 2, INVERSE: 3, "future": 1}  # contracts, but for spot


@pytest.fixture(scope="module")
def okx_endpoints(tmp_path_factory):
    """A simulated OKX with moving books; the parsed endpoints file."""
    from simulator import read_endpoints, start_simulator

    file, stop = start_simulator(directory=tmp_path_factory.mktemp("okx"), venues="okx", rate=20, seed=7)
    yield read_endpoints(file)
    stop()


@pytest.fixture(scope="module")
def exchange(okx_endpoints):
    from clients import point_ccxt_okx

    client = point_ccxt_okx(ccxt.okx(CREDENTIALS), okx_endpoints)
    client.load_markets()
    return client


def named(exchange, symbol):
    """The symbol itself; the dated contract, whose name has its date, by the word `future`."""
    if symbol != "future":
        return symbol
    return next(s for s, market in exchange.markets.items() if market["future"] and market["linear"])


def far_below(exchange, symbol):
    return float(exchange.price_to_precision(symbol, exchange.fetch_order_book(symbol, 5)["bids"][0][0] * 0.97))


def test_markets_carry_the_filters(exchange):
    spot, linear, inverse = (exchange.markets[symbol] for symbol in (SPOT, LINEAR, INVERSE))
    assert spot["precision"] == {"price": 0.1, "amount": 1e-07} and spot["limits"]["amount"]["min"] == 1e-05
    assert linear["swap"] and linear["linear"] and linear["settle"] == "USDT" and linear["contractSize"] == 0.01
    assert inverse["swap"] and inverse["inverse"] and inverse["settle"] == "BTC" and inverse["contractSize"] == 100
    future = exchange.markets[named(exchange, "future")]
    assert future["expiry"] > exchange.milliseconds() and future["instIdCode"] > 0
    assert len({market["instIdCode"] for market in exchange.markets.values()}) == len(exchange.markets)


@pytest.mark.parametrize("symbol", AMOUNTS)
def test_book_ticker_trades_and_candles(exchange, symbol):
    name = named(exchange, symbol)
    book = exchange.fetch_order_book(name, 10)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert [p for p, _, _ in book["bids"]] == sorted((p for p, _, _ in book["bids"]), reverse=True)
    exchange.create_order(name, "market", "buy", AMOUNTS[symbol])
    assert exchange.fetch_ticker(name)["last"] > 0
    assert exchange.fetch_trades(name)[-1]["amount"] > 0
    assert exchange.fetch_ohlcv(name, "1m")[-1][5] > 0


@pytest.mark.parametrize("symbol", AMOUNTS)
def test_a_limit_order_rests_is_amended_and_is_cancelled(exchange, symbol):
    name, amount = named(exchange, symbol), AMOUNTS[symbol]
    settle = exchange.markets[name]["settle"] or "USDT"
    free = exchange.fetch_balance()[settle]["free"]
    price = far_below(exchange, name)
    placed = exchange.create_order(name, "limit", "buy", amount, price)
    order = exchange.fetch_order(placed["id"], name)
    assert (order["status"], order["price"], order["amount"]) == ("open", price, amount)
    assert order["clientOrderId"] == placed["clientOrderId"]
    assert placed["id"] in [o["id"] for o in exchange.fetch_open_orders(name)]
    assert exchange.fetch_balance()[settle]["free"] < free
    lower = float(exchange.price_to_precision(name, price * 0.99))
    assert exchange.edit_order(placed["id"], name, "limit", "buy", amount * 2, lower)["id"] == placed["id"]
    edited = exchange.fetch_order(placed["id"], name)
    assert (edited["status"], edited["price"], edited["amount"]) == ("open", lower, amount * 2)
    exchange.cancel_order(placed["id"], name)
    assert exchange.fetch_order(placed["id"], name)["status"] == "canceled"
    assert placed["id"] in [o["id"] for o in exchange.fetch_canceled_orders(name)]
    assert exchange.fetch_open_orders(name) == []
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order(placed["id"], name)


def test_a_spot_market_order_fills_and_pays(exchange):
    before = exchange.fetch_balance()["BTC"]["total"]
    placed = exchange.create_order(SPOT, "market", "buy", 0.01)
    order = exchange.fetch_order(placed["id"], SPOT)
    assert order["status"] == "closed" and order["filled"] == 0.01
    trades = [trade for trade in exchange.fetch_my_trades(SPOT) if trade["order"] == order["id"]]
    assert {trade["fee"]["currency"] for trade in trades} == {"BTC"}
    fee = sum(trade["fee"]["cost"] for trade in trades)
    assert fee == pytest.approx(1e-05, abs=1e-8 * len(trades))          # each fill's is rounded by itself
    assert order["fee"]["cost"] == pytest.approx(fee, abs=1e-9)
    assert exchange.fetch_balance()["BTC"]["total"] == pytest.approx(before + 0.01 - fee, abs=1e-9)
    spent = exchange.create_market_buy_order_with_cost(SPOT, 1000)
    assert 990 < exchange.fetch_order(spent["id"], SPOT)["filled"] * order["average"] <= 1001


@pytest.mark.parametrize("symbol", [LINEAR, INVERSE, "future"])
def test_a_position_is_opened_and_closed_reduce_only(exchange, symbol):
    name = named(exchange, symbol)
    held = sum(p["contracts"] for p in exchange.fetch_positions([name]))
    exchange.create_order(name, "market", "buy", 5)
    position = exchange.fetch_positions([name])[0]
    assert position["contracts"] == held + 5 and position["side"] == "long" and position["entryPrice"] > 0
    closing = exchange.create_order(name, "market", "sell", held + 5, params={"reduceOnly": True})
    assert exchange.fetch_order(closing["id"], name)["status"] == "closed"
    assert exchange.fetch_positions([name]) == []
    with pytest.raises(ccxt.ExchangeError, match="51169"):
        exchange.create_order(name, "market", "sell", 1, params={"reduceOnly": True})


def test_many_orders_at_once(exchange):
    price = far_below(exchange, LINEAR)
    forms = [{"symbol": LINEAR, "type": "limit", "side": "buy", "amount": n, "price": price} for n in (1, 2, 3)]
    ids = [order["id"] for order in exchange.create_orders(forms)]
    assert len(set(ids)) == 3
    assert [o["id"] for o in exchange.cancel_orders(ids, LINEAR)] == ids
    assert exchange.fetch_open_orders(LINEAR) == []


def test_settings_and_public_figures(exchange):
    exchange.set_leverage(7, "ETH/USDT:USDT", {"mgnMode": "cross"})
    assert exchange.fetch_leverage("ETH/USDT:USDT")["longLeverage"] == 7
    assert exchange.fetch_position_mode()["hedged"] is False
    assert exchange.fetch_funding_rate(LINEAR)["fundingRate"] == 0.0001
    assert exchange.fetch_mark_price(LINEAR)["markPrice"] > 0
    assert exchange.fetch_open_interest(LINEAR)["openInterestAmount"] >= 0
    assert exchange.fetch_trading_fee(SPOT)["taker"] == 0.001
    assert abs(exchange.fetch_time() - exchange.milliseconds()) < 5000
    assert exchange.fetch_status()["status"] == "ok"


def test_errors_arrive_as_ccxt_knows_them(exchange, okx_endpoints):
    from clients import point_ccxt_okx

    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order(SPOT, "limit", "buy", 1000, far_below(exchange, SPOT))
    with pytest.raises(ccxt.OrderNotFound):
        exchange.fetch_order("1", SPOT)
    with pytest.raises(ccxt.InvalidOrder, match="51016"):
        for _ in range(2):
            exchange.create_order(SPOT, "limit", "buy", 0.01, far_below(exchange, SPOT), {"clientOrderId": "twice"})
    exchange.cancel_order("", SPOT, {"clientOrderId": "twice"})
    for wrong, code in (({"secret": "wrong"}, "50113"), ({"password": "wrong"}, "50105"), ({"apiKey": "wrong"}, "50111")):
        stranger = point_ccxt_okx(ccxt.okx({**CREDENTIALS, **wrong}), okx_endpoints)
        with pytest.raises(ccxt.AuthenticationError, match=code):
            stranger.private_get_account_balance()


def test_the_async_client(okx_endpoints):
    async_ccxt = pytest.importorskip("ccxt.async_support")
    from clients import point_ccxt_okx

    async def scenario():
        client = point_ccxt_okx(async_ccxt.okx(CREDENTIALS), okx_endpoints)
        try:
            await client.load_markets()
            for symbol in (SPOT, LINEAR):
                book = await client.fetch_order_book(symbol, 5)
                price = float(client.price_to_precision(symbol, book["bids"][0][0] * 0.97))
                order = await client.create_order(symbol, "limit", "buy", AMOUNTS[symbol], price)
                assert (await client.fetch_order(order["id"], symbol))["status"] == "open"
                await client.cancel_order(order["id"], symbol)
                assert (await client.fetch_order(order["id"], symbol))["status"] == "canceled"
        finally:
            await client.close()

    asyncio.run(scenario())


async def a_position(client, symbol):
    """What `watch_positions` tells first of a position: the snapshot may be empty."""
    while not (told := await client.watch_positions([symbol])):
        pass
    return told


@pytest.mark.parametrize("symbol", [SPOT, LINEAR, INVERSE])
def test_the_pro_client_watches_and_trades_by_websocket(okx_endpoints, symbol):
    pro = pytest.importorskip("ccxt.pro")
    from clients import point_ccxt_okx

    async def scenario():
        client = point_ccxt_okx(pro.okx(CREDENTIALS), okx_endpoints)
        try:
            await client.load_markets()
            for _ in range(5):
                book = await asyncio.wait_for(client.watch_order_book(symbol), WAIT_SECONDS)
                assert book["bids"][0][0] < book["asks"][0][0]
            best = await asyncio.wait_for(client.watch_bids_asks([symbol]), WAIT_SECONDS)
            assert best[symbol]["bid"] < best[symbol]["ask"]
            assert (await asyncio.wait_for(client.watch_ticker(symbol), WAIT_SECONDS))["last"] > 0
            watching = [asyncio.create_task(client.watch_my_trades(symbol)), asyncio.create_task(client.watch_balance())]
            if symbol != SPOT:
                watching.append(asyncio.create_task(a_position(client, symbol)))
            orders = asyncio.create_task(client.watch_orders(symbol))
            placed = []
            for _ in range(60):                  # ccxt does not say when its subscriptions are there
                placed.append((await client.create_order_ws(symbol, "market", "buy", AMOUNTS[symbol]))["id"])
                if not (await asyncio.wait([orders, *watching], timeout=0.5))[1]:
                    break
            assert orders.result()[-1]["id"] in placed
            assert all(task.result() for task in watching)
            price = float(client.price_to_precision(symbol, book["bids"][0][0] * 0.97))
            resting = await client.create_order_ws(symbol, "limit", "buy", AMOUNTS[symbol], price)
            lower = float(client.price_to_precision(symbol, price * 0.99))
            await client.edit_order_ws(resting["id"], symbol, "limit", "buy", AMOUNTS[symbol], lower)
            assert (await client.fetch_order(resting["id"], symbol))["price"] == lower
            assert (await client.cancel_order_ws(resting["id"], symbol))["id"] == resting["id"]
            assert (await client.fetch_order(resting["id"], symbol))["status"] == "canceled"
        finally:
            await client.close()

    asyncio.run(scenario())
