"""OKX's public pushes: names of channels, and recorded ones against a plain reading with json."""

import itertools
import json

import pytest
from okx_recorded import BTC_INVERSE, BTC_SPOT, BTC_SWAP, SHARED, instrument, pushes

from nexus_fast.constants import BookLevel, DataType, KlineInterval, OrderSide
from nexus_fast.error import KlineSupportedError, SubscriptionError
from nexus_fast.exchange.okx.depth import BrokenChain, Depths
from nexus_fast.exchange.okx.feed import Dialect
from nexus_fast.exchange.okx.market_data import INTERVALS, as_kline, bar_of, decode, topic_of
from nexus_fast.exchange.okx.websocket_api import decode_message
from nexus_fast.feed.line import Answer
from nexus_fast.schema import BookL2, FundingRate, IndexPrice, Kline, MarkPrice, Trade

DATED = instrument("BTC-USDT-260327", "FUTURES", expTime="1774598400000")


def names(channel, name):
    """Every instId under its own name."""
    return (name,)


def events(push):
    return decode(decode_message(json.dumps(push).encode()), names)


@pytest.mark.parametrize(
    "data_type, one, options, topic",
    [
        (DataType.BOOKL1, BTC_SWAP, {}, "bbo-tbt:BTC-USDT-SWAP"),
        (DataType.TRADE, BTC_SPOT, {}, "trades:BTC-USDT"),
        (DataType.BOOKL2, BTC_SPOT, {"level": BookLevel.L5}, "books5:BTC-USDT"),
        (DataType.BOOKL2, BTC_SPOT, {"level": BookLevel.L20}, "books:BTC-USDT"),
        (DataType.KLINE, BTC_SPOT, {"interval": KlineInterval.HOUR_1}, "candle1H:BTC-USDT"),
        (DataType.KLINE, BTC_SPOT, {"interval": KlineInterval.DAY_1}, "candle1Dutc:BTC-USDT"),
        (DataType.MARK_PRICE, DATED, {}, "mark-price:BTC-USDT-260327"),
        (DataType.INDEX_PRICE, BTC_INVERSE, {}, "index-tickers:BTC-USD"),
        (DataType.INDEX_PRICE, BTC_SPOT, {}, "index-tickers:BTC-USDT"),
        (DataType.FUNDING_RATE, BTC_INVERSE, {}, "funding-rate:BTC-USD-SWAP"),
    ],
)
def test_topics(data_type, one, options, topic):
    assert topic_of(data_type, one, **options) == topic


@pytest.mark.parametrize(
    "data_type, one, options, error",
    [
        (DataType.FUNDING_RATE, BTC_SPOT, {}, SubscriptionError),
        (DataType.FUNDING_RATE, DATED, {}, SubscriptionError),
        (DataType.MARK_PRICE, BTC_SPOT, {}, SubscriptionError),
        (DataType.KLINE, BTC_SPOT, {"interval": KlineInterval.HOUR_8}, KlineSupportedError),
    ],
)
def test_data_that_there_is_not(data_type, one, options, error):
    with pytest.raises(error, match="OKX has"):
        topic_of(data_type, one, **options)


def test_every_interval_has_a_bar_that_begins_by_utc():
    for text in INTERVALS:
        interval = KlineInterval(text)
        assert bar_of(interval).endswith("utc") == (interval.seconds >= 6 * 3600)


def test_recorded_pushes_read_the_same_with_json():
    count = 0
    for push in pushes("trades"):
        for event, row in zip(events(push), push["data"], strict=True):
            assert isinstance(event, Trade) and event.symbol == push["arg"]["instId"]
            assert (event.price, event.size, event.timestamp) == (float(row["px"]), float(row["sz"]), int(row["ts"]))
            assert event.side is (OrderSide.BUY if row["side"] == "buy" else OrderSide.SELL)
            count += 1
    for push in pushes("books5"):
        for event, row in zip(events(push), push["data"], strict=True):
            assert isinstance(event, BookL2) and event.timestamp == int(row["ts"])
            for ours, theirs in ((event.bids, row["bids"]), (event.asks, row["asks"])):
                assert [(level.price, level.size) for level in ours] == [(float(t[0]), float(t[1])) for t in theirs]
            count += 1
    for channel, kind, key, field in (
        ("mark-price", MarkPrice, "markPx", "price"),
        ("index-tickers", IndexPrice, "idxPx", "price"),
        ("funding-rate", FundingRate, "fundingRate", "rate"),
    ):
        found = pushes(channel)
        assert found, channel
        for push in found:
            for event, row in zip(events(push), push["data"], strict=True):
                assert isinstance(event, kind) and getattr(event, field) == float(row[key])
                if kind is FundingRate:
                    assert event.next_funding_time == int(row["fundingTime"])
                else:
                    assert event.timestamp == int(row["ts"])
                count += 1
    assert count >= (70 if SHARED.is_dir() else 4)


