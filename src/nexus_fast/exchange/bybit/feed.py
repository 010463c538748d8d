"""A public connector of Bybit: the market data of one category, all on <public>/<category>.

    quotes        orderbook.1, on as many connections as PublicConnectorConfig.connections
    market data   trades, bars, tickers, depth
"""

from typing import Any

import msgspec
from msgspec import Struct

from nexus_fast.constants import DataType
from nexus_fast.exchange.bybit.market_data import MarketData, topic_name
from nexus_fast.feed.commands import CommandFeed
from nexus_fast.feed.line import Answer, Line
from nexus_fast.feed.public import PublicFeed
from nexus_fast.gateway.bybit_rest import BybitRest
from nexus_fast.log import Logger

PING = b'{"op":"ping"}'
PING_SECONDS = 20.0
LARGEST_BATCH = {"spot": 10}     # topics in one request (ws/connect.mdx); the contracts have no limit but the connection's
BATCH = 100


class _Reply(Struct):
    """Of every op. The forms of a pong differ by market: spot and contracts answer with op "ping" (ws/connect.mdx)."""

    op: str = ""
    success: bool | None = None
    ret_msg: str = ""
    req_id: str = ""
    topic: str = ""


_reply = msgspec.json.Decoder(_Reply)


class Dialect:
    batch_seconds = 0.05
    keep_alive = PING
    keep_alive_seconds = PING_SECONDS
    age_seconds = float("inf")

    def __init__(self, category: str):
        self.batch = LARGEST_BATCH.get(category, BATCH)

    def subscribe(self, number: int, topics: list[str]) -> bytes:
        return msgspec.json.encode({"req_id": str(number), "op": "subscribe", "args": topics})

    def unsubscribe(self, number: int, topics: list[str]) -> bytes:
        return msgspec.json.encode({"req_id": str(number), "op": "unsubscribe", "args": topics})

    def answer(self, payload: bytes) -> Answer | None:
        found = _reply.decode(payload)
        if found.topic or not found.op:
            return None
        if found.op in ("ping", "pong"):
            return Answer()
        number = int(found.req_id) if found.req_id.isdigit() else None
        return Answer(number, None if found.success else found.ret_msg or "without a reason")


class BybitFeed(PublicFeed):
    def __init__(
        self, host: Any, account_type: Any, endpoints: dict[str, str], custom_url: str | None, symbols: Any, connections: int
    ):
        self.family = account_type.family
        super().__init__(host, account_type, self.family, symbols, Logger(f"bybit.{self.family}.data"))
        self._rest_url = endpoints["rest"]
        self._url = custom_url or f"{endpoints['public']}/{self.family}"
        self._data = MarketData()
        self.quotes = [self._quotes(number) for number in range(1, connections + 1)]
        self.others = [self._market_data()]

    def _quotes(self, number: int) -> Line:
        name = f"bybit {self.family} quotes" + (f" {number}" if number > 1 else "")
        line: Line

        def on_other(payload: bytes) -> None:
            try:
                if not line.on_answer(payload):
                    line.unusable.note(payload)
            except Exception as error:
                line.unusable.note(payload, error)

        line = Line(self, name, self._url, self.host.market_feed(self, on_other), Dialect(self.family), urgent=True)
        return line

    def _market_data(self) -> Line:
        line: Line

        def on_message(payload: bytes) -> None:
            if not line.on_answer(payload):
                self._deliver(payload)

        handler = CommandFeed(on_message, lambda payload, error: line.unusable.note(payload, error))
        name = f"bybit {self.family} market data"
        line = Line(self, name, self._url, handler, Dialect(self.family), urgent=False)
        return line

    def topic(self, data_type: DataType, instrument: Any, **options: Any) -> str:
        return topic_name(self.family, data_type, instrument.venue_symbol, **options)

    def lines_of(self, data_type: DataType, **options: Any) -> list[Line]:
        return self.quotes if data_type is DataType.BOOKL1 else self.others

    def on_line_down(self, line: Line) -> None:
        super().on_line_down(line)
        if line in self.others:
            self._data.forget()

    def open_rest(self) -> BybitRest:
        """A REST client without a key for one use, on any thread's loop; who opens it closes it."""
        return BybitRest(self._rest_url)

    def _deliver(self, payload: bytes) -> None:
        for event in self._data.decode(payload, self.host.symbol_of(self)):
            self.host.on_market_data(self, event)
