"""Accounts of one key on the simulated Binance: who hears of what, in which form, and for how long."""

import json
from pathlib import Path

import pytest
from venue_client import on_venue

LIMIT = {"type": "LIMIT", "timeInForce": "GTC", "side": "BUY"}
BNB = {"symbol": "BNBUSDT", "quantity": "0.1", "price": "850", **LIMIT}
ETHER = {"symbol": "ETHUSD_PERP", "quantity": "3", "price": "2600", **LIMIT}
# COIN-M's ORDER_TRADE_UPDATE as the venue documents it (user data streams of COIN-M futures), a LIMIT order's keys.
COIN_M_EVENT = ["e", "E", "T", "i", "o"]


def test_a_listen_token_brings_margin_s_events_until_it_ends():
    async def scenario(client):
        status, found = await client.keyed("POST", "/sapi/v1/userListenToken?validity=1200")
        assert status == 200 and set(found) == {"token", "expirationTime"}
        api = await client.spot_api()
        answer = await api.ask("userDataStream.subscribe.listenToken", {"listenToken": found["token"]})
        assert answer["result"] == {"subscriptionId": 0, "expirationTime": found["expirationTime"]}
        again = await api.ask("userDataStream.subscribe.listenToken", {"listenToken": found["token"]})
        assert again["result"]["subscriptionId"] == 0
        await client.signed("POST", "/api/v3/order", **BNB)
        assert await api.silent()
        _, order = await client.signed("POST", "/sapi/v1/margin/order", **BNB)
        assert order["isIsolated"] is False
        event = (await api.until(lambda m: m["event"]["e"] == "executionReport"))["event"]
        assert (event["i"], event["x"]) == (order["orderId"], "NEW")
        ended = await api.until(lambda m: m["event"]["e"] == "eventStreamTerminated", 4.0)
        assert ended["subscriptionId"] == 0
        _, canceled = await client.signed("DELETE", "/sapi/v1/margin/order", symbol="BNBUSDT", orderId=order["orderId"])
        assert canceled["orderId"] == str(order["orderId"]) and canceled["status"] == "CANCELED"
        assert await api.silent()
        refused = await api.ask("userDataStream.subscribe.listenToken", {"listenToken": found["token"]})
        assert refused["error"]["code"] == -1209

    on_venue(scenario)


def test_every_isolated_pair_has_a_wallet_orders_and_events_of_its_own():
    async def scenario(client):
        assert (await client.keyed("POST", "/sapi/v1/userListenToken?isIsolated=true"))[1]["code"] == -1102
        api = await client.spot_api()
        for symbol in ("BNBUSDT", "SOLUSDT"):
            token = (await client.keyed("POST", f"/sapi/v1/userListenToken?isIsolated=true&symbol={symbol}"))[1]["token"]
            await api.ask("userDataStream.subscribe.listenToken", {"listenToken": token})
        _, order = await client.signed("POST", "/sapi/v1/margin/order", isIsolated="TRUE", **BNB)
        assert order["isIsolated"] is True
        assert (await api.until(lambda m: m["event"]["e"] == "executionReport"))["subscriptionId"] == 0
        _, found = await client.signed("GET", "/sapi/v1/margin/isolated/account")
        locked = {pair["symbol"]: pair["quoteAsset"]["locked"] for pair in found["assets"]}
        assert (locked["BNBUSDT"], locked["SOLUSDT"]) == ("85.00000000", "0.00000000")
        assert (await client.signed("GET", "/sapi/v1/margin/openOrders"))[1] == []
        [listed] = (await client.signed("GET", "/sapi/v1/margin/openOrders", isIsolated="TRUE", symbol="BNBUSDT"))[1]
        assert listed["orderId"] == order["orderId"]

    on_venue(scenario)


