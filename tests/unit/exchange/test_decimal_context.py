"""The program's decimal context (precision, rounding, traps, limits of the exponent) is for its own sums: nothing that the engine
computes depends on it, and no text that is no number becomes one."""

import decimal
import enum
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest

from nexus_fast.constants import ExchangeType, InstrumentType, OrderSide
from nexus_fast.core.decimals import mantissa_at
from nexus_fast.core.fixed import to_mantissa as fixed_mantissa
from nexus_fast.exact import as_decimal
from nexus_fast.exchange.binance import answers as binance_answers
from nexus_fast.exchange.binance import snapshot as binance_snapshot
from nexus_fast.exchange.binance import user_data as binance_user_data
from nexus_fast.exchange.bybit import snapshot as bybit_snapshot
from nexus_fast.exchange.bybit.fills import ExecutionRow, all_together, updates_of
from nexus_fast.exchange.bybit.instruments import parse_instruments as bybit_instruments
from nexus_fast.exchange.instrument import Instrument, round_to_step
from nexus_fast.exchange.okx import user_data as okx_user_data
from nexus_fast.exchange.okx.instruments import parse_instruments as okx_instruments
from nexus_fast.feed.aggregation import VolumeKlineAggregator
from nexus_fast.order.executions import average_price
from nexus_fast.schema import Balance, Position, Trade

HOSTILE = {
    **{f"{digits} digits": {"prec": digits} for digits in range(1, 9)},
    "rounded up": {"prec": 10, "rounding": decimal.ROUND_UP},
    "traps": {"traps": [decimal.Inexact, decimal.Rounded, decimal.FloatOperation, decimal.Subnormal, decimal.Clamped]},
    "no traps": {"traps": []},
    "a short exponent": {"Emin": -3, "Emax": 3},
    "small letters": {"capitals": 0, "clamp": 1},
    "all at once": {"prec": 2, "rounding": decimal.ROUND_UP, "Emin": -3, "Emax": 3, "capitals": 0, "traps": []},
}
HUGE = "987654321098765.123456789012345678"


@pytest.fixture(params=HOSTILE.values(), ids=HOSTILE)
def hostile(request):
    with decimal.localcontext(decimal.Context(**request.param)):
        yield


def instrument(**more):
    fields = {
        "symbol": "X",
        "venue_symbol": "X",
        "exchange": ExchangeType.BINANCE,
        "type": InstrumentType.LINEAR,
        "base": "X",
        "quote": "Y",
        "price_scale": 1,
        "size_scale": 3,
        "tick_size": Decimal("0.1"),
        "lot_size": Decimal("0.003"),
        "market_lot_size": Decimal("0.003"),
        "min_price": Decimal("0.05"),
        "min_notional": Decimal(100),
    }
    return Instrument(**{**fields, **more})


LINEAR = instrument()
INVERSE = instrument(type=InstrumentType.INVERSE, contract_size=Decimal(100))
EXECUTIONS = [("84555.4", "0.391"), ("84556.4", "0.843")]


def executions(category):
    rows = [
        {
            "symbol": "BTCUSDT",
            "execId": f"e{n}",
            "orderId": "o",
            "orderLinkId": "l",
            "execPrice": price,
            "execQty": size,
            "side": "Buy",
            "execTime": str(n),
        }
        for n, (price, size) in enumerate(EXECUTIONS)
    ]
    return updates_of(msgspec.json.decode(msgspec.json.encode(rows), type=list[ExecutionRow]), category)


# The right values are written out (sums and products in full, quotients to 28 digits) or computed with fractions.
def test_bybit_fills(hostile):
    linear, inverse = executions("linear"), executions("inverse")
    assert (str(linear[-1].cost), str(linear[-1].average)) == ("104342.2066", "84556.08314424635332252836305")
    size, coins = Fraction("1.234"), sum(Fraction(size) / Fraction(price) for price, size in EXECUTIONS)
    assert abs(Fraction(inverse[-1].average) / (size / coins) - 1) < Fraction(1, 10**26)
    assert all_together(linear).filled == Decimal("1.234")


