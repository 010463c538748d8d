"""`install()` makes `import nexustrader` and its submodules mean nexus_fast, for programs that are not to be edited.

Used by `nexus-fast run --nexustrader FILE.py`. A module that nexus_fast does not have raises ModuleNotFoundError, a
name it does not have ImportError, and the text says what to do instead.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any

from nexus_fast.error import NexusError

NAME = "nexustrader"

# Modules that are ours under another name: the import yields our module itself, so that classes are the same.
_SAME = {
    f"{NAME}.{theirs}": f"nexus_fast.{ours}"
    for theirs, ours in {
        "constants": "constants",
        "config": "config",
        "schema": "schema",
        "error": "error",
        "strategy": "strategy",
        "engine": "engine",
        "exchange.binance.constants": "exchange.binance.accounts",
        "exchange.bybit.constants": "exchange.bybit.accounts",
        "exchange.okx.constants": "exchange.okx.accounts",
        "exchange.bitget.constants": "exchange.bitget.accounts",
        "exchange.hyperliquid.constants": "exchange.hyperliquid.accounts",
    }.items()
}
# Packages: module of ours whose names they show, name by name where more than one is the source.
_PACKAGES: dict[str, dict[str, str]] = {
    NAME: {"__version__": "nexus_fast"},
    f"{NAME}.exchange": {
        name: "nexus_fast.exchange"
        for name in (
            "BinanceAccountType",
            "BitgetAccountType",
            "BybitAccountType",
            "HyperLiquidAccountType",
            "OkxAccountType",
        )
    },
    f"{NAME}.exchange.binance": {"BinanceAccountType": "nexus_fast.exchange"},
    f"{NAME}.exchange.bybit": {"BybitAccountType": "nexus_fast.exchange"},
    f"{NAME}.exchange.okx": {"OkxAccountType": "nexus_fast.exchange"},
    f"{NAME}.exchange.bitget": {"BitgetAccountType": "nexus_fast.exchange"},
    f"{NAME}.exchange.hyperliquid": {"HyperLiquidAccountType": "nexus_fast.exchange"},
    f"{NAME}.core": {},
    f"{NAME}.core.entity": {
        "DataReady": "nexus_fast.readiness",
        "RateLimit": "nexus_fast.compatibility.names",
    },
    f"{NAME}.core.nautilius_core": {
        "LiveClock": "nexus_fast.clock",
        "Logger": "nexus_fast.log",
        "TraderId": "nexus_fast.compatibility.names",
        "UUID4": "nexus_fast.compatibility.names",
    },
    f"{NAME}.core.cache": {"AsyncCache": "nexus_fast.cache:Cache"},
}
_INSTEAD = {
    f"{NAME}.indicator": "Keep the indicator's state in the strategy and update it in on_bookl1, on_trade or on_kline.",
    f"{NAME}.web": "Serve HTTP from a second process that reads the engine's shared memory.",
    f"{NAME}.cli": "Use `nexus-fast inspect` and `nexus-fast journal`.",
    f"{NAME}.backends": "Orders are kept in the journal (Config.journal_directory); there is no database.",
    f"{NAME}.exchange.bybit_tradfi": "MetaTrader accounts are not served.",
}


class _Loader(importlib.abc.Loader):
    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ in _SAME:
            # The import system takes what stands in sys.modules when this returns.
            sys.modules[module.__name__] = importlib.import_module(_SAME[module.__name__])
            return
        _fill(module, _PACKAGES[module.__name__])


def _fill(module: ModuleType, sources: dict[str, str]) -> None:
    def __getattr__(name: str) -> Any:
        if name.startswith("__") and name not in sources:
            raise AttributeError(name)
        if name not in sources:
            raise ImportError(_missing(f"{module.__name__}.{name}"), name=module.__name__)
        source, _, other_name = sources[name].partition(":")
        return getattr(importlib.import_module(source), other_name or name)

    module.__getattr__ = __getattr__
    module.__all__ = list(sources)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname != NAME and not fullname.startswith(NAME + "."):
            return None
        if fullname not in _SAME and fullname not in _PACKAGES:
            raise ModuleNotFoundError(_missing(fullname), name=fullname)
        return importlib.machinery.ModuleSpec(fullname, _Loader(), is_package=fullname in _PACKAGES)


def _missing(name: str) -> str:
    instead = next((text for prefix, text in _INSTEAD.items() if (name + ".").startswith(prefix + ".")), "")
    shown = ", ".join(sorted(part.removeprefix(NAME + ".") for part in {*_SAME, *_PACKAGES} - {NAME}))
    return (
        f"nexus_fast has no {name!r}, and this program runs with nexustrader's names on nexus_fast. "
        f"{instead or f'It has of {NAME}: {shown}.'}"
    )


_finder = _Finder()


def install() -> None:
    """From now on `nexustrader` is nexus_fast. Harmless when called again; raises NexusError when the real one has been
    imported already."""
    if _finder in sys.meta_path:
        return
    if NAME in sys.modules:
        raise NexusError("nexustrader has been imported already; install() must come before the program's imports.")
    sys.meta_path.insert(0, _finder)


def uninstall() -> None:
    """`nexustrader` is what it was before."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
        for name in [name for name in sys.modules if name == NAME or name.startswith(NAME + ".")]:
            del sys.modules[name]


