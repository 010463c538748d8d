"""A modification passes every check of a new order; what is refused leaves the order as it is, and nothing is sent."""

import sys
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

from wire import Wire

from bench.path.frames import frames_of
from bench.path.world import World
from nexus_fast.config import RiskConfig
from nexus_fast.constants import ExchangeType, OrderSide, OrderType
from nexus_fast.error import OrderError
from nexus_fast.journal import read_journal, show
from nexus_fast.order.ledger import Ledger
from nexus_fast.order.reasons import CLOCK, RATE_LIMITED, STRATEGY_HALTED, reason_text
from nexus_fast.order.route import Route
from nexus_fast.shm.ring import RingReader
from nexus_fast.strategy import Strategy
from nexus_fast.strategy.base import attach

HALTED, NO_ROUTE, NOT_TRADING, QUANTITY, NOTIONAL, DISTANCE = 4, 2, 21, 15, 16, 17
ONE = Decimal("0.001")
RISK = RiskConfig(max_quantity=Decimal("0.002"), max_notional=Decimal("1000"), max_price_distance=Decimal("0.01"))


class Runtime:
    def __init__(self):
        self.refused = []
        self.orders = self

    def modify_failed(self, number, reason, price, amount):
        self.refused.append(reason)


class Desk:
    """One resting order on USD-M, with limits."""

    def __init__(self, folder):
        frames = frames_of("binance usd_m", recorded=False)[0]
        self.world = World("binance usd_m", frames, folder, ("quiet",))
        self.world.path.check()
        self.entry, self.wire = self.world.entry, Wire(self.world.channel)
        self.strategy, self.runtime = Strategy(), Runtime()
        ids = {found.symbol: number for number, found in enumerate(self.world.instruments)}
        attach(self.strategy, self.runtime, self.entry, 0, ids, list(ids), [ExchangeType.BINANCE] * len(ids), {})
        self.symbol = self.world.instruments[0].symbol
        self.book = self.entry.book(0, ExchangeType.BINANCE, self.symbol)
        self.route(RISK)
        self.price = Decimal(str(self.book.bid))
        self.oid = self.strategy.create_order(self.symbol, OrderSide.BUY, OrderType.LIMIT, ONE, self.price)
        self.ledger = Ledger(self.entry)
        self.number = self.ledger.find(self.oid)
        self.ledger.apply(self.number, "ACCEPTED")
        self.wire.sent()

    def route(self, risk=None, trading=True):
        import msgspec

        found = msgspec.structs.replace(self.world.instruments[0], active=trading)
        self.entry.routes.add(Route(found, 0, 0, self.world.sets[True], [self.world.channel], risk, ((), ())))

    def modify(self, price=None, amount=None, symbol=None):
        """The reason with which it is refused; 0 when it is sent."""
        self.strategy.modify_order(symbol or self.symbol, self.oid, price=price, amount=amount)
        sent = self.wire.sent()
        refused = self.runtime.refused.pop() if self.runtime.refused else 0
        assert bool(sent) != bool(refused)
        return refused


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_SHM", str(tmp_path))
    made = Desk(tmp_path)
    yield made
    made.wire.close()


def test_one_within_the_limits_is_sent(desk):
    assert desk.modify(price=desk.price - 1, amount=2 * ONE) == 0


@pytest.mark.parametrize(("change", "reason"), [
    ({"amount": 3 * ONE}, QUANTITY), ({"price": Decimal("0.97")}, DISTANCE), ({"price": Decimal("1.03")}, DISTANCE),
])
def test_the_traders_limits(desk, change, reason):
    if "price" in change:
        change = {"price": (desk.price * change["price"]).quantize(Decimal(1))}
    assert desk.modify(**change) == reason
    assert desk.ledger.fields(desk.number)["price"] == int(desk.price.scaleb(desk.world.instruments[0].price_scale))


def test_the_largest_notional(desk):
    desk.route(RiskConfig(max_notional=desk.price * ONE))
    assert desk.modify(price=desk.price + 1) == NOTIONAL
    assert desk.modify(price=desk.price - 1) == 0


def test_the_halt_and_the_accounts_gates(desk):
    desk.entry.halted = True
    assert desk.modify(price=desk.price - 1) == HALTED
    desk.entry.halted = False
    for reason in (RATE_LIMITED, CLOCK):
        desk.entry.close_gate(0, reason)
        assert desk.modify(price=desk.price - 1) == reason
    desk.entry.close_strategy(0, STRATEGY_HALTED)
    assert desk.modify(price=desk.price - 1) == CLOCK
    desk.entry.close_gate(0, 0)
    assert desk.modify(price=desk.price - 1) == STRATEGY_HALTED
    desk.entry.close_strategy(0, 0)
    assert desk.modify(price=desk.price - 1) == 0


def test_a_symbol_that_is_not_traded_now(desk):
    desk.route(RISK, trading=False)
    assert desk.modify(price=desk.price - 1) == NOT_TRADING
    assert "not trad" in reason_text(NOT_TRADING)


@pytest.mark.parametrize("symbol", ["NOSUCHUSDT-PERP.BINANCE", "", "no symbol"])
def test_another_symbol_than_the_orders(desk, symbol):
    with pytest.raises(OrderError, match=f"is an order of {desk.symbol}, not of"):
        desk.strategy.modify_order(symbol, desk.oid, price=desk.price - 1)
    assert desk.wire.sent() == b""


def test_what_the_venue_says_with_a_refusal_is_in_the_journal_and_in_the_order_ring(desk, tmp_path):
    said = "code=-2010 error=Account has insufficient balance for requested action."
    long = "é" * 40
    desk.ledger.apply(desk.number, "MODIFY_REJECTED", said=said)
    desk.ledger.apply(desk.number, "CANCEL_REJECTED", said=long)
    desk.ledger.apply(desk.number, "CANCELED")
    events = list(read_journal(tmp_path / "journal"))[-3:]
    ring = RingReader(f"path_orders_{id(desk.world)}", "order_event", start="oldest")
    for found in (events, list(ring)[-3:]):
        assert [event.text for event in found] == [said[:64], long[:32], ""]
    ring.close()
    assert f'said="{said[:64]}"' in show(events[0]) and "said" not in show(events[2])
