"""One odd row of a list takes no other with it, at any venue; and a list with an odd row is not complete."""

import asyncio
import json
from decimal import Decimal
from types import SimpleNamespace

import msgspec
import pytest
from okx_recorded import instrument as okx_instrument

from nexus_fast.constants import ExchangeType, InstrumentType, KlineInterval
from nexus_fast.error import VenueError
from nexus_fast.exchange import BinanceAccountType
from nexus_fast.exchange import rows as module
from nexus_fast.exchange.binance import answers as binance_answers
from nexus_fast.exchange.binance import snapshot as binance
from nexus_fast.exchange.binance.account_rest import AccountRest as BinanceAccountRest
from nexus_fast.exchange.binance.emergency import cancel_everything as cancel_at_binance
from nexus_fast.exchange.binance.market_data import decode as decode_binance
from nexus_fast.exchange.binance.order_limits import OrderLimits
from nexus_fast.exchange.binance.requests import BinanceRequests
from nexus_fast.exchange.binance.user_data import decode as decode_event
from nexus_fast.exchange.bybit import snapshot as bybit
from nexus_fast.exchange.bybit.account_rest import AccountRest
from nexus_fast.exchange.bybit.answers import TICKER_ROWS
from nexus_fast.exchange.bybit.answers import as_ticker as as_bybit_ticker
from nexus_fast.exchange.bybit.emergency import cancel_everything as cancel_at_bybit
from nexus_fast.exchange.bybit.fills import Fills
from nexus_fast.exchange.bybit.market_data import MarketData
from nexus_fast.exchange.bybit.requests import BybitRequests
from nexus_fast.exchange.bybit.user_data import UserData, decode_message
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.exchange.okx import answers as okx_answers
from nexus_fast.exchange.okx import snapshot as okx_snapshot
from nexus_fast.exchange.okx import user_data as okx
from nexus_fast.exchange.okx.emergency import cancel_everything as cancel_at_okx
from nexus_fast.exchange.okx.market_data import decode as decode_okx
from nexus_fast.exchange.okx.requests import OkxRequests
from nexus_fast.exchange.okx.websocket_api import decode_message as decode_okx_message
from nexus_fast.exchange.rows import Rows, finite
from nexus_fast.order.events import BalanceUpdate, PositionUpdate, Unreadable
from nexus_fast.schema import FundingRate, IndexPrice, MarkPrice

STEP = Decimal("0.01")
SPOT_INSTRUMENT = Instrument(symbol="A.BINANCE", venue_symbol="A", exchange=ExchangeType.BINANCE, type=InstrumentType.SPOT,
                             base="A", quote="B", price_scale=2, size_scale=2, tick_size=STEP, lot_size=STEP,
                             market_lot_size=STEP)  # fmt: skip
NO_ROWS = ["", None, 5, [], {}]                      # in place of a row
NO_NUMBERS = ["", None, "NaN", "Infinity", "abc", [], {}]      # in place of a number


def text(value):
    return json.dumps(value).encode()


def between(good, odd):
    """The odd row between two good ones."""
    return [good, odd, good]


# ------------------------------------------------------------------------------------------ the common way


class Row(msgspec.Struct):
    name: str
    value: str


class TestRows:
    rows = Rows(Row, "things of a test", "name")

    @pytest.fixture(autouse=True)
    def anew(self, monkeypatch):
        monkeypatch.setattr(module, "left_out", module.Counter())
        monkeypatch.setattr(module, "_told", set())

    def test_it_is_left_out_counted_and_named_once(self, caplog):
        body = text([{"name": "A", "value": "1"}, {"name": "B", "value": None}, {"name": "C", "value": "x"}, None])
        for turn in (1, 2):
            found = self.rows.decode(body, lambda row: (row.name, finite(row.value)))
            assert found == [("A", 1.0)] and found.odd == 3
            assert module.left_out == {"things of a test": 3 * turn}
        assert [record.getMessage().split(", as")[0] for record in caplog.records] == [
            f"things of a test: {name} is left out" for name in "BC?"
        ]

    def test_what_is_no_list_is_an_error(self):
        for body in (b"", b"<html>", b"{}", b"null", b"[{]"):
            with pytest.raises(msgspec.DecodeError):
                self.rows.decode(body)

    def test_a_whole_list_has_no_odd_row(self):
        found = self.rows.decode(text([{"name": "A", "value": "1"}]))
        assert [row.name for row in found] == ["A"] and found.odd == 0 and module.left_out == {}


