"""Bybit's public topics: recorded messages against what others make of them, and what comes in parts put together."""

import json
from datetime import datetime

import pytest
from bybit_recordings import lines, pushes

from nexus_fast.constants import BookLevel, DataType, KlineInterval, OrderSide
from nexus_fast.error import KlineSupportedError, SubscriptionError
from nexus_fast.exchange.bybit.feed import Dialect
from nexus_fast.exchange.bybit.market_data import MarketData, topic_name
from nexus_fast.schema import BookL2, FundingRate, IndexPrice, MarkPrice, Trade


def decoded(data, message):
    return data.decode(json.dumps(message).encode(), lambda venue_symbol: f"our {venue_symbol}")


def ticker(kind="snapshot", ts=1, **fields):
    return {"topic": "tickers.X", "type": kind, "ts": ts, "data": {"symbol": "X", **fields}}


def depth(kind, bids, asks, ts=1):
    return {"topic": "orderbook.50.X", "type": kind, "ts": ts, "data": {"s": "X", "b": bids, "a": asks, "u": 1, "seq": 1}}


def milliseconds(text):
    return None if text is None else int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def as_tardis_has_it(events):
    """What we made of one message in the words of tardis-node's snapshots."""
    found = []
    for event in events:
        if isinstance(event, Trade):
            found.append(("trade", event.price, event.size, event.side.value.lower(), event.timestamp))
        elif isinstance(event, BookL2):
            found.append(("book", [(level.price, level.size) for level in event.bids], [(x.price, x.size) for x in event.asks]))
        else:
            found.append((type(event).__name__, event.rate if isinstance(event, FundingRate) else event.price, event.timestamp))
    return found


def expected_of(item):
    moment = milliseconds(item["timestamp"])
    if item["type"] == "trade":
        return [("trade", item["price"], item["amount"], item["side"], moment)]
    if item["type"] == "book_change":
        return [("book", *([(level["price"], level["amount"]) for level in item[side]] for side in ("bids", "asks")))]
    named = {"MarkPrice": item["markPrice"], "IndexPrice": item["indexPrice"], "FundingRate": item["fundingRate"]}
    return [(name, value, moment) for name, value in named.items() if value is not None]


def test_recorded_messages_as_tardis_reads_them():
    count = 0
    for record in lines("tardis_node/mappers.jsonl"):
        topic = str(record["raw"].get("topic", "")).split(".") if record["exchange"] == "bybit" else [""]
        if topic[0] not in ("publicTrade", "tickers") and topic[:2] != ["orderbook", "50"]:
            continue
        found = as_tardis_has_it(decoded(MarketData(), record["raw"]))
        assert found == [event for item in record["expected"] for event in expected_of(item)]
        count += 1
    if not count:
        pytest.skip("the recordings are not here")
    assert count >= 5


def test_recorded_trades_and_bars():
    messages = pushes("publicTrade", "kline")
    assert len(messages) >= 1
    for message in messages:
        found, rows = decoded(MarketData(), message), message["data"]
        assert len(found) == len(rows) and {event.symbol for event in found} == {f"our {message['topic'].rpartition('.')[2]}"}
        for event, row in zip(found, rows, strict=True):
            if isinstance(event, Trade):
                assert (event.price, event.size, event.timestamp) == (float(row["p"]), float(row["v"]), row["T"])
                assert event.side is {"Buy": OrderSide.BUY, "Sell": OrderSide.SELL}[row["S"]]
            else:
                for name in ("open", "high", "low", "close"):
                    assert getattr(event, name) == float(row[name])
                assert (event.volume, event.turnover, event.start) == (float(row["volume"]), float(row["turnover"]), row["start"])
                assert event.interval.seconds == 60 * int(row["interval"]) and event.confirm is row["confirm"]


def test_a_ticker_is_told_as_far_as_it_changed():
    data = MarketData()
    first = decoded(data, ticker(ts=1, markPrice="10", indexPrice="11", fundingRate="0.0001", nextFundingTime="1700000000000"))
    assert first == [MarkPrice(first[0].exchange, "our X", 10.0, 1), IndexPrice(first[0].exchange, "our X", 11.0, 1),
                     FundingRate(first[0].exchange, "our X", 0.0001, 1, 1700000000000)]
    assert [type(e) for e in decoded(data, ticker("delta", 2, markPrice="10.5"))] == [MarkPrice]
    (rate,) = decoded(data, ticker("delta", 3, fundingRate="-0.0002"))
    assert (rate.rate, rate.next_funding_time, rate.timestamp) == (-0.0002, 1700000000000, 3)
    (rate,) = decoded(data, ticker("delta", 4, nextFundingTime="1700028800000"))
    assert (rate.rate, rate.next_funding_time) == (-0.0002, 1700028800000)
    assert decoded(data, ticker("delta", 5, lastPrice="10")) == []
    # A dated future has no funding.
    assert [type(e) for e in decoded(MarketData(), ticker(markPrice="1", fundingRate="", nextFundingTime=""))] == [MarkPrice]


