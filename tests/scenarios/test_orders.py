"""Requests and answers that are lost, late, doubled and contradictory: what becomes of the order."""

import asyncio
import socket
from decimal import Decimal

import pytest
from acts import AMOUNT, BUY, LIMIT, MARKET, SELL, far, rest
from engine_program import BTC, BTC_PERP, PERP_ACCOUNT
from simulated_run import engine
from simulated_time import step

from nexus_fast.constants import OrderStatus, OrderType
from nexus_fast.engine.doubt import LAG_SECONDS
from nexus_fast.order.events import OrderUpdate
from nexus_fast.order.holes import ANSWERS_NEEDED


def sent(s):
    """How often the venue was asked for a new order."""
    return s.venue.venue.statistics.orders + s.venue.venue.statistics.rejects


@pytest.mark.scenario(1)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP], request_timeout_ms=200)
async def test_01_the_acknowledgement_is_lost(s, symbol):
    """Nothing is heard of it, on no stream: asked for by its id over REST, adopted, never sent again."""
    await s.quotes()
    s.venue.faults.load([{"kind": "drop", "connection": "order"}, {"kind": "drop", "connection": "user"}])
    oid = rest(s, symbol)
    await s.until(lambda: s.heard("accepted", oid), what="its adoption")
    order = s.cache.get_order(oid)
    assert order.eid == str(s.venue.orders(oid)[0].order_id)
    assert [r["result_type"].name for r in s.heard("ws_order_request_result")] == ["ACK_TIMEOUT", "ACK_TIMEOUT_CONFIRMED"]
    assert sent(s) == 1


@pytest.mark.scenario(1, 11)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP], request_timeout_ms=60_000)
async def test_01_a_lost_connection_is_doubt_before_the_deadline(s, symbol):
    """What was unanswered on it, an order or a cancel, is asked about at once over REST, while no connection comes back."""
    await s.quotes()
    await asyncio.sleep(LAG_SECONDS + 1)         # the second look after the start would find it, too
    connections = ("order", "user")
    for request, heard in (("order.place", "accepted"), ("order.cancel", "canceled")):
        s.venue.faults.load([{"kind": "cut", "match": request, "way": "from_client", "execute": True},
                             *({"kind": "drop", "connection": one} for one in connections),
                             *({"kind": "refuse", "connection": one} for one in connections)])
        if request == "order.place":
            oid = rest(s, symbol)
        else:
            s.cancel_order(symbol, oid)
        await s.until(lambda heard=heard, oid=oid: s.heard(heard, oid), seconds=5, what=f"that it is {heard}")
        s.venue.faults.load([])
        await s.until(lambda: all(a.ready.is_set() for a in s.engine.host.accounts.values()), 40, "both accounts")
        await asyncio.sleep(LAG_SECONDS + 1)


@pytest.mark.scenario(2)
@engine(symbols=[BTC_PERP], request_timeout_ms=200, recv_window_ms=5000)
async def test_02_news_that_comes_during_a_question_makes_its_answer_worthless(s):
    """The last of many answers would prove that there is no such order; while it is on its way the order's event comes."""
    await s.quotes()
    s.venue.faults.load([{"kind": "drop", "match": "order.place", "way": "from_client"}])
    host, account = s.engine.host, s.engine.host.accounts[PERP_ACCOUNT]
    oid, begun, news = rest(s), asyncio.get_running_loop().time(), []

    async def absent(instrument, client_id):
        if asyncio.get_running_loop().time() - begun > 5 + 2 + LAG_SECONDS and not news:
            news.append(asyncio.get_running_loop().time())
            host.on_order_update(account, OrderUpdate(event="ACCEPTED", client_id=oid, venue_id="77", venue_symbol="BTCUSDT"))

    account.query = absent
    await s.until(lambda: news, seconds=60, what="the event")
    await asyncio.sleep(30)
    assert s.story(oid) == ["pending", "accepted"] and s.cache.get_order(oid).status is OrderStatus.ACCEPTED


@pytest.mark.scenario(2)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP], request_timeout_ms=200)
async def test_02_the_request_is_lost(s, symbol):
    """FAILED, but only when the venue has said no three times and the request is too old to be taken."""
    await s.quotes()
    s.venue.faults.load([{"kind": "drop", "match": "order.place", "way": "from_client"}])
    begun = asyncio.get_running_loop().time()
    oid = rest(s, symbol)
    order = await s.settled(oid)
    assert order.status is OrderStatus.FAILED and "no such order" in order.reason
    assert asyncio.get_running_loop().time() - begun > s.engine.config.recv_window_ms / 1000 + 2 + LAG_SECONDS
    assert s.venue.orders(oid) == [] and sent(s) == 0


