"""OKX's REST answers about an account: recorded ones, pages, and what is asked when an order is not found."""

import asyncio
import json
from decimal import Decimal
from types import SimpleNamespace

import msgspec
import pytest
from okx_recorded import BTC_INVERSE, BTC_SPOT, BTC_SWAP, FIND, answers

from nexus_fast.constants import InstrumentType, OrderSide, OrderStatus, OrderType
from nexus_fast.error import PositionModeError, VenueError
from nexus_fast.exchange import OkxAccountType
from nexus_fast.exchange.okx import snapshot
from nexus_fast.exchange.okx.account import OkxAccount
from nexus_fast.exchange.okx.answers import FILLS, ORDERS, as_filled, as_order
from nexus_fast.gateway.okx_rest import OkxKey, OkxRest

D = Decimal


class Rest(OkxRest):
    """Answers by path, oldest first; what was asked is kept. An answer is a body, or (status, body)."""

    def __init__(self, **by_path):
        super().__init__("http://127.0.0.1:1", OkxKey("k", "s", "p"))
        self.answers = {path: list(found) for path, found in by_path.items()}
        self.asked = []

    async def exchange(self, method, url, path, headers, body=None):
        self.asked.append((method, url.removeprefix("http://127.0.0.1:1"), headers, body))
        found = self.answers[path.rsplit("/", 1)[1]].pop(0)
        return (*found, 0) if isinstance(found, tuple) else (200, found, 0)


def ok(*rows):
    return json.dumps({"code": "0", "msg": "", "data": rows}).encode()


def row(number, **changes):
    found = {"instId": "BTC-USDT-SWAP", "ordId": str(number), "clOrdId": f"ours{number}", "state": "live", "sz": "2", "px": "100",
             "accFillSz": "0", "avgPx": "", "uTime": "1700000000000", "side": "buy", "ordType": "limit"}
    return {**found, **changes}


def read(work):
    return asyncio.run(work)


class TestRecorded:
    def test_balances(self):
        rest = Rest(balance=[answers("GetAccountBalance")])
        update = read(snapshot.balances(rest))
        assert update.complete and update.balances == {"USDT": (D("4834.317093622894"), D("158.573"))}
        (asked,) = rest.asked
        assert asked[:2] == ("GET", "/api/v5/account/balance") and asked[2]["OK-ACCESS-SIGN"]

    def test_the_account_mode(self):
        config = read(snapshot.read_config(Rest(config=[answers("GetAccountConfiguration")]), OkxAccountType.LIVE))
        assert config.acct_lv == "3" and config.trade_mode(spot=True) == "cross"

    def test_open_orders(self):
        (found,) = read(snapshot.pending_orders(Rest(**{"orders-pending": [answers("GetOrders")]})))
        update = snapshot.order_update(found, FIND)
        assert (update.event, update.venue_id, update.client_id, update.filled) == ("ACCEPTED", "301835739059335168", "", 0)
        assert (update.price, update.quantity, update.side, update.type) == (D(59200), D(1), "BUY", "LIMIT")
        assert update.instrument_type is InstrumentType.SPOT

    def test_orders_and_fills_as_the_strategies_see_them(self):
        (raw,) = json.loads(answers("GetOrderHistory"))["data"]
        (order,) = ORDERS.decode(json.dumps([raw]).encode())
        seen = as_order(order, BTC_SPOT)
        # Sized in the quote currency by its owner: the amount is what it came to.
        assert seen.amount == seen.filled == D(raw["accFillSz"]) and seen.remaining == 0
        assert (seen.status, seen.type, seen.side) == (OrderStatus.FILLED, OrderType.MARKET, OrderSide.BUY)
        assert seen.fee == D("0.00000192834") and seen.fee_currency == "BTC" and seen.cum_cost == D("0.00192834") * 51858
        (fill,) = FILLS.decode(json.dumps(json.loads(answers("GetUserTrades"))["data"]).encode())
        seen = as_filled(fill, BTC_SPOT)
        assert (seen.amount, seen.average, seen.fee, seen.eid) == (D("0.00192834"), 51858.0, D("0.00000192834"), fill.ord_id)


