"""Binance, Bybit and OKX in one engine: orders go where their symbols belong, and a venue that is down is down alone."""

import itertools
from contextlib import ExitStack
from decimal import Decimal

import pytest
from dying import run_and_die
from engine_program import SPOT_ACCOUNT, Venue, make_config, run_script
from proxy import proxy_to

from nexus_fast.constants import OrderSide, OrderType
from nexus_fast.endpoints import TABLES
from nexus_fast.engine import Engine
from nexus_fast.engine.gates import RECOVERING
from nexus_fast.error import CredentialError, NexusError
from nexus_fast.exchange import BinanceAccountType, BybitAccountType, OkxAccountType
from nexus_fast.strategy import Strategy

BINANCE, BYBIT, OKX = "BTCUSDT-PERP.BINANCE", "BTCUSDT-PERP.BYBIT", "BTCUSDT-PERP.OKX"
USD_M, LINEAR, UNIFIED, LIVE = (
    BinanceAccountType.USD_M_FUTURE, BybitAccountType.LINEAR, BybitAccountType.UNIFIED, OkxAccountType.LIVE,
)
PUBLIC, PRIVATE = (USD_M, LINEAR, LIVE), (USD_M, UNIFIED, LIVE)
BUY, SELL = OrderSide.BUY, OrderSide.SELL
_numbers = itertools.count()


@pytest.fixture(scope="module")
def all_venues(tmp_path_factory):
    from simulator import read_endpoints, start_simulator

    accounts = [f"key{number}:secret{number}:sim" for number in range(40)]
    file, stop = start_simulator(directory=tmp_path_factory.mktemp("venues"), venues="binance,bybit,okx", rate=20, seed=5,
                                 account=accounts, weight_limit_factor=100)
    yield read_endpoints(file)
    stop()


@pytest.fixture
def venue(all_venues, tmp_path):
    number = next(_numbers)
    return Venue(all_venues, f"key{number}", f"secret{number}", tmp_path)


def amount(s, symbol):
    """Enough for every venue's least order, in the symbol's own unit."""
    return max(s.instrument(symbol).min_quantity, s.min_order_amount(symbol, px=s.cache.bookl1(symbol).ask), Decimal(0)) * 2


async def round_trip(s, symbol):
    """A market buy, a market sale and a resting bid that is canceled; the oids."""
    size = s.amount_to_precision(symbol, amount(s, symbol), "ceil")
    oids = []
    for side in (BUY, SELL):
        oids.append(s.create_order(symbol, side, OrderType.MARKET, size))
        assert (await s.settled(oids[-1])).is_filled, (s.cache.get_order(oids[-1]), s.summary()[-6:])
    price = s.price_to_precision(symbol, Decimal(str(s.cache.bookl1(symbol).bid)) * Decimal("0.97"), "floor")
    oids.append(s.create_order(symbol, BUY, OrderType.POST_ONLY, size, price))
    await s.until(lambda: s.heard("accepted", oids[-1]), what=f"a resting order on {symbol}")
    s.cancel_order(symbol, oids[-1])
    assert (await s.settled(oids[-1])).status.value == "CANCELED"
    return oids


@pytest.mark.parametrize("mode", ["block", "busy"])
def test_one_strategy_trades_on_three_venues(venue, mode):
    async def script(s):
        await s.quotes()
        for symbol in s.symbols:
            oids = await round_trip(s, symbol)
            assert {s.cache.get_order(oid).exchange for oid in oids} == {s.instrument(symbol).exchange}
            assert s.story(oids[0])[-1] == "filled"
            await s.until(lambda n=symbol: s.cache.get_position(n) is None or s.cache.get_position(n).is_closed, what="flat")
            assert s.cache.get_open_orders(symbol) == set()

    run_script(script, venue, symbols=[BINANCE, BYBIT, OKX], public=PUBLIC, private=PRIVATE, mode=mode)


