"""Orders over REST and WebSocket: what is accepted, what is refused with which code, and what the channels tell."""

import time
from decimal import Decimal

import pytest
from okx_client import on_okx

from nexus_fast.sim.okx.venue import OkxOptions
from nexus_fast.sim.orders import Type

SPOT = {"instId": "BTC-USDT", "tdMode": "cash", "side": "buy"}
SWAP = {"instId": "BTC-USDT-SWAP", "tdMode": "cross", "side": "buy"}
REST_CODES = [
    ({"instId": "NO-SUCH"}, "51001"), ({"side": "up"}, "51000"), ({"ordType": "conditional"}, "51000"),
    ({"sz": "0"}, "51000"), ({"sz": "abc"}, "51000"), ({"sz": ""}, "50014"), ({"px": ""}, "50014"),
    ({"px": "84000.05"}, "51000"), ({"sz": "0.000001"}, "51020"), ({"sz": "0.00001001"}, "51121"),
    ({"sz": "1000"}, "51008"),
    ({"px": "200000"}, "51137"), ({"px": "30000", "side": "sell"}, "51138"), ({"tdMode": "isolated"}, "51000"),
    ({"clOrdId": "with-dash"}, "51000"), ({"clOrdId": "a" * 33}, "51000"), ({"posSide": "long"}, "51000"),
    ({"slTriggerPx": "80000"}, "51000"), ({"stpMode": "none"}, "51000"), ({"reduceOnly": "maybe"}, "51000")]


def test_refusals_have_the_venues_codes():
    async def scenario(client):
        good = {**SPOT, "ordType": "limit", "px": "84000", "sz": "0.01"}
        assert (await client.order(**good))["sCode"] == "0"
        for changed, code in REST_CODES:
            row = await client.order(**{**good, **changed})
            assert (row["sCode"], row["ordId"]) == (code, ""), changed
        contract = {**SWAP, "ordType": "market", "sz": "1"}
        for changed, code in (({"sz": "0.005"}, "51020"), ({"sz": "1.005"}, "51121"), ({"tdMode": "cash"}, "51000"),
                              ({"sz": "1000000"}, "51008"), ({"reduceOnly": True}, "51169"),
                              ({"ordType": "limit", "px": "120000"}, "51137"),
                              ({"ordType": "limit", "px": "50000", "side": "sell"}, "51138")):
            row = await client.order(**{**contract, **changed})
            assert row["sCode"] == code, changed
        assert client.venue.statistics.rejects == len(REST_CODES) + 7

    on_okx(scenario)


@pytest.mark.parametrize("name", ["BTC-USDT", "USDC-USDT", "ETH-USDT-SWAP", "BTC-USD-SWAP"])
def test_the_price_limits_that_are_told_hold_on_both_sides(name):
    """A buy up to buyLmt, a sell down to sellLmt; a buy far below and a sell far above only wait."""
    async def scenario(client):
        (told,) = (await client.public("/api/v5/public/price-limit", instId=name))[1]["data"]
        (listed,) = (await client.public("/api/v5/public/instruments", instId=name, instType=told["instType"]))[1]["data"]
        tick, highest, lowest = Decimal(listed["tickSz"]), Decimal(told["buyLmt"]), Decimal(told["sellLmt"])
        form = {"instId": name, "tdMode": "cross", "sz": "2", "ordType": "post_only"}  # takes nothing
        for side, price, code in (("buy", highest + tick, "51137"), ("sell", lowest - tick, "51138"),
                                  ("buy", tick, "0"), ("sell", 3 * highest, "0"), ("buy", lowest - tick, "0"),
                                  ("sell", highest + tick, "0"), ("buy", highest, "0"), ("sell", lowest, "0")):
            row = await client.order(**form, side=side, px=f"{price:f}")
            assert row["sCode"] == code, (side, price, row)
            if code != "0":
                assert f"{highest if side == 'buy' else lowest:f}" in row["sMsg"]
            await client.post("/api/v5/trade/cancel-order", {"instId": name, "ordId": row["ordId"]})

    on_okx(scenario)


