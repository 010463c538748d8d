"""Connections that break, hang and lie; clocks and machines that jump; bans."""

import asyncio
import time
from decimal import Decimal

import pytest
from engine_program import BTC, BTC_PERP, PERP_ACCOUNT, SPOT_ACCOUNT
from simulated_run import engine
from simulated_time import pause, step

from nexus_fast.constants import OrderSide, OrderStatus, OrderType, TimeInForce
from nexus_fast.sim.faults.wire import reset

BUY, SELL = OrderSide.BUY, OrderSide.SELL
LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET
AMOUNT = Decimal("0.002")
ACCOUNTS = {BTC: SPOT_ACCOUNT, BTC_PERP: PERP_ACCOUNT}


def far(s, share, symbol=BTC_PERP):
    return s.price_to_precision(symbol, Decimal(str(s.cache.bookl1(symbol).bid)) * Decimal(share), "floor")


def rest(s, symbol=BTC_PERP, share="0.97"):
    return s.create_order(symbol, BUY, LIMIT, AMOUNT, far(s, share, symbol))


def fleeting(s, symbol=BTC_PERP):
    """An order that is over at once, unfilled."""
    return s.create_order(symbol, BUY, LIMIT, AMOUNT, far(s, "0.97", symbol), time_in_force=TimeInForce.IOC)


async def accepted(s, symbol=BTC_PERP):
    oid = rest(s, symbol)
    await s.until(lambda: s.heard("accepted", oid))
    return oid


def statuses(s, account):
    return [e["event"] for e in s.heard("private_ws_status") if e["account_type"] is account]


async def fresh(s, symbol, seconds=60.0):
    """Wait for a quote that is younger than now."""
    now = time.time_ns() // 1_000_000
    await s.until(lambda: s.cache.bookl1(symbol).timestamp > now and not s.cache.bookl1(symbol).is_stale, seconds, "a fresh book")


async def agreed(s, seconds=30.0):
    """Wait until both accounts are there and what is open here is what is open at the venue."""
    accounts = s.engine.host.accounts.values()
    await s.until(lambda: all(a.ready.is_set() for a in accounts), seconds, "both accounts")
    await s.until(lambda: s.cache.get_open_orders(BTC) | s.cache.get_open_orders(BTC_PERP)
                  == {s.venue.id_of(o) for o in s.venue.orders(open_only=True)}, seconds, "the same open orders")


def lines(s, kind):
    """The venue's ends of the open connections of a kind."""
    return [c for c in s.venue.venue.binance.connections.open if c.kind == kind]


@pytest.mark.scenario(20)
@engine(symbols=[BTC_PERP], request_timeout_ms=1000)
async def test_20_the_wall_clock_is_set_back(s):
    """Deadlines go by the monotonic clock; the request is refused for its time, and the next one is not."""
    await s.quotes()
    step(-30)
    s.venue.venue.clock.offset_ms += 30_000            # the venue's stays right
    order = await s.settled(rest(s))
    assert order.status is OrderStatus.FAILED and "-1021" in order.reason
    await asyncio.sleep(1)
    s.venue.faults.load([{"kind": "drop", "connection": "order"}, {"kind": "drop", "connection": "user"}])
    begun = time.monotonic()
    oid = rest(s)
    await s.until(lambda: s.heard("accepted", oid))
    assert 1.0 < time.monotonic() - begun < 1.5


@pytest.mark.scenario(20)
@engine(symbols=[BTC_PERP])
async def test_20_the_machine_stood_still(s):
    """What was on its way when it stopped is too old for the venue when it goes on: no old intent is carried out."""
    await s.quotes()
    s.venue.faults.load([{"kind": "delay", "match": "order.place", "way": "from_client", "ms": 10}])
    oid = rest(s)
    pause(5)
    assert (await s.settled(oid)).status is OrderStatus.FAILED
    assert s.venue.orders(oid) == []
    s.venue.faults.load([])
    await accepted(s)


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


