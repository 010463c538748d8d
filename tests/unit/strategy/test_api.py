"""The cold half of Strategy, on an engine that only takes notes."""

import inspect
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from nexus_fast.cache import Cache
from nexus_fast.constants import (
    BookLevel,
    DataType,
    ExchangeType,
    InstrumentType,
    KlineInterval,
    OrderSide,
    OrderStatus,
    OrderType,
    TriggerType,
)
from nexus_fast.error import (
    InstrumentError,
    OrderError,
    OrderRefusedError,
    RouteError,
    StrategyBuildError,
    SubscriptionError,
)
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.schema import BatchOrder, Order
from nexus_fast.strategy.api import StrategyApi
from nexus_fast.strategy.composed_orders import ProtectiveLeg

SPOT, PERP = "BTCUSDT.BINANCE", "BTCUSDT-PERP.BINANCE"
BINANCE = ExchangeType.BINANCE


def instrument(symbol, kind, **changes):
    fields = {
        "symbol": symbol, "venue_symbol": "BTCUSDT", "exchange": BINANCE, "type": kind, "base": "BTC",
        "quote": "USDT", "price_scale": 1, "size_scale": 3, "tick_size": Decimal("0.10"),
        "lot_size": Decimal("0.001"), "market_lot_size": Decimal("0.001"), "min_quantity": Decimal("0.001"),
        "min_notional": Decimal("5"),
    }  # fmt: skip
    return Instrument(**{**fields, **changes})


class Runtime:
    """Writes down what it is asked."""

    def __init__(self):
        self.calls = []
        self.instruments = InstrumentTable(
            [
                instrument(SPOT, InstrumentType.SPOT),
                instrument(PERP, InstrumentType.LINEAR, settle="USDT"),
                instrument("BTCUSDT-260327.BINANCE", InstrumentType.LINEAR, venue_symbol="BTCUSDT_260327",
                           settle="USDT", expiry_ms=1774598400000),
            ]
        )  # fmt: skip
        self.private_accounts = {BinanceAccountType.SPOT, BinanceAccountType.USD_M_FUTURE}
        self.scheduler = SimpleNamespace(add=lambda *args, **kw: self.calls.append(("schedule", args, kw)))

    def subscribe(self, strategy, data_type, symbols, **options):
        self.calls.append(("subscribe", data_type, symbols, options))

    def unsubscribe(self, strategy, data_type, symbols, **options):
        self.calls.append(("unsubscribe", data_type, symbols, options))

    def request(self, name, **arguments):
        self.calls.append((name, arguments))
        return f"answer to {name}"

    def ready(self, strategy):
        return True

    def stop(self):
        self.calls.append("stop")

    def api(self, account_type):
        return account_type


class Program(StrategyApi):
    def __init__(self, runtime=None):
        self._nexus_runtime = runtime
        self.cache = Cache({SPOT: SimpleNamespace(mid=50_000.0)}.get)
        self.sent = []

    def create_order(self, **order):
        self.sent.append(order)
        return str(len(self.sent))


@pytest.fixture
def runtime():
    return Runtime()


@pytest.fixture
def program(runtime):
    return Program(runtime)


def test_the_mixin_has_no_fields_so_that_a_compiled_class_can_take_it():
    assert StrategyApi.__slots__ == () and not hasattr(StrategyApi(), "__dict__")


# Arguments that are enough for every method of the API, by name.
ENOUGH = {
    "symbols": [SPOT], "symbol": SPOT, "level": BookLevel.L5, "interval": KlineInterval.MINUTE_1,
    "volume_threshold": 1.0, "func": print, "account_type": BinanceAccountType.SPOT, "oid": "1", "amount": 1.0,
    "price": 1.0, "exchange": BINANCE, "name": "a", "orders": [], "grace_ms": 1, "side": OrderSide.BUY,
    "type": OrderType.MARKET,
}  # fmt: skip
BEFORE = [
    name
    for name, method in inspect.getmembers(StrategyApi)
    if inspect.isfunction(method) and not name.startswith(("_", "on_")) and name not in ("wait", "set_timer")
]


