"""Connections that break, hang and lie (24 to 30, 35, 36, 41, 44); 41 elsewhere: test_renewal."""

import asyncio

import pytest
from acts import ACCOUNTS, AMOUNT, BUY, MARKET, SELL, accepted, agreed, fresh, lines, rest, statuses
from engine_program import BTC, BTC_PERP, PERP_ACCOUNT, SPOT_ACCOUNT
from simulated_run import engine

from nexus_fast.constants import OrderStatus, OrderType
from nexus_fast.sim.faults.wire import reset


@pytest.mark.scenario(24)
@pytest.mark.parametrize("count", [0, 1, 20])
@engine(symbols=[BTC, BTC_PERP])
async def test_24_cut_in_the_middle_of_a_frame(s, count):
    """Half a message is none; connected again, subscribed again, and the book is stale until it is no older than its
    connection."""
    await s.quotes()
    first = set(lines(s, "stream"))          # themselves, not their ids: those of the dead are used again
    stale = set()

    def are_new():
        stale.update(symbol for symbol in s.symbols if s.cache.bookl1(symbol).is_stale)
        return len(set(lines(s, "stream")) - first) >= 2

    s.venue.faults.load([{"kind": "cut", "match": "bookTicker", "bytes": count, "times": 2}])
    await s.until(are_new, 60, "new connections")
    s.venue.faults.load([])
    assert stale == set(s.symbols)
    for symbol in (BTC, BTC_PERP):
        await fresh(s, symbol)
    assert all(not feed.counters()["malformed"] for feed in s.engine.host.market_feeds)


@pytest.mark.scenario(24)
@engine(symbols=[BTC_PERP])
async def test_24_a_reset_behind_bytes_that_nobody_has_read(s):
    """An event and the reset arrive together: the loop reads the bytes and watches no longer. Noticed all the same."""
    await s.quotes()
    oid = await accepted(s)
    user = lines(s, "user")[0]
    s.venue.fill_resting("usd_m", oid)
    reset(user.transport.underlying_transport)
    await s.until(lambda: "disconnected" in statuses(s, PERP_ACCOUNT), 5, "the end of the connection")
    await s.settled(oid)
    await agreed(s)


@pytest.mark.scenario(25, 26)
@pytest.mark.parametrize("rule", [{"kind": "fragment", "parts": 4}, {"kind": "one_byte"}])
@engine(symbols=[BTC, BTC_PERP])
async def test_25_26_frames_in_pieces(s, rule):
    """All that the venue says comes in fragments with pings between, or byte by byte: trading goes on as ever."""
    s.venue.faults.load([rule])
    await s.quotes()
    for symbol in (BTC, BTC_PERP):
        order = await s.settled(s.create_order(symbol, BUY, MARKET, AMOUNT))
        assert order.status is OrderStatus.FILLED
        s.cancel_order(symbol, oid := await accepted(s, symbol))
        await s.until(lambda oid=oid: s.heard("canceled", oid))
    count = len(s.books)
    await s.until(lambda: len(s.books) > count + 10)
    assert s.cache.get_position(BTC_PERP).signed_amount == s.venue.position()


@pytest.mark.scenario(27, 28, 29)
@pytest.mark.parametrize("what", ["oversized", "masked", "reserved", "opcode", "deflate"])
@engine(symbols=[BTC, BTC_PERP])
async def test_27_28_29_frames_that_break_the_protocol(s, what):
    """On market data and on the order connection: closed, made again, the orders reconciled."""
    await s.quotes()
    oid = await accepted(s, BTC)
    s.venue.faults.load([{"kind": "wrong", "what": what, "match": ["bookTicker", "executionReport"], "times": 3}])
    other = rest(s, BTC)
    await s.until(lambda: "disconnected" in statuses(s, SPOT_ACCOUNT), what="the protocol's end")
    s.venue.faults.load([])
    await agreed(s)
    assert s.cache.get_open_orders(BTC) == {oid, other}
    for symbol in (BTC, BTC_PERP):
        await fresh(s, symbol)


