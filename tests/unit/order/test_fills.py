"""What a strategy is told of an order's fills, against a model of the order at the venue: any messages, in any order, any of them
twice or never, answers of any age, fees late or never."""

import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

from order_life import Life

from nexus_fast.cache import Cache
from nexus_fast.constants import ExchangeType, InstrumentType, OrderSide
from nexus_fast.constants import OrderStatus as S
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.log import Logger
from nexus_fast.order import executions, holes
from nexus_fast.order.callbacks import CALLBACKS
from nexus_fast.order.events import OrderUpdate
from nexus_fast.order.executions import Accounted
from nexus_fast.order.past import Past
from nexus_fast.order.tracker import Tracker
from nexus_fast.strategy.api import StrategyApi

WITHIN = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
QUANTITY = 10
ENDS = ("filled", "canceled", "expired", "failed")


class Instrument:
    exchange, symbol, price_scale, size_scale = ExchangeType.BINANCE, "BTCUSDT-PERP.BINANCE", 0, 0
    venue_symbol, type = "BTCUSDT", InstrumentType.LINEAR
    contract_size, is_inverse, is_spot = Decimal(1), False, False

    @staticmethod
    def cost(price, quantity):
        return price * quantity


class Bookkeeper(StrategyApi):
    """Adds up what it is told, by each of the two ways, and looks at the cache meanwhile."""

    def __init__(self, cache):
        self.cache = cache
        self.fills, self.fees, self.heard, self.problems = [], [], [], []
        self.by_states = self.executed = Decimal(0)              # executed: as the venue has said so far

    @property
    def total(self):
        return sum((fill.amount for fill in self.fills), Decimal(0))

    def on_fill(self, fill):
        self.fills.append(fill)
        self.heard.append(("fill", fill.order))
        self._look("on_fill", fill.order)
        if fill.order.is_closed and not fill.order.is_filled and not any(name in ENDS for name, _ in self.heard):
            self.problems.append(f"{fill.order.status} was not told")
        if fill.position != self.total:
            self.problems.append(f"position {fill.position} after fills of {self.total}")
        if (fill.order.last_filled, fill.order.last_filled_price) != (fill.amount, float(fill.price)):
            self.problems.append(f"the order of {fill} does not name it")

    def on_fill_fee(self, fill):
        self.fees.append(fill)

    def hear(self, name, order):
        self.heard.append((name, order))
        self._look(name, order)
        if name in ("filled", "partially_filled"):
            self.by_states += order.last_filled
            if order.last_filled not in (0, self.fills[-1].amount):
                self.problems.append(f"{name} brings {order.last_filled}, on_fill {self.fills[-1].amount}")
        elif (order.last_filled, order.last_filled_price, order.cost) != (None, None, None):
            self.problems.append(f"{name} carries a fill")
        if name in ENDS and self.total < self.executed:
            self.problems.append(f"{name} after {self.total} of {self.executed}")

    def _look(self, name, order):
        found = self.cache.get_order(order.oid)
        if (order.filled, found.filled, found.status) != (self.total, self.total, order.status):
            self.problems.append(f"{name}: {order.filled} here, {found.filled} {found.status} in the cache, {self.total} told")
        if (found.last_filled, found.cost) != (None, None):
            self.problems.append(f"{name}: the cache has a fill of its own")


for _name in CALLBACKS.values():
    setattr(Bookkeeper, _name, lambda self, order, name=_name: self.hear(name.removeprefix("on_").removesuffix("_order"), order))