def test_recorded_bars():
    found = [push for channel in ("candle1m", "candle1Dutc", "candle1H") for push in pushes(channel)]
    for push in found:
        for event, row in zip(events(push), push["data"], strict=True):
            assert isinstance(event, Kline) and event.start == int(row[0])
            assert [event.open, event.high, event.low, event.close, event.volume] == [float(text) for text in row[1:6]]
            assert (event.quote_volume, event.confirm) == (float(row[7]), row[8] == "1") if len(row) > 8 else True
    row = ["1597026383085", "8533.02", "8553.74", "8527.17", "8548.26", "45247", "529.5858061", "5529.5858061", "1"]
    bar = as_kline(row, "BTCUSDT.OKX", KlineInterval.DAY_1)
    assert (bar.start, bar.close, bar.confirm) == (1597026383085, 8548.26, True)
    assert (bar.volume, bar.quote_volume) == (45247.0, 5529.5858061)
    index = as_kline(row[:5] + ["0"], "BTCUSDT.OKX", KlineInterval.DAY_1)
    assert (index.volume, index.confirm) == (None, False)


class TestDepth:
    @staticmethod
    def push(action, seq, previous, bids=(), asks=()):
        row = {"bids": list(bids), "asks": list(asks), "ts": "1700000000000", "seqId": seq, "prevSeqId": previous, "checksum": 0}
        text = {"arg": {"channel": "books", "instId": "BTC-USDT"}, "action": action, "data": [row]}
        return decode_message(json.dumps(text).encode())

    def test_changes_follow_a_snapshot(self):
        depths = Depths()
        assert depths.apply(self.push("update", 5, 4, [["1", "1", "0", "1"]]), "X", 10) == []
        whole = self.push("snapshot", 10, -1, [["100", "1", "0", "1"], ["99", "2", "0", "1"]], [["101", "3"]])
        (book,) = depths.apply(whole, "X", 10)
        assert [(b.price, b.size) for b in book.bids] == [(100.0, 1.0), (99.0, 2.0)] and book.asks[0].price == 101.0
        (book,) = depths.apply(self.push("update", 13, 10, [["100", "0"], ["99.5", "4"]], [["100.5", "1"]]), "X", 1)
        assert [(b.price, b.size) for b in book.bids] == [(99.5, 4.0)] and [a.price for a in book.asks] == [100.5]
        assert len(depths.apply(self.push("update", 13, 13), "X", 1)) == 1        # nothing changed
        assert depths.apply(self.push("update", 13, 10, [["1", "1"]]), "X", 1) == []   # told before, by another connection
        assert len(depths.apply(self.push("update", 3, 13), "X", 1)) == 1         # the ids begin again
        assert len(depths.apply(self.push("update", 4, 3), "X", 1)) == 1

    def test_a_missing_change_breaks_the_chain(self):
        depths = Depths()
        depths.apply(self.push("snapshot", 10, -1, [["100", "1"]]), "X", 10)
        with pytest.raises(BrokenChain, match="follows seqId 12, known is 10"):
            depths.apply(self.push("update", 13, 12), "X", 10)
        depths.forget("BTC-USDT")
        assert depths.apply(self.push("update", 14, 13), "X", 10) == []

    @staticmethod
    def answer(seq, bids=(), asks=()):
        return json.dumps([{"bids": list(bids), "asks": list(asks), "ts": "1700000000000", "seqId": seq}]).encode()

    def test_without_a_snapshot_on_the_channel_it_comes_by_rest(self):
        """As the venue's page "How to manage a local order book correctly" has it: what the snapshot holds already is dropped."""
        depths = Depths()
        assert not depths.is_waiting("BTC-USDT")
        for seq, previous, bid in ((10, 8, "100"), (12, 10, "101"), (15, 12, "102")):
            assert depths.apply(self.push("update", seq, previous, [[bid, "1"]]), "X", 10) == []
        assert depths.is_waiting("BTC-USDT")
        with pytest.raises(BrokenChain, match="snapshot is of seqId 7, the first change follows 8"):
            depths.begin("BTC-USDT", self.answer(7), "X", 10)
        (book,) = depths.begin("BTC-USDT", self.answer(12, [["99", "5"], ["101", "3"]], [["105", "1"]]), "X", 10)
        assert [(b.price, b.size) for b in book.bids] == [(102.0, 1.0), (101.0, 3.0), (99.0, 5.0)]
        assert not depths.is_waiting("BTC-USDT")
        (book,) = depths.apply(self.push("update", 16, 15, [["99", "0"]]), "X", 10)
        assert [b.price for b in book.bids] == [102.0, 101.0]
        depths.forget("BTC-USDT")
        depths.apply(self.push("update", 17, 16), "X", 10)
        depths.forget()
        assert not depths.is_waiting("BTC-USDT")

    def test_a_snapshot_that_is_newer_than_all_changes(self):
        depths = Depths()
        depths.apply(self.push("update", 10, 8, [["100", "1"]]), "X", 10)
        (book,) = depths.begin("BTC-USDT", self.answer(20, [["99", "5"]]), "X", 10)
        assert [b.price for b in book.bids] == [99.0]
        assert len(depths.apply(self.push("update", 21, 20), "X", 10)) == 1

    def test_recorded_changes_keep_bids_below_asks(self):
        """Frames of before seqIds: each follows the one before it."""
        depths, count = Depths(), 0
        for number, push in enumerate(pushes("books")):
            if push.get("action") not in ("snapshot", "update"):
                continue
            for row in push["data"]:
                row["seqId"], row["prevSeqId"] = number, depths._last.get(push["arg"]["instId"], -1)
            for book in depths.apply(decode_message(json.dumps(push).encode()), "X", 50):
                assert book.bids[0].price < book.asks[0].price and len(book.bids) <= 50
                assert all(a.price > b.price for a, b in itertools.pairwise(book.bids))
                count += 1
        assert count > 150 or not SHARED.is_dir()


