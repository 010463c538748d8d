"""REST as the venue answers it: shapes, codes, texts, headers."""

import json

import pytest
from venue_client import now_ms, on_venue

from nexus_fast.sim.binance.venue import BinanceOptions

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01",
         "price": "84000.00"}


def test_public_endpoints_answer():
    async def scenario(client):
        assert (await client.public("/api/v3/ping")) == (200, {})
        assert abs((await client.public("/fapi/v1/time"))[1]["serverTime"] - now_ms()) < 1000
        for path in ("/api/v3/depth", "/fapi/v1/depth"):
            _, book = await client.public(path, symbol="BTCUSDT", limit=5)
            assert len(book["bids"]) == len(book["asks"]) == 5 and book["lastUpdateId"] > 0
        _, one = await client.public("/api/v3/exchangeInfo", symbol="ETHUSDT")
        assert [s["symbol"] for s in one["symbols"]] == ["ETHUSDT"]
        _, two = await client.public("/api/v3/exchangeInfo", symbols='["ETHUSDT","BTCUSDT"]')
        assert [s["symbol"] for s in two["symbols"]] == ["ETHUSDT", "BTCUSDT"]
        _, every = await client.public("/fapi/v1/ticker/bookTicker")
        assert {t["symbol"] for t in every} >= {"BTCUSDT", "ETHUSDT", "USDCUSDT"}
        for path in ("/api/v3/ticker/24hr", "/api/v3/ticker/price", "/api/v3/avgPrice", "/fapi/v1/premiumIndex"):
            assert (await client.public(path, symbol="BTCUSDT"))[0] == 200
        assert await client.public("/api/v3/depth", symbol="NOSUCH") == (400, {"code": -1121, "msg": "Invalid symbol."})
        status, body = await client.public("/api/v3/depth")
        assert (status, body["code"]) == (400, -1102) and "'symbol'" in body["msg"]
        assert (await client.public("/api/v3/klines", symbol="BTCUSDT", interval="7m"))[1]["code"] == -1120

    on_venue(scenario)


def test_signatures_keys_and_times():
    async def scenario(client):
        path = "/api/v3/account"
        assert (await client.signed("GET", path))[0] == 200
        status, body = await client.signed("GET", path, signature="00" * 32)
        assert (status, body) == (400, {"code": -1022, "msg": "Signature for this request is not valid."})
        assert client.venue.statistics.bad_signatures == 1
        status, body = await client.signed("GET", path, key="nobody")
        assert (status, body["code"]) == (401, -2015)
        assert (await client.signed("GET", path, key=""))[1]["code"] == -2014
        status, body = await client.signed("GET", path, timestamp=now_ms() - 6000)
        assert (status, body["code"]) == (400, -1021)
        assert body["msg"] == "Timestamp for this request is outside of the recvWindow."
        assert (await client.signed("GET", path, timestamp=now_ms() - 6000, recvWindow=10000))[0] == 200
        status, body = await client.signed("GET", path, timestamp=now_ms() + 3000)
        assert body["msg"] == "Timestamp for this request was 1000ms ahead of the server's time."
        assert (await client.signed("GET", path, recvWindow=60001))[1]["code"] == -1131
        assert (await client.signed("GET", path, timestamp=now_ms() * 1000))[0] == 200
        assert (await client.signed("GET", "/fapi/v3/account", timestamp=now_ms() * 1000))[1]["code"] == -1021
        assert client.venue.statistics.bad_signatures == 1

    on_venue(scenario)


@pytest.mark.parametrize("in_body", [False, True])
@pytest.mark.parametrize("path", ["/api/v3/order", "/fapi/v1/order"])
def test_an_order_in_query_or_body(path, in_body):
    async def scenario(client):
        status, order = await client.signed("POST", path, in_body=in_body, newClientOrderId="mine-1", **LIMIT)
        assert (status, order["status"], order["clientOrderId"]) == (200, "NEW", "mine-1")
        assert "X-MBX-ORDER-COUNT-10S" in client.headers and "X-MBX-USED-WEIGHT-1M" in client.headers
        status, again = await client.signed("POST", path, in_body=in_body, newClientOrderId="mine-1", **LIMIT)
        assert again["code"] == (-2010 if "api/v3" in path else -4116)
        status, found = await client.signed("GET", path, symbol="BTCUSDT", origClientOrderId="mine-1")
        assert (found["orderId"], found["executedQty"][:2]) == (order["orderId"], "0.")
        status, canceled = await client.signed("DELETE", path, symbol="BTCUSDT", orderId=order["orderId"])
        assert (status, canceled["status"]) == (200, "CANCELED")
        status, body = await client.signed("DELETE", path, symbol="BTCUSDT", orderId=order["orderId"])
        assert (status, body) == (400, {"code": -2011, "msg": "Unknown order sent."})
        status, body = await client.signed("GET", path, symbol="BTCUSDT", orderId=1)
        assert (status, body) == (400, {"code": -2013, "msg": "Order does not exist."})

    on_venue(scenario)


