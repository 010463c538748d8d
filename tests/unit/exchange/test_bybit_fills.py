"""Fills that three topics speak of, in every order of arrival: each counted once, with its fee, and averaged."""

import itertools
import json
from decimal import Decimal

import pytest

from nexus_fast.exchange.bybit.fills import ExecutionRow, Fills, trade_id, updates_of
from nexus_fast.exchange.bybit.snapshot import OrderRow, order_update
from nexus_fast.exchange.bybit.user_data import UserData, decode_message

ORDER = "aaaaaaaa-0000-0000-0000-000000000001"
FILLS = (("e-1", "100", "2", "0.11"), ("e-2", "103", "1", "0.06"))


def message(topic, rows):
    return decode_message(json.dumps({"topic": topic, "creationTime": 1, "data": rows}).encode())


def order(status, filled, value):
    return message("order", [{"category": "linear", "symbol": "X", "orderId": ORDER, "orderLinkId": "own", "side": "Buy",
                              "orderStatus": status, "qty": "3", "cumExecQty": filled, "cumExecValue": value, "price": "103"}])


def execution(number, fast):
    identity, price, quantity, fee = FILLS[number]
    row = {"category": "linear", "symbol": "X", "orderId": ORDER, "orderLinkId": "" if fast else "own", "execId": identity,
           "execPrice": price, "execQty": quantity, "execTime": str(number + 1), "isMaker": fast}
    return message("execution.fast" if fast else "execution", [row if fast else {**row, "execFee": fee, "execType": "Trade"}])


NEW = order("New", "0", "0")
PARTS = [execution(0, True), execution(0, False), execution(1, True), execution(1, False), order("Filled", "3", "303")]


@pytest.mark.parametrize("arrival", list(itertools.permutations(range(len(PARTS)))))
def test_any_order_of_arrival(arrival):
    data = UserData(lambda category, symbol: "USDT", print)
    found = data.events(NEW)
    for number in arrival:
        found += data.events(PARTS[number])
    assert {update.client_id for update in found} == {"own"}
    fills, fees = {}, {}
    for update in found:
        if update.trade_id >= 0:
            fills[update.trade_id] = update.last_quantity, update.last_price
            if update.fee is not None:
                assert update.trade_id not in fees and update.fee_currency == "USDT"
                fees[update.trade_id] = update.fee
    assert fills == {trade_id(i): (Decimal(q), Decimal(p)) for i, p, q, _ in FILLS}
    assert fees == {trade_id(i): Decimal(fee) for i, _, _, fee in FILLS}
    # The sum of what was seen is never more than what was filled, and its average is that of the fills.
    assert max(update.cost or 0 for update in found) == 303
    assert [u.average for u in found if u.trade_id >= 0][-1] == Decimal(101)


def test_a_makers_fast_fill_of_an_unknown_order_is_nobodys():
    data = UserData(lambda category, symbol: None, print)
    assert data.events(execution(0, True)) == []
    (update,) = data.events(execution(0, False))
    assert update.client_id == "own" and update.last_quantity == 2


def test_inverse_averages_are_harmonic():
    rows = [{"exec_id": "1", "price": "20000", "quantity": "100"}, {"exec_id": "2", "price": "40000", "quantity": "100"}]
    executions = [ExecutionRow(exec_id=r["exec_id"], order_id="o", symbol="BTCUSD", exec_price=r["price"], exec_qty=r["quantity"],
                               order_link_id="own", exec_time="1") for r in rows]
    found = updates_of(executions, "inverse")
    assert found[-1].cost == Decimal("0.0075") and found[-1].average == Decimal(200) / Decimal("0.0075")


def test_funding_and_liquidations_are_no_orders_fills():
    fills = Fills()
    for kind in ("Funding", "AdlTrade", "BustTrade", "Settle", "Delivery"):
        row = ExecutionRow(exec_id="1", order_id="o", symbol="X", exec_price="1", exec_qty="1", order_link_id="own",
                           exec_type=kind)
        assert fills.on_execution(row) is None


@pytest.mark.parametrize("quantity", ["0", "0.000", "-1"])
def test_an_execution_of_nothing_is_no_fill(quantity):
    row = ExecutionRow(exec_id="1", order_id="o", symbol="X", exec_price="1", exec_qty=quantity, order_link_id="own")
    assert Fills().on_execution(row) is None


def test_trade_ids_are_stable_and_fit_63_bits():
    ids = {trade_id(f"{number:08x}-0add-5c7b-a2e7-9679810944fc") for number in range(5000)}
    assert len(ids) == 5000 and min(ids) >= 0 and max(ids) < 2**63
    assert trade_id("3510f361-0add-5c7b-a2e7-9679810944fc") == trade_id("3510f361-0add-5c7b-a2e7-9679810944fc")


def test_only_so_many_orders_are_kept(monkeypatch):
    monkeypatch.setattr("nexus_fast.exchange.bybit.fills.KEPT_ORDERS", 10)
    fills = Fills()
    for number in range(50):
        fills.on_order(order_update(OrderRow(order_id=str(number), order_status="New", symbol="X", order_link_id=f"c{number}")))
    assert len(fills._tallies) == 10