def test_a_portfolio_stream_says_of_which_part_an_event_is():
    async def scenario(client):
        key = (await client.keyed("POST", "/papi/v1/listenKey"))[1]["listenKey"]
        stream = await client.open(client.endpoints["binance.portfolio_margin"]["stream"] + f"/ws/{key}")
        common = (await client.keyed("POST", "/fapi/v1/listenKey"))[1]["listenKey"]
        private = await client.open(client.endpoints["binance.usd_m"]["private"] + f"/ws/{common}")
        for path, order, kind in (("/papi/v1/um/order", BNB, "UM"), ("/papi/v1/cm/order", ETHER, "CM")):
            status, placed = await client.signed("POST", path, **order)
            assert status == 200
            event = await stream.receive()
            assert (event["e"], event["fs"], event["o"]["i"]) == ("ORDER_TRADE_UPDATE", kind, placed["orderId"])
        _, placed = await client.signed("POST", "/papi/v1/margin/order", **BNB)
        names = [(await stream.receive())["e"] for _ in range(2)]
        assert names == ["executionReport", "outboundAccountPosition"]
        await client.signed("POST", "/papi/v1/um/order", **{**BNB, "price": "880"})
        names = [(await stream.receive())["e"] for _ in range(3)]
        assert names == ["ORDER_TRADE_UPDATE", "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"]
        assert await private.silent()
        [row] = [row for row in (await client.signed("GET", "/papi/v1/balance"))[1] if row["asset"] == "BTC"]
        assert row["totalWalletBalance"] == "120.00000000" and row["cmWalletBalance"] == "100.00000000"

    on_venue(scenario, tick_rate=0)


def test_coin_m_events_have_coin_m_s_keys():
    async def scenario(client):
        key = (await client.keyed("POST", "/dapi/v1/listenKey"))[1]["listenKey"]
        stream = await client.open(client.endpoints["binance.coin_m"]["stream"] + f"/ws/{key}")
        await client.signed("POST", "/dapi/v1/order", **{**ETHER, "price": "2750"})
        placed, filled, account = [await stream.receive() for _ in range(3)]
        assert list(placed) == COIN_M_EVENT and (placed["o"]["ma"], placed["o"]["N"]) == ("ETH", "ETH")
        assert list(placed["o"]).index("ma") < list(placed["o"]).index("N") < list(placed["o"]).index("n")
        assert (filled["o"]["X"], filled["o"]["z"]) == ("FILLED", "3")
        assert account["a"]["P"][0]["pa"] == "3" and account["a"]["B"][0]["a"] == "ETH"

    on_venue(scenario)


SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "jkorf_net" / "binance_endpoints.jsonl"


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data")
@pytest.mark.parametrize("path, optional", [
    ("/dapi/v1/account", set()), ("/dapi/v1/depth", set()), ("/dapi/v1/ticker/24hr", set()),
    ("/dapi/v1/order", {"activatePrice", "priceRate"}), ("/dapi/v1/openOrder", {"activatePrice", "priceRate"}),
])
def test_coin_m_answers_have_the_fields_of_recorded_ones(path, optional):
    recorded = next(r["response"] for r in map(json.loads, SHARED.read_text().splitlines())
                    if r["path"] == path and r["method"] == "GET")

    async def scenario(client):
        order = (await client.signed("POST", "/dapi/v1/order", **ETHER))[1]
        if path in ("/dapi/v1/depth", "/dapi/v1/ticker/24hr"):
            answer = (await client.public(path, symbol="ETHUSD_PERP"))[1]
        else:
            params = {} if path == "/dapi/v1/account" else {"symbol": "ETHUSD_PERP", "orderId": order["orderId"]}
            answer = (await client.signed("GET", path, **params))[1]
        missing = fields(recorded) - fields(answer)
        assert missing <= optional, missing

    on_venue(scenario)


def fields(value, prefix=""):
    """The paths of all keys, through lists as well."""
    if isinstance(value, list):
        return set().union(*(fields(item, prefix) for item in value if isinstance(item, dict)))
    return {prefix + k for k in value} | set().union(*(fields(v, f"{prefix}{k}.") for k, v in value.items()
                                                       if isinstance(v, (dict, list))))
