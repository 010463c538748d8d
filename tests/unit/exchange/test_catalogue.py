"""Which venue has which connectors, and what stands in for a list of instruments that cannot be loaded."""

import asyncio
from pathlib import Path

import pytest

from nexus_fast.config import BasicConfig, Config, PublicConnectorConfig
from nexus_fast.constants import ExchangeType
from nexus_fast.endpoints import Endpoints
from nexus_fast.error import EngineBuildError, VenueError
from nexus_fast.exchange import BinanceAccountType, catalogue
from nexus_fast.exchange.binance import connectors as binance
from nexus_fast.exchange.binance.instruments import parse_exchange_info
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


@pytest.mark.parametrize("error", [ConnectionRefusedError("refused"), TimeoutError(), VenueError(0, "bad gateway", status=502)])
def test_a_venue_that_is_down_is_served_from_its_last_list(tmp_path, monkeypatch, caplog, error):
    listed = parse_exchange_info("spot", SAMPLE.read_bytes()).instruments
    assert load(tmp_path, listed, monkeypatch) == listed
    assert load(tmp_path, error, monkeypatch) == listed
    assert "could not be loaded" in caplog.text


@pytest.mark.parametrize("content", [None, b"", b'[{"symbol": 1}]'])
def test_without_a_usable_list_there_is_no_engine(tmp_path, monkeypatch, content):
    if content is not None:
        (tmp_path / "instruments.binance.spot.json").write_bytes(content)
    with pytest.raises(EngineBuildError, match="SPOT: the list of instruments could not be loaded"):
        load(tmp_path, ConnectionRefusedError("refused"), monkeypatch)
