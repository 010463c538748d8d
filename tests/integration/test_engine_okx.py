"""An engine on the simulated OKX: one account for spot, linear and inverse instruments, one connection for orders and events."""

import asyncio
import contextlib
import itertools
import random
import threading
import time
from decimal import Decimal

import pytest
from engine_program import run_script
from okx_venue import OkxVenue
from proxy import proxy_to
from websockets.sync.server import serve

from nexus_fast.constants import BookLevel, ExchangeType, KlineInterval, OrderSide, OrderStatus, OrderType, TimeInForce
from nexus_fast.error import CredentialError, EngineBuildError, OrderError, SubscriptionError
from nexus_fast.exchange import OkxAccountType

BUY, SELL = OrderSide.BUY, OrderSide.SELL
LIMIT, MARKET, POST_ONLY = OrderType.LIMIT, OrderType.MARKET, OrderType.POST_ONLY
ACCOUNT = OkxAccountType.LIVE
SPOT, PERP, INVERSE = "BTCUSDT.OKX", "BTCUSDT-PERP.OKX", "BTCUSD-PERP.OKX"
ALL = (SPOT, PERP, INVERSE)
INST_IDS = {SPOT: "BTC-USDT", PERP: "BTC-USDT-SWAP", INVERSE: "BTC-USD-SWAP"}
# In NexusTrader's unit: base currency, of an inverse contract USD; and the same in what the venue counts.
AMOUNTS = {SPOT: Decimal("0.02"), PERP: Decimal("0.02"), INVERSE: Decimal(300)}
CONTRACTS = {SPOT: Decimal("0.02"), PERP: Decimal(2), INVERSE: Decimal(3)}
ACCOUNTS = 40
_numbers = itertools.count()


@pytest.fixture(scope="module")
def simulator(tmp_path_factory):
    """A simulated OKX with an account for every test."""
    from simulator import read_endpoints, start_simulator

    accounts = [f"key{number}:secret{number}:sim" for number in range(ACCOUNTS)]
    directory = tmp_path_factory.mktemp("okx")
    file, stop = start_simulator(directory=directory, venues="okx", rate=40, seed=11, account=accounts)
    yield read_endpoints(file)
    stop()


@pytest.fixture
def okx(simulator, tmp_path):
    number = next(_numbers)
    venue = OkxVenue(simulator, f"key{number}", f"secret{number}", tmp_path)
    yield venue
    venue.faults()


def run(script, venue, symbols=ALL, **options):
    return run_script(script, venue, symbols=symbols, public=(ACCOUNT,), private=(ACCOUNT,), **options)


def price(s, symbol, share):
    """`share` of the bid, on the tick."""
    return s.price_to_precision(symbol, Decimal(str(s.cache.bookl1(symbol).bid)) * Decimal(share))


async def resting(s, symbol, share="0.97", **options):
    oid = s.create_order(symbol, BUY, LIMIT, AMOUNTS[symbol], price(s, symbol, share), **options)
    await s.until(lambda: s.heard("accepted", oid), what=f"a resting order on {symbol}")
    return oid


@contextlib.contextmanager
def through(venue, *names):
    """The venue with a proxy before each address; yields (venue, {name: proxy})."""
    with contextlib.ExitStack() as stack:
        proxies = {name: stack.enter_context(proxy_to(venue.endpoints["okx"][name])) for name in names}
        yield venue.with_addresses(**{name: p.url(venue.endpoints["okx"][name]) for name, p in proxies.items()}), proxies


def statuses(s):
    return [event["event"] for event in s.heard("private_ws_status")]


# ---------------------------------------------------------------------------------------------- market data


