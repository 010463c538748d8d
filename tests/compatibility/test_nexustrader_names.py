"""Programs that import nexustrader: the names resolve to ours, and what is missing says what to do."""

import importlib
import sys

import pytest

from nexus_fast.compatibility import nexustrader as shim
from nexus_fast.error import NexusError


@pytest.fixture
def installed(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "nexustrader"]:
        monkeypatch.delitem(sys.modules, name)
    shim.install()
    yield
    shim.uninstall()


# What NexusTrader's documentation and examples import: module -> names.
IMPORTS = {
    "nexustrader.constants": "settings ExchangeType OrderSide OrderType KlineInterval BookLevel TimeInForce DataType "
    "PositionSide TriggerType OrderStatus WsOrderResultType StorageType AccountType",
    "nexustrader.config": "Config PublicConnectorConfig PrivateConnectorConfig BasicConfig MockConnectorConfig "
    "LogConfig WebConfig ZeroMQSignalConfig",
    "nexustrader.exchange": "BinanceAccountType BybitAccountType OkxAccountType HyperLiquidAccountType "
    "BitgetAccountType",
    "nexustrader.exchange.binance": "BinanceAccountType",
    "nexustrader.exchange.binance.constants": "BinanceAccountType",
    "nexustrader.exchange.bybit": "BybitAccountType",
    "nexustrader.exchange.okx": "OkxAccountType",
    "nexustrader.exchange.bitget": "BitgetAccountType",
    "nexustrader.exchange.hyperliquid": "HyperLiquidAccountType",
    "nexustrader.schema": "BookL1 Order Kline BookL2 Trade Position BatchOrder FundingRate MarkPrice IndexPrice "
    "InstrumentId Symbol KlineList",
    "nexustrader.error": "NexusTraderError EngineBuildError SubscriptionError StrategyBuildError OrderError "
    "PositionModeError WsRequestNotSentError WsAckTimeoutError WsAckRejectedError KlineSupportedError",
    "nexustrader.core.entity": "DataReady RateLimit",
    "nexustrader.core.nautilius_core": "LiveClock Logger TraderId UUID4",
}


@pytest.mark.parametrize("module", IMPORTS)
def test_the_names_of_the_documentation(installed, module):
    names = IMPORTS[module].split()
    taken: dict = {}
    exec(f"from {module} import {', '.join(names)}", taken)
    assert all(taken[name] is not None for name in names)


def test_classes_are_ours_and_the_same_by_every_way(installed):
    from nexustrader.constants import OrderSide
    from nexustrader.exchange import BinanceAccountType
    from nexustrader.exchange.binance import BinanceAccountType as by_package
    from nexustrader.exchange.binance.constants import BinanceAccountType as by_module

    import nexus_fast.constants
    import nexus_fast.exchange

    assert OrderSide is nexus_fast.constants.OrderSide
    assert BinanceAccountType is by_package is by_module is nexus_fast.exchange.BinanceAccountType


def test_our_modules_keep_their_own_names(installed):
    import nexustrader.schema

    import nexus_fast.schema

    assert nexustrader.schema is nexus_fast.schema
    assert nexus_fast.schema.__name__ == nexus_fast.schema.__spec__.name == "nexus_fast.schema"


def test_the_version_is_there(installed):
    import nexustrader

    import nexus_fast

    assert nexustrader.__version__ == nexus_fast.__version__


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("nexustrader.indicator", "on_kline"),
        ("nexustrader.web", "second process"),
        ("nexustrader.exchange.bybit_tradfi", "not served"),
        ("nexustrader.nonsense", "constants"),
        ("nexustrader.core.registry", "core.entity"),
    ],
)
def test_a_missing_module_says_what_to_do(installed, module, text):
    with pytest.raises(ModuleNotFoundError, match=module) as caught:
        importlib.import_module(module)
    assert text in str(caught.value) and caught.value.name == module


@pytest.mark.parametrize("statement", ["from nexustrader.exchange import Kraken", "from nexustrader import cli_tool"])
def test_a_missing_name_is_an_import_error(installed, statement):
    with pytest.raises(ImportError, match="nexus_fast has no"):
        exec(statement)


def test_it_ends_with_uninstall(installed):
    import nexustrader.constants  # noqa: F401

    shim.uninstall()
    assert not [name for name in sys.modules if name.split(".")[0] == "nexustrader"]
    assert shim._finder not in sys.meta_path


def test_it_is_harmless_twice_and_refused_too_late(installed):
    shim.install()
    assert sys.meta_path.count(shim._finder) == 1
    import nexustrader.constants  # noqa: F401

    sys.meta_path.remove(shim._finder)
    with pytest.raises(NexusError, match="must come before"):
        shim.install()
    sys.meta_path.insert(0, shim._finder)