@pytest.mark.scenario(7, 40)
@engine(symbols=[BTC_PERP])
async def test_40_the_listen_key_expires(s):
    """Heard and replaced; what was filled meanwhile is found."""
    await s.quotes()
    oid = await accepted(s)
    s.venue.faults.load([{"kind": "expire_listen_keys"}])
    await asyncio.sleep(0.03)
    s.venue.fill_resting("usd_m", oid)
    await s.settled(oid)
    await s.until(lambda: statuses(s, PERP_ACCOUNT)[-2:] == ["resynced", "connected"], what="a reconcile")
    assert s.cache.get_position(BTC_PERP).signed_amount == AMOUNT == s.venue.position()
    order = await s.settled(s.create_order(BTC_PERP, SELL, MARKET, AMOUNT))
    assert order.average is not None


@pytest.mark.scenario(40)
@engine(symbols=[BTC_PERP], constants={"nexus_fast.exchange.binance.account.LISTEN_KEY_SECONDS": 60})
async def test_40_the_listen_key_expires_in_silence(s):
    """-1125 at the next keep-alive: a new key, a new stream, and what was missed is found."""
    await s.quotes()
    oid = await accepted(s)
    s.venue.pacer.stop()
    s.venue.faults.load([{"kind": "expire_listen_keys", "announce": False}])
    await asyncio.sleep(0.1)
    s.venue.fill_resting("usd_m", oid)
    await asyncio.sleep(60)
    await s.until(lambda: statuses(s, PERP_ACCOUNT)[-2:] == ["resynced", "connected"], 10, "a reconcile")
    assert s.cache.get_order(oid).status is OrderStatus.FILLED
    assert s.cache.get_position(BTC_PERP).signed_amount == AMOUNT == s.venue.position()


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


@pytest.mark.scenario(42)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_42_the_session_is_revoked(s, symbol):
    """An answer without an id: what was under way is in doubt until it is proven; a new connection, then trading."""
    await s.quotes()
    before = await accepted(s, symbol)
    s.venue.faults.load([{"kind": "drop", "match": "order.place", "nth": 1},
                         {"kind": "drop", "connection": "user"},
                         {"kind": "revoke_session", "match": "order.place", "nth": 2}])
    lives, never = rest(s, symbol), rest(s, symbol)
    await s.until(lambda: s.heard("accepted", lives))
    assert (await s.settled(never)).status is OrderStatus.FAILED
    assert "disconnected" in statuses(s, ACCOUNTS[symbol])
    s.venue.faults.load([])
    await agreed(s)
    assert s.cache.get_open_orders(symbol) == {before, lives}
    await accepted(s, symbol)


@pytest.mark.scenario(43)
@engine(symbols=[BTC])
async def test_43_the_event_stream_is_terminated(s):
    await s.quotes()
    oid = await accepted(s, BTC)
    users = s.venue.venue.binance.spot.users
    users.push(s.venue.account, b'{"e":"eventStreamTerminated","E":1}')
    users.subscribers.clear()
    await asyncio.sleep(0.01)
    s.venue.fill_resting("spot", oid)
    await s.settled(oid)
    await agreed(s)
    order = await s.settled(s.create_order(BTC, SELL, MARKET, AMOUNT))
    assert order.status is OrderStatus.FILLED and order.fee is not None          # events are heard again


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


@pytest.mark.scenario(49)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_49_somebody_else_trades_on_the_account(s, symbol):
    """The position and the balances are the account's; the strategy's orders are its own."""
    await s.quotes()
    oid = await accepted(s, symbol)
    family = "spot" if symbol == BTC else "usd_m"
    s.venue.trade_by_hand(family, BUY, AMOUNT, "web_1")
    await asyncio.sleep(0.5)
    assert s.engine.host.tracker.counts["foreign"] > 0
    assert s.cache.get_open_orders(symbol) == {oid} and s.story(oid) == ["pending", "accepted"]
    if symbol == BTC_PERP:
        assert s.cache.get_position(BTC_PERP).signed_amount == AMOUNT == s.venue.position()
    found = s.cache.get_balance(SPOT_ACCOUNT).balances
    assert {a: (b.free, b.locked) for a, b in found.items() if b.free or b.locked} == s.venue.spot_balances()


@pytest.mark.scenario(50)
@engine(symbols=[BTC_PERP])
async def test_50_the_venue_liquidates(s):
    """An order of the venue's own takes the position: it is gone here too, and no order of ours is touched."""
    await s.quotes()
    await s.settled(s.create_order(BTC_PERP, BUY, MARKET, AMOUNT))
    await s.until(lambda: s.cache.get_position(BTC_PERP))
    s.venue.trade_by_hand("usd_m", SELL, AMOUNT, "autoclose-17")
    await s.until(lambda: not s.cache.get_position(BTC_PERP) or s.cache.get_position(BTC_PERP).is_closed, what="no position")
    assert s.venue.position() == 0 and s.engine.host.tracker.counts["foreign"] > 0