def test_bybit_balances_and_positions(hostile):
    body = (
        b'{"list": [{"accountType": "UNIFIED", "coin": [{"coin": "MOG", "walletBalance": "%s", "locked": "0.1"}]}]}'
        % HUGE.encode()
    )
    assert str(bybit_snapshot.read_balances(body)["MOG"][0]) == "987654321098765.023456789012345678"
    rows = b'{"list": [{"symbol": "BTCUSDT", "side": "Sell", "size": "1234567.891", "positionIdx": 0}]}'
    (row,) = bybit_snapshot.read_positions(rows)
    assert str(bybit_snapshot.position_update(row, "linear").signed_amount) == "-1234567.891"


def test_bybit_instruments(hostile):
    row = {
        "symbol": "BTCUSD",
        "baseCoin": "BTC",
        "quoteCoin": "USD",
        "contractType": "InversePerpetual",
        "status": "Trading",
        "settleCoin": "BTC",
        "priceFilter": {"tickSize": "0.5", "minPrice": "123456.7", "maxPrice": "1999999"},
        "lotSizeFilter": {"qtyStep": "1", "minOrderQty": "1", "maxOrderQty": "25000000"},
    }
    (found,), skipped = bybit_instruments("inverse", msgspec.json.encode({"list": [row]}))
    assert (str(found.min_price), found.price_scale, found.max_quantity_mantissa) == (
        "123457.0",
        1,
        25_000_000,
    ) and not skipped


def test_okx_instruments_orders_and_positions(hostile):
    row = {
        "instId": "BTC-USD-SWAP",
        "instType": "SWAP",
        "tickSz": "0.1",
        "lotSz": "0.1",
        "minSz": "0.1",
        "ctType": "inverse",
        "ctVal": "100",
        "ctMult": "1",
        "settleCcy": "BTC",
        "state": "live",
        "instIdCode": 1,
        "maxLmtSz": "1234567",
    }
    (swap,), skipped = okx_instruments(msgspec.json.encode({"code": "0", "data": [row]}))
    assert (str(swap.contract_value), str(swap.lot_size), str(swap.max_quantity)) == (
        "100",
        "10",
        "123456700",
    ) and not skipped
    order = {
        "instId": "BTC-USD-SWAP",
        "ordId": "1",
        "clOrdId": "c",
        "state": "filled",
        "sz": "1234.5",
        "accFillSz": "1234.5",
        "avgPx": "61800.1",
        "px": "61800.1",
        "side": "buy",
        "ordType": "limit",
        "fillSz": "0.3",
        "fillPx": "61800.1",
        "tradeId": "7",
        "fillFee": "-0.000000481",
        "fillFeeCcy": "BTC",
    }
    (update,) = okx_user_data.read_orders(msgspec.json.encode([order]), lambda name: swap)
    assert (str(update.filled), str(update.last_quantity)) == ("123450.0", "30.0") and update.fee == Decimal(
        "0.000000481"
    )
    assert str(update.cost) == "1.99756958"
    rows = [
        {
            "instId": "BTC-USD-SWAP",
            "instType": "SWAP",
            "mgnMode": mode,
            "posSide": "net",
            "pos": size,
            "avgPx": price,
            "upl": "0.1234567",
            "uTime": "1",
        }
        for mode, size, price in (("cross", "1234", "61800.1"), ("isolated", "-34.5", "61900.3"))
    ]
    positions = okx_user_data.Positions(lambda name: swap)
    (position,) = positions.update(msgspec.json.decode(msgspec.json.encode(rows), type=list[okx_user_data.Position]))
    assert (str(position.signed_amount), str(position.unrealized_pnl)) == ("119950.0", "0.2469134")
    assert str(position.entry_price) == "61802.82518722901064249113126"


def test_binance_orders_and_balances(hostile):
    order = {
        "symbol": "BTCUSDT",
        "orderId": 1,
        "clientOrderId": "c",
        "status": "FILLED",
        "executedQty": "1.234",
        "origQty": "1.235",
        "cummulativeQuoteQty": "104342.2066",
        "price": "84556.4",
        "type": "LIMIT",
        "side": "BUY",
        "updateTime": 1,
    }
    update = binance_snapshot.read_order(msgspec.json.encode(order))
    assert str(update.average) == "84556.08314424635332252836305"
    answer = msgspec.json.decode(msgspec.json.encode({**order, "timeInForce": "GTC"}), type=binance_answers.OrderAnswer)
    assert str(binance_answers.as_order(answer, LINEAR).remaining) == "0.001"
    wallets = [{"A": (Decimal(HUGE), Decimal("0.1"))}, {"A": (Decimal("0.2"), Decimal(0))}]
    assert str(binance_snapshot.total(wallets)["A"][0]) == "987654321098765.323456789012345678"


