"""Orders over REST and the trade WebSocket: what is accepted, refused in the venue's words, and what becomes of it."""

from decimal import Decimal

import pytest
from bybit_client import now_ms, on_bybit

from nexus_fast.sim.bybit import dead_connections
from nexus_fast.sim.bybit.ids import execution_text, order_number, order_text
from nexus_fast.sim.bybit.venue import BybitOptions

LINEAR = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "84000"}
SPOT = {**LINEAR, "category": "spot"}
INVERSE = {**LINEAR, "category": "inverse", "symbol": "BTCUSD", "qty": "100"}


@pytest.mark.parametrize("category", ["spot", "linear", "inverse"])
def test_ids_are_one_to_one(category):
    for number in (1, 176_000_000_000_001, 179_538_959_304_106):
        text = order_text(category, number)
        assert order_number(category, text) == number
        assert len(text) == 36 and text.count("-") == 4 if category != "spot" else text.isdigit()
    for wrong in ("", "1", "x" * 36, "1795389593041060001", "{1094838a-f41c-fc4d-fab8-f6358caf785d}"):
        assert order_number(category, wrong) is None or category != "spot" and len(wrong) == 36
    assert len({execution_text(category, symbol, trade) for symbol in range(5) for trade in range(10**12, 10**12 + 5)}) == 25


@pytest.mark.parametrize("form", [LINEAR, SPOT, INVERSE], ids=["linear", "spot", "inverse"])
def test_place_amend_cancel(form):
    async def scenario(client):
        category = form["category"]
        stream = await client.private("order", "execution", "position", "wallet")
        placed = (await client.create(**form, orderLinkId="mine-1"))["result"]
        assert placed["orderLinkId"] == "mine-1" and set(placed) == {"orderId", "orderLinkId"}
        row = (await stream.topic("order"))["data"][0]
        assert (row["orderStatus"], row["rejectReason"], row["category"]) == ("New", "EC_NoError", category)
        named = {"category": category, "symbol": form["symbol"], "orderLinkId": "mine-1"}
        amended = await client.post("/v5/order/amend", **named, price="83000", qty=str(float(form["qty"]) * 2))
        assert amended["result"] == placed
        row = (await stream.topic("order"))["data"][0]
        assert (row["orderStatus"], row["price"], float(row["qty"])) == ("New", "83000", float(form["qty"]) * 2)
        assert (await client.post("/v5/order/cancel", **named))["result"] == placed
        row = (await stream.topic("order"))["data"][0]
        assert (row["orderStatus"], row["cancelType"], row["rejectReason"]) == (
            "Cancelled", "CancelByUser", "EC_PerCancelRequest")
        again = await client.post("/v5/order/cancel", **named)
        assert again["retCode"] == (170213 if category == "spot" else 110001)
        assert (await client.order(category, placed["orderId"]))["orderStatus"] == "Cancelled"
        balance = (await client.get("/v5/account/wallet-balance", accountType="UNIFIED"))["result"]["list"][0]
        assert all(c["locked"] == "0" and c["totalOrderIM"] == "0" for c in balance["coin"])
        refused = await client.create(**form, orderLinkId="mine-1")
        assert refused["retCode"] == (170141 if category == "spot" else 110072)

    on_bybit(scenario)


def test_a_smaller_quantity_keeps_the_place_in_the_queue():
    async def scenario(client):
        first = (await client.create(price="84549"))["result"]["orderId"]
        market = client.exchange.markets["linear"]
        order = next(iter(client.venue.bybit.accounts["sim"].orders("linear").open.values()))
        level = market.books["BTCUSDT"].bids.levels[order.price]
        second = list(level.orders).index(order.order_id)
        for qty, place in (("0.005", second), ("0.02", len(level.orders) - 1)):
            answer = await client.post("/v5/order/amend", category="linear", symbol="BTCUSDT", orderId=first, qty=qty)
            assert answer["retCode"] == 0 and list(level.orders).index(order.order_id) == place
        assert level.quantity == sum(o.quantity - o.executed for o in level.orders.values())

    on_bybit(scenario)


