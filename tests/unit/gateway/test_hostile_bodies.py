"""Answers of somebody who means no good, by every venue's REST client: redirects, bodies without an end, packed ones that grow,
and those that never come to an end."""

import asyncio
import gzip
import tracemalloc
import zlib

import pytest
from hostile_server import HostileServer, response

from nexus_fast.error import UnusableAnswer
from nexus_fast.gateway import body, session
from nexus_fast.gateway.bybit_rest import BybitRest
from nexus_fast.gateway.credentials import Credentials
from nexus_fast.gateway.okx_rest import OkxKey, OkxRest
from nexus_fast.gateway.rest import BinanceRest

MIB = 1024 * 1024
CLIENTS = {
    "binance": lambda url: BinanceRest(url, Credentials("the-key", "the-secret")),
    "bybit": lambda url: BybitRest(url, Credentials("the-key", "the-secret")),
    "okx": lambda url: OkxRest(url, OkxKey("the-key", "the-secret", "the-passphrase")),
}
each_client = pytest.mark.parametrize("venue", CLIENTS)


def asked(venue, say, method="GET"):
    """What a signed request raised or returned, and the server."""

    async def ask():
        async with HostileServer(say) as server:
            client = CLIENTS[venue](server.url)
            try:
                return await client.request(method, "/a/b", {"symbol": "X"}, signed=True), server
            except Exception as error:
                return error, server
            finally:
                await client.close()

    return asyncio.run(ask())


@each_client
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_signed_request_follows_a_redirect(venue, method, status):
    async def ask():
        async with HostileServer(response(b"{}")) as thief:
            target = f"Location: http://localhost:{thief.port}/a/b"
            async with HostileServer(response(b"", target, status=f"{status} Moved")) as server:
                client = CLIENTS[venue](server.url)
                with pytest.raises(UnusableAnswer) as raised:
                    await client.request(method, "/a/b", {}, signed=True)
                await client.close()
                return str(raised.value), server.heads, thief.heads

    text, asked_for, stolen = asyncio.run(ask())
    assert len(asked_for) == 1 and stolen == []
    assert "127.0.0.1" in text and "localhost" in text and "the-" not in text and "sign" not in text.lower()


@each_client
@pytest.mark.parametrize("location", ["", "http://[", "//", "/elsewhere", "x" * 5000])
def test_a_redirect_to_nowhere_is_said_too(venue, location):
    error, server = asked(venue, response(b"", f"Location: {location}", status="302 Found"))
    assert isinstance(error, UnusableAnswer) and "redirects" in str(error) and len(server.heads) == 1 and len(str(error)) < 400


@each_client
def test_a_packed_answer_grows_to_the_limit_only(venue, monkeypatch):
    """64 MiB of zeros are 64 KiB on the wire."""
    monkeypatch.setattr(body, "LONGEST_BODY", MIB)
    packer = zlib.compressobj(wbits=31)
    packed = b"".join(packer.compress(bytes(MIB)) for _ in range(64)) + packer.flush()
    tracemalloc.start()
    try:
        error, _ = asked(venue, response(packed, "Content-Encoding: gzip"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(error, UnusableAnswer) and f"larger than {MIB} bytes" in str(error)
    assert peak < 8 * MIB


@each_client
def test_chunks_without_an_end_are_read_to_the_limit(venue, monkeypatch):
    monkeypatch.setattr(body, "LONGEST_BODY", MIB)

    async def say(writer, head):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"10000\r\n" + bytes(65536) + b"\r\n")
            await writer.drain()

    error, _ = asked(venue, say)
    assert isinstance(error, UnusableAnswer) and "larger than" in str(error)


@each_client
def test_an_answer_that_comes_byte_by_byte_has_a_deadline_for_the_whole(venue, monkeypatch):
    monkeypatch.setattr(session, "TIMEOUT_SECONDS", 0.3)

    async def say(writer, head):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    error, _ = asked(venue, say)
    assert isinstance(error, TimeoutError) and "no whole answer within 0.3 s" in str(error) and "/a/b" in str(error)


@each_client
def test_a_packed_answer_is_read(venue):
    text = b'{"retCode":0,"code":"0","data":[],"result":{}}'
    answer, server = asked(venue, response(gzip.compress(text), "Content-Encoding: gzip"))
    assert answer == text and "Accept-Encoding: gzip\r\n" in server.heads[0]


@each_client
@pytest.mark.parametrize(("packing", "content"), [
    ("gzip", b"{}"), ("gzip", gzip.compress(b"{}" * 500, mtime=0)[:20]),
    ("br", b"{}"), ("gzip, gzip", b"{}"), ("deflate", b"{}")])
def test_an_answer_that_cannot_be_unpacked_is_none(venue, packing, content):
    error, _ = asked(venue, response(content, f"Content-Encoding: {packing}"))
    assert isinstance(error, UnusableAnswer)


@each_client
def test_a_host_that_takes_no_connection_is_named_with_the_reason(venue):
    async def ask():
        async with HostileServer(b"") as server:
            url = server.url
        client = CLIENTS[venue](url)
        with pytest.raises(ConnectionError) as raised:
            await client.request("GET", "/a/b", {}, signed=True)
        await client.close()
        return url, str(raised.value)

    url, text = asyncio.run(ask())
    assert url in text and "/a/b" in text and "refused" in text.lower()


@pytest.mark.parametrize("time", [2**63 - 1, 2**64, -1, 0, "NaN", None, 1.5, True])
def test_a_time_that_is_none_is_not_taken_for_the_venues(time):
    async def ask():
        return time

    client = session.RestSession("http://127.0.0.1:1")
    with pytest.raises(UnusableAnswer, match="no time in ms"):
        asyncio.run(client._measure_clock(ask))