def test_a_client_id_is_taken_until_its_order_ends():
    async def scenario(client):
        good = {**SPOT, "ordType": "limit", "px": "80000", "sz": "0.01", "clOrdId": "b15"}
        first = await client.order(**good)
        assert (await client.order(**good))["sCode"] == "51016"
        assert (await client.order(**{**good, **SWAP, "sz": "1"}))["sCode"] == "51016"
        one = {"instId": "BTC-USDT", "clOrdId": "b15"}
        assert (await client.post("/api/v5/trade/cancel-order", one))[1]["data"][0]["ordId"] == first["ordId"]
        assert (await client.post("/api/v5/trade/cancel-order", one))[1]["data"][0]["sCode"] == "51401"
        second = await client.order(**good)
        assert second["sCode"] == "0"
        assert (await client.get("/api/v5/trade/order", **one))[1]["data"][0]["ordId"] == second["ordId"]
        for _ in range(2):  # orders without a client id do not clash
            assert (await client.order(**{**good, "clOrdId": ""}))["sCode"] == "0"

    on_okx(scenario)


@pytest.mark.parametrize("stop", [{"slTriggerPx": "70000", "slOrdPx": "-1"}, {"attachAlgoOrds": [{"slTriggerPx": "70000"}]}])
def test_a_stop_is_refused_and_not_left_out(stop):
    """With a new order and with an amendment, whose names begin with `new`."""
    async def scenario(client):
        form = {**SPOT, "ordType": "limit", "px": "80000", "sz": "0.01"}
        assert (await client.order(**form, **stop))["sCode"] == "51000"
        named = {"instId": "BTC-USDT", "ordId": (await client.order(**form))["ordId"]}
        changed = {name if isinstance(value, list) else f"new{name[0].upper()}{name[1:]}": value for name, value in stop.items()}
        _, answer = await client.post("/api/v5/trade/amend-order", {**named, "newPx": "79000", **changed})
        assert answer["data"][0]["sCode"] == "51000"
        (row,) = (await client.get("/api/v5/trade/order", **named))[1]["data"]
        assert (row["px"], row["state"]) == ("80000", "live")

    on_okx(scenario)


def test_one_of_several_orders_may_fail():
    async def scenario(client):
        good = {**SPOT, "ordType": "limit", "px": "80000", "sz": "0.01"}
        bad = {**good, "sz": "5000", "clOrdId": "poor"}
        for batch, code in (([good, good], "0"), ([good, bad], "2"), ([bad, bad], "1")):
            status, answer = await client.post("/api/v5/trade/batch-orders", batch)
            assert status == 200 and answer["code"] == code
            assert [row["sCode"] for row in answer["data"]] == [{"poor": "51008"}.get(one.get("clOrdId"), "0") for one in batch]
            assert int(answer["outTime"]) >= int(answer["inTime"]) > 10**15
        assert (await client.post("/api/v5/trade/batch-orders", [good] * 21))[1]["code"] == "50025"
        assert (await client.post("/api/v5/trade/batch-orders", []))[1]["code"] == "50014"

    on_okx(scenario)


