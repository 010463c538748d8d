"""What strategies may look up."""

import asyncio
from decimal import Decimal

import msgspec
import pytest

from nexus_fast.cache import Cache
from nexus_fast.constants import DataType, ExchangeType, KlineInterval, OrderStatus, ParamBackend
from nexus_fast.error import ConfigurationError
from nexus_fast.exchange import BinanceAccountType, OkxAccountType
from nexus_fast.schema import Balance, Kline, MarkPrice, Order, Position

S = OrderStatus
BINANCE, OKX = ExchangeType.BINANCE, ExchangeType.OKX
SPOT, PERP, COIN = BinanceAccountType.SPOT, BinanceAccountType.USD_M_FUTURE, BinanceAccountType.COIN_M_FUTURE
SYMBOL = "BTCUSDT.BINANCE"


def order(status, oid="1", filled=None, symbol=SYMBOL, exchange=BINANCE, timestamp=1):
    filled = None if filled is None else Decimal(filled)
    return Order(exchange=exchange, symbol=symbol, status=status, oid=oid, filled=filled, timestamp=timestamp)


@pytest.fixture
def cache():
    return Cache()


def lived(cache, *statuses, oid="1"):
    return [cache.apply_order(order(status, oid)) for status in statuses]


LATE_NEWS = [(S.CANCELED, S.FILLED), (S.EXPIRED, S.FILLED), (S.FAILED, S.FILLED), (S.FAILED, S.CANCELING)]


