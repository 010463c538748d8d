"""The orders that the last session left, before the strategies begin: remembered with their fills, in doubt, asked about."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace

import pytest
from successors import ACCOUNTS, begin, order, restart

from nexus_fast.cache import Cache
from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.engine.recovery import Recovery
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.journal.sessions import replay_epoch
from nexus_fast.log import Logger
from nexus_fast.order.events import OrderUpdate
from nexus_fast.order.tracker import Tracker
from nexus_fast.strategy.api import StrategyApi


class Instrument:
    exchange, symbol, price_scale, size_scale = ExchangeType.BINANCE, "BTCUSDT.BINANCE", 0, 0
    venue_symbol, type = "BTCUSDT", InstrumentType.LINEAR
    contract_size, is_inverse, is_spot = Decimal(1), False, False

    @staticmethod
    def cost(price, quantity):
        return price * quantity


class Quiet(StrategyApi):
    """A strategy that hears everything and does nothing."""

    def __init__(self):
        self.fills, self.ends = [], []

    def on_fill(self, fill):
        self.fills.append(fill)

    def on_canceled_order(self, order):
        self.ends.append(order.oid)


class Scene:
    """The last session left these orders, {name: (state, {trade id: quantity})}, all fills told but those of `untold`, {name:
    {trade id: quantity}}, whose order was canceled then; the venue lists `listed` as open."""

    def __init__(self, directory, orders, untold):
        life = begin(directory)
        for name, (state, trades) in orders.items():
            number = order(life, name, state=state)
            for trade_id, quantity in trades.items():
                filled = life.ledger.fields(number)["filled"] + quantity
                life.ledger.apply(number, "FILL", filled, "", 100, quantity, trade_id)
                life.ledger.told(number, trade_id, filled, True)
            for trade_id, quantity in untold.get(name, {}).items():
                filled = life.ledger.fields(number)["filled"] + quantity
                life.ledger.apply(number, "FILL", filled, "", 100, quantity, trade_id)
                life.ledger.apply(number, "CANCELED", filled)
        self.life = restart(life)
        self.strategy = Quiet()
        ledger, self.cache, self.asked, self.listed = self.life.ledger, Cache(), [], []
        self.tracker = Tracker(ledger, self.cache, [Instrument], [self.strategy], lambda number: None, Logger("test"),
                               lambda index: BinanceAccountType.USD_M_FUTURE)
        self.account = SimpleNamespace(index=ACCOUNTS.index("spot"), account_type="spot", refresh=self.refresh)
        nothing = SimpleNamespace(look_again=lambda account: None, close=lambda *gate: None, open=lambda *gate: None,
                                  pause=self.settled, settled=self.settled,
                                  recover_trades=self.settled)
        host = SimpleNamespace(tracker=self.tracker, core=self.life, cache=self.cache, accounts={"spot": self.account},
                               gates=nothing, reconciler=nothing, inquiry=nothing, query=self.asked.append,
                               prepare_route=lambda symbol, account: None, on_external_order=lambda account, update: None)
        self.recovery = Recovery(host, self.life.inherited, "adopt", Logger("test"))
        self.recovery.begin()

    async def refresh(self):
        return {name: OrderUpdate(event="ACCEPTED", client_id=name, venue_id="v1", filled=Decimal(0)) for name in self.listed}

    async def settled(self, *_):
        return []

    def recover(self, *listed):
        """The names that the venue is asked about, when it lists these."""
        self.listed = listed
        asyncio.run(self.recovery.recover(self.account))
        return {self.life.ledger.fields(number)["client_id"] for number in self.asked}

    def state(self, name):
        return self.life.ledger.state(self.life.ledger.find(name))


@pytest.fixture
def scene(tmp_path, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_SHM", str(tmp_path / "shm"))
    made = []

    def make(untold=None, **orders):
        made.append(Scene(tmp_path / "journal", orders, untold or {}))
        return made[-1]

    yield make
    for one in made:
        one.life.die()


@pytest.mark.scenario(46)
def test_an_order_whose_request_may_never_have_left_is_in_doubt(scene):
    """Only in doubt can absence end it with proof."""
    one = scene(sent=("PENDING", {}), rests=("ACCEPTED", {}), goes=("CANCELING", {}))
    assert [one.state(name) for name in ("sent", "rests", "goes")] == ["UNKNOWN", "ACCEPTED", "CANCELING"]


@pytest.mark.scenario(45, 46)
def test_an_order_that_was_being_canceled_is_asked_about_also_when_it_is_listed(scene):
    """Its cancel may be on its way still: the list, which is older, says that it is open."""
    one = scene(goes=("CANCELING", {}), rests=("ACCEPTED", {}), gone=("ACCEPTED", {}))
    assert one.recover("goes", "rests") == {"goes", "gone"}


@pytest.mark.scenario(3, 45)
def test_the_fills_of_the_last_session_are_remembered(scene):
    """The venue repeats one of them, as it does after a connection is replaced; another is new."""
    one = scene(rests=("ACCEPTED", {7: 2, 8: 3}))
    for trade_id, quantity in ((8, 3), (7, 2), (9, 1)):
        one.tracker.apply(OrderUpdate(event="FILL", client_id="rests", trade_id=trade_id, last_price=Decimal(100),
                                      last_quantity=Decimal(quantity)), None)
    assert one.cache.get_order("rests").filled == 6 and one.tracker.counts["fills"] == 1


def fill(trade_id, quantity):
    return OrderUpdate(event="FILL", client_id="rests", trade_id=trade_id, last_price=Decimal(100),
                       last_quantity=Decimal(quantity))


@pytest.mark.scenario(45)
def test_what_is_told_from_now_on_is_journalled(scene):
    one = scene(rests=("ACCEPTED", {7: 2}))
    one.tracker.apply(fill(9, 1), None)
    number = one.life.ledger.find("rests")
    past = replay_epoch(one.life.directory, one.life.journal.epoch).replay.past(number)
    assert past.told == 3 and past.heard == {7: True, 9: False}


@pytest.mark.scenario(45)
def test_a_fill_that_was_not_told_and_no_venue_lists_is_told_by_the_journal(scene):
    """The venue is silent for as long as the strategies can wait. The order ended, which nobody told either."""
    one = scene(untold={"rests": {8: 3}}, rests=("ACCEPTED", {7: 2}))
    one.tracker.hold()
    one.recovery.tell_untold()
    one.tracker.release()
    assert [(f.trade_id, f.amount, f.price, f.recovered) for f in one.strategy.fills] == [(8, 3, 100, True)]
    assert one.strategy.ends == ["rests"] and one.cache.get_order("rests").filled == 5
    one.recovery.tell_untold()
    assert len(one.strategy.fills) == 1
