"""A kept connection and peers that do not play along."""

import asyncio
import socket
import struct
from types import SimpleNamespace

import pytest
from patience import WAIT_SECONDS

from nexus_fast.feed import connection
from nexus_fast.feed.commands import CommandFeed
from nexus_fast.feed.connection import WebSocketConnection, is_reset


def against(serve, condition, seconds=WAIT_SECONDS):
    """Keep a connection to a TCP server until the condition of it holds."""

    async def play():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()

        async def url():
            return f"ws://{host}:{port}/ws"

        events = []
        handler = CommandFeed(lambda payload: None, lambda payload, error: None)
        kept = WebSocketConnection("test", url, handler, None, urgent=False, on_up=lambda c: events.append("up"),
                                   on_down=lambda: events.append("down"))
        kept.start()
        try:
            async with asyncio.timeout(seconds):
                while not condition(kept):
                    await asyncio.sleep(0.01)
        finally:
            await kept.stop()
            server.close()
        return kept, events

    return asyncio.run(play())


async def read_and_close(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def close_at_once(reader, writer):
    writer.transport.abort()


async def half_an_answer(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso")
    await writer.drain()
    writer.close()


async def refuse(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
    writer.close()


@pytest.mark.parametrize("serve", [read_and_close, close_at_once, half_an_answer, refuse])
def test_a_handshake_that_fails_is_tried_again(serve, monkeypatch):
    """However the peer breaks it off, it counts as not connected, and the next attempt comes."""
    monkeypatch.setattr(connection, "FIRST_WAIT", 0.01)
    kept, events = against(serve, lambda kept: kept.attempts >= 4)
    assert kept.connects == 0 and events == [] and not kept.is_up


def test_sending_without_a_connection():
    kept = WebSocketConnection("test", None, CommandFeed(None, None), None, urgent=False, on_up=None, on_down=None)
    with pytest.raises(ConnectionError, match="test is not connected"):
        kept.send(b"x")
    kept.drop()


@pytest.mark.scenario(24)
def test_a_reset_is_seen_behind_unread_bytes():
    """Also while bytes that came before it are still to be read; a close, and a living connection, are none."""
    listener = socket.create_server(("127.0.0.1", 0))
    for ending, expected in ((struct.pack("ii", 1, 0), True), (None, False)):
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
        transport = SimpleNamespace(get_extra_info=lambda name, near=near: near)
        far.send(b"unread")
        assert not is_reset(transport)
        if ending is not None:
            far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ending)
        far.close()
        assert is_reset(transport) is expected
        near.close()
        assert not is_reset(transport)
    listener.close()
