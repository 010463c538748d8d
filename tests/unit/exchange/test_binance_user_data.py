"""Binance's private events: every recorded one, against a plain reading with json and Decimal."""

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from nexus_fast.constants import InstrumentType
from nexus_fast.exchange.binance.user_data import decode
from nexus_fast.order.events import BalanceUpdate, OrderUpdate, PositionUpdate, StreamEnded, Unreadable
from nexus_fast.order.states import EVENTS

REPOSITORY = Path(__file__).resolve().parents[3]
SHARED = REPOSITORY.parent / "shared" / "data"
ROOT = SHARED if SHARED.is_dir() else REPOSITORY / "tests" / "data"
KINDS = ("executionReport", "ORDER_TRADE_UPDATE", "outboundAccountPosition", "ACCOUNT_UPDATE", "listenKeyExpired")
# What a recording is least expected to hold; the samples in tests/data are a few of each.
LEAST = 100 if ROOT == SHARED else 20


def objects(value):
    """Every JSON object inside a value, and inside the texts of it that are JSON."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)
    elif isinstance(value, str) and value[:1] in "{[" and value:
        try:
            yield from objects(json.loads(value))
        except ValueError:
            return


def complete(event):
    """Recorded events, not the shapes that a client library's source draws of them."""
    kind = event["e"]
    if kind == "executionReport":
        return "x" in event and "i" in event and isinstance(event.get("z"), str)
    if kind == "ORDER_TRADE_UPDATE":
        return isinstance(event.get("o"), dict) and "x" in event["o"] and isinstance(event["o"].get("z"), str)
    if kind == "ACCOUNT_UPDATE":
        return isinstance(event.get("a"), dict)
    return kind == "listenKeyExpired" or isinstance(event.get("B"), list)


def recorded():
    found = {}
    for path in sorted(p for p in ROOT.rglob("*.json*") if "binance" in str(p).lower()):
        if path.suffix == ".gz":
            continue
        text = path.read_text(errors="replace")
        if not any(kind in text for kind in KINDS):
            continue
        for line in [text] if path.suffix == ".json" else text.splitlines():
            try:
                value = json.loads(line)
            except ValueError:
                continue
            for event in objects(value):
                if event.get("e") in KINDS and complete(event):
                    found[json.dumps(event)] = event
    return list(found.values())


EVENTS_RECORDED = recorded()


def of(kind):
    return [event for event in EVENTS_RECORDED if event["e"] == kind]


def number(text):
    return None if text is None else Decimal(text)


def test_there_are_recordings():
    assert len(EVENTS_RECORDED) >= LEAST
    assert all(of(kind) for kind in KINDS[:4])


def test_every_recorded_event_decodes_bare_and_wrapped():
    for event in EVENTS_RECORDED:
        payload = json.dumps(event).encode()
        found = decode(payload)
        assert found or event["e"] == "ACCOUNT_UPDATE", event
        assert decode(b'{"subscriptionId":0,"event":' + payload + b"}") == found
        assert decode(b'{"stream":"key","data":' + payload + b"}") == found


def check_order(update, o, event_time, filled_key="z"):
    """The fields that spot and futures name alike."""
    assert isinstance(update, OrderUpdate) and update.event in EVENTS
    assert update.venue_symbol == o["s"] and update.venue_id == str(o["i"])
    assert update.filled == number(o[filled_key]) and update.quantity == number(o["q"]) and update.price == number(o["p"])
    expected = {"NEW": "ACCEPTED", "CANCELED": "CANCELED", "EXPIRED": "EXPIRED", "REJECTED": "REJECTED",
                "TRADE": "FILLED" if o["X"] == "FILLED" else "FILL"}.get(o["x"])
    if expected:
        assert update.event == expected
    if o["x"] == "TRADE":
        assert (update.last_quantity, update.last_price, update.trade_id) == (number(o["l"]), number(o["L"]), o["t"])
        assert update.time_ms == o["T"]
        assert update.fee == number(o.get("n")) and update.fee_currency == o.get("N") and update.is_maker is o["m"]
    else:
        assert update.last_quantity is None or o.get("t", -1) >= 0
        assert update.last_quantity is not None or update.time_ms == event_time


@pytest.mark.parametrize("kind", KINDS[:2])
def test_orders_say_what_json_says(kind):
    for event in of(kind):
        (update,) = decode(json.dumps(event).encode())
        o = event if kind == "executionReport" else event["o"]
        check_order(update, o, event["E"])
        if kind == "executionReport":
            renamed = o["x"] in ("CANCELED", "REPLACED") and o["C"]
            assert update.client_id == (o["C"] if renamed else o["c"])
            assert update.cost == number(o.get("Z", "0"))
            if update.filled:
                assert update.average == update.cost / update.filled
        else:
            assert update.client_id == o["c"]
            assert update.average == (number(o.get("ap")) if update.filled else None)


