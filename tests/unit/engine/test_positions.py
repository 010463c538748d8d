"""A position in a symbol that is not loaded is no less a position: named, kept, and told to who asks."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from nexus_fast.cache import Cache
from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.engine.heard import Heard
from nexus_fast.engine.positions import Positions, likely_symbol
from nexus_fast.exchange import BinanceAccountType, OkxAccountType
from nexus_fast.order.events import PositionUpdate
from nexus_fast.schema import UnlistedPosition

BTC = SimpleNamespace(symbol="BTCUSDT-PERP.BINANCE", exchange=ExchangeType.BINANCE)
GONE = "GONEUSDT-PERP.BINANCE"


def position(symbol, amount, kind=None):
    return PositionUpdate(venue_symbol=symbol, signed_amount=Decimal(amount), entry_price=Decimal("0.5"), instrument_type=kind)


class Scene:
    def __init__(self, account_type=BinanceAccountType.USD_M_FUTURE):
        self.account = SimpleNamespace(account_type=account_type, index=0, instrument_type=InstrumentType.LINEAR)
        self.cache, self.heard, self.said = Cache(), Heard(), []
        core = SimpleNamespace(by_venue_symbol=lambda exchange, kind, name: BTC if name == "BTCUSDT" else None)
        log = SimpleNamespace(warning=self.said.append)
        self.positions = Positions(SimpleNamespace(core=core, cache=self.cache), self.heard, log)

    def hear(self, *updates, complete=True):
        self.positions.apply(self.account, list(updates), complete)

    def lines(self):
        said, self.said[:] = list(self.said), []
        return said

    def amounts(self):
        return {name: p.signed_amount for name, p in self.cache.get_unlisted_positions().items()}


@pytest.mark.parametrize("complete", [True, False])
def test_it_is_named_once_and_on_every_change(complete):
    """By a list that is read again and by the stream alike."""
    scene = Scene()
    scene.hear(position("BTCUSDT", 2), position("GONEUSDT", 1500), complete=complete)
    (line,) = scene.lines()
    assert "1500" in line and "GONEUSDT" in line and "not among the symbols" in line
    scene.hear(position("BTCUSDT", 2), position("GONEUSDT", 1500), complete=complete)
    assert scene.lines() == [] and scene.amounts() == {GONE: 1500}
    scene.hear(position("GONEUSDT", -7), complete=complete)
    (line,) = scene.lines()
    assert "-7" in line and "1500" in line and scene.amounts() == {GONE: -7}
    scene.hear(*([] if complete else [position("GONEUSDT", 0)]), complete=complete)
    (line,) = scene.lines()
    assert "closed" in line and "-7" in line and scene.amounts() == {}
    scene.hear(position("GONEUSDT", 0), complete=complete)
    assert scene.lines() == []


def test_a_program_that_asks_hears_of_it():
    scene = Scene()
    scene.hear(position("BTCUSDT", 2), position("GONEUSDT", 1500))
    asked = scene.cache.get_position(GONE)
    assert isinstance(asked, UnlistedPosition) and asked.signed_amount == 1500 and asked.venue_symbol == "GONEUSDT"
    assert asked.is_long and asked.is_opened and asked.entry_price == 0.5
    assert scene.cache.get_position(GONE, BinanceAccountType.USD_M_FUTURE) is asked
    assert scene.cache.get_position(GONE, BinanceAccountType.COIN_M_FUTURE) is None
    assert scene.cache.get_unlisted_positions(ExchangeType.OKX) == {}
    # What can be traded is where it was, alone.
    assert set(scene.cache.get_all_positions()) == {BTC.symbol}
    assert scene.cache.get_position(BTC.symbol).signed_amount == 2


def test_a_list_does_not_undo_what_the_stream_has_said_since_it_was_asked_for():
    scene = Scene()
    scene.hear(position("GONEUSDT", 1500))
    scene.heard.ask(scene.account)
    scene.hear(position("GONEUSDT", 900), complete=False)
    scene.lines()
    scene.hear(position("GONEUSDT", 1500))
    assert scene.amounts() == {GONE: 900} and scene.lines() == []
    scene.heard.ask(scene.account)
    scene.hear(position("GONEUSDT", 0), complete=False)
    scene.hear(position("GONEUSDT", 900))
    assert scene.amounts() == {}


def test_accounts_are_apart():
    scene = Scene()
    scene.hear(position("GONEUSDT", 1500))
    scene.account = SimpleNamespace(account_type=OkxAccountType.LIVE, index=1, instrument_type=InstrumentType.LINEAR)
    scene.hear(position("GONE-USDT-SWAP", 3))
    scene.hear()
    assert scene.amounts() == {GONE: 1500}


@pytest.mark.parametrize(("exchange", "name", "symbol"), [
    (ExchangeType.BINANCE, "GONEUSDT", "GONEUSDT-PERP.BINANCE"), (ExchangeType.BINANCE, "BTCUSD_PERP", "BTCUSD-PERP.BINANCE"),
    (ExchangeType.BINANCE, "BTCUSDT_260327", "BTCUSDT-260327.BINANCE"), (ExchangeType.BYBIT, "GONEUSDT", "GONEUSDT-PERP.BYBIT"),
    (ExchangeType.OKX, "GONE-USDT-SWAP", "GONEUSDT-PERP.OKX"), (ExchangeType.OKX, "BTC-USD-260327", "BTCUSD-260327.OKX")])
def test_names(exchange, name, symbol):
    """As the venues' lists of instruments are named: tests/unit/exchange."""
    assert likely_symbol(exchange, name) == symbol