def test_every_kind_of_market_data(okx):
    async def script(s):
        s.subscribe_trade(list(ALL))
        s.subscribe_kline(list(ALL), KlineInterval.MINUTE_1)
        s.subscribe_bookl2([SPOT, PERP], BookLevel.L5)
        s.subscribe_bookl2([INVERSE], BookLevel.L20)
        s.subscribe_mark_price([PERP, INVERSE])
        s.subscribe_index_price([PERP, SPOT])
        s.subscribe_funding_rate([PERP, INVERSE])
        with pytest.raises(SubscriptionError, match="no funding_rate of BTCUSDT.OKX"):
            s.subscribe_funding_rate([SPOT])
        await s.quotes()
        wanted = {"trade": ALL, "kline": ALL, "bookl2": ALL, "index_price": (PERP, SPOT)}
        wanted |= dict.fromkeys(("mark_price", "funding_rate"), (PERP, INVERSE))
        for name, symbols in wanted.items():
            await s.until(lambda n=name, w=symbols: {e.symbol for e in s.heard(n)} >= set(w), what=name)
        # Two symbols refer to one index: it stays subscribed for the other.
        s.unsubscribe_index_price([SPOT])
        count = len(s.heard("index_price"))
        await s.until(lambda: len(s.heard("index_price")) > count + 1, what="the index of the other")
        assert SPOT not in [e.symbol for e in s.heard("index_price")[count:]]

    s = run(script, okx)
    for book in s.heard("bookl2"):
        bids, asks = [level.price for level in book.bids], [level.price for level in book.asks]
        assert bids == sorted(bids, reverse=True) and asks == sorted(asks) and bids[0] < asks[0]
        most = 20 if book.symbol == INVERSE else 5
        assert all(level.size > 0 for level in (*book.bids, *book.asks)) and len(bids) <= most and len(asks) <= most
    assert max(len(book.bids) for book in s.heard("bookl2") if book.symbol == INVERSE) > 5
    for quote in s.books:
        assert 0 < quote.bid < quote.ask and quote.bid_size > 0 and quote.ask_size > 0
    marks, quotes = {e.symbol: e.price for e in s.heard("mark_price")}, {b.symbol: b.bid for b in s.books}
    assert all(abs(marks[symbol] / quotes[symbol] - 1) < 0.05 for symbol in marks)
    assert all(abs(e.rate) < 0.01 and e.next_funding_time > e.timestamp for e in s.heard("funding_rate"))
    assert all(bar.low <= bar.open <= bar.high and bar.interval is KlineInterval.MINUTE_1 for bar in s.heard("kline"))


def test_the_questions_of_strategies(okx):
    async def script(s):
        await s.quotes()
        s.oid = await resting(s, PERP, "0.9")
        s.tickers = [s.request_ticker(symbol) for symbol in ALL]
        s.all = s.request_all_tickers(ACCOUNT)
        s.bars = s.request_klines([SPOT, PERP], KlineInterval.MINUTE_1, limit=3)
        s.index = s.request_index_klines(PERP, KlineInterval.MINUTE_1, limit=3)
        s.order = s.fetch_order(PERP, s.oid)
        s.open = s.fetch_open_orders(PERP)
        await s.settled(s.create_order(INVERSE, SELL, MARKET, AMOUNTS[INVERSE]))
        s.fills = s.fetch_recent_trades(INVERSE)
        s.nobody = s.fetch_order(PERP, "nobodysOrder")

    s = run(script, okx)
    assert [t.symbol for t in s.tickers] == list(ALL) and set(ALL) <= set(s.all)
    assert all(t.last_price > 0 for t in s.tickers)
    assert {bar.symbol for bar in s.bars} == {SPOT, PERP} and all(bar.low <= bar.close <= bar.high for bar in s.bars)
    assert s.index and all(bar.volume is None for bar in s.index)
    assert s.order.oid == s.oid and s.order.amount == AMOUNTS[PERP] and s.order.status is OrderStatus.ACCEPTED
    assert [order.oid for order in s.open] == [s.oid] and s.nobody is None
    assert sum(fill.amount for fill in s.fills) == AMOUNTS[INVERSE] and all(fill.fee > 0 for fill in s.fills)


# ---------------------------------------------------------------------------------------------- orders


