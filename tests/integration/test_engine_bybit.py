"""An engine on the simulated Bybit: one unified account for spot, linear and inverse."""

import contextlib
from decimal import Decimal

import pytest
from engine_program import run_script
from proxy import proxy_to

from nexus_fast.constants import BookLevel, ExchangeType, KlineInterval, OrderSide, OrderStatus, OrderType, TimeInForce
from nexus_fast.error import CredentialError
from nexus_fast.exchange import BybitAccountType

BUY, SELL = OrderSide.BUY, OrderSide.SELL
LIMIT, MARKET, POST_ONLY = OrderType.LIMIT, OrderType.MARKET, OrderType.POST_ONLY
ACCOUNT = BybitAccountType.UNIFIED
PUBLIC = (BybitAccountType.LINEAR, BybitAccountType.SPOT, BybitAccountType.INVERSE)
SPOT, PERP, INVERSE = "BTCUSDT.BYBIT", "BTCUSDT-PERP.BYBIT", "BTCUSD-PERP.BYBIT"
ALL = (SPOT, PERP, INVERSE)
CATEGORIES = {SPOT: "spot", PERP: "linear", INVERSE: "inverse"}
AMOUNTS = {SPOT: Decimal("0.002"), PERP: Decimal("0.002"), INVERSE: Decimal(100)}


def run(script, venue, symbols=ALL, **options):
    return run_script(script, venue, symbols=symbols, public=PUBLIC, private=(ACCOUNT,), **options)


def price(s, symbol, share):
    """`share` of the bid, on the tick."""
    return s.price_to_precision(symbol, Decimal(str(s.cache.bookl1(symbol).bid)) * Decimal(share))


@contextlib.contextmanager
def through(venue, *names):
    """The venue with a proxy before each address; yields (venue, {name: proxy})."""
    with contextlib.ExitStack() as stack:
        proxies = {name: stack.enter_context(proxy_to(venue.endpoints["bybit"][name])) for name in names}
        yield venue.with_addresses(**{name: p.url(venue.endpoints["bybit"][name]) for name, p in proxies.items()}), proxies


def statuses(s):
    return [event["event"] for event in s.heard("private_ws_status")]


# ---------------------------------------------------------------------------------------------- market data


def test_every_kind_of_market_data(bybit):
    async def script(s):
        s.subscribe_trade(list(ALL))
        s.subscribe_kline(list(ALL), KlineInterval.MINUTE_1)
        s.subscribe_bookl2(list(ALL), BookLevel.L50)
        s.subscribe_mark_price([PERP, INVERSE])
        s.subscribe_index_price([PERP, INVERSE])
        s.subscribe_funding_rate([PERP, INVERSE])
        await s.quotes()
        wanted = {"trade": ALL, "kline": ALL, "bookl2": ALL}
        wanted |= dict.fromkeys(("mark_price", "index_price", "funding_rate"), (PERP, INVERSE))
        for name, symbols in wanted.items():
            await s.until(lambda n=name, w=symbols: {e.symbol for e in s.heard(n)} >= set(w), what=name)

    s = run(script, bybit, connections=2)
    # Two connections carry the quotes: each counts once.
    counters = [feed.counters() for feed in s.engine.host.market_feeds]
    assert len(counters) == 6 and sum(c["quotes"] for c in counters) == len(s.books) and sum(c["doubled"] for c in counters) > 0
    for book in s.heard("bookl2"):
        bids, asks = [level.price for level in book.bids], [level.price for level in book.asks]
        assert bids == sorted(bids, reverse=True) and asks == sorted(asks) and bids[0] < asks[0]
        assert all(level.size > 0 for level in (*book.bids, *book.asks)) and len(bids) <= 50 and len(asks) <= 50
    for quote in s.books:
        assert 0 < quote.bid < quote.ask and quote.bid_size > 0 and quote.ask_size > 0
    marks, quotes = {e.symbol: e.price for e in s.heard("mark_price")}, {b.symbol: b.bid for b in s.books}
    assert all(abs(marks[symbol] / quotes[symbol] - 1) < 0.05 for symbol in marks)
    assert all(abs(e.rate) < 0.01 and e.next_funding_time > e.timestamp for e in s.heard("funding_rate"))
    assert all(bar.low <= bar.open <= bar.high and bar.interval is KlineInterval.MINUTE_1 for bar in s.heard("kline"))


def test_the_questions_of_strategies(bybit):
    async def script(s):
        await s.quotes()
        s.oid = s.create_order(PERP, BUY, LIMIT, AMOUNTS[PERP], price(s, PERP, "0.9"))
        await s.until(lambda: s.heard("accepted", s.oid))
        s.tickers = [s.request_ticker(symbol) for symbol in ALL]
        s.bars = s.request_klines([SPOT, PERP], KlineInterval.MINUTE_1, limit=3)
        s.order = s.fetch_order(PERP, s.oid)
        s.open = s.fetch_open_orders(PERP)
        await s.settled(s.create_order(SPOT, BUY, MARKET, AMOUNTS[SPOT]))
        s.fills = s.fetch_recent_trades(SPOT)
        s.nobody = s.fetch_order(PERP, "nobodysOrder")
        s.cancel_order(PERP, s.oid)
        await s.settled(s.oid)

    s = run(script, bybit)
    assert [ticker.symbol for ticker in s.tickers] == list(ALL) and all(t.last_price > 0 for t in s.tickers)
    assert {bar.symbol for bar in s.bars} <= {SPOT, PERP} and all(bar.low <= bar.close <= bar.high for bar in s.bars)
    assert s.order.oid == s.oid and s.order.status is OrderStatus.ACCEPTED and s.order.amount == AMOUNTS[PERP]
    assert [order.oid for order in s.open] == [s.oid] and s.nobody is None
    assert sum(fill.filled for fill in s.fills) == AMOUNTS[SPOT] and all(fill.fee > 0 for fill in s.fills)


