"""Books count each fill once, to the last digit, in memory and over the death of the process."""

import itertools
import os
import signal
import stat
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexus_fast.books import Books, BooksError
from nexus_fast.constants import ExchangeType, InstrumentType, OrderSide, OrderStatus
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.exchange.instrument import Instrument
from nexus_fast.schema import Fill, Order, Position

SYMBOL, COIN = "BTCUSDT-PERP.BINANCE", "BTCUSD-PERP.BINANCE"
BUY, SELL = OrderSide.BUY, OrderSide.SELL


def instrument(symbol):
    inverse = symbol == COIN
    return Instrument(
        symbol=symbol,
        venue_symbol="BTCUSDT",
        exchange=ExchangeType.BINANCE,
        type=InstrumentType.INVERSE if inverse else InstrumentType.LINEAR,
        base="BTC",
        quote="USD" if inverse else "USDT",
        contract_size=D(100) if inverse else D(1),
        price_scale=1,
        size_scale=3,
        tick_size=D("0.1"),
        lot_size=D("0.001"),
        market_lot_size=D("0.001"),
    )


def fill(trade_id, side=BUY, amount="1", price="100", *, filled=None, oid="a", fee="0.04", recovered=False, symbol=SYMBOL):
    """filled: of its order, with this fill."""
    filled = D(amount if filled is None else filled)
    order = Order(ExchangeType.BINANCE, symbol, OrderStatus.PARTIALLY_FILLED, oid=oid, eid="7", filled=filled)
    return Fill(
        exchange=ExchangeType.BINANCE,
        account_type=BinanceAccountType.USD_M_FUTURE,
        symbol=symbol,
        oid=oid,
        eid="7",
        trade_id=trade_id,
        side=side,
        price=D(price),
        amount=D(amount),
        is_maker=True,
        fee=None if fee is None else D(fee),
        fee_currency=None if fee is None else "USDT",
        timestamp=1,
        recovered=recovered,
        position=None,
        order=order,
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "maker.books"


def test_position_cash_fees_and_profit():
    books = Books(instrument)
    books.add(fill(1, BUY, "2", "100.5"))
    books.add(fill(2, SELL, "0.5", "101", oid="b"))
    assert books.position(SYMBOL) == D("1.5")
    assert books.cash(SYMBOL) == D("-150.5")
    assert books.fees() == books.fees(SYMBOL) == {"USDT": D("0.08")}
    assert books.profit(SYMBOL, D("102")) == D("2.5")
    assert books.position("ETHUSDT-PERP.BINANCE") == 0 and books.fees("ETHUSDT-PERP.BINANCE") == {}


def test_an_inverse_contract_earns_its_coin():
    books = Books(instrument)
    books.add(fill(1, BUY, "10", "20000", symbol=COIN))
    assert books.profit(COIN, 25000) == D("0.01")              # 1000 USD: 0.05 BTC became worth 0.04
    books.add(fill(2, SELL, "10", "25000", symbol=COIN, oid="b"))
    assert (books.position(COIN), books.cash(COIN), books.profit(COIN, 1)) == (0, D("0.01"), D("0.01"))


def test_a_fill_is_counted_once():
    books = Books(instrument)
    assert books.add(fill(1)) and not books.add(fill(1))
    assert books.position(SYMBOL) == 1 and books.fees() == {"USDT": D("0.04")}


def test_both_sides_of_a_trade_may_be_ours():
    books = Books(instrument)
    books.add(fill(1, BUY))
    books.add(fill(1, SELL, oid="b"))
    assert books.position(SYMBOL) == 0 and books.fees() == {"USDT": D("0.08")}


def test_a_late_fee_is_added_once():
    books = Books(instrument)
    books.add(fill(1, fee=None))
    assert books.fees() == {}
    assert books.add_fee(fill(1)) and not books.add_fee(fill(1)) and not books.add(fill(1))
    assert books.position(SYMBOL) == 1 and books.fees() == {"USDT": D("0.04")}


def test_a_fill_that_is_told_again_with_its_fee_brings_the_fee():
    books = Books(instrument)
    books.add(fill(1, fee=None))
    assert books.add(fill(1)) and books.position(SYMBOL) == 1 and books.fees() == {"USDT": D("0.04")}


def test_a_quantity_without_a_trade_and_its_trades_are_one():
    books = Books(instrument)
    books.add(fill(1, amount="1", filled="1"))
    books.add(fill(None, amount="2", filled="3", fee=None))
    assert not books.add(fill(None, amount="2", filled="3", fee=None))
    books.add(fill(2, amount="0.5", filled="1.5"))             # as a restart tells them that did not hear that they were told
    books.add(fill(3, amount="1.5", filled="3"))
    assert books.position(SYMBOL) == 3 and books.fees() == {"USDT": D("0.12")}
    books.add(fill(None, amount="2.5", filled="3.5", fee=None))
    assert books.position(SYMBOL) == D("3.5")


def test_in_memory_the_position_of_the_start_contains_what_is_recovered():
    books = Books(instrument)
    books.start_from(SYMBOL, Position(SYMBOL, ExchangeType.BINANCE, D("-3"), entry_price=90.5))
    assert not books.add(fill(1, recovered=True)) and not books.add_fee(fill(1, recovered=True))
    books.add(fill(2))
    assert books.position(SYMBOL) == -2 and books.cash(SYMBOL) == D("171.5") and books.profit(SYMBOL, 100) == D("-28.5")


def test_a_start_comes_first_and_has_a_price():
    books = Books(instrument)
    books.start_from(SYMBOL, None)
    with pytest.raises(BooksError, match="once, before its first fill"):
        books.start_from(SYMBOL, D(1), 100)
    with pytest.raises(BooksError, match="price="):
        Books(instrument).start_from(SYMBOL, D(1))


def test_with_a_file_books_go_on_where_they_were(path):
    books = Books(instrument, path)
    books.start_from(SYMBOL, D("0.5"), D("80"))
    books.add(fill(1, fee=None))
    books.close()
    again = Books(instrument, path)
    assert SYMBOL in again and again.position(SYMBOL) == D("1.5") and again.cash(SYMBOL) == D("-140")
    again.add(fill(1, fee=None, recovered=True))
    again.add(fill(2, SELL, recovered=True, oid="b"))
    again.add_fee(fill(1))
    assert again.position(SYMBOL) == D("0.5") and again.fees() == {"USDT": D("0.08")}


def test_the_file_is_the_users_alone(path):
    books = Books(instrument, path)
    books.add(fill(1))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(BooksError, match="another process"):
        Books(instrument, path)


def test_a_damaged_file_is_named_with_what_to_do(path):
    with Kept(path) as books:
        books.add(fill(1))
        books.add(fill(2))
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"position":"1"', b'"position":"2"', 1))
    with pytest.raises(BooksError, match=r"maker\.books: line 2 is damaged.*start_from"):
        Books(instrument, path)
    path.write_bytes(b"something else\n")
    with pytest.raises(BooksError, match="no file of books"):
        Books(instrument, path)


class Kept(Books):
    def __init__(self, path):
        super().__init__(instrument, path)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def test_killed_between_any_two_fills(path):
    """The process dies by SIGKILL after some of its fills; all are told again."""
    fills = [fill(number, BUY if number % 3 else SELL, filled=str(number)) for number in range(1, 60)]
    for count in (0, 1, 17, 40):
        child = os.fork()
        if child == 0:
            books = Books(instrument, path)
            for told in fills[:count]:
                books.add(told)
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
    with Kept(path) as books:
        for told in fills:
            books.add(told)
        assert books.position(SYMBOL) == 40 - 19 and books.fees() == {"USDT": D("0.04") * 59}


AMOUNTS = st.integers(1, 10**15).map(lambda units: D(units).scaleb(-8))
TRADES = st.lists(st.tuples(st.sampled_from((BUY, SELL)), AMOUNTS, AMOUNTS, st.booleans()), min_size=1, max_size=20)


@settings(max_examples=40)
@given(TRADES, st.data())
def test_any_fills_told_any_number_of_times_over_any_number_of_lives(tmp_path_factory, trades, data):
    """What is left of a last line that was cut counts for nothing, and its fill is told again."""
    path = tmp_path_factory.mktemp("books") / "file"
    fills = [
        fill(number, side, str(amount), str(price), oid=str(number), fee=None if late else "0.01")
        for number, (side, amount, price, late) in enumerate(trades)
    ]
    start = 0
    for _ in range(3):
        with Kept(path) as books:
            end = data.draw(st.integers(start, len(fills)))
            for told in fills[data.draw(st.integers(0, start)) : end]:
                books.add(told)
        start = end
        if data.draw(st.booleans()) and start:
            content = path.read_bytes()
            last = content.rstrip(b"\n").rfind(b"\n") + 1
            path.write_bytes(content[: data.draw(st.integers(last, len(content) - 1))] if last else content)
            start = 0
    with Kept(path) as books:
        for told, _ in itertools.product(fills, range(2)):
            books.add(told)
            books.add_fee(fill(told.trade_id, oid=told.oid, fee="0.01"))
        assert books.position(SYMBOL) == sum((a if s is BUY else -a for s, a, _, _ in trades), D(0))
        assert books.cash(SYMBOL) == sum((-a * p if s is BUY else a * p for s, a, p, _ in trades), D(0))
        assert books.fees() == {"USDT": D("0.01") * len(trades)}
