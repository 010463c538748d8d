"""The venue's ids: orders of contracts are UUIDs, orders of spot 19 digits, and so are the executions.

Both are one-to-one pictures of the matching core's numbers, so that no table is needed to find the way back.
"""

import re
from uuid import UUID

from nexus_fast.sim.bybit.errors import SPOT

_BITS = 1 << 128
_ODD = 0x9E3779B97F4A7C15F39CC0605CEDC835  # any odd number: multiplication by it has an inverse
_INVERSE = pow(_ODD, -1, _BITS)
_SPOT_FACTOR = 10_000
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,24}", re.ASCII)


def _uuid(number: int) -> str:
    return str(UUID(int=number * _ODD % _BITS))


def order_text(category: str, order_id: int) -> str:
    return str(order_id * _SPOT_FACTOR) if category == SPOT else _uuid(order_id)


def order_number(category: str, text: str) -> int | None:
    """The core's number; None when the text is no id of this category."""
    if category == SPOT:
        if not _DIGITS.fullmatch(text):
            return None
        number, rest = divmod(int(text), _SPOT_FACTOR)
        return None if rest else number
    return UUID(text).int * _INVERSE % _BITS if _UUID.fullmatch(text) else None


def execution_text(category: str, symbol_number: int, trade_id: int) -> str:
    """Trade ids count per symbol: the symbol's number in the listing makes them one series."""
    if category == SPOT:
        return f"{2200 + symbol_number}{trade_id:015d}"
    return _uuid((symbol_number + 1) << 64 | trade_id)
