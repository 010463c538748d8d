"""Whatever a request carries, the operation answers or refuses in the venue's words; it never breaks inside."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from okx_client import on_okx

from nexus_fast.sim.okx.errors import VenueError
from nexus_fast.sim.okx.requests import Call
from nexus_fast.sim.okx.socket_trading import OPERATIONS, trade
from nexus_fast.sim.okx.tables import REST
from nexus_fast.sim.server import SimulatedVenue

NAMES = ["instId", "instIdCode", "instType", "instFamily", "uly", "side", "ordType", "tdMode", "sz", "px", "clOrdId",
         "ordId", "reduceOnly", "tgtCcy", "posSide", "stpMode", "newSz", "newPx", "cxlOnFail", "reqId", "limit", "after",
         "before", "begin", "end", "bar", "timeOut", "tag", "lever", "mgnMode", "posMode", "ccy", "state", "quoteCcy",
         "slTriggerPx"]
VALUES = ["", "BTC-USDT", "BTC-USDT-SWAP", "BTC-USD-SWAP", "NOPE", "10459", "10458", "10001", "SPOT", "SWAP", "ANY",
          "BTC-USDT,NOPE", "buy", "sell", "limit", "market", "post_only", "ioc", "fok", "optimal_limit_ioc", "cash",
          "cross", "isolated", "0", "1", "-1", "0.01", "84550.0", "1e9", "NaN", "9" * 20, "0." + "0" * 30 + "1", "true",
          "false", "base_ccy", "quote_ccy", "net", "long", "cancel_both", "1m", "[]", "{", "\x00", "é" * 40, "10", "60"]
forms = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=12)
sensible = st.one_of(
    st.fixed_dictionaries({
        "instId": st.just("BTC-USDT"), "instIdCode": st.just("10001"), "tdMode": st.just("cash"),
        "side": st.sampled_from(["buy", "sell"]), "ordType": st.sampled_from(["limit", "market", "post_only", "ioc", "fok"]),
        "sz": st.sampled_from(["0.01", "2"]), "px": st.sampled_from(["84550.0", "84000", "85000"])}),
    st.fixed_dictionaries({
        "instId": st.just("BTC-USD-SWAP"), "instIdCode": st.just("10458"), "tdMode": st.sampled_from(["cross", "isolated"]),
        "side": st.sampled_from(["buy", "sell"]), "ordType": st.sampled_from(["limit", "market", "optimal_limit_ioc"]),
        "sz": st.sampled_from(["1", "500"]), "px": st.sampled_from(["84570.0", "84000", "85000"]),
        "reduceOnly": st.sampled_from(["true", "false"])}))
ORDERS = [operation for operation in REST.values() if operation.is_entry]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(st.tuples(st.integers(0, 10**6), sensible, forms), min_size=5, max_size=30))
def test_operations_only_ever_refuse(steps):
    venue = SimulatedVenue(("okx",), tick_rate=0)
    exchange, account = venue.okx.exchange, venue.okx.accounts["sim"]
    everything = list(REST.values())
    for number, good, wild in steps:
        params = {**good, **wild} if number % 3 else wild
        operation = ORDERS[number % len(ORDERS)] if number % 2 else everything[number % len(everything)]
        known = list(account.orders("okx").by_id)
        if known and number % 5 == 0:
            params = {**params, "ordId": str(known[number % len(known)])}
        if operation.is_entry and number % 7 == 0:
            name = list(OPERATIONS)[number % len(OPERATIONS)]
            answer, _ = trade(exchange, account, {"id": "h", "op": name, "args": [params]}, 1)
            assert answer["code"].isdigit()
        else:
            call = Call(exchange, params, account=account)
            try:
                assert isinstance(operation.perform(call), list)
            except VenueError as error:
                assert 200 <= error.status < 500 and error.code >= 50000
        exchange.flush()
    spot = account.ledgers["okx_spot"]
    assert all(amount >= 0 for amount in spot.locked.values())
    open_orders = list(account.orders("okx").open.values())
    for asset, locked in spot.locked.items():
        held = [o for o in open_orders if o.instrument.market == "okx_spot" and spot.held_asset(o) == asset]
        assert locked == sum(order.locked for order in held)
    risk = account.ledgers["okx_contracts"].risk.get("BTC-USD-SWAP")
    if risk is not None:
        waiting = [order for order in open_orders if order.instrument.symbol == "BTC-USD-SWAP"]
        assert risk.open_buy == sum(order.locked for order in waiting if order.side > 0)
        assert risk.open_sell == sum(order.locked for order in waiting if order.side < 0)


BODIES = ("", "{", "null", "5", "[1]", '"x"', "[" * 5000, '[{"instId":[1]}]', "[]", '{"sz":{"a":1}}')


def test_garbage_in_a_body():
    async def scenario(client):
        for body in BODIES:
            for path in ("/api/v5/trade/order", "/api/v5/trade/amend-batch-orders", "/api/v5/account/set-leverage"):
                status, answer = await client.post(path, body)
                assert 200 <= status < 500 and answer["code"] != "0", (body, answer)

    on_okx(scenario)


def test_paths_and_methods_that_there_are_not():
    async def scenario(client):
        assert (await client.public("/api/v5/nothing"))[0] == 404
        status, answer = await client.get("/api/v5/trade/batch-orders")
        assert (status, answer["code"]) == (405, "50115")

    on_okx(scenario)
