"""Start, run, stop; callbacks, schedules, subscriptions; several strategies; mistakes."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal

import pytest
from engine_program import (
    BTC,
    BTC_PERP,
    PERP,
    SPOT,
    SPOT_ACCOUNT,
    Scripted,
    make_config,
    run_script,
    run_strategies,
)
from patience import PROCESS_SECONDS, SCRIPT_SECONDS, WAIT_SECONDS
from simulator import SOURCE

from nexus_fast.config import BasicConfig, Config, PrivateConnectorConfig, PublicConnectorConfig
from nexus_fast.constants import BookLevel, ExchangeType, KlineInterval, OrderSide, OrderType
from nexus_fast.engine import Engine
from nexus_fast.error import AlreadyRunningError, EngineBuildError, InstrumentError, NexusError
from nexus_fast.exchange import BinanceAccountType, BybitAccountType

BUY, SELL = OrderSide.BUY, OrderSide.SELL
SIX = Decimal("6")


@pytest.mark.parametrize("mode", ["block", "adaptive", "busy"])
def test_every_loop_mode_trades(venue, mode):
    async def script(s):
        await s.quotes()
        for symbol in (SPOT, PERP):
            for side in (BUY, SELL):
                await s.settled(s.create_order(symbol, side, OrderType.MARKET, SIX))
        count = len(s.books)
        await asyncio.sleep(0.3)                 # adaptive falls asleep between ticks and wakes again
        await s.until(lambda: len(s.books) > count + 5)

    s = run_script(script, venue, symbols=[SPOT, PERP], mode=mode)
    assert len(s.heard("filled")) == 4
    assert s.engine.loop_config.mode == mode


@pytest.mark.scenario(55)
def test_exceptions_in_callbacks_are_logged_and_the_feed_goes_on(venue, capsys):
    class Broken(Scripted):
        def on_bookl1(self, book):
            super().on_bookl1(book)
            raise ZeroDivisionError("in on_bookl1")

        def on_accepted_order(self, order):
            super().on_accepted_order(order)
            raise KeyError("in on_accepted_order")

        def on_filled_order(self, order):
            super().on_filled_order(order)
            raise RuntimeError("in on_filled_order")

    async def script(s):
        await s.quotes()
        await s.until(lambda: len(s.books) > 10)
        await s.settled(s.create_order(SPOT, BUY, OrderType.MARKET, SIX))
        await s.settled(s.create_order(SPOT, SELL, OrderType.MARKET, SIX))

    broken = Broken(script, [SPOT])
    healthy = Scripted(lambda s: asyncio.sleep(0.2), [SPOT])
    healthy.stop = lambda: None
    engine = run_strategies([broken, healthy], venue)
    out = capsys.readouterr().out
    for text in ("ZeroDivisionError: in on_bookl1", "RuntimeError: in on_filled_order", "Traceback", "Broken.on_filled_order"):
        assert text in out
    assert len(broken.heard("filled")) == 2
    assert len(healthy.books) >= 10
    assert engine.report()["callback_errors"] >= 10


def test_a_kept_book_never_changes(venue):
    async def script(s):
        await s.until(lambda: s.books)
        kept = s.books[0]
        first = repr(kept), kept.bid, kept.ask, kept.bid_size, kept.ask_size, kept.timestamp
        venue.prices("walk")
        await s.until(lambda: any((b.bid, b.ask) != (kept.bid, kept.ask) for b in s.books), what="a market that moves")
        assert (repr(kept), kept.bid, kept.ask, kept.bid_size, kept.ask_size, kept.timestamp) == first
        assert s.cache.bookl1(BTC) is not kept

    try:
        run_script(script, venue, symbols=[BTC])
    finally:
        venue.prices("stand")


def test_other_streams(venue):
    async def script(s):
        s.subscribe_trade([BTC, BTC_PERP])
        s.subscribe_kline(BTC, KlineInterval.MINUTE_1)
        s.subscribe_kline(BTC_PERP, KlineInterval.MINUTE_1)
        s.subscribe_bookl2([BTC, BTC_PERP], BookLevel.L5)
        s.subscribe_mark_price(BTC_PERP)
        s.subscribe_funding_rate(BTC_PERP)
        await s.quotes()
        for symbol in (BTC, BTC_PERP):
            await s.settled(s.create_order(symbol, BUY, OrderType.MARKET, Decimal("0.01")))
        for name, symbols in (("trade", {BTC, BTC_PERP}), ("kline", {BTC, BTC_PERP}), ("bookl2", {BTC, BTC_PERP}),
                              ("mark_price", {BTC_PERP}), ("funding_rate", {BTC_PERP})):
            await s.until(lambda n=name, w=symbols: {e.symbol for e in s.heard(n)} >= w, what=name)
        book = s.heard("bookl2")[-1]
        assert len(book.bids) == 5 and book.bids[0].price < book.asks[0].price
        assert s.cache.bookl2(BTC) is not None and s.cache.kline(BTC, KlineInterval.MINUTE_1) is not None
        assert s.cache.mark_price(BTC_PERP).price > 0
        s.subscribe_kline(BTC, KlineInterval.MINUTE_5)
        await s.until(lambda: KlineInterval.MINUTE_5 in {k.interval for k in s.heard("kline")}, what="bars of five minutes")
        s.unsubscribe_kline(BTC, KlineInterval.MINUTE_5)
        await asyncio.sleep(0.1)
        count = len(s.heard("kline"))
        await s.settled(s.create_order(BTC, SELL, OrderType.MARKET, Decimal("0.01")))
        await s.until(lambda: BTC in {k.symbol for k in s.heard("kline")[count:]}, what="the other interval goes on")
        assert {k.interval for k in s.heard("kline")[count:]} == {KlineInterval.MINUTE_1}
        s.unsubscribe_mark_price(BTC_PERP)       # the same stream of the venue brings the funding rate
        await asyncio.sleep(0.1)
        prices, rates = len(s.heard("mark_price")), len(s.heard("funding_rate"))
        await s.until(lambda: len(s.heard("funding_rate")) > rates, what="a further funding rate")
        assert len(s.heard("mark_price")) == prices

    run_script(script, venue, symbols=[BTC, BTC_PERP])


def test_unsubscribed_books_stay_away(venue):
    async def script(s):
        await s.quotes()
        s.unsubscribe_bookl1(BTC)
        await asyncio.sleep(0.1)
        count = len(s.books)
        await s.until(lambda: len(s.books) > count + 10)
        assert {b.symbol for b in s.books[count:]} == {BTC_PERP}
        s.subscribe_bookl1(BTC)
        await s.until(lambda: s.books[-1].symbol == BTC, what="the book again")
        with pytest.raises(InstrumentError):
            s.subscribe_bookl1("NOSUCHUSDT.BINANCE")
        with pytest.raises(InstrumentError):
            s.subscribe_bookl1("nonsense")

    run_script(script, venue, symbols=[BTC, BTC_PERP])


def test_ready_comes_with_the_first_books(venue):
    async def script(s):
        assert not s.ready
        await s.until(lambda: s.ready)
        assert {b.symbol for b in s.books} == {BTC, BTC_PERP}

    run_script(script, venue, symbols=[BTC, BTC_PERP])


def test_schedules_run_on_the_loops_thread(venue):
    threads, seen = set(), []

    async def script(s):
        def tick(what):
            threads.add(threading.get_ident())
            seen.append(what)
            if len(seen) == 2:
                raise ValueError("in a job")

        async def coroutine():
            threads.add(threading.get_ident())
            seen.append("coroutine")

        s.schedule(tick, "interval", seconds=0.05, args=["interval"])
        s.schedule(coroutine, "interval", seconds=0.05)
        await s.until(lambda: seen.count("interval") > 3 and seen.count("coroutine") > 2, what="the jobs")
        oids = []
        s.schedule(lambda: oids.append(s.create_order(SPOT, BUY, OrderType.MARKET, SIX)), "date")
        await s.until(lambda: oids)
        await s.settled(oids[0])

    run_script(script, venue, symbols=[SPOT])
    assert threads == {threading.get_ident()}


def test_dispose_from_a_callback_and_again(venue):
    class Disposer(Scripted):
        stops = 0

        def on_bookl1(self, book):
            self.engine.dispose()
            self.engine.dispose()

        def on_stop(self):
            self.stops += 1

    strategy = Disposer(lambda s: asyncio.sleep(SCRIPT_SECONDS), [SPOT])
    engine = Engine(make_config(strategy, venue))
    strategy.engine = engine
    begun = time.monotonic()
    engine.start()
    assert time.monotonic() - begun < PROCESS_SECONDS
    assert strategy.stops == 1
    engine.dispose()
    engine.dispose()
    with pytest.raises(EngineBuildError, match="disposed"):
        engine.start()


def test_disposing_what_never_ran(venue):
    engine = Engine(make_config(Scripted(None), venue))
    engine.dispose()
    engine.dispose()


def test_several_strategies_share_an_engine(venue):
    """Each hears of its own orders, both hear the quotes and the balances."""

    async def first(s):
        await s.quotes()
        s.oid = s.create_order(SPOT, BUY, OrderType.MARKET, SIX)
        await s.settled(s.oid)
        await s.until(lambda: other.heard("filled"))

    async def second(s):
        await s.quotes()
        s.oid = s.create_order(PERP, BUY, OrderType.MARKET, SIX)
        await s.settled(s.oid)
        await asyncio.sleep(SCRIPT_SECONDS)

    one, other = Scripted(first, [SPOT]), Scripted(second, [SPOT, PERP])
    with pytest.raises((asyncio.CancelledError, TimeoutError)):
        run_strategies([one, other], venue)      # the first one's stop cancels the second's script
    assert one.failure is None
    assert [o.oid for o in one.heard("filled")] == [one.oid]
    assert [o.oid for o in other.heard("filled")] == [other.oid]
    assert {b.symbol for b in one.books} == {SPOT} and {b.symbol for b in other.books} == {SPOT, PERP}


def basic(**fields):
    return {ExchangeType.BINANCE: BasicConfig(api_key="k", secret="s", **fields)}


def public(*types):
    return {ExchangeType.BINANCE: [PublicConnectorConfig(account_type=t) for t in types]}


def private(*types):
    return {ExchangeType.BINANCE: [PrivateConnectorConfig(account_type=t) for t in types]}


MISTAKES = {
    "no basic_config": (({}, public(SPOT_ACCOUNT), {}), ("BINANCE", "basic_config")),
    "a public MARGIN connector": ((basic(), public(BinanceAccountType.MARGIN), {}), ("MARGIN", "public")),
    "testnet account, live keys": ((basic(), public(BinanceAccountType.SPOT_TESTNET), {}), ("SPOT_TESTNET", "testnet")),
    "live account, testnet keys": ((basic(testnet=True), public(SPOT_ACCOUNT), {}), ("SPOT", "testnet")),
    "a Bybit account under BINANCE": ((basic(), public(BybitAccountType.LINEAR), {}), ("LINEAR", "BINANCE")),
    "a Bybit private account": ((basic(), public(SPOT_ACCOUNT), private(BybitAccountType.UNIFIED)), ("UNIFIED", "BINANCE")),
    "no keys": (({ExchangeType.BINANCE: BasicConfig()}, public(SPOT_ACCOUNT), private(SPOT_ACCOUNT)), ("api_key", "BINANCE")),
    "twice the same": ((basic(), public(SPOT_ACCOUNT), private(SPOT_ACCOUNT, SPOT_ACCOUNT)), ("SPOT",)),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_configuration_mistakes_are_named(name, venue):
    (basic_config, public_config, private_config), words = MISTAKES[name]
    with pytest.raises(NexusError) as caught:
        Engine(Config("mistaken", "tests", Scripted(None), basic_config, public_config, private_config,
                      endpoints={"binance": venue.endpoints["binance"]}, journal_directory=venue.directory)).start()
    text = str(caught.value)
    assert all(word in text for word in words), text
    assert len(text) > 40


@pytest.mark.scenario(51)
def test_a_second_process_with_the_same_strategy_id(venue, tmp_path):
    program = tmp_path / "second.py"
    program.write_text(f"""