def test_fills_of_one_order_add_up():
    """Where every fill of an order was recorded, their sum is the cumulative quantity."""
    sums, last, complete_orders = {}, {}, 0
    for event in of("ORDER_TRADE_UPDATE"):
        (update,) = decode(json.dumps(event).encode())
        if update.trade_id >= 0:
            sums[update.venue_id] = sums.get(update.venue_id, 0) + update.last_quantity
            last[update.venue_id] = max(last.get(update.venue_id, Decimal(0)), update.filled)
    for order, total in sums.items():
        assert total <= last[order]
        complete_orders += total == last[order]
    assert complete_orders >= 1


def test_balances_say_what_json_says():
    for event in of("outboundAccountPosition"):
        (update,) = decode(json.dumps(event).encode())
        assert update.balances == {b["a"]: (number(b["f"]), number(b["l"])) for b in event["B"]}
        assert not update.complete and update.time_ms == event["E"]


def test_account_updates_say_what_json_says():
    for event in of("ACCOUNT_UPDATE"):
        found = decode(json.dumps(event).encode())
        balances = [u for u in found if isinstance(u, BalanceUpdate)]
        positions = [u for u in found if isinstance(u, PositionUpdate)]
        hedged = [p for p in event["a"].get("P", []) if p.get("ps", "BOTH") != "BOTH" and number(p["pa"])]
        assert [u.rows for u in found if isinstance(u, Unreadable)] == ([len(hedged)] if hedged else [])
        assert len(balances) + len(positions) + bool(hedged) == len(found)
        wallet = {b["a"]: number(b["wb"]) for b in event["a"].get("B", [])}
        assert {a: free for u in balances for a, (free, _) in u.balances.items()} == wallet
        one_way = [p for p in event["a"].get("P", []) if p.get("ps", "BOTH") == "BOTH"]
        assert [(p.venue_symbol, p.signed_amount, p.entry_price) for p in positions] == [
            (p["s"], number(p["pa"]), number(p["ep"])) for p in one_way]


def test_events_of_portfolio_margin_say_whose_they_are():
    kinds = {"UM": InstrumentType.LINEAR, "CM": InstrumentType.INVERSE}
    events = [event for event in EVENTS_RECORDED if "fs" in event]
    assert {event["e"] for event in events} >= {"ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"}
    for event in events:
        for update in decode(json.dumps(event).encode()):
            if isinstance(update, BalanceUpdate):
                assert update.part == event["fs"]
            else:
                assert update.instrument_type is kinds[event["fs"]]
    for event in of("executionReport"):
        assert decode(json.dumps(event).encode())[0].instrument_type is InstrumentType.SPOT


@pytest.mark.parametrize("inverse", [{"ma": "BTC"}, {}])
def test_what_coin_margined_fills_were_worth_is_not_price_times_contracts(inverse):
    """Known by the margin asset, which only COIN-M's orders name, or by portfolio margin's `fs`."""
    event = next(e for e in of("ORDER_TRADE_UPDATE") if e["o"]["x"] == "TRADE")
    fs = {} if inverse else {"fs": "CM"}
    bare = {name: value for name, value in event.items() if name != "fs"}
    (update,) = decode(json.dumps({**bare, **fs, "i": "SfsR", "o": {**event["o"], **inverse}}).encode())
    assert update.cost is None and update.average == number(event["o"]["ap"]) and update.filled == number(event["o"]["z"])


@pytest.mark.parametrize("payload", [
    b'{"e":"listenKeyExpired","E":1,"listenKey":"x"}', b'{"event":{"e":"eventStreamTerminated","E":1}}',
    b'{"stream":"x","data":{"e":"listenKeyExpired","E":1}}'])
def test_the_end_of_a_stream(payload):
    (event,) = decode(payload)
    assert isinstance(event, StreamEnded) and event.reason


@pytest.mark.parametrize("payload", [
    b'{"e":"ACCOUNT_CONFIG_UPDATE"}', b'{"e":"somethingNew","x":1}', b"{}",
    b'{"result":null,"id":1}', b'{"e":"balanceUpdate","E":1,"a":"BTC","d":"1","T":1}'])
def test_what_the_engine_does_not_use_is_no_event(payload):
    assert decode(payload) == []


ENDS = {"CANCELED": "CANCELED", "EXPIRED": "EXPIRED", "EXPIRED_IN_MATCH": "EXPIRED", "REJECTED": "REJECTED", "FILLED": "FILLED"}