@pytest.mark.parametrize("name", BEFORE)
def test_before_the_engine_is_built_every_method_says_what_to_do(name):
    method = getattr(Program(), name)
    required = [p.name for p in inspect.signature(method).parameters.values() if p.default is p.empty]
    arguments = {n: ENOUGH[n] for n in required if n != "kwargs"}
    with pytest.raises(StrategyBuildError, match=rf"Program.{name}\(\) was called before.*on_start.*super"):
        method(**arguments)


def test_ready_before_the_engine_is_built():
    with pytest.raises(StrategyBuildError):
        _ = Program().ready


class TestSubscriptions:
    READY = {"ready_timeout": 60, "ready": True}

    @pytest.mark.parametrize(
        ("name", "arguments", "data_type", "options"),
        [
            ("bookl1", {}, DataType.BOOKL1, READY),
            ("trade", {}, DataType.TRADE, READY),
            ("funding_rate", {}, DataType.FUNDING_RATE, READY),
            ("index_price", {}, DataType.INDEX_PRICE, READY),
            ("mark_price", {}, DataType.MARK_PRICE, READY),
            ("bookl2", {"level": BookLevel.L5}, DataType.BOOKL2, {**READY, "level": BookLevel.L5}),
            (
                "kline",
                {"interval": KlineInterval.HOUR_1},
                DataType.KLINE,
                {**READY, "interval": KlineInterval.HOUR_1, "use_aggregator": False, "build_with_no_updates": True},
            ),
            (
                "volume_kline",
                {"volume_threshold": 5},
                DataType.VOLUME_KLINE,
                {**READY, "volume_threshold": 5, "volume_type": "DEFAULT"},
            ),
        ],
    )
    def test_each_reaches_the_engine(self, program, runtime, name, arguments, data_type, options):
        getattr(program, f"subscribe_{name}")(symbols=[SPOT, PERP, SPOT], **arguments)
        assert runtime.calls == [("subscribe", data_type, [SPOT, PERP], options)]
        getattr(program, f"unsubscribe_{name}")(SPOT, **arguments)
        kind, undone, symbols, kept = runtime.calls[1]
        assert (kind, undone, symbols) == ("unsubscribe", data_type, [SPOT])
        assert set(arguments) <= set(kept) <= set(options) - {"ready", "ready_timeout"}

    @pytest.mark.parametrize(
        ("call", "error", "text"),
        [
            (lambda p: p.subscribe_bookl1([]), SubscriptionError, "no symbols"),
            (lambda p: p.subscribe_bookl1(["BTCUSDT"]), InstrumentError, "the exchange is missing"),
            (lambda p: p.subscribe_bookl2(SPOT, 5), SubscriptionError, "level=5"),
            (lambda p: p.subscribe_kline(SPOT, "1m"), SubscriptionError, "interval='1m'"),
            (lambda p: p.subscribe_volume_kline(SPOT, 0), SubscriptionError, "volume_threshold=0"),
            (lambda p: p.subscribe_volume_kline(SPOT, 1, "UP"), SubscriptionError, "volume_type='UP'"),
        ],
    )
    def test_bad_arguments_are_named_at_the_call(self, program, runtime, call, error, text):
        with pytest.raises(error, match=text):
            call(program)
        assert runtime.calls == []


