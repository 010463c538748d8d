"""The OKX account between its connection and the engine: what is answered, pages, keep-alive, routes. The host is a recorder."""

import asyncio
import json
import time
from decimal import Decimal
from types import SimpleNamespace

import pytest
from okx_recorded import BTC_INVERSE, BTC_SPOT, BTC_SWAP, FIND, listing

from nexus_fast.exchange import OkxAccountType
from nexus_fast.exchange.okx.account import OkxAccount
from nexus_fast.exchange.okx.conversation import Conversation
from nexus_fast.exchange.okx.instruments import parse_instruments
from nexus_fast.exchange.okx.snapshot import Config
from nexus_fast.gateway.okx_rest import OkxKey

D = Decimal
NUMBERS = {"ours1": 1, "cours1": 2, "x" * 32: 3}      # client id -> order number; one looks like another's cancel


class Recorder:
    """Keeps every call by name: what a Tracker, a Ledger and a Host are to the account."""

    def __init__(self, **values):
        self.calls = []
        self.__dict__.update(values)

    def __getattr__(self, name):
        def call(*arguments, **named):
            self.calls.append((name, *arguments))
        return call

    def of(self, name):
        return [call[1:] for call in self.calls if call[0] == name]


@pytest.fixture
def account():
    by_venue_symbol = lambda exchange, kind, name: one if (one := FIND(name)) is not None and one.type is kind else None  # noqa: E731
    ledger = Recorder(find=lambda name: NUMBERS.get(name, 0), live=lambda account: [], state=lambda number: "ACCEPTED")
    symbols = {one.symbol: number for number, one in enumerate((BTC_SPOT, BTC_SWAP, BTC_INVERSE))}
    core = SimpleNamespace(by_venue_symbol=by_venue_symbol, ledger=ledger, symbol_ids=symbols)
    host = Recorder(core=core, tracker=Recorder(ledger=ledger), poller=None, deferred=None, ssl_context=None, recv_window_ms=5000)
    endpoints = {"rest": "http://127.0.0.1:1", "private": "ws://127.0.0.1:1"}
    made = OkxAccount(host, OkxAccountType.LIVE, 0, OkxKey("k", "s", "p"), endpoints)
    made.host = host
    return made


def say(account, **message):
    account._on_message(account._ws, json.dumps(message).encode())


def answer(account, operation, identity, code="0", item="0", text=""):
    data = [] if item is None else [{"ordId": "77", "clOrdId": "", "sCode": item, "sMsg": text}]
    say(account, id=identity, op=operation, code=code, msg="", data=data)


def applied(account):
    """(order number, event) of what was told of orders."""
    return [(number, update.event) for number, update in account.host.tracker.of("apply_to")]


class TestAnswers:
    def test_a_yes_to_a_new_order_brings_the_venues_id(self, account):
        answer(account, "order", "ours1")
        ((number, update),) = account.host.tracker.of("apply_to")
        assert (number, update.event, update.venue_id) == (1, "ACCEPTED", "77")

    def test_a_yes_to_a_cancel_or_an_amendment_is_not_the_end(self, account):
        answer(account, "cancel-order", "cours1")
        answer(account, "amend-order", "mours1")
        assert applied(account) == [] and account.host.core.ledger.of("answered") == []

    def test_a_cancels_answer_is_never_taken_for_that_of_an_order_with_such_a_name(self, account):
        answer(account, "cancel-order", "cours1", "1", "51000")
        assert applied(account) == [(1, "CANCEL_REJECTED")]
        answer(account, "order", "cours1", "1", "51000")
        assert applied(account)[1:] == [(2, "REJECTED")]

    def test_by_number_where_the_id_is_too_long(self, account):
        answer(account, "cancel-order", "nc3", "1", "51400")
        answer(account, "amend-order", "nm3", "1", "51503")
        assert applied(account) == [(3, "CANCEL_DOUBT"), (3, "MODIFY_REJECTED")]
        assert account.host.of("query") == [(3,)]

    def test_no_such_order_is_no_proof_of_its_end(self, account):
        answer(account, "cancel-order", "cours1", "1", "51400", "gone")
        assert applied(account) == [(1, "CANCEL_DOUBT")]

    def test_doubt(self, account):
        answer(account, "order", "ours1", "50004", None)
        answer(account, "order", "ours1", "1", "51016")
        assert applied(account) == [] and [number for number, _ in account.host.tracker.of("doubt")] == [1, 1]

    def test_a_refusal_as_an_event(self, account):
        """A request that could not be read comes back as an error event with its id."""
        say(account, id="ours1", event="error", code="60012", msg="Invalid request", connId="a")
        assert applied(account) == [(1, "REJECTED")]
        say(account, id="r99", event="error", code="60012", msg="Invalid request", connId="a")
        assert len(applied(account)) == 1

    def test_a_limit_closes_the_gate_for_a_while(self, account):
        answer(account, "order", "ours1", "1", "50061", "too fast")
        ((limited, seconds, reason),) = account.host.of("on_rate_limited")
        assert limited is account and seconds > 0 and "50061" in reason and applied(account) == [(1, "REJECTED")]


def position(inst_id, contracts):
    row = {"instId": inst_id, "instType": "SWAP", "pos": contracts, "posSide": "net", "mgnMode": "cross"}
    return {**row, "avgPx": "1", "uTime": "1"}