def test_what_is_no_number_is_none(hostile):
    event = {
        "e": "executionReport",
        "E": 1,
        "s": "BTCUSDT",
        "c": "c",
        "S": "BUY",
        "o": "LIMIT",
        "x": "NEW",
        "X": "NEW",
        "i": 1,
        "q": "one",
    }
    with pytest.raises(msgspec.ValidationError):
        binance_user_data.decode(msgspec.json.encode(event))
    with pytest.raises(ArithmeticError):
        as_decimal("one")


def test_costs_averages_and_sums_of_the_cache(hostile):
    assert str(LINEAR.cost(Decimal("84555.4"), Decimal("0.391"))) == "33061.1614"
    assert str(INVERSE.cost(Decimal("61800.1"), Decimal(7))) == "0.01132684"
    assert str(average_price(LINEAR, Decimal("1.234"), Decimal("104342.2066"))) == "84556.08314424635332252836305"
    assert (
        str(Balance(asset="A", free=Decimal(HUGE), locked=Decimal("0.1")).total) == "987654321098765.223456789012345678"
    )
    assert (
        str(Position(symbol="A", exchange=ExchangeType.OKX, signed_amount=Decimal("-123456.789")).amount)
        == "123456.789"
    )


def test_prices_and_amounts_on_their_steps(hostile):
    round_to_step.__globals__["_quantum"].cache_clear()
    round_to_step.__globals__["_remainder"].cache_clear()
    assert (
        str(LINEAR.round_price("84555.44")) == "84555.45"
        and str(LINEAR.round_quantity("1234567.8904", "ceil")) == "1234567.893"
    )
    assert str(instrument(min_price=Decimal(0)).round_price(84555.44)) == "84555.4"
    assert (
        str(LINEAR.smallest_quantity("84555.4")) == "0.003" and str(LINEAR.smallest_quantity("0.123456")) == "818.106"
    )
    assert (
        LINEAR.max_price_mantissa == 10**18 - 1
        and instrument(max_quantity=Decimal("123456.789")).max_quantity_mantissa == 123456789
    )


def test_bars(hostile):
    bars = []
    bar = VolumeKlineAggregator(ExchangeType.BINANCE, "X", 0.3, bars.append)
    for n in range(4):
        bar.on_trade(
            Trade(
                exchange=ExchangeType.BINANCE, symbol="X", price=84555.4, size=0.123456, timestamp=n, side=OrderSide.BUY
            )
        )
    assert [(b.volume, b.quote_volume) for b in bars] == [(0.3, 25366.62)]


class Money(float):
    def __str__(self):
        return f"${float(self):.2f}"

    __repr__ = __str__


class Worded(Decimal):
    def __str__(self):
        return "a lot"


class Lots(enum.IntEnum):
    FIVE = 5

    def __str__(self):
        return "five"

    __repr__ = __str__


@pytest.mark.parametrize(
    "value, text",
    [(Money("61800.25"), "61800.25"), (Worded("61800.25"), "61800.25"), (Lots.FIVE, "5"), ("61800.25", "61800.25")],
)
def test_a_number_of_a_class_of_its_own_is_the_number_that_it_is(value, text):
    assert as_decimal(value) == Decimal(text)
    assert mantissa_at(value, 2) == fixed_mantissa(value, 2) == int(Decimal(text) * 100)


def test_numbers_of_numpy():
    numpy = pytest.importorskip("numpy")
    for value, wanted in ((numpy.float64(61800.25), 6180025), (numpy.int64(5), 500), (numpy.float32(0.25), 25)):
        assert as_decimal(value) == Decimal(wanted).scaleb(-2)
        assert mantissa_at(value, 2) == fixed_mantissa(value, 2) == wanted


@pytest.mark.parametrize("value", [True, False, None, "", "one"])
def test_what_is_no_amount_is_refused(value):
    with pytest.raises((ArithmeticError, ValueError)):
        fixed_mantissa(value, 2)
    assert mantissa_at(value, 2) is None
