"""Depth of OKX beyond five levels: the channel `books`, a snapshot and its changes, in a chain of seqIds.

Every change names the seqId before it; where that is not the one that is known, a change is missing, and the channel is
subscribed to anew. A change with the seqId that it follows says that nothing changed; after maintenance the ids may begin lower.
Source: www.okx.com/docs-v5, order-book-trading-market-data-ws-order-book-channel.
"""

import msgspec
from msgspec import Struct

from nexus_fast.exchange.okx.market_data import EXCHANGE
from nexus_fast.exchange.okx.websocket_api import Message
from nexus_fast.feed.ladder import Ladder
from nexus_fast.schema import BookL2


class _Change(Struct, rename="camel"):
    bids: list[list[str]]
    asks: list[list[str]]
    ts: str
    seq_id: int = 0
    prev_seq_id: int = -1


_changes = msgspec.json.Decoder(list[_Change])


class BrokenChain(Exception):
    """A change is missing: what is known of this book is of no use."""


class Depths:
    """Of one connection, by instId."""

    def __init__(self) -> None:
        self._ladders: dict[str, Ladder] = {}
        self._last: dict[str, int] = {}

    def forget(self, inst_id: str | None = None) -> None:
        """One book, or all of them: the connection is lost."""
        for name in list(self._ladders) if inst_id is None else [inst_id]:
            self._ladders.pop(name, None)
            self._last.pop(name, None)

    def apply(self, message: Message, symbol: str, depth: int) -> list[BookL2]:
        """The book after each change of a push; nothing before the first snapshot. Raises BrokenChain."""
        name = message.arg.inst_id
        return [
            self._ladders[name].book(EXCHANGE, symbol, depth, int(change.ts))
            for change in _changes.decode(message.data)
            if self._follows(name, change, message.action == "snapshot")
        ]

    def _follows(self, name: str, change: _Change, snapshot: bool) -> bool:
        """Whether the change was applied."""
        last = self._last.get(name)
        if not snapshot and (last is None or change.prev_seq_id < last >= change.seq_id):
            return False                     # before the snapshot, or what another connection has told already
        if not snapshot and change.prev_seq_id != last:
            raise BrokenChain(f"books of {name}: a change follows seqId {change.prev_seq_id}, known is {last}")
        self._ladders.setdefault(name, Ladder()).apply(change.bids, change.asks, anew=snapshot)
        self._last[name] = change.seq_id
        return True
