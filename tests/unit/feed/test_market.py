"""Market data from payload to book, ring, latest table and strategy."""

import json
from decimal import Decimal

import pytest

from nexus_fast.constants import ExchangeType
from nexus_fast.engine.dispatch import Dispatcher
from nexus_fast.feed.market import MarketFeed
from nexus_fast.feed.symbols import SymbolTable
from nexus_fast.journal.writer import JournalWriter
from nexus_fast.order.entry import OrderEntry
from nexus_fast.order.route import RouteTable
from nexus_fast.order.table import OrderTable
from nexus_fast.shm.latest import LatestTable
from nexus_fast.shm.ring import RingReader, RingWriter
from nexus_fast.strategy import Strategy
from nexus_fast.strategy.base import attach

BINANCE = ExchangeType.BINANCE
NAMES = ["BTCUSDT", "BNBUSDT", "ETHUSDT"]
PRICE_SCALE, SIZE_SCALE = 4, 6


class Listener(Strategy):
    def __init__(self):
        super().__init__()
        self.books = []

    def on_bookl1(self, book):
        self.books.append(book)


class Bench:
    """One MarketFeed with everything behind it, and a strategy that listens to every symbol."""

    def __init__(self, directory, monkeypatch):
        monkeypatch.setenv("NEXUS_FAST_SHM", str(directory / "segments"))
        self.others, self.errors = [], []
        symbols = SymbolTable()
        for number, name in enumerate(NAMES):
            symbols.add(name.encode(), number, PRICE_SCALE, SIZE_SCALE, 1)
        self.writer = RingWriter("market", "bookl1", 1024)
        self.ring = RingReader("market", start="oldest")
        self.latest = LatestTable.create("latest", len(NAMES))
        orders = RingWriter("orders", "order_event", 64)
        journal = JournalWriter(directory / "journal", "test")
        self.entry = OrderEntry(OrderTable(1, "abc", 64), RouteTable(len(NAMES), 1), journal, orders, len(NAMES), lambda: None)
        self.dispatcher = Dispatcher(len(NAMES), lambda strategy, error: self.errors.append(error))
        self.strategy = Listener()
        self.attach(self.strategy)
        for number in range(len(NAMES)):
            self.dispatcher.subscribe(number, self.strategy)
        self.feed = MarketFeed("binance", "spot", symbols, self.dispatcher, self.entry, self.writer, self.latest,
                               self.others.append)

    def attach(self, strategy):
        attach(strategy, None, self.entry, 0, {}, NAMES, [BINANCE] * len(NAMES), {})

    def book(self, name="BTCUSDT"):
        return self.entry.book(NAMES.index(name), BINANCE, name)

    def quiet(self):
        """Nothing has been published or delivered."""
        return self.ring.read() is None and not self.strategy.books and self.book() is None


@pytest.fixture
def bench(tmp_path, monkeypatch):
    (tmp_path / "segments").mkdir()
    (tmp_path / "journal").mkdir()
    return Bench(tmp_path, monkeypatch)


def quote(update=1, bid="84550.01", ask="84550.02", name="BTCUSDT", bid_size="1.5", ask_size="0.25", **more):
    return json.dumps({"u": update, "s": name, "b": bid, "B": bid_size, "a": ask, "A": ask_size, **more}).encode()


def exact(text, scale):
    return int(Decimal(text).scaleb(scale))