@pytest.mark.parametrize(
    "level, spot, mode",
    [("1", True, "cash"), ("2", True, "cash"), ("3", True, "cross"), ("4", True, "cross"), ("2", False, "cross"),
     ("3", False, "cross")],
)  # fmt: skip
def test_trade_modes(level, spot, mode):
    config = read(snapshot.read_config(Rest(config=[ok({"acctLv": level, "posMode": "net_mode"})]), OkxAccountType.LIVE))
    assert config.trade_mode(spot) == mode


def test_hedge_mode_is_refused():
    rest = Rest(config=[ok({"acctLv": "2", "posMode": "long_short_mode"})])
    with pytest.raises(PositionModeError, match="long_short_mode.*net mode"):
        read(snapshot.read_config(rest, OkxAccountType.LIVE))


def test_open_orders_come_in_pages():
    pages = [ok(*(row(number) for number in range(300, 200, -1))), ok(*(row(number) for number in range(200, 150, -1)))]
    rest = Rest(**{"orders-pending": pages})
    found = read(snapshot.pending_orders(rest))
    assert [order.ord_id for order in found] == [str(number) for number in range(300, 150, -1)]
    assert [asked[1].partition("?")[2] for asked in rest.asked] == ["limit=100", "limit=100&after=201"]


def test_pages_that_do_not_move_on_end():
    same = ok(*(row(number) for number in range(100)))
    assert len(read(snapshot.pending_orders(Rest(**{"orders-pending": [same, same]})))) == 100


def test_the_fills_of_an_order_oldest_first():
    def fill(number, size, fee):
        return {"instId": "BTC-USDT-SWAP", "tradeId": str(number), "ordId": "12", "side": "buy", "fillPx": "100", "fillSz": size,
                "ts": str(number), "fee": fee, "feeCcy": "USDT", "execType": "T"}

    rest = Rest(fills=[ok(fill(9, "2", "-0.2"), fill(8, "1", "0.1"))])
    first, second = read(snapshot.fills(rest, BTC_SWAP, "ours1", "12"))
    assert rest.asked[0][1] == "/api/v5/trade/fills?instType=SWAP&instId=BTC-USDT-SWAP&ordId=12&limit=100"
    assert (first.trade_id, first.last_quantity, first.fee, first.filled) == (8, D("0.01"), D("-0.1"), None)
    assert (second.trade_id, second.last_quantity, second.fee, second.is_maker) == (9, D("0.02"), D("0.2"), False)


def test_a_state_that_nobody_knows_concludes_nothing():
    (order,) = ORDERS.decode(json.dumps([row(1, state="pondering")]).encode())
    with pytest.raises(VenueError, match="pondering"):
        as_order(order, BTC_SWAP)
    rest = Rest(**{"orders-pending": [ok(row(1, state="pondering"))]})
    (pending,) = read(snapshot.pending_orders(rest))
    with pytest.raises(msgspec.ValidationError, match="pondering"):
        snapshot.order_update(pending, FIND)


