"""Money: nothing is made or lost, whatever clients do; positions and their margin add up."""

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexus_fast.sim.account import Account, FuturesLedger, Position, SpotLedger
from nexus_fast.sim.binance.instruments import (
    COIN_M_BALANCES,
    SPOT_BALANCES,
    SPOT_INSTRUMENTS,
    USD_M_BALANCES,
    USD_M_INSTRUMENTS,
    coin_m_instruments,
)
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.fixed_point import parse
from nexus_fast.sim.futures_market import FuturesMarket
from nexus_fast.sim.instruments import quarters
from nexus_fast.sim.market import Refused
from nexus_fast.sim.orders import BUY, SELL, Fill, Order, SelfTrade, TimeInForce, Type
from nexus_fast.sim.spot_market import SpotMarket
from nexus_fast.sim.wire_statistics import WireStatistics


def trader(key):
    account = Account(key, "s")
    account.open("spot", SpotLedger(SPOT_BALANCES))
    account.open("usd_m", FuturesLedger(USD_M_BALANCES))
    account.open("coin_m", FuturesLedger(COIN_M_BALANCES))
    return account


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
    market, accounts = spot_market(), [trader("a"), trader("b")]
    ledgers = [a.ledgers["spot"] for a in accounts]

    def total(asset):
        return sum(ledger.free[asset] + ledger.locked[asset] + ledger.fees_paid.get(asset, 0) for ledger in ledgers)

    before = {asset: total(asset) for asset in ("BTC", "USDT")}
    play(market, accounts, "BTCUSDT", "84550", "0.01", "0.00137", steps)
    assert {asset: total(asset) for asset in before} == before
    for account in accounts:
        assert all(v >= 0 for v in (*account.ledgers["spot"].free.values(), *account.ledgers["spot"].locked.values()))
        open_orders = account.orders("spot").open.values()
        assert account.ledgers["spot"].locked["USDT"] == sum(o.locked for o in open_orders if o.side == BUY)
        assert account.ledgers["spot"].locked["BTC"] == sum(o.remaining for o in open_orders if o.side == SELL)
        assert all(o.is_open for o in open_orders)


