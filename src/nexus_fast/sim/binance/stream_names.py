"""Which streams a market has: what is not served here is refused and not left silent.

A symbol that is not listed makes no difference: the venue acknowledges its streams, and they stay silent.
"""

import re

from nexus_fast.sim.binance.market_data import INTERVALS

_COMMON = f"trade|aggTrade|bookTicker|ticker|miniTicker|kline_(?:{'|'.join(INTERVALS)})"
_SPOT = re.compile(rf"[^@!]+@(?:{_COMMON}|avgPrice|depth(?:5|10|20)?(?:@(?:100|1000)ms)?)|!miniTicker@arr")
_FUTURES = re.compile(
    rf"[^@!]+@(?:{_COMMON}|markPrice(?:@1s)?|depth(?:5|10|20)?(?:@(?:0|100|250|500)ms)?)|"
    r"!(?:markPrice@arr(?:@1s)?|miniTicker@arr|ticker@arr|bookTicker)")


def is_served(name: str, is_spot: bool) -> bool:
    """Whether there is such a stream on spot, or on futures."""
    return (_SPOT if is_spot else _FUTURES).fullmatch(name) is not None