# ------------------------------------------------------------------------------------------ tickers and marks

BINANCE_TICKER = {"symbol": "A", "lastPrice": "2", "volume": "3", "closeTime": 4, "quoteVolume": "5"}
BYBIT_TICKER = {"symbol": "A", "lastPrice": "2", "volume24h": "3", "turnover24h": "5"}
OKX_TICKER = {"instId": "A", "last": "2", "ts": "4", "vol24h": "3", "volCcy24h": "5"}
TICKERS = {
    "binance": (BINANCE_TICKER, "lastPrice", lambda body: binance_answers.TICKERS.decode(
        body, lambda row: binance_answers.as_ticker(row, row.symbol))),
    "bybit": (BYBIT_TICKER, "lastPrice", lambda body: TICKER_ROWS.decode(
        body, lambda row: as_bybit_ticker(row, row.symbol, 4))),
    "okx": (OKX_TICKER, "vol24h", lambda body: okx_answers.TICKERS.decode(
        body, lambda row: okx_answers.as_ticker(row, row.inst_id))),
}  # fmt: skip


@pytest.mark.parametrize("venue", TICKERS)
def test_tickers(venue):
    good, number, read = TICKERS[venue]
    odd = [*NO_ROWS, *({**good, number: value} for value in NO_NUMBERS if venue != "okx" or value != "")]
    for row in odd:
        found = read(text(between(good, row)))
        assert [(t.symbol, t.last_price, t.volume) for t in found] == [("A", 2.0, 3.0)] * 2, row
        assert found.odd == 1


@pytest.mark.parametrize("odd", [None, "", "NaN", "abc"])
@pytest.mark.parametrize("field", ["p", "i", "r"])
def test_marks_of_binance(field, odd):
    mark = {"e": "markPriceUpdate", "E": 1, "s": "A", "p": "10", "i": "11", "r": "0.1", "T": 2}
    kinds = {"p": MarkPrice, "i": IndexPrice, "r": FundingRate}
    found = decode_binance("usd_m", text({**mark, field: odd}), lambda name: name)
    assert [type(event) for event in found] == [kind for name, kind in kinds.items() if name != field]
    del mark[field]
    assert len(decode_binance("usd_m", text(mark), lambda name: name)) == 2


@pytest.mark.parametrize("odd", [None, "", "NaN", "abc"])
@pytest.mark.parametrize("field", ["markPrice", "indexPrice", "fundingRate", "nextFundingTime"])
def test_marks_of_bybit(field, odd):
    row = {"symbol": "A", "markPrice": "10", "indexPrice": "11", "fundingRate": "0.1", "nextFundingTime": "2", field: odd}
    found = MarketData().decode(text({"topic": "tickers.A", "type": "snapshot", "ts": 1, "data": row}), lambda name: name)
    gone = {"markPrice": MarkPrice, "indexPrice": IndexPrice}.get(field, FundingRate)
    assert [type(event) for event in found] == [kind for kind in (MarkPrice, IndexPrice, FundingRate) if kind is not gone]


@pytest.mark.parametrize("odd", [*NO_ROWS, {"markPx": "NaN", "ts": "1"}, {"markPx": "", "ts": "1"}, {"markPx": "1", "ts": "x"}])
def test_marks_of_okx(odd):
    data = between({"instId": "A", "markPx": "10", "ts": "1"}, odd)
    message = decode_okx_message(text({"arg": {"channel": "mark-price", "instId": "A"}, "data": data}))
    assert [event.price for event in decode_okx(message, lambda channel, name: [name])] == [10.0, 10.0]


# ------------------------------------------------------------------------------------------ balances

SPOT_ROW = {"asset": "A", "free": "1", "locked": "2"}
BALANCES = {
    "spot": (SPOT_ROW, "free", lambda rows: binance.read_balances("spot", text({"balances": rows}))),
    "margin": (SPOT_ROW, "locked", lambda rows: binance.read_balances("margin", text({"userAssets": rows}))),
    "usd_m": ({"asset": "A", "walletBalance": "1"}, "walletBalance",
              lambda rows: binance.read_balances("usd_m", text({"assets": rows}))),
    "isolated": ({"symbol": "A", "baseAsset": SPOT_ROW, "quoteAsset": SPOT_ROW}, "baseAsset",
                 lambda rows: binance.read_isolated(text({"assets": rows}))),
    "bybit": ({"coin": "A", "walletBalance": "1", "locked": "0"}, "walletBalance",
              lambda rows: bybit.read_balances(text({"list": [{"accountType": "UNIFIED", "coin": rows}]}))),
    "okx": ({"ccy": "A", "availBal": "1", "frozenBal": "2"}, "availBal",
            lambda rows: okx.read_balances(okx.accounts.decode(text([{"details": rows, "uTime": "1"}])), complete=True).balances),
}  # fmt: skip