def test_spot_forms_and_their_errors():
    cases = [
        ({"side": "UP"}, -1117), ({"type": "STOP_LOSS"}, -1013), ({"type": "STOP"}, -1116), ({"timeInForce": "XXX"}, -1115),
        ({"quantity": ""}, -1102), ({"price": "1e5"}, -1100), ({"quantity": "0.000000001"}, -1111),
        ({"newClientOrderId": "not legal"}, -1100), ({"quantity": "-1"}, -1100), ({"price": "84000.001"}, -1013),
        ({"quantity": "0.010001"}, -1013), ({"quantity": "0.00005"}, -1013), ({"quantity": "9001"}, -1013),
        ({"price": "1000.00"}, -1013), ({"type": "LIMIT_MAKER"}, -1106), ({"quantity": "20"}, -2010)]

    async def scenario(client):
        for change, code in cases:
            status, body = await client.signed("POST", "/api/v3/order", **{**LIMIT, **change})
            assert (status, body.get("code")) == (400, code), change
        assert client.venue.statistics.rejects == len(cases)
        assert (await client.signed("POST", "/api/v3/order/test", **LIMIT)) == (200, {})
        maker = {k: v for k, v in LIMIT.items() if k != "timeInForce"} | {"type": "LIMIT_MAKER", "price": "90000.00"}
        status, body = await client.signed("POST", "/api/v3/order", **maker)
        assert body == {"code": -2010, "msg": "Order would immediately match and take."}

    on_venue(scenario)


def test_usd_m_forms_and_their_errors():
    cases = [
        ({"type": "STOP_MARKET"}, -4120), ({"type": "LIMIT_MAKER"}, -1116), ({"quantity": "0"}, -4003),
        ({"price": "100"}, -4013), ({"price": "900000"}, -4002),
        ({"price": "84000.05"}, -4014), ({"quantity": "0.0105"}, -1111), ({"price": "95000.0"}, -4016),
        ({"side": "SELL", "price": "70000.0"}, -4024), ({"positionSide": "LONG"}, -4061),
        ({"symbol": "ETHUSDT", "quantity": "0.001", "price": "2600"}, -4164), ({"quantity": "1001"}, -4005),
        ({"timeInForce": "GTD"}, -1102), ({"timeInForce": "GTD", "goodTillDate": now_ms() + 1000}, -4192),
        ({"reduceOnly": "true"}, -2022), ({"reduceOnly": "maybe"}, -1130), ({"quantity": "500"}, -2019)]

    async def scenario(client):
        for change, code in cases:
            status, body = await client.signed("POST", "/fapi/v1/order", **{**LIMIT, **change})
            assert (status, body.get("code")) == (400, code), (change, body)
        _, taken = await client.signed("POST", "/fapi/v1/order", **{**LIMIT, "timeInForce": "FOK", "quantity": "0.5"})
        assert taken["status"] == "NEW"
        status, seen = await client.signed("GET", "/fapi/v1/order", symbol="BTCUSDT", orderId=taken["orderId"])
        assert seen["status"] == "EXPIRED"

    on_venue(scenario)


SPOT_BOUND = "Filter failure: PERCENT_PRICE_BY_SIDE"


@pytest.mark.parametrize(("path", "symbol", "outcomes"), [
    ("/api/v3/order", "BTCUSDT", {"dear buy": -1013, "cheap buy": -1013, "dear sell": -1013, "cheap sell": -1013}),
    ("/fapi/v1/order", "BTCUSDT", {"dear buy": -4016, "cheap buy": None, "dear sell": None, "cheap sell": -4024}),
    ("/dapi/v1/order", "BTCUSD_PERP", {"dear buy": -4016, "cheap buy": None, "dear sell": None, "cheap sell": -4024})])