@settings(max_examples=100, deadline=None)
@given(actions)
def test_futures_wallets_and_positions_are_conserved(steps):
    market, accounts = futures_market(), [trader("a"), trader("b")]
    market.refuses_taking_post_only = False
    start = sum(a.ledgers["usd_m"].wallet["USDT"] for a in accounts)
    play(market, accounts, "BTCUSDT", "84550", "0.1", "0.001", steps)
    positions = [a.ledgers["usd_m"].position(market.instruments["BTCUSDT"]) for a in accounts]
    assert sum(p.amount for p in positions) == 0
    mark = parse("80000")
    worth = sum(a.ledgers["usd_m"].wallet["USDT"] + a.ledgers["usd_m"].fees_paid.get("USDT", 0) for a in accounts)
    assert worth + sum(p.unrealized(mark) for p in positions) == start
    for account in accounts:
        risk, orders = account.ledgers["usd_m"].symbol_risk("BTCUSDT"), account.orders("usd_m").open.values()
        for side, counted in ((BUY, risk.open_buy), (SELL, risk.open_sell)):
            exact = sum(o.price * o.remaining for o in orders if o.side == side)
            assert abs(counted - exact // 10**8) <= len(orders) + 1


def met(instrument, quantity, price):
    value = instrument.value(parse(price), parse(quantity))
    return Fill(1, None, None, parse(price), parse(quantity), value, 0)


def test_a_position_realizes_against_its_average_and_turns_over():
    linear = USD_M_INSTRUMENTS[0]
    position = Position(linear)
    assert position.apply(BUY, met(linear, "2", "100")) == 0
    assert position.apply(BUY, met(linear, "2", "120")) == 0
    assert position.entry_price == parse("110")
    assert position.apply(SELL, met(linear, "1", "120")) == parse("10")
    assert position.apply(SELL, met(linear, "5", "100")) == parse("-30")
    assert (position.amount, position.entry_price) == (parse("-2"), parse("100"))
    assert position.unrealized(parse("90")) == parse("20")


def test_contracts_of_a_linear_instrument_count_in_base_units():
    swap = dataclasses.replace(USD_M_INSTRUMENTS[0], contract=parse("0.01"))
    position = Position(swap)
    position.apply(BUY, met(swap, "3", "84000"))  # 0.03 BTC
    assert position.unrealized(parse("85000")) == parse("30")
    assert position.apply(SELL, met(swap, "1", "84500")) == parse("5")
    assert (position.amount, position.entry_price) == (parse("2"), parse("84000"))
    assert swap.notional(parse("84000"), parse("3")) == parse("2520")


def coin_profit(contracts, size, entry, exit):
    """contracts * size * (1 / entry - 1 / exit), as the venue's contract specification gives it."""
    return Decimal(contracts) * size * (1 / Decimal(entry) - 1 / Decimal(exit))


def close_to(scaled, wanted):
    return abs(Decimal(scaled) / 10**8 - wanted) <= Decimal("3e-8")


def test_an_inverse_position_gains_in_coins():
    inverse = coin_m_instruments(0)[0]
    position = Position(inverse)
    position.apply(BUY, met(inverse, "50", "80000"))
    position.apply(BUY, met(inverse, "50", "100000"))
    entry = 100 / (Decimal(50) / 80000 + Decimal(50) / 100000)
    assert close_to(position.entry_price, entry)
    assert close_to(position.unrealized(parse("90000")), coin_profit(100, 100, entry, 90000))
    assert close_to(position.apply(SELL, met(inverse, "40", "90000")), coin_profit(40, 100, entry, 90000))
    assert close_to(position.apply(SELL, met(inverse, "100", "70000")), coin_profit(60, 100, entry, 70000))
    assert (position.amount, position.entry_price) == (parse("-40"), parse("70000"))
    assert close_to(position.unrealized(parse("60000")), -coin_profit(40, 100, 70000, 60000))


def test_one_price_is_its_own_average_also_in_small_contracts():
    dollar = dataclasses.replace(coin_m_instruments(0)[0], contract=parse("1"))
    position = Position(dollar)
    for _ in range(3):
        position.apply(SELL, met(dollar, "1", "84550.1"))
    assert position.entry_price == parse("84550.1")


@settings(max_examples=60, deadline=None)
@given(actions)
def test_coin_margined_wallets_and_positions_are_conserved(steps):
    instruments = coin_m_instruments(0)
    market = FuturesMarket("coin_m", instruments, Clock(), WireStatistics(), 1000)
    market.refuses_taking_post_only = False
    accounts = [trader("a"), trader("b")]
    ledgers = [account.ledgers["coin_m"] for account in accounts]
    start = sum(ledger.wallet["BTC"] for ledger in ledgers)
    play(market, accounts, "BTCUSD_PERP", "84550", "0.1", "1", steps)
    positions = [ledger.position(instruments[0]) for ledger in ledgers]
    assert sum(p.amount for p in positions) == 0
    worth = sum(ledger.wallet["BTC"] + ledger.fees_paid.get("BTC", 0) for ledger in ledgers)
    assert worth + sum(p.unrealized(parse("80000")) for p in positions) == start
    for account, ledger in zip(accounts, ledgers, strict=True):
        risk, orders = ledger.symbol_risk("BTCUSD_PERP"), account.orders("coin_m").open.values()
        for side, counted in ((BUY, risk.open_buy), (SELL, risk.open_sell)):
            assert counted == sum(instruments[0].value(o.price, o.remaining) for o in orders if o.side == side)


def test_coin_margin_is_asked_for_in_coins():
    market = FuturesMarket("coin_m", coin_m_instruments(0), Clock(), WireStatistics(), 1000)
    account = trader("a")  # 100 BTC at leverage 20: 2,000 BTC, or 1,691,000 contracts of 100 dollars at 84,550
    with pytest.raises(Refused, match="margin"):
        for _ in range(3):
            market.place(make_order(market, account, "BTCUSD_PERP", BUY, "84550", "600000"))
    assert len(account.orders("coin_m").open) == 2


def test_quarters_end_on_last_fridays():
    now = int(datetime(2026, 11, 22, tzinfo=UTC).timestamp() * 1000)
    days = [datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M") for ms in quarters(now, 3)]
    assert days == ["2026-12-25 08:00", "2027-03-26 08:00", "2027-06-25 08:00"]


def test_reduce_only_never_outgrows_the_position():
    market, maker, client = futures_market(), trader("m"), trader("t")
    market.place(make_order(market, maker, "ETHUSDT", SELL, "2700", "5"))
    with pytest.raises(Refused, match="reduce_only"):
        market.place(make_order(market, client, "ETHUSDT", SELL, "2800", "1", reduce_only=True))
    market.place(make_order(market, client, "ETHUSDT", BUY, "2700", "3"))
    resting = market.place(make_order(market, client, "ETHUSDT", SELL, "2710", "9", reduce_only=True))
    assert resting.quantity == parse("3")
    market.place(make_order(market, maker, "ETHUSDT", BUY, "2690", "5"))
    market.place(make_order(market, client, "ETHUSDT", SELL, "2690", "2"))
    assert resting.remaining == parse("1")
    market.place(make_order(market, client, "ETHUSDT", SELL, "2690", "1"))
    assert not resting.is_open
    assert client.ledgers["usd_m"].position(market.instruments["ETHUSDT"]).amount == 0
    assert client.ledgers["usd_m"].order_margin("ETHUSDT") == 0


def test_margin_and_balance_are_asked_for():
    spot, futures, account = spot_market(), futures_market(), trader("a")
    with pytest.raises(Refused, match="balance"):
        spot.place(make_order(spot, account, "BTCUSDT", SELL, "84550", "100.00001"))
    with pytest.raises(Refused, match="margin"):
        futures.place(make_order(futures, account, "BTCUSDT", BUY, "84000", "300"))


def test_modify_goes_to_the_end_of_the_queue_and_keeps_the_order_when_refused():
    market, first, second, taker = futures_market(), trader("1"), trader("2"), trader("3")
    one = market.place(make_order(market, first, "ETHUSDT", SELL, "2700", "1"))
    two = market.place(make_order(market, second, "ETHUSDT", SELL, "2700", "1"))
    with pytest.raises(Refused, match="tick_size"):
        market.modify(one, SELL, parse("2700.001"), parse("1"))
    with pytest.raises(Refused, match="no_change"):
        market.modify(one, SELL, parse("2700"), parse("1"))
    market.modify(one, SELL, parse("2700"), parse("2"))
    market.place(make_order(market, taker, "ETHUSDT", BUY, "2700", "1"))
    assert (one.executed, two.executed) == (0, parse("1"))
    assert first.ledgers["usd_m"].symbol_risk("ETHUSDT").open_sell == parse("5400")
    market.place(make_order(market, taker, "ETHUSDT", BUY, "2700", "1"))
    market.modify(one, SELL, parse("2701"), parse("1"))
    assert not one.is_open and first.ledgers["usd_m"].order_margin("ETHUSDT") == 0