@pytest.mark.parametrize("kind", BALANCES)
def test_balances(kind):
    good, number, read = BALANCES[kind]
    expected = read([good])
    assert list(expected) == ["A"] and not expected.odd
    # An empty text of Bybit and OKX is none of an asset.
    numbers = [value for value in NO_NUMBERS if kind not in ("bybit", "okx") or value not in ("", None)]
    name = next(iter(good))
    for odd in [*NO_ROWS, *({**good, name: "B", number: value} for value in numbers)]:
        found = read(between(good, odd))
        assert found == expected and found.odd == 1, odd


def test_balances_of_a_portfolio():
    good = {"asset": "A", "crossMarginFree": "1", "crossMarginLocked": "0", "umWalletBalance": "2", "cmWalletBalance": "3"}
    found = binance.read_portfolio(text(between(good, {**good, "asset": "B", "cmWalletBalance": "NaN"})))
    assert found.odd == 1 and {part: list(of) for part, of in found.items()} == {"margin": ["A"], "UM": ["A"], "CM": ["A"]}


def test_an_incomplete_list_of_okx_takes_no_balance_off():
    rows = okx.accounts.decode(text([{"details": [{"ccy": "A", "availBal": "1"}, {"ccy": "B", "availBal": "NaN"}]}]))
    assert not okx.read_balances(rows, complete=True).complete
    whole = okx.accounts.decode(text([{"details": [{"ccy": "A", "availBal": "1"}]}]))
    assert okx.read_balances(whole, complete=True).complete


# ------------------------------------------------------------------------------------------ positions

POSITIONS = {
    "binance": ({"symbol": "A", "positionAmt": "1", "entryPrice": "2"}, "positionAmt",
                lambda rows: binance.read_positions(text(rows))),
    "bybit": ({"symbol": "A", "side": "Buy", "size": "1", "avgPrice": "2"}, "size",
              lambda rows: bybit.read_positions(text({"list": rows}), lambda row: bybit.position_update(row, "linear"))),
    "okx": ({"instId": "A", "instType": "SWAP", "pos": "1", "avgPx": "2"}, "pos", lambda rows: okx.read_positions(text(rows))),
}  # fmt: skip


@pytest.mark.parametrize("venue", POSITIONS)
def test_positions(venue):
    good, number, read = POSITIONS[venue]
    numbers = [value for value in NO_NUMBERS if venue == "binance" or value != ""]
    for odd in [*NO_ROWS, *({**good, next(iter(good)): "B", number: value} for value in numbers)]:
        found = read(between(good, odd))
        assert len(found) == 2 and found.odd == 1, odd


@pytest.mark.parametrize(("amount", "odd"), [("0.000", 0), ("0.5", 1)])
def test_a_position_of_hedge_mode_is_not_passed_over(amount, odd):
    """It is not followed here, so the list is not complete; a side that holds nothing is."""
    good = {"symbol": "A", "positionAmt": "1", "entryPrice": "2"}
    found = binance.read_positions(text([good, {**good, "positionSide": "LONG", "positionAmt": amount}]))
    assert len(found) == 1 and found.odd == odd


def test_positions_of_okx_that_a_list_could_not_tell_are_what_they_were():
    swap = okx_instrument("BTC-USDT-SWAP", "SWAP")
    positions = okx.Positions(lambda name: swap)
    row = {"instId": "BTC-USDT-SWAP", "instType": "SWAP", "pos": "5", "mgnMode": "cross", "avgPx": "2"}
    assert positions.replace(okx.read_positions(text([row])))[0].signed_amount == 5 * swap.contract_value
    isolated = {**row, "mgnMode": "isolated", "pos": "1"}
    odd = {**row, "pos": "NaN"}
    assert positions.replace(okx.read_positions(text([isolated, odd])))[0].signed_amount == 6 * swap.contract_value
    assert positions.replace(okx.read_positions(text([isolated])))[0].signed_amount == swap.contract_value