@pytest.fixture(scope="module")
def tls_venues(tmp_path_factory):
    from simulator import read_endpoints, start_simulator

    file, stop = start_simulator(directory=tmp_path_factory.mktemp("tls"), venues="all", rate=20, seed=5, tls=True,
                                 account=[f"key{number}:secret{number}:sim" for number in range(4)], weight_limit_factor=100)
    yield read_endpoints(file)
    stop()


@pytest.mark.parametrize("entry", ["ws", "rest"])
def test_the_engine_trades_over_tls(tls_venues, tmp_path, entry):
    """Its books, orders and questions alike, verified by the authority that the endpoints name."""
    number = 0 if entry == "ws" else 1
    venue = Venue(tls_venues, f"key{number}", f"secret{number}", tmp_path)
    addresses = [url for tables in (*tls_venues["binance"].values(), tls_venues["bybit"], tls_venues["okx"])
                 for name, url in tables.items() if name != "order_limit_factor"]
    assert all(url.startswith(("https://", "wss://")) for url in addresses)
    symbols, accounts = [BINANCE, "BTCUSDT.BINANCE"], {}
    if entry == "ws":
        symbols, accounts = [BINANCE, BYBIT, OKX], {"public": PUBLIC, "private": PRIVATE}

    async def script(s):
        await s.quotes()
        for symbol in s.symbols:
            await round_trip(s, symbol)

    run_script(script, venue, symbols=symbols, order_entry=entry, **accounts)


def test_a_venue_that_is_lost_does_not_stop_the_others(venue):
    """Bybit goes away: its orders are refused with the reason, its book is stale, Binance trades on; it comes back by itself."""
    with ExitStack() as stack:
        proxies, addresses = [], dict(venue.endpoints["bybit"])
        for name in TABLES["bybit"]:
            proxies.append(stack.enter_context(proxy_to(addresses[name])))
            addresses[name] = proxies[-1].url(addresses[name])
        behind = Venue({**venue.endpoints, "bybit": addresses}, venue.key, venue.secret, venue.directory)

        async def script(s):
            await s.quotes()
            await round_trip(s, BYBIT)
            for proxy in proxies:
                proxy.accepts = False
                proxy.cut()
            await s.until(lambda: s.cache.bookl1(BYBIT).is_stale, what="a stale book")
            size = s.amount_to_precision(BYBIT, amount(s, BYBIT), "ceil")
            oid = s.create_order(BYBIT, BUY, OrderType.MARKET, size)
            await s.until(lambda: s.heard("failed", oid), what="the refusal")
            assert "connect" in s.heard("failed", oid)[0].reason or "stale" in s.heard("failed", oid)[0].reason
            count = len(s.books)
            await round_trip(s, BINANCE)
            await s.until(lambda: any(book.symbol == BINANCE for book in s.books[count:]), what="quotes of Binance")
            for proxy in proxies:
                proxy.accepts = True
            await s.until(lambda: not s.cache.bookl1(BYBIT).is_stale, what="fresh quotes")
            account = s.engine.host.accounts[UNIFIED]
            await s.until(lambda: account.ready.is_set(), what="the account's return")
            await round_trip(s, BYBIT)

        run_script(script, behind, symbols=[BINANCE, BYBIT], public=(USD_M, LINEAR), private=(USD_M, UNIFIED))


def test_a_venue_that_is_down_at_the_start_comes_later(venue):
    """OKX was there in the last session and is not now: the engine starts without it and takes it in when it answers."""
    with ExitStack() as stack:
        proxies, addresses = [], dict(venue.endpoints["okx"])
        for name in TABLES["okx"]:
            proxies.append(stack.enter_context(proxy_to(addresses[name])))
            addresses[name] = proxies[-1].url(addresses[name])
        behind = Venue({**venue.endpoints, "okx": addresses}, venue.key, venue.secret, venue.directory)
        options = {"symbols": [BINANCE, OKX], "public": (USD_M, LIVE), "private": (USD_M, LIVE), "strategy_id": "later"}

        async def first(s):
            await s.quotes()

        async def second(s):
            await s.quotes(BINANCE)
            await round_trip(s, BINANCE)
            assert s.cache.bookl1(OKX) is None
            for proxy in proxies:
                proxy.accepts = True
            await s.until(lambda: s.cache.bookl1(OKX) is not None, what="a quote of OKX")
            account = s.engine.host.accounts[LIVE]
            await s.until(lambda: account.ready.is_set(), what="the account")
            gates = s.engine.host.gates
            await s.until(lambda: not gates.remaining(account.index, RECOVERING), what="its last session's orders")
            await round_trip(s, OKX)

        run_script(first, behind, **options)
        for proxy in proxies:
            proxy.accepts = False
            proxy.cut()
        run_script(second, behind, **options)