@pytest.mark.scenario(48)
@engine(symbols=[BTC_PERP], venue={"position": "0.004"})
async def test_48_a_position_from_before(s):
    """No history here: amount and average price are the venue's."""
    position = s.cache.get_position(BTC_PERP)
    assert position.signed_amount == Decimal("0.004") == s.venue.position()
    assert position.entry_price > 0
    await s.quotes()
    await s.settled(s.create_order(BTC_PERP, SELL, MARKET, AMOUNT))
    await s.until(lambda: s.cache.get_position(BTC_PERP).signed_amount == AMOUNT)


@pytest.mark.scenario(63)
@engine(symbols=[BTC_PERP])
async def test_63_money_comes_without_an_order(s):
    """Funding, a transfer: the balance changes, no fill is heard of."""
    await s.quotes()
    usd_m, account = s.venue.venue.binance.usd_m, s.venue.account
    account.ledgers["usd_m"].wallet["USDT"] += 25 * 10**8
    usd_m.users.on_account(account, ["USDT"], [], "FUNDING_FEE")
    await s.until(lambda: s.cache.get_balance(PERP_ACCOUNT).balances["USDT"].free == s.venue.wallet()["USDT"])
    assert s.engine.host.tracker.counts["fills"] == 0 and s.engine.host.tracker.counts["foreign"] == 0


@pytest.mark.scenario(64)
@pytest.mark.parametrize("lag", [1000, 2500, 6000])
@engine(symbols=[BTC_PERP])
async def test_64_the_snapshot_is_older_than_the_stream(s, lag):
    """After a reconnect a replica answers that lags behind: an order that ended since is not open again, and one that came
    since is not gone."""
    await s.quotes()
    oid = await accepted(s)
    s.venue.faults.load([{"kind": "stale", "ms": lag}])
    await asyncio.sleep(1)
    s.cancel_order(BTC_PERP, oid)
    await s.until(lambda: s.heard("canceled", oid))
    new = await accepted(s)
    for connection in lines(s, "order") + lines(s, "user"):
        connection.transport.disconnect()
    await s.until(lambda: statuses(s, PERP_ACCOUNT)[-1] == "connected" and "disconnected" in statuses(s, PERP_ACCOUNT))
    await asyncio.sleep(8)
    assert s.cache.get_order(oid).status is OrderStatus.CANCELED
    assert s.cache.get_order(new).status is OrderStatus.ACCEPTED and s.cache.get_open_orders(BTC_PERP) == {new}


@pytest.mark.scenario(62, 64)
@engine(symbols=[BTC, BTC_PERP])
async def test_64_the_stream_overtakes_the_snapshot(s):
    """The answer is on its way for a second, and what the private stream brings meanwhile is newer: it stays."""
    await s.quotes()
    s.venue.faults.load([{"kind": "delay", "connection": "rest", "ms": 1000}])
    for connection in lines(s, "order") + lines(s, "user"):
        connection.transport.disconnect()
    await s.until(lambda: s.venue.faults.rules[0].applied >= 3, what="the questions")
    for family in ("spot", "usd_m"):
        s.venue.trade_by_hand(family, BUY, AMOUNT, f"web_{family}")
    s.venue.faults.load([])
    await agreed(s)
    await asyncio.sleep(3)
    assert s.cache.get_position(BTC_PERP).signed_amount == AMOUNT == s.venue.position()
    found = s.cache.get_balance(SPOT_ACCOUNT).balances
    assert {a: (b.free, b.locked) for a, b in found.items() if b.free or b.locked} == s.venue.spot_balances()
    assert s.cache.get_balance(PERP_ACCOUNT).balances["USDT"].free == s.venue.wallet()["USDT"]


@pytest.mark.scenario(67)
@engine(symbols=[BTC_PERP], exit_after_cancel=True)
async def test_67_cancel_all_is_repeated_until_it_is_so(s):
    """The first cancels are lost: asked again at the end of the program, until none is open. Checked when it has ended."""
    await s.quotes()
    for _ in range(3):
        await accepted(s)
    s.venue.faults.load([{"kind": "drop", "match": "order.cancel", "way": "from_client", "times": 4}])
    s.afterwards = lambda: check_none_open(s)