@pytest.mark.scenario(2, 65)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP], request_timeout_ms=200, recv_window_ms=5000)
async def test_02_early_answers_are_no_proof_when_later_ones_fail(s, symbol):
    """The venue knew no such order while the request was on its way, and cannot be asked once it has arrived."""
    await s.quotes()
    s.venue.faults.load([{"kind": "delay", "match": "order.place", "way": "from_client", "ms": 3000},
                         {"kind": "drop", "connection": "order"}, {"kind": "drop", "connection": "user"},
                         {"kind": "answer", "connection": "rest", "status": 500, "after": 2.9, "until": 14}])
    oid = rest(s, symbol)
    await s.until(lambda: s.heard("accepted", oid), seconds=40, what="its adoption")
    assert not s.heard("failed", oid) and s.cache.get_order(oid).eid == str(s.venue.orders(oid)[0].order_id)


@pytest.mark.scenario(2, 20)
@engine(symbols=[BTC_PERP], request_timeout_ms=200, recv_window_ms=5000)
async def test_02_a_clock_that_is_set_does_not_make_the_request_older(s):
    """Set forwards by half a minute while the request is on its way: it is not too old to arrive, and nothing is concluded."""
    await s.quotes()
    s.venue.faults.load([{"kind": "delay", "match": "order.place", "way": "from_client", "ms": 4500},
                         {"kind": "drop", "connection": "order"}, {"kind": "drop", "connection": "user"}])
    oid = rest(s)
    await asyncio.sleep(0.1)
    step(30)
    s.venue.venue.clock.offset_ms -= 30_000          # the venue's does not move
    await s.until(lambda: s.heard("accepted", oid), seconds=40, what="its adoption")
    assert not s.heard("failed", oid)


@pytest.mark.scenario(65)
@engine(symbols=[BTC, BTC_PERP], request_timeout_ms=200, recv_window_ms=5000)
async def test_65_an_order_that_was_never_heard_of_outlasts_a_lagging_replica(s):
    """The request takes four seconds, and who answers lags nine seconds behind: still no FAILED."""
    await s.quotes()
    s.venue.faults.load([{"kind": "delay", "match": "order.place", "way": "from_client", "ms": 4000},
                         {"kind": "drop", "connection": "order"}, {"kind": "drop", "connection": "user"},
                         {"kind": "stale", "connection": "rest", "match": "GET /*/order", "ms": 9000}])
    await asyncio.sleep(10)
    oids = [rest(s, symbol) for symbol in s.symbols]
    for oid in oids:
        await s.until(lambda oid=oid: s.heard("accepted", oid), seconds=60, what="its adoption")
        assert not s.heard("failed", oid)


@pytest.mark.scenario(2, 15)
@engine(symbols=[BTC_PERP], request_timeout_ms=200)
async def test_02_an_answer_that_cannot_be_read_does_not_end_the_asking(s):
    """Half of a body, with status 200."""
    await s.quotes()
    s.venue.faults.load([{"kind": "drop", "connection": "order"}, {"kind": "drop", "connection": "user"},
                         {"kind": "wrong", "what": "truncated", "connection": "rest", "times": 2}])
    oid = rest(s)
    await s.until(lambda: s.heard("accepted", oid), seconds=30, what="its adoption")


@pytest.mark.scenario(3)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_03_the_fill_comes_before_the_acknowledgement(s, symbol):
    """Found by the client id, although the venue's id is not known yet; the acknowledgement takes nothing back."""
    await s.quotes()
    s.venue.faults.load([{"kind": "reorder", "connection": "order", "ms": 300},
                         {"kind": "drop", "match": ["executionReport.NEW", "ORDER_TRADE_UPDATE.NEW"]}])
    oid = s.create_order(symbol, BUY, MARKET, AMOUNT)
    order = await s.settled(oid)
    assert order.status is OrderStatus.FILLED and order.filled == AMOUNT
    await asyncio.sleep(1)
    assert s.story(oid)[-1] == "filled" and "accepted" not in s.story(oid)
    assert s.cache.get_order(oid).status is OrderStatus.FILLED
    assert s.cache.get_order(oid).eid == str(s.venue.orders(oid)[0].order_id)
    assert s.engine.core.entry.table.conflicts == 0


