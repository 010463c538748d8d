"""One name per engine and part, whatever the ids are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_fast.core.types import pack
from nexus_fast.shm import open_market_ring, open_order_ring, segment_name
from nexus_fast.shm.ring import RingWriter
from nexus_fast.shm.segment import segment_path

IDS = st.text(st.characters(min_codepoint=32, exclude_characters="/\\\x7f", codec="utf-8"), min_size=1, max_size=6)


def test_plain_ids_stand_as_they_are():
    assert segment_name("multi_conn_binance", "user_test", "market") == "multi_conn_binance.user_test.market"


@given(IDS, IDS, IDS, IDS)
def test_two_engines_never_share_a_name(strategy, user, other_strategy, other_user):
    same = segment_name(strategy, user, "latest") == segment_name(other_strategy, other_user, "latest")
    assert same == ((strategy, user) == (other_strategy, other_user))


@given(IDS, IDS)
def test_every_name_is_a_plain_file_name(strategy, user):
    assert segment_path(segment_name(strategy, user, "orders")).count("/..") == 0


@pytest.mark.parametrize("bad", ["", "a/b", "..\\x", "new\nline", "nul\0", None, 7])
def test_ids_with_path_or_control_characters_are_refused(bad):
    with pytest.raises(ValueError, match="strategy_id was"):
        segment_name(bad, "user", "market")
    with pytest.raises(ValueError, match="user_id was"):
        segment_name("strategy", bad, "market")


def test_long_ids_and_unknown_parts_are_refused():
    with pytest.raises(ValueError, match="180 fit"):
        segment_name("x" * 170, "user", "market")
    with pytest.raises(ValueError, match="choose one of market, latest, orders"):
        segment_name("a", "b", "journal")


def test_rings_are_opened_by_ids():
    market = RingWriter(segment_name("s", "u", "market"), capacity=8)
    orders = RingWriter(segment_name("s", "u", "orders"), "order_event", 8)
    quotes, events = open_market_ring("s", "u"), open_order_ring("s", "u")
    market.publish(pack("bookl1", bid=3))
    orders.publish(pack("order_event", number=1, client_id="abc"))
    assert quotes.read().bid == 3 and events.read().client_id == "abc"
