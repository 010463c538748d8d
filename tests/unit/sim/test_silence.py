"""No subscription is acknowledged and then silent: a stream brings data, or is refused in the venue's own form."""

import pytest
from bybit_client import on_bybit
from okx_client import on_okx
from venue_client import on_venue

from nexus_fast.sim.binance.market_data import INTERVALS
from nexus_fast.sim.okx import private_channels, public_channels
from nexus_fast.sim.orders import BUY, Type

KINDS = ["trade", "aggTrade", "ticker", "miniTicker", "bookTicker", "depth", "depth@100ms", "depth5", "depth20@100ms",
         *(f"kline_{interval}" for interval in INTERVALS)]
MARKS = ["markPrice", "markPrice@1s"]
EVERY = ["!markPrice@arr", "!markPrice@arr@1s", "!miniTicker@arr", "!ticker@arr", "!bookTicker"]
SERVED = {"spot": ("stream", "BTCUSDT", [*(f"btcusdt@{kind}" for kind in (*KINDS, "avgPrice")), "!miniTicker@arr"]),
          "usd_m public": ("public", "BTCUSDT", ["btcusdt@trade", "btcusdt@bookTicker", "btcusdt@depth", "!bookTicker"]),
          "usd_m market": ("market", "BTCUSDT", ["btcusdt@aggTrade", *(f"btcusdt@{kind}" for kind in MARKS), *EVERY[:-1]]),
          "coin_m": ("stream", "BTCUSD_PERP",
                     [*(f"btcusd_perp@{kind}" for kind in (*KINDS, *MARKS)), "btcusd@markPrice@1s", *EVERY])}


@pytest.mark.parametrize("place", SERVED)
def test_every_stream_of_binance_brings_data(place):
    async def scenario(client):
        market, (url, symbol, names) = place.split()[0], SERVED[place]
        service = getattr(client.venue.binance, market)
        stream = await client.open(client.endpoints[f"binance.{market}"][url] + "/stream?streams=" + "/".join(names))
        await stream.ask("LIST_SUBSCRIPTIONS")
        waited = set(names)
        for _ in range(120):             # six seconds of beats of 50 ms
            service.market.house_order(symbol, BUY, Type.MARKET, 0, service.market.instruments[symbol].minimum_quantity)
            service.market.flush()
            service.streams.tick()
        while waited:
            waited.discard((await stream.receive()).get("stream"))

    on_venue(scenario)


UNKNOWN = {"spot": ["btcusdt@forceOrder", "!bookTicker", "!ticker@arr", "btcusdt@ticker_1h", "!ticker_1h@arr", "btcusdt",
                    "btcusdt@kline_1s", "btcusdt@kline_1m@+08:00", "btcusdt@depth7", "btcusdt@depth@250ms", "x y",
                    "btcusdt@referencePrice"],
           "usd_m": ["btcusdt@forceOrder", "!forceOrder@arr", "!contractInfo", "!assetIndex@arr", "btcusdt@compositeIndex",
                     "btcusdt_perpetual@continuousKline_1m", "btcusdt@rpiDepth@500ms", "btcusdt@kline_7m", "btcusdt", "x y"],
           "coin_m": ["btcusd_perp@forceOrder", "!forceOrder@arr", "!contractInfo", "btcusd@indexPrice",
                      "btcusd@indexPriceKline_1m", "btcusd_perpetual@continuousKline_1m", "btcusd_perp@markPriceKline_1m"]}
NO_STREAM = {"code": 2, "msg": "Invalid request: invalid stream"}


@pytest.mark.parametrize("market", UNKNOWN)
def test_binance_refuses_a_stream_that_it_has_not(market):
    """ccxt #19833 shows the words."""
    async def scenario(client):
        endpoints = client.endpoints[f"binance.{market}"]
        base = endpoints.get("market") or endpoints["stream"]
        for name in UNKNOWN[market]:
            stream = await client.open(base + "/ws")
            assert await stream.ask("SUBSCRIBE", [f"{SERVED['coin_m'][1]}@trade".lower(), name]) == {**NO_STREAM, "id": 1}, name
            assert (await stream.ask("LIST_SUBSCRIPTIONS"))["result"] == []
            assert await (await client.open(f"{base}/ws/{name}")).receive() == {**NO_STREAM, "id": None}

    on_venue(scenario)