class TestOrders:
    def test_an_order_is_known_from_its_first_word_to_its_last(self, cache):
        for status in (S.PENDING, S.ACCEPTED, S.PARTIALLY_FILLED, S.FILLED):
            assert cache.apply_order(order(status))
            assert cache.get_order("1").status is status
        assert cache.get_order("2") is None

    @pytest.mark.parametrize("end", [S.FILLED, S.CANCELED, S.EXPIRED, S.FAILED])
    def test_a_client_oid_whose_order_is_over_is_another_ones(self, cache, end):
        assert lived(cache, S.PENDING, end) == [True, True]
        cache.begin_anew("1")
        assert lived(cache, S.PENDING, S.ACCEPTED) == [True, True]
        assert cache.get_open_orders(SYMBOL) == {"1"} and cache.get_order("1").status is S.ACCEPTED
        cache.begin_anew("1")                                # of one that lives nothing is forgotten
        assert cache.get_open_orders(SYMBOL) == {"1"}

    def test_a_client_oid_that_is_in_use_again_holds_its_new_key(self, cache):
        cache.reserve_idempotent_create_order("first", "1")
        lived(cache, S.PENDING, S.FILLED)
        cache.begin_anew("1")
        cache.reserve_idempotent_create_order("second", "1")
        lived(cache, S.PENDING, S.ACCEPTED)
        cache.forget_others(1 << 50)
        assert [cache.get_idempotent_create_order_oid(key) for key in ("first", "second")] == ["1", "1"]

    @pytest.mark.parametrize("end", [S.FILLED, S.CANCELED, S.EXPIRED, S.FAILED])
    @pytest.mark.parametrize("later", list(S))
    def test_an_end_is_final(self, cache, end, later):
        if (end, later) in LATE_NEWS:
            pytest.skip("late news, which are told")
        assert lived(cache, S.PENDING, end, later) == [True, True, False]
        assert cache.get_order("1").status is end and cache.refused_updates == 1

    @pytest.mark.parametrize(("end", "later"), LATE_NEWS)
    def test_late_news_are_taken(self, cache, end, later):
        """Executed in full before its end; alive although it was held to have failed."""
        assert lived(cache, S.PENDING, end, later) == [True, True, True]

    @pytest.mark.parametrize("end", [S.CANCELED, S.EXPIRED])
    def test_a_late_fill_counts_and_a_repeated_one_does_not(self, cache, end):
        for filled, taken in ((1, True), (2, True), (2, False), (1, False)):
            assert cache.apply_order(order(end, filled=Decimal(filled))) is taken
        assert cache.get_order("1").filled == 2

    @pytest.mark.parametrize(
        "path",
        [
            (S.PENDING, S.EXPIRED),
            (S.PENDING, S.FILLED),
            (S.ACCEPTED, S.EXPIRED),
            (S.PENDING, S.CANCELING, S.FAILED),
            (S.PENDING, S.CANCELING, S.ACCEPTED, S.CANCELED),
            (S.ACCEPTED, S.CANCELING, S.CANCEL_FAILED, S.PARTIALLY_FILLED, S.FILLED),
            (S.ACCEPTED, S.CANCELING, S.CANCEL_FAILED, S.CANCELING, S.CANCELED),
            (S.PARTIALLY_FILLED, S.ACCEPTED, S.FILLED),
        ],
    )
    def test_paths_that_venues_take(self, cache, path):
        assert all(lived(cache, *path))

    @pytest.mark.parametrize("path", [(S.ACCEPTED, S.PENDING), (S.ACCEPTED, S.FAILED), (S.CANCELING, S.INITIALIZED)])
    def test_paths_that_make_no_sense(self, cache, path):
        assert lived(cache, *path)[-1] is False

    def test_a_fill_is_never_taken_back(self, cache):
        cache.apply_order(order(S.PARTIALLY_FILLED, filled="2"))
        assert not cache.apply_order(order(S.PARTIALLY_FILLED, filled="1"))
        assert cache.get_order("1").filled == 2
        assert cache.apply_order(order(S.PARTIALLY_FILLED, filled="2"))

    def test_open_orders(self, cache):
        cache.apply_order(order(S.ACCEPTED, "1"))
        cache.apply_order(order(S.ACCEPTED, "2", symbol="ETHUSDT.BINANCE"))
        cache.apply_order(order(S.ACCEPTED, "3", symbol="BTCUSDT.OKX", exchange=OKX))
        assert cache.get_open_orders(SYMBOL) == {"1"}
        assert cache.get_open_orders(exchange=BINANCE) == {"1", "2"}
        cache.apply_order(order(S.FILLED, "1"))
        assert cache.get_open_orders(SYMBOL) == set() and cache.get_symbol_orders(SYMBOL) == {"1"}
        with pytest.raises(ValueError, match="symbol= or exchange="):
            cache.get_open_orders()

    def test_orders_being_cancelled_are_left_out_unless_asked_for(self, cache):
        lived(cache, S.ACCEPTED)
        cache.mark_canceling("1")
        assert cache.get_open_orders(SYMBOL) == set()
        assert cache.get_open_orders(SYMBOL, include_canceling=True) == {"1"}
        # The acknowledgement of the placing may come after the cancel has left.
        lived(cache, S.ACCEPTED)
        assert cache.get_open_orders(SYMBOL) == set()

    def test_an_order_whose_cancel_failed_is_open_again(self, cache):
        lived(cache, S.ACCEPTED, S.CANCELING, S.CANCEL_FAILED)
        assert cache.get_open_orders(SYMBOL) == {"1"}
        lived(cache, S.FILLED)
        assert cache.get_open_orders(SYMBOL, include_canceling=True) == set()

    def test_sets_that_were_handed_out_do_not_change(self, cache):
        lived(cache, S.PENDING)
        handed = cache.get_open_orders(SYMBOL), cache.get_inflight_orders(SYMBOL), cache.get_symbol_orders(SYMBOL)
        lived(cache, S.FILLED)
        assert handed == ({"1"}, {"1"}, {"1"})

    def test_inflight_orders(self, cache):
        lived(cache, S.PENDING)
        assert cache.get_inflight_orders(SYMBOL) == {"1"}
        lived(cache, S.ACCEPTED)
        assert cache.get_inflight_orders(SYMBOL) == set()

    def test_waiting_for_inflight_orders(self, cache):
        async def scenario():
            assert await cache.wait_for_inflight_orders(SYMBOL, timeout=0) is True
            lived(cache, S.PENDING)
            assert await cache.wait_for_inflight_orders(SYMBOL, timeout=0.02, interval=0.01) is False
            asyncio.get_running_loop().call_later(0.01, lived, cache, S.ACCEPTED)
            assert await cache.wait_for_inflight_orders(SYMBOL, timeout=10, interval=0.005) is True

        asyncio.run(scenario())

    def test_closed_orders_are_forgotten_and_open_ones_kept(self, cache):
        cache.apply_order(order(S.FILLED, "old", timestamp=10))
        cache.apply_order(order(S.FILLED, "new", timestamp=30))
        cache.apply_order(order(S.ACCEPTED, "open", timestamp=10))
        assert cache.forget_closed(before_ms=20) == 1
        assert cache.get_order("old") is None and cache.get_symbol_orders(SYMBOL) == {"new", "open"}

    def test_they_are_forgotten_little_by_little_the_oldest_first(self, cache):
        for number in range(10):
            cache.apply_order(order(S.FILLED, str(number), timestamp=number))
        assert cache.forget_closed(before_ms=8, most=3) == 3 and cache.get_symbol_orders(SYMBOL) == set("3456789")
        assert cache.forget_closed(before_ms=8) == 5 and cache.get_symbol_orders(SYMBOL) == set("89")

    def test_one_that_lives_again_is_forgotten_after_its_second_end(self, cache):
        cache.apply_order(order(S.FAILED, "1", timestamp=1))
        cache.apply_order(order(S.CANCELING, "1", timestamp=2))
        assert cache.forget_closed(before_ms=10) == 0 and cache.get_order("1") is not None
        cache.apply_order(order(S.CANCELED, "1", timestamp=12))
        assert cache.forget_closed(before_ms=12) == 0 and cache.forget_closed(before_ms=13) == 1

    def test_what_is_told_after_the_end_prolongs_it(self, cache):
        cache.apply_order(order(S.CANCELED, "1", timestamp=1))
        cache.apply_order(order(S.FILLED, "1", timestamp=20, filled=Decimal(1)))
        assert cache.forget_closed(before_ms=10) == 0 and cache.get_order("1").status is S.FILLED
        assert cache.forget_closed(before_ms=21) == 1

    def test_no_more_than_so_many_are_kept_and_their_keys_all_the_same(self, cache, monkeypatch):
        monkeypatch.setattr("nexus_fast.cache.CLOSED_KEPT", 2)
        for number in range(4):
            cache.reserve_idempotent_create_order(f"key{number}", str(number))
            cache.apply_order(order(S.FILLED, str(number), timestamp=10 + number))
        assert cache.forget_closed(before_ms=0) == 2 and cache.get_symbol_orders(SYMBOL) == {"2", "3"}
        assert cache.get_idempotent_create_order_oid("key0") == "0"
        cache.forget_others(before_ms=11)
        assert cache.get_idempotent_create_order_oid("key0") is None
        assert cache.get_idempotent_create_order_oid("key1") == "1"