import sys
sys.path.insert(0, {str(os.path.dirname(__file__) + "/../support")!r})
from engine_program import Scripted, Venue, make_config
from nexus_fast.engine import Engine
from nexus_fast.error import AlreadyRunningError
venue = Venue({venue.endpoints!r}, {venue.key!r}, {venue.secret!r}, {str(tmp_path / "second")!r})
try:
    Engine(make_config(Scripted(None), venue, strategy_id="the_only_one")).start()
except AlreadyRunningError as error:
    print("REFUSED", error)
""")

    async def script(s):
        process = await asyncio.create_subprocess_exec(sys.executable, str(program), stdout=subprocess.PIPE,
                                                       stderr=subprocess.STDOUT, env=dict(os.environ, PYTHONPATH=str(SOURCE)))
        out, _ = await asyncio.wait_for(process.communicate(), PROCESS_SECONDS)
        assert b"REFUSED" in out and b"the_only_one" in out, out.decode()

    run_script(script, venue, symbols=[SPOT], strategy_id="the_only_one")
    run_script(lambda s: s.quotes(), venue, symbols=[SPOT], strategy_id="the_only_one")      # free again afterwards


@pytest.mark.scenario(51)
def test_a_second_engine_in_the_same_process(venue):
    async def script(s):
        with pytest.raises(AlreadyRunningError):
            from nexus_fast.engine.core import Core
            Core(s.engine.config, [], 1, lambda: None, lambda *_: None)

    run_script(script, venue, symbols=[SPOT])


def test_a_venue_that_cannot_be_reached_stops_the_build(venue):
    dead = venue.with_addresses(spot={"rest": "http://127.0.0.1:9"})
    with pytest.raises(EngineBuildError, match="127.0.0.1:9"):
        run_script(lambda s: s.quotes(), dead, symbols=[SPOT])


def test_on_start_that_raises_ends_the_engine(venue):
    class Failing(Scripted):
        def on_start(self):
            raise LookupError("in on_start")

    with pytest.raises(LookupError, match="in on_start"):
        run_strategies([Failing(None)], venue)


# ---------------------------------------------------------------------------------------------- signals, in a child


CHILD = """
import sys
sys.path.insert(0, {support!r})
from decimal import Decimal
from engine_program import *
from nexus_fast.constants import OrderSide, OrderType
from nexus_fast.engine import Engine

