"""Depth of OKX beyond five levels: the channel `books`, a snapshot and its changes, in a chain of seqIds.

Every change names the seqId before it; where that is not the one that is known, a change is missing, and the channel is
subscribed to again. A change with the seqId that it follows says that nothing changed; after maintenance the ids may begin lower.
The venue has announced (2026-02-12, for August 2026) that the channel will begin without a snapshot: where none comes, changes
are kept, and the snapshot is asked for by REST (`is_waiting`, `begin`).
Source: www.okx.com/docs-v5, order-book-trading-market-data-ws-order-book-channel, log_en.
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
MOST_KEPT = 2000                 # changes of one book that wait for its snapshot: more than three minutes of them


class BrokenChain(Exception):
    """A change is missing: what is known of this book is of no use."""


class Depths:
    """Of one connection, by instId."""

    def __init__(self) -> None:
        self._ladders: dict[str, Ladder] = {}
        self._last: dict[str, int] = {}
        self._kept: dict[str, list[_Change]] = {}            # that came before the snapshot

    def forget(self, inst_id: str | None = None) -> None:
        """One book, or all of them: the connection is lost."""
        for name in [*self._ladders, *self._kept] if inst_id is None else [inst_id]:
            self._ladders.pop(name, None)
            self._last.pop(name, None)
            self._kept.pop(name, None)

    def is_waiting(self, inst_id: str) -> bool:
        """Changes have come, and no snapshot."""
        return inst_id in self._kept

    def begin(self, inst_id: str, answer: bytes, symbol: str, depth: int) -> list[BookL2]:
        """With the snapshot of a REST answer, and the changes since. Raises BrokenChain where it is older than those that were
        kept: it has to be asked for again."""
        (snapshot,) = _changes.decode(answer)
        changes = [change for change in self._kept.get(inst_id, ()) if change.seq_id > snapshot.seq_id]
        if changes and changes[0].prev_seq_id > snapshot.seq_id:
            raise BrokenChain(f"books of {inst_id}: the snapshot is of seqId {snapshot.seq_id}, the first change follows "
                              f"{changes[0].prev_seq_id}")
        self._take(inst_id, snapshot, anew=True)
        for change in changes:
            self._take(inst_id, change, anew=False)
        last = changes[-1] if changes else snapshot
        return [self._ladders[inst_id].book(EXCHANGE, symbol, depth, int(last.ts))]

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
        if not snapshot and last is None:
            kept = self._kept.setdefault(name, [])
            kept.append(change)
            del kept[:-MOST_KEPT]
            return False
        if not snapshot and change.prev_seq_id < last >= change.seq_id:
            return False                     # what another connection has told already
        if not snapshot and change.prev_seq_id != last:
            raise BrokenChain(f"books of {name}: a change follows seqId {change.prev_seq_id}, known is {last}")
        self._take(name, change, anew=snapshot)
        return True

    def _take(self, name: str, change: _Change, *, anew: bool) -> None:
        self._ladders.setdefault(name, Ladder()).apply(change.bids, change.asks, anew=anew)
        self._last[name] = change.seq_id
        self._kept.pop(name, None)
