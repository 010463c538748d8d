"""A public connector of Binance: one account type's market data.

    spot    <stream>/ws quotes, trades, bars                                <stream>/stream  depth
    usd_m   <public>/ws quotes     <market>/ws trades, bars, mark prices    <public>/stream  depth

Depth comes combined because spot's does not say whose it is.

Subscriptions are made by SUBSCRIBE, in batches, and made again after every reconnect. A stream asked for on a wrong route is
acknowledged and stays silent, so a connection that has subscriptions and brings no data is an error, not a calm market.
"""

import asyncio
import itertools
import time
from typing import Any

import msgspec

from nexus_fast.constants import DataType
from nexus_fast.exchange.binance.market_data import decode, stream_name
from nexus_fast.feed.commands import CommandFeed
from nexus_fast.feed.connection import WebSocketConnection
from nexus_fast.gateway.rest import BinanceRest
from nexus_fast.log import Logger

BATCH = 100                      # streams in one SUBSCRIBE
BATCH_SECONDS = 0.3              # the venue takes five messages a second
SILENT_SECONDS = 10.0            # after a subscription is acknowledged
QUIET_SECONDS = 60.0             # without data on a connection that had some


class _Acknowledgement(msgspec.Struct):
    id: int | None = None
    code: int | None = None
    msg: str = ""
    error: dict | None = None
    e: str | None = None


_acknowledgement = msgspec.json.Decoder(_Acknowledgement)


class Line:
    """One connection and the streams it carries."""

    def __init__(self, feed: "BinanceFeed", name: str, url: str, handler: Any, *, urgent: bool):
        self.streams: dict[str, None] = {}
        self.handler = handler
        self.connection = WebSocketConnection(
            f"binance {feed.family} {name}",
            self._address,
            handler,
            feed.host.poller if urgent else None,
            urgent=urgent,
            on_up=self._on_up,
            on_down=self._on_down,
            ssl_context=feed.host.ssl_context,
        )
        self._feed = feed
        self._url = url
        self._numbers = itertools.count(1)
        self._requests: dict[int, list[str]] = {}
        self._waiting: list[str] = []
        self._sender: asyncio.Task | None = None
        self._acknowledged_at = 0.0
        self._messages_then = 0
        self._warned = False

    async def _address(self) -> str:
        return self._url

    def subscribe(self, streams: list[str]) -> None:
        new = [stream for stream in streams if stream not in self.streams]
        self.streams.update(dict.fromkeys(new))
        if new:
            self._send("SUBSCRIBE", new)

    def unsubscribe(self, streams: list[str]) -> None:
        old = [stream for stream in streams if self.streams.pop(stream, 0) is None]
        if old and self.connection.is_up:
            self._send("UNSUBSCRIBE", old)

    def _on_up(self, connection: WebSocketConnection) -> None:
        self._acknowledged_at = 0.0
        self._waiting.clear()
        self._send("SUBSCRIBE", list(self.streams))
        self._feed.host.on_feed_status(self._feed, self.connection.name, True)

    def _on_down(self) -> None:
        self._waiting.clear()
        self._requests.clear()
        if self is self._feed.quotes:
            self._feed.host.on_quotes_lost(self._feed)
        self._feed.host.on_feed_status(self._feed, self.connection.name, False)

    def _send(self, method: str, streams: list[str]) -> None:
        """In batches and in order; nothing while the connection is down, as _on_up subscribes to everything."""
        if not self.connection.is_up:
            return
        for start in range(0, len(streams), BATCH):
            batch = streams[start : start + BATCH]
            number = next(self._numbers)
            self._requests[number] = batch
            self._waiting.append(msgspec.json.encode({"method": method, "params": batch, "id": number}))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.get_running_loop().create_task(self._send_waiting())

    async def _send_waiting(self) -> None:
        while self._waiting and self.connection.is_up:
            self.connection.send(self._waiting.pop(0))
            if self._waiting:
                await asyncio.sleep(BATCH_SECONDS)

    def on_answer(self, payload: bytes) -> bool:
        """Whether the message was an answer to a request of this line."""
        answer = _acknowledgement.decode(payload)
        if answer.e is not None or answer.id is None or answer.id not in self._requests:
            return False
        streams = self._requests.pop(answer.id)
        error = answer.error or ({"code": answer.code, "msg": answer.msg} if answer.code is not None else None)
        if error:
            self._feed.log.error(f"the venue refused a subscription: {error.get('code')} {error.get('msg')}: {streams}")
        else:
            self._acknowledged_at = time.monotonic()
            self._messages_then = self.handler.messages
            self._warned = False
        return True

    def check(self) -> None:
        """The watchdog, once a second."""
        if not self.connection.is_up or not self.streams or not self._acknowledged_at:
            return
        now = time.monotonic()
        if self.handler.messages == self._messages_then and not self._warned:
            if now - self._acknowledged_at > SILENT_SECONDS:
                self._warned = True
                self._feed.host.on_feed_silent(self._feed, self.connection.name, list(self.streams))
        quiet = (time.monotonic_ns() - self.handler.last_message_ns) / 1e9
        if quiet > QUIET_SECONDS:
            self._feed.log.warning(f"{self.connection.name}: no data for {quiet:.0f} s, connecting anew")
            self.connection.drop()


