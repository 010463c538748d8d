"""Where this process may connect to: anywhere, or this machine alone, or one simulator alone.

NEXUS_FAST_FENCE carries the fence to the processes that a program starts:

    loopback    this machine alone; what the tests run under
    FILE        the endpoints file of a simulator (`nexus-fast run --sim`, `nexus-fast demo`): the engine connects to its
                addresses and no others, with its standing account, whatever the program has configured

It stands at the connection, in two rows. `check` is called by every connection that the engine makes, before the host's name
is resolved. The rest of the process, a library that the program brings, is held to this machine and the simulator: by an audit
hook of the interpreter, which sees every socket of Python's, and in uvloop's `create_connection` and `getaddrinfo`, which use
none.
"""

import errno
import os
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

VARIABLE = "NEXUS_FAST_FENCE"
LOOPBACK = "loopback"
ENDPOINTS_VARIABLE = "NEXUS_FAST_ENDPOINTS"
PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


class OutsideError(ConnectionRefusedError):
    """A connection that the fence does not let through; nothing has left the machine."""


class _Fence:
    def __init__(self, text: str):
        self.file = None if text == LOOPBACK else os.path.abspath(text)
        self.tables: dict[str, Any] = {} if self.file is None else _read(self.file)
        self.addresses = frozenset(_addresses(self.tables))
        self.hosts = frozenset(host for host, _ in self.addresses)

    def check(self, host: str, port: int) -> None:
        allowed = is_loopback(host) if self.file is None else (host, port) in self.addresses
        if not allowed:
            raise OutsideError(errno.ECONNREFUSED, _text(self.file, f"{host}:{port}"))

    def check_others(self, host: Any) -> None:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        if isinstance(name, str) and name and not is_loopback(name) and name not in self.hosts:
            raise OutsideError(errno.ECONNREFUSED, _text(self.file, name))


_fence: _Fence | None = None
_hooked = False


def put_up(text: str) -> None:
    """`text` as NEXUS_FAST_FENCE has it. There is no way to take it down, only to put up another; child processes inherit it.

    Raises ConfigurationError for an endpoints file that cannot be read.
    """
    global _fence, _hooked
    _fence = _Fence(text)
    os.environ[VARIABLE] = _fence.file or LOOPBACK
    if _fence.file is not None:
        os.environ[ENDPOINTS_VARIABLE] = _fence.file
    if not _hooked:
        _hooked = True
        sys.addaudithook(_audit)
        _hold_uvloop()


def check(host: str, port: int) -> None:
    """Raises OutsideError when the engine must not connect to this."""
    if _fence is not None:
        _fence.check(host, port)


def check_url(url: Any) -> None:
    """The same of an address as text, or of a parsed one with `scheme`, `host` and `port`."""
    if _fence is not None:
        parts = urlsplit(url) if isinstance(url, str) else url
        host = parts.hostname if isinstance(url, str) else parts.host
        _fence.check(host, parts.port or PORTS.get(parts.scheme, 0))


def simulator() -> str | None:
    """The endpoints file of the simulator that the program is to run on; None when it is none."""
    return None if _fence is None else _fence.file


def credentials() -> dict[str, str] | None:
    """The simulator's standing account, which stands in for every other: api_key, secret, passphrase."""
    if simulator() is None:
        return None
    api_key, secret, passphrase = _fence.tables["sim"]["account"].split(":")
    return {"api_key": api_key, "secret": secret, "passphrase": passphrase}


def is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


# ---------------------------------------------------------------------------------------------- the rest of the process


def _audit(event: str, arguments: tuple) -> None:
    if not event.startswith("socket."):
        return
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        sock, address = arguments
        if isinstance(address, tuple) and sock.family in (socket.AF_INET, socket.AF_INET6):
            _fence.check_others(address[0])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        _fence.check_others(arguments[0])


def _hold_uvloop() -> None:
    import uvloop

    connect, resolve = uvloop.Loop.create_connection, uvloop.Loop.getaddrinfo

    async def create_connection(loop: Any, factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        _fence.check_others(host)
        return await connect(loop, factory, host, port, **options)

    async def getaddrinfo(loop: Any, host: Any, port: Any, **options: Any) -> Any:
        _fence.check_others(host)
        return await resolve(loop, host, port, **options)

    uvloop.Loop.create_connection, uvloop.Loop.getaddrinfo = create_connection, getaddrinfo


# ---------------------------------------------------------------------------------------------- the simulator's file


def _read(file: str) -> dict[str, Any]:
    import tomllib

    from nexus_fast.error import ConfigurationError

    try:
        with open(file, "rb") as opened:
            tables = tomllib.load(opened)
        tables["sim"]["account"].split(":")
    except (OSError, ValueError, LookupError, AttributeError) as error:
        raise ConfigurationError(
            f"{VARIABLE} names {file}, which is no endpoints file of a simulator ({type(error).__name__}: {error}). "
            "`nexus-fast run --sim` sets it; take the variable away to run without a simulator."
        ) from None
    return tables


def _addresses(value: Any):
    """(host, port) of every address in the tables, however deep."""
    if isinstance(value, dict):
        for part in value.values():
            yield from _addresses(part)
    elif isinstance(value, str) and "://" in value:
        parts = urlsplit(value)
        yield parts.hostname, parts.port or PORTS.get(parts.scheme, 0)


def _text(file: str | None, where: str) -> str:
    if file is None:
        return f"{where} is not on this machine, and {VARIABLE}={LOOPBACK} holds this process to it"
    return (
        f"{where} is not the simulator's: a program that runs on the simulator connects to nothing else. It serves the venues of "
        "`nexus-fast run --sim --venues …`, all that there are unless told otherwise"
    )


if os.environ.get(VARIABLE):
    put_up(os.environ[VARIABLE])
