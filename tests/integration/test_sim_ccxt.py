"""Unmodified ccxt trades on the simulated Binance, spot and USD-M, with the sync, the async and the pro client."""

import asyncio

import pytest
from patience import WAIT_SECONDS

ccxt = pytest.importorskip("ccxt")

CREDENTIALS = {"apiKey": "sim", "secret": "sim"}
SPOT, PERPETUAL = "BTC/USDT", "USDC/USDT:USDT"


@pytest.fixture(scope="module")
def exchange(simulator_endpoints):
    from clients import point_ccxt

    client = point_ccxt(ccxt.binance(CREDENTIALS), simulator_endpoints)
    client.load_markets()
    return client


def balance(exchange, symbol, asset):
    return exchange.fetch_balance({"type": "swap"} if ":" in symbol else {})[asset]


def far_below(exchange, symbol):
    return float(exchange.price_to_precision(symbol, exchange.fetch_order_book(symbol, 5)["bids"][0][0] * 0.97))


AMOUNTS = {SPOT: 0.01, PERPETUAL: 20}


def test_markets_carry_the_filters(exchange):
    assert exchange.markets[SPOT]["precision"]["price"] == 0.01
    assert exchange.markets[SPOT]["precision"]["amount"] == 1e-05
    perpetual = exchange.markets[PERPETUAL]
    assert perpetual["swap"] and perpetual["linear"] and perpetual["settle"] == "USDT"
    assert perpetual["limits"]["cost"]["min"] == 5
    assert perpetual["limits"]["amount"]["min"] == 1


@pytest.mark.parametrize("symbol", AMOUNTS)
def test_book_ticker_trades_and_candles(exchange, symbol):
    book = exchange.fetch_order_book(symbol, 10)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert [p for p, _ in book["bids"]] == sorted((p for p, _ in book["bids"]), reverse=True)
    assert exchange.fetch_ticker(symbol)["last"] > 0
    exchange.create_order(symbol, "market", "buy", AMOUNTS[symbol])
    assert exchange.fetch_trades(symbol)[-1]["amount"] > 0
    assert exchange.fetch_ohlcv(symbol, "1m")[-1][5] > 0


@pytest.mark.parametrize("symbol", AMOUNTS)
def test_a_limit_order_rests_is_found_and_is_cancelled(exchange, symbol):
    free = balance(exchange, symbol, "USDT")["free"]
    order = exchange.create_order(symbol, "limit", "buy", AMOUNTS[symbol], far_below(exchange, symbol))
    assert order["status"] == "open"
    assert exchange.fetch_order(order["id"], symbol)["clientOrderId"] == order["clientOrderId"]
    assert order["id"] in [o["id"] for o in exchange.fetch_open_orders(symbol)]
    assert balance(exchange, symbol, "USDT")["free"] < free
    assert exchange.cancel_order(order["id"], symbol)["status"] == "canceled"
    assert exchange.fetch_order(order["id"], symbol)["status"] == "canceled"
    assert order["id"] not in [o["id"] for o in exchange.fetch_open_orders(symbol)]
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order(order["id"], symbol)


def test_a_spot_market_order_fills_and_pays(exchange):
    before = balance(exchange, SPOT, "BTC")["total"]
    order = exchange.create_order(SPOT, "market", "buy", 0.01)
    assert order["status"] == "closed" and order["filled"] == 0.01
    trade = exchange.fetch_my_trades(SPOT)[-1]
    assert trade["order"] == order["id"] and trade["fee"]["currency"] == "BTC"
    assert balance(exchange, SPOT, "BTC")["total"] == pytest.approx(before + 0.01 * 0.999, abs=1e-8)