class Child(Scripted):
    def on_start(self):
        super().on_start()
        print("STARTED", flush=True)
    def on_accepted_order(self, order):
        print("ACCEPTED", flush=True)
    def on_stop(self):
        print("STOPPED", flush=True)

async def script(s):
    await s.quotes()
    price = s.price_to_precision(BTC, Decimal(str(s.cache.bookl1(BTC).bid)) * Decimal("0.9"))
    s.create_order(BTC, OrderSide.BUY, OrderType.LIMIT, Decimal("0.001"), price)
    await asyncio.sleep(1000)

venue = Venue({endpoints!r}, {key!r}, {secret!r}, {directory!r})
engine = Engine(make_config(Child(script, [BTC]), venue, mode={mode!r}))
print("BUILDING", flush=True)
try:
    engine.start()
finally:
    engine.dispose()
print("ENDED", flush=True)
"""


def start_child(venue, tmp_path, mode="block"):
    program = tmp_path / "child.py"
    program.write_text(CHILD.format(support=os.path.dirname(__file__) + "/../support", endpoints=venue.endpoints, key=venue.key,
                                    secret=venue.secret, directory=str(tmp_path), mode=mode))
    return subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env=dict(os.environ, PYTHONPATH=str(SOURCE)))


def read_until(process, word):
    lines = []
    timer = threading.Timer(PROCESS_SECONDS, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            lines.append(line)
            if word in line:
                return lines
    finally:
        timer.cancel()
    raise AssertionError(f"{word} did not come:\n{''.join(lines)}")


@pytest.mark.parametrize(("mode", "number"), [("block", signal.SIGINT), ("busy", signal.SIGINT), ("adaptive", signal.SIGTERM)])
def test_a_signal_ends_a_running_engine(venue, tmp_path, mode, number):
    process = start_child(venue, tmp_path, mode)
    try:
        read_until(process, "ACCEPTED")
        assert len(venue.open_orders()) == 1
        process.send_signal(number)
        rest, _ = process.communicate(timeout=PROCESS_SECONDS)
    finally:
        process.kill()
    assert process.returncode == 0, rest
    assert "STOPPED" in rest and "ENDED" in rest and "Traceback" not in rest
    assert venue.open_orders() == []


def test_a_signal_ends_a_build(venue, tmp_path):
    """The venue accepts connections and says nothing: Ctrl+C ends the waiting."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.settimeout(WAIT_SECONDS)
        silent = venue.with_addresses(spot={"rest": f"http://127.0.0.1:{mute.getsockname()[1]}"})
        process = start_child(silent, tmp_path)
        try:
            read_until(process, "BUILDING")
            with mute.accept()[0]:
                process.send_signal(signal.SIGINT)
                rest, _ = process.communicate(timeout=PROCESS_SECONDS)
        finally:
            process.kill()
    assert process.returncode == 0, rest
    assert "STARTED" not in rest and "STOPPED" not in rest and "ENDED" in rest and "Traceback" not in rest