class TestIdempotency:
    def test_a_key_holds_its_first_order(self, cache):
        assert cache.reserve_idempotent_create_order("key", "1") == "1"
        assert cache.reserve_idempotent_create_order("key", "2") == "1"
        assert cache.get_idempotent_create_order_oid("key") == "1"
        assert cache.get_idempotency_key_for_oid("1") == "key" and cache.get_idempotency_key_for_oid("2") is None

    def test_an_order_that_failed_frees_its_key(self, cache):
        cache.reserve_idempotent_create_order("key", "1")
        lived(cache, S.PENDING, S.FAILED)
        assert cache.reserve_idempotent_create_order("key", "2") == "2"

    @pytest.mark.parametrize("status", [S.PENDING, S.ACCEPTED, S.FILLED, S.CANCELED, S.EXPIRED, S.CANCEL_FAILED])
    def test_no_other_status_frees_it(self, cache, status):
        cache.reserve_idempotent_create_order("key", "1")
        lived(cache, S.PENDING, status)
        assert cache.reserve_idempotent_create_order("key", "2") == "1"

    def test_it_ends_with_the_memory_of_the_order(self, cache):
        cache.reserve_idempotent_create_order("key", "1")
        lived(cache, S.FILLED)
        cache.forget_closed(before_ms=10)
        assert cache.get_idempotent_create_order_oid("key") is None