@pytest.mark.parametrize(("bid", "ask", "bid_size", "ask_size"), [
    ("84550.01", "84550.02", "1.5", "0.25"), ("0.0001", "0.0002", "0.000001", "1"), ("99999999.9999", "100000000", "5", "6"),
    ("84550.01000000", "84550.02000000", "1.50000000", "0.25000000"),
])  # fmt: skip
def test_one_quote_is_the_same_everywhere(bench, bid, ask, bid_size, ask_size):
    """In the ring, in the latest table, in the engine's book and in the strategy's hand."""
    bench.feed.feed(quote(7, bid, ask, "BNBUSDT", bid_size, ask_size))
    for record in (bench.ring.read(), bench.latest.read(1)):
        assert (record.bid, record.ask) == (exact(bid, PRICE_SCALE), exact(ask, PRICE_SCALE))
        assert (record.bid_size, record.ask_size) == (exact(bid_size, SIZE_SCALE), exact(ask_size, SIZE_SCALE))
        assert (record.bid_value, record.ask_value) == (float(bid), float(ask))
        assert (record.bid_size_value, record.ask_size_value) == (float(bid_size), float(ask_size))
        assert (record.symbol_id, record.update_id, record.price_scale, record.size_scale) == (1, 7, PRICE_SCALE, SIZE_SCALE)
    (heard,) = bench.strategy.books
    for book in (heard, bench.book("BNBUSDT")):
        assert (book.symbol, book.exchange, book.bid, book.ask) == ("BNBUSDT", BINANCE, float(bid), float(ask))
        assert (book.bid_decimal, book.ask_size_decimal, book.update_id) == (Decimal(bid), Decimal(ask_size), 7)
    assert bench.book("BTCUSDT") is None


def test_combined_streams_and_any_order_of_keys(bench):
    bench.feed.feed(b'{"stream":"btcusdt@bookTicker","data":' + quote(1) + b"}")
    bench.feed.feed(b'{"A":"2","a":"84551","B":"1","b":"84550","s":"BTCUSDT","u":2,"brandNew":{"x":[1]}}')
    assert [b.update_id for b in bench.strategy.books] == [1, 2]
    assert bench.feed.counters()["quotes"] == 2


@pytest.mark.scenario(39)
def test_older_and_repeated_updates_are_dropped(bench):
    """First seen wins, also over two connections that share the books."""
    for update in (5, 5, 4, 6, 3, 6, 7):
        bench.feed.feed(quote(update))
    assert [b.update_id for b in bench.strategy.books] == [5, 6, 7]
    assert (bench.feed.doubled, bench.feed.late) == (2, 2)


def timed(update, matched, bid="100"):
    return (f'{{"e":"bookTicker","u":{update},"s":"BTCUSDT","b":"{bid}","B":"1","a":"200","A":"1",'
            f'"T":{matched},"E":{matched}}}').encode()


@pytest.mark.scenario(38, 39)
def test_a_reset_of_the_ids_is_told_from_a_late_copy_by_the_matching_time(bench):
    """Two connections, one 300 ms behind: the venue restarts and counts from 1; the laggard brings old ids and the reset."""
    for update, matched in ((900, 1000), (901, 1001), (1, 2000), (900, 1000), (901, 1001), (2, 2001), (1, 2000), (2, 2001)):
        bench.feed.feed(timed(update, matched))
    assert [b.update_id for b in bench.strategy.books] == [900, 901, 1, 2]
    counters = bench.feed.counters()
    assert (counters["resets"], counters["late"], counters["doubled"]) == (1, 3, 1)


@pytest.mark.scenario(24)
def test_after_a_break_the_book_is_stale_until_the_next_quote(bench):
    """Whose update id may be smaller: the venue may have started again."""
    bench.feed.feed(quote(1000))
    kept = bench.book()
    bench.entry.mark_stale(0)
    assert bench.book().is_stale and not kept.is_stale
    bench.feed.feed(quote(3, bid="84000"))
    assert not bench.book().is_stale and bench.book().bid == 84000.0
    bench.feed.feed(quote(2))
    assert bench.book().update_id == 3