def test_by_websocket_with_the_integer_code():
    async def scenario(client):
        socket = await client.private({"channel": "orders", "instType": "ANY"})
        form = {"instIdCode": 10459, "side": "buy", "tdMode": "cross", "ordType": "limit", "sz": "2", "px": "84000"}
        answer = await socket.ask("order", {**form, "clOrdId": "w1", "tag": "mine"})
        row = answer["data"][0]
        assert (answer["op"], answer["code"], answer["msg"], row["sCode"]) == ("order", "0", "", "0")
        assert (row["clOrdId"], row["tag"]) == ("w1", "mine") and int(answer["outTime"]) >= int(answer["inTime"])
        live = (await socket.push("orders"))["data"][0]
        assert (live["state"], live["ordId"], live["sz"], live["instType"]) == ("live", row["ordId"], "2", "SWAP")
        named = {**form, "instId": "BTC-USDT-SWAP"}
        del named["instIdCode"]
        assert (await socket.ask("order", named))["data"][0]["sCode"] == "50014"
        assert (await socket.ask("order", {**form, "instIdCode": 1}))["data"][0]["sCode"] == "51001"
        assert (await socket.ask("order", {**form, "instIdCode": "BTC"}))["data"][0]["sCode"] == "51000"
        assert (await socket.ask("order", form, form))["code"] == "60013"
        assert (await socket.ask("order"))["code"] == "60013"
        late = await socket.ask("order", form, expTime=str(int(time.time() * 1000) - 1))
        assert (late["code"], late["data"]) == ("50036", [])
        soon = await socket.ask("order", form, expTime=str(int(time.time() * 1000) + 5000))
        assert soon["code"] == "0"
        many = await socket.ask("batch-cancel-orders", {"instIdCode": 10459, "clOrdId": "w1"},
                                {"instIdCode": 10459, "ordId": "7"})
        assert (many["code"], [row["sCode"] for row in many["data"]]) == ("2", ["0", "51400"])

    on_okx(scenario)


FORMS = [("limit", "84600", ["live", "filled"], ""), ("ioc", "84600", ["live", "filled"], ""),
         ("ioc", "84000", ["live", "canceled"], "14"), ("fok", "84000", ["live", "canceled"], "13"),
         ("post_only", "84600", ["live", "canceled"], "31"), ("market", "", ["live", "filled"], "")]


@pytest.mark.parametrize(("form", "price", "states", "source"), FORMS)
def test_what_becomes_of_each_type_of_order(form, price, states, source):
    async def scenario(client):
        socket = await client.private({"channel": "orders", "instType": "SPOT", "instId": "BTC-USDT"})
        await client.order(**SPOT, ordType=form, px=price, sz="0.01", tgtCcy="base_ccy")
        pushes = [(await socket.push("orders"))["data"][0] for _ in states]
        assert [push["state"] for push in pushes] == states
        assert [push["cancelSource"] for push in pushes] == ["", source]
        last = pushes[-1]
        if states[-1] == "filled":
            assert (last["accFillSz"], last["fillSz"], last["execType"]) == ("0.01", "0.01", "T")
            assert (last["fee"], last["feeCcy"], last["fillFeeCcy"]) == ("-0.00001", "BTC", "BTC")
            fill = (await client.get("/api/v5/trade/fills", ordId=last["ordId"]))[1]["data"][0]
            assert (fill["tradeId"], fill["fee"], fill["side"]) == (last["tradeId"], "-0.00001", "buy")
        status, answer = await client.get("/api/v5/trade/orders-history", instType="SPOT")
        assert answer["data"][0]["state"] == states[-1] and answer["data"][0]["cancelSource"] == source

    on_okx(scenario)


def test_a_market_order_for_an_amount_of_the_quote():
    async def scenario(client):
        row = await client.order(**SPOT, ordType="market", sz="1000")  # a buy counts in the quote unless it says otherwise
        order = (await client.get("/api/v5/trade/order", instId="BTC-USDT", ordId=row["ordId"]))[1]["data"][0]
        assert (order["sz"], order["tgtCcy"], order["state"]) == ("1000", "quote_ccy", "filled")
        assert 999 < float(order["accFillSz"]) * float(order["avgPx"]) <= 1000
        row = await client.order(**{**SPOT, "side": "sell"}, ordType="market", sz="0.01")
        order = (await client.get("/api/v5/trade/order", instId="BTC-USDT", ordId=row["ordId"]))[1]["data"][0]
        assert (order["accFillSz"], order["feeCcy"]) == ("0.01", "USDT") and float(order["fee"]) < 0

    on_okx(scenario)