@pytest.mark.scenario(28, 30)
@pytest.mark.parametrize("what", ["malformed", "truncated", "utf8"])
@engine(symbols=[BTC])
async def test_30_quotes_that_are_no_json(s, what):
    """Counted and kept for a look, the book untouched, and the next good one is taken."""
    await s.quotes()
    s.venue.faults.load([{"kind": "wrong", "what": what, "match": "bookTicker"}])
    await asyncio.sleep(0.1)
    book = s.cache.bookl1(BTC)
    await asyncio.sleep(0.3)
    assert s.cache.bookl1(BTC).timestamp == book.timestamp and s.cache.bookl1(BTC).bid == book.bid
    refused = sum(feed.counters()["malformed"] for feed in s.engine.host.market_feeds)
    assert refused >= 2
    s.venue.faults.load([])
    await fresh(s, BTC)


@pytest.mark.scenario(30)
@pytest.mark.parametrize("what", ["malformed", "truncated", "utf8"])
@engine(symbols=[BTC_PERP], request_timeout_ms=500)
async def test_30_an_answer_that_is_no_json(s, what):
    """Neither answer nor event can be read: unknown, asked for, adopted."""
    await s.quotes()
    s.venue.faults.load([{"kind": "wrong", "what": what, "connection": kind} for kind in ("order", "user")])
    oid = rest(s)
    await s.until(lambda: s.heard("accepted", oid))
    assert len(s.venue.orders(oid)) == 1 and "failed" not in s.story(oid)


@pytest.mark.scenario(30)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_30_private_events_that_are_no_json(s, symbol):
    """What they said is asked for: the fill, the balances, the position."""
    await s.quotes()
    oid = await accepted(s, symbol)
    s.venue.faults.load([{"kind": "wrong", "connection": "user"}])
    s.venue.fill_resting("spot" if symbol == BTC else "usd_m", oid)
    order = await s.settled(oid)
    assert order.status is OrderStatus.FILLED and order.filled == AMOUNT
    await s.until(lambda: s.heard("private_ws_resync_diff"))
    found = s.cache.get_balance(SPOT_ACCOUNT).balances
    assert {a: (b.free, b.locked) for a, b in found.items() if b.free or b.locked} == s.venue.spot_balances()
    position = s.cache.get_position(BTC_PERP)
    assert (position.signed_amount if position else 0) == s.venue.position()


@pytest.mark.scenario(35)
@engine(symbols=[BTC_PERP])
async def test_35_acknowledged_and_silent(s):
    """An error, not a calm market."""
    s.venue.faults.load([{"kind": "silent", "connection": "stream"}])
    for line in s.engine.host.feeds[PERP_ACCOUNT].quotes:
        line.connection.drop()
    await s.until(lambda: s.engine.host.silent_feeds, 60, "the watchdog")


@pytest.mark.scenario(36)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_36_the_feed_hangs(s, symbol):
    """TCP lives, nothing comes, not even pongs: dropped, stale, made again."""
    await s.quotes()
    s.venue.faults.load([{"kind": "half_open", "match": "bookTicker", "times": 2}])
    await s.until(lambda: s.cache.bookl1(symbol).is_stale, 45, "a stale book")
    await fresh(s, symbol)


@pytest.mark.scenario(36)
@engine(symbols=[BTC, BTC_PERP])
async def test_36_the_feed_pongs_and_says_nothing(s):
    """The venue's answers to our pings are no data."""
    await s.quotes()
    s.venue.faults.load([{"kind": "drop", "match": "bookTicker", "until": 200.0}])
    await s.until(lambda: s.cache.bookl1(BTC).is_stale and s.cache.bookl1(BTC_PERP).is_stale, 120, "stale books")


@pytest.mark.scenario(41)
@engine(symbols=[BTC, BTC_PERP])
async def test_41_the_venue_announces_its_end(s):
    """serverShutdown on every connection, then the end: all is made again, orders live on, nothing is counted twice."""
    await s.quotes()
    oids = {await accepted(s, symbol) for symbol in (BTC, BTC_PERP)}
    s.venue.faults.load([{"kind": "shutdown", "seconds": 2}])
    await asyncio.sleep(3)
    await agreed(s)
    assert s.cache.get_open_orders(BTC) | s.cache.get_open_orders(BTC_PERP) == oids
    for symbol in (BTC, BTC_PERP):
        await fresh(s, symbol)
        assert statuses(s, ACCOUNTS[symbol])[-1] in ("connected", "resynced")
    assert "failed" not in [name for name, _ in s.events]