@pytest.mark.scenario(4)
@engine(symbols=[BTC_PERP])
async def test_04_two_streams_bring_the_same_trade(s):
    """TRADE_LITE and ORDER_TRADE_UPDATE, then both again: one fill, one fee, one change of the position."""
    await s.quotes()
    s.venue.faults.load([{"kind": "double_fill", "ms": 20}])
    oid = s.create_order(BTC_PERP, BUY, MARKET, AMOUNT)
    order = await s.settled(oid)
    await asyncio.sleep(1)
    assert s.engine.host.tracker.counts["fills"] == len(s.venue.orders(oid)[0].fills)
    assert s.cache.get_order(oid).fee == order.fee
    assert s.cache.get_position(BTC_PERP).signed_amount == AMOUNT == s.venue.position()


@pytest.mark.scenario(5)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_05_a_fill_is_repeated(s, symbol):
    """Ignored and counted, before the order's end and after it."""
    await s.quotes()
    s.venue.faults.load([{"kind": "double_fill", "copies": 2, "ms": 30}])
    oid = s.create_order(symbol, BUY, MARKET, AMOUNT)
    await s.settled(oid)
    await asyncio.sleep(1)
    fills = s.venue.orders(oid)[0].fills
    counts = s.engine.host.tracker.counts
    says = 3 if symbol == BTC else 6         # the perpetual's come over two streams
    assert counts["fills"] == len(fills) and counts["repeated_fills"] == (says - 1) * len(fills)
    assert s.cache.get_order(oid).filled == AMOUNT and s.story(oid).count("filled") == 1
    assert s.cache.get_order(oid).fee == sum((Decimal(fee) for _, fee, _ in fills), Decimal(0)) / 10**8


async def quarters(s, symbol):
    """A resting order of four steps, and a function that fills one of them."""
    oid = rest(s, symbol, amount=2 * AMOUNT)
    await s.until(lambda: s.heard("accepted", oid))
    quarter = s.venue.orders(oid)[0].quantity // 4
    return oid, lambda: s.venue.fill_resting("spot" if symbol == BTC else "usd_m", oid, quarter)


@pytest.mark.scenario(6)
@engine(symbols=[BTC_PERP])
async def test_06_fills_come_out_of_order(s):
    """The first of two fills comes last: nothing goes back, and the sum is right."""
    await s.quotes()
    oid, fill = await quarters(s, BTC_PERP)
    s.venue.faults.load([{"kind": "reorder", "match": "ORDER_TRADE_UPDATE.TRADE", "nth": 1, "ms": 400}])
    for _ in range(2):
        fill()
        await asyncio.sleep(0.1)
    await s.until(lambda: s.heard("partially_filled", oid))
    assert s.cache.get_order(oid).filled == AMOUNT
    await asyncio.sleep(1)
    assert s.cache.get_order(oid).filled == AMOUNT and s.engine.host.tracker.counts["fills"] == 2
    s.venue.fill_resting("usd_m", oid)
    await s.settled(oid)
    filled = [o.filled for name, o in s.events if getattr(o, "oid", None) == oid and name.endswith("filled")]
    assert filled == sorted(filled) and filled[-1] == 2 * AMOUNT


@pytest.mark.scenario(6)
@engine(symbols=[BTC_PERP])
async def test_06_fills_are_added_up_here(s):
    """TRADE_LITE comes alone, the second fill before the first, and says nothing of the total."""
    await s.quotes()
    oid, fill = await quarters(s, BTC_PERP)
    s.venue.faults.load([{"kind": "drop", "match": "ORDER_TRADE_UPDATE.TRADE"},
                         {"kind": "reorder", "match": "TRADE_LITE", "nth": 1, "ms": 200}])
    fill()
    fill()
    await s.until(lambda: s.cache.get_order(oid).filled == AMOUNT, what="the sum of the fills")
    s.venue.fill_resting("usd_m", oid)
    order = await s.settled(oid)
    assert order.status is OrderStatus.FILLED and order.filled == 2 * AMOUNT
    assert s.engine.host.tracker.counts["fills"] == 3