def trade(kind):
    return next(e for e in of(kind) if (e["o"] if isinstance(e["o"], dict) else e)["x"] == "TRADE")


def changed(event, **fields):
    return {**event, "o": {**event["o"], **fields}} if isinstance(event["o"], dict) else {**event, **fields}


@pytest.mark.parametrize("kind", KINDS[:2])
@pytest.mark.parametrize("status", ENDS)
@pytest.mark.parametrize("execution", ["TRADE", "CANCELED", "TRADE_PREVENTION", "AMENDMENT"])
def test_the_final_status_decides(kind, status, execution):
    """Spot ends orders with a TRADE of nothing (t -1, l 0), whose status is CANCELED or EXPIRED."""
    nothing = {"l": "0.00000000", "L": "0.00000000", "t": -1 if kind == "executionReport" else 0}
    event = changed(trade(kind), x=execution, X=status, **nothing)
    (update,) = decode(json.dumps(event).encode())
    assert update.event == ENDS[status] and update.trade_id == -1
    assert update.last_quantity is None and update.last_price is None and update.fee is None
    assert update.filled == number((event["o"] if kind == "ORDER_TRADE_UPDATE" else event)["z"])


@pytest.mark.parametrize("kind", KINDS[:2])
@pytest.mark.parametrize("status", ["CANCELED", "EXPIRED"])
def test_a_fill_may_come_with_the_end(kind, status):
    event = changed(trade(kind), X=status)
    o = event["o"] if kind == "ORDER_TRADE_UPDATE" else event
    (update,) = decode(json.dumps(event).encode())
    assert update.event == status and update.trade_id == o["t"] and update.last_quantity == number(o["l"]) > 0


@pytest.mark.parametrize("kind", KINDS[:2])
@pytest.mark.parametrize(("status", "event"), [("NEW", "ACCEPTED"), ("PARTIALLY_FILLED", "FILL"), ("NEW_ADL", "ACCEPTED")])
def test_a_trade_of_nothing_says_what_the_status_says(kind, status, event):
    (update,) = decode(json.dumps(changed(trade(kind), X=status, l="0", t=-1)).encode())
    assert update.event == event and update.trade_id == -1 and update.last_quantity is None


def test_self_trade_prevention_may_leave_the_order_open():
    """By DECREMENT, the larger of the two orders goes on."""
    for status, event in (("PARTIALLY_FILLED", "ACCEPTED"), ("NEW", "ACCEPTED"), ("EXPIRED_IN_MATCH", "EXPIRED")):
        report = changed(trade("executionReport"), x="TRADE_PREVENTION", X=status, t=-1, l="0")
        assert decode(json.dumps(report).encode())[0].event == event


@pytest.mark.parametrize("kind", KINDS[:2])
@pytest.mark.parametrize("words", [
    {"x": "CANCELED", "X": "NEW"}, {"x": "EXPIRED", "X": "PARTIALLY_FILLED"}, {"X": "SOMETHING_NEW"}])
def test_an_end_that_the_status_does_not_know_of_is_asked_about(kind, words):
    """What cannot be read is: the account is read again."""
    with pytest.raises(msgspec.ValidationError, match=words["X"]):
        decode(json.dumps(changed(trade(kind), **words)).encode())


def test_a_fast_fill_of_nothing_is_no_event():
    lite = {"e": "TRADE_LITE", "E": 1, "T": 1, "s": "BTCUSDT", "q": "0.002", "p": "0", "m": False, "c": "a", "S": "BUY",
            "L": "100", "l": "0.001", "t": 5, "i": 8}
    assert decode(json.dumps(lite).encode())[0].last_quantity == Decimal("0.001")
    assert decode(json.dumps({**lite, "l": "0.000"}).encode()) == []


@pytest.mark.parametrize("change", [
    {"x": "SOMETHING_NEW"}, {"z": "ten"}, {"z": None}, {"i": "abc"}, {"q": []}, {"s": 5}, {"t": "x"}])
def test_a_known_event_that_cannot_be_read_does_not_pass(change):
    event = {**next(e for e in of("executionReport") if e["x"] == "TRADE"), **change}
    with pytest.raises(msgspec.MsgspecError):
        decode(json.dumps(event).encode())


@pytest.mark.parametrize("payload", [
    b"", b"{", b"[1]", b"null", b'{"e":5}', b'{"e":"executionReport"}', b'{"e":"ORDER_TRADE_UPDATE","E":1}'])
def test_bytes_that_are_no_event_raise(payload):
    with pytest.raises(msgspec.MsgspecError):
        decode(payload)
