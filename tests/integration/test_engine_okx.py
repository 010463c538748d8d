"""An engine on the simulated OKX: one account for spot, linear and inverse instruments, one connection for orders and events."""

import contextlib
import threading
from decimal import Decimal

import pytest
from okx_program import (
    ACCOUNT,
    ALL,
    AMOUNTS,
    BUY,
    CONTRACTS,
    INST_IDS,
    INVERSE,
    LIMIT,
    MARKET,
    PERP,
    POST_ONLY,
    SELL,
    SPOT,
    price,
    resting,
    run,
)  # fmt: skip
from websockets.sync.server import serve

from nexus_fast.constants import BookLevel, ExchangeType, KlineInterval, OrderStatus, TimeInForce
from nexus_fast.error import CredentialError, EngineBuildError, OrderError, SubscriptionError

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
        await s.until(lambda: s.heard("modified", s.oid), what="the amendment")
        s.amended = okx.order(INST_IDS[symbol], s.oid)
        s.cancel_order(symbol, s.oid)
        await s.settled(s.oid)

    s = run(script, okx)
    assert s.story(s.oid) == ["pending", "accepted", "modified", "canceling", "canceled"]
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