@pytest.mark.scenario(6)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_06_a_fill_that_no_stream_brings(s, symbol):
    """The total is more than the fills add up to: the venue's list of trades has the missing one, with its fee."""
    await s.quotes()
    oid, fill = await quarters(s, symbol)
    s.venue.faults.load([{"kind": "drop", "match": name, "nth": 1}
                         for name in ("executionReport.TRADE", "ORDER_TRADE_UPDATE.TRADE", "TRADE_LITE")])
    fill()
    fill()
    await s.until(lambda: s.cache.get_order(oid).fee)
    fee, counts = s.cache.get_order(oid).fee, s.engine.host.tracker.counts
    assert counts["fills"] == 1 and s.cache.get_order(oid).filled == AMOUNT / 2
    await s.until(lambda: s.cache.get_order(oid).fee == 2 * fee, what="the missing fill")
    assert counts["fills"] == 2 and s.cache.get_order(oid).filled == AMOUNT


def fees(s, symbol, oid):
    """What the venue took for the trades of an order."""
    order = s.venue.orders(oid)[0]
    trades = s.venue.account.stores["spot" if symbol == BTC else "usd_m"].trades
    return sum((Decimal(fee) for one, _, fee, *_ in trades if one is order), Decimal(0)) / 10**8


@pytest.mark.scenario(6, 15)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP], venue={"tick_rate": 2})
async def test_06_a_missing_fill_is_asked_for_until_it_is_there(s, symbol):
    """Of an order that is over, while the venue does not answer the question for its trades: a minute and more."""
    await s.quotes()
    oid, fill = await quarters(s, symbol)
    s.venue.faults.load([*({"kind": "drop", "match": name, "nth": 1}
                           for name in ("executionReport.TRADE", "ORDER_TRADE_UPDATE.TRADE", "TRADE_LITE")),
                         {"kind": "answer", "connection": "rest", "match": ["GET */myTrades", "GET */userTrades"], "status": 500,
                          "until": 70.0}])
    fill()
    s.venue.fill_resting("spot" if symbol == BTC else "usd_m", oid)
    order = await s.settled(oid)
    assert order.status is OrderStatus.FILLED and s.engine.host.tracker.counts["fills"] == 1
    await asyncio.sleep(55)
    assert s.venue.faults.rules[-1].applied >= 5 and s.engine.host.tracker.counts["fills"] == 1
    await s.until(lambda: s.engine.host.tracker.counts["fills"] == 2, seconds=70, what="the missing fill")
    assert s.cache.get_order(oid).fee == fees(s, symbol, oid)
    assert len(s.engine.host.tracker.holes) == 0


async def canceled_with_a_fill_in_the_dark(s, symbol):
    """An order of which half is filled, and no stream says so; then it is canceled. Its oid."""
    await s.quotes()
    oid, fill = await quarters(s, symbol)
    s.venue.faults.load([{"kind": "drop", "match": name}
                         for name in ("executionReport.TRADE", "ORDER_TRADE_UPDATE.TRADE", "TRADE_LITE")])
    fill()
    fill()
    s.cancel_order(symbol, oid)
    return oid


@pytest.mark.scenario(6, 8)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_06_a_fill_that_the_cancels_answer_knows_first(s, symbol):
    """It is told by its trades, which the venue lists, and before the end of its order; nothing of it twice."""
    oid = await canceled_with_a_fill_in_the_dark(s, symbol)
    await s.until(lambda: s.heard("canceled", oid), seconds=3, what="its end")
    fills = [fill for name, fill in s.events if name == "fill"]
    assert [fill.amount for fill in fills] == [AMOUNT / 2] * 2 and all(fill.trade_id is not None for fill in fills)
    assert sum(fill.fee for fill in fills) == fees(s, symbol, oid)
    assert s.told(oid)[-5:] == ["fill", "partially_filled", "fill", "partially_filled", "canceled"]
    assert s.cache.get_order(oid).filled == AMOUNT