class TestMarkets:
    def test_steps(self, program):
        assert (program.tick_sz(PERP), program.lot_sz(PERP)) == (0.1, 0.001)
        market = program.market(PERP)
        assert (market.id, market.swap, market.linear, market.spot) == ("BTCUSDT", True, True, False)
        assert (market.precision.price, market.limits.cost.min) == (0.1, 5.0)
        assert program.instrument(PERP).tick_size == Decimal("0.10")
        dated = program.market("BTCUSDT-260327.BINANCE")
        assert dated.future and dated.expiryDatetime == "2026-03-27T08:00:00.000Z"

    def test_rounding(self, program):
        assert str(program.amount_to_precision(SPOT, 1.23456)) == "1.235"
        assert str(program.amount_to_precision(SPOT, Decimal("1.2349"), mode="floor")) == "1.234"
        assert str(program.price_to_precision(SPOT, 100.01, mode="ceil")) == "100.1"

    def test_the_least_amount(self, program):
        assert program.min_order_amount(SPOT, px=1000) == Decimal("0.006")
        assert program.min_order_amount(SPOT) == Decimal("0.001")
        with pytest.raises(SubscriptionError, match=r"no quote of it has come yet.*subscribe_bookl1"):
            program.min_order_amount(PERP)

    def test_lists(self, program):
        assert program.linear_info(BINANCE) == [PERP] and program.spot_info(BINANCE, base="BTC") == [SPOT]
        assert program.future_info(BINANCE) == ["BTCUSDT-260327.BINANCE"] and program.inverse_info(BINANCE) == []
        assert program.linear_info(BINANCE, exclude=[PERP]) == []

    def test_an_unknown_symbol(self, program):
        with pytest.raises(InstrumentError, match="did you mean"):
            program.tick_sz("BTCUSDC.BINANCE")


class TestRequests:
    def test_each_reaches_the_engine(self, program, runtime):
        start = datetime(2026, 1, 1, tzinfo=UTC)
        assert program.request_ticker(SPOT) == "answer to ticker"
        program.request_all_tickers(BinanceAccountType.SPOT)
        program.request_klines(SPOT, KlineInterval.MINUTE_1, limit=5, start_time=start, end_time=7)
        program.request_index_klines([SPOT], KlineInterval.MINUTE_1)
        program.fetch_open_orders(SPOT)
        program.fetch_recent_trades(SPOT)
        assert [call[0] for call in runtime.calls] == [
            "ticker", "all_tickers", "klines", "index_klines", "open_orders", "recent_trades",
        ]  # fmt: skip
        klines = runtime.calls[2][1]
        assert (klines["symbols"], klines["start_time"], klines["end_time"]) == ([SPOT], 1767225600000, 7)

    def test_a_known_order_is_not_asked_for_again(self, program, runtime):
        known = Order(exchange=BINANCE, symbol=SPOT, status=OrderStatus.ACCEPTED, oid="1")
        program.cache.apply_order(known)
        assert program.fetch_order(SPOT, "1") is known and runtime.calls == []
        assert program.fetch_order(SPOT, "2") == "answer to order"
        assert program.fetch_order(SPOT, "1", force_refresh=True) == "answer to order"

    def test_the_rest(self, program, runtime):
        assert program.ready is True and program.api(BinanceAccountType.SPOT) is BinanceAccountType.SPOT
        program.stop()
        assert runtime.calls == ["stop"]
        with pytest.raises(ValueError, match="grace_ms=-1"):
            program.set_reconnect_reconcile_grace_ms(BINANCE, -1)


def test_timers(program, runtime):
    program.schedule(print, "cron", hour=3)
    with pytest.warns(DeprecationWarning):
        program.set_timer(print, timedelta(minutes=1), name="a")
    assert runtime.calls == [
        ("schedule", (print, "cron"), {"owner": program, "hour": 3}),
        ("schedule", (print, "interval"), {"owner": program, "seconds": 60.0, "name": "a"}),
    ]


def test_parameters(program):
    assert program.param("a", default=3) == 3
    assert program.param("a", 5) is None and program.param("a") == 5
    program.clear_param("a")
    assert program.param("a") is None


def batch(*symbols, **more):
    return [
        BatchOrder(symbol=s, side=OrderSide.BUY, type=OrderType.LIMIT, amount=Decimal(1), price=Decimal(2), **more)
        for s in symbols
    ]


