"""Connections that break, hang, lie and speak TLS: what the engine does about it."""

import contextlib
import os
import subprocess
import sys
import time
from decimal import Decimal

import pytest
from engine_program import (
    BTC,
    BTC_PERP,
    PERP,
    PERP_ACCOUNT,
    SPOT,
    SPOT_ACCOUNT,
    Venue,
    run_script,
)
from patience import PROCESS_SECONDS
from proxy import proxy_to, self_signed
from simulator import SOURCE

from nexus_fast.constants import OrderSide, OrderStatus, OrderType
from nexus_fast.exchange.binance import account as binance_account
from nexus_fast.feed import line

BUY, SELL = OrderSide.BUY, OrderSide.SELL
SIX = Decimal("6")


def far_below(strategy, symbol, share="0.97"):
    return strategy.price_to_precision(symbol, Decimal(str(strategy.cache.bookl1(symbol).bid)) * Decimal(share), "floor")


def statuses(strategy, account):
    """The events of one account's connection, oldest first."""
    return [e["event"] for e in strategy.heard("private_ws_status") if e["account_type"] is account]


def resyncs(strategy, account):
    return [d for d in strategy.heard("private_ws_resync_diff") if d["account_type"] is account]


@contextlib.contextmanager
def through(venue, *keys, tls=None):
    """The venue with a proxy before each address ("spot.ws_api", …); yields (venue, {key: proxy})."""
    with contextlib.ExitStack() as stack:
        proxies, tables = {}, {}
        for key in keys:
            family, name = key.split(".")
            url = venue.endpoints["binance"][family][name]
            proxies[key] = stack.enter_context(proxy_to(url, tls))
            tables.setdefault(family, {})[name] = proxies[key].url(url)
        yield venue.with_addresses(**tables), proxies


@pytest.mark.scenario(24)
def test_market_data_comes_back_after_a_cut(venue):
    """Reconnected, subscribed again, newer quotes than before; orders go on."""

    async def script(s):
        await s.quotes()
        before = {symbol: s.cache.bookl1(symbol).timestamp for symbol in s.symbols}
        for proxy in s.proxies.values():
            proxy.cut()
        await s.until(lambda: all(p.connections >= 2 for p in s.proxies.values()), what="new connections")
        count = len(s.books)
        await s.until(lambda: {b.symbol for b in s.books[count:]} == set(s.symbols), what="fresh quotes")
        assert all(s.cache.bookl1(symbol).timestamp > before[symbol] for symbol in s.symbols)
        await s.settled(s.create_order(SPOT, BUY, OrderType.MARKET, SIX))

    with through(venue, "spot.stream", "usd_m.public") as (proxied, proxies):
        run_script(lambda s: (setattr(s, "proxies", proxies), script(s))[1], proxied, symbols=[BTC, BTC_PERP, SPOT])


def test_a_book_is_stale_while_its_connection_is_down(venue):
    async def script(s):
        await s.quotes()
        assert not s.cache.bookl1(BTC).is_stale
        proxies["spot.stream"].accepts = False
        proxies["spot.stream"].cut()
        await s.until(lambda: s.cache.bookl1(BTC).is_stale, what="a stale book")
        assert not s.cache.bookl1(BTC_PERP).is_stale
        proxies["spot.stream"].accepts = True
        await s.until(lambda: not s.cache.bookl1(BTC).is_stale, what="a fresh book")

    with through(venue, "spot.stream") as (proxied, proxies):
        run_script(script, proxied, symbols=[BTC, BTC_PERP])