@pytest.mark.scenario(6, 8)
@engine(symbols=[BTC_PERP])
async def test_06_a_fill_that_nobody_ever_lists(s):
    """Ten seconds later it is told as the order's total has it; its trades, when they are listed, bring the fee alone."""
    account, trades = s.engine.host.accounts[PERP_ACCOUNT], s.engine.host.accounts[PERP_ACCOUNT].trades

    async def nothing(instrument, client_id, venue_id):
        return []

    account.trades = nothing
    oid = await canceled_with_a_fill_in_the_dark(s, BTC_PERP)
    await asyncio.sleep(9)
    assert not s.heard("canceled", oid) and s.cache.get_order(oid).status is OrderStatus.CANCELING
    await s.until(lambda: s.heard("canceled", oid), seconds=3, what="its end")
    [fill] = s.heard("fill")
    price = Decimal(s.venue.orders(oid)[0].price) / 10**8
    assert (fill.trade_id, fill.amount, fill.price, fill.fee, fill.is_maker) == (None, AMOUNT, price, None, None)
    account.trades = trades
    await s.until(lambda: len(s.heard("fill_fee")) == 2, seconds=40, what="the fees")
    assert sum(fill.fee for fill in s.heard("fill_fee")) == fees(s, BTC_PERP, oid) and len(s.heard("fill")) == 1


@pytest.mark.scenario(6, 8)
@engine(symbols=[BTC_PERP])
async def test_06_the_engine_does_not_end_before_it_has_told_every_fill(s):
    account = s.engine.host.accounts[PERP_ACCOUNT]

    async def no_trades(instrument, client_id, venue_id):
        return []

    account.trades = no_trades
    oid = await canceled_with_a_fill_in_the_dark(s, BTC_PERP)
    await s.until(lambda: oid not in s.engine.core.ledger.live() and s.engine.host.tracker.shortfalls.untold())

    def afterwards():
        assert s.told(oid)[-3:] == ["fill", "partially_filled", "canceled"] and s.heard("fill")[0].amount == AMOUNT

    s.afterwards = afterwards


@pytest.mark.scenario(6, 8)
@engine(symbols=[BTC_PERP], venue={"tick_rate": 2})
async def test_06_fills_while_a_cancel_is_on_its_way(s):
    """They come as fills of an order that is CANCELING, and the cancel's answer repeats none."""
    await s.quotes()
    oid, fill = await quarters(s, BTC_PERP)
    s.venue.faults.load([{"kind": "delay", "connection": "order", "match": "order.cancel", "way": "from_client", "ms": 500}])
    s.cancel_order(BTC_PERP, oid)
    await s.until(lambda: s.heard("canceling", oid))
    fill()
    fill()
    await s.until(lambda: s.heard("canceled", oid))
    told = [name for name in s.told(oid) if name != "fill_fee"]
    assert told[-6:] == ["canceling", "fill", "partially_filled", "fill", "partially_filled", "canceled"]
    fills, parts, [end] = s.heard("fill"), s.heard("partially_filled", oid), s.heard("canceled", oid)
    assert [f.order.status for f in fills] == [p.status for p in parts] == [OrderStatus.CANCELING] * 2
    assert [p.last_filled for p in parts] == [f.amount for f in fills] == [AMOUNT / 2] * 2
    assert (end.filled, end.last_filled, end.last_filled_price, end.cost) == (AMOUNT, None, None, None)


@pytest.mark.scenario(6)
@engine(symbols=[BTC_PERP])
async def test_06_a_fee_that_no_stream_brings(s):
    """TRADE_LITE said all of the fill but its fee, and ORDER_TRADE_UPDATE is lost: the list of trades has it."""
    await s.quotes()
    oid, fill = await quarters(s, BTC_PERP)
    s.venue.faults.load([{"kind": "drop", "match": "ORDER_TRADE_UPDATE.TRADE", "nth": 1}])
    fill()
    await s.until(lambda: s.engine.host.tracker.counts["fills"] == 1)
    assert s.cache.get_order(oid).fee is None
    await s.until(lambda: s.cache.get_order(oid).fee is not None, what="the fee")
    assert s.cache.get_order(oid).fee == fees(s, BTC_PERP, oid)


@pytest.mark.scenario(6)
@engine(symbols=[BTC_PERP], venue={"tick_rate": 2}, constants={"nexus_fast.order.holes.LAST_WAIT": 4.0})
async def test_06_a_fill_that_the_list_of_trades_never_has_is_given_up(s):
    """After as many answers, with a line and a count; the order itself is right."""
    await s.quotes()
    oid, fill = await quarters(s, BTC_PERP)
    account, asked = s.engine.host.accounts[PERP_ACCOUNT], []

    async def nothing(instrument, client_id, venue_id):
        asked.append(client_id)
        return []

    account.trades = nothing
    s.venue.faults.load([{"kind": "drop", "match": name, "nth": 1} for name in ("ORDER_TRADE_UPDATE.TRADE", "TRADE_LITE")])
    fill()
    fill()
    counts = s.engine.host.tracker.counts
    await s.until(lambda: counts["holes_given_up"], seconds=60, what="its giving up")
    assert asked == [oid] * len(asked) and len(asked) == ANSWERS_NEEDED
    assert s.cache.get_order(oid).filled == AMOUNT and counts["fills"] == 1
    await asyncio.sleep(20)
    assert len(asked) == ANSWERS_NEEDED


