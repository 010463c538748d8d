"""A WebSocket whose peer means no good before there is a connection, or just after."""

import asyncio
import base64
import hashlib
import logging

import pytest
from hostile_server import HostileServer, response

from nexus_fast.feed import connection
from nexus_fast.feed.connection import WebSocketConnection
from nexus_fast.feed.frames import LONGEST_MESSAGE, PayloadHandler

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"            # RFC 6455, 1.3


def attempts(say, count):
    """Run a connection against the server until it was asked `count` times."""

    async def run():
        async with HostileServer(say) as server:

            async def url():
                return f"ws://127.0.0.1:{server.port}/ws/listen-key"

            made = WebSocketConnection("test", url, PayloadHandler(), None, urgent=False, on_up=lambda _: None,
                                       on_down=lambda: None)
            made.start()
            async with asyncio.timeout(20):
                while len(server.heads) < count:
                    await asyncio.sleep(0.005)
            await made.stop()

    asyncio.run(run())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_connection_follows_a_redirect(status, caplog, monkeypatch):
    """It would log on at the other host, with key, passphrase and signature."""
    monkeypatch.setattr(connection, "FIRST_WAIT", 0.01)

    async def run():
        async with HostileServer(response(b"")) as thief:
            target = f"Location: ws://localhost:{thief.port}/ws/listen-key"
            await asyncio.to_thread(attempts, response(b"", target, status=f"{status} Moved"), 2)
            return thief.heads

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(run()) == []
    said = [record.getMessage() for record in caplog.records if "redirects to" in record.getMessage()]
    assert said and all("127.0.0.1" in text and "localhost" in text and "listen-key" not in text for text in said)


@pytest.mark.parametrize("answer", [
    response(b"<html>Under maintenance</html>"), response(b"", status="403 Forbidden"), response(b"", status="500 Oh"),
    b"HTTP/1.1 302 Found\r\nLocation: ws://[\r\n\r\n", b"HTTP/1.1 302 Found\r\n\r\n", b"\x00\xff\x00\r\n\r\n",
    b"HTTP/1.1 101 X\r\nSec-WebSocket-Accept: no\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 3_000_000 + b"\r\n"])
def test_an_answer_that_is_no_handshake_is_tried_again(answer, monkeypatch):
    monkeypatch.setattr(connection, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(connection, "HANDSHAKE_TIMEOUT", 0.5)
    attempts(answer, 3)


def test_a_message_without_an_end_right_after_the_handshake_ends_the_connection(monkeypatch):
    """picows reads it still: our own reader takes over at the first moment without a message in the middle."""
    monkeypatch.setattr(connection, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(connection, "install", lambda *_: None)
    sent = [0]
    size = 1 << 20

    async def say(writer, head):
        (line,) = [line for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key:")]
        key = base64.b64encode(hashlib.sha1((line.split(":")[1].strip() + MAGIC).encode()).digest()).decode()
        upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        writer.write(f"{upgrade}Sec-WebSocket-Accept: {key}\r\n\r\n".encode())
        first, sent[0] = True, 0
        while not writer.is_closing():
            writer.write(bytes([1 if first else 0, 127]) + size.to_bytes(8, "big") + bytes(size))
            await writer.drain()
            first, sent[0] = False, sent[0] + size

    attempts(say, 2)
    assert sent[0] < LONGEST_MESSAGE + 32 * size