REFUSALS = [
    ({"category": "linear", "qty": "0.0001"}, 10001), ({"category": "spot", "qty": "0.0000001"}, 170136),
    ({"category": "linear", "qty": "0.0105"}, 10001), ({"category": "spot", "qty": "0.0100001"}, 170137),
    ({"category": "linear", "price": "84000.05"}, 10001), ({"category": "spot", "price": "84000.05"}, 170134),
    ({"category": "linear", "price": "99000"}, 110003), ({"category": "spot", "price": "99000"}, 170193),
    ({"category": "linear", "side": "Sell", "price": "70000"}, 110003),
    ({"category": "spot", "side": "Sell", "price": "70000"}, 170194),
    ({"category": "linear", "symbol": "XRPUSDT", "price": "2", "qty": "2"}, 110094),
    ({"category": "spot", "qty": "0.00001"}, 170140),
    ({"category": "linear", "qty": "1000"}, 110007), ({"category": "spot", "qty": "20"}, 170131),
    ({"category": "linear", "qty": "2000"}, 10001), ({"category": "spot", "qty": "100"}, 170135),
    ({"category": "linear", "reduceOnly": True}, 110017),
    ({"category": "linear", "symbol": "NOPE"}, 10001), ({"category": "spot", "symbol": "NOPE"}, 170121),
    ({"category": "option"}, 10001), ({"category": ""}, 10001), ({"side": "BUY"}, 10001), ({"orderType": "Stop"}, 10001),
    ({"timeInForce": "Gtc"}, 10001), ({"orderLinkId": "x" * 37}, 10001), ({"orderLinkId": "a b"}, 10001),
    ({"positionIdx": 1}, 10001), ({"triggerPrice": "84000"}, 10001), ({"qty": "-1"}, 10001), ({"qty": "1e3"}, 10001),
    ({"price": ""}, 10001), ({"category": "spot", "isLeverage": 1}, 170037), ({"smpType": "X"}, 10001),
]


@pytest.mark.parametrize(("category", "symbol"), [("spot", "ETHUSDT"), ("linear", "BTCUSDT"), ("inverse", "BTCUSD")])
def test_the_price_limits_that_are_told_hold_on_both_sides(category, symbol):
    async def scenario(client):
        market = {"category": category, "symbol": symbol}
        answer = await client.public("/v5/market/price-limit", **market)
        listed = await client.public("/v5/market/instruments-info", **market)
        tick = Decimal(listed["result"]["list"][0]["priceFilter"]["tickSize"])
        highest, lowest = Decimal(answer["result"]["buyLmt"]), Decimal(answer["result"]["sellLmt"])
        dear, cheap = (170193, 170194) if category == "spot" else (110003, 110003)
        for side, price, code in (("Buy", highest + tick, dear), ("Sell", lowest - tick, cheap), ("Buy", lowest - tick, 0),
                                  ("Sell", highest + tick, 0), ("Buy", highest, 0), ("Sell", lowest, 0)):
            answer = await client.create(**market, side=side, price=f"{price:f}", timeInForce="PostOnly",
                                         qty="1" if category == "spot" else "100")
            assert answer["retCode"] == code, (side, price, answer)
            if code == 0:
                await client.post("/v5/order/cancel", **market, orderId=answer["result"]["orderId"])

    on_bybit(scenario)


def test_refusals_in_the_venues_words():
    async def scenario(client):
        for changed, code in REFUSALS:
            answer = await client.create(**changed)
            assert answer["retCode"] == code and answer["retMsg"] and answer["result"] == {}, (changed, answer)
        assert client.venue.statistics.rejects == len(REFUSALS) and client.venue.statistics.orders == 0

    on_bybit(scenario)