# ------------------------------------------------------------------------------------------ private events


def test_events_of_binance():
    good = {"a": "A", "f": "1", "l": "0"}
    for odd in [*NO_ROWS, {**good, "a": "B", "f": "NaN"}]:
        payload = {"e": "outboundAccountPosition", "E": 1, "B": between(good, odd)}
        balance, unreadable = decode_event(text(payload))
        assert balance == BalanceUpdate(balances={"A": (1, 0)}, time_ms=1) and unreadable == Unreadable(1)
    position = {"s": "A", "pa": "1", "ep": "2"}
    change = {"B": between({"a": "A", "wb": "1"}, {"a": "B", "wb": ""}), "P": between(position, {**position, "pa": None})}
    found = decode_event(text({"e": "ACCOUNT_UPDATE", "E": 1, "a": change}))
    assert [type(event) for event in found] == [BalanceUpdate, PositionUpdate, PositionUpdate, Unreadable]
    assert found[0].balances == {"A": (1, 0)} and found[-1] == Unreadable(2)


BYBIT_ROWS = {
    "order": {"orderId": "1", "orderLinkId": "o", "orderStatus": "New", "symbol": "A", "category": "linear", "qty": "1"},
    "execution": {"orderId": "1", "orderLinkId": "o", "execId": "2", "symbol": "A", "execPrice": "1", "execQty": "1",
                  "category": "linear"},
    "position": {"symbol": "A", "side": "Buy", "size": "1", "category": "linear"},
}  # fmt: skip


@pytest.mark.parametrize("topic", BYBIT_ROWS)
def test_events_of_bybit(topic):
    good, first = BYBIT_ROWS[topic], next(iter(BYBIT_ROWS[topic]))
    for odd in [*NO_ROWS, {**good, first: None}]:
        data = UserData(lambda category, symbol: "COIN", print)
        found = data.events(decode_message(text({"topic": topic, "data": between(good, odd)})))
        assert len(found) == 3 and found[-1] == Unreadable(1) and found[0].venue_symbol == "A"


def test_a_wallet_of_bybit():
    data = UserData(lambda category, symbol: "COIN", print)
    coins = between({"coin": "A", "walletBalance": "1"}, {"coin": "B", "walletBalance": "NaN"})
    balance, odd = data.events(decode_message(text({"topic": "wallet", "creationTime": 1, "data": [{"coin": coins}]})))
    assert balance.balances == {"A": (1, 0)} and odd == Unreadable(1)


def test_orders_of_okx():
    swap = okx_instrument("BTC-USDT-SWAP", "SWAP")
    good = {"instId": "BTC-USDT-SWAP", "ordId": "1", "state": "live", "sz": "1", "clOrdId": "a"}
    for odd in [*NO_ROWS, {**good, "sz": "NaN"}, {**good, "state": "molten"}, {**good, "avgPx": "x"}]:
        found = okx.read_orders(text(between(good, odd)), lambda name: swap)
        assert [update.client_id for update in found] == ["a", "a"] and found.odd == 1, odd


# ------------------------------------------------------------------------------------------ orders: absence is no proof


class Venue:
    """REST whose answers by path are the given rows, in the venue's own envelope."""

    def __init__(self, wrap, **answers):
        self.wrap, self.answers, self.sent = wrap, answers, []

    async def get(self, path, params=None, **options):
        return self.wrap(self._rows(path))

    data = get

    async def result(self, path, params=None, **options):
        return self.wrap(self._rows(path))

    async def pages(self, path, params=None, **options):
        return [self.wrap(self._rows(path))]

    async def request(self, method, path, params=None, **options):
        self.sent.append((method, path, params))

    def _rows(self, path):
        return next((rows for name, rows in self.answers.items() if path.endswith(name)), [])


def test_open_orders_of_binance():
    good = {"symbol": "A", "orderId": 1, "clientOrderId": "a", "price": "1", "origQty": "1", "executedQty": "0", "status": "NEW"}
    for odd in [*NO_ROWS, {**good, "clientOrderId": "b", "status": "MOLTEN"}, {**good, "origQty": "x"}]:
        found = binance.read_open_orders(text(between(good, odd)))
        assert [order.client_id for order in found] == ["a", "a"] and found.odd == 1, odd


