"""Who is asked, how the pages of bars are put together, and that the caller waits no longer than it says."""

import asyncio
import socket
import threading
from decimal import Decimal
from types import SimpleNamespace

import pytest

from nexus_fast.constants import ExchangeType, InstrumentType, KlineInterval
from nexus_fast.engine import requests
from nexus_fast.engine.requests import Api, ask, ask_async, wait_for
from nexus_fast.error import InstrumentError, KlineSupportedError, RouteError, SubscriptionError, VenueError
from nexus_fast.exchange import BinanceAccountType as Binance
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.gateway.credentials import Credentials
from nexus_fast.gateway.rest import BinanceRest

SPOT, PERP, DATED = "BTCUSDT.BINANCE", "BTCUSDT-PERP.BINANCE", "BTCUSDT-260327.BINANCE"
COIN = "BTCUSD-PERP.BINANCE"
FIRST = 1_700_000_040_000
COUNT = 3500
DAY = 86_400_000
STARTS = [FIRST + number * 60_000 for number in range(COUNT)]
MINUTE = KlineInterval.MINUTE_1


def instrument(symbol, kind, venue_symbol="BTCUSDT", **changes):
    return Instrument(
        symbol=symbol, venue_symbol=venue_symbol, exchange=ExchangeType.BINANCE, type=kind, base="BTC", quote="USDT",
        price_scale=1, size_scale=3, tick_size=Decimal("0.1"), lot_size=Decimal("0.001"),
        market_lot_size=Decimal("0.001"), **changes,
    )  # fmt: skip


INSTRUMENTS = InstrumentTable(
    [
        instrument(SPOT, InstrumentType.SPOT),
        instrument(PERP, InstrumentType.LINEAR, settle="USDT"),
        instrument(COIN, InstrumentType.INVERSE, "BTCUSD_PERP", settle="BTC"),
        instrument(DATED, InstrumentType.LINEAR, "BTCUSDT_260327", settle="USDT", expiry_ms=1774598400000, index="BTCUSDT"),
    ]
)


class Connector:
    def __init__(self, account_type, url, credentials=None):
        self.account_type = account_type
        self.opened = []
        self._rest = BinanceRest(url, credentials)

    def open_rest(self):
        self.opened.append(self._rest.separate())
        return self.opened[-1]


FEEDS = (Binance.SPOT, Binance.USD_M_FUTURE, Binance.COIN_M_FUTURE)


def host_of(url, accounts=(Binance.SPOT, Binance.USD_M_FUTURE), feeds=FEEDS):
    key = Credentials("key", "secret")
    return SimpleNamespace(
        accounts={kind: Connector(kind, url, key) for kind in accounts},
        feeds={kind: Connector(kind, url) for kind in feeds},
    )


@pytest.fixture(scope="module")
def venue():
    from fake_rest import FakeRest

    with FakeRest(FIRST, COUNT) as running:
        yield running


@pytest.fixture
def host(venue):
    venue.requests.clear()
    venue.answers.clear()
    return host_of(venue.url)


def starts(bars):
    return [bar.start for bar in bars]


class TestWaiting:
    def test_inside_a_running_loop_the_result_comes_from_another_thread(self):
        async def work():
            await asyncio.sleep(0)
            return threading.current_thread()

        async def callback():
            return wait_for(work, "a question")

        assert asyncio.run(callback()) is not threading.current_thread()

    def test_what_it_raises_is_raised_here(self):
        async def work():
            raise VenueError(-1121, "Invalid symbol.", venue="binance", status=400)

        with pytest.raises(VenueError, match="-1121") as caught:
            wait_for(work, "a question")
        assert caught.value.status == 400

    def test_the_wait_is_bounded(self):
        async def work():
            await asyncio.sleep(60)

        with pytest.raises(TimeoutError, match="request ticker: no complete answer within 0.05 s"):
            wait_for(work, "request ticker", 0.05)

    def test_a_thread_that_does_not_end_is_left_to_itself(self, monkeypatch):
        monkeypatch.setattr(requests, "CLOSING_SECONDS", 0.05)
        release = threading.Event()

        async def work():
            release.wait(30)

        try:
            with pytest.raises(TimeoutError, match="no complete answer"):
                wait_for(work, "a question", 0.05)
        finally:
            release.set()


