"""A public connector of Binance: one account type's market data.

    spot, coin_m    <stream>/ws quotes, trades, bars, mark prices                  <stream>/stream  depth
    usd_m           <public>/ws quotes     <market>/ws trades, bars, mark prices    <public>/stream  depth

Depth comes combined because spot's does not say whose it is.
"""

from typing import Any

import msgspec

from nexus_fast.constants import DataType
from nexus_fast.exchange.binance.market_data import decode, stream_name
from nexus_fast.feed.commands import CommandFeed
from nexus_fast.feed.line import Answer, Line
from nexus_fast.feed.public import PublicFeed
from nexus_fast.gateway.rest import BinanceRest
from nexus_fast.log import Logger

# The venue closes a connection that is a day old.
AGE_SECONDS = 23.5 * 3600


class _Acknowledgement(msgspec.Struct):
    id: int | None = None
    code: int | None = None
    msg: str = ""
    error: dict | None = None
    e: str | None = None


_acknowledgement = msgspec.json.Decoder(_Acknowledgement)


class Dialect:
    batch = 100
    batch_seconds = 0.3              # the venue takes five messages a second
    keep_alive = None                # the venue pings
    keep_alive_seconds = 0.0
    age_seconds = AGE_SECONDS

    def subscribe(self, number: int, topics: list[str]) -> bytes:
        return msgspec.json.encode({"method": "SUBSCRIBE", "params": topics, "id": number})

    def unsubscribe(self, number: int, topics: list[str]) -> bytes:
        return msgspec.json.encode({"method": "UNSUBSCRIBE", "params": topics, "id": number})

    def answer(self, payload: bytes) -> Answer | None:
        found = _acknowledgement.decode(payload)
        if found.e is not None or found.id is None:
            return None
        error = found.error or ({"code": found.code, "msg": found.msg} if found.code is not None else None)
        return Answer(found.id, f"{error.get('code')} {error.get('msg')}" if error else None)


class BinanceFeed(PublicFeed):
    def __init__(
        self, host: Any, account_type: Any, endpoints: dict[str, str], custom_url: str | None, symbols: Any, connections: int
    ):
        self.family = account_type.family
        super().__init__(host, account_type, self.family, symbols, Logger(f"binance.{self.family}.data"))
        self._rest_url = endpoints["rest"]
        quotes_url = custom_url or endpoints.get("public") or endpoints["stream"]
        self.quotes = [self._quotes(f"{quotes_url}/ws", number) for number in range(1, connections + 1)]
        market_url = endpoints.get("market") or endpoints["stream"]
        depth_url = endpoints.get("public") or endpoints["stream"]
        self.others = [self._other("market data", f"{market_url}/ws"), self._other("depth", f"{depth_url}/stream")]

    def _quotes(self, url: str, number: int) -> Line:
        name = f"binance {self.family} quotes" + (f" {number}" if number > 1 else "")
        line: Line

        def on_other(payload: bytes) -> None:
            self._on_quotes_other(line, payload)

        handler = self.host.market_feed(self, on_other)
        line = Line(self, name, url, handler, Dialect(), urgent=True, remake=lambda: self._quotes(url, number))
        return line

    def _other(self, what: str, url: str) -> Line:
        line: Line

        def on_message(payload: bytes) -> None:
            if b'"serverShutdown"' in payload:
                self.replace(line)
            elif not line.on_answer(payload):
                self._deliver(payload)

        handler = CommandFeed(on_message, lambda payload, error: line.unusable.note(payload, error))
        name = f"binance {self.family} {what}"
        line = Line(self, name, url, handler, Dialect(), urgent=False, remake=lambda: self._other(what, url))
        return line

    def topic(self, data_type: DataType, instrument: Any, **options: Any) -> str:
        return stream_name(self.family, data_type, instrument.venue_symbol, **options)

    def lines_of(self, data_type: DataType, **options: Any) -> list[Line]:
        if data_type is DataType.BOOKL1:
            return self.quotes
        return [self.others[1] if data_type is DataType.BOOKL2 else self.others[0]]

    def open_rest(self) -> BinanceRest:
        """A REST client without a key for one use, on any thread's loop; who opens it closes it."""
        return BinanceRest(self._rest_url)

    def _on_quotes_other(self, line: Line, payload: bytes) -> None:
        try:
            if line.on_answer(payload):
                return
            if b'"serverShutdown"' in payload:
                self.log.warning("the venue is about to close this connection for maintenance")
                self.replace(line)
            else:
                line.unusable.note(payload)
        except Exception as error:
            line.unusable.note(payload, error)

    def _deliver(self, payload: bytes) -> None:
        for event in decode(self.family, payload, self.host.symbol_of(self)):
            self.host.on_market_data(self, event)
