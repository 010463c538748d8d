"""Bybit's private events: every recorded one, against a plain reading with json and Decimal."""

import json
from decimal import Decimal

import pytest
from bybit_recordings import COMPLETE, answer, document, pushes

from nexus_fast.constants import InstrumentType
from nexus_fast.exchange.bybit.snapshot import read_balances, read_orders, read_positions
from nexus_fast.exchange.bybit.user_data import UserData, decode_message
from nexus_fast.order.events import BalanceUpdate, Unreadable
from nexus_fast.order.states import EVENTS, transition

STATUSES = {"New": "ACCEPTED", "Untriggered": "ACCEPTED", "PartiallyFilled": "FILL", "Filled": "FILLED", "Cancelled": "CANCELED"}
TYPES = {"spot": InstrumentType.SPOT, "linear": InstrumentType.LINEAR, "inverse": InstrumentType.INVERSE}


def events(message, hedged=None):
    data = UserData(lambda category, symbol: "COIN", (lambda symbol: None) if hedged is None else hedged.append)
    return data.events(decode_message(json.dumps(message).encode()))


def number(text):
    return Decimal(text) if text else None


def traded(rows):
    return [row for row in rows if row.get("category") in TYPES]


def test_orders_say_what_json_says():
    count = 0
    for message in pushes("order"):
        rows = traded(message["data"])
        found = events(message)
        assert len(found) == len(rows)
        for update, row in zip(found, rows, strict=True):
            filled = Decimal(row["cumExecQty"] or "0")
            assert update.event == STATUSES[row["orderStatus"]] and update.event in EVENTS
            assert (update.client_id, update.venue_id) == (row["orderLinkId"], row["orderId"])
            assert (update.venue_symbol, update.time_ms) == (row["symbol"], int(row["updatedTime"]))
            assert update.filled == filled and update.quantity == number(row["qty"])
            assert update.price == (None if row["orderType"] == "Market" else number(row["price"]))
            assert update.average == (number(row["avgPrice"]) if filled else None)
            assert update.cost == (number(row["cumExecValue"]) if filled else None)
            assert update.side == row["side"].upper() and update.reduce_only is row["reduceOnly"]
            assert update.instrument_type is TYPES[row["category"]] and update.trade_id == -1
            wanted = None if row["rejectReason"] in ("EC_NoError", "EC_PerCancelRequest", "") else row["rejectReason"]
            assert update.reason == wanted
            count += 1
    assert count >= (14 if COMPLETE else 3)


@pytest.mark.scenario(60)
def test_a_second_filled_changes_nothing():
    """Bybit may say Filled again, with EC_OrigClOrdIDDoesNotExist, for a cancel that came too late: the first end counts."""
    message = next(m for m in pushes("order") if any(row["orderStatus"] == "Filled" for row in m["data"]))
    late = [{**row, "rejectReason": "EC_OrigClOrdIDDoesNotExist"} for row in message["data"]]
    first, second = events(message), events({**message, "data": late})
    assert [e.event for e in second] == [e.event for e in first] and "FILLED" in [e.event for e in second]
    assert [(e.filled, e.trade_id) for e in second] == [(e.filled, e.trade_id) for e in first]
    assert transition("FILLED", "FILLED") == ("FILLED", frozenset())


def test_positions_say_what_json_says():
    count = 0
    for message in pushes("position"):
        for update, row in zip(events(message), message["data"], strict=True):
            size = Decimal(row["size"])
            assert update.signed_amount == (-size if row["side"] == "Sell" else size)
            assert update.entry_price == Decimal(row["entryPrice"]) and update.venue_symbol == row["symbol"]
            assert update.unrealized_pnl == number(row["unrealisedPnl"]) and update.realized_pnl == number(row["cumRealisedPnl"])
            assert update.instrument_type is TYPES[row["category"]] and update.time_ms == int(row["updatedTime"])
            count += 1
    assert count >= (7 if COMPLETE else 2)


def test_a_position_of_hedge_mode_is_said_and_not_applied():
    (message, *_) = pushes("position")
    hedged = []
    row = {**message["data"][0], "positionIdx": 2}
    assert events({**message, "data": [row]}, hedged) == [] and hedged == [row["symbol"]]


def test_wallets_and_fast_executions():
    wallet, execution = document("ws_account_wallet.json"), document("ws_account_execution_fast.json")
    if wallet is None:
        pytest.skip("the recordings are not here")
    (update,) = events(wallet)
    coins = wallet["data"][0]["coin"]
    assert isinstance(update, BalanceUpdate) and not update.complete
    assert {name: sum(amounts) for name, amounts in update.balances.items()} == {
        coin["coin"]: Decimal(coin["walletBalance"]) for coin in coins}
    (fill,) = events(execution)
    row = execution["data"][0]
    assert (fill.last_quantity, fill.last_price) == (Decimal(row["execQty"]), Decimal(row["execPrice"]))
    assert fill.client_id == row["orderLinkId"]
    assert fill.fee is None and fill.filled is None and 0 <= fill.trade_id < 2**63 and fill.is_maker is row["isMaker"]


def test_orders_positions_and_balances_by_rest():
    result = answer("GetOrders")
    (update,), row = read_orders(json.dumps(result).encode(), "linear"), result["list"][0]
    assert (update.event, update.client_id, update.venue_id) == ("ACCEPTED", row["orderLinkId"], row["orderId"])
    assert (update.price, update.quantity, update.filled) == (Decimal(row["price"]), Decimal(row["qty"]), 0)
    assert update.instrument_type is InstrumentType.LINEAR
    result = answer("GetPositions")
    (position,), row = read_positions(json.dumps(result).encode()), result["list"][0]
    assert (position.symbol, position.size, position.avg_price) == (row["symbol"], row["size"], row["avgPrice"])
    wallet = document("http_get_wallet_balance.json")
    if wallet is not None:
        found = read_balances(json.dumps(wallet["result"]).encode())
        assert found == {c["coin"]: (Decimal(c["walletBalance"]) - Decimal(c["locked"]), Decimal(c["locked"]))
                         for c in wallet["result"]["list"][0]["coin"]}


@pytest.mark.parametrize("text", [
    b'{"topic":"order","data":[{"orderId":"1","orderStatus":"Melted","symbol":"BTCUSDT","category":"linear"}]}',
    b'{"topic":"order","data":[{"orderStatus":"New","symbol":"BTCUSDT","category":"linear"}]}',
    b'{"topic":"execution","data":[{"orderId":"1","execId":"2","symbol":"X","execPrice":"a","execQty":"1","category":"spot"}]}',
])  # fmt: skip
def test_what_cannot_be_read_does_not_pass_unseen(text):
    data = UserData(lambda category, symbol: None, print)
    assert data.events(decode_message(text)) == [Unreadable(1)]


def test_what_is_no_list_does_not_pass_unseen():
    data = UserData(lambda category, symbol: None, print)
    with pytest.raises(ValueError, match="array"):
        data.events(decode_message(b'{"topic":"order","data":{}}'))


@pytest.mark.parametrize("text", [
    b'{"success":true,"ret_msg":"","op":"subscribe","conn_id":"1"}',
    b'{"req_id":"test","op":"pong","args":["1675418560633"],"conn_id":"1"}',
    b'{"topic":"greeks","data":[]}',
    b'{"topic":"order","data":[{"orderId":"1","orderStatus":"New","symbol":"BTC-1-C","category":"option"}]}',
])  # fmt: skip
def test_what_is_no_event_is_none(text):
    data = UserData(lambda category, symbol: None, print)
    assert data.events(decode_message(text)) == []
