"""OKX's private pushes: every recorded one, against a plain reading with json and Decimal; the rules, one by one."""

import json
from decimal import Decimal

import pytest
from okx_recorded import BTC_INVERSE, BTC_SPOT, BTC_SWAP, FIND, SHARED, book, instrument, pushes

from nexus_fast.constants import InstrumentType
from nexus_fast.exchange.okx.user_data import Positions, accounts, read_balances, read_orders, read_positions
from nexus_fast.exchange.okx.websocket_api import Pages, decode_message
from nexus_fast.order.states import EVENTS

D = Decimal
EVENT_OF = {"live": "ACCEPTED", "partially_filled": "FILL", "filled": "FILLED", "canceled": "CANCELED"}


def encoded(rows):
    return json.dumps(rows).encode()


def known(inst_id):
    """An instrument of any recorded name, with a contract value that shows whether it was used."""
    kind = "SPOT" if inst_id.count("-") == 1 else "SWAP" if inst_id.endswith("SWAP") else "FUTURES"
    try:
        return instrument(inst_id, kind, ctVal="" if kind == "SPOT" else "0.01")
    except (ValueError, AssertionError):
        return None


def order(**changes):
    row = {"instId": "BTC-USDT", "instType": "SPOT", "ordId": "12", "clOrdId": "ours1", "state": "live", "sz": "2", "px": "100",
           "accFillSz": "0", "avgPx": "0", "fillSz": "0", "fillPx": "", "tradeId": "", "fillFee": "0", "fillFeeCcy": "",
           "execType": "", "uTime": "1700000000000", "amendResult": "", "cancelSource": "", "code": "0", "msg": "",
           "side": "buy", "tgtCcy": "", "reqId": ""}
    return {**row, **changes}


def filled(**changes):
    return order(**{"state": "partially_filled", "accFillSz": "1", "avgPx": "100", "fillSz": "1", "fillPx": "100",
                    "tradeId": "77", "fillFee": "-0.1", "fillFeeCcy": "USDT", "execType": "M", **changes})


def read(*rows, find=FIND):
    return read_orders(encoded(rows), find)


class TestRecorded:
    def test_orders(self):
        count = 0
        for push in pushes("orders"):
            for row in push["data"]:
                one = known(row["instId"])
                if one is None:
                    (update,) = read_orders(encoded([row]), FIND)        # named, and nothing is believed of its amounts
                    assert (update.venue_symbol, update.filled, update.quantity) == (row["instId"], None, None)
                    continue
                updates = read_orders(encoded([row]), book(one))
                update, value = updates[-1], one.contract_value
                assert len(updates) == 1 and update.event in EVENTS and update.event == EVENT_OF[row["state"]]
                assert (update.client_id, update.venue_id, update.venue_symbol) == (row["clOrdId"], row["ordId"], row["instId"])
                assert update.filled == D(row["accFillSz"] or "0") * value and update.quantity == D(row["sz"]) * value
                assert update.price == (D(row["px"]) if row["px"] else None)
                assert update.time_ms == int(row["uTime"] if update.trade_id < 0 else row["fillTime"])
                if row["tradeId"] and D(row["fillSz"]):
                    assert (update.last_quantity, update.last_price) == (D(row["fillSz"]) * value, D(row["fillPx"]))
                    assert update.trade_id == int(row["tradeId"]) and update.is_maker == (row["execType"] == "M")
                    fee, currency = row.get("fillFee"), row.get("fillFeeCcy")
                    assert update.fee == (-D(fee) if fee else None) and update.fee_currency == (currency or None)
                    assert update.average == D(row["avgPx"]) and update.cost == D(row["avgPx"]) * update.filled
                else:
                    assert update.trade_id == -1 and update.fee is None and update.last_quantity is None
                count += 1
        assert count >= (24 if SHARED.is_dir() else 2)

    def test_the_fees_of_the_fills_add_up_to_the_orders(self):
        by_order = {}
        for push in pushes("orders"):
            for row in push["data"]:
                one = known(row["instId"])
                if one is not None and row.get("tradeId") and row.get("fillFee"):
                    by_order.setdefault(row["ordId"], []).append((row, read_orders(encoded([row]), book(one))[-1]))
        whole = [rows for rows in by_order.values() if D(rows[0][0]["accFillSz"]) == D(rows[0][0]["fillSz"])]
        assert whole
        for rows in whole:
            last = rows[-1][0]
            if sum(D(row["fillSz"]) for row, _ in rows) == D(last["accFillSz"]):
                assert sum(update.fee for _, update in rows) == -D(last["fee"])
                assert sum(update.last_quantity for _, update in rows) == rows[-1][1].filled

    def test_positions(self):
        count = 0
        for push in pushes("positions"):
            for row in push["data"]:
                one = known(row["instId"])
                if one is None or row["posSide"] != "net" or row["instType"] not in ("SWAP", "FUTURES"):
                    continue
                (update,) = Positions(book(one)).replace(read_positions(encoded([row])))
                assert update.signed_amount == D(row["pos"]) * one.contract_value
                assert update.entry_price == D(row["avgPx"] or "0") and update.instrument_type is one.type
                if D(row["pos"]):
                    assert update.unrealized_pnl == D(row["upl"])
                assert update.realized_pnl == D(row["realizedPnl"] or "0") and update.time_ms == int(row["uTime"])
                count += 1
        assert count >= (13 if SHARED.is_dir() else 1)

    def test_balances(self):
        found = pushes("account")
        assert found
        for push in found:
            update = read_balances(accounts.decode(encoded(push["data"])), complete=False)
            theirs = {d["ccy"]: d for row in push["data"] for d in row["details"]}
            assert update.balances.keys() == theirs.keys() and not update.complete
            for asset, (free, locked) in update.balances.items():
                assert free == D(theirs[asset]["availBal"] or theirs[asset]["cashBal"] or "0")
                assert locked == D(theirs[asset]["frozenBal"] or "0")


