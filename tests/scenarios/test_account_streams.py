"""What an account hears when its streams end, lag or bring what nobody here did (7, 13, 40, 42, 43, 48 to 50, 62 to 64, 67)."""

import asyncio
from decimal import Decimal

import pytest
from acts import ACCOUNTS, AMOUNT, BUY, MARKET, SELL, accepted, agreed, lines, rest, statuses
from engine_program import BTC, BTC_PERP, PERP_ACCOUNT, SPOT_ACCOUNT
from simulated_run import engine

from nexus_fast.constants import OrderStatus


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