class TestBars:
    def test_the_last_ones_are_gathered_backwards_over_the_pages(self, host, venue):
        bars = ask(host, INSTRUMENTS, "klines", {"symbols": [SPOT], "interval": MINUTE, "limit": 2300})
        assert starts(bars) == STARTS[-2300:]
        assert [int(query["limit"]) for _, _, query in venue.requests] == [1000, 1000, 300]

    def test_without_a_limit_and_a_start_they_are_500(self, host):
        assert starts(ask(host, INSTRUMENTS, "klines", {"symbols": SPOT, "interval": MINUTE})) == STARTS[-500:]

    @pytest.mark.parametrize("symbol, pages", [(SPOT, 4), (PERP, 3)])
    def test_all_from_a_start_on(self, host, venue, symbol, pages):
        bars = ask(host, INSTRUMENTS, "klines", {"symbols": [symbol], "interval": MINUTE, "start_time": FIRST - 1})
        assert starts(bars) == STARTS
        assert len(venue.requests) == pages

    @pytest.mark.parametrize("first, last", [(0, 0), (0, 1499), (0, 1500), (7, 1506), (7, 3499), (1600, 3000)])
    @pytest.mark.parametrize("limit", [None, 1, 1500, 2999])
    def test_between_two_times_with_both_included(self, host, first, last, limit):
        arguments = {"start_time": STARTS[first], "end_time": STARTS[last], "limit": limit}
        bars = ask(host, INSTRUMENTS, "klines", {"symbols": [PERP], "interval": MINUTE, **arguments})
        assert starts(bars) == STARTS[first : last + 1][:limit]

    @pytest.mark.parametrize("start, last, limit", [
        (STARTS[7], 3499, None), (STARTS[7], 3499, 1600), (STARTS[7], 20, None), (STARTS[0], 0, 1),
        (FIRST - 150 * DAY, 3499, 10), (FIRST - 900 * DAY, 3499, None), (None, 3499, None), (None, 2000, 1700),
    ])  # fmt: skip
    def test_coin_m_bars_whose_spans_are_bounded_and_read_from_their_end(self, host, start, last, limit):
        arguments = {"start_time": start, "end_time": STARTS[last], "limit": limit}
        bars = ask(host, INSTRUMENTS, "klines", {"symbols": [COIN], "interval": MINUTE, **arguments})
        wanted = [at for at in STARTS[: last + 1] if start is None or at >= start]
        assert starts(bars) == (wanted[-(limit or 500):] if start is None else wanted[:limit])

    def test_the_last_ones_before_an_end(self, host):
        arguments = {"symbols": [PERP], "interval": MINUTE, "end_time": STARTS[2000], "limit": 1700}
        assert starts(ask(host, INSTRUMENTS, "klines", arguments)) == STARTS[301:2001]

    def test_a_venue_that_ignores_the_times_does_not_hold_the_caller(self, host, venue, monkeypatch):
        monkeypatch.setattr(venue, "_bars", lambda query, largest: [
            [s, "1", "1", "1", "1", "1", s + 59_999, "1", 1, "1", "1", "0"] for s in STARTS[:1000]
        ])  # fmt: skip
        arguments = {"symbols": [SPOT], "interval": MINUTE, "start_time": FIRST}
        assert starts(ask(host, INSTRUMENTS, "klines", arguments)) == STARTS[:1000]
        assert len(venue.requests) == 2

    def test_fields_and_columns(self, host):
        bars = ask(host, INSTRUMENTS, "klines", {"symbols": [SPOT], "interval": MINUTE, "limit": 1})
        bar = bars[0]
        assert (bar.exchange, bar.symbol, bar.interval) == (ExchangeType.BINANCE, SPOT, MINUTE)
        assert (bar.open, bar.high, bar.low, bar.close) == (50_000, 50_009, 49_991, 50_001)
        assert (bar.volume, bar.quote_volume, bar.taker_volume, bar.taker_quote_volume) == (2.5, 125_000, 1.5, 75_000)
        assert bar.confirm and bar.buy_volume is None and bar.timestamp > bar.start

    def test_several_symbols_of_two_markets(self, host, venue):
        bars = ask(host, INSTRUMENTS, "klines", {"symbols": [SPOT, PERP, DATED], "interval": MINUTE, "limit": 2})
        assert [bar.symbol for bar in bars] == [SPOT, SPOT, PERP, PERP, DATED, DATED]
        asked = {path + " " + query["symbol"] for _, path, query in venue.requests}
        assert asked == {"/api/v3/klines BTCUSDT", "/fapi/v1/klines BTCUSDT", "/fapi/v1/klines BTCUSDT_260327"}

    def test_the_index_is_asked_for_by_pair_and_has_no_volumes(self, host, venue):
        bars = ask(host, INSTRUMENTS, "index_klines", {"symbols": [DATED], "interval": MINUTE, "limit": 3})
        assert starts(bars) == STARTS[-3:] and bars[0].volume is None
        (_, path, query), = venue.requests
        assert path == "/fapi/v1/indexPriceKlines" and query == {"pair": "BTCUSDT", "interval": "1m", "limit": "3"}

    def test_spot_has_no_index(self, host, venue):
        with pytest.raises(SubscriptionError, match="spot has no index price.*-PERP"):
            ask(host, INSTRUMENTS, "index_klines", {"symbols": [SPOT], "interval": MINUTE})
        assert not venue.requests

    @pytest.mark.parametrize(
        "arguments, error, text",
        [
            ({"symbols": [PERP], "interval": KlineInterval.SECOND_1}, KlineSupportedError, "no bars of 1s"),
            ({"symbols": [SPOT], "interval": KlineInterval.VOLUME}, KlineSupportedError, "no bars of volume"),
            ({"symbols": [SPOT], "interval": MINUTE, "limit": 0}, ValueError, "at least one"),
            ({"symbols": [SPOT], "interval": MINUTE, "start_time": 2, "end_time": 1}, ValueError, "lies after"),
            ({"symbols": ["NONEUSDT.BINANCE"], "interval": MINUTE}, InstrumentError, "not among"),
        ],
    )
    def test_what_cannot_be_asked_is_not_sent(self, host, venue, arguments, error, text):
        with pytest.raises(error, match=text):
            ask(host, INSTRUMENTS, "klines", arguments)
        assert not venue.requests


