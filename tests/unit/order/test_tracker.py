"""Fills are counted once, whichever stream brings them, in any order; what is late is told (scenarios 3 to 6, 8, 58, 59)."""

import gc
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

from order_life import Life

from nexus_fast.cache import Cache
from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.constants import OrderStatus as S
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.log import Logger
from nexus_fast.order import former, holes
from nexus_fast.order.callbacks import CALLBACKS
from nexus_fast.order.events import LAG_SECONDS, OrderUpdate
from nexus_fast.order.tracker import Tracker
from nexus_fast.strategy.api import StrategyApi

WITHIN = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


class Listener(StrategyApi):
    def __init__(self):
        self.heard, self.fills, self.fees = [], [], []

    def on_fill(self, fill):
        self.fills.append(fill)

    def on_fill_fee(self, fill):
        self.fees.append(fill)


for _name in CALLBACKS.values():
    setattr(Listener, _name, lambda self, order, name=_name: self.heard.append((name, order)))


class Instrument:
    exchange, symbol, price_scale, size_scale = ExchangeType.BINANCE, "BTCUSDT.BINANCE", 0, 0
    venue_symbol, type = "BTCUSDT", InstrumentType.LINEAR

    contract_size, is_inverse, is_spot = Decimal(1), False, False

    @staticmethod
    def cost(price, quantity):
        return price * quantity


class Desk:
    """One order of ten, and a tracker."""

    def __init__(self, directory, state="ACCEPTED"):
        self.life = Life(directory)
        self.strategy = Listener()
        self.asked = []
        self.cache = Cache()
        self.tracker = Tracker(self.life.ledger, self.cache, [Instrument], [self.strategy], self.asked.append, Logger("test"),
                               lambda index: BinanceAccountType.USD_M_FUTURE)
        self.number = self.life.carry(state)
        self.canceled = []

    def hear(self, event, filled=None, trade=-1, quantity=None, fee=None, account=None, **more):
        said = {"client_id": "old0", "venue_id": "v1", "filled": None if filled is None else Decimal(filled), "trade_id": trade}
        if quantity is not None:
            said |= {"last_quantity": Decimal(quantity), "last_price": Decimal(100)}
        if fee is not None:
            said |= {"fee": Decimal(fee), "fee_currency": "BNB"}
        return self.tracker.apply(OrderUpdate(event=event, **{**said, **more}), account)

    @property
    def order(self):
        return self.cache.get_order("old0")

    def story(self):
        return [name.removeprefix("on_").removesuffix("_order") for name, _ in self.strategy.heard]