def check_none_open(s):
    assert s.venue.orders(open_only=True) == [] and s.venue.faults.rules[0].applied == 4


@pytest.mark.scenario(21)
@engine(symbols=[BTC_PERP])
async def test_21_too_many_requests(s):
    """429: nothing new is sent until the time that the venue named; cancels are."""
    await s.quotes()
    oid = await accepted(s)
    s.venue.faults.load([{"kind": "ban", "match": "order.place", "seconds": 5}])
    await s.settled(rest(s))
    for _ in range(5):
        await s.settled(rest(s))
    assert s.venue.faults.rules[0].seen == 1
    s.cancel_order(BTC_PERP, oid)
    await s.until(lambda: s.heard("canceled", oid))
    await asyncio.sleep(6)
    await accepted(s)


@pytest.mark.scenario(22)
@pytest.mark.parametrize("status", [418, 403])
@engine(symbols=[BTC_PERP])
async def test_22_banned(s, status):
    """Trading stops, market data goes on."""
    await s.quotes()
    s.venue.faults.load([{"kind": "ban", "status": status, "match": "order.place", "seconds": 60}])
    for _ in range(5):
        assert (await s.settled(rest(s))).status is OrderStatus.FAILED
    await fresh(s, BTC_PERP)
    assert s.venue.faults.rules[0].seen == 1


@pytest.mark.scenario(21, 22)
@pytest.mark.parametrize("status", [429, 418, 403])
@engine(symbols=[BTC_PERP], request_timeout_ms=500)
async def test_22_a_ban_proves_what_it_refused_and_nothing_else(s, status):
    """The order that is refused failed; one whose answer is lost stays unknown while REST answers nothing but the ban."""
    await s.quotes()
    s.venue.faults.load([{"kind": "ban", "status": status, "connection": "rest", "seconds": 45},
                         {"kind": "drop", "match": "order.place", "nth": 1}, {"kind": "drop", "connection": "user"},
                         {"kind": "ban", "status": status, "match": "order.place", "after": 1.0}])
    lives = rest(s)
    await asyncio.sleep(20)
    assert s.story(lives) == ["pending"] and not s.cache.get_order(lives).is_closed
    assert (await s.settled(rest(s))).status is OrderStatus.FAILED
    asked = s.venue.faults.rules[0].seen
    assert asked < 12                       # no hammering
    s.venue.faults.load([])
    await s.until(lambda: s.heard("accepted", lives), 150)


@pytest.mark.scenario(23)
@engine(symbols=[BTC_PERP], venue={"order_limit_factor": 1})
async def test_23_the_order_limit_is_kept_here(s):
    """300 in ten seconds: what would be over is refused before it is sent; a part is left for orders that reduce a position, and
    cancels go through; in the next ten seconds orders leave again."""
    await s.quotes()
    await s.settled(s.create_order(BTC_PERP, BUY, MARKET, AMOUNT))
    await asyncio.sleep(10 - time.time() % 10 + 0.1)
    left = await accepted(s)
    oids = [fleeting(s) for _ in range(309)]
    await s.until(lambda: all(s.cache.get_order(oid).is_closed for oid in oids), 30)
    refused = s.heard("failed")
    assert [o.oid for o in refused] == oids[284:] and "no more orders" in refused[0].reason
    reducing = [s.create_order(BTC_PERP, SELL, LIMIT, AMOUNT / 2, far(s, "1.02"), reduce_only=True) for _ in range(16)]
    await s.until(lambda: s.heard("failed", reducing[15]) and all(s.heard("accepted", oid) for oid in reducing[:15]))
    for oid in (left, *reducing[:15]):
        s.cancel_order(BTC_PERP, oid)
    await s.until(lambda: not s.venue.orders(open_only=True))
    assert s.venue.venue.statistics.rejects == 0
    await asyncio.sleep(10)
    await accepted(s)


