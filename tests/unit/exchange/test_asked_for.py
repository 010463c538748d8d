"""The answer to a strategy's question for one order is held against the question."""

from decimal import Decimal

import pytest

from nexus_fast.constants import ExchangeType, OrderStatus
from nexus_fast.error import VenueError
from nexus_fast.exchange.rows import require_asked_for
from nexus_fast.schema import Order


def order(oid="mine", amount="0.002", filled="0"):
    return Order(exchange=ExchangeType.BINANCE, symbol="BTCUSDT.BINANCE", status=OrderStatus.ACCEPTED, oid=oid,
                 amount=Decimal(amount), filled=Decimal(filled))


@pytest.mark.parametrize("filled", ["0", "0.001", "0.002"])
def test_the_order_that_was_asked_for(filled):
    assert require_asked_for(order(filled=filled), "mine", "binance").filled == Decimal(filled)


@pytest.mark.parametrize(("answer", "says"), [(order("another"), "about order another"), (order(filled="99"), "99 filled")])
def test_another_order_or_what_cannot_be_is_no_answer(answer, says):
    with pytest.raises(VenueError, match=says):
        require_asked_for(answer, "mine", "binance")