REFUSED = {
    "not JSON": (b"{not json", "malformed"), "truncated": (quote()[:-1], "malformed"), "empty": (b"", "malformed"),
    "a number where text is": (quote().replace(b'"84550.01"', b"true"), "malformed"),
    "exponent beyond": (quote(bid="1e30", ask="2e30"), "out_of_range"),
    "more digits than fit": (quote(bid="12345678901234567890", ask="12345678901234567891"), "out_of_range"),
    "finer than the scale": (quote(2, bid="84550.00001"), "out_of_range"),
    "finer size": (quote(2, bid_size="0.0000001"), "out_of_range"),
    "crossed": (quote(bid="84551", ask="84550"), "insane"),
    "negative size": (quote(bid_size="-1"), "insane"),
    "zero bytes inside": (quote().replace(b"BTC", b"B\0C"), "malformed"),
}


LARGE = ["98765432101.00000000", "9223372036854.00000000", "10000000000.12345600", "12345678901.00000000000000000000"]


@pytest.mark.parametrize("size", LARGE)
def test_a_size_of_ten_billions_and_more_is_a_quote(bench, size):
    """At the symbol's scale of six it fits; the eight decimals with which the venue prints it would not."""
    bench.feed.feed(quote(bid_size=size, ask_size="1.00000000"))
    assert bench.book().bid_size_decimal == Decimal(size) and bench.feed.quotes == 1
    assert bench.ring.read().bid_size == exact(size, SIZE_SCALE)
    bench.feed.feed(quote(2, bid_size="9223372036855.00000000"))         # 9.2e18 + 2e5 at the scale of six
    assert (bench.feed.quotes, bench.feed.out_of_range) == (1, 1)


@pytest.mark.scenario(30, 38)
@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_frame_is_counted_and_kept_and_the_book_untouched(bench, name):
    payload, counter = REFUSED[name]
    bench.feed.feed(quote(1))
    bench.ring.read()
    before = repr(bench.book())
    bench.feed.feed(payload)
    assert bench.feed.counters()[counter] == 1
    assert bench.feed.kept == [payload]
    assert repr(bench.book()) == before and bench.ring.read() is None and len(bench.strategy.books) == 1
    bench.feed.feed(quote(3))
    assert bench.book().update_id == 3 and bench.feed.quotes == 2


def test_every_truncation_leaves_the_book_alone(bench):
    payload = quote(99)
    for size in range(len(payload)):
        bench.feed.feed(payload[:size])
    assert bench.quiet() and bench.feed.quotes == 0
    assert bench.feed.malformed == len(payload)


def test_every_flipped_byte_is_a_quote_or_is_counted(bench):
    """No change of one byte passes unseen: it is another valid quote, an unknown symbol, or one of the counters."""
    payload = quote(1)
    for at in range(len(payload)):
        for value in (0, 0x22, 0x2D, 0x30, 0x39, 0x5C, 0x7B, 0xFF):
            bench.feed.feed(payload[:at] + bytes([value]) + payload[at + 1 :])
    counters = bench.feed.counters()
    names = ("quotes", "others", "malformed", "out_of_range", "insane", "unknown_symbols", "doubled", "late")
    counted = sum(counters[name] for name in names)
    assert counted == 8 * len(payload)
    assert all(b.bid <= b.ask for b in bench.strategy.books)


WITH_A_SYMBOL = {name: frame for name, (frame, _) in REFUSED.items() if frame.endswith(b"}") and b"BTCUSDT" in frame}
WITH_A_SYMBOL["cut"] = json.dumps(json.loads(quote(2, bid_size="1.50000000")), separators=(",", ":"))[:-9].encode()


@pytest.mark.scenario(30)
@pytest.mark.parametrize("name", WITH_A_SYMBOL)
def test_a_frame_that_cannot_be_used_ages_the_book_of_its_symbol(bench, name):
    """As far as the symbol can be read; the other symbols' books are what they were, and the next quote is fresh."""
    bench.feed.feed(quote(1, name="BNBUSDT"))
    bench.feed.feed(quote(1))
    kept = bench.book()
    bench.feed.feed(WITH_A_SYMBOL[name])
    assert bench.book().is_stale and not kept.is_stale
    assert not bench.book("BNBUSDT").is_stale and bench.feed.consecutive_errors == bench.feed.unusable == 1
    bench.feed.feed(quote(3))
    assert not bench.book().is_stale and bench.feed.consecutive_errors == 0