@pytest.mark.parametrize("account", [USD_M, UNIFIED, LIVE], ids=lambda a: a.exchange.name)
def test_refused_keys_are_named_at_the_login(venue, account):
    stranger = Venue(venue.endpoints, "nobody", "secret", venue.directory)
    public = {USD_M: USD_M, UNIFIED: LINEAR, LIVE: LIVE}[account]
    engine = Engine(make_config(Strategy(), stranger, public=(public,), private=(account,)))
    try:
        with pytest.raises(CredentialError, match=f"{account.name}.*(key|api_key)"):
            engine.start()
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    ("public", "private", "words"),
    [
        ((UNIFIED,), (), "UNIFIED has no market data"),
        ((LINEAR,), (LINEAR,), "LINEAR"),
        ((OkxAccountType.LIVE, OkxAccountType.DEMO), (), "OKX"),
        ((SPOT_ACCOUNT, SPOT_ACCOUNT), (), "twice"),
    ],
)
def test_what_cannot_be_configured_is_named_at_build_time(venue, public, private, words):
    with pytest.raises(NexusError, match=words):
        Engine(make_config(Strategy(), venue, public=public, private=private))


def resting(s, symbol):
    """A bid that nothing will hit."""
    size = s.amount_to_precision(symbol, amount(s, symbol), "ceil")
    price = s.price_to_precision(symbol, Decimal(str(s.cache.bookl1(symbol).bid)) * Decimal("0.97"), "floor")
    return s.create_order(symbol, BUY, OrderType.LIMIT, size, price)


def test_the_kill_switch_and_the_dead_mans_switch_of_every_venue(venue, capsys):
    async def script(s):
        await s.quotes()
        safety = s.engine.host.safety
        safety._switches = {account_type: 30 for account_type in PRIVATE}
        safety.start()
        oids = [resting(s, symbol) for symbol in s.symbols for _ in range(2)]
        await s.until(lambda: len(s.heard("accepted")) == len(oids), what="resting orders")
        s.kill_switch("a test")
        said = lambda: [e["event"] for e in s.heard("private_ws_status")]  # noqa: E731
        await s.until(lambda: said().count("halted_empty") == 3, what="three confirmations")
        s.ends = [s.cache.get_order(oid).status.value for oid in oids]

    s = run_script(script, venue, symbols=[BINANCE, BYBIT, OKX], public=PUBLIC, private=PRIVATE)
    assert s.ends == ["CANCELED"] * 6
    said = capsys.readouterr()
    assert "dead man's switch" not in said.out + said.err        # no word of one that could not be renewed or taken back


def test_a_killed_session_is_taken_over_on_every_venue(venue):
    options = {"public": PUBLIC, "private": PRIVATE, "strategy_id": "killed-on-three", "exit_after_cancel": False}

    async def first(s):
        await s.quotes()
        oids = {symbol: resting(s, symbol) for symbol in s.symbols}
        await s.until(lambda: len(s.heard("accepted")) == 3, what="resting orders")
        s.die(oids)

    async def second(s):
        s.at_start = {symbol: s.cache.get_open_orders(symbol) for symbol in s.symbols}
        for symbol, oid in oids.items():
            s.cancel_order(symbol, oid)
        await s.until(lambda: len(s.heard("canceled")) == 3, what="their cancels")

    oids = run_and_die(first, venue, symbols=[BINANCE, BYBIT, OKX], **options)
    s = run_script(second, venue, symbols=[BINANCE, BYBIT, OKX], **options)
    assert s.at_start == {symbol: {oid} for symbol, oid in oids.items()}