@pytest.mark.parametrize(("changed", "reason"), [
    ({"timeInForce": "PostOnly", "price": "90000"}, "EC_PostOnlyWillTakeLiquidity"),
    ({"timeInForce": "FOK", "price": "84000"}, "EC_NoEnoughQtyToFill"),
    ({"timeInForce": "IOC", "price": "84000"}, "EC_NoImmediateQtyToFill"),
])
@pytest.mark.parametrize("category", ["spot", "linear"])
def test_orders_that_are_accepted_and_die(category, changed, reason):
    async def scenario(client):
        stream = await client.private(f"order.{category}")
        placed = await client.create(category=category, **changed)
        assert placed["retCode"] == 0
        frame = await stream.topic(f"order.{category}")
        row = frame["data"][0]
        assert (row["orderId"], row["orderStatus"], row["rejectReason"]) == (
            placed["result"]["orderId"], "Cancelled", reason)
        assert len(frame["data"]) == 1 and row["cumExecQty"] == "0" and row["leavesQty"] == "0"

    on_bybit(scenario)


def test_a_perpetual_is_opened_and_closed():
    async def scenario(client):
        stream = await client.private("order", "execution", "execution.fast", "position", "wallet")
        market = {"orderType": "Market", "price": ""}
        placed = (await client.create(**market, qty="0.5", orderLinkId="open"))["result"]["orderId"]
        fast, full = await stream.topic("execution.fast"), await stream.topic("execution")
        order, position, wallet = [await stream.topic(name) for name in ("order", "position", "wallet")]
        assert order["data"][0]["orderStatus"] == "Filled" and len(order["data"]) == 1
        assert [e["execId"] for e in fast["data"]] == [e["execId"] for e in full["data"]]
        assert {e["orderLinkId"] for e in fast["data"]} == {"open"} and {e["orderId"] for e in full["data"]} == {placed}
        assert (position["data"][0]["side"], position["data"][0]["size"]) == ("Buy", "0.5")
        assert {c["coin"] for c in wallet["data"][0]["coin"]} == {"USDT"}
        fees = sum(float(e["execFee"]) for e in full["data"])
        assert float(order["data"][0]["cumExecFee"]) == pytest.approx(fees)
        assert fees == pytest.approx(float(order["data"][0]["cumExecValue"]) * 0.00055, rel=1e-6)
        await client.create(**market, side="Sell", qty="3", reduceOnly=True)
        full, order = await stream.topic("execution"), await stream.topic("order")
        assert (order["data"][0]["qty"], order["data"][0]["orderStatus"], order["data"][0]["reduceOnly"]) == (
            "0.5", "Filled", True)
        assert sum(float(e["closedSize"]) for e in full["data"]) == 0.5
        rows = (await client.get("/v5/position/list", category="linear", symbol="BTCUSDT"))["result"]["list"]
        assert (rows[0]["side"], rows[0]["size"]) == ("", "0")
        assert (await client.get("/v5/position/list", category="linear", settleCoin="USDT"))["result"]["list"] == []
        coin = (await client.get("/v5/account/wallet-balance", accountType="UNIFIED", coin="USDT"))["result"]["list"][0]
        profits = float(rows[0]["cumRealisedPnl"])
        assert float(coin["coin"][0]["walletBalance"]) == pytest.approx(1_000_000 + profits)
        closed = (await client.get("/v5/position/closed-pnl", category="linear", symbol="BTCUSDT"))["result"]["list"]
        assert sum(float(c["closedSize"]) for c in closed) == 0.5

    on_bybit(scenario)


def test_a_resting_reduce_only_order_follows_the_position():
    async def scenario(client):
        market = {"orderType": "Market", "price": ""}
        await client.create(**market, qty="0.5")
        resting = (await client.create(side="Sell", price="86000", qty="0.5", reduceOnly=True))["result"]["orderId"]
        stream = await client.private("order")
        for quantity, row in (("0.3", ("New", "0.2", "EC_NoError")), ("0.2", ("Cancelled", "0", "EC_ReduceOnly"))):
            await client.create(**market, side="Sell", qty=quantity)
            told = {each["orderId"]: each for each in (await stream.topic("order"))["data"]}[resting]
            assert (told["orderStatus"], told["leavesQty"], told["rejectReason"]) == row

    on_bybit(scenario)