class TestOrders:
    def test_a_fee_that_is_charged_is_positive_and_a_rebate_is_not(self):
        assert read(filled(fillFee="-0.1"))[0].fee == D("0.1")
        assert read(filled(fillFee="0.02"))[0].fee == D("-0.02")
        assert read(filled(fillFee=""))[0].fee is None

    def test_contracts_become_our_amounts(self):
        linear = read(filled(instId="BTC-USDT-SWAP", instType="SWAP", sz="7", accFillSz="3", fillSz="2", avgPx="50000"))[0]
        assert (linear.quantity, linear.filled, linear.last_quantity) == (D("0.07"), D("0.03"), D("0.02"))
        assert linear.cost == D("1500")
        inverse = read(filled(instId="BTC-USD-SWAP", instType="SWAP", sz="7", accFillSz="3", fillSz="2", avgPx="50000"))[0]
        assert (inverse.quantity, inverse.filled, inverse.last_quantity) == (D(700), D(300), D(200))
        assert inverse.cost == D("0.006")                # what it is settled in: BTC

    def test_a_repeated_push_says_the_same_trade(self):
        """Scenario 61: the trade's number is what the order keeps count by."""
        first, second = read(filled(), filled())
        assert first == second and first.trade_id == 77

    def test_an_amendment(self):
        (update,) = read(order(amendResult="0", px="99", sz="3"))
        assert (update.event, update.price, update.quantity) == ("MODIFIED", D(99), D(3))

    def test_an_amendment_and_a_fill_in_one_push(self):
        change, fill = read(filled(amendResult="0", px="99", sz="3"))
        assert (change.event, change.price, change.quantity) == ("MODIFIED", D(99), D(3))
        assert (change.filled, change.trade_id) == (None, -1)
        assert (fill.event, fill.filled, fill.trade_id, fill.fee) == ("FILL", D(1), 77, D("0.1"))

    def test_an_amendment_that_failed(self):
        (update,) = read(order(amendResult="-1", code="51503", msg="gone"))
        assert update.event == "MODIFY_REJECTED" and "51503" in update.reason and "gone" in update.reason

    def test_an_amendment_below_what_is_filled_ends_the_order(self):
        (update,) = read(order(amendResult="0", state="filled", sz="1", accFillSz="1", avgPx="100"))
        assert (update.event, update.filled) == ("FILLED", D(1))

    def test_why_the_venue_canceled_it(self):
        (user,) = read(order(state="canceled", cancelSource="1"))
        (post_only,) = read(order(state="canceled", cancelSource="31"))
        (unknown,) = read(order(state="mmp_canceled", cancelSource="99"))
        assert user.event == post_only.event == unknown.event == "CANCELED"
        assert user.reason is None and "post-only" in post_only.reason and "(99)" in unknown.reason

    def test_an_order_of_somebody_in_the_quote_currency_has_no_quantity_of_ours(self):
        (update,) = read(order(state="filled", tgtCcy="quote_ccy", sz="100", accFillSz="0.002", avgPx="50000"))
        assert update.quantity is None and update.filled == D("0.002") and update.cost == D(100)

    def test_what_is_not_listed_is_named_and_has_no_amounts(self):
        """It is somebody else's, and the engine says so."""
        option, *others = read(order(instId="BTC-USD-240101-50000-C"), order())
        assert others == read(order()) and option.venue_symbol == "BTC-USD-240101-50000-C" and option.event == "ACCEPTED"
        assert option.quantity is option.filled is option.price is option.instrument_type is None

    def test_a_state_that_nobody_knows_does_not_pass_unseen(self):
        found = read(order(state="half_filled"))
        assert found == [] and found.odd == 1