@pytest.mark.scenario(1)
@pytest.mark.parametrize(("symbol", "key"), [(BTC, "spot.ws_api"), (BTC_PERP, "usd_m.ws_api")])
def test_an_order_whose_acknowledgement_is_lost_is_asked_for(venue, symbol, key):
    """Scenario 1: the venue has it, its answer does not come, the connection breaks. Asked for, adopted, sent once."""

    async def script(s):
        await s.quotes()
        proxies[key].answers = False
        oid = s.create_order(symbol, BUY, OrderType.LIMIT, Decimal("0.002"), far_below(s, symbol))
        await s.until(lambda: [o for o in venue.open_orders() if o["clientOrderId"] == oid], what="the venue to have it")
        proxies[key].heal()
        await s.until(lambda: s.heard("accepted", oid), what="the order's adoption")
        assert s.cache.get_order(oid).eid == str(venue.open_orders()[0]["orderId"])
        account = SPOT_ACCOUNT if symbol == BTC else PERP_ACCOUNT
        await s.until(lambda: statuses(s, account)[1:] == ["disconnected", "resynced", "connected"], what="a resync")
        assert [d["success"] for d in resyncs(s, account)] == [True]
        s.cancel_order(symbol, oid)
        await s.until(lambda: s.heard("canceled", oid))

    with through(venue, key) as (proxied, proxies):
        s = run_script(script, proxied, symbols=[symbol])
    assert venue.statistics()["orders"] == 1
    assert "failed" not in [name for name, _ in s.events]


@pytest.mark.scenario(2)
@pytest.mark.parametrize(("symbol", "key"), [(BTC, "spot.ws_api"), (BTC_PERP, "usd_m.ws_api")])
def test_an_order_that_never_arrived_fails_after_proof(venue, symbol, key):
    """Scenario 2: the request is lost with the connection. FAILED, but not before the venue has said no repeatedly and the
    request could not arrive any more."""

    async def script(s):
        await s.quotes()
        proxies[key].requests = False
        sent = time.monotonic()
        oid = s.create_order(symbol, BUY, OrderType.LIMIT, Decimal("0.002"), far_below(s, symbol))
        await s.until(lambda: s.heard("pending", oid))
        proxies[key].heal()
        order = await s.settled(oid)
        assert order.status is OrderStatus.FAILED and "no such order" in order.reason
        assert time.monotonic() - sent > 1.0

    with through(venue, key) as (proxied, proxies):
        s = run_script(script, proxied, symbols=[symbol])
    assert venue.statistics()["orders"] == 0
    assert len(s.heard("failed")) == 1


def test_silence_becomes_doubt_and_doubt_a_question(venue):
    """The connection lives, the answer does not come within request_timeout_ms: asked over REST."""

    async def script(s):
        await s.quotes()
        proxies["usd_m.ws_api"].answers = False
        proxies["usd_m.private"].answers = False
        oid = s.create_order(BTC_PERP, BUY, OrderType.LIMIT, Decimal("0.002"), far_below(s, BTC_PERP))
        await s.until(lambda: s.heard("accepted", oid), what="the order's adoption")
        kinds = [str(r["result_type"]) for r in s.heard("ws_order_request_result") if r["oid"] == oid]
        assert any("TIMEOUT" in kind for kind in kinds)
        venue.ask("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")

    with through(venue, "usd_m.ws_api", "usd_m.private") as (proxied, proxies):
        run_script(script, proxied, symbols=[BTC_PERP], request_timeout_ms=300, exit_after_cancel=False)
    assert venue.statistics()["orders"] == 1


@pytest.mark.scenario(11)
@pytest.mark.parametrize(("symbol", "key"), [(BTC, "spot.ws_api"), (BTC_PERP, "usd_m.ws_api")])
def test_a_cancel_that_was_lost_is_said_to_have_failed(venue, symbol, key):
    """Scenario 11's other half: the cancel never arrives. The order is open at the venue, and the strategy hears that."""

    async def script(s):
        await s.quotes()
        oid = s.create_order(symbol, BUY, OrderType.LIMIT, Decimal("0.002"), far_below(s, symbol))
        await s.until(lambda: s.heard("accepted", oid))
        proxies[key].requests = False
        s.cancel_order(symbol, oid)
        await s.until(lambda: s.heard("canceling", oid))
        proxies[key].heal()
        await s.until(lambda: s.heard("cancel_failed", oid), what="on_cancel_failed_order")
        assert s.cache.get_order(oid).status is OrderStatus.ACCEPTED
        # REST may have said so while the connection was still away.
        account = SPOT_ACCOUNT if symbol == BTC else PERP_ACCOUNT
        await s.until(lambda: statuses(s, account)[-1] == "connected", what="the order connection")
        s.cancel_order(symbol, oid)
        await s.until(lambda: s.heard("canceled", oid))

    with through(venue, key) as (proxied, proxies):
        run_script(script, proxied, symbols=[symbol])
    assert venue.open_orders() == []