def bybit_rest(**answers):
    kind = {"exchange": ExchangeType.BYBIT, "type": InstrumentType.LINEAR, "active": True}
    linear = SimpleNamespace(settle="USDT", venue_symbol="A", **kind)
    return AccountRest("UNIFIED", Venue(lambda rows: text({"list": rows}), **answers), [linear], Fills()), linear


@pytest.mark.parametrize("path", ["realtime", "history", "list"])
def test_an_order_of_bybit_is_not_gone_because_a_row_cannot_be_read(path):
    questions, linear = bybit_rest()
    assert asyncio.run(questions.order(linear, "o")) is None
    questions, linear = bybit_rest(**{path: [{"orderLinkId": "o"}]})
    with pytest.raises(VenueError, match="1 rows of the answer about .*order o cannot be read"):
        asyncio.run(questions.order(linear, "o"))


def test_lists_of_bybit_are_not_complete():
    order = {"orderId": "1", "orderLinkId": "a", "orderStatus": "New", "symbol": "A"}
    questions, _ = bybit_rest(realtime=between(order, {**order, "orderStatus": "Molten"}))
    found = asyncio.run(questions.open_orders())
    assert list(found) == ["a"] and found.odd == 1
    position = {"symbol": "A", "side": "Buy", "size": "1"}
    questions, _ = bybit_rest(list=between(position, {**position, "size": "NaN"}))
    found = asyncio.run(questions.positions())
    lists = 4                        # two settle coins, inverse, options
    assert len(found) == 2 * lists and found.odd == lists


def test_an_order_of_okx_is_not_gone_because_a_row_cannot_be_read():
    swap = okx_instrument("BTC-USDT-SWAP", "SWAP")
    venue = Venue(text)
    assert asyncio.run(okx_snapshot.find_in_history(venue, swap, "o")) is None
    venue.answers = {"orders-history": [{"clOrdId": "o"}]}
    with pytest.raises(VenueError, match="order o cannot be read"):
        asyncio.run(okx_snapshot.find_in_history(venue, swap, "o"))
    venue.answers = {"order": [None]}
    with pytest.raises(VenueError, match="no order o in it can be read"):
        asyncio.run(okx_snapshot.find_order(venue, swap, "o"))


def test_what_cannot_be_read_is_not_gone_for_the_kill_switch():
    """Its neighbours are canceled, and it is counted: nothing says that no order is open."""
    row = {"symbol": "A", "orderId": 1}
    venue = Venue(text, openOrders=between(row, None))
    assert asyncio.run(cancel_at_binance(venue, BinanceAccountType.USD_M_FUTURE)) == 3
    assert venue.sent == [("DELETE", "/fapi/v1/allOpenOrders", {"symbol": "A"})]
    venue = Venue(text, openOrders=[None])
    assert asyncio.run(cancel_at_binance(venue, BinanceAccountType.USD_M_FUTURE)) == 1

    venue = Venue(lambda rows: text({"list": rows}), realtime=between({"symbol": "A"}, {}))
    assert asyncio.run(cancel_at_bybit(venue, None)) == 3 * 4        # it asks for four lists
    assert all(params["symbol"] == "A" for _, _, params in venue.sent)

    good = {"instId": "A", "ordId": "1", "state": "live", "sz": "1"}
    venue = Venue(text, **{"orders-pending": [good, None]})
    assert asyncio.run(cancel_at_okx(venue, None)) == 2
    assert venue.sent == [("POST", "/api/v5/trade/cancel-batch-orders", [{"instId": "A", "ordId": "1"}])]


def test_fills_are_used_beside_one_that_cannot_be_read():
    good = {"id": 1, "orderId": 2, "symbol": "A", "price": "1", "qty": "1", "commission": "0", "commissionAsset": "A", "time": 1}
    assert [fill.trade_id for fill in binance.read_trades(text(between(good, {**good, "qty": ""})), "o")] == [1, 1]
    swap = okx_instrument("BTC-USDT-SWAP", "SWAP")
    row = {"instId": "BTC-USDT-SWAP", "tradeId": "1", "ordId": "v", "side": "buy", "fillPx": "1", "fillSz": "1", "ts": "1"}
    venue = Venue(text, fills=between(row, {**row, "fillSz": "NaN"}))
    assert [fill.last_quantity for fill in asyncio.run(okx_snapshot.fills(venue, swap, "o", "v"))] == [Decimal("0.01")] * 2