def test_prices_are_bound_by_side(path, symbol, outcomes):
    """Spot's PERCENT_PRICE_BY_SIDE has both bounds for each side, PERCENT_PRICE one."""
    async def scenario(client):
        dear, cheap = ("500000.0", "1000.0") if "api/v3" in path else ("95000.0", "70000.0")
        for case, code in outcomes.items():
            which, side = case.split()
            form = {**LIMIT, "symbol": symbol, "side": side.upper(), "price": dear if which == "dear" else cheap,
                    "quantity": "1" if "dapi" in path else "0.01"}
            _, body = await client.signed("POST", path, **form)
            assert body.get("code") == code, (case, body)
            assert code != -1013 or body["msg"] == SPOT_BOUND

    on_venue(scenario)


GTX = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTX", "quantity": "1", "price": "85000.0"}


@pytest.mark.parametrize("choice", ["expire", "reject", None])
@pytest.mark.parametrize(("path", "symbol"), [
    ("/fapi/v1/order", "BTCUSDT"), ("/dapi/v1/order", "BTCUSD_PERP"), ("/papi/v1/um/order", "BTCUSDT"),
    ("/papi/v1/cm/order", "BTCUSD_PERP")])
def test_a_futures_order_that_may_only_rest_and_would_take(path, symbol, choice):
    """It is refused and not recorded, unless it is to be acknowledged first."""
    async def scenario(client):
        status, body = await client.signed("POST", path, **GTX, symbol=symbol, newClientOrderId="mine")
        status_later, seen = await client.signed("GET", path, symbol=symbol, origClientOrderId="mine")
        if choice == "expire":
            assert (body["status"], seen["status"], seen["executedQty"][:1]) == ("NEW", "EXPIRED", "0")
        else:
            assert (status, body["code"], status_later, seen["code"]) == (400, -5022, 400, -2013)
        _, rests = await client.signed("POST", path, **{**GTX, "price": "84000.0"}, symbol=symbol)
        assert rests["status"] == "NEW"

    on_venue(scenario, **({"binance": BinanceOptions(post_only=choice)} if choice else {}))


@pytest.mark.parametrize("name", ["orderIdList", "orderidlist", "ORDERIDLIST", "origClientOrderIdList", "origclientorderidlist"])
@pytest.mark.parametrize(("prefix", "symbol"), [("/fapi/v1", "BTCUSDT"), ("/dapi/v1", "BTCUSD_PERP")])
def test_many_orders_are_cancelled_by_a_list_whose_name_is_of_either_case(prefix, symbol, name):
    async def scenario(client):
        form = {**GTX, "timeInForce": "GTC", "price": "84000.0", "symbol": symbol}
        placed = [(await client.signed("POST", f"{prefix}/order", **form, newClientOrderId=f"mine-{n}"))[1] for n in (1, 2)]
        listed = [order["orderId" if "orderi" in name.lower()[:6] else "clientOrderId"] for order in placed]
        _, rows = await client.signed("DELETE", f"{prefix}/batchOrders", symbol=symbol,
                                      **{name: json.dumps([*listed, "999"])})
        assert [row.get("status") for row in rows] == ["CANCELED", "CANCELED", None] and rows[2]["code"] == -2011
        for wrong in ("[]", json.dumps(list(range(11)))):
            assert (await client.signed("DELETE", f"{prefix}/batchOrders", symbol=symbol, **{name: wrong}))[1]["code"] == -4082
        many = json.dumps([{**form, "symbol": symbol}] * 6)
        assert (await client.signed("POST", f"{prefix}/batchOrders", batchOrders=many))[1]["code"] == -4082

    on_venue(scenario)


