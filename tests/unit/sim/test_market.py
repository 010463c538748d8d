"""Money: nothing is made or lost, whatever clients do; positions and their margin add up."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexus_fast.sim.account import Account, Position
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.fixed_point import parse
from nexus_fast.sim.futures_market import FuturesMarket
from nexus_fast.sim.instruments import SPOT_INSTRUMENTS, USD_M_INSTRUMENTS
from nexus_fast.sim.market import Refused
from nexus_fast.sim.orders import BUY, SELL, Order, SelfTrade, TimeInForce, Type
from nexus_fast.sim.spot_market import SpotMarket
from nexus_fast.sim.wire_statistics import WireStatistics


def spot_market():
    return SpotMarket("spot", SPOT_INSTRUMENTS, Clock(), WireStatistics(), 1000)


def futures_market():
    return FuturesMarket("usd_m", USD_M_INSTRUMENTS, Clock(), WireStatistics(), 1000)


def make_order(market, account, symbol, side, price, quantity, kind=Type.LIMIT, tif=TimeInForce.GTC, **more):
    number = market.next_order_id()
    return Order(number, f"c{number}", account, market.instruments[symbol], side, kind, tif,
                 0 if kind == Type.MARKET else parse(price), parse(quantity), **more)


actions = st.lists(st.tuples(
    st.integers(0, 1), st.sampled_from([BUY, SELL]), st.integers(-5, 5), st.integers(1, 50),
    st.sampled_from([Type.LIMIT, Type.LIMIT, Type.MARKET, Type.POST_ONLY]),
    st.sampled_from([TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]),
    st.sampled_from([SelfTrade.NONE, SelfTrade.EXPIRE_MAKER, SelfTrade.EXPIRE_BOTH]),
    st.integers(0, 5)), max_size=50)


def play(market, accounts, symbol, start, tick, unit, steps, **more):
    placed = []
    for who, side, offset, size, kind, tif, mode, cancel in steps:
        if cancel == 0 and placed:
            order = placed.pop()
            if order.is_open:
                market.cancel(order, "x")
            continue
        price = f"{Decimal(start) + offset * Decimal(tick)}"
        order = make_order(market, accounts[who], symbol, side, price, f"{size * Decimal(unit)}", kind, tif,
                           self_trade=mode)
        try:
            market.place(order)
            placed.append(order)
        except Refused:
            pass
        market.flush()
    return placed


@settings(max_examples=100, deadline=None)
@given(actions)
def test_spot_balances_are_conserved(steps):
    market, accounts = spot_market(), [Account("a", "s"), Account("b", "s")]
    ledgers = [a.spot for a in accounts]

    def total(asset):
        return sum(ledger.free[asset] + ledger.locked[asset] + ledger.fees_paid.get(asset, 0) for ledger in ledgers)

    before = {asset: total(asset) for asset in ("BTC", "USDT")}
    play(market, accounts, "BTCUSDT", "84550", "0.01", "0.00137", steps)
    assert {asset: total(asset) for asset in before} == before
    for account in accounts:
        assert all(v >= 0 for v in (*account.spot.free.values(), *account.spot.locked.values()))
        open_orders = account.spot_orders.open.values()
        assert account.spot.locked["USDT"] == sum(o.locked for o in open_orders if o.side == BUY)
        assert account.spot.locked["BTC"] == sum(o.remaining for o in open_orders if o.side == SELL)
        assert all(o.is_open for o in open_orders)


@settings(max_examples=100, deadline=None)
@given(actions)
def test_futures_wallets_and_positions_are_conserved(steps):
    market, accounts = futures_market(), [Account("a", "s"), Account("b", "s")]
    market.refuses_taking_post_only = False
    start = sum(a.usd_m.wallet["USDT"] for a in accounts)
    play(market, accounts, "BTCUSDT", "84550", "0.1", "0.001", steps)
    positions = [a.usd_m.position("BTCUSDT") for a in accounts]
    assert sum(p.amount for p in positions) == 0
    mark = parse("80000")
    worth = sum(a.usd_m.wallet["USDT"] + a.usd_m.fees_paid.get("USDT", 0) for a in accounts)
    assert worth + sum(p.unrealized(mark) for p in positions) == start
    for account in accounts:
        risk, orders = account.usd_m.symbol_risk("BTCUSDT"), account.usd_m_orders.open.values()
        for side, counted in ((BUY, risk.open_buy), (SELL, risk.open_sell)):
            exact = sum(o.price * o.remaining for o in orders if o.side == side)
            assert abs(counted - exact // 10**8) <= len(orders) + 1


def test_a_position_realizes_against_its_average_and_turns_over():
    position = Position()
    assert position.apply(BUY, parse("2"), parse("200")) == 0
    assert position.apply(BUY, parse("2"), parse("240")) == 0
    assert position.entry_price == parse("110")
    assert position.apply(SELL, parse("1"), parse("120")) == parse("10")
    assert position.apply(SELL, parse("5"), parse("500")) == parse("-30")
    assert (position.amount, position.entry_price) == (parse("-2"), parse("100"))
    assert position.unrealized(parse("90")) == parse("20")


def test_reduce_only_never_outgrows_the_position():
    market, maker, trader = futures_market(), Account("m", "s"), Account("t", "s")
    market.place(make_order(market, maker, "ETHUSDT", SELL, "2700", "5"))
    with pytest.raises(Refused, match="reduce_only"):
        market.place(make_order(market, trader, "ETHUSDT", SELL, "2800", "1", reduce_only=True))
    market.place(make_order(market, trader, "ETHUSDT", BUY, "2700", "3"))
    resting = market.place(make_order(market, trader, "ETHUSDT", SELL, "2710", "9", reduce_only=True))
    assert resting.quantity == parse("3")
    market.place(make_order(market, maker, "ETHUSDT", BUY, "2690", "5"))
    market.place(make_order(market, trader, "ETHUSDT", SELL, "2690", "2"))
    assert resting.remaining == parse("1")
    market.place(make_order(market, trader, "ETHUSDT", SELL, "2690", "1"))
    assert not resting.is_open
    assert trader.usd_m.position("ETHUSDT").amount == 0
    assert trader.usd_m.order_margin("ETHUSDT") == 0


def test_margin_and_balance_are_asked_for():
    spot, futures, account = spot_market(), futures_market(), Account("a", "s")
    with pytest.raises(Refused, match="balance"):
        spot.place(make_order(spot, account, "BTCUSDT", SELL, "84550", "100.00001"))
    with pytest.raises(Refused, match="margin"):
        futures.place(make_order(futures, account, "BTCUSDT", BUY, "84000", "300"))


def test_modify_goes_to_the_end_of_the_queue_and_keeps_the_order_when_refused():
    market, first, second, taker = futures_market(), Account("1", "s"), Account("2", "s"), Account("3", "s")
    one = market.place(make_order(market, first, "ETHUSDT", SELL, "2700", "1"))
    two = market.place(make_order(market, second, "ETHUSDT", SELL, "2700", "1"))
    with pytest.raises(Refused, match="tick_size"):
        market.modify(one, SELL, parse("2700.001"), parse("1"))
    with pytest.raises(Refused, match="no_change"):
        market.modify(one, SELL, parse("2700"), parse("1"))
    market.modify(one, SELL, parse("2700"), parse("2"))
    market.place(make_order(market, taker, "ETHUSDT", BUY, "2700", "1"))
    assert (one.executed, two.executed) == (0, parse("1"))
    assert first.usd_m.symbol_risk("ETHUSDT").open_sell == parse("5400")
    market.place(make_order(market, taker, "ETHUSDT", BUY, "2700", "1"))
    market.modify(one, SELL, parse("2701"), parse("1"))
    assert not one.is_open and first.usd_m.order_margin("ETHUSDT") == 0