class Host:
    def __init__(self):
        self.said, self.budgets = [], None

    def on_balance(self, account, update):
        self.said.append(("balance", sorted(update.balances), update.complete))

    def on_positions(self, account, updates, complete=True):
        self.said.append(("positions", [update.venue_symbol for update in updates], complete))


@pytest.mark.parametrize("odd", [[], [None]])
def test_a_snapshot_of_binance_with_an_odd_row_takes_nothing_off(odd):
    position = {"symbol": "A", "positionAmt": "1", "entryPrice": "2"}
    venue = Venue(text, positionRisk=[position, *odd])
    venue.answers["account"] = {"assets": [{"asset": "A", "walletBalance": "1"}, *odd]}
    host = Host()
    asyncio.run(BinanceAccountRest(host, BinanceAccountType.USD_M_FUTURE, 0, venue)._snapshot())
    assert host.said == [("balance", ["A"], not odd), ("positions", ["A"], not odd)]


def test_order_limits():
    """The figure of an interval that cannot be read is the published one; those beside it are the venue's."""
    good = {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 77}
    for odd in [*NO_ROWS, {**good, "interval": "MINUTE", "intervalNum": 1, "limit": "many"}]:
        limits = OrderLimits("usd_m", SimpleNamespace(get=lambda exchange, name: None))
        limits.read(text([odd, good]), 0, 0)
        assert [(window.seconds, window.limit) for window in limits.windows()[0]] == [(10, 77), (60, 1200)]


# ------------------------------------------------------------------------------------------ whole or not at all

CANDLE = ["1700000000000", "1", "2", "1", "2", "5", "5", "7", "1"]


@pytest.mark.parametrize("odd", [["x", *CANDLE[1:]], [*CANDLE[:3], "NaN", *CANDLE[4:]], CANDLE[:2], None, "", [1]])
def test_bars_of_okx_that_come_by_themselves(odd):
    message = decode_okx_message(text({"arg": {"channel": "candle1m", "instId": "A"}, "data": between(CANDLE, odd)}))
    assert [bar.open for bar in decode_okx(message, lambda channel, name: [name])] == [1.0, 1.0]


@pytest.mark.parametrize("odd", ["", "NaN", "abc"])
def test_bars_fills_and_orders_are_whole_or_refused(odd):
    swap = okx_instrument("BTC-USDT-SWAP", "SWAP")
    minute = KlineInterval.MINUTE_1
    candle = [*CANDLE[:3], odd, *CANDLE[4:]]
    okx_fill = {"instId": "BTC-USDT-SWAP", "tradeId": "1", "ordId": "v", "side": "buy", "fillPx": "1", "fillSz": odd, "ts": "1"}
    questions = OkxRequests(Venue(text, candles=[candle], **{"fills-history": [okx_fill]}), InstrumentTable([swap]))
    with pytest.raises(VenueError, match="the bars of BTCUSDT-PERP.OKX cannot be used"):
        asyncio.run(questions.bars_of("klines", swap, minute, 1, None, None))
    with pytest.raises(VenueError, match="the fills of BTCUSDT-PERP.OKX cannot be used"):
        asyncio.run(questions.recent_trades(swap))

    row = [1700000000000, "1", "2", odd, "2", "5", 1700000059999, "7", 3, "1", "1"]
    spot = msgspec.structs.replace(SPOT_INSTRUMENT, symbol="A.BINANCE", venue_symbol="A")
    questions = BinanceRequests(Venue(text, klines=[row]), BinanceAccountType.SPOT, InstrumentTable([spot]))
    with pytest.raises(VenueError, match="the bars of A.BINANCE cannot be used"):
        asyncio.run(questions.bars_of("klines", spot, minute, 1, None, None))

    linear = msgspec.structs.replace(SPOT_INSTRUMENT, symbol="A-PERP.BYBIT", venue_symbol="A", exchange=ExchangeType.BYBIT,
                                     type=InstrumentType.LINEAR)  # fmt: skip
    rest = Venue(lambda rows: text({"list": rows}), kline=[["1700000000000", "1", "2", odd, "2", "5", "7"]])
    with pytest.raises(VenueError, match="the bars of A-PERP.BYBIT cannot be used"):
        asyncio.run(BybitRequests(rest, "linear", InstrumentTable([linear])).bars_of("klines", linear, minute, 1, None, None))
