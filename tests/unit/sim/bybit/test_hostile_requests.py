"""Whatever a request carries, the operation answers or refuses in the venue's words; it never breaks inside."""

import pytest
from bybit_client import on_bybit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexus_fast.sim.bybit.errors import VenueError
from nexus_fast.sim.bybit.requests import Call
from nexus_fast.sim.bybit.tables import REST
from nexus_fast.sim.server import SimulatedVenue

NAMES = ["category", "symbol", "side", "orderType", "qty", "price", "timeInForce", "orderLinkId", "orderId", "marketUnit",
         "reduceOnly", "positionIdx", "isLeverage", "triggerPrice", "smpType", "limit", "cursor", "startTime", "endTime",
         "start", "end", "interval", "openOnly", "orderStatus", "baseCoin", "settleCoin", "coin", "accountType", "buyLeverage",
         "sellLeverage", "mode", "request", "product", "timeWindow", "setMarginMode", "execType", "status", "orderFilter",
         "takeProfit"]
VALUES = ["", "spot", "linear", "inverse", "option", "BTCUSDT", "BTCUSD", "NOPE", "Buy", "Sell", "Limit", "Market", "GTC",
          "IOC", "FOK", "PostOnly", "0", "1", "-1", "0.01", "100", "84550", "84550.1", "1e9", "NaN", "9" * 20, "9" * 40,
          "0." + "0" * 30 + "1", "true", "false", "[]", "[1]", "[[" * 3000, "{", "\x00", "\ud83d", "from:1", "from%3A2",
          "from:" + "9" * 30, '[{"symbol":"BTCUSDT"}]', "5", "D", "UNIFIED", "FUND", "BTC", "USDT", "quoteCoin", "baseCoin",
          "CancelBoth", "SPOT", "REGULAR_MARGIN", "٣", "1\n", "12345678-1234-1234-1234-123456789012"]
forms = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=10)
sensible = st.fixed_dictionaries({
    "category": st.sampled_from(["spot", "linear", "inverse"]), "symbol": st.sampled_from(["BTCUSDT", "BTCUSD", "XRPUSDT"]),
    "side": st.sampled_from(["Buy", "Sell"]), "orderType": st.sampled_from(["Limit", "Market"]),
    "qty": st.sampled_from(["0.01", "20", "100"]), "price": st.sampled_from(["84550", "2.054", "84000"]),
    "timeInForce": st.sampled_from(["GTC", "IOC", "FOK", "PostOnly"])})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(st.tuples(st.integers(0, 10**6), sensible, forms), min_size=5, max_size=30))
def test_operations_only_ever_refuse(steps):
    venue = SimulatedVenue(["bybit"], tick_rate=0)
    exchange, operations = venue.bybit.exchange, list(REST.values())
    account = venue.bybit.accounts["sim"]
    placed = []
    for number, good, wild in steps:
        params = {**good, **wild} if number % 3 else wild
        if placed and number % 2:
            params = {**params, **placed[number % len(placed)]}
        call = Call(exchange, {k: v.encode("utf-8", "replace").decode() for k, v in params.items()}, account=account)
        try:
            operation = operations[number % len(operations)]
            answer = operation.perform(call)
            if operation.is_order and "orderId" in answer:
                placed.append({"category": call.category, "symbol": call.get("symbol"), "orderId": answer["orderId"]})
        except VenueError as error:
            assert error.code > 0 and error.text
        exchange.flush(call)
    spot = account.ledgers["spot"]
    assert all(amount >= 0 for amount in spot.locked.values())
    held = {}
    for order in account.orders("spot").open.values():
        asset = spot.held_asset(order)
        held[asset] = held.get(asset, 0) + order.locked
    assert {asset: amount for asset, amount in spot.locked.items() if amount} == {a: h for a, h in held.items() if h}
    for market in exchange.contracts:
        ledger = account.ledgers[market.name]
        for symbol in ledger.risk:
            orders = [o for o in account.orders(market.name).open.values() if o.instrument.symbol == symbol]
            assert ledger.risk[symbol].open_buy == sum(o.locked for o in orders if o.side > 0)
            assert ledger.risk[symbol].open_sell == sum(o.locked for o in orders if o.side < 0)


GARBAGE = ["x", "[]", "{}", "[" * 5000, '{"category":[1]}', '{"category":{"a":1},"symbol":null}', "\ud83d", '{"a":1e400}',
           '{"category":"linear","symbol":"BTCUSDT","side":true,"qty":NaN}', "null"]


def test_garbage_in_bodies_and_on_the_sockets():
    async def scenario(client):
        for text in GARBAGE:
            text = text.encode("utf-8", "replace").decode()
            answer = await client.post("/v5/order/create", body=text)
            assert answer["retCode"] == 10001, text
        trade, private = await client.trade(), await client.private()
        for text in [*GARBAGE, '{"op":"order.create"}', '{"op":"order.create","args":[1]}', '{"op":"auth","args":{}}',
                     '{"op":"order.create","args":[{}],"header":5,"reqId":[1]}', '{"op":"subscribe","args":[[1]]}']:
            text = text.encode("utf-8", "replace").decode()
            assert (await trade.ask(text))["retCode"] > 0
            if "auth" not in text:
                assert (await private.ask(text))["success"] is False
        assert (await trade.ask({"op": "ping"}))["retCode"] == 0

    on_bybit(scenario)


@pytest.mark.parametrize("path", ["/", "/v5", "/v5/order/create", "/v5/nonsense"])
def test_paths_that_do_not_exist(path):
    async def scenario(client):
        async with client.session.get(client.endpoints["rest"] + path) as response:
            assert response.status == 404

    on_bybit(scenario)