@pytest.fixture
def desk(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_SHM", str(tmp_path))
    made = []

    def make(state="ACCEPTED"):
        made.append(Desk(tmp_path_factory.mktemp("desk"), state))
        return made[-1]

    yield make
    for one in made:
        one.life.die()


@st.composite
def messages(draw):
    """Trades of one order, each said by a fast stream without and by a full one with cumulative quantity and fee, shuffled,
    doubled."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4).filter(lambda found: sum(found) <= 10))
    said, total = [], 0
    for trade, size in enumerate(sizes):
        total += size
        full = ("FILLED" if total == 10 else "FILL", total, trade, size, 1)
        said += [full] * draw(st.integers(1, 2)) + [("FILL", None, trade, size, None)] * draw(st.integers(0, 2))
    said += [("ACCEPTED", None, -1, None, None)] * draw(st.integers(0, 2))
    return sizes, draw(st.permutations(said))


@WITHIN
@given(messages(), st.sampled_from(["PENDING", "UNKNOWN", "ACCEPTED", "CANCELING"]))
def test_filled_is_the_sum_of_unique_trades(desk, found, state):
    sizes, said = found
    one = desk(state)
    for event in said:
        one.hear(*event)
    assert one.order.filled == sum(sizes) and one.order.fee == len(sizes)
    assert one.order.average == 100 and one.order.cum_cost == 100 * sum(sizes)
    assert one.tracker.counts["fills"] == len(sizes)
    assert len(one.tracker.holes) == 0
    assert (one.order.status is S.FILLED) == (sum(sizes) == 10)
    assert one.story().count("filled") == (sum(sizes) == 10)


@pytest.mark.parametrize("end", ["CANCELED", "EXPIRED"])
def test_a_fill_after_the_end_counts_and_is_told(desk, end):
    one = desk()
    one.hear(end, 0)
    one.hear("FILL", 3, trade=1, quantity=3, fee=1)
    one.hear("FILL", 3, trade=1, quantity=3, fee=1)
    assert one.order.status is S[end] and one.order.filled == 3 and one.order.fee == 1
    assert one.story() == [end.lower(), "partially_filled"] and one.asked == []
    assert [fill.order.status for fill in one.strategy.fills] == [S[end]]


def test_an_end_that_was_a_fill_is_told_as_one(desk):
    """8: the cancel's answer and the fill crossed."""
    one = desk("CANCELING")
    one.hear("CANCELED", 0)
    one.hear("FILLED", 10, trade=1, quantity=10, fee=1)
    one.hear("CANCELED", 10)
    assert one.order.status is S.FILLED and one.story() == ["canceled", "filled"]


def test_an_order_that_lives_after_it_failed_is_canceled(desk):
    one = desk("UNKNOWN")
    one.hear("NOT_FOUND")
    one.tracker.ledger = Canceler(one)
    one.hear("ACCEPTED")
    assert one.canceled == [one.number] and one.story() == ["failed", "canceling"]
    assert one.order.status is S.CANCELING and one.life.ledger.live() == [one.number]
    one.hear("CANCELED", 0)
    assert one.story() == ["failed", "canceling", "canceled"]


def test_a_cancel_that_cannot_leave_is_asked_about(desk):
    """The connection is down: nobody else would ask what became of an order that was told to have failed."""
    one = desk("UNKNOWN")
    one.hear("NOT_FOUND")
    one.tracker.ledger = Canceler(one, status=5)
    one.hear("ACCEPTED")
    assert one.canceled == [one.number] and one.asked == [one.number]


class Canceler:
    """The ledger, without a venue to send a cancel to."""

    def __init__(self, desk, status=0):
        self._desk, self._status = desk, status

    def __getattr__(self, name):
        return getattr(self._desk.life.ledger, name)

    def cancel(self, number):
        self._desk.canceled.append(number)
        return self._status


def has(price, time_ms=None):
    """The order as an answer has it."""
    return OrderUpdate(event="ACCEPTED", client_id="old0", venue_id="v1", price=Decimal(price), quantity=Decimal(10),
                       time_ms=time_ms)


@pytest.mark.parametrize("time_ms", [None, 1_000, 9_000_000_000_000])
def test_an_answer_that_may_be_older_than_a_modification_does_not_undo_it(desk, time_ms):
    """Whatever times the venue writes on them: its clock may have been set back between the two."""
    one = desk()
    one.tracker.adopt(one.number, has(120, 5_000))
    known = one.tracker._extras[one.number].modified_at
    assert not one.tracker.adopt(one.number, has(100, time_ms), known - 1)
    assert not one.tracker.adopt(one.number, has(100, time_ms), known + LAG_SECONDS - 0.01)
    assert one.order.price == 120
    assert one.tracker.adopt(one.number, has(120, time_ms), known)          # says the same


def test_a_modification_that_only_an_answer_knows_is_taken_when_the_answer_cannot_be_older(desk):
    one = desk()
    assert one.tracker.adopt(one.number, has(110), 0.0) and one.order.price == 110      # none was known
    known = one.tracker._extras[one.number].modified_at
    assert one.tracker.adopt(one.number, has(120), known + LAG_SECONDS) and one.order.price == 120
    assert one.tracker.adopt(one.number, has(130)) and one.order.price == 130           # a stream's own news


def test_after_the_kill_switch_what_is_accepted_late_is_canceled(desk):
    """66."""
    one = desk("UNKNOWN")
    one.tracker.ledger = Canceler(one)
    one.tracker.halted = True
    one.hear("ACCEPTED")
    assert one.canceled == [one.number]


def test_a_late_word_about_the_former_owner_of_a_client_oid_is_not_the_next_ones(desk):
    """The cancel's answer came, the strategy used its client_oid again, and then the stream repeats the cancel."""
    one = desk()
    one.hear("CANCELED", 0)
    second = one.life.carry("PENDING", name="old0")
    one.hear("CANCELED", 0)
    assert one.life.ledger.state(second) == "PENDING" and one.story() == ["canceled"]


def test_what_is_over_is_known_for_a_while_and_then_forgotten(desk, monkeypatch):
    one = desk()
    one.hear("CANCELED", 0)
    one.tracker.forget()
    assert one.life.ledger.find("old0") == one.number
    monkeypatch.setattr(former, "REMEMBERED_SECONDS", -1.0)
    one.tracker.forget()
    assert one.life.ledger.find("old0") == 0 and one.tracker._extras == {}


@pytest.mark.parametrize(("event", "filled"), [("FILL", 0), ("FILL", None), ("ACCEPTED", 0)])
def test_partially_filled_with_nothing_is_accepted(desk, event, filled):
    one = desk("PENDING")
    one.hear(event, filled)
    assert one.story() == ["accepted"] and one.tracker.counts["fills"] == 0


@pytest.mark.parametrize("end", ["CANCELED", "EXPIRED"])
def test_the_end_may_bring_the_last_fill(desk, end):
    one = desk()
    one.hear(end, 3, trade=1, quantity=3, fee=1)
    assert one.order.status is S[end] and one.order.filled == 3 and one.order.fee == 1 and one.tracker.counts["fills"] == 1


@pytest.mark.parametrize("lie", [
    {"filled": 99}, {"filled": 11}, {"side": "SELL"}, {"venue_id": "v2"}, {"filled": 2, "quantity": -1, "trade": 1},
    {"trade": 1, "quantity": 11}, {"event": "FILLED", "filled": 5, "lie": 10}, {"filled": Decimal("0.5")}])
@pytest.mark.parametrize("state", ["PENDING", "UNKNOWN", "ACCEPTED", "CANCELING"])
def test_what_cannot_be_of_the_order_is_not_believed_and_is_asked_about(desk, lie, state):
    one = desk(state)
    one.life.ledger.apply(one.number, "DOUBT" if state == "UNKNOWN" else "CANCEL_DOUBT", venue_id="v1")
    before = one.life.ledger.fields(one.number)
    lie = dict(lie)
    quantity = {"quantity": Decimal(lie.pop("lie"))} if "lie" in lie else {}
    event = lie.pop("event", "FILL")
    if quantity:                                     # of the order, which the update names beside what was executed
        one.tracker.apply(OrderUpdate(event=event, client_id="old0", venue_id="v1", filled=Decimal(lie["filled"]), **quantity))
    else:
        one.hear(event, **lie)
    after = one.life.ledger.fields(one.number)
    assert (after["filled"], after["venue_id"]) == (before["filled"], "v1") and one.story() == []
    assert after["state"] == ("UNKNOWN" if state == "PENDING" else state)
    assert set(one.asked) == {one.number} and one.tracker.counts["contradictions"] == 1
    assert one.tracker.counts["fills"] == 0 and one.tracker._extras[one.number].counted == 0


def test_a_fill_beyond_the_order_is_none_of_it(desk):
    one = desk()
    one.hear("FILL", trade=1, quantity=6, fee=1)
    one.hear("FILL", trade=2, quantity=6, fee=1)
    assert one.order.filled == 6 and one.tracker.counts["contradictions"] == 1 and one.asked == [one.number]
    one.hear("FILL", trade=1, quantity=6, fee=1)                 # a repetition is not added
    one.hear("FILLED", 10, trade=3, quantity=4, fee=1)
    assert one.order.filled == 10 and one.order.fee == 2 and one.tracker.counts["contradictions"] == 1


def test_what_contradicts_an_order_that_is_over_changes_nothing(desk):
    one = desk()
    one.hear("CANCELED", 3, trade=1, quantity=3)
    one.hear("FILL", 99)
    assert one.order.filled == 3 and one.story() == ["partially_filled", "canceled"] and one.tracker.counts["contradictions"] == 1


@pytest.mark.parametrize("stranger", [{"venue_symbol": "ETHUSDT"}, {"account": 5}])
def test_another_orders_client_id_may_be_that_of_ours(desk, stranger):
    """Client ids that programs choose are unique among one account's open orders of one symbol."""
    one = desk()
    assert one.hear("CANCELED", 0, **stranger) == 0 and one.order is None
    assert one.tracker.counts["foreign"] == 1 and one.tracker.counts["contradictions"] == 0
    assert one.hear("CANCELED", 0, account=0, venue_symbol="BTCUSDT") == one.number


def test_an_order_that_came_after_the_end_of_ours_is_somebody_elses(desk):
    one = desk()
    one.hear("CANCELED", 0)
    assert one.hear("ACCEPTED", venue_id="v2") == 0 and one.story() == ["canceled"]


def test_an_order_that_was_made_larger_before_it_ended(desk):
    """Only who is asked knows that: the whole of it is taken."""
    one = desk()
    end = OrderUpdate(event="FILLED", client_id="old0", venue_id="v1", price=Decimal(100), quantity=Decimal(20),
                      filled=Decimal(20))
    one.tracker.apply(end)
    assert one.asked == [one.number] and one.story() == []
    assert one.tracker.adopt(one.number, end, 0.0)
    one.hear("FILL", trade=1, quantity=20)
    assert one.order.status is S.FILLED and one.order.filled == one.order.amount == 20


def test_a_fill_without_its_fee_leaves_a_hole(desk):
    one = desk()
    one.hear("FILL", trade=1, quantity=10)
    assert one.order.status is S.FILLED and one.number in one.tracker.holes
    one.hear("FILL", trade=1, quantity=10, fee=0)
    assert one.order.fee == 0 and one.number not in one.tracker.holes


def test_an_order_with_a_hole_is_not_forgotten(desk, monkeypatch):
    one = desk()
    one.hear("FILL", 4, trade=1, quantity=3, fee=1)
    one.hear("CANCELED", 4)
    one.tracker.shortfalls.tell_all()
    monkeypatch.setattr(former, "REMEMBERED_SECONDS", -1.0)
    one.tracker._former._ended[0] = (0.0, *one.tracker._former._ended[0][1:])
    monkeypatch.setattr(former, "REMEMBERED_SECONDS", 60.0)
    one.tracker.forget()
    one.hear("FILL", trade=2, quantity=1, fee=1)
    assert one.order.fee == 2 and len(one.tracker.holes) == 0
    monkeypatch.setattr(former, "REMEMBERED_SECONDS", -1.0)
    one.tracker.forget()
    assert one.tracker._extras == {}


def test_a_hole_is_given_up_with_a_line_and_a_count(desk, monkeypatch):
    monkeypatch.setattr(holes, "ANSWERS_NEEDED", 2)
    one = desk()
    one.hear("FILL", 5, trade=3, quantity=1, fee=1)
    one.tracker.shortfalls.tell_all()
    one.tracker.shortfalls.asked(one.number, answered=True)
    assert one.tracker.counts["holes_given_up"] == 0
    one.tracker.shortfalls.asked(one.number, answered=True)
    assert one.tracker.counts["holes_given_up"] == 1 and one.order.filled == 5


def test_callbacks_wait_while_they_are_held(desk):
    one = desk()
    one.tracker.hold()
    one.hear("FILL", 2, trade=1, quantity=2)
    one.hear("CANCELED", 2)
    assert one.story() == [] and one.order.status is S.CANCELED
    one.tracker.release()
    assert one.story() == ["partially_filled", "canceled"]


def test_an_order_that_is_over_waits_for_nobody(desk):
    """What rests may be brought up to date later; the slot of what is over may be another order's by then."""
    one = desk()
    one.tracker._hot_news._unsettled[one.number] = None
    one.hear("FILLED", 10, trade=1, quantity=10, fee=1)
    assert one.tracker._hot_news._unsettled == {} and one.cache.get_order("old0").status is S.FILLED


def test_what_is_kept_of_an_order_is_no_work_for_the_collector(desk):
    one = desk()
    one.hear("FILL", 2, trade=1, quantity=2, fee=1)
    assert not gc.is_tracked(one.order) and not gc.is_tracked(one.tracker._extras[one.number])
