"""An account's order entry by REST: a connection that is open before the order, and the requests that wait for it."""

from typing import Any

import msgspec

from nexus_fast.exchange.binance.order_answers import OrderAnswers
from nexus_fast.exchange.binance.websocket_api import Answer, decode_error
from nexus_fast.gateway.channel import Channel
from nexus_fast.gateway.rest_entry import RestEntry
from nexus_fast.log import Logger

# One, so that orders reach the venue in the order in which the strategy called: a buy and its reduce-only sell on two
# connections race. Each waits for the answer to the one before it.
CONNECTIONS = 1


class RestOrders:
    """`index` is the account's. Orders that find every connection waiting go out in turn, as the connections become free."""

    def __init__(self, host: Any, name: str, url: str, index: int, answers: OrderAnswers, log: Logger):
        self._host = host
        self._index = index
        self._answers = answers
        self._log = log
        self._ways = [
            RestEntry(
                f"{name} REST orders {number}",
                url,
                host.core.entry,
                host.poller,
                host.ssl_context,
                self._on_answer,
                self._on_lost,
                self._on_free,
            )
            for number in range(CONNECTIONS)
        ]

    @property
    def channels(self) -> list[Channel]:
        return [way.channel for way in self._ways]

    async def start(self) -> None:
        """Returns when the first connection is up."""
        for way in self._ways:
            way.start()
        await self._ways[0].up.wait()

    async def stop(self) -> None:
        for way in self._ways:
            await way.stop()

    def _on_answer(self, number: int, kind: int, status: int, body: bytes, pause_ms: int) -> None:
        try:
            if 200 <= status < 300:
                answer = Answer(status=200, result=msgspec.Raw(body))
            else:
                answer = Answer(status=status, error=decode_error(body), pause_ms=pause_ms)
            self._answers.by_kind(number, kind, answer)
        except Exception as error:
            self._log.exception(f"an answer could not be used: {body[:400]!r}", error)

    def _on_lost(self, number: int, kind: int) -> None:
        self._host.tracker.drain()
        self._host.tracker.doubt(number, "the connection was lost before the venue answered")

    def _on_free(self, channel: Channel) -> None:
        """The oldest request that waits goes out."""
        postponed = self._host.core.entry.postponed
        waiting = postponed.get(self._index)
        if waiting and channel.ready and channel.in_flight is None:
            number, kind, request = waiting.pop(0)
            if not waiting:
                del postponed[self._index]
            try:
                channel.send_later(request, number, kind)
            except ConnectionError:
                self._on_lost(number, kind)