@pytest.mark.scenario(8)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_08_the_cancel_crosses_the_fill(s, symbol):
    """The venue knows no such order any more, and says so before it says why: FILLED, never canceled, no cancel error."""
    await s.quotes()
    oid = rest(s, symbol)
    await s.until(lambda: s.heard("accepted", oid))
    s.venue.faults.load([{"kind": "delay", "connection": "user", "ms": 300}])
    s.venue.fill_resting("spot" if symbol == BTC else "usd_m", oid)
    s.cancel_order(symbol, oid)
    order = await s.settled(oid)
    await asyncio.sleep(1)
    assert order.status is OrderStatus.FILLED and order.filled == AMOUNT
    assert not {"canceled", "cancel_failed"} & set(s.story(oid))


@pytest.mark.scenario(10)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_10_the_cancel_overtakes_the_order(s, symbol):
    """It finds nothing to cancel, which proves nothing: the order then arrives and lives, and the strategy knows."""
    await s.quotes()
    s.venue.faults.load([{"kind": "reorder", "match": "order.place", "way": "from_client", "ms": 400}])
    oid = rest(s, symbol)
    s.cancel_order(symbol, oid)
    await asyncio.sleep(0.2)
    assert not s.cache.get_order(oid).is_closed
    await s.until(lambda: s.venue.orders(oid))
    await asyncio.sleep(10)
    state, _ = s.venue.state_of(s.venue.orders(oid)[0])
    assert s.cache.get_order(oid).status.value == state
    assert state == "CANCELED" or "cancel_failed" in s.story(oid)


@pytest.mark.scenario(11)
@pytest.mark.parametrize("way", ["to_client", "from_client"])
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP], request_timeout_ms=300)
async def test_11_nothing_is_heard_of_the_cancel(s, symbol, way):
    """Its answer and its event are lost, or it is lost itself, and no connection ends: the venue is asked when the time is up."""
    await s.quotes()
    oid = rest(s, symbol)
    await s.until(lambda: s.heard("accepted", oid))
    s.venue.faults.load([{"kind": "drop", "match": "order.cancel", "way": way}, {"kind": "drop", "connection": "user"},
                         {"kind": "drop", "match": "executionReport.CANCELED"}])
    s.cancel_order(symbol, oid)
    if way == "to_client":
        await s.until(lambda: s.heard("canceled", oid), 3)
        return
    await s.until(lambda: s.heard("cancel_failed", oid), 8)          # not before the cancel is too old to arrive
    assert s.cache.get_order(oid).status is OrderStatus.ACCEPTED
    s.venue.faults.load([])
    s.cancel_order(symbol, oid)
    await s.until(lambda: s.heard("canceled", oid))


