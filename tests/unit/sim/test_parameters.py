"""Parameters that a request does not have: refused on spot, ignored elsewhere, and never a stop that is silently left out."""

from urllib.parse import urlencode

import pytest
from venue_client import now_ms, on_venue

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01",
         "price": "84000.00"}
SPOT_PATHS = ("/api/v3/order", "/sapi/v1/margin/order", "/papi/v1/margin/order")
FUTURES_PATHS = ("/fapi/v1/order", "/dapi/v1/order", "/papi/v1/um/order", "/papi/v1/cm/order")
MARKET = {"side": "BUY", "type": "MARKET", "quantity": "1"}
TOO_MANY = "Too many parameters; expected '{}' and received '{}'."
UNREAD = "Not all sent parameters were read; read '{}' parameter(s) but was sent '{}'."


async def said(client, path, method="POST", **params):
    """(code, text) of an answer."""
    body = (await client.signed(method, path, **params))[1]
    return body.get("code"), body.get("msg")


def test_spot_refuses_what_it_does_not_know():
    """Counts and texts as users of clients reported them: ccxt 7082 and 8450, binance-api-postman 236, node-binance-api 18,
    sieblyio/binance 245."""
    async def scenario(client):
        path, limit = "/api/v3/order", {**LIMIT, "recvWindow": 5000}
        assert await said(client, path, **limit, reduceOnly="true") == (-1104, UNREAD.format(9, 10))
        more = {**limit, "newClientOrderId": "a1", "newOrderRespType": "RESULT"}
        assert await said(client, path, **more, created="1613138460000") == (-1104, UNREAD.format(11, 12))
        assert await said(client, path, "GET", **LIMIT) == (-1101, TOO_MANY.format(6, 8))
        assert (await client.public("/api/v3/depth", symbol="BTCUSDT", depth=5))[1] == {"code": -1104, "msg": UNREAD.format(1, 2)}
        many = {"symbol": "ETHUSDC", "limit": 5, "fromId": 1, "timestamp": now_ms()}
        assert (await client.public("/api/v3/historicalTrades", **many))[1] == {"code": -1101, "msg": TOO_MANY.format(3, 4)}
        for name in ("new_client_order_id", "timeInforce", "stopLossPrice", "isIsolated"):
            assert (await said(client, path, **LIMIT, **{name: "1"}))[0] == -1104
        assert client.venue.statistics.orders == 0
        assert (await said(client, "/sapi/v1/margin/order", **LIMIT, whatever="1"))[0] is None

    on_venue(scenario)


def test_a_parameter_may_come_once():
    async def scenario(client):
        for path in ("/api/v3/order", "/fapi/v1/order"):
            for in_body in (False, True):
                status, body = await client.signed_text("POST", path, urlencode(LIMIT) + "&quantity=5", in_body)
                assert (status, body) == (400, {"code": -1101, "msg": "Duplicate values for parameter 'quantity'."})
        assert client.venue.statistics.orders == 0

    on_venue(scenario)


@pytest.mark.parametrize("path", [*SPOT_PATHS, *FUTURES_PATHS])
def test_a_stop_beside_another_type_of_order_is_not_ignored(path):
    async def scenario(client):
        symbol, spot = "BTCUSD_PERP" if "/dapi" in path or "/cm" in path else "BTCUSDT", path in SPOT_PATHS
        limit = {**LIMIT, "symbol": symbol, "quantity": "1", "price": "84000"}
        names = ["stopPrice", "trailingDelta"] if spot else ["stopPrice", "activationPrice", "callbackRate"]
        for form, unneeded in ((limit, names), ({**MARKET, "symbol": symbol}, ["price", "timeInForce", *names])):
            for name in unneeded:
                told = f"Parameter '{name if spot else name.lower()}' sent when not required."
                assert await said(client, path, **form, **{name: "80000"}) == (-1106, told)
        if spot:
            for name, kind in (("icebergQty", "Iceberg"), ("pegPriceType", "Pegged")):
                assert await said(client, path, **limit, **{name: "1"}) == (
                    -1013, f"{kind} orders are not supported for this symbol.")
        else:
            assert (await said(client, path, **limit, closePosition="true"))[0] == -4136
        assert client.venue.statistics.orders == 0

    on_venue(scenario)