def test_an_inverse_contract_pays_in_coins():
    async def scenario(client):
        await client.create(category="inverse", symbol="BTCUSD", orderType="Market", qty="8455", price="")
        rows = (await client.get("/v5/execution/list", category="inverse"))["result"]["list"]
        value = sum(float(r["execValue"]) for r in rows)
        assert value == pytest.approx(8455 / float(rows[0]["execPrice"]), rel=1e-4)
        coin = (await client.get("/v5/account/wallet-balance", accountType="UNIFIED", coin="BTC"))["result"]["list"][0]
        assert float(coin["coin"][0]["walletBalance"]) == pytest.approx(100 - value * 0.00055, abs=1e-8)
        position = (await client.get("/v5/position/list", category="inverse"))["result"]["list"][0]
        assert (position["symbol"], position["size"], position["side"]) == ("BTCUSD", "8455", "Buy")

    on_bybit(scenario)


def test_one_wallet_for_spot_and_contracts():
    """What the margin of a contract needs cannot be spent on spot, and the other way round."""
    async def scenario(client):
        assert (await client.post("/v5/position/set-leverage", category="linear", symbol="BTCUSDT", buyLeverage="1",
                                  sellLeverage="1"))["retCode"] == 0
        assert (await client.create(qty="9", price="84000"))["retCode"] == 0  # holds 756,000 of a million
        spot = {"category": "spot", "price": "80000"}
        assert (await client.create(**spot, qty="4"))["retCode"] == 170131
        assert (await client.create(**spot, qty="3"))["retCode"] == 0
        assert (await client.create(qty="0.1", price="84000"))["retCode"] == 110007
        coin = (await client.get("/v5/account/wallet-balance", accountType="UNIFIED", coin="USDT"))["result"]["list"][0]
        coin = coin["coin"][0]
        assert (coin["walletBalance"], coin["locked"], coin["totalOrderIM"]) == ("1000000", "240000", "756000")

    on_bybit(scenario)


def test_spot_market_orders_in_either_coin():
    async def scenario(client):
        stream = await client.private("order", "wallet")
        market = {"category": "spot", "orderType": "Market", "price": ""}
        await client.create(**market, qty="1000")  # a buy is in the quote coin unless told otherwise
        row = (await stream.topic("order"))["data"][0]
        assert (row["qty"], row["marketUnit"], row["orderStatus"]) == ("1000", "quoteCoin", "Filled")
        assert 999 < float(row["cumExecValue"]) <= 1000 and row["feeCurrency"] == "BTC" and "tpslMode" not in row
        assert {c["coin"] for c in (await stream.topic("wallet"))["data"][0]["coin"]} == {"BTC", "USDT"}
        for changed, unit, qty in (({"marketUnit": "baseCoin"}, "baseCoin", "0.01"), ({"side": "Sell"}, "baseCoin", "0.01"),
                                   ({"side": "Sell", "marketUnit": "quoteCoin"}, "quoteCoin", "500")):
            await client.create(**market, **changed, qty=qty)
            row = (await stream.topic("order"))["data"][0]
            assert (row["qty"], row["marketUnit"], row["orderStatus"]) == (qty, unit, "Filled")
        assert (await client.create(**market, qty="4"))["retCode"] == 170140

    on_bybit(scenario)


def test_a_partly_filled_spot_order_that_is_cancelled():
    async def scenario(client):
        book = (await client.public("/v5/market/orderbook", category="spot", symbol="BTCUSDT"))["result"]
        price, size = book["a"][0]
        placed = (await client.create(category="spot", price=price, qty=str(round(float(size) + 1, 6))))["result"]
        assert (await client.order("spot", placed["orderId"]))["orderStatus"] == "PartiallyFilled"
        await client.post("/v5/order/cancel", category="spot", symbol="BTCUSDT", orderId=placed["orderId"])
        row = await client.order("spot", placed["orderId"])
        assert (row["orderStatus"], row["cumExecQty"]) == ("PartiallyFilledCanceled", size)
        rows = (await client.get("/v5/order/history", category="spot"))["result"]["list"]
        assert [r["orderId"] for r in rows] == [placed["orderId"]]

    on_bybit(scenario)


