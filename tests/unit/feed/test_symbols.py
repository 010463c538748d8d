"""Venue symbols to ids."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexus_fast.feed.symbols import SymbolTable


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.binary(min_size=1, max_size=32), st.integers(0, 2**32 - 1), max_size=300), st.integers(1, 64))
def test_as_a_dictionary(names, capacity):
    table = SymbolTable(capacity)
    for name, number in names.items():
        table.add(name, number, 2, 3, 1)
    assert len(table) == len(names)
    assert {name: table.lookup(name) for name in names} == names
    for name in names:
        assert name + b"X" in names or table.lookup((name + b"X")[:48]) in (None, names.get((name + b"X")[:48]))


def test_thousands_of_names_that_are_alike():
    names = [f"{base}{quote}".encode() for base in range(3000) for quote in ("USDT", "USDC", "BTC")]
    table = SymbolTable(4)
    for number, name in enumerate(names):
        table.add(name, number, 8, 8, 1)
    assert [table.lookup(name) for name in names] == list(range(len(names)))
    assert table.lookup(b"NOSUCHUSDT") is None and table.lookup(b"") is None and table.lookup(b"x" * 33) is None


def test_adding_again_replaces():
    table = SymbolTable()
    table.add(b"BTCUSDT", 1, 2, 5, 1)
    table.add(b"BTCUSDT", 7, 2, 5, 1)
    assert len(table) == 1 and table.lookup(b"BTCUSDT") == 7


@pytest.mark.parametrize("name", [b"", b"x" * 33])
def test_names_that_do_not_fit(name):
    with pytest.raises(ValueError, match="32"):
        SymbolTable().add(name, 1, 2, 3, 1)


def test_names_that_are_not_ascii():
    table = SymbolTable()
    table.add("币安人生USDT".encode(), 5, 4, 2, 1)
    assert table.lookup("币安人生USDT".encode()) == 5
