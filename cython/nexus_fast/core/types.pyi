import struct
from os import PathLike
from typing import Any, NamedTuple

BINANCE: int
BYBIT: int
OKX: int
BUY: int
SELL: int
MARKET: int
LIMIT: int
POST_ONLY: int
GTC: int
IOC: int
FOK: int
FLAG_NO_BID: int
FLAG_NO_ASK: int
FLAG_STALE: int
FLAG_RESET: int
ORDER_REDUCE_ONLY: int
RECORD_KINDS: dict[str, int]
LAYOUTS: dict[str, tuple[tuple[str, int, int, str], ...]]

class BookL1Record(NamedTuple):
    sequence: int
    bid: int
    ask: int
    bid_size: int
    ask_size: int
    bid_value: float
    ask_value: float
    bid_size_value: float
    ask_size_value: float
    venue_time_ns: int
    receive_time_ns: int
    update_id: int
    symbol_id: int
    price_scale: int
    size_scale: int
    venue: int
    flags: int
    receive_ticks: int

class OrderEventRecord(NamedTuple):
    sequence: int
    number: int
    time_ns: int
    order_number: int
    price: int
    quantity: int
    filled: int
    last_price: int
    last_quantity: int
    trade_id: int
    client_id: str
    venue_id: str
    symbol_id: int
    checksum: int
    kind: int
    state: int
    side: int
    type: int
    time_in_force: int
    flags: int
    account: int
    reason: int
    price_scale: int
    size_scale: int
    strategy: int
    venue_time_ns: int

def record_sizes() -> dict[str, int]: ...
def layout(name: str) -> tuple[tuple[str, int, int, str], ...]: ...
def plain_fields(name: str) -> tuple[tuple[str, int, int, str], ...]: ...
def fingerprint(name: str) -> int: ...
def dtype(name: str) -> Any: ...
def record_struct(name: str) -> struct.Struct: ...
def unpack(name: str, buffer: Any, offset: int = 0) -> Any: ...
def record_class(name: str) -> Any: ...
def pack(name: str, **fields: Any) -> bytes: ...
def marked_block(path: str, mark: str) -> str: ...
def header_text() -> str: ...
def write_header(path: str | PathLike[str]) -> str | PathLike[str]: ...