@pytest.mark.parametrize("code", [10001, 10459, 10458])
def test_amendments(code):
    async def scenario(client):
        socket = await client.private({"channel": "orders", "instType": "ANY"})
        spot = code == 10001
        form = {"instIdCode": code, "side": "buy", "tdMode": "cash" if spot else "cross", "ordType": "post_only", "sz": "3",
                "px": "83000"}
        one = {"instIdCode": code, "ordId": (await socket.ask("order", form))["data"][0]["ordId"]}
        await socket.push("orders")

        async def amend(**change):
            row = (await socket.ask("amend-order", {**one, **change}))["data"][0]
            return row["sCode"], None if row["sCode"] != "0" else (await socket.push("orders"))["data"][0]

        for change in ({"newSz": "2"}, {"newPx": "83100"}, {"newSz": "4", "newPx": "83050"}):
            status, push = await amend(**change, reqId="b1")
            assert (status, push["state"], push["amendResult"], push["reqId"]) == ("0", "live", "0", "b1")
            assert push["sz"] == change.get("newSz", push["sz"]) and push["px"] == change.get("newPx", push["px"])
        # What would take is accepted, and fails behind it.
        status, push = await amend(newPx="84800", reqId="b2")
        assert (status, push["state"], push["amendResult"], push["code"]) == ("0", "live", "-1", "51511")
        assert push["px"] == "83050"
        for change, expected in (({}, "51500"), ({"newSz": "4"}, "51500"), ({"newPx": "83000.01"}, "51000"),
                                 ({"newSz": "0.000000001"}, "51000"), ({"newSz": "1", "reqId": "a b"}, "51000")):
            assert (await amend(**change))[0] == expected, change
        status, push = await amend(newPx="84800", cxlOnFail=True, reqId="b3")
        assert (status, push["state"], push["amendResult"], push["reqId"]) == ("0", "canceled", "1", "b3")
        assert (await amend(newSz="1"))[0] == "51509"
        assert (await socket.ask("amend-order", {"instIdCode": code, "ordId": "9"}))["data"][0]["sCode"] == "51503"
        assert (await socket.ask("amend-order", {"instIdCode": code, "newSz": "1"}))["data"][0]["sCode"] == "50015"

    on_okx(scenario)


def test_an_order_that_has_ended_stays_as_it_is():
    async def scenario(client):
        filled = await client.order(**SPOT, ordType="limit", px="84600", sz="0.01")
        one = {"instId": "BTC-USDT", "ordId": filled["ordId"]}
        for path, body, code in (("cancel-order", one, "51402"), ("amend-order", {**one, "newSz": "0.02"}, "51510"),
                                 ("cancel-order", {**one, "ordId": "5"}, "51400"),
                                 ("cancel-order", {**one, "instId": "ETH-USDT"}, "51400"),
                                 ("cancel-order", {"instId": "BTC-USDT"}, "50015")):
            status, answer = await client.post(f"/api/v5/trade/{path}", body)
            assert (status, answer["code"], answer["data"][0]["sCode"]) == (200, "1", code), body
        for wrong in ({**one, "ordId": "5"}, {**one, "instId": "ETH-USDT"}):
            assert (await client.get("/api/v5/trade/order", **wrong))[1]["code"] == "51603"
        assert (await client.get("/api/v5/trade/order", instId="BTC-USDT", clOrdId="none"))[1]["code"] == "51603"
        assert (await client.get("/api/v5/trade/order", **one))[1]["data"][0]["state"] == "filled"

    on_okx(scenario)