@pytest.mark.parametrize("symbol", ALL)
def test_an_order_from_pending_to_canceled(okx, symbol):
    async def script(s):
        await s.quotes()
        s.oid = await resting(s, symbol)
        s.at_venue = okx.order(INST_IDS[symbol], s.oid)
        s.better = price(s, symbol, "0.96")
        s.modify_order(symbol, s.oid, price=s.better, amount=AMOUNTS[symbol] * 2)
        await s.until(lambda: len(s.heard("accepted", s.oid)) == 2, what="the amendment")
        s.amended = okx.order(INST_IDS[symbol], s.oid)
        s.cancel_order(symbol, s.oid)
        await s.settled(s.oid)

    s = run(script, okx)
    assert s.story(s.oid) == ["pending", "accepted", "accepted", "canceling", "canceled"]
    assert Decimal(s.at_venue["sz"]) == CONTRACTS[symbol] and s.at_venue["state"] == "live"
    assert s.at_venue["tdMode"] == ("cash" if symbol == SPOT else "cross")
    assert Decimal(s.amended["sz"]) == CONTRACTS[symbol] * 2 and Decimal(s.amended["px"]) == s.better
    order = s.cache.get_order(s.oid)
    assert (order.amount, order.price, order.eid) == (AMOUNTS[symbol] * 2, float(s.better), s.at_venue["ordId"])
    assert order.exchange is ExchangeType.OKX and order.reason is None and okx.open_orders() == set()


@pytest.mark.parametrize("symbol", ALL)
def test_a_market_order_there_and_back(okx, symbol):
    """Amounts, fees, position and balance as the venue says, in NexusTrader's unit."""

    async def script(s):
        await s.quotes()
        before = {name: sum(amounts) for name, amounts in okx.balances().items()}
        buy = s.create_order(symbol, BUY, MARKET, AMOUNTS[symbol])
        s.bought = await s.settled(buy)
        if symbol != SPOT:
            await s.until(lambda: s.cache.get_position(symbol) and s.cache.get_position(symbol).signed_amount == AMOUNTS[symbol],
                          what="the position")
            s.position = s.cache.get_position(symbol)
            s.there = okx.positions()
        s.row = okx.order(INST_IDS[symbol], buy)
        options = {} if symbol == SPOT else {"reduce_only": True}
        s.sold = await s.settled(s.create_order(symbol, SELL, MARKET, AMOUNTS[symbol], **options))
        if symbol != SPOT:
            await s.until(lambda: s.cache.get_position(symbol) is None or not s.cache.get_position(symbol).signed_amount)
        await s.until(lambda: {n: b.free + b.locked for n, b in s.cache.get_balance(ACCOUNT).balances.items()}
                      == {n: sum(b) for n, b in okx.balances().items()}, what="the same balances")
        after = {name: sum(amounts) for name, amounts in okx.balances().items()}
        s.changed = {name for name in after if after[name] != before[name]}

    s = run(script, okx)
    assert s.bought.is_filled and s.sold.is_filled and s.story(s.bought.oid)[-1] == "filled"
    assert s.bought.filled == s.bought.amount == AMOUNTS[symbol] and s.bought.remaining == 0
    assert Decimal(s.row["accFillSz"]) == CONTRACTS[symbol] and s.row["ordId"] == s.bought.eid
    # Charged is negative at the venue and positive here.
    assert s.bought.fee == -Decimal(s.row["fee"]) > 0 and s.bought.fee_currency == s.row["feeCcy"]
    assert s.bought.average == pytest.approx(float(s.row["avgPx"]))
    if symbol == SPOT:
        assert s.changed >= {"BTC", "USDT"} or s.changed >= {"USDT"}
    else:
        assert s.position.signed_amount == AMOUNTS[symbol] and s.there == {INST_IDS[symbol]: CONTRACTS[symbol]}
        assert s.changed == {"BTC" if symbol == INVERSE else "USDT"} and s.sold.reduce_only
    assert okx.positions() == {}