def test_market_orders_fill_against_the_book():
    async def scenario(client):
        _, book = await client.public("/api/v3/depth", symbol="BTCUSDT", limit=1)
        form = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.002"}
        _, order = await client.signed("POST", "/api/v3/order", **form)
        assert order["status"] == "FILLED" and order["fills"][0]["price"] == book["asks"][0][0]
        assert order["fills"][0]["commission"] == "0.00000200"
        _, balance = await client.signed("GET", "/api/v3/account")
        btc = next(b for b in balance["balances"] if b["asset"] == "BTC")
        assert btc == {"asset": "BTC", "free": "100.00199800", "locked": "0.00000000"}
        _, future = await client.signed("POST", "/fapi/v1/order", newOrderRespType="RESULT", **form)
        assert future["status"] == "FILLED" and future["executedQty"] == "0.002"
        _, risk = await client.signed("GET", "/fapi/v3/positionRisk")
        assert [(p["symbol"], p["positionAmt"]) for p in risk] == [("BTCUSDT", "0.002")]
        _, trades = await client.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
        assert trades[0]["orderId"] == future["orderId"] and trades[0]["maker"] is False

    on_venue(scenario)


def test_cancel_replace_and_amend():
    async def scenario(client):
        _, order = await client.signed("POST", "/api/v3/order", **LIMIT)
        replace = {**LIMIT, "cancelReplaceMode": "STOP_ON_FAILURE", "price": "83900.00"}
        path = "/api/v3/order/cancelReplace"
        status, done = await client.signed("POST", path, cancelOrderId=order["orderId"], **replace)
        assert (status, done["cancelResult"], done["newOrderResult"]) == (200, "SUCCESS", "SUCCESS")
        status, body = await client.signed("POST", path, cancelOrderId=order["orderId"], **replace)
        assert (status, body["code"], body["data"]["newOrderResult"]) == (400, -2022, "NOT_ATTEMPTED")
        assert body["data"]["cancelResponse"] == {"code": -2011, "msg": "Unknown order sent."}
        status, body = await client.signed("POST", path, cancelOrderId=order["orderId"],
                                           **{**replace, "cancelReplaceMode": "ALLOW_FAILURE"})
        assert (status, body["code"], body["data"]["newOrderResult"]) == (409, -2021, "SUCCESS")
        number = done["newOrderResponse"]["orderId"]
        path = "/api/v3/order/amend/keepPriority"
        status, amended = await client.signed("PUT", path, symbol="BTCUSDT", orderId=number, newQty="0.005")
        assert amended["amendedOrder"]["qty"] == "0.00500000" and amended["amendedOrder"]["orderId"] == number
        status, body = await client.signed("PUT", path, symbol="BTCUSDT", orderId=number, newQty="0.006")
        assert (status, body["code"]) == (400, -2038)

    on_venue(scenario)


def test_order_limits_and_weights_of_the_venue():
    async def scenario(client):
        for _ in range(100):
            status, body = await client.signed("POST", "/api/v3/order", **{**LIMIT, "quantity": "0.001"})
            if status != 200:
                break
        codes = {status, body.get("code")}
        while status == 200:
            status, body = await client.signed("POST", "/api/v3/order", **{**LIMIT, "quantity": "0.001"})
            codes = {status, body.get("code")}
        assert codes == {429, -1015} and int(client.headers["Retry-After"]) <= 10
        while (await client.public("/api/v3/exchangeInfo"))[0] == 200:
            pass
        status, body = await client.public("/api/v3/exchangeInfo")
        assert (status, body["code"]) == (429, -1003)

    on_venue(scenario, binance=BinanceOptions(order_limit_factor=1))


def test_unknown_paths_and_methods():
    async def scenario(client):
        async with client.session.get(client.rest_url + "/api/v3/nothing") as response:
            assert response.status == 404
        async with client.session.put(client.rest_url + "/api/v3/ping") as response:
            assert response.status == 405

    on_venue(scenario)


def test_statistics_are_served_and_reset():
    async def scenario(client):
        await client.signed("POST", "/api/v3/order", **LIMIT)
        control = client.endpoints["sim"]["control"]
        async with client.session.get(control + "/sim/v1/statistics") as response:
            seen = await response.json()
        assert seen["orders"] == 1 and set(seen["wire_us"]) == {"n", "p50", "p90", "p99", "p999", "max"}
        async with client.session.post(control + "/sim/v1/statistics/reset") as response:
            assert response.status == 200
        async with client.session.get(control + "/sim/v1/statistics") as response:
            assert (await response.json())["orders"] == 0

    on_venue(scenario)
