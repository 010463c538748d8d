"""Unmodified ccxt trades on the simulated Binance's margin accounts: cross, isolated, portfolio margin."""

import pytest

ccxt = pytest.importorskip("ccxt")

CREDENTIALS = {"apiKey": "credit", "secret": "credit", "enableRateLimit": False}
SPOT, PERPETUAL, INVERSE = "BNB/USDT", "BNB/USDT:USDT", "ETH/USD:ETH"
PORTFOLIO = {"portfolioMargin": True}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory):
    from clients import point_ccxt
    from simulator import read_endpoints, start_simulator

    directory = tmp_path_factory.mktemp("margin")
    file, stop = start_simulator(directory=directory, rate=20, seed=9, account=["credit:credit"])
    client = point_ccxt(ccxt.binance(CREDENTIALS), read_endpoints(file))
    client.load_markets()
    yield client
    stop()


def far_below(exchange, symbol):
    return float(exchange.price_to_precision(symbol, exchange.fetch_order_book(symbol, 5)["bids"][0][0] * 0.97))


@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_a_margin_order_rests_fills_and_is_paid_from_its_own_wallet(exchange, mode):
    params = {"marginMode": mode}

    def held(asset):
        return exchange.fetch_balance(params)[asset]["total"]

    order = exchange.create_order(SPOT, "limit", "buy", 0.1, far_below(exchange, SPOT), params)
    assert exchange.fetch_order(order["id"], SPOT, params)["status"] == "open"
    assert [o["id"] for o in exchange.fetch_open_orders(SPOT, params=params)] == [order["id"]]
    assert exchange.fetch_open_orders(SPOT) == []
    assert exchange.cancel_order(order["id"], SPOT, params)["status"] == "canceled"
    spot, before = exchange.fetch_balance()["BNB"]["total"], held("BNB")
    filled = exchange.create_order(SPOT, "market", "buy", 0.1, params=params)
    assert filled["status"] == "closed"
    assert held("BNB") == pytest.approx(before + 0.1 * 0.999, abs=1e-8)
    assert exchange.fetch_balance()["BNB"]["total"] == spot
    assert exchange.fetch_my_trades(SPOT, params=params)[-1]["order"] == filled["id"]


def test_margin_borrows_only_when_the_order_says_so_and_pays_back_when_told(exchange):
    wallet = {"type": "margin"}

    def row(asset):
        assets = exchange.sapi_get_margin_account()["userAssets"]
        return {name: float(value) for name, value in next(a for a in assets if a["asset"] == asset).items() if name != "asset"}

    free = row("USDC")["free"]
    price = exchange.price_to_precision("USDC/USDT", exchange.fetch_order_book("USDC/USDT")["asks"][0][0] * 1.02)
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order("USDC/USDT", "limit", "sell", free + 5, float(price), {"marginMode": "cross"})
    exchange.create_order("USDC/USDT", "market", "sell", free + 5, params={"marginMode": "cross", "sideEffectType": "MARGIN_BUY"})
    assert (row("USDC")["borrowed"], row("USDC")["free"]) == (5, 0)
    bought = {"marginMode": "cross", "sideEffectType": "AUTO_REPAY"}
    exchange.create_order("USDC/USDT", "market", "buy", 9, params=bought)
    assert row("USDC")["borrowed"] == 0 and row("USDC")["free"] == pytest.approx(9 * 0.999 - 5)
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order("USDC/USDT", "limit", "sell", 9_000_000, float(price),
                              {"marginMode": "cross", "sideEffectType": "MARGIN_BUY"})
    assert exchange.fetch_balance(wallet)["USDC"]["debt"] == 0


@pytest.mark.parametrize("symbol, amount", [(SPOT, 0.1), (PERPETUAL, 0.1), (INVERSE, 4)])
def test_portfolio_margin_trades_every_kind(exchange, symbol, amount):
    order = exchange.create_order(symbol, "limit", "buy", amount, far_below(exchange, symbol), PORTFOLIO)
    assert exchange.fetch_order(order["id"], symbol, PORTFOLIO)["status"] == "open"
    assert [o["id"] for o in exchange.fetch_open_orders(symbol, params=PORTFOLIO)] == [order["id"]]
    assert exchange.fetch_open_orders(symbol) == []
    assert exchange.cancel_order(order["id"], symbol, PORTFOLIO)["status"] == "canceled"
    exchange.create_order(symbol, "market", "buy", amount, params=PORTFOLIO)
    assert exchange.fetch_my_trades(symbol, params=PORTFOLIO)[-1]["amount"] == amount
    if symbol != SPOT:
        kind = {"subType": "inverse" if symbol == INVERSE else "linear"}
        [position] = exchange.fetch_positions([symbol], {**PORTFOLIO, **kind})
        assert (position["contracts"], position["side"]) == (amount, "long")
        assert exchange.fetch_positions([symbol], kind) == []
    exchange.create_order(symbol, "market", "sell", amount, params=PORTFOLIO)
    assert exchange.fetch_balance(PORTFOLIO)["USDT"]["total"] > 1_000_000