@pytest.mark.parametrize("race_ms", [0, 60_000])
def test_a_cancel_that_crosses_the_fill(race_ms):
    """Within the race it is accepted, and the order is Filled twice; otherwise the order is gone."""
    async def scenario(client):
        trade, stream = await client.trade(), await client.private("order")
        placed = (await trade.trade("order.create", {**LINEAR, "orderType": "Market"}))["data"]["orderId"]
        first = (await stream.topic("order"))["data"][0]
        answer = await trade.trade("order.cancel", {"category": "linear", "symbol": "BTCUSDT", "orderId": placed})
        assert answer["retCode"] == (0 if race_ms else 110001)
        if race_ms:
            second = (await stream.topic("order"))["data"][0]
            assert [row["orderStatus"] for row in (first, second)] == ["Filled", "Filled"]
            assert [row["rejectReason"] for row in (first, second)] == ["EC_NoError", "EC_OrigClOrdIDDoesNotExist"]
            assert second["cumExecQty"] == first["cumExecQty"]

    on_bybit(scenario, BybitOptions(cancel_race_ms=race_ms or -1))


def test_the_trade_socket():
    async def scenario(client):
        trade, stream = await client.trade(), await client.private("order")
        answer = await trade.trade("order.create", {**LINEAR, "orderLinkId": "ws-1", "price": 84000})
        assert (answer["retCode"], answer["retMsg"], answer["op"], answer["reqId"]) == (0, "OK", "order.create", "r1")
        assert set(answer["header"]) == {"X-Bapi-Limit", "X-Bapi-Limit-Status", "X-Bapi-Limit-Reset-Timestamp", "Traceid",
                                         "Timenow"}
        reference = answer["data"]
        assert (await stream.topic("order"))["data"][0]["orderId"] == reference["orderId"]
        named = {"category": "linear", "symbol": "BTCUSDT", "orderId": reference["orderId"]}
        assert (await trade.trade("order.amend", {**named, "qty": "0.02"}))["data"] == reference
        assert (await trade.trade("order.cancel", named))["data"] == reference
        assert (await trade.trade("order.cancel", named))["retCode"] == 110001
        assert (await trade.trade("order.nonsense", named))["retCode"] == 10404
        assert (await trade.trade("order.create", {**LINEAR, "category": "option"}))["retCode"] == 10404
        assert (await trade.trade("order.create", LINEAR, reqId="r1"))["retCode"] == 20006
        late = {"X-BAPI-TIMESTAMP": str(now_ms() - 6000)}
        assert (await trade.trade("order.create", LINEAR, header=late))["retCode"] == 10002
        assert (await trade.trade("order.create", LINEAR, header={}))["retCode"] == 10002
        assert (await trade.trade("order.create", LINEAR, args=[LINEAR, LINEAR]))["retCode"] == 10001
        assert (await trade.log_in())["retCode"] == 20001
        pong = await trade.ask({"op": "ping"})
        assert (pong["retCode"], pong["op"], pong["retMsg"]) == (0, "pong", "OK") and pong["data"][0].isdigit()
        stranger = await client.open("trade")
        assert (await stranger.trade("order.create", LINEAR))["retCode"] == 10005
        assert client.venue.statistics.orders == 1

    on_bybit(scenario)


def test_batches_tell_of_each_order():
    async def scenario(client):
        trade = await client.trade()
        good, bad = {**LINEAR, "orderLinkId": "b-1"}, {**LINEAR, "qty": "0.0001"}
        for form in (good, bad):
            form.pop("category")
        answer = await trade.trade("order.create-batch", {"category": "linear", "request": [good, bad]})
        assert answer["retCode"] == 0 and [i["code"] for i in answer["retExtInfo"]["list"]] == [0, 10001]
        rows = answer["data"]["list"]
        assert rows[0]["orderLinkId"] == "b-1" and rows[0]["createAt"] and rows[1]["orderId"] == ""
        named = {"symbol": "BTCUSDT", "orderId": rows[0]["orderId"]}
        answer = await client.post("/v5/order/amend-batch", category="linear", request=[{**named, "price": "83000"}])
        assert answer["retExtInfo"]["list"] == [{"code": 0, "msg": "OK"}]
        answer = await client.post("/v5/order/cancel-batch", category="linear", request=[named, named])
        assert [i["code"] for i in answer["retExtInfo"]["list"]] == [0, 110001]
        assert (await client.post("/v5/order/create-batch", category="linear", request=[good] * 21))["retCode"] == 10001
        assert (await client.post("/v5/order/create-batch", category="linear", request="x"))["retCode"] == 10001

    on_bybit(scenario)