def test_a_partly_filled_order_is_amended_down_to_what_is_filled():
    async def scenario(client):
        socket = await client.private({"channel": "orders", "instType": "ANY"})
        book = client.exchange.contracts.books["BTC-USD-SWAP"]
        price, best = f"{book.asks.best() / 1e8:.1f}", book.asks.best_quantity() // 10**8
        row = await client.order(**{**SWAP, "instId": "BTC-USD-SWAP"}, ordType="limit", px=price, sz=str(best + 5))
        resting = (await socket.until(lambda m: m.get("data") and m["data"][0]["state"] == "partially_filled"))["data"][0]
        assert resting["accFillSz"] == str(best)
        amend = {"instId": "BTC-USD-SWAP", "ordId": row["ordId"], "newSz": str(best - 1)}
        assert (await client.post("/api/v5/trade/amend-order", amend))[1]["code"] == "0"
        ended = (await socket.until(lambda m: m.get("data") and m["data"][0]["amendResult"]))["data"][0]
        assert (ended["state"], ended["sz"], ended["accFillSz"], ended["amendResult"]) == ("filled", str(best), str(best), "0")
        assert (await client.get("/api/v5/trade/orders-pending"))[1]["data"] == []
        purse = (await client.get("/api/v5/account/balance", ccy="BTC"))[1]["data"][0]["details"][0]
        assert purse["ordFrozen"] == "0"

    on_okx(scenario)


def test_money_is_one_purse_and_comes_back():
    async def purse(client, asset):
        answer = (await client.get("/api/v5/account/balance", ccy=asset))[1]["data"][0]["details"][0]
        return {name: float(answer[name]) for name in ("cashBal", "availBal", "frozenBal", "eq")}

    async def scenario(client):
        before = await purse(client, "USDT")
        row = await client.order(**SPOT, ordType="limit", px="80000", sz="1")
        contract = await client.order(**SWAP, ordType="limit", px="80000", sz="100")
        both = await purse(client, "USDT")
        assert both["frozenBal"] == 80000 + 80000 / 20 and both["availBal"] == before["availBal"] - both["frozenBal"]
        await client.post("/api/v5/trade/amend-order", {"instId": "BTC-USDT", "ordId": row["ordId"], "newPx": "70000"})
        assert (await purse(client, "USDT"))["frozenBal"] == 70000 + 4000
        for instrument, placed in (("BTC-USDT", row), ("BTC-USDT-SWAP", contract)):
            await client.post("/api/v5/trade/cancel-order", {"instId": instrument, "ordId": placed["ordId"]})
        assert await purse(client, "USDT") == before
        # Most of the purse is margin now: spot cannot spend it.
        await client.post("/api/v5/account/set-leverage", {"instId": "BTC-USDT-SWAP", "lever": "1", "mgnMode": "cross"})
        assert (await client.order(**SWAP, ordType="limit", px="80000", sz="2400"))["sCode"] == "0"
        assert (await client.order(**SPOT, ordType="limit", px="80000", sz="2"))["sCode"] == "51008"

    on_okx(scenario)


def test_an_inverse_position_gains_in_coins():
    async def scenario(client):
        inverse = {**SWAP, "instId": "BTC-USD-SWAP", "ordType": "market"}
        assert (await client.order(**inverse, sz="100"))["sCode"] == "0"
        position = (await client.get("/api/v5/account/positions", instId="BTC-USD-SWAP"))[1]["data"][0]
        assert (position["pos"], position["ccy"], position["notionalUsd"]) == ("100", "BTC", "10000")
        assert float(position["fee"]) == pytest.approx(-10000 * 0.0005 / float(position["avgPx"]), abs=1e-7)
        closing = {**inverse, "side": "sell", "sz": "100", "reduceOnly": "true"}
        assert (await client.order(**closing))["sCode"] == "0"
        assert (await client.get("/api/v5/account/positions", instType="SWAP"))[1]["data"] == []

    on_okx(scenario)