# ---------------------------------------------------------------------------------------------- orders


def test_an_order_from_pending_to_canceled(bybit):
    """Of every category: accepted, amended (repeatedly, as request ids must not repeat), canceled."""

    async def life(s, symbol):
        s.oids[symbol] = oid = s.create_order(symbol, BUY, LIMIT, AMOUNTS[symbol], price(s, symbol, "0.9"))
        await s.until(lambda: s.heard("accepted", oid))
        assert oid in bybit.open_orders()
        for share, factor in (("0.91", 2), ("0.92", 3)):
            wanted, amount = price(s, symbol, share), AMOUNTS[symbol] * factor
            s.modify_order(symbol, oid, side=BUY, price=wanted, amount=amount)
            await s.until(lambda w=wanted: s.cache.get_order(oid).price == float(w), what=f"{symbol} at {wanted}")
            assert s.cache.get_order(oid).amount == amount
        told = bybit.order(CATEGORIES[symbol], oid)
        assert Decimal(told["price"]) == wanted and Decimal(told["qty"]) == amount
        assert told["orderId"] == s.cache.get_order(oid).eid
        s.cancel_order(symbol, oid)
        s.cancel_order(symbol, oid)
        await s.settled(oid)

    async def script(s):
        await s.quotes()
        s.oids = {}
        for symbol in ALL:
            await life(s, symbol)

    s = run(script, bybit)
    for symbol in ALL:
        assert s.story(s.oids[symbol])[:2] == ["pending", "accepted"] and s.story(s.oids[symbol])[-1] == "canceled"
        assert s.cache.get_order(s.oids[symbol]).filled == 0
    assert bybit.open_orders() == set() and "failed" not in [name for name, _ in s.events]


def test_market_orders_fill_once(bybit):
    """Fast executions, executions and orders speak of the same fills; quantity, average, fee and position come out once."""

    async def script(s):
        await s.quotes()
        s.oids = {symbol: s.create_order(symbol, BUY, MARKET, AMOUNTS[symbol] * 5) for symbol in ALL}
        for oid in s.oids.values():
            await s.settled(oid)
            await s.until(lambda o=oid: s.cache.get_order(o).fee, what="the fee")
        for symbol in (PERP, INVERSE):
            await s.until(lambda n=symbol: s.cache.get_position(n), what=f"a position of {symbol}")
        s.positions = {symbol: s.cache.get_position(symbol).signed_amount for symbol in (PERP, INVERSE)}
        s.closing = [s.create_order(symbol, SELL, MARKET, AMOUNTS[symbol] * 5, reduce_only=True) for symbol in (PERP, INVERSE)]
        for oid in s.closing:
            await s.settled(oid)
        await s.until(lambda: not s.cache.get_all_positions(ExchangeType.BYBIT), what="flat")
        # Whatever is said of a fill afterwards must not count it again.
        await s.until(lambda: s.engine.host.tracker.counts["repeated_fills"] >= 5, what="repetitions")
        s.counts = dict(s.engine.host.tracker.counts)
        # The wallet is told last, after the position that is flat.
        told = bybit.wallet()["BTC"]
        await s.until(lambda: s.cache.get_balance(ACCOUNT).balances["BTC"].total == told, what=f"the balance {told}")

    s = run(script, bybit)
    fills = {}
    for category in ("spot", "linear", "inverse"):
        for fill in bybit.ask("/v5/execution/list", category=category, limit=100)["list"]:
            fills.setdefault(fill["orderLinkId"], []).append(fill)
    assert s.counts["fills"] == sum(map(len, fills.values())) and s.counts["filled"] == 5
    for symbol, oid in s.oids.items():
        order, told = s.cache.get_order(oid), bybit.order(CATEGORIES[symbol], oid)
        assert order.filled == order.amount == AMOUNTS[symbol] * 5 and order.status is OrderStatus.FILLED
        assert order.average == pytest.approx(float(told["avgPrice"]), rel=1e-9)
        assert order.fee == sum(Decimal(fill["execFee"]) for fill in fills[oid])
        assert order.fee_currency == {SPOT: "BTC", PERP: "USDT", INVERSE: "BTC"}[symbol]
        assert s.story(oid)[-1] == "filled" and s.story(oid).count("filled") == 1
    assert s.positions == {PERP: AMOUNTS[PERP] * 5, INVERSE: AMOUNTS[INVERSE] * 5}
    assert bybit.positions() == {} and s.cache.get_balance(ACCOUNT).balances["BTC"].total == bybit.wallet()["BTC"]