@pytest.mark.scenario(12)
@engine(symbols=[BTC_PERP])
async def test_12_a_modification_below_what_was_filled(s):
    """The venue cancels it: the result is the venue's."""
    await s.quotes()
    oid = rest(s)
    await s.until(lambda: s.heard("accepted", oid))
    s.venue.faults.load([{"kind": "delay", "connection": "user", "ms": 300}])
    s.venue.fill_resting("usd_m", oid, s.venue.orders(oid)[0].quantity // 2)
    s.modify_order(BTC_PERP, oid, price=far(s, "0.96"), amount=AMOUNT / 2)
    order = await s.settled(oid)
    assert order.status is OrderStatus.CANCELED and order.filled == AMOUNT / 2
    assert s.venue.state_of(s.venue.orders(oid)[0]) == ("CANCELED", AMOUNT / 2)


@pytest.mark.scenario(12)
@engine(symbols=[BTC_PERP])
async def test_12_a_modification_that_changes_nothing(s):
    """-5027: the order lives on as it is."""
    await s.quotes()
    oid = rest(s)
    await s.until(lambda: s.heard("accepted", oid))
    price = Decimal(str(s.cache.get_order(oid).price))
    s.modify_order(BTC_PERP, oid, price=price, amount=AMOUNT)
    await s.until(lambda: s.heard("ws_order_request_result"))
    assert "-5027" in s.heard("ws_order_request_result")[0]["reason"]
    assert s.cache.get_order(oid).status is OrderStatus.ACCEPTED


UNCLEAR = [(500, -1000, "x"), (408, -1007, "Timeout waiting for response from backend server."), (400, -1006, "unexpected"),
           (503, -1000, "Unknown error, please check your request or try again later.")]


@pytest.mark.scenario(15, 18)
@pytest.mark.parametrize("execute", [True, False])
@pytest.mark.parametrize("answer", range(len(UNCLEAR)))
@engine(symbols=[BTC_PERP])
async def test_15_an_answer_that_says_nothing(s, answer, execute):
    """Unknown until proven: adopted when it was executed, failed when not; sent once in either case."""
    await s.quotes()
    status, code, text = UNCLEAR[answer]
    s.venue.faults.load([{"kind": "answer", "match": "order.place", "status": status, "code": code, "text": text,
                          "execute": execute}, {"kind": "drop", "connection": "user"}])
    oid = rest(s)
    await asyncio.sleep(0.3)
    assert "failed" not in s.story(oid)
    if execute:
        await s.until(lambda: s.heard("accepted", oid))
    else:
        assert (await s.settled(oid)).status is OrderStatus.FAILED
    assert len(s.venue.orders(oid)) == sent(s) == execute


@pytest.mark.scenario(16)
@pytest.mark.parametrize("answer", [(503, -1000, "Service Unavailable."), (503, -1008, "Server is currently overloaded.")])
@engine(symbols=[BTC_PERP])
async def test_16_an_answer_that_says_it_never_arrived(s, answer):
    """Failed at once, and nothing is asked."""
    await s.quotes()
    status, code, text = answer
    s.venue.faults.load([{"kind": "answer", "match": "order.place", "status": status, "code": code, "text": text}])
    begun = asyncio.get_running_loop().time()
    order = await s.settled(rest(s))
    assert order.status is OrderStatus.FAILED and text in order.reason
    assert asyncio.get_running_loop().time() - begun < 0.1


@pytest.mark.scenario(17)
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_17_the_venue_says_that_it_has_it_already(s, symbol):
    """The request arrives twice, and only the second answer is heard: proof that the first lives."""
    await s.quotes()
    s.venue.faults.load([{"kind": "duplicate", "match": "order.place", "way": "from_client"},
                         {"kind": "drop", "match": "order.place", "nth": 1}, {"kind": "drop", "connection": "user"}])
    oid = rest(s, symbol)
    await s.until(lambda: s.heard("accepted", oid))
    await asyncio.sleep(5)
    assert s.cache.get_order(oid).status is OrderStatus.ACCEPTED and len(s.venue.orders(oid)) == 1
    assert "failed" not in s.story(oid)


@pytest.mark.scenario(19)
@pytest.mark.parametrize("offset", [-4000, 4000])
@pytest.mark.parametrize("symbol", [BTC, BTC_PERP])
@engine(symbols=[BTC, BTC_PERP])
async def test_19_the_venues_clock_is_set(s, symbol, offset):
    """-1021: the order failed, and was not sent again; the clock is read again and the next one is taken."""
    await s.quotes()
    s.venue.faults.load([{"kind": "clock", "offset_ms": offset}])
    await asyncio.sleep(0.1)
    order = await s.settled(rest(s, symbol))
    assert order.status is OrderStatus.FAILED and "-1021" in order.reason
    await asyncio.sleep(0.5)
    oid = rest(s, symbol)
    await s.until(lambda: s.heard("accepted", oid))
    assert sent(s) == 2


@pytest.mark.scenario(59)
@engine(symbols=[BTC])
async def test_59_the_cancel_has_an_id_of_its_own(s):
    """Canceled by somebody else: the event carries a new id in `c` and the order's in `C`."""
    await s.quotes()
    oid = rest(s, BTC)
    await s.until(lambda: s.heard("accepted", oid))
    order, market = s.venue.orders(oid)[0], s.venue.venue.binance.spot.market
    market.cancel(order, new_client_id="web_8f1a")
    market.flush()
    await s.until(lambda: s.heard("canceled", oid), seconds=1)
    assert order.client_id == "web_8f1a" and s.engine.host.tracker.counts["foreign"] == 0


@pytest.mark.scenario(62)
@pytest.mark.parametrize("late", ["ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"])
@engine(symbols=[BTC_PERP])
async def test_62_position_and_order_in_either_order(s, late):
    await s.quotes()
    s.venue.faults.load([{"kind": "reorder", "match": late, "ms": 200}])
    for side, expected in ((BUY, AMOUNT), (BUY, 2 * AMOUNT), (SELL, AMOUNT)):
        oid = s.create_order(BTC_PERP, side, MARKET, AMOUNT)
        await s.settled(oid)
        await asyncio.sleep(1)
        assert s.cache.get_position(BTC_PERP).signed_amount == expected == s.venue.position()


@pytest.mark.scenario(65)
@pytest.mark.parametrize("rule", [{"ms": 1500}, {"absent": True, "until": 2.0}])
@engine(symbols=[BTC_PERP], request_timeout_ms=100)
async def test_65_the_replica_does_not_know_it_yet(s, rule):
    """Asked three times and more, not found each time: while the request is young that is no proof."""
    await s.quotes()
    s.venue.faults.load([{"kind": "stale", **rule}, *({"kind": "drop", "connection": kind} for kind in ("order", "user"))])
    oid = rest(s)
    await s.until(lambda: s.heard("accepted", oid))
    assert s.venue.faults.rules[0].applied >= 3
    assert "failed" not in s.story(oid) and sent(s) == 1


@pytest.mark.scenario(57)
@engine(symbols=[BTC_PERP], request_timeout_ms=1000)
async def test_57_the_kernel_takes_no_more(s):
    """The venue stops reading: requests pile up in the kernel, then in the transport. None is torn, none is doubled, and
    what became of each is found out on another way."""
    await s.quotes()
    transport = s.engine.host.accounts[PERP_ACCOUNT]._api.transport.underlying_transport
    venue_end = next(c for c in s.venue.venue.binance.connections.open if c.kind == "order" and c.service.name == "usd_m")
    for end, option in ((transport, socket.SO_SNDBUF), (venue_end.transport.underlying_transport, socket.SO_RCVBUF)):
        end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, option, 4096)
    price = far(s)
    oids = [rest(s)]
    await s.until(lambda: s.heard("accepted", oids[0]))
    venue_end.transport.underlying_transport.pause_reading()
    while transport.get_write_buffer_size() < 20_000:
        oids.append(s.create_order(BTC_PERP, BUY, LIMIT, AMOUNT, price))
        assert len(oids) < 1000
    await asyncio.sleep(0.5)
    assert len(s.venue.orders()) == 1
    venue_end.transport.underlying_transport.resume_reading()
    await s.until(lambda: len(s.heard("accepted")) == len(oids))
    assert [s.venue.id_of(o) for o in s.venue.orders()] == oids           # whole, once, and in order


