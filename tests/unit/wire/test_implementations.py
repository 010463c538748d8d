"""Binance's frames by each implementation that this CPU can run: the same result, and the general path's."""

import re

import pytest
from canonical_frames import COIN_M, COMBINED, SPOT, USD_M
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wire_frames import recorded

from nexus_fast.wire import binance, explain

NUMBER = re.compile(rb'"([bBaA])":"[^"]*"')
digits = st.text("0123456789", min_size=0, max_size=19)
numbers = st.one_of(
    st.builds(lambda whole, point, places: whole + point + places, digits, st.sampled_from([".", "", ".."]), digits),
    st.text("0123456789.-+eE ,\"\\/:;é", max_size=18),
    st.from_regex(r"\A[1-9][0-9]{0,6}\.[0-9]{1,8}\Z"),
)
symbols = st.one_of(st.text("ABCUSDT0123456789_", min_size=0, max_size=34), st.text(max_size=18))


@pytest.fixture(autouse=True)
def the_best_again():
    yield
    binance.use_implementation(binance.implementations()[0])


def by_all(frame):
    """What all implementations say; AssertionError where they differ from each other or the fast path from the general."""
    found = []
    for name in binance.implementations():
        binance.use_implementation(name)
        found.append(explain("binance", "usd_m", frame))
    general = explain("binance", "usd_m", frame, "general")
    assert all({**one, "path": "general"} == {**general, "path": "general"} for one in found), frame
    assert found[0]["path"] == found[-1]["path"], frame
    return found[0]


def with_numbers(frame, texts):
    rest = iter(texts)
    return NUMBER.sub(lambda key: b'"%s":"%s"' % (key[1], next(rest).encode()), frame)


@pytest.mark.parametrize("frame", [SPOT, USD_M, COIN_M, COMBINED])
@pytest.mark.parametrize("length", range(1, 20))
def test_numbers_of_every_length_and_place_of_the_point(frame, length):
    text = "9081726354908172635"[:length]
    for point in range(length + 1):
        price = text[:point] + "." + text[point:]
        by_all(with_numbers(frame, [price, text, price, text]))
        by_all(with_numbers(frame, [text, price, text, price]))
        by_all(with_numbers(frame, [price, "." + text, price, "1"]))


@given(frame=st.sampled_from([SPOT, USD_M, COIN_M, COMBINED]), texts=st.lists(numbers, min_size=4, max_size=4), symbol=symbols,
       update=st.integers(0, 10**19), times=st.integers(0, 10**14))
@example(frame=USD_M, texts=["1", "2", "3", "4"], symbol="A", update=1, times=9223372036855)
@example(frame=SPOT, texts=["0.1", "1,2", "1.0", "1"], symbol="A,B", update=123456789012345, times=0)
@settings(max_examples=500, deadline=None)
def test_any_field(frame, texts, symbol, update, times):
    frame = re.sub(rb'"u":\d+', b'"u":%d' % update, with_numbers(frame, texts))
    frame = re.sub(rb'"(T|E)":\d+', lambda key: b'"%s":%d' % (key[1], times), frame)
    by_all(re.sub(rb'"(s|ps)":"\w+"', lambda key: b'"%s":"%s"' % (key[1], symbol.encode()), frame))


@pytest.mark.parametrize("frame", [SPOT, USD_M, COIN_M, COMBINED])
def test_any_byte_changed(frame):
    for at in range(len(frame)):
        for byte in b'"\\,.:0e}{ \x00\x1f\x80\xff':
            by_all(frame[:at] + bytes([byte]) + frame[at + 1 :])


def test_recorded_frames():
    count = sum(by_all(frame)["status"] == "quote" for _, frame in list(recorded("hftbacktest/*"))[:6000] if b'"B"' in frame)
    assert count > 10


def test_an_unknown_implementation_is_named():
    with pytest.raises(ValueError, match="'abacus' does not run here"):
        binance.use_implementation("abacus")
