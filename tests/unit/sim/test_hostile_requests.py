"""Whatever a request carries, the operation answers or refuses in the venue's words; it never breaks inside."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from venue_client import on_venue

from nexus_fast.sim.binance.errors import VenueError
from nexus_fast.sim.binance.requests import Call
from nexus_fast.sim.binance.venue import WS_APIS
from nexus_fast.sim.server import SimulatedVenue

NAMES = ["symbol", "symbols", "side", "type", "timeInForce", "quantity", "quoteOrderQty", "price", "orderId",
         "origClientOrderId", "newClientOrderId", "newOrderRespType", "limit", "fromId", "startTime", "endTime",
         "interval", "newQty", "cancelReplaceMode", "cancelOrderId", "reduceOnly", "leverage", "marginType",
         "countdownTime", "priceMatch", "batchOrders", "orderIdList", "goodTillDate", "selfTradePreventionMode",
         "dualSidePosition", "cancelRestrictions", "omitZeroBalances", "positionSide"]
VALUES = ["", "BTCUSDT", "USDCUSDT", "NOPE", "BUY", "SELL", "LIMIT", "MARKET", "LIMIT_MAKER", "STOP", "GTC", "IOC",
          "FOK", "GTX", "GTD", "0", "1", "-1", "0.01", "84550.00", "1e9", "NaN", "9" * 20, "0." + "0" * 30 + "1",
          "true", "false", "ACK", "FULL", "RESULT", "[]", "[1]", "[[" * 3000, '["BTCUSDT"]', "{", "\x00", "\ud83d",
          '[{"symbol":"BTCUSDT"}]', "1m", "STOP_ON_FAILURE", "ALLOW_FAILURE", "OPPONENT_5", "QUEUE", "EXPIRE_BOTH",
          "ONLY_NEW"]
forms = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=12)
sensible = st.fixed_dictionaries({
    "symbol": st.sampled_from(["BTCUSDT", "USDCUSDT"]), "side": st.sampled_from(["BUY", "SELL"]),
    "type": st.sampled_from(["LIMIT", "MARKET"]), "quantity": st.sampled_from(["0.01", "6", "20"]),
    "price": st.sampled_from(["84550.00", "0.9998", "84000.0"]),
    "timeInForce": st.sampled_from(["GTC", "IOC", "FOK", "GTX"])})


class Wire:
    """Stands for a WebSocket API connection."""

    session = None
    authorized_since = connected_since = next_subscription = 0
    returns_limits = True

    def __init__(self):
        self.subscriptions = {}


@pytest.mark.parametrize("entry", range(len(SimulatedVenue(["binance"], tick_rate=0).binance.routes)))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(st.tuples(st.integers(0, 10**6), sensible, forms), min_size=5, max_size=30))
def test_operations_only_ever_refuse(entry, steps):
    venue = SimulatedVenue(["binance"], tick_rate=0)
    service, table = venue.binance.routes[entry]
    account = venue.binance.accounts["sim"] if service.twins is None else service.twins["sim"]
    operations = list(table.values()) + [
        o for name, o in WS_APIS[service.name][1].items() if not name.startswith(("session.", "userDataStream."))]
    for number, good, wild in steps:
        params = {**good, **wild} if number % 3 else wild
        call = Call(service, {k: v.encode("utf-8", "replace").decode() for k, v in params.items()},
                    account=account, connection=Wire())
        try:
            operations[number % len(operations)].perform(call)
        except VenueError as error:
            assert 400 <= error.status < 500 and error.code < 0
        service.market.flush()
    assert all(v >= 0 for v in account.ledgers["spot"].free.values())


def test_garbage_on_the_sockets():
    garbage = ['""', "[]", "1", "null", "{}", '{"id":1}', '{"method":5}', '{"method":"order.place","params":[1]}',
               '{"id":{"a":1},"method":"ping"}', '{"method":"SUBSCRIBE","params":[1,2]}', "[" * 5000, "\ud83d",
               '{"method":"SUBSCRIBE","params":{"a":1},"id":1}',
               '{"id":1,"method":"order.place","params":{"symbol":[1]}}']

    async def scenario(client):
        for open_socket in (client.spot_api, client.usd_m_api):
            api = await open_socket()
            for text in garbage:
                await api.send(text.encode("utf-8", "replace").decode())
                answer = await api.receive()
                assert answer.get("status", 400) in (200, 400)
            assert (await api.ask("ping"))["status"] == 200
        for text in garbage:
            stream = await client.open(client.endpoints["binance.spot"]["stream"] + "/ws")
            await stream.send(text.encode("utf-8", "replace").decode())
            await stream.receive()
            assert (await stream.ask("LIST_SUBSCRIPTIONS"))["id"] == 1

    on_venue(scenario)