@pytest.mark.parametrize("symbol", [SPOT, PERP])
def test_orders_that_the_venue_ends_at_once(okx, symbol):
    async def script(s):
        await s.quotes()
        s.post_only = s.create_order(symbol, BUY, POST_ONLY, AMOUNTS[symbol], price(s, symbol, "1.01"))
        s.fok = s.create_order(symbol, BUY, LIMIT, AMOUNTS[symbol], price(s, symbol, "0.99"), time_in_force=TimeInForce.FOK)
        s.ioc = s.create_order(symbol, BUY, LIMIT, AMOUNTS[symbol], price(s, symbol, "0.99"), time_in_force=TimeInForce.IOC)
        for oid in (s.post_only, s.fok, s.ioc):
            await s.settled(oid)

    s = run(script, okx)
    for oid in (s.post_only, s.fok, s.ioc):
        order = s.cache.get_order(oid)
        assert order.status is OrderStatus.CANCELED and order.filled == 0 and "canceled by the venue" in order.reason
    assert "(31)" in s.cache.get_order(s.post_only).reason and okx.positions() == {}


def test_a_refusal_has_the_venues_words(okx):
    async def script(s):
        await s.quotes()
        s.oid = s.create_order(SPOT, SELL, LIMIT, Decimal(99_000), price(s, SPOT, "1.02"))
        await s.settled(s.oid)

    s = run(script, okx)
    order = s.cache.get_order(s.oid)
    assert order.status is OrderStatus.FAILED and "51008" in order.reason
    (result,) = s.heard("ws_order_request_result")
    assert result["oid"] == s.oid and result["result_type"].value == "ACK_REJECTED"


def test_client_ids(okx):
    async def script(s):
        await s.quotes()
        for wrong in ("with-dash", "under_score", "x" * 33):
            with pytest.raises(OrderError, match="OKX takes 1 to 32"):
                s.create_order(PERP, BUY, LIMIT, AMOUNTS[PERP], price(s, PERP, "0.97"), client_oid=wrong)
        # A cancel's request id is a letter longer than the client id; one client id may look like another's cancel.
        s.oids = ["x" * 32, "c" + "a" * 16, "a" * 16, "m" + "a" * 16]
        for oid in s.oids:
            await resting(s, PERP, client_oid=oid)
        for oid in s.oids:
            s.cancel_order(PERP, oid)
            await s.settled(oid)
            left = {o for o in s.oids if not s.cache.get_order(o).is_closed}
            assert okx.open_orders() == left

    s = run(script, okx)
    assert all(s.cache.get_order(oid).status is OrderStatus.CANCELED for oid in s.oids)


def test_an_order_of_somebody_else(okx):
    async def script(s):
        await s.quotes()
        px = str(price(s, PERP, "0.95"))
        okx.place(instId="BTC-USDT-SWAP", side="buy", ordType="limit", sz="3", px=px, clOrdId="theirs1")
        order = await s.until(lambda: s.cache.get_order("theirs1"), what="the external order")
        assert (order.amount, order.side, order.type) == (Decimal("0.03"), BUY, LIMIT)
        s.cancel_order(PERP, "theirs1")
        await s.until(lambda: s.cache.get_order("theirs1").is_closed, what="its end")

    run(script, okx)
    assert okx.open_orders() == set()


# ---------------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.scenario(61)
def test_a_repeated_push_counts_once(okx):
    """Scenario 61: every push of the orders channel comes three times."""

    async def script(s):
        await s.quotes()
        okx.faults({"kind": "duplicate", "venue": "okx", "match": "orders", "copies": 2})
        s.order = await s.settled(s.create_order(PERP, BUY, MARKET, AMOUNTS[PERP]))
        await s.until(lambda: s.engine.host.tracker.counts["repeated_fills"] >= 2, what="the repetitions")
        s.back = await s.settled(s.create_order(PERP, SELL, MARKET, AMOUNTS[PERP], reduce_only=True))

    s = run(script, okx)
    for order in (s.order, s.back):
        row = okx.order("BTC-USDT-SWAP", order.oid)
        assert s.story(order.oid).count("filled") == 1 and order.filled == AMOUNTS[PERP]
        assert s.cache.get_order(order.oid).fee == -Decimal(row["fee"])


