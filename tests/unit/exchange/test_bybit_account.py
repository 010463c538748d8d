"""The account's questions over REST: position mode, keys, an order that some lists have forgotten. The venue is a stub."""

import asyncio
import json
from decimal import Decimal
from types import SimpleNamespace

import pytest

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.error import CredentialError, PositionModeError, VenueError
from nexus_fast.exchange import BybitAccountType
from nexus_fast.exchange.bybit.account import BybitAccount
from nexus_fast.exchange.instrument import Instrument
from nexus_fast.gateway.bybit_rest import BybitRest
from nexus_fast.gateway.credentials import Credentials
from nexus_fast.order.events import OrderUpdate

ORDER = {"orderId": "o-1", "orderLinkId": "own", "symbol": "BTCUSDT", "orderStatus": "Filled", "qty": "3", "cumExecQty": "3",
         "cumExecValue": "303", "avgPrice": "101", "price": "103", "side": "Buy", "orderType": "Limit"}
FILLS = [{"execId": f"e{n}", "orderId": "o-1", "orderLinkId": "own", "symbol": "BTCUSDT", "execPrice": price, "execQty": quantity,
          "execFee": "0.1", "execTime": str(n), "execType": "Trade", "side": "Buy"}
         for n, price, quantity in ((2, "103", "1"), (1, "100", "2"))]


def instrument(kind, symbol, settle):
    return Instrument(
        symbol=f"{symbol}-PERP.BYBIT", venue_symbol=symbol, exchange=ExchangeType.BYBIT, type=kind, base="BTC", quote=settle,
        settle=settle, price_scale=1, size_scale=3, tick_size=Decimal("0.1"), lot_size=Decimal("0.001"),
        market_lot_size=Decimal("0.001"),
    )  # fmt: skip


PERP = instrument(InstrumentType.LINEAR, "BTCUSDT", "USDT")
INSTRUMENTS = [PERP, instrument(InstrumentType.LINEAR, "ETHUSDT", "USDT"), instrument(InstrumentType.LINEAR, "BTCPERP", "USDC"),
               instrument(InstrumentType.INVERSE, "BTCUSD", "BTC")]


class Stub(BybitRest):
    """Answers by path: a list of rows, a number (that refusal), or a function of the parameters. `asked`: what came."""

    def __init__(self, answers):
        super().__init__("http://nowhere", Credentials("key", "secret"))
        self.answers = answers
        self.asked = []

    async def request(self, method, path, params=None, *, signed=False, keyed=False):
        self.asked.append((path, dict(params or {})))
        found = self.answers.get(path, [])
        found = found(params) if callable(found) else found
        if isinstance(found, int):
            raise VenueError(found, "text", venue="bybit", status=200)
        return json.dumps({"retCode": 0, "result": {"list": found, "nextPageCursor": ""}, "time": 1_700_000_000_000}).encode()


def ask(answers, work):
    """What `work(account)` comes to, and what was asked."""

    async def run():
        core = SimpleNamespace(instruments=INSTRUMENTS, by_venue_symbol=lambda *_: None)
        host = SimpleNamespace(core=core, deferred=None, poller=None, ssl_context=None, budgets=None, balances=[], positions=[])
        host.on_balance = lambda account, update: host.balances.append(update)
        host.on_positions = lambda account, updates, complete=True: host.positions.append(updates)
        account = BybitAccount(host, BybitAccountType.UNIFIED, 0, Credentials("key", "secret"), {"rest": "http://nowhere"})
        account._rest = account._questions.rest = Stub(answers)
        return await work(account), account._rest.asked, host

    return asyncio.run(run())


def positions(index):
    row = {"side": "", "size": "0", "positionIdx": index}
    return lambda params: [{**row, "symbol": params["symbol"]}] if "symbol" in params else []


@pytest.mark.parametrize("code", [10003, 10004, 10005, 10007, 10010, 33004, 401])
def test_a_refused_key_is_named_when_the_account_opens(code):
    with pytest.raises(CredentialError, match=f"UNIFIED.*{code}"):
        ask({"/v5/account/wallet-balance": code}, lambda account: account.open())


def test_another_refusal_is_no_matter_of_the_key():
    with pytest.raises(VenueError, match="10016"):
        ask({"/v5/account/wallet-balance": 10016}, lambda account: account.open())


def test_hedge_mode_is_found_with_and_without_a_position():
    held = {"/v5/position/list": [{"symbol": "BTCUSDT", "side": "Buy", "size": "1", "positionIdx": 1, "avgPrice": "1"}]}
    for answers in (held, {"/v5/position/list": positions(2)}):
        with pytest.raises(PositionModeError, match="hedge mode for BTC"):
            ask(answers, lambda account: account.open())


def test_positions_of_what_is_not_loaded_are_asked_for():
    """Of every settle coin and category, options too; an account that has none may refuse those."""

    def held(params):
        return [{"symbol": f"GONE{params.get('settleCoin', params['category'])}", "side": "Sell", "size": "3", "avgPrice": "1"}]

    every = [("linear", "USDC"), ("linear", "USDT"), ("inverse", None), ("option", None)]
    for answer in (held, lambda params: 10001 if params["category"] == "option" else held(params)):
        found, asked, _ = ask({"/v5/position/list": answer}, lambda account: account._questions.positions())
        assert [(params["category"], params.get("settleCoin")) for _, params in asked] == every
        assert {u.venue_symbol for u in found} >= {"GONEUSDC", "GONEUSDT", "GONEinverse"}
        assert all(update.signed_amount == -3 for update in found)
    with pytest.raises(VenueError, match="10006"):
        ask({"/v5/position/list": lambda params: 10006}, lambda account: account._questions.positions())