@pytest.mark.scenario(11)
def test_a_cancel_whose_answer_was_lost_is_canceled(venue):
    async def script(s):
        await s.quotes()
        oid = s.create_order(BTC, BUY, OrderType.LIMIT, Decimal("0.002"), far_below(s, BTC))
        await s.until(lambda: s.heard("accepted", oid))
        proxies["spot.ws_api"].answers = False
        s.cancel_order(BTC, oid)
        await s.until(lambda: not venue.open_orders(), what="the venue's cancel")
        proxies["spot.ws_api"].heal()
        order = await s.settled(oid)
        assert order.status is OrderStatus.CANCELED

    with through(venue, "spot.ws_api") as (proxied, proxies):
        run_script(script, proxied, symbols=[BTC])


@pytest.mark.scenario(13)
def test_a_modification_whose_answer_was_lost_is_found(venue):
    """Scenario 13: neither the answer nor the private event comes; the venue is asked, its price and quantity are adopted."""

    async def script(s):
        await s.quotes()
        first, second = far_below(s, BTC_PERP), far_below(s, BTC_PERP, "0.96")
        oid = s.create_order(BTC_PERP, BUY, OrderType.LIMIT, Decimal("0.002"), first)
        await s.until(lambda: s.heard("accepted", oid))
        proxies["usd_m.ws_api"].answers = proxies["usd_m.private"].answers = False
        s.modify_order(BTC_PERP, oid, price=second, amount=Decimal("0.003"))
        await s.until(lambda: s.cache.get_order(oid).price == float(second), what="the new price")
        assert s.cache.get_order(oid).amount == Decimal("0.003")
        assert s.cache.get_order(oid).status is OrderStatus.ACCEPTED
        venue.ask("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")

    with through(venue, "usd_m.ws_api", "usd_m.private") as (proxied, proxies):
        run_script(script, proxied, symbols=[BTC_PERP], request_timeout_ms=300, exit_after_cancel=False)


@pytest.mark.scenario(9)
def test_partly_filled_then_canceled(venue):
    """Scenario 9: the cancel brings what was filled, whichever connection speaks first."""

    async def script(s):
        await s.quotes()
        # Takes the whole book and is larger than that. The cancel is on its way before the market can move into what rests.
        price = s.price_to_precision(BTC_PERP, s.cache.bookl1(BTC_PERP).ask_decimal * Decimal("1.0005"))
        proxies["usd_m.private"].answers = False
        oid = s.create_order(BTC_PERP, BUY, OrderType.LIMIT, Decimal("120"), price)
        s.cancel_order(BTC_PERP, oid)
        order = await s.settled(oid)
        told = venue.order("usd_m", "BTCUSDT", oid)
        assert order.status is OrderStatus.CANCELED and told["status"] == "CANCELED"
        assert order.filled == Decimal(told["executedQty"]) > 0

    with through(venue, "usd_m.private") as (proxied, proxies):
        run_script(script, proxied, symbols=[BTC_PERP])