def test_an_order_that_would_meet_one_of_its_own_account():
    async def scenario(client):
        book = (await client.public("/v5/market/orderbook", category="linear", symbol="BTCUSDT"))["result"]
        price = f"{float(book['b'][0][0]) + 0.1:.1f}"
        resting = (await client.create(price=price))["result"]["orderId"]
        taker = (await client.create(price=price, side="Sell", smpType="CancelMaker"))["result"]["orderId"]
        row = await client.order("linear", resting)
        assert (row["orderStatus"], row["cancelType"], row["rejectReason"]) == ("Cancelled", "CancelBySmp", "EC_BySelfMatch")
        assert (await client.order("linear", taker))["orderStatus"] == "New"

    on_bybit(scenario)


def test_ticks_and_orders_are_measured_per_market():
    async def scenario(client):
        socket, trade = await client.open("public/linear"), await client.trade()
        await socket.send({"op": "subscribe", "args": ["orderbook.1.BTCUSDT"]})
        for _ in range(20):
            await socket.topic("orderbook.1.BTCUSDT")
        await trade.trade("order.create", LINEAR)
        await client.post("/v5/order/create-batch", category="linear", request=[LINEAR, LINEAR])
        seen = client.venue.statistics.summary()
        assert seen["ticks"] > 10 and (seen["orders"], seen["wire_us"]["n"]) == (3, 3)

    on_bybit(scenario, tick_rate=50)


def test_open_orders_in_pages_and_cancel_all():
    async def scenario(client):
        placed = [(await client.create(price=str(84000 + number)))["result"]["orderId"] for number in range(5)]
        await client.create(symbol="ETHUSDT", price="2600", qty="0.1")
        question = {"category": "linear", "symbol": "BTCUSDT", "limit": 2}
        found, cursor = [], ""
        while True:
            result = (await client.get("/v5/order/realtime", **question, cursor=cursor))["result"]
            found += [row["orderId"] for row in result["list"]]
            cursor = result["nextPageCursor"]
            if not cursor:
                break
        assert found == placed[::-1]
        assert (await client.get("/v5/order/realtime", category="linear"))["retCode"] == 10001
        assert (await client.post("/v5/order/cancel-all", category="linear"))["retCode"] == 10001
        cancelled = (await client.post("/v5/order/cancel-all", category="linear", symbol="BTCUSDT"))["result"]
        assert {row["orderId"] for row in cancelled["list"]} == set(placed)
        left = (await client.get("/v5/order/realtime", category="linear", settleCoin="USDT"))["result"]["list"]
        assert [row["symbol"] for row in left] == ["ETHUSDT"]

    on_bybit(scenario)


def test_orders_are_cancelled_when_their_connections_have_been_gone_for_long(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(dead_connections, "monotonic", lambda: now[0])

    async def scenario(client):
        async def after(seconds, order, category="linear"):
            now[0] += seconds
            client.venue.bybit._dead.look()
            row = await client.order(category, order)
            return row["orderStatus"], row["cancelType"]

        answer = await client.post("/v5/order/disconnected-cancel-all", product="DERIVATIVES", timeWindow=40)
        assert answer["retCode"] == 0
        assert (await client.post("/v5/order/disconnected-cancel-all", timeWindow=2))["retCode"] == 10001
        info = (await client.get("/v5/account/query-dcp-info"))["result"]["dcpInfos"]
        assert info == [{"product": "DERIVATIVES", "dcpStatus": "ON", "timeWindow": "40"}]
        stream = await client.private("dcp.future")
        spot, placed = [(await client.create(category=each))["result"]["orderId"] for each in ("spot", "linear")]
        assert await after(100, placed) == ("New", "UNKNOWN")
        await stream.connection.close()
        assert await after(39, placed) == ("New", "UNKNOWN")
        assert await after(2, placed) == ("Cancelled", "CancelByDCP")
        assert await after(0, spot, "spot") == ("New", "UNKNOWN")

    on_bybit(scenario)
