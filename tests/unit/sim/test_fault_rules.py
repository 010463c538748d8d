"""Fault scripts: what is refused and in which words; that the same seed draws the same; what messages are called."""

import json

import pytest

from nexus_fast.sim.faults import KINDS, FaultError, Faults, read_rules
from nexus_fast.sim.faults.names import of_message, of_request
from nexus_fast.sim.faults.rules import TIMED


def test_every_kind_can_be_written_with_its_defaults(tmp_path):
    file = tmp_path / "faults.toml"
    file.write_text("".join(f'[[fault]]\nkind = "{kind}"\n' for kind in KINDS))
    assert [rule.kind for rule in read_rules(file)] == list(KINDS)


@pytest.mark.parametrize(("script", "words"), [
    ('[[fault]]\nkind = "dorp"\n', ["rule 1", "'dorp'", "drop", "half_open"]),
    ('[[fault]]\nkind = "drop"\n[[fault]]\nkind = "drop"\nconection = "rest"\n', ["rule 2 (drop)", "'conection'", "connection"]),
    ('[[fault]]\nkind = "drop"\nconnection = "orders"\n', ["connection = 'orders'", "rest, stream, user, order, any"]),
    ('[[fault]]\nkind = "drop"\nway = "up"\n', ["way = 'up'", "to_client, from_client"]),
    ('[[fault]]\nkind = "drop"\nnth = 0\n', ["nth = 0", "at least 1"]),
    ('[[fault]]\nkind = "drop"\nnth = []\n', ["nth = []", "something"]),
    ('[[fault]]\nkind = "drop"\nprobability = "often"\n', ["probability = 'often'", "of type int or float"]),
    ('[[fault]]\nkind = "ban"\nstatus = 500\n', ["status = 500", "429, 418, 403"]),
    ('[[fault]]\nkind = "cut"\nexecute = 1\n', ["execute = 1", "bool"]),
    ('[[fault]]\nkind = "wrong"\nwhat = "odd"\n', ["what = 'odd'", "malformed", "utf8", "deflate"]),
    ('[[fault]]\nkind = "clock"\nmatch = "x"\n', ["rule 1 (clock)", "'match'", "offset_ms"]),
    ('faults = 3\n', ["'faults'", "[[fault]]"]),
    ('[[fault]\n', ["no TOML"]),
])
def test_a_bad_script_is_refused_with_the_rule_the_key_and_what_is_allowed(script, words):
    with pytest.raises(FaultError) as caught:
        read_rules(script)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FaultError, match="none.toml: No such file"):
        read_rules(tmp_path / "none.toml")


def test_a_bad_script_leaves_the_rules_as_they_are():
    faults = Faults([{"kind": "drop"}])
    with pytest.raises(FaultError):
        faults.load([{"kind": "dorp"}])
    assert [rule.kind for rule in faults.rules] == ["drop"] and faults.active


def strikes(faults, count=200, names=("order.place",), connection="order", account="a"):
    out = []
    for _ in range(count):
        found = faults.firing("binance", (connection,), names, account, "to_client")
        out.append([rule.number for rule in found])
    return out


def test_the_same_seed_strikes_the_same_messages_whatever_other_rules_there_are():
    rule = {"kind": "drop", "probability": 0.3}
    first = strikes(Faults([rule], seed=5))
    assert first == strikes(Faults([rule], seed=5)) and 30 < sum(map(len, first)) < 90
    assert first != strikes(Faults([rule], seed=6))
    both = strikes(Faults([rule, {"kind": "delay", "probability": 0.5}], seed=5))
    assert [1 in struck for struck in both] == [1 in struck for struck in first]


def test_where_and_when_a_rule_applies():
    now = [0.0]
    faults = Faults([
        {"kind": "drop", "nth": [2, 4], "match": "order.*"},
        {"kind": "drop", "times": 3, "account": "b"},
        {"kind": "drop", "after": 1, "until": 2.5, "connection": "user"},
        {"kind": "drop", "way": "from_client"},
        {"kind": "drop", "venue": "okx"},
    ], monotonic=lambda: now[0])
    assert strikes(faults, 5) == [[], [1], [], [1], []]
    assert strikes(faults, 5, account="b", names=("x",)) == [[2], [2], [2], [], []]
    for seconds, expected in ((0.5, []), (1.0, [3]), (2.4, [3]), (2.5, [])):
        now[0] = seconds
        assert strikes(faults, 1, names=("x",), connection="user") == [expected]
    assert [rule.summary()["applied"] for rule in faults.rules] == [2, 3, 2, 0, 0]


@pytest.mark.parametrize(("message", "names"), [
    ({"e": "executionReport", "s": "BTCUSDT", "x": "TRADE", "X": "FILLED"}, {"executionReport", "executionReport.TRADE"}),
    ({"subscriptionId": 0, "event": {"e": "outboundAccountPosition"}}, {"outboundAccountPosition"}),
    ({"e": "ORDER_TRADE_UPDATE", "o": {"s": "BTCUSDT", "x": "NEW", "X": "NEW"}}, {"ORDER_TRADE_UPDATE.NEW"}),
    ({"u": 1, "s": "BTCUSDT", "b": "1", "B": "1", "a": "2", "A": "1"}, {"bookTicker", "btcusdt@bookTicker"}),
    ({"stream": "btcusdt@trade", "data": {"e": "trade", "s": "BTCUSDT"}}, {"trade", "btcusdt@trade"}),
    ({"topic": "orderbook.1.BTCUSDT", "data": {}}, {"orderbook.1.BTCUSDT", "orderbook"}),
    ({"topic": "execution.fast", "data": []}, {"execution.fast", "execution"}),
    ({"arg": {"channel": "orders", "instType": "ANY"}, "data": [{"fillSz": "1"}]}, {"orders", "orders.fill"}),
    ({"arg": {"channel": "bbo-tbt", "instId": "BTC-USDT"}, "data": [{}]}, {"bbo-tbt", "bbo-tbt:BTC-USDT"}),
])
def test_names_of_what_is_pushed(message, names):
    found = of_message(json.dumps(message).encode(), {})
    assert names <= set(found.names) and found.answers is None


@pytest.mark.parametrize(("request_", "names", "identity"), [
    ({"id": 7, "method": "SUBSCRIBE", "params": ["btcusdt@trade"]}, {"SUBSCRIBE", "SUBSCRIBE:btcusdt@trade"}, 7),
    ({"id": "x", "method": "order.place", "params": {"apiKey": "k"}}, {"order.place"}, "x"),
    ({"reqId": "r", "op": "order.create", "args": [{}]}, {"order.create"}, "r"),
    ({"id": "1", "op": "subscribe", "args": [{"channel": "orders"}]}, {"subscribe", "subscribe:orders"}, "1"),
])
def test_an_answer_has_the_names_of_its_request(request_, names, identity):
    asked = of_request(json.dumps(request_).encode())
    assert names <= set(asked.names) and asked.answers == identity
    key = "reqId" if "reqId" in request_ else "id"
    answer = json.dumps({key: identity, "op": "order.create", "status": 200}).encode()
    assert of_message(answer, {str(identity): asked.names}).names == asked.names


def test_timed_kinds_know_no_messages():
    faults = Faults([{"kind": kind} for kind in TIMED])
    assert strikes(faults, 1) == [[]]
