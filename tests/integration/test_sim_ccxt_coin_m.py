"""Unmodified ccxt trades coin-margined contracts on the simulated Binance: amounts in contracts, money in coins."""

import asyncio

import pytest
from patience import WAIT_SECONDS

ccxt = pytest.importorskip("ccxt")

CREDENTIALS = {"apiKey": "coins", "secret": "coins", "enableRateLimit": False}
PERPETUAL, ETHER = "BTC/USD:BTC", "ETH/USD:ETH"


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory):
    from simulator import read_endpoints, start_simulator

    directory = tmp_path_factory.mktemp("coin_m")
    file, stop = start_simulator(directory=directory, rate=20, seed=5, account=["coins:coins"])
    yield read_endpoints(file)
    stop()


@pytest.fixture(scope="module")
def exchange(endpoints):
    from clients import point_ccxt

    client = point_ccxt(ccxt.binancecoinm(CREDENTIALS), endpoints)
    client.load_markets()
    return client


def far_below(exchange, symbol):
    return float(exchange.price_to_precision(symbol, exchange.fetch_order_book(symbol, 5)["bids"][0][0] * 0.97))


def coins(exchange, asset):
    return exchange.fetch_balance()[asset]["total"]


def test_contracts_have_their_size_and_the_dated_one_its_day(exchange):
    assert (exchange.markets[PERPETUAL]["contractSize"], exchange.markets[ETHER]["contractSize"]) == (100, 10)
    assert exchange.markets[PERPETUAL]["inverse"] and exchange.markets[PERPETUAL]["settle"] == "BTC"
    dated = [m for m in exchange.markets.values() if m["inverse"] and m["future"]]
    assert len(dated) == 1 and dated[0]["expiry"] > exchange.milliseconds()


def test_a_limit_order_rests_is_changed_and_is_cancelled(exchange):
    price = far_below(exchange, PERPETUAL)
    order = exchange.create_order(PERPETUAL, "limit", "buy", 7, price)
    assert order["status"] == "open" and order["id"] in [o["id"] for o in exchange.fetch_open_orders(PERPETUAL)]
    lower = float(exchange.price_to_precision(PERPETUAL, price * 0.99))
    exchange.edit_order(order["id"], PERPETUAL, "limit", "buy", 9, lower)
    found = exchange.fetch_order(order["id"], PERPETUAL)
    assert (found["price"], found["amount"], found["clientOrderId"]) == (lower, 9, order["clientOrderId"])
    assert exchange.cancel_order(order["id"], PERPETUAL)["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order(order["id"], PERPETUAL)


def test_a_position_costs_and_earns_coins(exchange):
    before = coins(exchange, "ETH")
    bought = exchange.create_order(ETHER, "market", "buy", 50)
    entry = exchange.fetch_order(bought["id"], ETHER)["average"]
    position = exchange.fetch_positions([ETHER])[0]
    assert (position["contracts"], position["side"], position["contractSize"]) == (50, "long", 10)
    assert position["entryPrice"] == pytest.approx(entry, rel=1e-6)
    sold = exchange.create_order(ETHER, "market", "sell", 50, params={"reduceOnly": True})
    leave = exchange.fetch_order(sold["id"], ETHER)["average"]
    fees = sum(t["fee"]["cost"] for t in exchange.fetch_my_trades(ETHER) if t["order"] in (bought["id"], sold["id"]))
    assert {t["fee"]["currency"] for t in exchange.fetch_my_trades(ETHER)} == {"ETH"}
    profit = 50 * 10 * (1 / entry - 1 / leave)
    assert coins(exchange, "ETH") - before == pytest.approx(profit - fees, abs=2e-6)
    assert exchange.fetch_positions([ETHER]) == []
    with pytest.raises(ccxt.ExchangeError, match="-2022"):
        exchange.create_order(ETHER, "market", "sell", 5, params={"reduceOnly": True})


def test_book_ticker_trades_candles_and_leverage(exchange):
    exchange.create_order(PERPETUAL, "market", "sell", 3)
    book = exchange.fetch_order_book(PERPETUAL, 5)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert exchange.fetch_ticker(PERPETUAL)["last"] > 0
    assert exchange.fetch_trades(PERPETUAL)[-1]["amount"] > 0
    assert exchange.fetch_ohlcv(PERPETUAL, "1m")[-1][5] > 0
    assert int(exchange.set_leverage(7, PERPETUAL)["leverage"]) == 7
    with pytest.raises(ccxt.ExchangeError, match="-2019"):
        exchange.create_order(PERPETUAL, "limit", "buy", 900_000, far_below(exchange, PERPETUAL))


def test_the_pro_client_watches(endpoints):
    pro = pytest.importorskip("ccxt.pro")
    from clients import point_ccxt_pro

    async def scenario():
        client = point_ccxt_pro(pro.binancecoinm(CREDENTIALS), endpoints)
        try:
            best = await asyncio.wait_for(client.watch_bids_asks([PERPETUAL]), WAIT_SECONDS)
            assert best[PERPETUAL]["bid"] < best[PERPETUAL]["ask"]
            watched = asyncio.create_task(client.watch_orders(PERPETUAL))
            placed = []
            for _ in range(60):
                placed.append((await client.create_order(PERPETUAL, "market", "buy", 1))["id"])
                await asyncio.sleep(0.5)
                if watched.done():
                    break
            assert watched.result()[-1]["id"] in placed
        finally:
            await client.close()

    asyncio.run(scenario())