class TestRoutes:
    def test_unknown_question(self, host):
        with pytest.raises(ValueError, match="no request 'depth'; there are ticker"):
            ask(host, INSTRUMENTS, "depth", {"symbol": SPOT})

    def test_market_data_goes_without_a_key_and_orders_with_the_accounts(self, host, venue):
        venue.answers["/api/v3/openOrders"] = (200, "[]", 0)
        assert ask(host, INSTRUMENTS, "open_orders", {"symbol": SPOT, "account_type": None}) == []
        ask(host, INSTRUMENTS, "klines", {"symbols": [SPOT], "interval": MINUTE, "limit": 1})
        orders, bars = (query for _, _, query in venue.requests)
        assert "signature" in orders and "signature" not in bars

    def test_every_client_is_closed(self, host, venue):
        venue.answers["/api/v3/openOrders"] = (400, '{"code":-1121,"msg":"Invalid symbol."}', 0)
        with pytest.raises(VenueError, match="Invalid symbol"):
            ask(host, INSTRUMENTS, "open_orders", {"symbol": SPOT})
        (rest,) = host.accounts[Binance.SPOT].opened
        assert rest._session is None

    def test_account_type_chooses_the_account_and_is_checked(self, host):
        with pytest.raises(RouteError, match="USD_M_FUTURE does not take spot orders"):
            ask(host, INSTRUMENTS, "open_orders", {"symbol": SPOT, "account_type": Binance.USD_M_FUTURE})
        with pytest.raises(RouteError, match="USD_M_FUTURE carries no spot market data.*name BinanceAccountType.SPOT"):
            ask(host, INSTRUMENTS, "ticker", {"symbol": SPOT, "account_type": Binance.USD_M_FUTURE})
        with pytest.raises(RouteError, match="COIN_M_FUTURE_TESTNET has no public connector"):
            ask(host, INSTRUMENTS, "all_tickers", {"account_type": Binance.COIN_M_FUTURE_TESTNET})

    def test_no_private_connector(self, venue):
        public = host_of(venue.url, accounts=())
        with pytest.raises(RouteError, match="no private connector takes spot orders"):
            ask(public, INSTRUMENTS, "order", {"symbol": SPOT, "oid": "1"})


