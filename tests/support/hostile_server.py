"""A server that answers every request with the bytes that it is told, whatever was asked; and remembers what it was sent."""

import asyncio
import contextlib
from collections.abc import Callable


def response(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """One whole response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class HostileServer:
    """`say`: the bytes of an answer, or `say(writer, head)` that writes it. `heads`: of the requests, as text."""

    def __init__(self, say: bytes | Callable):
        self.say = say
        self.heads: list[str] = []
        self.url = ""

    async def __aenter__(self) -> "HostileServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
                if isinstance(self.say, bytes):
                    writer.write(self.say)
                    await writer.drain()
                else:
                    await self.say(writer, self.heads[-1])
        writer.close()
