"""Which venue has which connectors, and what stands in for a list of instruments that cannot be loaded."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from nexus_fast.config import BasicConfig, Config, PublicConnectorConfig
from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.endpoints import Endpoints
from nexus_fast.error import EngineBuildError, InstrumentError, VenueError
from nexus_fast.exchange import BinanceAccountType, catalogue
from nexus_fast.exchange.binance import connectors as binance
from nexus_fast.exchange.binance.instruments import parse_exchange_info
from nexus_fast.exchange.instrument import InstrumentTable
from nexus_fast.strategy import Strategy

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "gocryptotrader" / "exchange_info_spot.json"


def config():
    connectors = {ExchangeType.BINANCE: [PublicConnectorConfig(account_type=BinanceAccountType.SPOT)]}
    basic = {ExchangeType.BINANCE: BasicConfig()}
    return Config(strategy_id="a", user_id="b", strategy=Strategy(), basic_config=basic, public_conn_config=connectors)


def load(directory, answer, monkeypatch):
    async def ask(account_type, testnet, endpoints):
        if isinstance(answer, Exception):
            raise answer
        return answer, []

    monkeypatch.setattr(binance, "load_instruments", ask)
    return asyncio.run(catalogue.load_instruments(config(), Endpoints(), directory))


def test_a_venue_without_connectors_is_named():
    with pytest.raises(EngineBuildError, match="HYPERLIQUID cannot be connected by this version; it serves .*BINANCE"):
        catalogue.connectors_of(ExchangeType.HYPERLIQUID)


@pytest.mark.parametrize("error", [
    ConnectionRefusedError("refused"), TimeoutError(), VenueError(0, "bad gateway", status=502), RecursionError("too deep"),
    InstrumentError("it begins b'<html>'"), [],
])  # fmt: skip
def test_a_venue_that_is_down_is_served_from_its_last_list(tmp_path, monkeypatch, caplog, error):
    listed = parse_exchange_info("spot", SAMPLE.read_bytes()).instruments
    assert load(tmp_path, listed, monkeypatch) == listed
    assert load(tmp_path, error, monkeypatch) == listed
    assert "could not be loaded" in caplog.text


def test_an_empty_list_is_no_list(tmp_path, monkeypatch):
    with pytest.raises(EngineBuildError, match="SPOT: .*it is empty"):
        load(tmp_path, [], monkeypatch)


def test_a_kind_that_is_gone_altogether_is_served_from_the_last_list(tmp_path, monkeypatch, caplog):
    """Of a venue with a list for each kind, one came empty."""
    listed = parse_exchange_info("spot", SAMPLE.read_bytes()).instruments
    other = [msgspec.structs.replace(i, type=InstrumentType.LINEAR, symbol=f"{i.base}{i.quote}-PERP.BINANCE") for i in listed]
    assert load(tmp_path, listed + other, monkeypatch) == listed + other
    assert load(tmp_path, list(listed), monkeypatch) == listed + other
    assert "lists nothing linear any more" in caplog.text
    assert load(tmp_path, list(listed), monkeypatch) == listed + other       # and it is kept


@pytest.mark.parametrize("reverse", [False, True])
def test_of_two_rows_for_one_symbol_the_one_that_trades_has_it(tmp_path, monkeypatch, caplog, reverse):
    """Leftovers of a ticker that was given to another coin, and rows that are there twice."""
    listed = parse_exchange_info("spot", SAMPLE.read_bytes()).instruments
    first = msgspec.structs.replace(listed[0], active=True, status="TRADING")
    settled = msgspec.structs.replace(first, venue_symbol=f"{first.venue_symbol}SETTLED", active=False, status="SETTLING")
    both = [settled, first, first] if not reverse else [first, first, settled]
    found = load(tmp_path, [*both, *listed[1:]], monkeypatch)
    assert [i.venue_symbol for i in found] == [first.venue_symbol, *(i.venue_symbol for i in listed[1:])]
    assert caplog.text.count("is left out") == 1
    assert f"{settled.venue_symbol} (SETTLING) is left out: {first.symbol} stands for {first.venue_symbol}" in caplog.text


@pytest.mark.parametrize("changes", [{"venue_symbol": "NEW"}, {"listed_ms": 2000}])
def test_a_symbol_that_stands_for_another_contract_than_in_the_last_session_is_named(tmp_path, monkeypatch, caplog, changes):
    listed = parse_exchange_info("spot", SAMPLE.read_bytes()).instruments
    old = msgspec.structs.replace(listed[0], active=True, listed_ms=1000)
    load(tmp_path, [old, *listed[1:]], monkeypatch)
    load(tmp_path, [old, *listed[1:]], monkeypatch)
    assert "in the last session" not in caplog.text
    load(tmp_path, [msgspec.structs.replace(old, **changes), *listed[1:]], monkeypatch)
    assert f"{old.symbol} stood for {old.venue_symbol} in the last session" in caplog.text
    assert caplog.text.count("in the last session") == 1


@pytest.mark.parametrize("active", [False, True])
def test_of_two_that_are_alike_the_order_of_the_rows_does_not_decide(active):
    plain = parse_exchange_info("spot", SAMPLE.read_bytes()).instruments[0]
    plain = msgspec.structs.replace(plain, active=active)
    longer = msgspec.structs.replace(plain, venue_symbol=f"{plain.venue_symbol}X")
    for order in ([plain, longer], [longer, plain]):
        table = InstrumentTable(order)
        assert list(table) == [plain] and table.twins == [(longer, plain)]
        assert table.by_venue_symbol(plain.exchange, plain.type, longer.venue_symbol) is None


def test_one_name_of_the_venue_stands_for_one_symbol():
    """Two rows of one name with another base: one of them trades."""
    plain = parse_exchange_info("spot", SAMPLE.read_bytes()).instruments[0]
    old = msgspec.structs.replace(plain, symbol="OLD.BINANCE", active=False)
    for order in ([plain, old], [old, plain]):
        assert list(InstrumentTable(order)) == [plain]


def test_a_symbol_is_not_switched_over():
    plain = parse_exchange_info("spot", SAMPLE.read_bytes()).instruments[0]
    table = InstrumentTable([plain])
    with pytest.raises(InstrumentError, match="stands for"):
        table.replace(msgspec.structs.replace(plain, venue_symbol="OTHER"))
    assert table.get(plain.symbol) is plain


@pytest.mark.parametrize("content", [None, b"", b'[{"symbol": 1}]'])
def test_without_a_usable_list_there_is_no_engine(tmp_path, monkeypatch, content):
    if content is not None:
        (tmp_path / "instruments.binance.spot.json").write_bytes(content)
    with pytest.raises(EngineBuildError, match="SPOT: the list of instruments could not be loaded"):
        load(tmp_path, ConnectionRefusedError("refused"), monkeypatch)