class TestAccounts:
    def test_positions(self, cache):
        held = Position("BTCUSDT-PERP.BINANCE", BINANCE, Decimal("1"))
        cache.apply_position(PERP, held)
        assert cache.get_position("BTCUSDT-PERP.BINANCE") is held
        assert cache.get_position("BTCUSDT-PERP.BINANCE", COIN) is None
        assert cache.get_all_positions() == cache.get_all_positions(BINANCE) == {held.symbol: held}
        assert cache.get_all_positions(OKX) == {}
        cache.apply_position(PERP, Position(held.symbol, BINANCE))
        assert cache.get_position(held.symbol) is None

    def test_reading_one_account_anew_leaves_its_sibling_alone(self, cache):
        linear, inverse = (Position(s, BINANCE, Decimal("1")) for s in ("A-PERP.BINANCE", "BUSD-PERP.BINANCE"))
        cache.apply_position(PERP, linear)
        assert cache.replace_positions(COIN, [inverse]) == ([inverse.symbol], [])
        assert set(cache.get_all_positions()) == {linear.symbol, inverse.symbol}
        assert cache.replace_positions(COIN, []) == ([], [inverse.symbol])
        assert set(cache.get_all_positions()) == {linear.symbol}

    def test_balances(self, cache):
        assert cache.get_balance(SPOT).balances == {}
        cache.apply_balance(SPOT, [Balance("USDT", Decimal(1)), Balance("BTC", Decimal(2))])
        cache.apply_balance(SPOT, [Balance("USDT", Decimal(5))])
        cache.apply_balance(PERP, [Balance("USDT", Decimal(9))])
        assert cache.get_balance(SPOT).balance_total == {"USDT": 5, "BTC": 2}
        cache.replace_balances(SPOT, [Balance("BTC", Decimal(1))])
        assert cache.get_balance(SPOT).balance_total == {"BTC": 1}
        assert cache.get_balance(PERP).balance_total == {"USDT": 9}
        assert cache.get_balance(OkxAccountType.LIVE).balances == {}


class TestData:
    def test_the_book_is_asked_of_the_engine(self):
        assert Cache(book={"A": "quote"}.get).bookl1("A") == "quote"
        assert Cache().bookl1("A") is None

    def test_the_latest_of_each_kind(self, cache):
        price = MarkPrice(BINANCE, "A", 1.0, 1)
        cache.apply_data(DataType.MARK_PRICE, price)
        assert cache.mark_price("A") is price and cache.index_price("A") is None and cache.trade("A") is None
        assert cache.bookl2("A") is None and cache.funding_rate("A") is None

    def test_bars_are_kept_by_interval(self, cache):
        bar = Kline(exchange=BINANCE, symbol="A", interval=KlineInterval.HOUR_1, open=1.0, high=1.0, low=1.0, close=1.0,
                    start=0, timestamp=0, confirm=True)  # fmt: skip
        cache.apply_data(DataType.KLINE, bar)
        assert cache.kline("A", KlineInterval.HOUR_1) is bar and cache.kline("A", KlineInterval.MINUTE_1) is None


class TestParameters:
    def test_they_live_in_memory(self, cache):
        cache.set_param("a", 1)
        cache.set_param("b", 2)
        assert cache.get_param("a") == 1 and cache.get_param("c", 7) == 7 and cache.get_all_params() == {"a": 1, "b": 2}
        cache.clear_param("a")
        assert cache.get_all_params() == {"b": 2}
        cache.clear_param()
        assert cache.get_all_params() == {}

    def test_redis_is_refused(self, cache):
        with pytest.raises(ConfigurationError, match="memory only"):
            cache.get_param("a", param_backend=ParamBackend.REDIS)


def test_an_order_whose_cancel_failed_may_prove_never_to_have_been_there():
    """A cancel that left before the venue had spoken of the order: unanswered again, then failed, and nothing stays open."""
    cache = Cache()
    order = Order(exchange=ExchangeType.BINANCE, symbol="BTCUSDT.BINANCE", status=OrderStatus.PENDING, oid="one",
                  amount=Decimal(1), filled=Decimal(0))
    for status in ("PENDING", "CANCELING", "CANCEL_FAILED", "PENDING", "FAILED"):
        assert cache.apply_order(msgspec.structs.replace(order, status=OrderStatus[status])), status
    assert cache.get_open_orders("BTCUSDT.BINANCE", include_canceling=True) == set()
    assert cache.get_inflight_orders("BTCUSDT.BINANCE") == set()