class TestQuery:
    """What an account says of an order that it is asked about."""

    @staticmethod
    def account(rest):
        account = OkxAccount.__new__(OkxAccount)
        account.account_type = OkxAccountType.LIVE
        account._rest = rest
        account._host = SimpleNamespace(core=SimpleNamespace(by_venue_symbol=lambda exchange, kind, name: (
            one if (one := FIND(name)) is not None and one.type is kind else None)))
        return account

    def ask(self, rest, instrument=BTC_SWAP):
        return read(self.account(rest).query(instrument, "ours1"))

    def test_open_or_just_over(self):
        rest = Rest(order=[ok(row(1, state="partially_filled", accFillSz="1", avgPx="100"))])
        update = self.ask(rest)
        assert (update.event, update.filled, update.quantity) == ("FILL", D("0.01"), D("0.02"))
        assert rest.asked[0][1] == "/api/v5/trade/order?instId=BTC-USDT-SWAP&clOrdId=ours1"

    def test_found_in_the_history_alone(self):
        gone = (200, json.dumps({"code": "51603", "msg": "Order does not exist", "data": []}).encode())
        rest = Rest(order=[gone], **{"orders-history": [ok(row(2), row(1, state="filled", accFillSz="2", avgPx="100"))]})
        update = self.ask(rest, BTC_INVERSE)
        assert (update.event, update.client_id, update.filled) == ("FILLED", "ours1", D("0.02"))
        assert rest.asked[1][1] == "/api/v5/trade/orders-history?instType=SWAP&instId=BTC-USD-SWAP&limit=100"

    def test_nowhere(self):
        gone = json.dumps({"code": "51603", "msg": "Order does not exist", "data": []}).encode()
        assert self.ask(Rest(order=[gone], **{"orders-history": [ok()]})) is None

    def test_a_venue_that_cannot_say_has_not_said_no(self):
        with pytest.raises(VenueError, match="50001"):
            self.ask(Rest(order=[(503, b'{"code":"50001","msg":"Service temporarily unavailable","data":[]}')]))


class TestRefusals:
    @pytest.mark.parametrize(
        "status, body, code, text",
        [
            (401, b'{"code":"50113","msg":"Invalid Sign"}', 50113, "Invalid Sign"),
            (200, b'{"code":"51001","msg":"no such instrument","data":[]}', 51001, "no such instrument"),
            (200, b'{"code":"1","msg":"","data":[{"sCode":"51400","sMsg":"gone","ordId":""}]}', 51400, "gone"),
            (200, b'{"code":"2","msg":"","data":[{"sCode":"0"},{"sCode":"51008","sMsg":"broke"}]}', 51008, "broke"),
            (200, b'{"code":"1","msg":"Operation failed.","data":[]}', 1, "Operation failed."),
            (502, b"<html>Bad Gateway</html>", 0, "Bad Gateway"),
            (200, b"", 0, ""),
        ],
    )
    def test_the_code_that_says_why(self, status, body, code, text):
        rest = Rest(order=[(status, body)])
        with pytest.raises(VenueError) as caught:
            read(rest.get("/api/v5/trade/order", signed=True))
        assert caught.value.code == code and text in str(caught.value) and caught.value.status == status

    def test_a_question_with_a_wrong_time_is_asked_by_the_venues_clock(self):
        late = (401, b'{"code":"50102","msg":"Timestamp request expired"}')
        rest = Rest(balance=[late, answers("GetAccountBalance")], time=[ok({"ts": "1900000000000"})])
        assert read(snapshot.balances(rest)).balances
        paths = [asked[1].rsplit("/", 1)[1] for asked in rest.asked]
        assert paths == ["balance", "time", "balance"] and rest.asked[2][2]["OK-ACCESS-TIMESTAMP"].startswith("2030-")
        with pytest.raises(VenueError, match="50102"):
            read(snapshot.balances(Rest(balance=[late, late], time=[ok({"ts": "1900000000000"})])))

    def test_what_changes_something_is_never_sent_twice(self):
        late = (401, b'{"code":"50102","msg":"Timestamp request expired"}')
        rest = Rest(**{"cancel-order": [late, ok()]})
        with pytest.raises(VenueError, match="50102"):
            read(rest.request("POST", "/api/v5/trade/cancel-order", {"clOrdId": "a"}, signed=True))
        assert len(rest.asked) == 1

    def test_a_limit_asks_for_a_pause_whatever_its_status(self):
        rest = Rest(order=[(200, b'{"code":"50011","msg":"Too Many Requests"}')])
        with pytest.raises(VenueError) as caught:
            read(rest.get("/api/v5/trade/order", signed=True))
        assert caught.value.retry_after_ms > 0

    def test_the_demo_world_has_its_header(self):
        rest = Rest(time=[ok({"ts": "1700000000000"})])
        rest.demo = True
        read(rest.synchronise())
        assert rest.asked[0][2]["x-simulated-trading"] == "1" and "OK-ACCESS-KEY" not in rest.asked[0][2]
        assert rest.clock_offset_ms < 0
