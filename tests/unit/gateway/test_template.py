"""Templates as such: pieces, holes, and what a builder may not do."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexus_fast.gateway.template import Canvas, TemplateSet
from nexus_fast.gateway.texts import Hole

NOW = 1747699200123
VALUES = {"price": 125, "quantity": 7, "client_id": "abc", "timestamp_ms": NOW}
literals = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=90)
TEXTS = {Hole.PRICE: "1.25", Hole.QUANTITY: "7", Hole.CLIENT_ID: "abc", Hole.TIMESTAMP: str(NOW)}
texts = st.lists(literals | st.sampled_from(sorted(TEXTS)), max_size=6)
secrets = st.binary(min_size=1, max_size=80)


def plain(items):
    return "".join(item if isinstance(item, str) else TEXTS[item] for item in items).encode()


def filled(text, payload=None, secret=None):
    templates = TemplateSet(price_scale=2, size_scale=0, secret=secret)
    templates.set_place(0, 1, 0, False, text, payload)
    return templates.place_text(0, 1, 0, False, **VALUES)


@settings(max_examples=300, deadline=None)
@given(texts)
def test_any_pieces(items):
    assert filled(items) == plain(items)


@settings(max_examples=300, deadline=None)
@given(texts, texts, secrets)
def test_a_payload_of_its_own_is_signed(text, payload, secret):
    signature = hmac.new(secret, plain(payload), hashlib.sha256).hexdigest().encode()
    assert filled([*text, Hole.SIGNATURE], payload, secret) == plain(text) + signature


@settings(max_examples=300, deadline=None)
@given(literals, texts, literals, secrets)
def test_a_part_of_the_request_is_signed(before, inside, after, secret):
    signature = hmac.new(secret, plain(inside), hashlib.sha256).hexdigest().encode()
    text = [before, Hole.SIGNED_FROM, *inside, Hole.SIGNED_TO, after, Hole.SIGNATURE, after]
    assert filled(text, secret=secret) == plain([before, *inside, after]) + signature + after.encode()


@pytest.mark.parametrize(
    "text, payload, secret",
    [
        (["x"], None, b"secret"),
        (["x", Hole.SIGNATURE], None, None),
        (["x", Hole.SIGNATURE], ["x"], None),
        (["x"], ["x"], b"secret"),
    ],
)
def test_signed_if_and_only_if_there_is_a_secret(text, payload, secret):
    with pytest.raises(ValueError, match="if and only if"):
        filled(text, payload, secret)


def test_too_long_a_request_is_refused_when_it_is_built():
    with pytest.raises(ValueError, match="too long"):
        filled(["x" * 1000])


def test_what_is_signed_must_start_at_a_fixed_place():
    with pytest.raises(ValueError, match="before every other hole"):
        filled([Hole.PRICE, Hole.SIGNED_FROM, "x", Hole.SIGNED_TO, Hole.SIGNATURE], secret=b"s")


def test_no_template_is_no_request():
    templates = TemplateSet(price_scale=2, size_scale=0)
    for text in (lambda: templates.place_text(0, 0, 0, False, **VALUES), lambda: templates.cancel_text(client_id="a")):
        with pytest.raises(ValueError, match="no such request"):
            text()
    assert not templates.has_place(1, 2, 0, True)
    assert not templates.has_place(9, 9, 9, True)


def test_a_post_only_or_market_order_has_no_time_in_force():
    templates = TemplateSet(price_scale=2, size_scale=0)
    templates.set_place(0, 2, 0, False, ["post only"])
    assert templates.place_text(0, 2, 2, False, **VALUES) == b"post only"


def test_unknown_values_are_refused():
    with pytest.raises(TypeError, match="colour"):
        TemplateSet(price_scale=2, size_scale=0).cancel_text(colour="red")
    with pytest.raises(ValueError, match="side=2"):
        TemplateSet(price_scale=2, size_scale=0).set_place(2, 0, 0, False, ["x"])


# ---- one request after the other ----

steps = st.lists(
    st.tuples(
        st.integers(0, 3),                                                  # which template
        st.sampled_from([1, 99, 100, 6180020, 6180021, 999999999, 10**17]),   # price
        st.sampled_from([1, 7, 10, 123456]),                                # quantity
        st.sampled_from(["a", "abcdefgh", "m1a2b3c4d5e6f7g8h", "m1a2b3c4d5e6f7g9h", "u" * 36]),
        st.integers(NOW, NOW + 3),
    ),
    min_size=1, max_size=12,
)
REQUESTS = [
    ([Hole.CLIENT_ID, "|", Hole.PRICE, "|", Hole.QUANTITY, "|", Hole.CLIENT_ID, "|", Hole.TIMESTAMP, "|", Hole.SIGNATURE, "}"],
     ["head of more than a block, so that something is absorbed before the id comes: ", Hole.CLIENT_ID, "&" * 40, Hole.PRICE, "&",
      Hole.QUANTITY, "&", Hole.TIMESTAMP, "&" * 20]),
    # More holes than are remembered.
    (["b", *[Hole.PRICE, "x"] * 15, Hole.SIGNATURE], ["payload", *[Hole.PRICE, Hole.QUANTITY] * 8]),
    (["POST ", Hole.SIGNED_FROM, "q=", Hole.QUANTITY, "&p=", Hole.PRICE, "&t=", Hole.TIMESTAMP, Hole.SIGNED_TO, "&signature=",
         Hole.SIGNATURE, " HTTP/1.1"], None),
    ([Hole.TIMESTAMP, Hole.SIGNATURE, Hole.QUANTITY], [Hole.TIMESTAMP]),
]


@settings(max_examples=300, deadline=None)
@given(steps)
def test_a_request_says_the_same_whatever_was_written_before(sequence):
    """A canvas keeps the last request's text and gets the next one's values: each is as if written from the beginning."""
    sets = []
    for text, payload in REQUESTS:
        templates = TemplateSet(price_scale=2, size_scale=0, secret=b"secret")
        templates.set_place(0, 1, 0, False, text, payload)
        sets.append(templates)
    requests = [(sets[which], {"price": price, "quantity": quantity, "client_id": identity, "timestamp_ms": now})
                for which, price, quantity, identity, now in sequence]
    canvas = Canvas()
    for templates, values in requests:
        assert canvas.place_text(templates, 0, 1, 0, False, **values) == templates.place_text(0, 1, 0, False, **values)


def test_a_refused_request_leaves_nothing_behind():
    templates = TemplateSet(price_scale=2, size_scale=0, secret=b"secret")
    templates.set_place(0, 1, 0, False, *REQUESTS[0])
    good = {"price": 125, "quantity": 7, "client_id": "abc", "timestamp_ms": NOW}
    wrong = [{"price": 0}, {"quantity": -1}, {"timestamp_ms": 12}, {"client_id": "x" * 9, "price": -5}]
    canvas, alone = Canvas(), templates.place_text(0, 1, 0, False, **good)
    assert canvas.place_text(templates, 0, 1, 0, False, **good) == alone
    for values in wrong:
        with pytest.raises(ValueError):
            canvas.place_text(templates, 0, 1, 0, False, **good | values)
        assert canvas.place_text(templates, 0, 1, 0, False, **good) == alone