def test_one_symbol_of_each_coin_is_asked_for_its_mode():
    _, asked, _ = ask({"/v5/position/list": positions(0)}, lambda account: account._questions.require_one_way())
    assert [params["symbol"] for _, params in asked] == ["BTCUSDT", "BTCPERP"]


def test_the_snapshot_asks_for_every_coin_that_contracts_are_settled_in():
    rows = [{"symbol": "BTCUSDT", "side": "Sell", "size": "2", "avgPrice": "10", "unrealisedPnl": "", "cumRealisedPnl": "1"},
            {"symbol": "ETHUSDT", "side": "", "size": "0"}]
    answers = {"/v5/position/list": lambda params: rows if params.get("settleCoin") == "USDT" else [],
               "/v5/account/wallet-balance": [{"accountType": "UNIFIED", "coin": [
                   {"coin": "USDT", "walletBalance": "10", "locked": "4"}, {"coin": "BTC", "walletBalance": "", "locked": ""}]}]}
    _, asked, host = ask(answers, lambda account: account.refresh())
    assert [params for path, params in asked if path == "/v5/position/list"] == [
        {"category": "linear", "settleCoin": "USDC", "limit": 200}, {"category": "linear", "settleCoin": "USDT", "limit": 200},
        {"category": "inverse", "limit": 200}, {"category": "option", "limit": 200}]
    assert {params["category"] for path, params in asked if path == "/v5/order/realtime"} == {"linear", "inverse"}
    (updates,), (balances,) = host.positions, host.balances
    assert [(u.venue_symbol, u.signed_amount, u.instrument_type) for u in updates] == [("BTCUSDT", -2, InstrumentType.LINEAR)]
    assert balances.complete and balances.balances == {"USDT": (6, 4), "BTC": (0, 0)}


@pytest.mark.parametrize("path", ["/v5/order/realtime", "/v5/order/history"])
def test_an_order_is_found_in_either_list(path):
    update, asked, _ = ask({path: [ORDER]}, lambda account: account.query(PERP, "own"))
    assert (update.event, update.filled, update.average, update.venue_id) == ("FILLED", 3, 101, "o-1")
    assert asked[-1] == (path, {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "own"})


def test_an_order_that_the_lists_have_forgotten_is_proven_by_its_fills():
    update, asked, _ = ask({"/v5/execution/list": FILLS}, lambda account: account.query(PERP, "own"))
    assert (update.event, update.client_id, update.filled, update.average, update.cost) == ("FILL", "own", 3, 101, 303)
    assert update.trade_id == -1 and update.fee is None
    assert [path for path, _ in asked] == ["/v5/order/realtime", "/v5/order/history", "/v5/execution/list"]


def test_an_order_that_nothing_speaks_of_is_none():
    answers = {"/v5/execution/list": [{**FILLS[0], "orderLinkId": ""}]}
    update, _, _ = ask(answers, lambda account: account.query(PERP, "own"))
    assert update is None


@pytest.mark.parametrize("answers", [
    {"/v5/order/realtime": [{**ORDER, "orderLinkId": "another"}]}, {"/v5/order/history": [{**ORDER, "orderLinkId": "another"}]},
    {"/v5/execution/list": [FILLS[0], {**FILLS[1], "orderLinkId": "another"}]}])
def test_an_answer_about_another_order_is_no_proof_that_there_is_none(answers):
    """The engine holds it against the order, and does not believe it."""
    update, _, _ = ask(answers, lambda account: account.query(PERP, "own"))
    assert update.client_id == "another"


def test_the_order_that_was_asked_for_is_found_among_others():
    answers = {"/v5/order/realtime": [{**ORDER, "orderLinkId": "another"}, {**ORDER, "orderLinkId": "own"}]}
    update, _, _ = ask(answers, lambda account: account.query(PERP, "own"))
    assert update.client_id == "own"


def test_a_refused_question_proves_nothing():
    with pytest.raises(VenueError, match="10016"):
        ask({"/v5/order/history": 10016, "/v5/order/realtime": []}, lambda account: account.query(PERP, "own"))


def test_the_fills_of_an_order_one_by_one():
    updates, _, _ = ask({"/v5/execution/list": FILLS}, lambda account: account.trades(PERP, "own", "o-1"))
    assert [(u.last_quantity, u.last_price, u.fee, u.fee_currency) for u in updates] == [
        (2, 100, Decimal("0.1"), "USDT"), (1, 103, Decimal("0.1"), "USDT")]
    assert len({u.trade_id for u in updates}) == 2 and all(u.trade_id >= 0 for u in updates)


@pytest.mark.scenario(60)
def test_a_refusal_on_the_order_stream_answers_the_request():
    """The order lives on, and the stream says why the matching engine did not cancel or amend it."""
    done = []

    async def work(account):
        ledger = SimpleNamespace(find=lambda name: 7, state=lambda number: "CANCELING", answered=lambda number: None)
        adopt = lambda *given: done.append("adopted")  # noqa: E731
        account._host.tracker = SimpleNamespace(ledger=ledger, drain=lambda: None, adopt=adopt, number_of=lambda *given: 7)
        account._answers = SimpleNamespace(on_late_refusal=lambda number, reason: done.append((number, reason)))
        for event, reason in (("ACCEPTED", None), ("ACCEPTED", "EC_InCallAuctionStatus"), ("CANCELED", "EC_PerCancelRequest")):
            account._on_order(OrderUpdate(event=event, client_id="own", reason=reason))

    ask({}, work)
    assert done == ["adopted", "adopted", (7, "EC_InCallAuctionStatus"), "adopted"]
