"""The public and private WebSockets: answers in each product's form, frames, silence."""

import asyncio

import pytest
from bybit_client import now_ms, on_bybit

from nexus_fast.sim.bybit import public_channels
from nexus_fast.sim.bybit.sockets import active_seconds
from nexus_fast.sim.bybit.venue import BybitOptions
from nexus_fast.sim.orders import Type

CATEGORIES = {"spot": "BTCUSDT", "linear": "BTCUSDT", "inverse": "BTCUSD"}


@pytest.mark.parametrize("category", CATEGORIES)
def test_answers_have_the_products_form(category):
    async def scenario(client):
        socket, topic = await client.open(f"public/{category}"), f"orderbook.1.{CATEGORIES[category]}"
        answer = await socket.ask({"req_id": "a1", "op": "subscribe", "args": [topic]})
        identity = answer.pop("conn_id")
        assert identity and answer == {"success": True, "ret_msg": "subscribe" if category == "spot" else "",
                                       "req_id": "a1", "op": "subscribe"}
        pong = await socket.ask({"op": "ping"})
        assert pong == {"success": True, "ret_msg": "pong", "conn_id": identity, "op": "ping",
                        **({} if category == "spot" else {"req_id": ""})}
        for args in (["orderbook.7.BTCUSDT"], ["nonsense"], ["orderbook.1.NOPE"], [topic], [], [5], "x", None,
                     ["kline.7.BTCUSDT"], ["orderbook.1.BTCUSDT", "nonsense"]):
            answer = await socket.ask({"req_id": "a2", "op": "subscribe", "args": args})
            assert (answer["success"], answer["op"], answer["req_id"]) == (False, "subscribe", "a2") and answer["ret_msg"]
        answer = await socket.ask({"op": "unsubscribe", "args": [topic]})
        assert answer["success"] and answer["op"] == "unsubscribe"
        many = [f"kline.{i}.{CATEGORIES[category]}" for i in ("1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "D")]
        assert (await socket.ask({"op": "subscribe", "args": many}))["success"] == (category != "spot")
        for garbage in ("x", "[]", "{}", '{"op":5}', "[" * 5000):
            assert not (await socket.ask(garbage))["success"]

    on_bybit(scenario)


@pytest.mark.parametrize("category", CATEGORIES)
def test_best_prices_come_whole_and_again_after_three_seconds(category, monkeypatch):
    assert public_channels.REPEAT_MS == 3000
    monkeypatch.setattr(public_channels, "REPEAT_MS", 200)

    async def scenario(client):
        symbol = CATEGORIES[category]
        socket = await client.open(f"public/{category}")
        await socket.send({"op": "subscribe", "args": [f"orderbook.1.{symbol}"]})
        first = await socket.topic(f"orderbook.1.{symbol}")
        assert list(first) == ["topic", "ts", "type", "data", "cts"] and first["type"] == "snapshot"
        assert list(first["data"]) == ["s", "b", "a", "u", "seq"] and len(first["data"]["b"]) == 1
        again = await socket.topic(f"orderbook.1.{symbol}")
        assert again["ts"] > first["ts"] and (again["data"], again["cts"]) == (first["data"], first["cts"])
        ask = first["data"]["a"][0]
        await client.create(category=category, symbol=symbol, price=ask[0], qty=ask[1])
        while (changed := await socket.topic(f"orderbook.1.{symbol}"))["data"] == first["data"]:
            pass                         # repeated once more before the order came
        assert changed["data"]["u"] > first["data"]["u"] and changed["data"]["a"][0] != ask

    on_bybit(scenario)


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("depth", [50, 200])
def test_deltas_make_the_book_that_rest_shows(category, depth):
    async def scenario(client):
        symbol = CATEGORIES[category]
        socket = await client.open(f"public/{category}")
        await socket.send({"op": "subscribe", "args": [f"orderbook.{depth}.{symbol}"]})
        book, frames, update = {"b": {}, "a": {}}, 0, 0
        while frames < 8:
            frame = await socket.topic(f"orderbook.{depth}.{symbol}")
            assert frame["type"] == ("delta" if frames else "snapshot") and frame["data"]["u"] > update
            assert list(frame)[1] == ("ts" if category == "spot" else "type")
            frames, update = frames + 1, frame["data"]["u"]
            for side, levels in book.items():
                levels.update({price: size for price, size in frame["data"][side]})
                for price in [price for price, size in levels.items() if float(size) == 0]:
                    del levels[price]
        client.venue.pacer.stop()
        await socket.send({"op": "subscribe", "args": [f"tickers.{symbol}"]})
        while not await _ended(socket, book):
            pass
        shown = (await client.public("/v5/market/orderbook", category=category, symbol=symbol, limit=50))["result"]
        for side, key in (("b", lambda p: -float(p)), ("a", float)):
            mine = [[price, book[side][price]] for price in sorted(book[side], key=key)[:50]]
            assert mine[:len(shown[side])] == shown[side][:len(mine)]

    on_bybit(scenario, tick_rate=100)


async def _ended(socket, book) -> bool:
    """Takes what still comes of a book that stands still."""
    try:
        frame = await socket.receive(1.0)
    except TimeoutError:
        return True
    if frame.get("topic", "").startswith("orderbook"):
        for side, levels in book.items():
            levels.update({price: size for price, size in frame["data"][side]})
            for price in [price for price, size in levels.items() if float(size) == 0]:
                del levels[price]
    return False


def test_a_restart_of_the_venue_begins_update_ids_anew():
    async def scenario(client):
        socket = await client.open("public/linear")
        topics = ["orderbook.1.BTCUSDT", "orderbook.50.BTCUSDT"]
        await socket.send({"op": "subscribe", "args": topics})
        before = [await socket.topic(topic) for topic in topics]
        client.venue.faults.load([{"kind": "shutdown", "venue": "bybit", "seconds": 3.0}])
        for topic, old in zip(topics, before, strict=True):
            anew = await socket.topic(topic)
            assert (anew["type"], anew["data"]["u"]) == ("snapshot", 1) and old["data"]["u"] > 1
            assert anew["data"]["b"] == old["data"]["b"] and anew["data"]["seq"] == old["data"]["seq"]
        shown = (await client.public("/v5/market/orderbook", category="linear", symbol="BTCUSDT"))["result"]
        assert shown["u"] == 1
        await client.create(orderType="Market", price="", qty="0.01")
        assert (await socket.topic(topics[0]))["data"]["u"] > 1
        while not await socket.closed():
            pass

    on_bybit(scenario)


def test_a_candle_ends_once_and_trades_of_a_match_come_together(monkeypatch):
    monkeypatch.setattr(public_channels, "CANDLE_BEATS", 10)

    async def scenario(client):
        market, clock = client.exchange.markets["linear"], client.venue.clock
        clock.offset_ms -= clock.milliseconds() % 60_000  # at the beginning of a minute
        step = market.instruments["BTCUSDT"].step

        def trade(quantity):
            market.house_order("BTCUSDT", 1, Type.MARKET, 0, quantity)
            market.flush()

        socket = await client.open("public/linear")
        await socket.ask({"op": "subscribe", "args": ["kline.1.BTCUSDT", "publicTrade.BTCUSDT"]})
        trade(6000 * step)
        rows = (await socket.topic("publicTrade.BTCUSDT"))["data"]
        assert len(rows) > 1 and sum(float(row["v"]) for row in rows) == pytest.approx(6) and rows[0]["S"] == "Buy"
        first = (await socket.topic("kline.1.BTCUSDT"))["data"][0]
        assert first["confirm"] is False and first["volume"] == "6"
        clock.offset_ms += 60_000
        ended = (await socket.topic("kline.1.BTCUSDT"))["data"][0]
        assert ended["confirm"] is True and ended["start"] == first["start"]
        trade(step)
        following = (await socket.topic("kline.1.BTCUSDT"))["data"][0]
        assert following["confirm"] is False and following["start"] == first["start"] + 60_000

    on_bybit(scenario)


def test_the_private_socket():
    async def scenario(client):
        socket = await client.open("private")
        refused = await socket.ask({"op": "subscribe", "args": ["order"]})
        assert (refused["success"], refused["ret_msg"]) == (False, "Request not authorized")
        answer = await socket.log_in()
        assert (answer["success"], answer["op"], answer["ret_msg"]) == (True, "auth", "")
        pong = await socket.ask({"req_id": "p", "op": "ping"})
        assert (pong["op"], pong["req_id"]) == ("pong", "p") and pong["args"][0].isdigit() and pong["conn_id"]
        for args, fine in ((["nonsense"], False), (["order"], True), (["order.linear"], False),
                           (["position.linear", "position"], False), (["execution.fast.spot", "wallet"], True)):
            assert (await socket.ask({"op": "subscribe", "args": args}))["success"] is fine, args
        for changed in ({"secret": "wrong"}, {"key": "nobody"}, {"expires": now_ms() - 1000}):
            stranger = await client.open("private")
            assert not (await stranger.log_in(**changed))["success"]
            assert await stranger.closed()

    on_bybit(scenario)


def test_categorised_topics_keep_to_their_category():
    async def scenario(client):
        socket = await client.private("order.spot", "execution.linear")
        await client.create(category="linear", orderType="Market", price="", qty="0.01")
        frame = await socket.receive()
        assert (frame["topic"], frame["data"][0]["category"]) == ("execution.linear", "linear")
        await client.create(category="spot", price="80000")
        frame = await socket.receive()
        assert (frame["topic"], frame["data"][0]["category"]) == ("order.spot", "spot")
        assert await socket.silent()

    on_bybit(scenario)


def test_a_maker_fill_has_no_client_id_on_the_fast_topic():
    async def scenario(client):
        socket = await client.private("execution.fast", "execution")
        book = (await client.public("/v5/market/orderbook", category="linear", symbol="BTCUSDT"))["result"]
        bid = float(book["b"][0][0])
        await client.create(price=f"{bid + 0.1:.1f}", orderLinkId="maker")
        await client.create(price=f"{bid + 0.1:.1f}", side="Sell", orderLinkId="taker")
        fast, full = await socket.topic("execution.fast"), await socket.topic("execution")
        assert [(e["isMaker"], e["orderLinkId"]) for e in fast["data"]] == [(False, "taker"), (True, "")]
        assert [(e["isMaker"], e["orderLinkId"]) for e in full["data"]] == [(False, "taker"), (True, "maker")]
        assert [e["feeRate"] for e in full["data"]] == ["0.00055", "0.0002"]

    on_bybit(scenario)


def test_who_is_silent_is_cut():
    async def scenario(client):
        silent, talking = await client.open("public/linear"), await client.open("public/linear")
        ended = asyncio.ensure_future(silent.closed())
        while not ended.done():
            await talking.ask({"op": "ping"})
            await asyncio.sleep(0.15)
        assert await ended
        assert (await talking.ask({"op": "ping"}))["success"]

    on_bybit(scenario, BybitOptions(idle_seconds=2.0))


def test_the_idle_limit_that_an_address_asks_for():
    wanted = {"": 600.0, "?max_active_time=30s": 30.0, "?max_active_time=1m": 60.0, "?max_active_time=10m": 600.0,
              "?max_active_time=29s": 600.0, "?max_active_time=11m": 600.0, "?max_active_time=x": 600.0}
    assert {query: active_seconds("/v5/trade" + query, 600.0) for query in wanted} == wanted


def test_paths_that_do_not_exist():
    async def scenario(client):
        for place in ("public", "public/option", "nonsense", "private/x"):
            with pytest.raises(Exception, match="Invalid response status|404|handshake|WSServerHandshakeError"):
                await client.open(place)

    on_bybit(scenario)
