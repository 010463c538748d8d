"""The public connector of OKX: market data of all its instruments.

    <public>       quotes (bbo-tbt, lines of their own), trades, depth, mark and index prices, funding rates
    <business>     bars

Before an upgrade the venue says that it will close a connection within a minute: another is made, subscribed and heard before
that one is left. Updates have the same seqId on every connection, so that a quote that comes twice counts once.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from nexus_fast.constants import DataType
from nexus_fast.error import NO_ANSWER
from nexus_fast.exchange.okx import market_data
from nexus_fast.exchange.okx.depth import BrokenChain, Depths
from nexus_fast.exchange.okx.websocket_api import CLOSING_NOTICE, PING, PONG, Message, decode_message
from nexus_fast.feed.commands import CommandFeed
from nexus_fast.feed.line import Answer, Line
from nexus_fast.feed.public import PublicFeed
from nexus_fast.gateway.okx_rest import OkxRest
from nexus_fast.log import Logger

MARKET = "public"                # in wire/registry
REPLACE_SECONDS = 40.0           # the venue closes the old connection a minute after its notice
SNAPSHOT_PATH = "/api/v5/market/books"
SNAPSHOT_LEVELS = 400            # as many as the channel has
SNAPSHOT_SECONDS, LONGEST_WAIT = 1.0, 30.0           # for a snapshot on the channel; between questions for one


class Dialect:
    """Requests of at most 64 KB, 480 an hour: many topics in each. Every topic is answered on its own, by the request's id."""

    batch = 300
    batch_seconds = 0.4
    keep_alive = PING
    keep_alive_seconds = 20.0
    age_seconds = float("inf")       # the venue gives notice instead

    def subscribe(self, number: int, topics: list[str]) -> bytes:
        return self._request(number, "subscribe", topics)

    def unsubscribe(self, number: int, topics: list[str]) -> bytes:
        return self._request(number, "unsubscribe", topics)

    def _request(self, number: int, operation: str, topics: list[str]) -> bytes:
        arguments = [dict(zip(("channel", "instId"), topic.split(":"), strict=True)) for topic in topics]
        return msgspec.json.encode({"id": str(number), "op": operation, "args": arguments})

    def answer(self, payload: bytes) -> Answer | None:
        if payload == PONG:
            return Answer()
        message = decode_message(payload)
        if not message.event or message.event == "notice":
            return None
        number = int(message.id) if message.id and message.id.isdigit() else None
        return Answer(number, f"{message.code} {message.msg}" if message.event == "error" else None)