def test_what_the_venue_does_not_take(bybit):
    """Refused at once, canceled instead of resting, canceled instead of taking: never a fill, always a reason."""

    async def script(s):
        await s.quotes()
        maker = s.create_order(PERP, BUY, POST_ONLY, AMOUNTS[PERP], price(s, PERP, "1.01"))
        at_once = s.create_order(PERP, BUY, LIMIT, AMOUNTS[PERP], price(s, PERP, "0.9"), time_in_force=TimeInForce.IOC)
        whole = s.create_order(SPOT, BUY, LIMIT, Decimal(10), price(s, SPOT, "1.001"), time_in_force=TimeInForce.FOK)
        poor = s.create_order(SPOT, BUY, LIMIT, Decimal(20), price(s, SPOT, "0.999"))
        s.oids = [maker, at_once, whole, poor]
        for oid in s.oids:
            await s.settled(oid)

    s = run(script, bybit)
    orders = [s.cache.get_order(oid) for oid in s.oids]
    assert [order.status for order in orders] == [OrderStatus.CANCELED] * 3 + [OrderStatus.FAILED]
    assert [order.filled for order in orders] == [0, 0, 0, 0]
    assert "EC_PostOnlyWillTakeLiquidity" in orders[0].reason and "code=170131" in orders[3].reason
    assert bybit.open_orders() == set()


def test_an_order_of_another_program(bybit):
    """It is told as foreign, and can be canceled by its client id."""

    async def first(s):
        await s.quotes()
        s.oid = s.create_order(PERP, BUY, LIMIT, AMOUNTS[PERP], price(s, PERP, "0.9"), client_oid="byHand-1")
        await s.until(lambda: s.heard("accepted", s.oid))

    async def second(s):
        await s.quotes()
        s.cancel_order(PERP, "byHand-1")
        await s.until(lambda: bybit.open_orders() == set(), what="the foreign order's end")

    run(first, bybit, symbols=[PERP], exit_after_cancel=False)
    assert bybit.open_orders() == {"byHand-1"}
    run(second, bybit, symbols=[PERP], directory=bybit.directory / "another")


# ---------------------------------------------------------------------------------------------- connections


def test_no_order_stays_in_doubt_after_a_cut(bybit):
    """Answers and events of one order are lost with the private connection, those of the next with the trade connection, the
    third one's request itself: adopted, adopted, failed after proof."""

    async def script(s):
        await s.quotes()
        proxies["private"].answers = False
        first = s.create_order(PERP, BUY, LIMIT, AMOUNTS[PERP], price(s, PERP, "0.9"))
        await s.until(lambda: first in bybit.open_orders(), what="the venue to have it")
        proxies["private"].heal()
        await s.until(lambda: s.heard("accepted", first), what="the first order's adoption")
        await s.until(lambda: statuses(s)[-1] == "connected")
        proxies["trade"].answers = False
        second = s.create_order(SPOT, BUY, LIMIT, AMOUNTS[SPOT], price(s, SPOT, "0.9"))
        await s.until(lambda: s.heard("accepted", second), what="the order stream's word")
        proxies["trade"].requests = False
        third = s.create_order(INVERSE, BUY, LIMIT, AMOUNTS[INVERSE], price(s, INVERSE, "0.9"))
        proxies["trade"].heal()
        await s.until(lambda: statuses(s).count("connected") >= 3, what="the trade connection")
        fourth = s.create_order(PERP, SELL, MARKET, AMOUNTS[PERP])
        await s.settled(fourth)
        await s.settled(third)
        s.oids = [first, second, third, fourth]
        assert bybit.open_orders() == {first, second}
        s.cancel_all_orders(PERP)
        s.cancel_all_orders(SPOT)
        await s.settled(first)
        await s.settled(second)

    with through(bybit, "trade", "private") as (proxied, proxies):
        s = run(script, proxied)
    orders = [s.cache.get_order(oid) for oid in s.oids]
    assert [order.status for order in orders] == [OrderStatus.CANCELED] * 2 + [OrderStatus.FAILED, OrderStatus.FILLED]
    assert "no such order" in orders[2].reason
    assert all(diff["success"] for diff in s.heard("private_ws_resync_diff"))
    assert bybit.positions() == {("linear", "BTCUSDT"): -AMOUNTS[PERP]}


def test_quotes_come_back_after_a_cut(bybit):
    async def script(s):
        await s.quotes()
        proxies["public"].accepts = False
        proxies["public"].cut()
        await s.until(lambda: all(s.cache.bookl1(symbol).is_stale for symbol in ALL), what="stale books")
        proxies["public"].accepts = True
        await s.until(lambda: not any(s.cache.bookl1(symbol).is_stale for symbol in ALL), what="fresh books")

    with through(bybit, "public") as (proxied, proxies):
        run(script, proxied)


def test_a_wrong_secret_is_named(bybit):
    async def script(s):
        pass

    with pytest.raises(CredentialError, match="10004"):
        run(script, bybit, secret="wrong")
