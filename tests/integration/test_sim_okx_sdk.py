"""The venue's own Python client, python-okx, unmodified, trades on the simulated OKX: REST and all three kinds of WebSockets.

It speaks TLS alone on its WebSockets, so the simulator does; whom it trusts it takes from SSL_CERT_FILE. Its login sends the time
as a number. `subscribe` of a private connection sleeps for five seconds after the login: here the login is waited for and the
subscription sent by the same class's `send`.
"""

import asyncio
import json
import time

import pytest
from patience import SCRIPT_SECONDS, WAIT_SECONDS

pytest.importorskip("okx")

from okx.Account import AccountAPI  # noqa: E402
from okx.MarketData import MarketAPI  # noqa: E402
from okx.PublicData import PublicAPI  # noqa: E402
from okx.Trade import TradeAPI  # noqa: E402
from okx.websocket.WsPrivateAsync import WsPrivateAsync  # noqa: E402
from okx.websocket.WsPublicAsync import WsPublicAsync  # noqa: E402
from websockets.exceptions import ConnectionClosedError  # noqa: E402

# instId, tdMode, sz, a price that rests
MARKETS = {"spot": ("BTC-USDT", "cash", "0.01", "80000"), "swap": ("BTC-USDT-SWAP", "cross", "1", "80000"),
           "inverse": ("ETH-USD-SWAP", "isolated", "2", "2600")}
SWAP_CODE = 10459


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory):
    from simulator import read_endpoints, start_simulator

    file, stop = start_simulator(directory=tmp_path_factory.mktemp("okx"), venues="okx", rate=20, seed=9, tls=True)
    yield read_endpoints(file)
    stop()


