"""A user's strategy may have attributes of any name but those of the interface.

The judge of what the interface is: NexusTrader's Strategy, and what docs/write-a-strategy.md adds to it.
"""

import inspect
from decimal import Decimal
from types import SimpleNamespace

import pytest
from wire import Wire

from bench.path.frames import frames_of
from bench.path.world import World
from nexus_fast.constants import ExchangeType, KlineInterval, OrderSide, OrderType
from nexus_fast.strategy import Strategy
from nexus_fast.strategy.base import attach, detach

NEXUSTRADER = """
amount_to_precision api cancel_all_orders cancel_order cancel_order_ws clear_param create_batch_orders create_order
create_order_ws create_tp_sl_order fetch_open_orders fetch_order
fetch_recent_trades future_info inverse_info linear_info lot_sz market
min_order_amount modify_order param price_to_precision ready request_all_tickers request_index_klines request_klines
request_ticker schedule set_reconnect_reconcile_grace_ms set_timer spot_info stop tick_sz wait
""".split()
OWN = ["arequest", "instrument", "kill_switch"]
# Once the engine's own, on every strategy, and others that come to mind.
TAKEN = """
attach attach_understudy detach refused
callback_errors _runtime runtime _engine engine _instrument instruments _klines klines _symbols
symbols _subscribe _unsubscribe entry index order orders symbol_ids symbol_names symbol_exchanges account_ids account_index
find_order python_on_bookl1 rehearses on_quote send_order send_cancel name host tracker ledger core config strategy_id user_id
loop routes gate limits halted positions position balance _task _log
""".split()


def test_a_strategy_has_no_names_but_those_of_the_interface():
    names = {name for name, _ in inspect.getmembers(Strategy) if not name.startswith("__")}
    streams = {name for name in names if name.startswith(("on_", "subscribe_", "unsubscribe_"))}
    assert names - streams - set(NEXUSTRADER) - set(OWN) == {"_nexus_runtime"}


class Runtime:
    """What a strategy asks of the engine, written down."""

    def __init__(self):
        self.asked = []
        self.instruments = SimpleNamespace(get=lambda symbol: SimpleNamespace(tick_size=1), symbols=lambda *rest: ["A"])

    def __getattr__(self, name):
        return lambda *rest, **named: self.asked.append(name)


class Everything(Strategy):
    """Every name, on the class and on the object."""

    def __init__(self):
        super().__init__()
        for name in TAKEN:
            setattr(self, name, f"the user's {name}")

    def on_bookl1(self, book):
        self.book = book
        self.oid = self.create_order(book.symbol, OrderSide.BUY, OrderType.LIMIT, Decimal("0.001"), book.ask_decimal)
        self.create_order(book.symbol, OrderSide.BUY, OrderType.LIMIT, Decimal("0.001"))


for _name in TAKEN:
    setattr(Everything, _name, f"the class's {_name}")


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setenv("NEXUS_FAST_SHM", str(tmp_path))
    made = World("binance spot", frames_of("binance spot", recorded=False)[0], tmp_path, ("quiet",))
    wire = Wire(made.channel)
    yield made
    wire.close()


def test_attributes_of_the_engines_former_names_do_no_harm(world):
    strategy, runtime = Everything(), Runtime()
    ids = {found.symbol: number for number, found in enumerate(world.instruments)}
    attach(strategy, runtime, world.entry, 0, ids, list(ids), [ExchangeType.BINANCE] * len(ids), {})
    for number in ids.values():
        world.dispatcher.subscribe(number, strategy)
    world.path.check()
    assert strategy.oid and world.entry.sent > 0 and "refuse" in runtime.asked
    strategy.cancel_order(strategy.book.symbol, strategy.oid)
    strategy.subscribe_bookl1(strategy.book.symbol)
    strategy.unsubscribe_trade(strategy.book.symbol)
    strategy.request_klines(strategy.book.symbol, KlineInterval.MINUTE_1)
    strategy.kill_switch()
    assert {"subscribe", "unsubscribe", "request", "kill"} <= set(runtime.asked)
    assert strategy.tick_sz("A") == 1.0 and strategy.spot_info(ExchangeType.BINANCE) == ["A"]
    assert [getattr(strategy, name) for name in TAKEN] == [f"the user's {name}" for name in TAKEN]


@pytest.mark.parametrize("has_ended", [False, True])
@pytest.mark.parametrize("call", ["create_order", "cancel_order", "modify_order", "cancel_all_orders"])
def test_orders_while_no_engine_runs_are_refused_with_a_sentence(call, has_ended, world):
    from nexus_fast.error import StrategyBuildError

    strategy = Strategy()
    if has_ended:
        attach(strategy, Runtime(), world.entry, 0, {"A": 0}, ["A"], [ExchangeType.BINANCE], {})
        detach(strategy)
    arguments = {"create_order": ("A", OrderSide.BUY, OrderType.MARKET, 1), "cancel_all_orders": ("A",)}.get(call, ("A", "1"))
    with pytest.raises(StrategyBuildError, match=f"{call} was called before the engine was built or after its end"):
        getattr(strategy, call)(*arguments)