@pytest.mark.parametrize("lost", ["answers", "requests"])
def test_a_cut_leaves_no_order_in_doubt(okx, lost):
    """An order whose answer, or whose request, was lost with the connection: it is found, or proven never to have lived."""

    async def script(s):
        await s.quotes()
        s.before = await resting(s, PERP)
        proxy = s.proxies["private"]
        setattr(proxy, lost, False)
        s.oid = s.create_order(PERP, BUY, LIMIT, AMOUNTS[PERP], price(s, PERP, "0.96"))
        await s.until(lambda: s.heard("pending", s.oid))
        if lost == "answers":
            await s.until(lambda: s.oid in okx.open_orders(), what="the order at the venue")
        proxy.heal()
        await s.until(lambda: statuses(s)[-1] == "connected" and "resynced" in statuses(s), what="the reconnect")
        expected = "accepted" if lost == "answers" else "failed"
        await s.until(lambda: s.heard(expected, s.oid), what=expected)
        s.open = okx.open_orders()
        for oid in sorted(s.open):
            s.cancel_order(PERP, oid)
            await s.settled(oid)

    with through(okx, "private") as (venue, proxies):
        async def with_proxies(s):
            s.proxies = proxies
            await script(s)

        s = run(with_proxies, venue)
    assert s.open == ({s.before, s.oid} if lost == "answers" else {s.before})
    assert okx.open_orders() == set() and len(s.heard("private_ws_resync_diff")) == 1


def test_a_lost_answer_is_asked_for(okx):
    """The connection stays, the answer and the push do not come: silence becomes doubt, and doubt a query."""

    async def script(s):
        await s.quotes()
        okx.faults({"kind": "drop", "venue": "okx", "match": ["order", "orders"]})
        s.oid = s.create_order(PERP, BUY, LIMIT, AMOUNTS[PERP], price(s, PERP, "0.97"))
        await s.until(lambda: s.heard("accepted", s.oid), what="the order that was asked about")
        s.results = [e["result_type"].value for e in s.heard("ws_order_request_result")]
        okx.faults()
        s.cancel_order(PERP, s.oid)
        await s.settled(s.oid)

    s = run(script, okx, request_timeout_ms=500)
    assert s.results == ["ACK_TIMEOUT", "ACK_TIMEOUT_CONFIRMED"]
    assert s.cache.get_order(s.oid).status is OrderStatus.CANCELED


def test_an_answer_that_says_nothing_for_certain(okx):
    """50004: "does not mean that the request was successful or failed". It was."""

    async def script(s):
        await s.quotes()
        okx.faults({"kind": "answer", "venue": "okx", "match": "order", "code": "50004", "execute": True},
                   {"kind": "drop", "venue": "okx", "match": "orders"})
        s.oid = s.create_order(PERP, BUY, LIMIT, AMOUNTS[PERP], price(s, PERP, "0.97"))
        await s.until(lambda: s.heard("accepted", s.oid), what="what the venue says when it is asked")
        okx.faults()
        s.cancel_order(PERP, s.oid)
        await s.settled(s.oid)

    s = run(script, okx)
    assert s.story(s.oid) == ["pending", "accepted", "canceling", "canceled"]
    assert [e["result_type"].value for e in s.heard("ws_order_request_result")] == ["ACK_TIMEOUT_CONFIRMED"]


def test_a_cancel_that_crosses_the_fill(okx):
    """The cancel's "no such order" is no end of the order: the venue is asked, and it was filled."""

    async def script(s):
        await s.quotes()
        okx.faults({"kind": "drop", "venue": "okx", "match": "orders"})
        s.oid = s.create_order(PERP, BUY, MARKET, AMOUNTS[PERP])
        await s.until(lambda: (okx.order("BTC-USDT-SWAP", s.oid) or {}).get("state") == "filled")
        s.cancel_order(PERP, s.oid)
        s.order = await s.settled(s.oid)
        okx.faults()
        await s.settled(s.create_order(PERP, SELL, MARKET, AMOUNTS[PERP], reduce_only=True))

    s = run(script, okx)
    assert s.order.status is OrderStatus.FILLED and s.order.filled == AMOUNTS[PERP]
    assert "canceled" not in s.story(s.oid)