@pytest.fixture
def okx(endpoints, monkeypatch):
    """The addresses; the authority of their certificate is what this process trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", endpoints["sim"]["ca"])
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return endpoints["okx"]


@pytest.fixture
def client(okx):
    made = []

    def make(kind):
        made.append(kind("sim", "sim", "sim", flag="0", domain=okx["rest"]))
        return made[-1]

    yield make
    for one in made:
        one.close()


def rows(answer: dict) -> list:
    assert answer["code"] == "0", answer
    return answer["data"]


def test_market_data(client):
    market, public = client(MarketAPI), client(PublicAPI)
    assert abs(int(rows(public.get_system_time())[0]["ts"]) / 1000 - time.time()) < 5
    for name, _, _, _ in MARKETS.values():
        assert rows(market.get_ticker(name))[0]["instId"] == name
        book = rows(market.get_orderbook(name, sz="5"))[0]
        assert float(book["bids"][0][0]) < float(book["asks"][0][0]) and len(book["asks"]) == 5
        limit = rows(public.get_price_limit(name))[0]
        assert float(limit["sellLmt"]) < float(book["bids"][0][0]) < float(limit["buyLmt"])
        rows(market.get_candlesticks(name, bar="1m"))
        rows(market.get_trades(name))
    listed = rows(public.get_instruments("SWAP"))
    assert {row["instId"]: row["instIdCode"] for row in listed}["BTC-USDT-SWAP"] == SWAP_CODE
    assert rows(public.get_funding_rate("BTC-USDT-SWAP"))[0]["fundingRate"]
    assert float(rows(public.get_mark_price("SWAP", instId="BTC-USDT-SWAP"))[0]["markPx"]) > 0


@pytest.mark.parametrize("kind", MARKETS)
def test_orders(client, kind):
    name, mode, size, price = MARKETS[kind]
    trade, own = client(TradeAPI), f"own{kind}"
    placed = rows(trade.place_order(name, mode, "buy", "limit", size, px=price, clOrdId=own))[0]
    assert (placed["sCode"], placed["clOrdId"]) == ("0", own)
    seen = rows(trade.get_order(name, clOrdId=own))[0]
    assert (seen["ordId"], seen["state"], seen["px"]) == (placed["ordId"], "live", price)
    assert rows(trade.amend_order(name, clOrdId=own, newPx=str(int(price) - 100)))[0]["ordId"] == placed["ordId"]
    assert [row["px"] for row in rows(trade.get_order_list(instId=name))] == [str(int(price) - 100)]
    assert rows(trade.cancel_order(name, clOrdId=own))[0]["sCode"] == "0"
    assert rows(trade.get_order(name, ordId=placed["ordId"]))[0]["state"] == "canceled"
    filled = rows(trade.place_order(name, mode, "buy", "market", size, tgtCcy="base_ccy" if kind == "spot" else ""))[0]
    fills = rows(trade.get_fills(instId=name, ordId=filled["ordId"]))
    assert sum(float(row["fillSz"]) for row in fills) == float(size)
    kinds = "SPOT" if kind == "spot" else "SWAP"
    assert filled["ordId"] in [row["ordId"] for row in rows(trade.get_orders_history(kinds, instId=name))]


def test_orders_in_batches(client):
    trade, form = client(TradeAPI), {"instId": "ETH-USDT", "tdMode": "cash", "side": "buy", "ordType": "limit", "sz": "0.1"}
    placed = rows(trade.place_multiple_orders([{**form, "px": px} for px in ("2500", "2510")]))
    assert [row["sCode"] for row in placed] == ["0", "0"]
    mixed = trade.place_multiple_orders([{**form, "px": "2500"}, {**form, "px": "9000"}])
    assert (mixed["code"], [row["sCode"] for row in mixed["data"]]) == ("2", ["0", "51137"])
    named = [{"instId": "ETH-USDT", "ordId": row["ordId"]} for row in (*placed, mixed["data"][0])]
    amended = rows(trade.amend_multiple_orders([{**one, "newSz": "0.2"} for one in named]))
    assert [row["sCode"] for row in amended] == ["0"] * 3
    assert {row["sz"] for row in rows(trade.get_order_list(instId="ETH-USDT"))} == {"0.2"}
    assert [row["sCode"] for row in rows(trade.cancel_multiple_orders(named))] == ["0"] * 3
    again = trade.cancel_order("ETH-USDT", ordId=named[0]["ordId"])
    assert (again["code"], again["data"][0]["sCode"]) == ("1", "51401")


def test_a_stop_is_refused_and_not_left_out(client):
    answer = client(TradeAPI).place_order("BTC-USDT-SWAP", "cross", "buy", "limit", "1", px="80000",
                                          attachAlgoOrds=[{"slTriggerPx": "70000", "slOrdPx": "-1"}])
    assert (answer["code"], answer["data"][0]["sCode"]) == ("1", "51000")


def test_the_account(client):
    account, trade = client(AccountAPI), client(TradeAPI)
    assert rows(account.get_account_config())[0]["posMode"] == "net_mode"
    details = {row["ccy"]: float(row["cashBal"]) for row in rows(account.get_account_balance())[0]["details"]}
    assert details["USDT"] > 1e6 and details["BTC"] >= 100
    assert rows(account.set_leverage("5", "cross", instId="SOL-USDT-SWAP"))[0]["lever"] == "5"
    assert rows(account.get_leverage("cross", instId="SOL-USDT-SWAP"))[0]["lever"] == "5"
    assert rows(account.get_fee_rates("SWAP"))[0]["taker"]
    assert rows(account.get_instruments("SPOT", instId="BTC-USDT"))[0]["instId"] == "BTC-USDT"
    assert float(rows(account.get_max_order_size("SOL-USDT-SWAP", "cross"))[0]["maxBuy"]) > 0
    rows(trade.place_order("SOL-USDT-SWAP", "cross", "sell", "market", "3"))
    (held,) = rows(account.get_positions("SWAP", instId="SOL-USDT-SWAP"))
    assert (held["pos"], held["lever"]) == ("-3", "5")
    rows(trade.close_positions("SOL-USDT-SWAP", "cross"))
    assert rows(account.get_positions("SWAP", instId="SOL-USDT-SWAP")) == []


class Heard:
    """What a connection of the client tells its callback."""

    def __init__(self):
        self.messages: asyncio.Queue = asyncio.Queue()

    def __call__(self, message: str) -> None:
        self.messages.put_nowait(json.loads(message))

    async def until(self, wanted) -> dict:
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                message = await self.messages.get()
                if wanted(message):
                    return message

    async def data(self, channel: str) -> dict:
        return (await self.until(lambda m: "data" in m and m.get("arg", {}).get("channel") == channel))["data"][0]

    async def event(self, event: str) -> dict:
        return await self.until(lambda m: m.get("event") == event)


def played(script) -> None:
    async def play() -> None:
        async with asyncio.timeout(SCRIPT_SECONDS):
            await script()

    asyncio.run(play())


async def closed(socket, task) -> None:
    await socket.stop()
    await task


def test_public_and_business_channels(okx):
    async def script():
        heard, socket = Heard(), WsPublicAsync(okx["public"])
        task = await socket.start()
        names = ("bbo-tbt", "books", "trades", "tickers", "funding-rate", "price-limit")
        await socket.subscribe([{"channel": name, "instId": "BTC-USDT-SWAP"} for name in names], heard)
        waited = set(names)
        while waited:
            waited.discard((await heard.until(lambda m: "data" in m))["arg"]["channel"])
        await socket.subscribe([{"channel": "liquidation-orders", "instType": "SWAP"}], heard, id="7")
        assert (await heard.event("error"))["code"] == "60018"
        await socket.unsubscribe([{"channel": "trades", "instId": "BTC-USDT-SWAP"}], heard)
        assert (await heard.event("unsubscribe"))["arg"]["channel"] == "trades"
        await closed(socket, task)
        socket = WsPublicAsync(okx["business"], apiKey="sim", passphrase="sim", secretKey="sim")
        task = await socket.start()
        socket.callback = heard
        await socket.login()
        assert (await heard.event("login"))["code"] == "0"
        await socket.subscribe([{"channel": "candle1m", "instId": "BTC-USDT"}], heard)
        assert len(await heard.data("candle1m")) == 9
        await closed(socket, task)

    played(script)


def test_private_channels_and_orders_by_websocket(okx):
    async def script():
        heard, socket = Heard(), WsPrivateAsync("sim", "sim", "sim", okx["private"])
        task = await socket.start()
        socket.callback = heard
        await socket.login()
        assert (await heard.event("login"))["code"] == "0"
        await socket.send("subscribe", [{"channel": name, "instType": "ANY"} for name in ("orders", "positions", "account")])
        assert (await heard.data("account"))["details"]
        form = {"instIdCode": SWAP_CODE, "tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "1", "px": "80000"}
        await socket.place_order([form], id="1")
        placed = (await heard.until(lambda m: m.get("id") == "1"))["data"][0]
        assert placed["sCode"] == "0" and (await heard.data("orders"))["state"] == "live"
        named = {"instIdCode": SWAP_CODE, "ordId": placed["ordId"]}
        await socket.amend_order([{**named, "newPx": "79000"}], id="2")
        amended = await heard.data("orders")
        assert (amended["px"], amended["amendResult"]) == ("79000", "0")
        await socket.cancel_order([named], id="3")
        assert (await heard.data("orders"))["state"] == "canceled"
        await socket.batch_orders([{**form, "ordType": "market"}, {**form, "sz": "0"}], id="4")
        answer = await heard.until(lambda m: m.get("id") == "4")
        assert (answer["code"], [row["sCode"] for row in answer["data"]]) == ("2", ["0", "51000"])
        filled = await heard.until(lambda m: m.get("arg", {}).get("channel") == "orders" and m["data"][0]["state"] == "filled")
        assert filled["data"][0]["accFillSz"] == "1"
        assert float((await heard.until(lambda m: "data" in m and m.get("arg", {}).get("channel") == "positions"
                                        and m["data"]))["data"][0]["pos"]) >= 1
        await closed(socket, task)

    played(script)


def test_a_login_with_a_wrong_secret(okx):
    async def script():
        heard, socket = Heard(), WsPrivateAsync("sim", "sim", "wrong", okx["private"])
        task = await socket.start()
        socket.callback = heard
        await socket.login()
        assert (await heard.event("error"))["code"] == "60007"
        with pytest.raises(ConnectionClosedError, match="4001"):
            await task

    played(script)