class Desk:
    """One order of ten, and what is told of it. The clock stands until it is moved."""

    def __init__(self, directory, clock, state):
        self.life, self.clock = Life(directory), clock
        self.cache = Cache()
        self.strategy = Bookkeeper(self.cache)
        self.tracker = Tracker(self.life.ledger, self.cache, [Instrument], [self.strategy], lambda number: None, Logger("test"),
                               lambda index: BinanceAccountType.USD_M_FUTURE)
        self.position, self.told, self.trades = Decimal(0), [], {}
        self.tracker.fills.on_executed = self.account
        self.tracker.telling.on_told = lambda *told: self.told.append(told)
        self.number = self.life.carry(state)

    def account(self, execution):
        self.position += execution.amount
        return Accounted(self.position, execution.recovered)

    def hear(self, **said):
        self.trades |= {said["trade_id"]: said["last_quantity"]} if "trade_id" in said else {}
        self.strategy.executed = max(self.strategy.executed, said.get("filled", 0), sum(self.trades.values()))
        self.tracker.apply(OrderUpdate(client_id="old0", venue_id="v1", venue_symbol="BTCUSDT", **said), 0)

    def wait(self, seconds):
        self.clock[0] += seconds
        self.tracker.shortfalls.tell_overdue()


@pytest.fixture
def desk(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_SHM", str(tmp_path))
    clock, made = [1000.0], []
    monkeypatch.setattr(holes.time, "monotonic", lambda: clock[0])

    def make(state="ACCEPTED"):
        made.append(Desk(tmp_path_factory.mktemp("desk"), clock, state))
        return made[-1]

    yield make
    for one in made:
        one.life.die()


class Trade:
    """Of the model: what the venue executed. total and cost: with it and all before it."""

    def __init__(self, number, quantity, price, before):
        self.number, self.quantity, self.price, self.fee = number, Decimal(quantity), Decimal(price), Decimal(number + 1)
        self.total = (before.total if before else 0) + self.quantity
        self.cost = (before.cost if before else 0) + self.quantity * self.price

    def fast(self):
        return {"event": "FILL", "trade_id": self.number, "last_quantity": self.quantity, "last_price": self.price, "time_ms": 5}

    def full(self):
        event = "FILLED" if self.total == QUANTITY else "FILL"
        return {**self.fast(), "event": event, "fee": self.fee, "fee_currency": "USDT", "filled": self.total, "cost": self.cost,
                "is_maker": True}

    def listed(self):
        return {**self.fast(), "fee": self.fee, "fee_currency": "USDT", "is_maker": True}

    def state(self, event=None):
        """The order after it, without a word of the trade."""
        event = event or ("FILLED" if self.total == QUANTITY else "ACCEPTED")
        return {"event": event, "filled": self.total, "cost": self.cost}


@st.composite
def lives(draw):
    """Trades of an order at the venue; how it ends there; what arrives of that, and waits in between (seconds)."""
    trades = []
    for size in draw(st.lists(st.integers(1, 4), max_size=4).filter(lambda sizes: sum(sizes) <= QUANTITY)):
        trades.append(Trade(len(trades), size, draw(st.integers(90, 110)), trades[-1] if trades else None))
    said = [] if draw(st.booleans()) else [{"event": "ACCEPTED", "filled": Decimal(0)}]
    for trade in trades:
        for message in (trade.fast(), trade.full(), trade.state(), trade.listed()):
            said += [message] * draw(st.sampled_from([0, 0, 1, 1, 2]))
    others = [{"event": "CANCEL_REJECTED"}, {"event": "MODIFIED", "price": Decimal(99), "quantity": Decimal(QUANTITY)}]
    said += draw(st.lists(st.sampled_from(others), max_size=2))
    end = draw(st.sampled_from(["CANCELED", "EXPIRED", None]))
    if end:
        # The answer to a cancel may be older than the last trade, also than one that filled the order.
        known = draw(st.sampled_from([None, *(trade for trade in trades if trade.total < QUANTITY)]))
        said.append(known.state(end) if known else {"event": end, "filled": Decimal(0)})
    waits = st.sampled_from([None, None, None, 1.0, holes.END_SECONDS])
    return trades, [part for message in draw(st.permutations(said)) for part in (message, draw(waits)) if part is not None]


def play(one, said):
    for part in said:
        if isinstance(part, float):
            one.wait(part)
        else:
            one.hear(**part)


@WITHIN
@given(lives(), st.sampled_from(["PENDING", "UNKNOWN", "ACCEPTED", "CANCELING"]), st.booleans())
def test_the_sum_of_what_is_told_is_the_venues(desk, life, state, listed):
    """listed: whether the venue's list of trades comes in the end, with every fee."""
    trades, said = life
    one = desk(state)
    play(one, said)
    known = {part["trade_id"] for part in said if isinstance(part, dict) and "trade_id" in part}
    total = max([part["filled"] for part in said if isinstance(part, dict) and part.get("filled")] + [Decimal(0)])
    if listed:
        for trade in trades:
            one.hear(**trade.listed())
        known, total = {trade.number for trade in trades}, sum((trade.quantity for trade in trades), Decimal(0))
    one.wait(holes.END_SECONDS)
    judge(one, trades, known, total)
    assert not listed or {fill.trade_id: fill.fee for fill in paid(one)} == {trade.number: trade.fee for trade in trades}


def paid(one):
    return [fill for fill in (*one.strategy.fills, *one.strategy.fees) if fill.fee is not None]


def judge(one, trades, known, total):
    """known: trades that were named; total: the largest quantity that was."""
    strategy, counted = one.strategy, sum((trade.quantity for trade in trades if trade.number in known), Decimal(0))
    assert strategy.problems == []
    assert strategy.total == strategy.by_states == one.position == max(total, counted)
    named = [fill.trade_id for fill in strategy.fills if fill.trade_id is not None]
    assert len(named) == len(set(named)) and set(named) <= known
    assert len(paid(one)) == len({fill.trade_id for fill in paid(one)})
    for fill in strategy.fills:
        trade = next((trade for trade in trades if trade.number == fill.trade_id), None)
        if trade is not None and None not in {f.trade_id for f in strategy.fills}:
            assert (fill.amount, fill.price, fill.timestamp, fill.side) == (trade.quantity, trade.price, 5, OrderSide.BUY)
    ends = [i for i, (name, _) in enumerate(strategy.heard) if name in ENDS]
    assert len(ends) <= 2 and len({strategy.heard[i][0] for i in ends}) == len(ends)      # canceled, and filled by what was late
    assert one.life.ledger.closed(one.number) == bool(ends)
    if ends:
        assert one.cache.get_order("old0").status.name == one.life.ledger.state(one.number)
    assert [told[2] for told in one.told] == sorted(told[2] for told in one.told)


# ------------------------------------------------------------------------------------------ one by one


def story(one):
    return [name for name, _ in one.strategy.heard]


def amounts(one):
    return [(fill.trade_id, int(fill.amount), fill.price) for fill in one.strategy.fills]


@pytest.mark.parametrize("end", ["CANCELED", "EXPIRED"])
def test_an_end_waits_for_the_fills_that_it_speaks_of(desk, end):
    one, trade = desk("CANCELING"), Trade(0, 3, 101, None)
    one.hear(**trade.state(end))
    assert story(one) == [] and one.cache.get_order("old0") is None and one.tracker.shortfalls.untold() == [one.number]
    one.hear(**trade.full())
    assert story(one) == ["fill", "partially_filled", end.lower()]
    assert [order.status for _, order in one.strategy.heard] == [S.CANCELING, S.CANCELING, S[end]]
    assert one.tracker.shortfalls.untold() == []


def test_an_answer_that_is_filled_is_told_as_accepted_and_by_its_trades(desk):
    one = desk("PENDING")
    first = Trade(0, 4, 100, None)
    last = Trade(1, 6, 102, first)
    one.hear(**last.state())
    assert story(one) == ["accepted"] and one.cache.get_order("old0").status is S.ACCEPTED
    assert one.life.ledger.state(one.number) == "FILLED" and one.life.ledger.live() == []
    one.hear(**first.full())
    one.hear(**last.full())
    assert story(one) == ["accepted", "fill", "partially_filled", "fill", "filled"] and one.strategy.problems == []


def test_what_the_venue_never_lists_is_told_at_the_price_of_its_total(desk):
    one = desk("CANCELING")
    first = Trade(0, 1, 100, None)
    one.hear(**first.full())
    one.hear(event="CANCELED", filled=Decimal(3), cost=Decimal(310))
    one.wait(holes.END_SECONDS - 0.1)
    assert story(one) == ["fill", "partially_filled"]
    one.wait(0.1)
    assert amounts(one) == [(0, 1, 100), (None, 2, 105)]
    assert (one.strategy.fills[1].fee, one.strategy.fills[1].is_maker) == (None, None)
    assert story(one)[2:] == ["fill", "partially_filled", "canceled"] and one.tracker.counts["fills_without_trade"] == 1
    assert one.told == [(one.number, 0, 1, True), (one.number, -1, 3, False)]
    assert one.number in one.tracker.holes                   # its fee is still asked for


def test_trades_of_what_was_told_without_them_bring_their_fees_alone(desk):
    one = desk()
    first = Trade(0, 1, 100, None)
    one.hear(**first.state("CANCELED"))
    one.wait(holes.END_SECONDS)
    one.hear(**first.full())
    one.hear(**first.full())
    assert amounts(one) == [(None, 1, 100)] and [(fee.trade_id, fee.fee) for fee in one.strategy.fees] == [(0, 1)]
    one.hear(**Trade(1, 2, 103, first).full())               # more than the venue had said
    assert amounts(one) == [(None, 1, 100), (1, 2, 103)] and one.cache.get_order("old0").filled == 3
    assert one.number not in one.tracker.holes


def test_a_trade_that_was_told_in_part_brings_the_rest(desk):
    one = desk()
    one.hear(event="FILL", filled=Decimal(2), average=Decimal(100))
    one.wait(holes.END_SECONDS)
    one.hear(**Trade(0, 5, 100, None).full())
    assert amounts(one) == [(None, 2, 100), (0, 3, 100)] and one.strategy.fills[1].fee == 1
    assert story(one) == ["fill", "partially_filled"] * 2


@pytest.mark.parametrize(("total", "price"), [({"average": Decimal(98)}, 98), ({}, 100)])
def test_the_price_of_what_nobody_knows_better(desk, total, price):
    """The venue's average; the order's own price."""
    one = desk()
    one.hear(event="CANCELED", filled=Decimal(2), **total)
    one.wait(holes.END_SECONDS)
    assert amounts(one) == [(None, 2, price)]


def test_nothing_is_held_back_at_the_end(desk):
    one = desk("CANCELING")
    one.hear(event="CANCELED", filled=Decimal(3), cost=Decimal(300))
    one.tracker.shortfalls.tell_all()
    assert story(one) == ["fill", "partially_filled", "canceled"] and one.strategy.problems == []


def test_a_slot_that_is_taken_meanwhile_keeps_no_end_from_its_strategy(desk):
    one = desk("CANCELING")
    one.hear(event="CANCELED", filled=Decimal(3), cost=Decimal(300))
    for number in range(16):
        other = one.life.place(f"other{number}")
        one.life.ledger.apply(other, "CANCELED")
    with pytest.raises(KeyError):
        one.life.ledger.fields(one.number)
    one.tracker.shortfalls.lose(one.number)
    assert story(one) == ["fill", "partially_filled", "canceled"] and one.tracker.counts["holes_given_up"] == 1


def test_fills_that_are_held_are_recovered_and_told_to_their_end_after_it(desk):
    one = desk()
    one.tracker.hold()
    one.hear(**Trade(0, 3, 100, None).full())
    assert one.strategy.fills == [] and one.told == [] and one.cache.get_order("old0").filled == 3
    one.tracker.release()
    assert [fill.recovered for fill in one.strategy.fills] == [True] and one.told == [(one.number, 0, 3, True)]
    one.hear(event="FILL", trade_id=1, last_quantity=Decimal(1), last_price=Decimal(100))
    assert [fill.recovered for fill in one.strategy.fills] == [True, False]


def test_who_keeps_positions_says_whether_on_start_saw_it(desk):
    one = desk()
    one.tracker.fills.on_executed = lambda execution: Accounted(Decimal(7), True)
    one.hear(**Trade(0, 3, 100, None).full())
    [fill] = one.strategy.fills
    assert fill.recovered and fill.position == 7


def test_a_fill_is_told_to_its_end_when_both_callbacks_have_returned(desk):
    """Who dies in one of them hears it again; an error is no death."""
    one = desk()

    def die(order):
        raise KeyboardInterrupt

    def err(order):
        raise ValueError

    one.strategy.on_partially_filled_order = err
    one.hear(**Trade(0, 3, 100, None).full())
    assert one.told == [(one.number, 0, 3, True)]
    one.strategy.on_partially_filled_order = die
    with pytest.raises(KeyboardInterrupt):
        one.hear(**Trade(1, 3, 100, None).listed())
    assert len(one.told) == 1


def carried(desk, told, state="ACCEPTED"):
    """An order of an earlier session: trades of 2, 3 and 1, and 8 executed; this much was told, whole trades with their fees."""
    one = desk()
    one.number = one.life.place("was", state, {5: (100, 2), 6: (102, 3), 7: (104, 1)}, filled=8)
    sums = {5: 2, 6: 5, 7: 6}
    past = Past({5: (100, 2), 6: (102, 3), 7: (104, 1)}, told, {trade: True for trade, total in sums.items() if total <= told})
    one.tracker.hold()
    one.tracker.carry(one.number, past)
    one.tracker.tell_untold(one.number, past)
    one.tracker.release()
    return one


@pytest.mark.parametrize(("told", "expected"), [
    (0, [(5, 2, 100), (6, 3, 102), (7, 1, 104)]), (2, [(6, 3, 102), (7, 1, 104)]), (5, [(7, 1, 104)]), (6, []), (8, []),
    (3, [(6, 2, 102), (7, 1, 104)])])
def test_what_an_earlier_session_did_not_tell_is_told(desk, told, expected):
    one = carried(desk, told)
    assert amounts(one) == expected and all(fill.recovered for fill in one.strategy.fills)
    assert one.cache.get_order("was").filled == max(told, 6)
    assert one.number in one.tracker.holes


def test_an_end_that_an_earlier_session_did_not_tell_comes_after_its_fills(desk):
    one = carried(desk, 5, "CANCELED")
    assert story(one) == ["fill", "partially_filled"]
    one.wait(holes.END_SECONDS)
    assert story(one) == ["fill", "partially_filled"] * 2 + ["canceled"] and amounts(one)[1][:2] == (None, 2)


def test_a_trade_of_an_order_that_was_forgotten_is_told_once(desk):
    one = desk()
    first = Trade(0, 3, 100, None)
    one.hear(**first.full())
    one.hear(**first.state("CANCELED"))
    one.clock[0] += 100
    one.tracker.forget()
    assert one.tracker._extras == {}
    one.hear(**first.full())
    one.hear(**Trade(1, 2, 101, first).fast())
    one.hear(**Trade(1, 2, 101, first).full())
    assert amounts(one) == [(0, 3, 100), (1, 2, 101)] and [fee.trade_id for fee in one.strategy.fees] == [1]
    one.clock[0] += 100
    one.tracker.forget()
    assert one.tracker._extras == {}


def test_trades_that_are_remembered_no_longer_are_not_told_twice(desk, monkeypatch):
    """An order that was forgotten, and room for one trade of such orders: what may be a repetition is taken for one."""
    monkeypatch.setattr(executions, "FORMER_TRADES", 1)
    one = desk()
    first = Trade(0, 3, 100, None)
    second = Trade(1, 2, 101, first)
    one.hear(**first.full())
    one.hear(**second.full())
    one.hear(**second.state("CANCELED"))
    one.clock[0] += 100
    one.tracker.forget()
    for trade in (first, second, Trade(2, 1, 102, second)):
        one.hear(**trade.full())
    assert [fill.trade_id for fill in one.strategy.fills] == [0, 1]


def test_an_order_of_ours_that_is_made_as_small_as_its_fills_is_filled(desk):
    one, trade = desk(), Trade(0, 3, 100, None)
    one.hear(**trade.full())
    one.hear(event="FILLED", filled=Decimal(3))
    assert story(one) == ["fill", "partially_filled", "filled"] and one.strategy.heard[-1][1].last_filled == 0
