"""The exported layout is that of the structs in types.pxd, for Python, numpy and C."""

import re
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_fast.core import types

DECLARATIONS = Path(__file__).parents[3] / "cython/nexus_fast/core/types.pxd"
C_TYPES = {"int64_t": 8, "uint64_t": 8, "double": 8, "uint32_t": 4, "uint8_t": 1, "char": 1}


def declared_fields(struct):
    """[(name, offset, size)] by reading the C text: all fields lie next to each other in these structs."""
    text = DECLARATIONS.read_text()
    body = text.partition(f"typedef struct {struct} {{")[2].partition(f"}} {struct};")[0]
    rows, offset = [], 0
    for kind, name, count in re.findall(r"^\s*(\w+) (\w+)(?:\[(\d+)\])?;", body, re.M):
        size = C_TYPES[kind] * int(count or 1)
        rows.append((name, offset, size))
        offset += size
    return rows


@pytest.mark.parametrize("record", ["bookl1", "order_event"])
def test_layout_has_every_declared_field_at_its_place(record):
    assert [row[:3] for row in types.layout(record)] == declared_fields(f"nx_{record}")


@pytest.mark.parametrize("record, size", [("bookl1", 128), ("order_event", 256)])
def test_fields_fill_the_record_without_holes(record, size):
    rows = types.layout(record)
    assert [row[1] for row in rows] == [sum(row[2] for row in rows[:i]) for i in range(len(rows))]
    assert sum(row[2] for row in rows) == size == types.record_sizes()[record]


@pytest.mark.parametrize("record, frozen", [("bookl1", 0x26F45B69243067B8), ("order_event", 0x77C299F63D8F3F84)])
def test_layout_is_frozen(record, frozen):
    """Who changes a field changes what other programs read: raise NEXUS_ABI, and set the new fingerprint here."""
    assert types.fingerprint(record) == frozen


@pytest.mark.parametrize("record", ["bookl1", "order_event"])
def test_numpy_finds_the_same_fields(record):
    found = types.dtype(record)
    assert found.itemsize == types.record_sizes()[record]
    assert [(n, found.fields[n][1], found.fields[n][0].itemsize) for n in found.names] == [
        row[:3] for row in types.layout(record)
    ]


INTEGERS = st.integers(-(2**63), 2**63 - 1)


@given(bid=INTEGERS, ask=INTEGERS, value=st.floats(allow_nan=False), symbol=st.integers(0, 2**32 - 1))
def test_pack_and_numpy_and_unpack_agree_on_a_quote(bid, ask, value, symbol):
    raw = types.pack("bookl1", bid=bid, ask=ask, ask_value=value, symbol_id=symbol, flags=types.FLAG_STALE)
    row = numpy.frombuffer(raw, types.dtype("bookl1"))[0]
    quote = types.unpack("bookl1", raw)
    assert (row["bid"], row["ask"], row["ask_value"], row["symbol_id"], row["flags"]) == (bid, ask, value, symbol, 4)
    assert (quote.bid, quote.ask, quote.ask_value, quote.symbol_id, quote.flags) == (bid, ask, value, symbol, 4)


@given(client=st.text("abcXYZ0189", max_size=39), kind=st.integers(0, 255), trade=INTEGERS)
def test_pack_and_numpy_and_unpack_agree_on_an_order_event(client, kind, trade):
    raw = types.pack("order_event", client_id=client, kind=kind, trade_id=trade, strategy=3)
    row = numpy.frombuffer(raw, types.dtype("order_event"))[0]
    event = types.unpack("order_event", raw)
    assert (row["client_id"].decode(), row["kind"], row["trade_id"]) == (client, kind, trade)
    assert (event.client_id, event.kind, event.trade_id, event.strategy) == (client, kind, trade, 3)


def test_pack_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="at most 39 fit"):
        types.pack("order_event", client_id="x" * 40)
    with pytest.raises(ValueError, match="no field bids"):
        types.pack("bookl1", bids=1)


def test_an_unknown_record_is_refused_by_name():
    with pytest.raises(ValueError, match="'book' is unknown: choose one of bookl1, order_event"):
        types.layout("book")
