"""Whatever a strategy in Cython passes is an order or a refusal, and the engine lives on."""

import socket
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bench.path.frames import frames_of
from bench.path.world import World, read_back
from nexus_fast.cache import Cache
from nexus_fast.core.decimals import decimal_of, mantissa_at
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.log import Logger
from nexus_fast.order.ledger import Ledger
from nexus_fast.order.reasons import TEXTS
from nexus_fast.order.tracker import Tracker
from nexus_fast.order.view import SIDES, TIMES_IN_FORCE, TYPES
from nexus_fast.strategy.base import attach

WITHIN = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
LEAST, MOST = -(2**63), 2**63 - 1
EDGES = [LEAST, LEAST + 1, -1, 0, 1, 10**18 - 1, 10**18, MOST]
numbers = st.sampled_from(EDGES) | st.integers(LEAST, MOST) | st.integers(1, 10**9)
words = st.sampled_from([0, 1, 2, 3, 254, 255]) | st.integers(0, 255)
ids = st.sampled_from([0, 1, 2, 255, 2**31, 2**32 - 1]) | st.integers(0, 2**32 - 1)


class Trader:
    """A Sender, an entry whose channel leads to a socket that is read here, and the cold half that hears of its orders."""

    def __init__(self, probe, folder):
        self.world = World("binance spot", frames_of("binance spot", recorded=False)[0], folder, ("quiet",))
        self.entry, names = self.world.entry, [i.symbol for i in self.world.instruments]
        self.sender = probe.Sender()
        exchanges = [i.exchange for i in self.world.instruments]
        ids = {name: number for number, name in enumerate(names)}
        attach(self.sender, None, self.entry, 0, ids, names, exchanges, {})
        self.ledger = Ledger(self.entry)
        cache, nothing = Cache(lambda symbol: None, lambda: None), lambda number: None
        self.tracker = Tracker(self.ledger, cache, self.world.instruments, [self.sender], nothing, Logger("test"),
                               lambda index: BinanceAccountType.USD_M_FUTURE)
        self.symbols = len(names)
        ours, self.venue = socket.socketpair()
        probe.connect(self.world.channel, ours.detach())
        self.venue.setblocking(False)

    def requests(self):
        """What has come to the venue since the last look: at most one request."""
        try:
            return [read_back(self.venue.recv(1 << 16))["params"]]
        except BlockingIOError:
            return []

    def told_of(self, number):
        """The order as a strategy in Python would see it."""
        self.tracker.drain()
        return self.tracker.order(number)


@pytest.fixture
def trader(probe, tmp_path, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_SHM", str(tmp_path))
    return Trader(probe, tmp_path)


@WITHIN
@given(ids, words, words, numbers, numbers, words, words)
@example(0, 0, 1, LEAST, 1000, 0, 0)
@example(0, 0, 0, 0, LEAST, 0, 0)
@example(0, 2, 1, 100, 1000, 0, 0)
@example(0, 0, 3, 100, 1000, 0, 0)
@example(0, 0, 1, 100, 1000, 3, 0)
@example(0, 255, 255, LEAST, LEAST, 255, 255)
@example(2**32 - 1, 0, 1, 100, 1000, 0, 0)
@example(0, 1, 2, 10**8, 1000, 0, 1)
def test_an_order_of_any_arguments_is_sent_or_refused(trader, symbol_id, side, type, price, quantity, time_in_force, flags):
    sent, refused = trader.entry.sent, trader.entry.refused
    number = trader.sender.send(symbol_id, side, type, price, quantity, time_in_force, flags)
    requests = trader.requests()
    assert len(requests) == (number > 0)
    assert (trader.entry.sent - sent, trader.entry.refused - refused) == ((1, 0) if number > 0 else (0, 1))
    said = side < 2 and type < 3 and time_in_force < 3 and flags < 2 and symbol_id < trader.symbols
    if number < 0 and not said:
        assert TEXTS[-number]
        return
    assert said
    newest = number if number > 0 else trader.entry.table.issued
    order = trader.told_of(newest)
    assert (order.side, order.type, order.time_in_force) == (SIDES[side], TYPES[type], TIMES_IN_FORCE[time_in_force])
    assert order.amount == Decimal(quantity).scaleb(-trader.ledger.fields(newest)["size_scale"])
    assert (order.reason is None) == (number > 0)
    if number > 0:
        assert Decimal(requests[0]["quantity"]) == order.amount > 0 and requests[0]["side"] == order.side.value
        scale = trader.ledger.fields(newest)["price_scale"]
        assert type == 0 or Decimal(requests[0]["price"]) == Decimal(price).scaleb(-scale) > 0
        trader.ledger.apply(number, "CANCELED")


@WITHIN
@given(st.integers(0, 2**64 - 1), numbers, numbers)
@example(0, 1, 1)
@example(2**64 - 1, LEAST, LEAST)
def test_a_number_that_is_no_orders_is_refused(trader, number, price, quantity):
    if trader.sender.knows(number):
        return
    assert trader.sender.cancel(number) < 0
    assert trader.sender.modify(number, price, quantity) < 0
    assert trader.sender.cancel_nothing() < 0 and trader.sender.modify_nothing(price, quantity) < 0


@WITHIN
@given(numbers, numbers)
def test_a_modification_to_any_numbers_is_sent_or_refused(trader, price, quantity):
    number = trader.sender.send(0, 0, 1, 10**8, 1000)
    assert number > 0
    trader.requests()
    status = trader.sender.modify(number, price, quantity)
    assert len(trader.requests()) == (status == 0)
    assert status <= 0 and trader.told_of(number).amount == Decimal(1000).scaleb(-trader.ledger.fields(number)["size_scale"])
    trader.ledger.apply(number, "CANCELED")


@WITHIN
@given(ids, st.integers(0, 255), st.none() | st.binary(max_size=255), words)
@example(0, 0, None, 17)
@example(0, 0, b"x" * 255, 255)
@example(0, 1, b"x" * 17, 17)
@example(0, 254, None, 0)
def test_an_account_or_client_id_that_is_none_is_refused(trader, symbol_id, account, client_id, length):
    length = min(length, len(client_id) if client_id is not None else 255)
    number = trader.sender.submit(symbol_id, account, client_id, length)
    assert len(trader.requests()) == (number > 0)
    known = symbol_id < trader.symbols and account in (0, 255)
    if not known or (length and (client_id is None or length > 36)):
        assert number < 0
    if number > 0:
        trader.ledger.apply(number, "CANCELED")


def test_before_the_engine_is_built_everything_is_refused(probe):
    sender = probe.Sender()
    assert sender.send(0, 0, 1, 100, 100) < 0 and sender.cancel(1) < 0 and not sender.knows(1)


@given(st.sampled_from([LEAST, LEAST + 1, -(10**18), MOST]) | st.integers(LEAST, MOST), st.integers(0, 18))
@example(LEAST, 0)
@example(LEAST, 18)
@settings(deadline=None)
def test_every_mantissa_is_a_decimal(mantissa, scale):
    number = decimal_of(mantissa, scale)
    assert number == Decimal(mantissa).scaleb(-scale) and number.as_tuple().exponent == -scale
    assert mantissa_at(number, scale) == (mantissa if abs(mantissa) < 10**18 else None)


@pytest.mark.parametrize("scale", [-1, 19, 40, 2**31 - 1, -(2**31)])
def test_a_scale_that_is_none_is_an_error(scale):
    with pytest.raises(ValueError, match="0 to 18"):
        decimal_of(1, scale)
    assert mantissa_at(Decimal(1), scale) is None
