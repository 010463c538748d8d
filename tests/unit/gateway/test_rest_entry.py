"""A REST order connection against a venue that answers what the test says, byte for byte."""

import asyncio
import sys
from pathlib import Path

import aiofastnet
import pytest
import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

from order_life import Life
from patience import WAIT_SECONDS

from nexus_fast.gateway import rest_entry
from nexus_fast.gateway.rest_entry import RestEntry
from nexus_fast.order.states import EVENTS

PLACE, CANCEL = EVENTS.index("INTENT"), EVENTS.index("CANCEL_INTENT")
# The venue's ACK forms (developers.binance.com), spot and USD-M.
SPOT = (b'{"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"old0",'
        b'"transactTime":1507725176595}')
USD_M = (b'{"orderId":28,"symbol":"BTCUSDT","status":"NEW","clientOrderId":"old0","price":"9000","avgPrice":"0.00",'
         b'"origQty":"10","executedQty":"0","updateTime":1566818724722}')
REFUSAL = b'{"code":-2010,"msg":"Account has insufficient balance for requested action."}'


def response(body, status=b"200 OK", head=b"Content-Type: application/json;charset=UTF-8\r\nContent-Length: %d\r\n"):
    return b"HTTP/1.1 " + status + b"\r\n" + (head % len(body) if b"%d" in head else head) + b"\r\n" + body


def chunked(body):
    parts = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:], b""))
    return response(parts, head=b"Transfer-Encoding: chunked\r\n")


class Scene:
    def __init__(self, directory, monkeypatch, state="PENDING"):
        monkeypatch.setenv("NEXUS_FAST_SHM", str(directory))
        self.life = Life(directory)
        self.number = self.life.carry(state)
        self.answers, self.lost, self.freed = [], [], 0

    async def run(self, *pieces, kind=PLACE, requests=1, end=False):
        """Send the requests; the venue answers each with these pieces, then closes the connection if `end`."""
        writers = []                     # a writer that nobody holds closes its connection

        async def serve(reader, writer):
            writers.append(writer)
            for _ in range(requests):
                await reader.readexactly(7)
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.005)
            if end:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        entry = RestEntry("test", f"http://127.0.0.1:{port}", self.life.ledger.entry, None, None, self.answer,
                          lambda *request: self.lost.append(request), self.free)
        entry.start()
        await asyncio.wait_for(entry.up.wait(), WAIT_SECONDS)
        for _ in range(requests):
            entry.channel.send_later(b"request", self.number, kind)
            async with asyncio.timeout(WAIT_SECONDS):
                while entry.channel.in_flight:
                    await asyncio.sleep(0.002)
        await entry.stop()
        server.close()

    def answer(self, number, kind, status, body, pause_ms):
        self.answers.append((number, kind, status, body, pause_ms))

    def free(self, channel):
        self.freed += channel.in_flight is None

    def state(self):
        fields = self.life.ledger.fields(self.number)
        return fields["state"], fields["venue_id"]


@pytest.fixture
def scene(tmp_path, monkeypatch):
    made = Scene(tmp_path, monkeypatch)
    yield made
    made.life.end()


@pytest.mark.parametrize("body", [SPOT, USD_M])
@pytest.mark.parametrize("head", [
    b"Content-Length: %d\r\n", b"content-length:%d\r\nx-mbx-uuid: 1\r\n", b"Date: now\r\nCONTENT-LENGTH:  %d\r\nVia: a\r\n",
])
def test_a_plain_yes_needs_no_python(scene, body, head):
    uvloop.run(scene.run(response(body, head=head)))
    assert scene.state() == ("ACCEPTED", "28") and scene.answers == [] and scene.lost == []


@pytest.mark.parametrize("pieces", [
    (response(SPOT)[:30], response(SPOT)[30:]),
    (response(SPOT)[:-1], response(SPOT)[-1:]),
    (b"HTTP/1.1 100 Continue\r\n\r\n", response(SPOT)),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + response(SPOT),),
    (chunked(SPOT),),
    (chunked(SPOT)[:60], chunked(SPOT)[60:]),
    (response(SPOT, b"201 Created"),),
    (response(b"[" + SPOT + b"]"),),
])
def test_any_other_form_is_read_by_the_parser(scene, pieces):
    uvloop.run(scene.run(*pieces))
    if scene.answers:
        (number, kind, status, body, pause_ms), = scene.answers
        assert (number, kind, pause_ms) == (scene.number, PLACE, 0) and status in (200, 201) and SPOT in body
    else:
        assert scene.state() == ("ACCEPTED", "28")     # the response came whole, behind what was read before
    assert scene.lost == []


def test_a_refusal_and_a_limit(scene):
    uvloop.run(scene.run(response(REFUSAL, b"400 Bad Request")))
    head = b"Retry-After: 7\r\nContent-Length: %d\r\n"
    uvloop.run(scene.run(response(REFUSAL, b"429 Too Many Requests", head)))
    assert scene.answers == [(scene.number, PLACE, 400, REFUSAL, 0), (scene.number, PLACE, 429, REFUSAL, 7000)]
    assert scene.state() == ("PENDING", "")