def test_what_the_engine_does_not_use():
    assert events({"arg": {"channel": "tickers", "instId": "BTC-USDT"}, "data": [{}]}) == []
    assert events({"event": "subscribe", "arg": {"channel": "trades", "instId": "BTC-USDT"}}) == []


class TestDialect:
    def test_requests(self):
        text = json.loads(Dialect().subscribe(7, ["bbo-tbt:BTC-USDT", "candle1H:ETH-USDT-SWAP"]))
        assert text == {
            "id": "7",
            "op": "subscribe",
            "args": [
                {"channel": "bbo-tbt", "instId": "BTC-USDT"},
                {"channel": "candle1H", "instId": "ETH-USDT-SWAP"},
            ],
        }
        assert json.loads(Dialect().unsubscribe(8, ["trades:BTC-USDT"]))["op"] == "unsubscribe"

    def test_a_request_of_the_longest_names_stays_below_64_kilobytes(self):
        topics = [f"index-tickers:{'A' * 32}"] * Dialect.batch
        assert len(Dialect().subscribe(10**6, topics)) < 64 * 1024

    @pytest.mark.parametrize(
        "text, answer",
        [
            ("pong", Answer()),
            ('{"id":"7","event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"},"connId":"a"}', Answer(7)),
            ('{"id":"7","event":"error","code":"60018","msg":"Wrong URL","connId":"a"}', Answer(7, "60018 Wrong URL")),
            ('{"event":"error","code":"60012","msg":"Invalid request","connId":"a"}', Answer(None, "60012 Invalid request")),
            ('{"event":"channel-conn-count","channel":"trades","connCount":"1","connId":"a"}', Answer()),
            ('{"event":"notice","code":"64008","msg":"closed soon","connId":"a"}', None),
            ('{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[]}', None),
        ],
    )
    def test_answers(self, text, answer):
        assert Dialect().answer(text.encode()) == answer