class TestBatches:
    def test_each_order_goes_by_its_own_symbol_and_in_order(self, program):
        assert program.create_batch_orders(batch(SPOT, PERP, reduce_only=True)) == ["1", "2"]
        assert [o["symbol"] for o in program.sent] == [SPOT, PERP]
        assert all(o["account_type"] is None and o["reduce_only"] for o in program.sent)

    def test_extra_arguments_reach_create_order(self, program):
        program.create_batch_orders(batch(SPOT, kwargs={"client_oid": "x"}), account_type=BinanceAccountType.SPOT)
        assert (program.sent[0]["client_oid"], program.sent[0]["account_type"]) == ("x", BinanceAccountType.SPOT)

    def test_none_leaves_when_one_has_no_account(self, program):
        with pytest.raises(RouteError, match="BTCUSD-PERP.BINANCE"):
            program.create_batch_orders(batch(SPOT, "BTCUSD-PERP.BINANCE"))
        with pytest.raises(RouteError, match="does not take linear"):
            program.create_batch_orders(batch(SPOT, PERP), account_type=BinanceAccountType.SPOT)
        assert program.sent == []

    def test_what_is_no_symbol_is_left_to_create_order(self, program):
        assert program.create_batch_orders(batch("NONSENSE", SPOT)) == ["1", "2"]


class TestProtectedOrders:
    ENTRY = {"symbol": PERP, "side": OrderSide.BUY, "type": OrderType.MARKET, "amount": Decimal(1)}
    TP = {"tp_order_type": OrderType.TAKE_PROFIT_MARKET, "tp_trigger_price": Decimal(110)}
    SL = {"sl_order_type": OrderType.STOP_LOSS_LIMIT, "sl_trigger_price": Decimal(90), "sl_price": Decimal(89)}

    def test_without_legs_it_is_an_order(self, program):
        assert program.create_tp_sl_order(**self.ENTRY) == "1"

    def test_legs_reach_the_engine(self, program, runtime):
        runtime.protect = lambda *args: runtime.calls.append(args) or "7"
        assert program.create_tp_sl_order(**self.ENTRY, **self.TP, **self.SL, reduce_only=False) == "7"
        strategy, entry, take_profit, stop_loss = runtime.calls[0]
        assert strategy is program and entry["symbol"] == PERP and entry["reduce_only"] is False
        last = TriggerType.LAST_PRICE
        assert take_profit == ProtectiveLeg(
            type=OrderType.TAKE_PROFIT_MARKET, trigger_price=Decimal(110), price=None, trigger_type=last
        )
        assert stop_loss == ProtectiveLeg(
            type=OrderType.STOP_LOSS_LIMIT, trigger_price=Decimal(90), price=Decimal(89), trigger_type=last
        )

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            ({"tp_order_type": OrderType.STOP_LOSS_MARKET, "tp_trigger_price": 1}, "tp_order_type=.*TAKE_PROFIT"),
            ({"sl_trigger_price": Decimal(1)}, "sl_order_type=None"),
            ({"tp_order_type": OrderType.TAKE_PROFIT_MARKET}, "needs tp_trigger_price"),
            ({**SL, "sl_price": None}, "needs sl_price"),
            ({**TP, "tp_price": Decimal(1)}, "takes no tp_price"),
            ({**TP, **SL, "side": OrderSide.SELL}, "must lie below"),
            ({**TP, **SL, "tp_trigger_price": Decimal(80)}, "must lie above"),
        ],
    )
    def test_legs_that_do_not_hold_together_stop_the_entry(self, program, runtime, changes, text):
        runtime.protect = lambda *args: pytest.fail("sent")
        with pytest.raises(OrderRefusedError, match=text):
            program.create_tp_sl_order(**{**self.ENTRY, **changes})
        assert program.sent == []

    def test_an_engine_that_places_no_legs_refuses_before_the_entry(self, program):
        with pytest.raises(OrderRefusedError, match="on_filled_order"):
            program.create_tp_sl_order(**self.ENTRY, **self.TP)
        assert program.sent == []