class BinanceFeed:
    """`host` is the engine's side (see nexus_fast.engine.host); `market_feed(on_other)` makes the hot path's handler."""

    def __init__(self, host: Any, account_type: Any, endpoints: dict[str, str], custom_url: str | None, symbols: Any):
        self.account_type = account_type
        self.family = account_type.family
        self.host = host
        self.symbols = symbols
        self.log = Logger(f"binance.{self.family}.data")
        self._rest_url = endpoints["rest"]
        quotes_url = custom_url or endpoints.get("public") or endpoints["stream"]
        self.quotes = Line(self, "quotes", f"{quotes_url}/ws", host.market_feed(self, self._on_quotes_other), urgent=True)
        other_url = endpoints.get("market") or endpoints.get("stream")
        self._market = Line(self, "market data", f"{other_url}/ws", CommandFeed(self._on_market, self._on_error), urgent=False)
        depth_url = endpoints.get("public") or endpoints["stream"]
        self._depth = Line(self, "depth", f"{depth_url}/stream", CommandFeed(self._on_depth, self._on_error), urgent=False)
        self.lines = [self.quotes, self._market, self._depth]
        self._watchdog: asyncio.Task | None = None

    def open(self) -> None:
        self.quotes.connection.start()
        self._watchdog = asyncio.get_running_loop().create_task(self._watch())

    async def close(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
        await asyncio.gather(*(line.connection.stop() for line in self.lines))

    def subscribe(self, data_type: DataType, instruments: list, **options: Any) -> None:
        """Raises SubscriptionError for data that this market does not have."""
        streams = [stream_name(self.family, data_type, i.venue_symbol, **options) for i in instruments]
        line = self._line(data_type)
        if line is not self.quotes and not line.streams:
            line.connection.start()
        line.subscribe(streams)

    def unsubscribe(self, data_type: DataType, instruments: list, **options: Any) -> None:
        streams = [stream_name(self.family, data_type, i.venue_symbol, **options) for i in instruments]
        self._line(data_type).unsubscribe(streams)

    def open_rest(self) -> BinanceRest:
        """A REST client without a key for one use, on any thread's loop; who opens it closes it."""
        return BinanceRest(self._rest_url)

    def _line(self, data_type: DataType) -> Line:
        if data_type is DataType.BOOKL1:
            return self.quotes
        return self._depth if data_type is DataType.BOOKL2 else self._market

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            for line in self.lines:
                line.check()

    def _on_quotes_other(self, payload: bytes) -> None:
        try:
            if not self.quotes.on_answer(payload):
                self._on_notice(payload)
        except Exception as error:
            self._on_error(payload, error)

    def _on_market(self, payload: bytes) -> None:
        if not self._market.on_answer(payload):
            self._deliver(payload)

    def _on_depth(self, payload: bytes) -> None:
        if not self._depth.on_answer(payload):
            self._deliver(payload)

    def _deliver(self, payload: bytes) -> None:
        for event in decode(self.family, payload, self.host.symbol_of(self)):
            self.host.on_market_data(self, event)

    def _on_notice(self, payload: bytes) -> None:
        if b'"serverShutdown"' in payload:
            self.log.warning("the venue is about to close this connection for maintenance")

    def _on_error(self, payload: bytes, error: Exception) -> None:
        self.log.exception(f"a message could not be used: {payload[:400]!r}", error)