def test_a_perpetual_is_opened_and_closed_reduce_only(exchange):
    held = sum(p["contracts"] for p in exchange.fetch_positions([PERPETUAL]))
    exchange.create_order(PERPETUAL, "market", "buy", 20)
    assert exchange.fetch_positions([PERPETUAL])[0]["contracts"] == held + 20
    order = exchange.create_order(PERPETUAL, "market", "sell", held + 20, params={"reduceOnly": True})
    assert order["status"] == "closed"
    assert exchange.fetch_positions([PERPETUAL]) == []
    with pytest.raises(ccxt.ExchangeError, match="-2022"):
        exchange.create_order(PERPETUAL, "market", "sell", 20, params={"reduceOnly": True})


def test_edit_keeps_the_perpetual_order_and_replaces_the_spot_one(exchange):
    for symbol in AMOUNTS:
        price = far_below(exchange, symbol)
        order = exchange.create_order(symbol, "limit", "buy", AMOUNTS[symbol], price)
        lower = float(exchange.price_to_precision(symbol, price * 0.99))
        edited = exchange.edit_order(order["id"], symbol, "limit", "buy", AMOUNTS[symbol], lower)
        assert exchange.fetch_order(edited["id"], symbol)["price"] == lower
        assert (edited["id"] == order["id"]) == (symbol == PERPETUAL)
        exchange.cancel_all_orders(symbol)
        assert exchange.fetch_open_orders(symbol) == []


def test_errors_arrive_as_ccxt_knows_them(exchange, simulator_endpoints):
    from clients import point_ccxt

    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order(SPOT, "limit", "buy", 1000, far_below(exchange, SPOT))
    with pytest.raises(ccxt.OrderNotFound):
        exchange.fetch_order("1", SPOT)
    stranger = point_ccxt(ccxt.binance({"apiKey": "sim", "secret": "wrong"}), simulator_endpoints)
    with pytest.raises(ccxt.AuthenticationError, match="-1022"):
        stranger.fetch_balance()


def test_the_async_client(simulator_endpoints):
    async_ccxt = pytest.importorskip("ccxt.async_support")
    from clients import point_ccxt

    async def scenario():
        client = point_ccxt(async_ccxt.binance(CREDENTIALS), simulator_endpoints)
        try:
            for symbol, amount in AMOUNTS.items():
                book = await client.fetch_order_book(symbol, 5)
                price = float(client.price_to_precision(symbol, book["bids"][0][0] * 0.97))
                order = await client.create_order(symbol, "limit", "buy", amount, price)
                assert (await client.fetch_order(order["id"], symbol))["status"] == "open"
                assert (await client.cancel_order(order["id"], symbol))["status"] == "canceled"
                filled = await client.create_order(symbol, "market", "buy", amount)
                assert filled["status"] == "closed"
        finally:
            await client.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("symbol", [SPOT, "BTC/USDT:USDT"])
def test_the_pro_client_watches_and_trades_by_websocket(simulator_endpoints, symbol):
    pro = pytest.importorskip("ccxt.pro")
    from clients import point_ccxt_pro

    async def scenario():
        client = point_ccxt_pro(pro.binance(CREDENTIALS), simulator_endpoints)
        try:
            book = await asyncio.wait_for(client.watch_order_book(symbol), WAIT_SECONDS)
            assert book["bids"][0][0] < book["asks"][0][0]
            best = await asyncio.wait_for(client.watch_bids_asks([symbol]), WAIT_SECONDS)
            assert best[symbol]["bid"] < best[symbol]["ask"]
            watched = asyncio.create_task(client.watch_orders(symbol))
            placed = []
            for _ in range(60):  # ccxt paces its own requests: its user stream is up some seconds after the call
                placed.append((await client.create_order_ws(symbol, "market", "buy", 0.01))["id"])
                await asyncio.sleep(0.5)
                if watched.done():
                    break
            assert watched.result()[-1]["id"] in placed
            resting = await client.create_order_ws(symbol, "limit", "buy", 0.01, 82500)
            assert (await client.cancel_order_ws(resting["id"], symbol))["status"] == "canceled"
        finally:
            await client.close()

    asyncio.run(scenario())