def test_depth_is_kept_from_its_parts():
    data = MarketData()
    assert decoded(data, depth("delta", [["1", "1"]], [])) == []
    (book,) = decoded(data, depth("snapshot", [["9", "1"], ["8", "2"]], [["10", "1"], ["11", "2"]]))
    assert [(x.price, x.size) for x in book.bids] == [(9, 1), (8, 2)]
    (book,) = decoded(data, depth("delta", [["9", "0"], ["8.5", "3"]], [["10", "5"], ["12", "1"], ["13", "0"]], ts=2))
    assert [(x.price, x.size) for x in book.bids] == [(8.5, 3), (8, 2)] and book.timestamp == 2
    assert [(x.price, x.size) for x in book.asks] == [(10, 5), (11, 2), (12, 1)]
    (book,) = decoded(data, depth("snapshot", [["7", "1"]], []))
    assert [(x.price, x.size) for x in book.bids] == [(7, 1)] and book.asks == []
    data.forget()
    assert decoded(data, depth("delta", [["7", "2"]], [])) == []


def test_what_is_not_listed_or_not_known_is_nothing():
    data = MarketData()
    assert data.decode(json.dumps(ticker(markPrice="1")).encode(), lambda symbol: None) == []
    for message in ({"topic": "unhandled"}, {"op": "pong"}, {"topic": "lt.X", "data": {}}):
        assert decoded(data, message) == []


def test_topics():
    assert topic_name("spot", DataType.BOOKL1, "BTCUSDT") == "orderbook.1.BTCUSDT"
    assert topic_name("spot", DataType.TRADE, "BTCUSDT") == "publicTrade.BTCUSDT"
    assert topic_name("linear", DataType.KLINE, "BTCUSDT", interval=KlineInterval.HOUR_4) == "kline.240.BTCUSDT"
    assert topic_name("inverse", DataType.BOOKL2, "BTCUSD", level=BookLevel.L50) == "orderbook.50.BTCUSD"
    assert topic_name("linear", DataType.FUNDING_RATE, "BTCUSDT") == topic_name("linear", DataType.MARK_PRICE, "BTCUSDT")
    for interval in (KlineInterval.SECOND_1, KlineInterval.HOUR_8, KlineInterval.DAY_3):
        with pytest.raises(KlineSupportedError, match=interval.value):
            topic_name("spot", DataType.KLINE, "BTCUSDT", interval=interval)
    with pytest.raises(SubscriptionError, match="50"):
        topic_name("spot", DataType.BOOKL2, "BTCUSDT", level=BookLevel.L20)
    with pytest.raises(SubscriptionError, match="spot has no"):
        topic_name("spot", DataType.MARK_PRICE, "BTCUSDT")


@pytest.mark.parametrize(("text", "number", "error"), [
    (b'{"success":true,"ret_msg":"subscribe","conn_id":"1","req_id":"7","op":"subscribe"}', 7, None),
    (b'{"success":true,"ret_msg":"","conn_id":"1","req_id":"","op":"subscribe"}', None, None),
    (b'{"success":false,"ret_msg":"error:no","conn_id":"1","req_id":"7","op":"subscribe"}', 7, "error:no"),
    # The forms of a pong (ws/connect.mdx): spot, contracts, options, private, trade.
    (b'{"success":true,"ret_msg":"pong","conn_id":"1","op":"ping"}', None, None),
    (b'{"success":true,"ret_msg":"pong","conn_id":"1","req_id":"","op":"ping"}', None, None),
    (b'{"args":["1672916271846"],"op":"pong"}', None, None),
    (b'{"req_id":"test","op":"pong","args":["1675418560633"],"conn_id":"1"}', None, None),
    (b'{"retCode":0,"retMsg":"OK","op":"pong","data":["1711002002529"],"connId":"1"}', None, None),
])  # fmt: skip
def test_replies(text, number, error):
    answer = Dialect("linear").answer(text)
    assert (answer.number, answer.error) == (number, error)


def test_data_is_no_reply_and_spot_takes_ten_topics_at_once():
    assert Dialect("spot").answer(json.dumps(ticker()).encode()) is None
    assert Dialect("spot").batch == 10 < Dialect("linear").batch
    request = json.loads(Dialect("spot").subscribe(3, ["orderbook.1.BTCUSDT"]))
    assert request == {"req_id": "3", "op": "subscribe", "args": ["orderbook.1.BTCUSDT"]}
