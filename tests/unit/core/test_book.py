"""BookL1: NexusTrader's fields, exact values beside them, and never a change."""

import copy
import enum
import math
import pickle
from decimal import Decimal

import pytest

from nexus_fast.core.book import BookL1, restore_bookl1


class Venue(enum.Enum):
    HERE = "here"


FIELDS = ("exchange", "symbol", "bid", "ask", "bid_size", "ask_size", "timestamp")
VALUES = (Venue.HERE, "BTCUSDT.BINANCE", 100.0, 101.0, 3.0, 1.0, 1_700_000_000_000)


@pytest.fixture
def book():
    return BookL1(*VALUES)


def test_fields_by_position_and_by_name(book):
    assert tuple(getattr(book, name) for name in FIELDS) == VALUES
    assert BookL1(**dict(zip(FIELDS, VALUES, strict=True))) == book
    assert BookL1.__match_args__ == FIELDS
    match book:
        case BookL1(exchange, symbol, bid):
            assert (exchange, symbol, bid) == VALUES[:3]


def test_derived_prices(book):
    assert (book.mid, book.spread) == (100.5, 1.0)
    assert book.weighted_mid == (100.0 * 1.0 + 101.0 * 3.0) / 4.0
    assert BookL1(Venue.HERE, "X", 1, 3, 0, 0, 0).weighted_mid == 2.0


def test_it_never_changes(book):
    for name in (*FIELDS, "mid", "update_id", "flags"):
        with pytest.raises(AttributeError):
            setattr(book, name, 1)
    with pytest.raises(AttributeError):
        book.other = 1
    with pytest.raises(TypeError, match="never changes"):
        book.__init__(*VALUES)
    with pytest.raises(TypeError):

        class Derived(BookL1):
            pass


def test_equality_is_that_of_the_fields_and_there_is_no_hash(book):
    assert book == BookL1(*VALUES)
    assert book != BookL1(*VALUES[:-1], 1)
    assert book != VALUES
    with pytest.raises(TypeError):
        hash(book)


def test_it_shows_itself_like_a_msgspec_struct(book):
    import msgspec

    twin = msgspec.defstruct("BookL1", FIELDS)(*VALUES)
    assert repr(book) == repr(twin)


def test_copies_and_pickles(book):
    assert copy.copy(book) is book and copy.deepcopy(book) is book
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(book, protocol))
        assert again == book and again is not book and again.bid_decimal == book.bid_decimal
    with pytest.raises(ValueError, match="another version"):
        restore_bookl1(b"short", Venue.HERE, "X", 0, True)


def test_decimals_of_an_object_made_from_floats_are_the_shortest(book):
    assert BookL1(Venue.HERE, "X", 0.1, 0.3, 2, 5, 0).bid_decimal == Decimal("0.1")
    assert (book.update_id, book.receive_time_ns, book.venue_time_ns, book.flags) == (0, 0, 0, 0)
    assert book.has_bid and book.has_ask and not book.is_stale


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        VALUES[:-1],
        (*VALUES, 1),
        (Venue.HERE, None, 1.0, 2.0, 1.0, 1.0, 0),
        (Venue.HERE, "X", "1", 2.0, 1.0, 1.0, 0),
    ],
)
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(TypeError):
        BookL1(*wrong)


def test_a_side_that_is_not_there_has_no_middle():
    record = bytearray(128)
    record[8 * 13 - 1] = 1  # flags, see core/types.pxd: NX_FLAG_NO_BID
    book = restore_bookl1(bytes(record), Venue.HERE, "X", 0, True)
    assert (book.has_bid, book.has_ask) == (False, True)
    assert all(math.isnan(value) for value in (book.mid, book.spread, book.weighted_mid))