@pytest.mark.scenario(57)
@engine(symbols=[BTC_PERP], request_timeout_ms=1000)
async def test_57_the_venue_never_reads_again(s):
    """What the kernel took and the venue never got: silence, doubt, proof."""
    await s.quotes()
    s.venue.faults.load([{"kind": "half_open", "match": "order.place", "way": "from_client", "nth": 1, "seconds": 5}])
    oids = [rest(s) for _ in range(10)]
    await s.until(lambda: all(s.heard("failed", oid) for oid in oids), seconds=60)
    assert s.venue.orders() == []


@engine(symbols=[BTC_PERP], venue={"post_only": "expire"})
async def test_a_venue_that_acknowledges_a_post_only_order_which_would_take(s):
    """Acknowledged and then EXPIRED, as the futures did it before -5022: the end is told as such, and nothing was traded."""
    await s.quotes()
    price = s.price_to_precision(BTC_PERP, Decimal(str(s.cache.bookl1(BTC_PERP).ask)) * Decimal("1.01"), "ceil")
    oid = s.create_order(BTC_PERP, BUY, OrderType.POST_ONLY, AMOUNT, price)
    order = await s.settled(oid)
    assert order.status is OrderStatus.EXPIRED and order.filled == 0
    assert [o.status.name for o in s.venue.orders(oid)] == ["EXPIRED"]