@pytest.mark.scenario(41)
@engine(symbols=[BTC, BTC_PERP])
async def test_41_nobody_is_let_in_meanwhile(s):
    """No successor can be made: tried again while the old connections serve, and orders leave over them."""
    await s.quotes()
    before = set(s.venue.venue.binance.connections.open)
    s.venue.faults.load([{"kind": "shutdown", "seconds": 30}, {"kind": "refuse", "until": 8.0}])
    await asyncio.sleep(5)
    await accepted(s, BTC)
    assert set(s.venue.venue.binance.connections.open) == before
    await asyncio.sleep(24)
    after = set(s.venue.venue.binance.connections.open)
    assert not after & before and sorted(c.kind for c in after) == sorted(c.kind for c in before)
    assert "disconnected" not in [e["event"] for e in s.heard("private_ws_status")]


@pytest.mark.scenario(41)
@engine(symbols=[BTC, BTC_PERP])
async def test_41_the_next_connection_is_there_before_the_last_one_ends(s):
    await s.quotes()
    before = set(s.venue.venue.binance.connections.open)
    s.venue.faults.load([{"kind": "shutdown", "seconds": 10}])
    await asyncio.sleep(9)
    kinds = [c.kind for c in s.venue.venue.binance.connections.open - before]
    assert sorted(kinds) == sorted(c.kind for c in before)


@pytest.mark.scenario(41)
@engine(symbols=[BTC, BTC_PERP])
async def test_41_nothing_is_missed_and_nothing_doubled_meanwhile(s):
    """Orders go out, are answered and filled before, while and after the connections are changed; no connection is ever down."""
    await s.quotes()
    s.venue.faults.load([{"kind": "shutdown", "seconds": 10}])
    oids = []
    for number in range(60):
        oids.append(s.create_order((BTC, BTC_PERP)[number % 2], BUY if number % 4 < 2 else SELL, OrderType.MARKET, AMOUNT))
        await asyncio.sleep(0.25)
    for oid in oids:
        assert (await s.settled(oid)).status is OrderStatus.FILLED and s.story(oid).count("filled") == 1
    assert "disconnected" not in [e["event"] for e in s.heard("private_ws_status")]
    assert s.engine.host.tracker.counts["fills"] == sum(len(order.fills) for oid in oids for order in s.venue.orders(oid))


@pytest.mark.scenario(44)
@engine(symbols=[BTC, BTC_PERP], seconds=2000)
async def test_44_nobody_lets_us_in(s):
    """Refused for five minutes: fewer attempts than the venue counts in that time; orders are refused here; then all is back."""
    await s.quotes()
    oids = {await accepted(s, symbol) for symbol in (BTC, BTC_PERP)}
    s.venue.faults.load([{"kind": "refuse", "until": 300.0}])
    for connection in list(s.venue.venue.binance.connections.open):
        connection.transport.disconnect()
    await s.until(lambda: not any(a.ready.is_set() for a in s.engine.host.accounts.values()))
    refused = rest(s)
    await s.until(lambda: s.heard("failed", refused))
    assert "connection" in s.heard("failed", refused)[0].reason
    await asyncio.sleep(300)
    assert 10 < s.venue.faults.rules[0].seen < 250         # the venue counts 300, of all connections together
    await agreed(s, 60)
    assert s.cache.get_open_orders(BTC) | s.cache.get_open_orders(BTC_PERP) == oids
    for symbol in (BTC, BTC_PERP):
        await fresh(s, symbol)


@pytest.mark.scenario(41)
@engine(symbols=[BTC, BTC_PERP])
async def test_41_two_notices_at_once_make_one_successor(s):
    """A second one would be nobody's, and its end would take the way out from the first."""
    await s.quotes()
    kinds = ("order", "user")
    before = [len(lines(s, kind)) for kind in kinds]
    for connection in [connection for kind in kinds for connection in lines(s, kind)]:
        connection.give_notice()
        connection.give_notice()
    await asyncio.sleep(60)
    assert [len(lines(s, kind)) for kind in kinds] == before
    await agreed(s)
    await accepted(s)
