"""Messages of OKX's WebSocket: what comes, and what a cold request says.

    pong                                                              bare text, the answer to a bare ping
    {"event":"login"|"subscribe"|"error"|"notice"|…,"code":…,"msg":…,"id":…,"arg":{…}}
    {"arg":{"channel":…},"data":[…]}                                  a push; snapshots in pages: eventType, curPage, lastPage
    {"id":…,"op":"order"|…,"code":…,"msg":…,"data":[{"ordId":…,"clOrdId":…,"sCode":…,"sMsg":…}]}      an answer

Source: www.okx.com/docs-v5, overview-websocket and order-book-trading-trade-ws-place-order.
"""

import msgspec
from msgspec import Raw, Struct

from nexus_fast.exchange.rows import Found, odd_in

PING, PONG = b"ping", b"pong"
CLOSING_NOTICE = "64008"         # the connection will be closed for an upgrade within a minute
NOTHING = Raw()                  # false; what a field that is not there has


class Argument(Struct, rename="camel"):
    channel: str = ""
    inst_id: str = ""


class Message(Struct, rename="camel"):
    """Any message but a pong. `event` is set for what concerns the connection, `op` for answers, `arg` alone for pushes."""

    id: str | None = None
    event: str = ""
    op: str = ""
    code: str = ""
    msg: str = ""
    arg: Argument | None = None
    data: Raw = NOTHING
    action: str = ""
    event_type: str = ""
    cur_page: int = 1
    last_page: bool = True

    @property
    def channel(self) -> str:
        return self.arg.channel if self.arg is not None else ""


class OrderResult(Struct, rename="camel"):
    """Of order, cancel-order and amend-order, one for each item of the request."""

    ord_id: str = ""
    cl_ord_id: str = ""
    s_code: str = "0"
    s_msg: str = ""


_message = msgspec.json.Decoder(Message)
_results = msgspec.json.Decoder(list[OrderResult])


def decode_message(payload: bytes) -> Message:
    return _message.decode(payload)


def decode_result(message: Message) -> OrderResult | None:
    """Of the one operation that our requests have; None where the request itself was refused."""
    results = _results.decode(message.data) if message.data else []
    return results[0] if results else None


def subscription(number: str, operation: str, arguments: list[dict[str, str]]) -> bytes:
    return msgspec.json.encode({"id": number, "op": operation, "args": arguments})


class Pages:
    """Assembles a snapshot that comes in pages: a part of one replaces nothing."""

    def __init__(self):
        self._rows = Found()
        self._next = 1

    def add(self, message: Message, rows: Found) -> Found | None:
        """All rows with the last page, None before. A page out of its turn discards what was there until the next first one."""
        if message.cur_page == 1:
            self._rows, self._next = Found(), 1
        if message.cur_page != self._next:
            self._next = 0
            return None
        self._rows += rows
        self._rows.odd += odd_in(rows)
        self._next += 1
        return self._rows if message.last_page else None