@pytest.mark.scenario(23)
@engine(symbols=[BTC], venue={"order_limit_factor": 1})
async def test_23_spot_counts_what_is_not_filled(s):
    """100 in ten seconds, and orders that are filled at once count no longer; an amendment never counts."""
    await s.quotes()
    await asyncio.sleep(10 - time.time() % 10 + 0.1)
    for _ in range(6):
        oids = [s.create_order(BTC, BUY, MARKET, AMOUNT) for _ in range(20)]
        await s.until(lambda oids=oids: all(s.heard("filled", oid) for oid in oids))
    oids = [fleeting(s, BTC) for _ in range(110)]
    await s.until(lambda: all(s.cache.get_order(oid).is_closed for oid in oids))
    assert len(s.heard("failed")) == 10 and s.venue.venue.statistics.rejects == 0


@pytest.mark.scenario(23)
@engine(symbols=[BTC_PERP], venue={"order_limit_factor": 1})
async def test_23_what_was_counted_before_the_start(s):
    """The venue is asked at the start: other programs' orders and those of the session before are in the window too."""
    await s.quotes()
    account = s.engine.host.accounts[PERP_ACCOUNT]
    limits = s.venue.venue.binance.usd_m.limits
    await asyncio.sleep(10 - time.time() % 10 + 0.1)
    await accepted(s)
    for _ in range(250):
        limits.charge_order(s.venue.key, int(time.time() * 1000))
    await account._read_order_limits()
    oids = [fleeting(s) for _ in range(60)]
    await s.until(lambda: all(s.cache.get_order(oid).is_closed for oid in oids))
    assert len(s.heard("failed")) == 60 - (285 - 251) and s.venue.venue.statistics.rejects == 0


@pytest.mark.scenario(23)
@engine(symbols=[BTC_PERP], venue={"order_limit_factor": 1}, counted=False)
async def test_23_the_venue_counts_the_orders(s):
    """Not counted here (enable_rate_limit=False): -1015 is a refusal like any other, with the venue's words, and cancels go
    through."""
    await s.quotes()
    oids = [rest(s, share=f"0.{970 - n % 50}") for n in range(310)]
    await s.until(lambda: all(s.heard("accepted", o) or s.heard("failed", o) for o in oids), 30)
    failed = s.heard("failed")
    assert failed and all("-1015" in o.reason or "-2025" in o.reason for o in failed)
    s.cancel_all_orders(BTC_PERP)
    await s.until(lambda: not s.venue.orders(open_only=True))


@pytest.mark.scenario(7, 64)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_64_what_happened_in_a_cut_is_found_although_who_answers_lags(s, symbol):
    """The fill falls into the cut, and the reconcile after it still shows the order as open and the balances of before."""
    await s.quotes()
    oid = await accepted(s, symbol)
    s.venue.faults.load([{"kind": "stale", "connection": "rest", "match": "GET *", "ms": 4000},
                         {"kind": "cut", "connection": "user"}])
    s.venue.faults.replica.hear(s.venue.account)     # from now on
    s.venue.fill_resting("spot" if symbol == BTC else "usd_m", oid)
    await s.settled(oid)
    assert s.cache.get_order(oid).is_filled
    await asyncio.sleep(1)
    found = s.cache.get_balance(SPOT_ACCOUNT).balances
    assert {a: (b.free, b.locked) for a, b in found.items() if b.free or b.locked} == s.venue.spot_balances()
    position = s.cache.get_position(BTC_PERP)
    assert (position.signed_amount if position else 0) == s.venue.position()


@pytest.mark.scenario(13, 64)
@engine(symbols=[BTC_PERP])
async def test_64_a_modification_is_not_undone_by_who_lags(s):
    """The list of open orders has the price of before."""
    await s.quotes()
    oid = await accepted(s)
    s.venue.faults.load([{"kind": "stale", "connection": "rest", "match": "GET *", "ms": 4000}])
    s.venue.faults.replica.hear(s.venue.account)
    await asyncio.sleep(0.1)
    price = s.price_to_precision(BTC_PERP, Decimal(str(s.cache.bookl1(BTC_PERP).bid)) * Decimal("0.96"), "floor")
    s.modify_order(BTC_PERP, oid, price=price, amount=AMOUNT)
    await s.until(lambda: Decimal(str(s.cache.get_order(oid).price)) == price)
    await s.engine.host.resynchronise(s.engine.host.accounts[PERP_ACCOUNT])
    assert Decimal(str(s.cache.get_order(oid).price)) == price