def okx_argument(name: str) -> dict:
    if name == "status":
        return {"channel": name}
    if name == "instruments":
        return {"channel": name, "instType": "SWAP"}
    index = name == "index-tickers" or name in public_channels.INDEX_CANDLES
    return {"channel": name, "instId": "BTC-USDT" if index else "BTC-USDT-SWAP"}


@pytest.mark.parametrize(("place", "names"), [("public", public_channels.PUBLIC), ("business", public_channels.BUSINESS)])
def test_every_public_channel_of_okx_brings_data(place, names):
    async def scenario(client):
        socket = await client.open(place)
        await socket.send({"op": "subscribe", "args": [okx_argument(name) for name in names]})
        acknowledged, waited = set(names), set(names)
        for market, name in ((client.exchange.spot, "BTC-USDT"), (client.exchange.contracts, "BTC-USDT-SWAP")):
            market.house_order(name, BUY, Type.MARKET, 0, market.instruments[name].minimum_quantity)
            market.flush()
        while acknowledged:
            message = await socket.receive()
            (waited if "data" in message else acknowledged).discard(message["arg"]["channel"])
        for market, name in ((client.exchange.spot, "BTC-USDT"), (client.exchange.contracts, "BTC-USDT-SWAP")):
            market.house_order(name, BUY, Type.MARKET, 0, market.instruments[name].minimum_quantity)
            market.flush()
        while waited:
            waited.discard((await socket.receive())["arg"]["channel"])

    on_okx(scenario)


OKX_UNKNOWN = [
    ("public", {"channel": "liquidation-orders", "instType": "SWAP"}), ("public", {"channel": "adl-warning", "instType": "SWAP"}),
    ("public", {"channel": "estimated-price", "instType": "FUTURES", "instFamily": "BTC-USD"}),
    ("public", {"channel": "instruments", "instType": "OPTION"}), ("public", {"channel": "opt-summary", "instFamily": "BTC-USD"}),
    ("private", {"channel": "account-greeks"}), ("private", {"channel": "liquidation-warning", "instType": "ANY"}),
    ("business", {"channel": "orders-algo", "instType": "ANY"}), ("business", {"channel": "algo-advance", "instType": "ANY"}),
    ("business", {"channel": "deposit-info"}), ("business", {"channel": "withdrawal-info"}),
    ("business", {"channel": "sprd-tickers", "sprdId": "BTC-USDT_BTC-USDT-SWAP"})]


def test_okx_refuses_a_channel_that_it_has_not():
    async def scenario(client):
        sockets = {place: await client.open(place) for place in ("public", "private", "business")}
        for socket in sockets.values():
            await socket.login()
        for place, argument in OKX_UNKNOWN:
            answer = await sockets[place].subscribe(**argument)
            assert (answer["event"], answer["code"]) == ("error", "60018") and argument["channel"] in answer["msg"], argument

    on_okx(scenario)


def test_every_private_channel_of_okx_brings_data():
    async def scenario(client):
        socket = await client.private(*({"channel": name, "instType": "ANY"} for name in private_channels.CHANNELS))
        await client.order(instId="BTC-USDT-SWAP", tdMode="cross", side="buy", ordType="market", sz="1")
        waited = set(private_channels.CHANNELS)
        while waited:
            message = await socket.receive()
            if "data" in message:
                waited.discard(message["arg"]["channel"])

    on_okx(scenario)


def test_bybit_refuses_a_topic_that_it_has_not():
    async def scenario(client):
        for category, symbol in (("spot", "BTCUSDT"), ("linear", "BTCUSDT"), ("inverse", "BTCUSD")):
            socket = await client.open(f"public/{category}")
            for topic in (f"allLiquidation.{symbol}", f"liquidation.{symbol}", f"orderbook.rpi.{symbol}", "adlAlert.USDT",
                          f"priceLimit.{symbol}", "insurance.USDT", f"kline.7.{symbol}"):
                answer = await socket.ask({"op": "subscribe", "args": [topic]})
                assert answer["success"] is False and answer["ret_msg"] == f"error:handler not found,topic:{topic}"
        private = await client.open("private")
        await private.log_in()
        for topic in ("greeks", "order.option", "execution.option", "position.option", "execution.fast.option", "spread.order"):
            answer = await private.ask({"op": "subscribe", "args": [topic]})
            assert answer["success"] is False and answer["ret_msg"] == f"error:handler not found,topic:{topic}"

    on_bybit(scenario)