class OkxFeed(PublicFeed):
    def __init__(
        self, host: Any, account_type: Any, endpoints: dict[str, str], custom_url: str | None, symbols: Any, connections: int
    ):
        super().__init__(host, account_type, MARKET, symbols, Logger(f"okx.{account_type.value}.data"))
        self._rest_url = endpoints["rest"]
        self._demo = account_type.is_testnet
        self._indices: dict[str, dict[str, None]] = {}       # index -> our symbols that ask for it
        self._depths = Depths()
        self._asking: dict[str, asyncio.Task] = {}           # instId -> who asks for its snapshot
        self._levels: dict[str, int] = {}                    # instId -> the most levels that were asked for
        url = custom_url or endpoints["public"]
        self.quotes = [self._quotes(url, number) for number in range(1, connections + 1)]
        self.others = [self._other("market data", endpoints["public"]), self._other("bars", endpoints["business"])]
        self._replacing: set[asyncio.Task] = set()
        self._leaving: list[Line] = []

    def _quotes(self, url: str, number: int) -> Line:
        name = "okx quotes" + (f" {number}" if number > 1 else "")
        line: Line

        def on_other(payload: bytes) -> None:
            try:
                if line.on_answer(payload):
                    return
                message = decode_message(payload)
                if message.event:
                    self._on_notice(message, line, self.quotes, lambda: self._quotes(url, number))
                else:
                    line.unusable.note(payload)
            except Exception as error:
                line.unusable.note(payload, error)

        line = Line(self, name, url, self.host.market_feed(self, on_other), Dialect(), urgent=True)
        return line

    def _other(self, what: str, url: str) -> Line:
        line: Line

        def on_message(payload: bytes) -> None:
            if line.on_answer(payload):
                return
            message = decode_message(payload)
            if message.event:
                self._on_notice(message, line, self.others, lambda: self._other(what, url))
            elif line in self.others:                        # while one takes another's place, the old one's are delivered
                self._deliver(message)

        handler = CommandFeed(on_message, lambda payload, error: line.unusable.note(payload, error))
        line = Line(self, f"okx {what}", url, handler, Dialect(), urgent=False)
        return line

    def topic(self, data_type: DataType, instrument: Any, **options: Any) -> str:
        return market_data.topic_of(data_type, instrument, **options)

    def lines_of(self, data_type: DataType, **options: Any) -> list[Line]:
        if data_type is DataType.BOOKL1:
            return self.quotes
        return [self.others[1] if data_type is DataType.KLINE else self.others[0]]

    def subscribe(self, data_type: DataType, instruments: list, **options: Any) -> None:
        if data_type is DataType.INDEX_PRICE:
            for instrument in instruments:
                self._indices.setdefault(instrument.index, {})[instrument.symbol] = None
        if data_type is DataType.BOOKL2:
            for instrument in instruments:
                name = instrument.venue_symbol
                self._levels[name] = max(self._levels.get(name, 0), int(options["level"].value))
        super().subscribe(data_type, instruments, **options)

    def unsubscribe(self, data_type: DataType, instruments: list, **options: Any) -> None:
        """An index that another symbol refers to stays subscribed."""
        if data_type is DataType.INDEX_PRICE:
            for instrument in instruments:
                self._indices.get(instrument.index, {}).pop(instrument.symbol, None)
            instruments = [instrument for instrument in instruments if not self._indices.get(instrument.index)]
        super().unsubscribe(data_type, instruments, **options)

    async def close(self) -> None:
        tasks = [*self._replacing, *self._asking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await super().close()

    def open_rest(self) -> OkxRest:
        """A REST client without a key for one use, on any thread's loop; who opens it closes it."""
        return OkxRest(self._rest_url, demo=self._demo)

    def on_line_down(self, line: Line) -> None:
        if line is self.others[0]:
            self._depths.forget()
        super().on_line_down(line)

    # ------------------------------------------------------------------------------------------ what comes

    def _deliver(self, message: Message) -> None:
        if message.channel == "books":
            self._on_books(message)
            return
        for event in market_data.decode(message, self._symbols):
            self.host.on_market_data(self, event)

    def _on_books(self, message: Message) -> None:
        name = message.arg.inst_id
        try:
            for symbol in self._symbols(message.channel, name):
                for book in self._depths.apply(message, symbol, self._levels.get(name, 0)):
                    self.host.on_market_data(self, book)
                if self._depths.is_waiting(name) and name not in self._asking:
                    self._asking[name] = asyncio.get_running_loop().create_task(self._ask_snapshot(name, symbol))
        except BrokenChain as error:
            self.log.warning(f"{error}; subscribing again")
            self._depths.forget(name)
            topic = f"books:{name}"
            self.others[0].unsubscribe([topic])
            self.others[0].subscribe([topic])

    async def _ask_snapshot(self, name: str, symbol: str) -> None:
        """Where the channel brings changes and no snapshot, from REST."""
        wait = SNAPSHOT_SECONDS
        try:
            while True:
                await asyncio.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT)
                if not self._depths.is_waiting(name):
                    return
                try:
                    answer = await self._read_snapshot(name)
                    for book in self._depths.begin(name, answer, symbol, self._levels.get(name, 0)):
                        self.host.on_market_data(self, book)
                except (*NO_ANSWER, BrokenChain, ValueError) as error:
                    why = str(error) or type(error).__name__
                    self.log.warning(f"{name}: no snapshot of its depth ({why}); asking again in {wait:.0f} s")
        finally:
            del self._asking[name]

    async def _read_snapshot(self, name: str) -> bytes:
        rest = self.open_rest()
        try:
            return await rest.data(SNAPSHOT_PATH, {"instId": name, "sz": SNAPSHOT_LEVELS})
        finally:
            await rest.close()

    def _symbols(self, channel: str, name: str) -> Iterable[str]:
        if channel == "index-tickers":
            return tuple(self._indices.get(name, ()))
        symbol = self.host.symbol_of(self)(name)
        return () if symbol is None else (symbol,)

    def _on_notice(self, message: Message, line: Line, lines: list[Line], make: Callable[[], Line]) -> None:
        if message.event != "notice":
            return
        self.log.warning(f"{line.connection.name}: the venue says: {message.code} {message.msg}")
        if message.code == CLOSING_NOTICE and line in lines and line not in self._leaving:
            self._leaving.append(line)
            task = asyncio.get_running_loop().create_task(self._replace(line, lines, make()))
            self._replacing.add(task)
            task.add_done_callback(self._replacing.discard)

    async def _replace(self, old: Line, lines: list[Line], new: Line) -> None:
        """Make before break: the new connection is heard before the old one is left."""
        new.subscribe(list(old.topics))
        new.connection.start()
        until = time.monotonic() + REPLACE_SECONDS
        wanted = 2 if old.topics else 0                      # an acknowledgement alone is no data
        try:
            while time.monotonic() < until and not (new.connection.is_up and new.handler.messages >= wanted):
                await asyncio.sleep(0.05)
            new.subscribe([topic for topic in old.topics if topic not in new.topics])
            lines[lines.index(old)] = new
            await old.connection.stop()
        finally:
            self._leaving.remove(old)
            if new not in lines:                             # the feed is being closed
                await new.connection.stop()