def test_a_clock_that_moves(okx):
    """Scenario 19: an order that the venue holds to be too late is refused, the clock is read, and the next one is in time."""

    async def script(s):
        await s.quotes()
        okx.faults({"kind": "clock", "venue": "okx", "offset_ms": 20_000})
        await s.until(lambda: abs(int(okx.rows("/api/v5/public/time")[0]["ts"]) / 1000 - time.time()) > 10, what="the step")
        s.late = s.create_order(PERP, BUY, LIMIT, AMOUNTS[PERP], price(s, PERP, "0.97"))
        await s.settled(s.late)
        account = s.engine.host.accounts[ACCOUNT]
        await s.until(lambda: account.channel.clock_offset_ms > 15_000, what="the clock")
        s.cancel_order(PERP, await resting(s, PERP))
        await s.until(lambda: s.heard("canceled"))

    s = run(script, okx)
    assert "50036" in s.cache.get_order(s.late).reason and s.cache.get_order(s.late).status is OrderStatus.FAILED


def test_the_venue_announces_that_it_will_close(okx):
    """Scenario 41: quotes come on without a gap, the account is never disconnected, and no order is lost."""

    async def script(s):
        await s.quotes()
        s.oid = await resting(s, PERP)
        first = s.engine.host.feeds[ACCOUNT].quotes[0]
        okx.faults({"kind": "shutdown", "venue": "okx", "after": 0.05, "seconds": 5})
        await s.until(lambda: s.engine.host.feeds[ACCOUNT].quotes[0] is not first, what="another connection")
        await s.until(lambda: "resynced" in statuses(s), what="the account's")
        count = len(s.books)
        await s.until(lambda: len(s.books) > count + 20, what="quotes")
        s.cancel_order(PERP, s.oid)
        await s.settled(s.oid)
        await asyncio.sleep(6)                   # the old one is gone
        assert statuses(s) == ["connected", "resynced"]

    s = run(script, okx)
    assert s.cache.get_order(s.oid).status is OrderStatus.CANCELED and okx.open_orders() == set()
    assert all(later.timestamp >= earlier.timestamp for symbol in ALL
               for earlier, later in itertools.pairwise([b for b in s.books if b.symbol == symbol]))


# ---------------------------------------------------------------------------------------------- disturbances


def trade(s, chance, oids):
    """One random request."""
    symbol, side, kind = chance.choice(ALL), chance.choice((BUY, SELL)), chance.random()
    if kind < 0.2 and oids:
        s.cancel_order(*chance.choice(oids[-12:]))
    elif kind < 0.3 and oids:
        which = chance.choice(oids[-6:])
        if (order := s.cache.get_order(which[1])) is not None and order.price and not order.is_closed:
            s.modify_order(*which, price=price(s, which[0], "0.975" if order.side.is_buy else "1.025"), amount=order.amount)
    elif kind < 0.5:
        oids.append((symbol, s.create_order(symbol, side, MARKET, AMOUNTS[symbol])))
    else:
        share = chance.choice(("0.9999", "0.999", "0.98")) if side.is_buy else chance.choice(("1.0001", "1.001", "1.02"))
        oids.append((symbol, s.create_order(symbol, side, LIMIT, AMOUNTS[symbol], price(s, symbol, share))))


def disturb(chance, proxy):
    """Cut the connection, or hide one direction of it for a while, which ends with a cut."""
    if chance.random() < 0.5:
        setattr(proxy, chance.choice(("answers", "requests")), False)
        asyncio.get_running_loop().call_later(chance.uniform(0.05, 0.4), proxy.heal)
    else:
        proxy.cut()


def differences(s, venue):
    """Between the engine and the venue; empty when nothing differs."""
    found = []
    here = set().union(*(s.cache.get_open_orders(symbol) for symbol in ALL))
    if here != (there := venue.open_orders()):
        found.append(f"open here {sorted(here - there)}, there {sorted(there - here)}")
    positions = {symbol: s.cache.get_position(symbol) for symbol in (PERP, INVERSE)}
    held = {INST_IDS[symbol]: p.signed_amount * CONTRACTS[symbol] / AMOUNTS[symbol] for symbol, p in positions.items()
            if p is not None and p.signed_amount}
    if held != venue.positions():
        found.append(f"positions here {held}, there {venue.positions()}")
    return found


