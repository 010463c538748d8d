"""A strategy of a user's own in Cython, compiled against the package as it is installed."""

import importlib.util
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from engine_program import BTC, SPOT_ACCOUNT, run_script

import nexus_fast
from nexus_fast.order.reasons import reason_text

SOURCE = Path(nexus_fast.__file__).parents[1]
ON_ACCEPTED, ON_FILLED, ON_CANCELED = 1, 3, 5
MAKER_OR_TAKER, HAS_FEE, HAS_TRADE_ID, TAKER = (1, 2), 2, 4, 2

USERS_MODULE = """
from libc.stdint cimport int64_t
from libc.stdint cimport uint8_t
from nexus_fast.core.types cimport *
from nexus_fast.order.table cimport nx_order
from nexus_fast.strategy.base cimport Strategy

cdef class Own(Strategy):
    cdef readonly int64_t quotes
    cdef readonly int64_t number
    cdef readonly double bid
    cdef readonly list filled, told, events, statuses
    cdef readonly int64_t position
    cdef readonly tuple scales
    cdef int64_t resting

    def __init__(self):
        super().__init__()
        self.filled, self.told, self.events, self.statuses = [], [], [], []

    def on_start(self):
        self.subscribe_bookl1("BTCUSDT.BINANCE")

    cdef int on_quote(self, const nx_bookl1* book) except -1:
        cdef int64_t thousandth = 1
        cdef int i
        self.quotes += 1
        self.bid = book.bid_value
        self.scales = (book.price_scale, book.size_scale)
        if self.number == 0:
            for i in range(book.size_scale - 3):
                thousandth *= 10
            self.number = self.send_order(book.symbol_id, NX_BUY, NX_MARKET, 0, thousandth)
        if self.quotes == 5:
            raise ValueError("from Cython")
        return 0

    def on_filled_order(self, order):
        self.filled.append(order)

    def on_fill(self, fill):
        self.told.append(fill)

    cdef int on_execution(self, const nx_fill* fill) except -1:
        self.told.append((fill.order_number, fill.price_value, fill.quantity_value, fill.fee * 10.0**-fill.fee_scale,
                          fill.fee_currency.decode(), fill.trade_id, fill.flags, fill.liquidity, fill.average,
                          self.average_price(fill.order_number)))
        self.position += fill.quantity if fill.side == NX_BUY else -fill.quantity
        return 0

    cdef int on_order(self, const nx_order* order, uint8_t event) except -1:
        self.events.append((order.number, event))
        return 0

    def rest(self, account_type, price, quantity):
        # A bid at mantissas, on an account by its type.
        cdef uint8_t account = self.account_number(account_type, "BTCUSDT.BINANCE")
        self.resting = self.send_order_on(account, self.symbol_number("BTCUSDT.BINANCE"), NX_BUY, NX_LIMIT, price, quantity)
        return self.resting

    def wrong_change(self):
        return self.send_modify(1 << 40, 1, 1)

    def cancel(self):
        return self.send_cancel(self.resting)
"""
SETUP = """
from Cython.Build import cythonize
from setuptools import Extension, setup
setup(ext_modules=cythonize([Extension("{name}", ["{name}.pyx"])], include_path=[{installed!r}], language_level=3))
"""


@pytest.fixture(scope="module")
def users_strategy(tmp_path_factory):
    """Without the package's include directories."""
    directory = tmp_path_factory.mktemp("users")
    name = "users_own_strategy"
    (directory / f"{name}.pyx").write_text(USERS_MODULE)
    (directory / "setup.py").write_text(SETUP.format(name=name, installed=str(SOURCE)))
    done = subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=directory, capture_output=True,
                          timeout=180, env=dict(os.environ, PYTHONPATH=str(SOURCE), CFLAGS="-O0"))
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    found = next(directory.glob(f"{name}*.so"))
    spec = importlib.util.spec_from_file_location(name, found)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Own


def test_beside_a_python_one(venue, users_strategy, capsys):
    own = users_strategy()

    async def script(s):
        await s.quotes()
        await s.until(lambda: own.filled and own.quotes > 6, what="the Cython strategy's fill")
        assert s.heard("filled") == []
        assert abs(own.bid - s.cache.bookl1(BTC).bid) / own.bid < 0.01

    run_script(script, venue, symbols=[BTC], others=[own])
    assert own.number > 0 and own.filled[0].filled == Decimal("0.001")
    assert "ValueError: from Cython" in capsys.readouterr().out


def test_fills_and_orders_come_in_records_before_their_callbacks(venue, users_strategy):
    """The record says what the Fill after it says; position and average follow from it."""
    own = users_strategy()

    async def script(s):
        await s.quotes()
        await s.until(lambda: own.filled, what="the Cython strategy's fill")
        bid = s.cache.bookl1(BTC).bid
        price = int(s.price_to_precision(BTC, Decimal(str(bid)) * Decimal("0.9"), "floor").scaleb(own.scales[0]))
        resting = own.rest(SPOT_ACCOUNT, price, 10 ** (own.scales[1] - 3))
        await s.until(lambda: (resting, ON_ACCEPTED) in own.events)
        assert own.cancel() == 0
        await s.until(lambda: (resting, ON_CANCELED) in own.events)
        assert own.cancel() == own.wrong_change() < 0
        assert "over" in reason_text(-own.cancel())

    run_script(script, venue, symbols=[BTC], others=[own])
    records, fills = own.told[::2], own.told[1::2]
    assert len(records) == len(fills) > 0
    for record, fill in zip(records, fills, strict=True):
        number, price, quantity, fee, currency, trade_id, flags, liquidity, average, told_average = record
        assert (number, trade_id, currency) == (own.number, fill.trade_id, fill.fee_currency)
        assert (price, quantity) == (float(fill.price), float(fill.amount))
        assert fee == pytest.approx(float(fill.fee)) and flags == HAS_FEE | HAS_TRADE_ID and liquidity == TAKER
        assert average == told_average == fill.order.average
    assert own.position == sum(int(fill.amount.scaleb(own.scales[1])) for fill in fills)
    assert (own.number, ON_FILLED) in own.events
