"""Which lists of instruments are believed (34, 68: what comes of those that are)."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace

import pytest

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.engine import reload as module
from nexus_fast.engine.reload import Reload
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.log import Logger

FEED = BinanceAccountType.SPOT


def instrument(number, **more):
    step = Decimal("0.01")
    return Instrument(symbol=f"S{number}.BINANCE", venue_symbol=f"S{number}", exchange=ExchangeType.BINANCE,
                      type=InstrumentType.SPOT, base=f"S{number}", quote="USDT", price_scale=2, size_scale=2,
                      tick_size=step, lot_size=step, market_lot_size=step, **more)


class Desk:
    """A reload whose venue answers with what `answers` has, one after the other."""

    def __init__(self, monkeypatch, count):
        self.instruments = [instrument(number) for number in range(count)]
        self.answers, self.time = [], 1000.0
        core = SimpleNamespace(instruments=self.instruments, routes=None, replace_instrument=self.replace)
        config = SimpleNamespace(basic_config={ExchangeType.BINANCE: SimpleNamespace(testnet=False)},
                                 public_conn_config={ExchangeType.BINANCE: [SimpleNamespace(account_type=FEED)]})
        host = SimpleNamespace(config=config, core=core, accounts={}, spawn=asyncio.run)
        monkeypatch.setattr(module, "connectors_of", lambda exchange: self)
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.time))
        self.reload = Reload(host, InstrumentTable(self.instruments), None, Logger("test"))

    async def load_instruments(self, feed_type, testnet, endpoints):
        return self.answers.pop(0), None

    def replace(self, number, newer):
        self.instruments[number] = newer

    def hear(self, numbers, seconds=module.EVERY_SECONDS):
        """Those that are traded, after a list with these numbers came `seconds` later."""
        self.answers.append([instrument(number) for number in numbers])
        self.time += seconds
        self.reload.check()
        return [number for number, found in enumerate(self.instruments) if found.active]

    @property
    def asked(self):
        return not self.answers


@pytest.fixture
def desk(monkeypatch):
    return lambda count: Desk(monkeypatch, count)


def test_one_that_is_missing_leaves_and_comes_back(desk):
    one = desk(20)
    assert one.hear(range(1, 20)) == list(range(1, 20))
    assert one.hear(range(20)) == list(range(20))


def test_a_list_without_many_is_asked_for_again_soon_and_then_believed(desk):
    one = desk(100)
    assert one.hear(range(50)) == list(range(100))
    one.hear(range(100), module.AGAIN_SECONDS - 1)
    assert not one.asked
    one.time += 2
    one.reload.check()                           # whole again: nobody left
    assert one.asked and sum(found.active for found in one.instruments) == 100
    assert one.hear(range(50)) == list(range(100))
    assert one.hear(range(50), module.AGAIN_SECONDS + 1) == list(range(50))


def test_another_hole_is_another_doubt(desk):
    one = desk(100)
    assert one.hear(range(50)) == list(range(100))
    assert one.hear(range(50, 100), module.AGAIN_SECONDS + 1) == list(range(100))


def test_what_has_left_is_not_missed_again(desk):
    one = desk(100)
    one.hear(range(50))
    one.hear(range(50), module.AGAIN_SECONDS + 1)
    assert one.hear(range(1, 50)) == list(range(1, 50))


def test_where_there_are_few_each_may_leave(desk):
    assert desk(3).hear([0]) == [0]