class TestSnapshots:
    @pytest.mark.scenario(61)
    def test_positions_are_replaced_with_the_last_page(self, account):
        """Scenario 61."""
        head = {"arg": {"channel": "positions", "instType": "ANY"}, "eventType": "snapshot"}
        say(account, **head, curPage=1, lastPage=False, data=[position("BTC-USDT-SWAP", "5")])
        assert account.host.of("on_positions") == []
        say(account, **head, curPage=2, lastPage=True, data=[position("BTC-USD-SWAP", "-2")])
        ((_, updates, complete),) = account.host.of("on_positions")
        assert complete
        assert [(u.venue_symbol, u.signed_amount) for u in updates] == [("BTC-USDT-SWAP", D("0.05")), ("BTC-USD-SWAP", D(-200))]

    def test_a_snapshot_with_a_row_that_cannot_be_read_is_not_complete(self, account):
        head = {"arg": {"channel": "positions", "instType": "ANY"}, "eventType": "snapshot"}
        say(account, **head, curPage=1, lastPage=False, data=[position("BTC-USDT-SWAP", "5"), None])
        say(account, **head, curPage=2, lastPage=True, data=[position("BTC-USD-SWAP", "-2")])
        ((_, updates, complete),) = account.host.of("on_positions")
        assert len(updates) == 2 and not complete
        assert account.host.of("on_unreadable") == [(account,)]

    def test_an_event_concerns_its_own_position_alone(self, account):
        arg = {"channel": "positions", "instType": "ANY"}
        say(account, arg=arg, eventType="event_update", data=[position("BTC-USDT-SWAP", "0")])
        ((_, updates),) = account.host.of("on_positions")
        assert [(u.venue_symbol, u.signed_amount) for u in updates] == [("BTC-USDT-SWAP", D(0))]

    def test_balances(self, account):
        head = {"arg": {"channel": "account"}, "eventType": "snapshot"}
        rows = [[{"uTime": "1", "details": [{"ccy": ccy, "availBal": "3", "frozenBal": "1"}]}] for ccy in ("BTC", "USDT")]
        say(account, **head, curPage=1, lastPage=False, data=rows[0])
        assert account.host.of("on_balance") == []
        say(account, **head, curPage=2, lastPage=True, data=rows[1])
        ((_, update),) = account.host.of("on_balance")
        assert update.balances == {"BTC": (3, 1), "USDT": (3, 1)}


class TestConnection:
    class Socket(Recorder):
        """A connection that is up, and was last heard from some seconds ago."""

        def __init__(self, silent):
            heard_ns = time.monotonic_ns() - int(silent * 1e9)
            super().__init__(is_up=True, connected_at=time.monotonic(), handler=SimpleNamespace(last_message_ns=heard_ns),
                             conversation=Conversation(None))

    def test_silence_is_answered_with_a_ping_once(self, account):
        account._ws = self.Socket(silent=16)
        account.check()
        account.check()
        assert account._ws.of("send") == [(b"ping",)]
        account._on_message(account._ws, b"pong")

    def test_no_ping_while_there_is_news(self, account):
        account._ws = self.Socket(silent=3)
        account.check()
        assert account._ws.calls == []

    @pytest.mark.parametrize("sign", ["notice", "age"])
    def test_an_end_that_is_near_begins_one_renewal(self, account, sign):
        """What a renewal does: tests/scenarios, 41."""
        begun = []
        account._ws, account._spawn = self.Socket(silent=0), lambda work: begun.append(work.__name__) or work.close()
        for _ in range(2):
            if sign == "notice":
                say(account, event="notice", code="64008", msg="The connection will soon be closed", connId="a")
            else:
                account._ws.connected_at = time.monotonic() - 23.6 * 3600
            account.check()
        assert begun == ["_renew"] and account._ws.of("drop") == []

    def test_a_loss_puts_requests_in_doubt(self, account):
        async def lose():
            account._ws.conversation = Conversation(lambda text: asyncio.get_running_loop().call_soon(account._on_down))
            with pytest.raises(ConnectionError):
                await account._ws.conversation.log_in(b"{}")

        asyncio.run(lose())
        assert account.host.of("on_connection_lost") == [(account,)] and not account.ready.is_set()

    def test_the_deadline_of_requests_is_by_the_venues_clock(self, account):
        account._set_clock_offset(-1200)
        assert account.channel.clock_offset_ms == 3800


class TestRoutes:
    def test_templates_in_contracts(self, account):
        account._use_config(Config(acct_lv="2", pos_mode="net_mode"))
        # Mantissas at size_scale: 0.25 BTC, 0.0025 BTC, 700 USD.
        for one, mantissa, sent, mode in (
            (BTC_SPOT, 25, "0.25", "cash"), (BTC_SWAP, 25, "0.25", "cross"), (BTC_INVERSE, 700, "7", "cross"),
        ):  # fmt: skip
            templates = account.templates(one)
            text = templates.place_text(0, 0, 0, False, quantity=mantissa, client_id="a", timestamp_ms=1700000000000)
            (order,) = json.loads(text)["args"]
            assert (D(order["sz"]), order["tdMode"], order["instIdCode"]) == (D(sent), mode, 10458), one.symbol

    def test_an_account_whose_mode_is_not_known_yet_has_its_routes_made_anew(self, account):
        assert not account.templates(BTC_SWAP).has_place(0, 0, 0, False)
        account._use_config(Config(acct_lv="3", pos_mode="net_mode"))
        assert account.host.of("prepare_route") == [(1, 0)]
        assert account.templates(BTC_SPOT).has_place(0, 0, 0, False)

    def test_an_instrument_without_a_code_takes_no_orders(self, account):
        row = listing("BTC-USDT")
        del row["instIdCode"]
        (one,), _ = parse_instruments(json.dumps({"code": "0", "data": [row]}).encode())
        account._use_config(Config(acct_lv="2", pos_mode="net_mode"))
        assert not account.templates(one).has_place(0, 0, 0, False)
