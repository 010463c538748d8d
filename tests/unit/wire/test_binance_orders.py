"""The plain yes to an order is read on the fast way in its exact form alone: anything else is left to the general decoder.

The answers are those of developers.binance.com (order.place on spot and USD-M).
"""

import pytest

from nexus_fast.wire.binance_orders import accepted, new

SPOT = (b'{"id":"mjuohs00gg9000001","status":200,"result":{"symbol":"BTCUSDT","orderId":12569099453,"orderListId":-1,'
        b'"clientOrderId":"mjuohs00gg9000001","transactTime":1660801715639}}')
USD_M = (b'{"id":"mjuohs00gg9000001","status":200,"result":{"orderId":325078477,"symbol":"BTCUSDT","status":"NEW",'
         b'"clientOrderId":"mjuohs00gg9000001","price":"43187.00","avgPrice":"0.00","origQty":"0.100","executedQty":"0.000"}}')


@pytest.mark.parametrize(("answer", "venue_id"), [(SPOT, b"12569099453"), (USD_M, b"325078477")])
def test_a_plain_yes(answer, venue_id):
    assert accepted(answer) == (b"mjuohs00gg9000001", venue_id)


@pytest.mark.parametrize("answer", [SPOT, USD_M])
@pytest.mark.parametrize(("old", "made"), [
    (b'"clientOrderId":"mjuohs00gg9000001"', b'"clientOrderId":"mjuohs00gg9000002"'),
    (b'"clientOrderId":"mjuohs00gg9000001"', b'"clientOrderId":"mjuohs00gg900000"'),
    (b'"clientOrderId":"mjuohs00gg9000001"', b'"clientOrderId":""'),
    (b'"clientOrderId":"mjuohs00gg9000001",', b""),
    (b'{"id":"mjuohs00gg9000001"', b'{"id":"mjuohs00gg9000003"'),
    (b'"status":200', b'"status":400')])
def test_an_answer_that_names_another_order_is_none(answer, old, made):
    assert old in answer and accepted(answer.replace(old, made)) is None


@pytest.mark.parametrize("status", [b"EXPIRED", b"FILLED", b"PARTIALLY_FILLED", b"REJECTED", b""])
def test_an_order_that_is_not_new_any_more_is_no_plain_yes(status):
    assert accepted(USD_M.replace(b'"NEW"', b'"%b"' % status)) is None


def test_every_beginning_of_an_answer_is_none():
    for answer in (SPOT, USD_M):
        assert not any(accepted(answer[:size]) for size in range(len(answer)))


@pytest.mark.parametrize(("execution", "status", "seen"), [
    (b"NEW", b"NEW", True), (b"TRADE", b"CANCELED", False), (b"TRADE", b"NEW", False), (b"NEW", b"EXPIRED", False)])
def test_only_a_new_order_is_news_of_a_new_order(execution, status, seen):
    report = (b'{"subscriptionId":0,"event":{"e":"executionReport","E":1,"s":"BTCUSDT","c":"mjuohs00gg9000001","S":"BUY",'
              b'"x":"%b","X":"%b","r":"NONE","i":1,"l":"0","z":"0","L":"0","t":-1}}' % (execution, status))
    assert new(report) == (b"mjuohs00gg9000001" if seen else None)
