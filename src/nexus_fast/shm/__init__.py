"""Shared memory of a running engine, for other processes on the machine (docs/memory-model.md).

    from nexus_fast.shm import open_latest, open_market_ring
    quotes = open_latest("multi_conn_binance", "user_test")
    quotes["BTCUSDT.BINANCE"].bid_value
    for record in open_market_ring("multi_conn_binance", "user_test"): ...
"""

from nexus_fast.shm.error import (
    SegmentBusy,
    SegmentDamaged,
    SegmentError,
    SegmentMismatch,
    SegmentMissing,
    SegmentRetired,
)
from nexus_fast.shm.names import segment_name

__all__ = [
    "SegmentBusy", "SegmentDamaged", "SegmentError", "SegmentMismatch", "SegmentMissing", "SegmentRetired",
    "open_latest", "open_market_ring", "open_order_ring", "segment_name",
]  # fmt: skip


def open_market_ring(strategy_id, user_id, start="newest"):
    """A RingReader of every quote (BookL1Record) that the engine takes in. start: "newest" or "oldest"."""
    from nexus_fast.shm.ring import RingReader

    return RingReader(segment_name(strategy_id, user_id, "market"), "bookl1", start)


def open_order_ring(strategy_id, user_id, start="newest"):
    """A RingReader of every order event (OrderEventRecord), in the order in which the engine decided it."""
    from nexus_fast.shm.ring import RingReader

    return RingReader(segment_name(strategy_id, user_id, "orders"), "order_event", start)


def open_latest(strategy_id, user_id):
    """The last quote of every symbol, by name (LatestQuotes)."""
    from nexus_fast.shm.latest_by_name import LatestQuotes

    return LatestQuotes(segment_name(strategy_id, user_id, "latest"))