class TestErrors:
    def test_the_venues_refusal(self, host, venue):
        venue.answers["/api/v3/ticker/24hr"] = (400, '{"code":-1121,"msg":"Invalid symbol."}', 0)
        with pytest.raises(VenueError, match=r"binance code=-1121 error=Invalid symbol. \(GET /api/v3/ticker/24hr\)"):
            ask(host, INSTRUMENTS, "ticker", {"symbol": SPOT})

    def test_an_order_that_the_venue_does_not_know_is_none_and_any_other_refusal_is_none_of_that(self, host, venue):
        venue.answers["/api/v3/order"] = (400, '{"code":-2013,"msg":"Order does not exist."}', 0)
        assert ask(host, INSTRUMENTS, "order", {"symbol": SPOT, "oid": "1"}) is None
        venue.answers["/api/v3/order"] = (503, '{"code":-1000,"msg":"unknown"}', 0)
        with pytest.raises(VenueError, match="-1000"):
            ask(host, INSTRUMENTS, "order", {"symbol": SPOT, "oid": "1"})

    @pytest.mark.parametrize("body", ["", "<html>", "{}", '{"symbol":"BTCUSDT","lastPrice":5}'])
    def test_an_answer_that_cannot_be_read(self, host, venue, body):
        venue.answers["/api/v3/ticker/24hr"] = (200, body, 0)
        with pytest.raises(VenueError, match="GET /api/v3/ticker/24hr cannot be used"):
            ask(host, INSTRUMENTS, "ticker", {"symbol": SPOT})

    def test_silence(self, host, venue, monkeypatch):
        monkeypatch.setattr(wait_for, "__defaults__", (0.1,))
        venue.answers["/api/v3/ticker/24hr"] = (200, "{}", 1.0)
        with pytest.raises(TimeoutError, match="request ticker: no complete answer within 0.1 s"):
            ask(host, INSTRUMENTS, "ticker", {"symbol": SPOT})

    def test_nobody_listens(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            closed = host_of(f"http://127.0.0.1:{taken.getsockname()[1]}")
            with pytest.raises(ConnectionError, match="GET http://127.0.0.1:.*/api/v3/ticker/24hr"):
                ask(closed, INSTRUMENTS, "ticker", {"symbol": SPOT})


def test_the_async_form_leaves_the_loop_running(host):
    async def scenario():
        seen = []

        async def beat():
            while True:
                seen.append(asyncio.get_running_loop().time())
                await asyncio.sleep(0)

        beating = asyncio.create_task(beat())
        bars = await ask_async(host, INSTRUMENTS, "klines", {"symbols": [SPOT], "interval": MINUTE, "limit": 1500})
        beating.cancel()
        return bars, seen

    bars, seen = asyncio.run(scenario())
    assert starts(bars) == STARTS[-1500:] and len(seen) > 10


class TestApi:
    @pytest.fixture
    def api(self, host):
        return Api(host.accounts[Binance.USD_M_FUTURE])

    def test_methods_parameters_and_signatures(self, api, venue):
        path = "/fapi/v1/listenKey"
        venue.answers[path] = (200, '{"answer":[1,"2"]}', 0)
        assert api.get(path, {"symbol": "BTCUSDT"}) == {"answer": [1, "2"]}
        assert api.get(path, signed=True) == {"answer": [1, "2"]}
        for method in (api.post, api.put):
            method(path, {"symbol": "BTCUSDT"})
        asked = [(method, "signature" in query) for method, _, query in venue.requests]
        assert asked == [("GET", False), ("GET", True), ("POST", True), ("PUT", True)]
        assert venue.requests[0][2] == {"symbol": "BTCUSDT"}

    def test_an_empty_answer_is_none_and_another_is_refused(self, api, venue):
        venue.answers["/fapi/v1/listenKey"] = (200, "", 0)
        assert api.put("/fapi/v1/listenKey", signed=False) is None
        venue.answers["/fapi/v1/listenKey"] = (200, "<html>", 0)
        with pytest.raises(VenueError, match="PUT /fapi/v1/listenKey is not JSON"):
            api.put("/fapi/v1/listenKey")

    def test_names_of_nexustrader_are_answered_with_the_remedy(self, api):
        with pytest.raises(AttributeError, match="get_fapi_v1_time: methods by name are not served; call get, post"):
            api.get_fapi_v1_time()