@pytest.mark.scenario(30, 39)
def test_a_frame_that_cannot_be_used_lets_no_older_quote_in(bench):
    """Another connection may be behind: what is older than the book stays out."""
    bench.feed.feed(quote(5))
    bench.feed.feed(quote(6, bid_size="-1"))
    bench.feed.feed(quote(4, bid="80000"))
    assert bench.book().update_id == 5 and bench.book().is_stale
    bench.feed.feed(quote(6))
    assert bench.book().update_id == 6 and not bench.book().is_stale


def test_only_the_last_refused_frames_are_kept(bench):
    for number in range(40):
        bench.feed.feed(b"{%d" % number)
    assert bench.feed.kept == [b"{%d" % number for number in range(24, 40)]
    bench.feed.feed(b"{" + b"x" * 100_000)
    assert len(bench.feed.kept[-1]) == 4096


@pytest.mark.scenario(34)
def test_unknown_symbols_are_counted(bench):
    bench.feed.feed(quote(name="NOSUCHUSDT"))
    bench.feed.feed(quote(name="BTCUSD\\u00fc"))
    assert bench.feed.unknown_symbols == 2 and bench.quiet()


def test_other_messages_go_to_the_cold_half(bench):
    messages = [b'{"result":null,"id":1}', b'{"e":"trade","s":"BTCUSDT"}', b"{}"]
    for message in messages:
        bench.feed.feed(message)
    assert bench.others == messages and bench.quiet() and bench.feed.kept == []


def test_a_strategy_that_raises_does_not_stop_the_next(bench):
    class Broken(Strategy):
        def on_bookl1(self, book):
            raise ZeroDivisionError("broken")

    broken, after = Broken(), Listener()
    for strategy in (broken, after):
        bench.attach(strategy)
        bench.dispatcher.subscribe(0, strategy)
    bench.feed.feed(quote(1))
    bench.feed.feed(quote(2))
    assert len(bench.strategy.books) == len(after.books) == 2
    assert [str(e) for e in bench.errors] == ["broken"] * 2 and bench.dispatcher.errors == 2


def test_recorded_quotes_stand_in_the_book_as_json_says(bench):
    import gzip
    from pathlib import Path

    root = Path(__file__).resolve().parents[3]
    files = sorted((root.parent / "shared" / "data" / "hftbacktest").glob("binance_spot*.rawlog.gz")) or sorted(
        (root / "tests" / "data" / "hftbacktest").glob("binance_spot*.rawlog"))
    text = files[0].read_bytes()
    lines = (gzip.decompress(text) if files[0].suffix == ".gz" else text).splitlines()[:20_000]
    checked = 0
    for line in lines:
        payload = line[line.index(b"{") :]
        content = json.loads(payload)
        content = content.get("data", content)
        before = bench.feed.quotes
        bench.feed.feed(payload)
        if bench.feed.quotes > before:
            book = bench.book(content["s"])
            assert (book.bid_decimal, book.ask_decimal) == (Decimal(content["b"]), Decimal(content["a"]))
            assert (book.bid_size_decimal, book.ask_size_decimal) == (Decimal(content["B"]), Decimal(content["A"]))
            assert book.update_id == content["u"]
            checked += 1
    assert checked >= 10
    assert bench.feed.malformed == bench.feed.insane == 0


def test_a_connection_that_outlives_the_engine_brings_its_frames_to_nobody(bench):
    """The segments are unmapped then: a record that is written would end the process."""
    bench.feed.retire()
    bench.writer.close(unlink=True)
    bench.latest.close(unlink=True)
    for frame in (quote(1), b'{"result":null,"id":1}'):
        bench.feed.feed(frame)
    assert not bench.strategy.books and bench.others == [] and bench.book() is None