@pytest.mark.scenario(7)
def test_a_fill_that_was_missed_is_found_at_the_reconnect(venue):
    """Scenario 7: filled while the private stream was away."""

    async def script(s):
        await s.quotes()
        oid = s.create_order(BTC_PERP, BUY, OrderType.LIMIT, Decimal("0.002"), far_below(s, BTC_PERP))
        await s.until(lambda: s.heard("accepted", oid))
        proxies["usd_m.private"].answers = False
        venue.ask("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
        venue.ask("POST", "/fapi/v1/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.003")
        proxies["usd_m.private"].heal()
        order = await s.settled(oid)
        assert order.status is OrderStatus.CANCELED
        await s.until(lambda: s.cache.get_position(BTC_PERP) is not None
                      and s.cache.get_position(BTC_PERP).signed_amount == Decimal("-0.003"), what="the position")
        diff = await s.until(lambda: [d for d in s.heard("private_ws_resync_diff") if d["success"]])
        assert diff[-1]["open_orders_removed"] == [oid] and diff[-1]["positions_opened"] == [BTC_PERP]
        await s.until(lambda: statuses(s, PERP_ACCOUNT) == ["connected", "disconnected", "resynced", "connected"])

    with through(venue, "usd_m.private") as (proxied, proxies):
        run_script(script, proxied, symbols=[BTC_PERP])


def test_while_the_order_connection_is_down_orders_are_refused(venue):
    async def script(s):
        await s.quotes()
        proxies["spot.ws_api"].accepts = False
        proxies["spot.ws_api"].cut()
        await s.until(lambda: statuses(s, SPOT_ACCOUNT) == ["connected", "disconnected"])
        oid = s.create_order(SPOT, BUY, OrderType.MARKET, SIX)
        await s.until(lambda: s.heard("failed", oid))
        assert "down" in s.heard("failed", oid)[0].reason
        proxies["spot.ws_api"].accepts = True
        await s.until(lambda: statuses(s, SPOT_ACCOUNT)[-1] == "connected", what="connected again")
        await s.settled(s.create_order(SPOT, BUY, OrderType.MARKET, SIX))
        assert len(s.heard("filled")) == 1

    with through(venue, "spot.ws_api") as (proxied, proxies):
        run_script(script, proxied, symbols=[SPOT])


@pytest.mark.scenario(39)
def test_several_connections_bring_each_update_once(venue):
    """connections=2: the first arrival wins, the other is dropped and counted; one cut leaves no gap and no stale book."""

    async def script(s):
        await s.quotes()
        feeds = s.engine.host.market_feeds
        await s.until(lambda: sum(f.doubled for f in feeds) > 50, what="doubled updates")
        numbers = {}
        for book in s.books:
            numbers.setdefault(book.symbol, []).append(book.update_id)
        assert all(found == sorted(set(found)) for found in numbers.values())
        assert [f.counters()["unknown_symbols"] for f in feeds] == [0] * len(feeds)
        spot = s.engine.host.feeds[SPOT_ACCOUNT]
        assert len(spot.quotes) == 2
        spot.quotes[0].connection.drop()
        await s.until(lambda: not spot.quotes[0].connection.is_up or spot.quotes[0].connection.connects > 1, what="the cut")
        assert not s.cache.bookl1(BTC).is_stale
        count = len(s.books)
        await s.until(lambda: {b.symbol for b in s.books[count:]} == set(s.symbols), what="quotes over the other connection")
        await s.until(lambda: spot.quotes[0].connection.connects == 2 and feeds[0].quotes + feeds[0].doubled, what="its return")

    run_script(script, venue, symbols=[BTC, BTC_PERP], connections=2)


@pytest.mark.scenario(35)
def test_a_stream_on_the_wrong_route_is_reported(venue, monkeypatch, capsys):
    """Scenario 35: USD-M quotes asked for at /market are acknowledged and never come."""
    monkeypatch.setattr(line, "SILENT_SECONDS", 3.0)
    wrong = venue.with_addresses(usd_m={"public": venue.endpoints["binance"]["usd_m"]["market"]})

    async def script(s):
        await s.quotes(SPOT)
        await s.until(lambda: s.engine.host.silent_feeds, what="the watchdog")
        assert s.cache.bookl1(PERP) is None

    s = run_script(script, wrong, symbols=[PERP, SPOT])
    assert len(s.engine.host.silent_feeds) == 1 and "usd_m" in s.engine.host.silent_feeds[0]
    out = capsys.readouterr().out
    assert "[ERROR]" in out and "usdcusdt@bookTicker" in out and "sends nothing" in out


TRADER = """
from decimal import Decimal
from nexus_fast.config import BasicConfig, Config, PrivateConnectorConfig, PublicConnectorConfig
from nexus_fast.constants import ExchangeType, OrderSide, OrderType
from nexus_fast.engine import Engine
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.strategy import Strategy

class Trader(Strategy):
    quotes = filled = 0

    def on_start(self):
        self.subscribe_bookl1(["USDCUSDT.BINANCE", "USDCUSDT-PERP.BINANCE"])

    def on_bookl1(self, book):
        self.quotes += 1
        if self.quotes == 10:
            for symbol in ("USDCUSDT.BINANCE", "USDCUSDT-PERP.BINANCE"):
                self.create_order(symbol, OrderSide.BUY, OrderType.MARKET, Decimal("6"))

    def on_filled_order(self, order):
        self.filled += 1
        if self.filled == 2:
            print("FILLED", self.filled, flush=True)
            self.stop()

accounts = (BinanceAccountType.SPOT, BinanceAccountType.USD_M_FUTURE)
Engine(Config("tls", "tests", Trader(), {ExchangeType.BINANCE: BasicConfig("KEY", "SECRET")},
    {ExchangeType.BINANCE: [PublicConnectorConfig(a) for a in accounts]},
    {ExchangeType.BINANCE: [PrivateConnectorConfig(a) for a in accounts]})).start()
"""


@pytest.mark.scenario(70)
@pytest.mark.parametrize("mode", ["block", "adaptive", "busy"])
def test_over_tls(venue, tmp_path, mode):
    """Every address by TLS, with a certificate that SSL_CERT_FILE says to trust; in a process of its own, as the variable
    is read when libraries are imported."""
    context, certificate = self_signed(tmp_path)
    keys = ["spot.rest", "spot.stream", "spot.ws_api"]
    keys += ["usd_m.rest", "usd_m.public", "usd_m.market", "usd_m.private", "usd_m.ws_api"]
    program = tmp_path / "trader.py"
    program.write_text(TRADER.replace("KEY", venue.key).replace("SECRET", venue.secret))
    with through(venue, *keys, tls=context) as (proxied, proxies):
        assert proxied.endpoints["binance"]["spot"]["rest"].startswith("https://")
        file = tmp_path / "endpoints.toml"
        file.write_text("\n".join(f"[binance.{family}]\n" + "\n".join(f'{k} = "{v}"' for k, v in table.items())
                                  for family, table in proxied.endpoints["binance"].items()))
        environment = dict(os.environ, PYTHONPATH=str(SOURCE), SSL_CERT_FILE=str(certificate), NEXUS_FAST_LOOP=mode,
                           NEXUS_FAST_ENDPOINTS=str(file))
        done = subprocess.run([sys.executable, str(program)], env=environment, cwd=tmp_path, capture_output=True,
                              timeout=PROCESS_SECONDS)
        assert b"FILLED 2" in done.stdout, (done.stdout + done.stderr).decode()[-3000:]
        assert done.returncode == 0
        assert all(p.connections for key, p in proxies.items() if key != "usd_m.market")


def test_tls_that_is_not_trusted_is_refused(venue, tmp_path):
    from nexus_fast.error import EngineBuildError

    context, _ = self_signed(tmp_path)

    async def script(s):
        raise AssertionError("the engine must not start")

    with through(venue, "spot.rest", tls=context) as (proxied, _):
        with pytest.raises(EngineBuildError, match="SPOT.*instruments"):
            run_script(script, proxied, symbols=[SPOT])


@pytest.fixture(scope="module")
def short_keys(tmp_path_factory):
    """A simulator whose listen keys live four seconds."""
    from simulator import read_endpoints, start_simulator

    file, stop = start_simulator(directory=tmp_path_factory.mktemp("short_keys"), rate=20, seed=3, listen_key_seconds=4)
    yield read_endpoints(file)
    stop()


@pytest.mark.scenario(40)
def test_an_expired_listen_key_is_replaced(short_keys, tmp_path):
    """Scenario 40: listenKeyExpired → a new key, reconciled; fills are heard before and after."""
    venue = Venue(short_keys, directory=tmp_path)

    async def script(s):
        await s.quotes()
        await s.settled(s.create_order(PERP, BUY, OrderType.MARKET, SIX))
        await s.until(lambda: resyncs(s, PERP_ACCOUNT), what="a reconcile after expiry")
        assert resyncs(s, PERP_ACCOUNT)[0]["success"]
        await s.until(lambda: statuses(s, PERP_ACCOUNT)[-1] == "connected")
        oid = s.create_order(PERP, SELL, OrderType.MARKET, SIX)
        await s.settled(oid)
        assert s.cache.get_order(oid).average
        await s.until(lambda: s.cache.get_position(PERP) is None or s.cache.get_position(PERP).is_closed)

    run_script(script, venue, symbols=[PERP], public=(PERP_ACCOUNT,), private=(PERP_ACCOUNT,))


def test_a_listen_key_is_kept_alive(short_keys, tmp_path, monkeypatch):
    monkeypatch.setattr(binance_account, "LISTEN_KEY_SECONDS", 0.7)
    venue = Venue(short_keys, directory=tmp_path)

    async def script(s):
        await s.quotes()
        begun = time.monotonic()
        await s.until(lambda: time.monotonic() - begun > 6.0)
        assert s.heard("private_ws_resync_diff") == []
        await s.settled(s.create_order(PERP, BUY, OrderType.MARKET, SIX))

    run_script(script, venue, symbols=[PERP], public=(PERP_ACCOUNT,), private=(PERP_ACCOUNT,))


def test_an_ed25519_key_logs_on(tmp_path):
    """session.logon, after which orders carry no signature; the simulator checks everything with the public key."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from simulator import read_endpoints, start_simulator

    private = Ed25519PrivateKey.generate()
    public = tmp_path / "public.pem"
    public.write_bytes(private.public_key().public_bytes(serialization.Encoding.PEM,
                                                         serialization.PublicFormat.SubjectPublicKeyInfo))
    secret = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                   serialization.NoEncryption()).decode()
    file, stop = start_simulator(directory=tmp_path / "sim" if (tmp_path / "sim").mkdir() is None else None, rate=20,
                                 account=[f"edkey:@{public}"])
    try:
        venue = Venue(read_endpoints(file), "edkey", secret, tmp_path)

        async def script(s):
            await s.quotes()
            for symbol in (SPOT, PERP):
                order = await s.settled(s.create_order(symbol, BUY, OrderType.MARKET, SIX))
                assert order.status is OrderStatus.FILLED
            oid = s.create_order(BTC, BUY, OrderType.LIMIT, Decimal("0.002"), far_below(s, BTC))
            await s.until(lambda: s.heard("accepted", oid))
            s.cancel_order(BTC, oid)
            await s.until(lambda: s.heard("canceled", oid))

        run_script(script, venue, symbols=[SPOT, PERP, BTC])
        assert venue.statistics()["bad_signatures"] == 0
    finally:
        stop()


def test_a_wrong_secret_stops_the_build(venue):
    from nexus_fast.error import CredentialError

    async def script(s):
        raise AssertionError("the engine must not start")

    with pytest.raises(CredentialError) as caught:
        run_script(script, venue, symbols=[SPOT], private=(SPOT_ACCOUNT,), secret="not-the-secret")
    assert "not-the-secret" not in str(caught.value) and "SPOT" in str(caught.value)
