"""Which lists of instruments are believed (34, 68: what comes of those that are)."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace

import pytest

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.engine import reload as module
from nexus_fast.engine.reload import Reload
from nexus_fast.error import InstrumentError, VenueError
from nexus_fast.exchange import BinanceAccountType, catalogue
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.log import Logger

FEED = BinanceAccountType.SPOT


def instrument(number, venue_symbol=None, **more):
    step = Decimal("0.01")
    return Instrument(symbol=f"S{number}.BINANCE", venue_symbol=venue_symbol or f"S{number}", exchange=ExchangeType.BINANCE,
                      type=InstrumentType.SPOT, base=f"S{number}", quote="USDT", price_scale=2, size_scale=2,
                      tick_size=step, lot_size=step, market_lot_size=step, **more)


class Desk:
    """A reload whose venue answers with what `answers` has, one after the other."""

    def __init__(self, monkeypatch, count):
        self.instruments = [instrument(number) for number in range(count)]
        self.answers, self.skipped, self.time = [], [], 1000.0
        core = SimpleNamespace(instruments=self.instruments, routes=None, replace_instrument=self.replace)
        config = SimpleNamespace(basic_config={ExchangeType.BINANCE: SimpleNamespace(testnet=False)},
                                 public_conn_config={ExchangeType.BINANCE: [SimpleNamespace(account_type=FEED)]})
        host = SimpleNamespace(config=config, core=core, accounts={}, spawn=asyncio.run)
        monkeypatch.setattr(catalogue, "connectors_of", lambda exchange: self)
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.time))
        self.reload = Reload(host, InstrumentTable(self.instruments), None, Logger("test"))

    async def load_instruments(self, feed_type, testnet, endpoints):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer, self.skipped

    def replace(self, number, newer):
        self.instruments[number] = newer

    def hear(self, numbers, seconds=module.EVERY_SECONDS):
        """Those that are traded, after a list with these numbers came `seconds` later."""
        return self.read([instrument(number) for number in numbers], seconds)

    def read(self, answer, seconds=module.EVERY_SECONDS):
        self.answers.append(answer)
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


# ------------------------------------------------------------------------------------------ another contract of the same name


def traded(one):
    return [found.venue_symbol for found in one.instruments if found.active]


@pytest.mark.parametrize("last", [True, False])
def test_a_twin_that_does_not_trade_takes_no_symbol(desk, last):
    one = desk(2)
    settled = instrument(0, "S0SETTLED", status="SETTLING", active=False)
    rows = [instrument(0), instrument(1)]
    assert one.read([*rows, settled] if last else [settled, *rows]) == [0, 1]
    assert traded(one) == ["S0", "S1"]


def test_a_running_session_never_switches_over(desk, caplog):
    """S0 is settled, and S0NEW trades under the same base and quote: orders of this session would go to another contract."""
    one = desk(2)
    settled = instrument(0, status="SETTLING", active=False)
    assert one.read([settled, instrument(0, "S0NEW"), instrument(1)]) == [1]
    assert one.instruments[0] == settled and one.reload._table.get("S0.BINANCE") == settled
    assert "S0.BINANCE stands for S0 in this session and not for S0NEW" in caplog.text
    assert one.read([instrument(0, "S0NEW"), instrument(1)]) == [1]
    assert [found.venue_symbol for found in one.instruments] == ["S0", "S1"]
    assert caplog.text.count("and not for S0NEW") == 1


def test_a_name_that_the_venue_gave_to_another_contract(desk, caplog):
    """The same name, listed at another time: the old one was renamed."""
    one = desk(2)
    one.instruments[0] = instrument(0, listed_ms=1000)
    later = [instrument(0, listed_ms=2000), instrument(1)]
    assert one.read(later) == [1] and one.read(later) == [1]
    assert "another contract's; restart" in caplog.text and one.instruments[0].listed_ms == 1000


def test_a_contract_that_did_not_trade_yet_may_be_listed_later(desk):
    one = desk(1)
    one.instruments[0] = instrument(0, listed_ms=1000, active=False)
    assert one.read([instrument(0, listed_ms=2000)]) == [0]


# ------------------------------------------------------------------------------------------ what is no list


@pytest.mark.parametrize("answer", [
    [], InstrumentError("cannot be read"), VenueError(0, "<html>", status=200), TimeoutError(), RecursionError("too deep"),
])  # fmt: skip
def test_what_is_no_list_leaves_the_last_one(desk, caplog, answer):
    one = desk(3)
    assert one.read(answer) == [0, 1, 2]
    (line,) = [record.getMessage() for record in caplog.records]
    assert "could not be read again: " in line and not line.endswith(": ; the last one holds on")


def test_a_row_that_cannot_be_read_is_no_row_that_left(desk):
    one = desk(3)
    one.skipped = [("S1", "its tick is 0")]
    assert one.hear([0, 2]) == [0, 1, 2]
    one.skipped = [("?", "no object")]
    assert one.hear([0, 2]) == [0, 1, 2]
    one.skipped = []
    assert one.hear([0, 2]) == [0, 2]


def test_a_list_that_could_not_be_read_is_asked_for_again_with_longer_waits(desk):
    one, waits = desk(3), []
    one.read(TimeoutError("late"))
    for _ in range(9):
        waited = 0
        one.answers.append(TimeoutError("late"))
        while one.answers:
            one.time += 1
            waited += 1
            one.reload.check()
        waits.append(waited)
    again, every = module.AGAIN_SECONDS, module.EVERY_SECONDS
    assert waits == [min(again * 2**n, every) for n in range(9)]
    assert one.hear([0, 1, 2]) == [0, 1, 2]
    one.answers.append([instrument(number) for number in range(3)])
    one.time += every - 1
    one.reload.check()
    assert one.answers                               # answered: the usual time again


def test_a_refusal_just_after_the_list_was_read_is_not_forgotten(desk):
    """The list may not have known what the order was refused for."""
    one = desk(3)
    one.hear([0, 1, 2])
    one.time += 1
    one.reload.after_refusal(ExchangeType.BINANCE)
    assert one.hear([0, 1], module.AGAIN_SECONDS - 2) == [0, 1, 2] and one.answers
    one.time += 1
    one.reload.check()
    assert one.asked and not one.instruments[2].active