def test_the_yes_to_a_cancel_is_read_by_the_parser(scene):
    uvloop.run(scene.run(response(SPOT), kind=CANCEL))
    assert scene.answers == [(scene.number, CANCEL, 200, SPOT, 0)] and scene.state() == ("PENDING", "")


def test_one_way_after_the_other_on_one_connection(scene):
    uvloop.run(scene.run(response(SPOT)[:40], response(SPOT)[40:], requests=2))
    assert len(scene.answers) == 2
    uvloop.run(scene.run(response(SPOT), requests=3))
    assert len(scene.answers) == 2 and scene.state() == ("ACCEPTED", "28")


@pytest.mark.parametrize("body", [
    SPOT.replace(b"old0", b"another"), SPOT.replace(b"old0", b"old"), SPOT.replace(b',"clientOrderId":"old0"', b""),
    USD_M.replace(b"old0", b"another"), USD_M.replace(b"NEW", b"EXPIRED"), USD_M.replace(b"NEW", b"FILLED")])
def test_a_yes_that_is_not_plain_or_not_this_orders_is_left_to_python(scene, body):
    uvloop.run(scene.run(response(body)))
    assert scene.answers == [(scene.number, PLACE, 200, body, 0)] and scene.state() == ("PENDING", "")


def test_a_yes_with_another_id_of_the_venues_is_left_to_python(scene):
    scene.life.ledger.apply(scene.number, "ACCEPTED", venue_id="29")
    uvloop.run(scene.run(response(SPOT)))
    assert scene.answers == [(scene.number, PLACE, 200, SPOT, 0)] and scene.state() == ("ACCEPTED", "29")


def test_a_yes_to_an_order_that_is_over_is_left_to_python(tmp_path, monkeypatch):
    scene = Scene(tmp_path, monkeypatch, "FAILED")
    uvloop.run(scene.run(response(SPOT)))
    assert scene.answers == [(scene.number, PLACE, 200, SPOT, 0)]
    scene.life.end()


@pytest.mark.parametrize("piece", [b"", response(SPOT)[:50]])
def test_an_end_without_a_response_is_told(scene, piece):
    uvloop.run(scene.run(*([piece] if piece else []), end=True))
    assert scene.lost == [(scene.number, PLACE)] and scene.answers == [] and scene.state()[0] == "PENDING"


def test_an_answer_that_cannot_be_used_stops_nothing(scene, caplog):
    def refuse(*answer):
        raise ValueError("what is this")

    scene.answer = refuse
    uvloop.run(scene.run(response(b"[]"), requests=2))
    assert caplog.text.count("could not be used") == 2 and "what is this" in caplog.text


def test_it_ends_though_its_connection_is_made_in_the_same_turn(scene, monkeypatch):
    connect = aiofastnet.create_connection

    async def run():
        loop = asyncio.get_running_loop()
        begun, go_on = loop.create_future(), loop.create_future()

        async def connect_slowly(*arguments, **options):
            transport, protocol = await connect(*arguments, **options)
            begun.set_result(None)
            try:
                await go_on
            except asyncio.CancelledError:
                transport.abort()
                raise
            return transport, protocol

        async def serve(reader, writer):
            await reader.read()
            writer.close()

        monkeypatch.setattr(aiofastnet, "create_connection", connect_slowly)
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        entry = RestEntry("test", f"http://127.0.0.1:{port}", scene.life.ledger.entry, None, None, scene.answer,
                          lambda *request: None, scene.free)
        entry.start()
        await begun
        go_on.set_result(None)
        async with asyncio.timeout(WAIT_SECONDS):
            await entry.stop()
        assert not entry.up.is_set()
        server.close()

    uvloop.run(run())


@pytest.mark.parametrize("pieces", [
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"8000\r\n" + bytes(0x8000) + b"\r\n"] * 40),
    (b"HTTP/1.1 200 OK\r\n", *[b"X-Long: " + b"y" * 0x8000 + b"\r\n"] * 40),
    (b"<html><body>Under maintenance</body></html>",),
    (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",),
])
def test_a_response_without_an_end_or_that_is_none_leaves_the_order_in_doubt(scene, pieces, monkeypatch):
    """And the connection is left at once: what came on it next could be taken for the answer to another request."""
    monkeypatch.setattr(rest_entry, "ANSWER_SECONDS", 10 * WAIT_SECONDS)
    uvloop.run(scene.run(*pieces))
    assert scene.answers == [] and scene.lost == [(scene.number, PLACE)]


def test_a_response_to_no_request_ends_the_connection(scene):
    """The next request's answer would be taken for this one's, and so on."""

    async def scenario():
        connections = []

        async def serve(reader, writer):
            connections.append(writer)
            await reader.readexactly(7)
            writer.write(response(REFUSAL, b"400 Bad Request") + response(SPOT))

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        entry = RestEntry("test", url, scene.life.ledger.entry, None, None, scene.answer, lambda *_: None, scene.free)
        entry.start()
        async with asyncio.timeout(WAIT_SECONDS):
            await entry.up.wait()
            entry.channel.send_later(b"request", scene.number, PLACE)
            while len(connections) < 2:
                await asyncio.sleep(0.002)
        await entry.stop()
        server.close()

    uvloop.run(scenario())
    assert [answer[2:4] for answer in scene.answers] == [(400, REFUSAL)]