def test_limits_are_per_operation_and_instrument():
    async def scenario(client):
        socket = await client.private()
        now = client.venue.clock.milliseconds()
        client.venue.clock.milliseconds = lambda: now        # the windows of two seconds do not pass, however slow it goes
        form = {"instIdCode": 10001, "side": "buy", "tdMode": "cash", "ordType": "limit", "sz": "0.001", "px": "80000"}
        codes = [(await socket.ask("order", form))["data"][0]["sCode"] for _ in range(62)]
        assert codes == ["0"] * 60 + ["50011"] * 2
        assert (await client.order(**SPOT, ordType="limit", sz="0.001", px="80000"))["sCode"] == "50011"
        assert (await socket.ask("order", {**form, "instIdCode": 10002, "px": "2500"}))["data"][0]["sCode"] == "0"
        assert (await socket.ask("batch-orders", form, form))["code"] == "0"
        answers = [(await client.public("/api/v5/public/time"))[1]["code"] for _ in range(21)]
        assert answers == ["0"] * 20 + ["50011"]

    on_okx(scenario, options=OkxOptions(limit_factor=1))


def test_the_time_from_tick_to_order_is_measured():
    async def scenario(client):
        market_data = await client.open("public")
        await market_data.subscribe(channel="bbo-tbt", instId="BTC-USDT-SWAP")
        client.exchange.contracts.house_order("BTC-USDT-SWAP", 1, Type.MARKET, 0, 10**8)
        client.exchange.flush()
        await market_data.push("bbo-tbt")
        socket = await client.private()
        form = {"instIdCode": 10459, "side": "buy", "tdMode": "cross", "ordType": "market", "sz": "1"}
        await socket.ask("order", form)
        await client.order(**SWAP, ordType="market", sz="1")
        figures = client.venue.statistics.summary()
        assert (figures["ticks"], figures["orders"], figures["fills"], figures["wire_us"]["n"]) == (3, 2, 2, 2)

    on_okx(scenario)


def test_cancel_all_after():
    async def scenario(client):
        socket = await client.private({"channel": "orders", "instType": "ANY"})
        for form in ({**SPOT, "sz": "0.01"}, {**SWAP, "sz": "1"}):
            await client.order(**form, ordType="limit", px="80000", tag="quoting")
        for wrong in ("5", "121", "-1", "x"):
            assert (await client.post("/api/v5/trade/cancel-all-after", {"timeOut": wrong}))[1]["code"] == "51000"
        path, body = "/api/v5/trade/cancel-all-after", {"timeOut": "10", "tag": "quoting"}
        answer = (await client.post(path, body))[1]["data"][0]
        assert int(answer["triggerTime"]) == int(answer["ts"]) + 10_000 and answer["tag"] == "quoting"
        assert (await client.post(path, {**body, "timeOut": "0"}))[1]["data"][0]["triggerTime"] == "0"
        assert client.exchange.countdowns == {}
        await client.post(path, body)
        client.venue.clock.offset_ms += 10_001
        ended = [(await socket.until(lambda m: m["data"][0]["state"] == "canceled" if "data" in m else False))["data"][0]
                 for _ in range(2)]
        assert {push["cancelSource"] for push in ended} == {"20"}

    on_okx(scenario)


def test_an_order_never_trades_with_its_own_account():
    async def scenario(client):
        socket = await client.private({"channel": "orders", "instType": "ANY"})
        book = client.exchange.spot.books["ETH-USDT"]
        between = f"{(book.bids.best() + book.instrument.tick) / 1e8:.2f}"
        assert float(between) < book.asks.best() / 1e8
        form = {**SPOT, "instId": "ETH-USDT", "ordType": "limit", "px": between, "sz": "0.1"}
        resting = await client.order(**form)
        await client.order(**{**form, "side": "sell"})
        canceled = await socket.until(lambda m: m.get("data") and m["data"][0]["state"] == "canceled")
        assert (canceled["data"][0]["ordId"], canceled["data"][0]["cancelSource"]) == (resting["ordId"], "32")
        pending = (await client.get("/api/v5/trade/orders-pending", instType="SPOT"))[1]["data"]
        assert [order["side"] for order in pending] == ["sell"]

    on_okx(scenario)