@pytest.mark.parametrize("seed", [1])
def test_after_any_disturbance_the_engine_and_the_venue_agree(okx, seed):
    """No order is lost, no outcome invented, no intent lives twice: every order is as the venue has it."""
    chance, oids = random.Random(seed), []

    async def script(s):
        await s.quotes()
        loop = asyncio.get_running_loop()
        until = loop.time() + 3.0
        while loop.time() < until or len(oids) <= 25 or s.proxies["private"].connections <= 2:
            trade(s, chance, oids)
            if chance.random() < 0.06:
                disturb(chance, s.proxies["private"])
            await asyncio.sleep(chance.uniform(0.0, 0.05))
        await asyncio.sleep(0.5)                 # the last disturbances heal
        account = s.engine.host.accounts[ACCOUNT]
        await s.until(account.ready.is_set, what="the account again")
        ledger = s.engine.core.ledger
        for _ in range(150):                     # what rests would be filled while it is compared; a lost cancel is sent again
            if not ledger.live():
                break
            for symbol in ALL:
                s.cancel_all_orders(symbol)
            await asyncio.sleep(0.4)
        assert not ledger.live(), [ledger.fields(number) for number in ledger.live()]
        await s.until(lambda: not differences(s, okx), what="agreement")
        for symbol, oid in oids:
            check(s, symbol, oid)

    def check(s, symbol, oid):
        order, told = s.cache.get_order(oid), okx.order(INST_IDS[symbol], oid)
        if order.status is OrderStatus.FAILED:
            assert told is None, (oid, s.story(oid), told)
            return
        assert told is not None, (oid, s.story(oid))
        filled = order.filled * CONTRACTS[symbol] / AMOUNTS[symbol]
        assert filled == Decimal(told["accFillSz"]) and order.status.value == told["state"].upper(), (oid, s.story(oid), told)
        assert len([name for name in s.story(oid) if name in ("filled", "canceled", "expired", "failed")]) <= 1

    with through(okx, "private") as (venue, proxies):
        async def with_proxies(s):
            s.proxies = proxies
            await script(s)

        s = run(with_proxies, venue, request_timeout_ms=1000)
    assert s.engine.core.dispatcher.errors == 0
    assert okx.open_orders() == set()


# ---------------------------------------------------------------------------------------------- what stops the build


@contextlib.contextmanager
def refusing_logins(text):
    """The address of a WebSocket that answers every message with this text."""
    def answer(socket):
        for _ in socket:
            socket.send(text)

    with serve(answer, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        server.shutdown()
        thread.join(5)


async def nothing(s):
    raise AssertionError("the engine must not start")


@pytest.mark.parametrize("wrong, text", [("secret", "50113"), ("key", "50111")])
def test_a_refused_key_is_named_when_the_engine_is_built(okx, wrong, text):
    setattr(okx, wrong, "somebodyElses")
    with pytest.raises(CredentialError, match=text) as caught:
        run(nothing, okx)
    assert "passphrase" in str(caught.value) and "somebodyElses" not in str(caught.value)


@pytest.mark.parametrize("code, said", [("60009", "Login failed."), ("60024", "Wrong passphrase")])
def test_a_refused_login_is_named_when_the_engine_is_built(okx, code, said):
    """REST takes the key, the WebSocket does not."""
    with refusing_logins(f'{{"event":"error","code":"{code}","msg":"{said}","connId":"a4d3ae55"}}') as url:
        with pytest.raises(CredentialError, match=f"{code} error={said}"):
            run(nothing, okx.with_addresses(private=url))


def test_order_entry_by_rest_is_not_served(okx):
    with pytest.raises(EngineBuildError, match='entry="ws"'):
        run(nothing, okx, order_entry="rest")