def test_callbacks_do_nothing_until_overridden(program):
    names = [name for name in dir(StrategyApi) if name.startswith("on_")]
    expected = (
        "on_start on_stop on_bookl1 on_bookl2 on_trade on_kline on_funding_rate on_index_price on_mark_price "
        "on_pending_order on_accepted_order on_partially_filled_order on_filled_order on_canceling_order "
        "on_canceled_order on_expired_order on_failed_order on_cancel_failed_order on_modified_order "
        "on_modify_failed_order on_balance on_private_ws_status "
        "on_private_ws_resync_diff on_ws_order_request_result on_external_order on_custom_signal on_fill on_fill_fee"
    ).split()
    assert set(names) == set(expected)
    for name in names:
        arguments = [] if name in ("on_start", "on_stop") else [object()]
        assert getattr(program, name)(*arguments) is None


# Parameters of NexusTrader's methods, in their order.
SIGNATURES = {
    "subscribe_bookl1": "symbols ready_timeout ready",
    "subscribe_bookl2": "symbols level ready_timeout ready",
    "subscribe_kline": "symbols interval ready_timeout ready use_aggregator build_with_no_updates",
    "subscribe_volume_kline": "symbols volume_threshold volume_type ready_timeout ready",
    "unsubscribe_kline": "symbols interval use_aggregator",
    "schedule": "func trigger kwargs",
    "set_timer": "callback interval name start_time stop_time",
    "request_ticker": "symbol account_type",
    "request_klines": "symbol interval limit start_time end_time account_type",
    "fetch_order": "symbol oid account_type force_refresh",
    "fetch_open_orders": "symbol account_type",
    "fetch_recent_trades": "symbol limit account_type",
    "min_order_amount": "symbol px",
    "amount_to_precision": "symbol amount mode",
    "price_to_precision": "symbol price mode",
    "linear_info": "exchange base quote exclude",
    "param": "name value default backend",
    "clear_param": "name backend",
    "create_batch_orders": "orders account_type",
    "create_tp_sl_order": "symbol side type amount price time_in_force tp_order_type tp_trigger_price tp_price "
    "tp_trigger_type sl_order_type sl_trigger_price sl_price sl_trigger_type account_type kwargs",
    "set_reconnect_reconcile_grace_ms": "exchange grace_ms",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures(name):
    parameters = list(inspect.signature(getattr(StrategyApi, name)).parameters)[1:]
    assert parameters == SIGNATURES[name].split()


class TestNothingIsRefusedWithAText:
    GOOD = {"symbol": SPOT, "side": OrderSide.BUY, "type": OrderType.MARKET, "amount": Decimal(1)}

    @pytest.mark.parametrize(("orders", "text"), [
        (None, "orders is None"), ([None], r"orders\[0\] is None"), ([BatchOrder(**GOOD), {}], r"orders\[1\] is {}"),
    ])  # fmt: skip
    def test_a_batch_is_looked_at_before_its_first_order_leaves(self, program, orders, text):
        with pytest.raises(OrderError, match=text):
            program.create_batch_orders(orders)
        assert program.sent == []

    @pytest.mark.parametrize("name", GOOD)
    def test_nor_does_the_first_leave_when_the_second_lacks_something(self, program, name):
        with pytest.raises(OrderError, match=rf"{name} of orders\[1\] is None; nothing was sent"):
            program.create_batch_orders([BatchOrder(**self.GOOD), BatchOrder(**{**self.GOOD, name: None})])
        assert program.sent == []

    @pytest.mark.parametrize("name", [name for name in dir(StrategyApi) if re.match("(un)?subscribe_", name)])
    @pytest.mark.parametrize("symbols", [None, [None]])
    def test_a_subscription(self, program, runtime, name, symbols):
        method = getattr(program, name)
        required = [p.name for p in inspect.signature(method).parameters.values() if p.default is p.empty]
        with pytest.raises((SubscriptionError, InstrumentError), match="None"):
            method(**{**{n: ENOUGH[n] for n in required}, "symbols": symbols})
        assert runtime.calls == []