def position(inst_id="BTC-USDT-SWAP", **changes):
    row = {"instId": inst_id, "instType": "SWAP", "pos": "5", "posSide": "net", "mgnMode": "cross", "avgPx": "100", "upl": "1",
           "realizedPnl": "-2", "uTime": "1700000000000"}
    return {**row, **changes}


def decoded(*rows):
    return read_positions(encoded(rows))


class TestPositions:
    def test_kinds_and_signs(self):
        book_of = Positions(FIND)
        linear, inverse = book_of.replace(decoded(position(pos="-5"), position("BTC-USD-SWAP", pos="3")))
        assert (linear.signed_amount, linear.instrument_type) == (D("-0.05"), InstrumentType.LINEAR)
        assert (inverse.signed_amount, inverse.instrument_type) == (D(300), InstrumentType.INVERSE)

    def test_cross_and_isolated_are_one_exposure(self):
        book_of = Positions(FIND)
        book_of.replace(decoded(position(pos="3", avgPx="100")))
        (both,) = book_of.update(decoded(position(pos="1", avgPx="200", mgnMode="isolated")))
        assert both.signed_amount == D("0.04") and both.entry_price == D(125)
        (left,) = book_of.update(decoded(position(pos="0", avgPx="")))
        assert left.signed_amount == D("0.01") and left.entry_price == D(200)
        (flat,) = book_of.update(decoded(position(pos="0", avgPx="", mgnMode="isolated")))
        assert flat.signed_amount == 0 and flat.entry_price == 0

    def test_margin_and_hedge_rows_are_left_out(self):
        assert Positions(FIND).replace(decoded(position("BTC-USDT", instType="MARGIN"), position(posSide="long"))) == []

    @pytest.mark.parametrize(("name", "kind"), [("GONE-USDT-SWAP", "SWAP"), ("BTC-USD-260327-50000-C", "OPTION")])
    def test_what_is_not_listed_is_held_all_the_same(self, name, kind):
        """In contracts, as nothing says what one is worth."""
        rows = decoded(position(name, instType=kind, pos="-1500", avgPx="0.5"))
        (update,) = Positions(FIND).replace(rows)
        assert (update.venue_symbol, update.signed_amount, update.entry_price) == (name, -1500, D("0.5"))
        assert update.instrument_type is None

    def test_a_complete_list_forgets_what_it_does_not_name(self):
        book_of = Positions(FIND)
        book_of.replace(decoded(position(mgnMode="isolated", pos="9")))
        (update,) = book_of.replace(decoded(position(pos="1")))
        assert update.signed_amount == D("0.01")


class TestPages:
    @staticmethod
    def page(number, last):
        text = {"arg": {"channel": "positions"}, "eventType": "snapshot", "curPage": number, "lastPage": last, "data": []}
        return decode_message(json.dumps(text).encode())

    def test_nothing_is_replaced_before_the_last_page(self):
        pages = Pages()
        assert pages.add(self.page(1, False), ["a"]) is None
        assert pages.add(self.page(2, False), ["b"]) is None
        assert pages.add(self.page(3, True), ["c"]) == ["a", "b", "c"]
        assert pages.add(self.page(1, True), ["d"]) == ["d"]

    def test_a_snapshot_with_a_hole_is_none(self):
        pages = Pages()
        assert pages.add(self.page(1, False), ["a"]) is None
        assert pages.add(self.page(3, True), ["c"]) is None
        assert pages.add(self.page(4, True), ["d"]) is None
        assert pages.add(self.page(1, False), ["e"]) is None and pages.add(self.page(2, True), ["f"]) == ["e", "f"]

    def test_a_snapshot_that_begins_anew(self):
        pages = Pages()
        pages.add(self.page(1, False), ["a"])
        assert pages.add(self.page(1, True), ["b"]) == ["b"]

    def test_without_pages_a_message_is_whole(self):
        assert Pages().add(decode_message(b'{"arg":{"channel":"account"},"eventType":"snapshot","data":[]}'), [1]) == [1]


def test_the_instruments_of_these_tests():
    assert [one.contract_value for one in (BTC_SPOT, BTC_SWAP, BTC_INVERSE)] == [1, D("0.01"), 100]
