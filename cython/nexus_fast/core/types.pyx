"""Layout of the shared records for Python, numpy and the tests that freeze it."""

from libc.string cimport memset


def record_sizes():
    """Bytes per record: {"bookl1": 128, "order_event": 256}."""
    return {"bookl1": sizeof(nx_bookl1), "order_event": sizeof(nx_order_event)}
