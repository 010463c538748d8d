"""The venues: a folder each, of fixed roles (accounts, endpoints, instruments, …), and what they have in common."""

from nexus_fast.exchange.binance import BinanceAccountType
from nexus_fast.exchange.bitget import BitgetAccountType
from nexus_fast.exchange.bybit import BybitAccountType
from nexus_fast.exchange.hyperliquid import HyperLiquidAccountType
from nexus_fast.exchange.okx import OkxAccountType

__all__ = [
    "BinanceAccountType",
    "BitgetAccountType",
    "BybitAccountType",
    "HyperLiquidAccountType",
    "OkxAccountType",
]
