"""Reads a journal back: every whole record in the order in which it was written.

Needs no lock: a journal can be read while its writer runs.
"""

import json
import time
from itertools import groupby
from pathlib import Path

from nexus_fast.core.types import layout, unpack
from nexus_fast.journal.error import JournalError
from nexus_fast.journal.files import HEADER_SIZE, RECORD_SIZE, journal_files
from nexus_fast.journal.survey import survey_epoch

SIDES = {0: "BUY", 1: "SELL"}
TEXT_AT = next(offset for name, offset, _, _ in layout("order_event") if name == "spare")


class JournalReader:
    """Iterates over the events of all epochs from `since_epoch` on; `epoch` and `names` are those of the event last returned.

    Records that are not whole are left out, those behind them are read; `torn` says where they are.
    """

    def __init__(self, directory, since_epoch=0):
        if not Path(directory).is_dir():
            raise JournalError(f"there is no journal in {directory}: no such directory")
        self.directory = Path(directory)
        self.epoch = 0
        self.since_epoch = since_epoch
        self.torn = []
        self.names = Names()
        self._events = self._all_events()

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._events)

    def _all_events(self):
        for _, records in self.blocks():
            if records is None:
                self.names.forget_part()
                continue
            for start in range(0, len(records), RECORD_SIZE):
                event = unpack("order_event", records, start)
                self.names.learn(event, records[start : start + RECORD_SIZE])
                yield event

    def blocks(self, until_epoch=None):
        """(epoch, whole records one after the other), in the order in which they were written; None in place of the records where
        some are missing."""
        for epoch, files in groupby(journal_files(self.directory), lambda file: file[0]):
            if epoch < self.since_epoch or (until_epoch is not None and epoch >= until_epoch):
                continue
            self.epoch = epoch
            found = survey_epoch(list(files))
            self.torn += found.holes + found.tail
            expected = 1
            for path, runs, first in found.files:
                content = memoryview(path.read_bytes()) if runs else b""
                for start, count in runs:
                    if first + start != expected:
                        yield epoch, None
                    yield epoch, content[HEADER_SIZE + start * RECORD_SIZE : HEADER_SIZE + (start + count) * RECORD_SIZE]
                    expected = first + start + count
            if any(not torn.unfinished for torn in found.tail):
                yield epoch, None


def read_journal(directory, since_epoch=0):
    """Iterator over the OrderEventRecords in a journal's directory; its `torn` lists what could not be read (text with str()).

    since_epoch leaves out what earlier openings of the directory wrote.
    """
    return JournalReader(directory, since_epoch)


def decimal_text(mantissa, scale):
    """mantissa * 10**-scale in plain digits."""
    digits = str(abs(mantissa)).rjust(scale + 1, "0")
    text = f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits
    return f"-{text}" if mantissa < 0 else text


NOTES = {
    32: "session", 33: "symbol", 34: "account", 35: "strategy", 36: "order", 37: "trade", 38: "key", 39: "begun", 40: "end",
    41: "told",
}  # fmt: skip


def time_text(time_ns):
    """UTC, to the nanosecond."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanoseconds:09d}Z"


def show(event, names=None):
    """One record as a line of text: number, time (UTC), client id, what happened, and the order as it was then. names: see
    Names."""
    from nexus_fast.order.reasons import reason_text
    from nexus_fast.order.states import EVENTS, STATES

    names = names or Names()
    what = EVENTS[event.kind] if event.kind < len(EVENTS) else NOTES.get(event.kind, event.kind)
    if what == "begun":
        what = f"begun with orders={event.price} fills={event.filled} keys={event.quantity}"
    if what == "told":
        what = f"told {'a fill without a trade' if event.trade_id < 0 else f'trade={event.trade_id}'}"
        what += f", {decimal_text(event.filled, event.size_scale)} in all"
    if event.kind >= len(EVENTS) and what != "order":
        return f"{event.number} {time_text(event.time_ns)} {event.client_id or '-'} {what} {names.text or ''}".rstrip()
    price = decimal_text(event.price, event.price_scale)
    size = decimal_text(event.quantity, event.size_scale)
    filled = decimal_text(event.filled, event.size_scale)
    line = (
        f"{event.number} {time_text(event.time_ns)} {event.client_id or '-'} venue={event.venue_id or '-'} "
        f"symbol={names.symbols.get(event.symbol_id, event.symbol_id)} {what} -> {STATES[event.state]} "
        f"{SIDES.get(event.side, event.side)} {size} @ {price} filled={filled} "
        f"account={names.accounts.get(event.account, event.account)} "
        f"strategy={names.strategies.get(event.strategy, event.strategy)}"
    )
    if event.trade_id >= 0:
        last = f"{decimal_text(event.last_quantity, event.size_scale)} @ {decimal_text(event.last_price, event.price_scale)}"
        line += f" trade={event.trade_id} {last}"
    if what == "MODIFY_INTENT":
        asked = decimal_text(event.last_quantity, event.size_scale), decimal_text(event.last_price, event.price_scale)
        line += f" wanted={asked[0]} @ {asked[1]}"
    if event.flags:
        line += f" flags={event.flags}"
    if event.reason:
        line += f' reason="{reason_text(event.reason)}"'
    return line + (f" said={json.dumps(event.text, ensure_ascii=False)}" if event.text else "")


class Names:
    """What a session's numbers stand for, learned from its records as they come by; `text` is the last record's own."""

    def __init__(self):
        self.symbols, self.accounts, self.strategies = {}, {}, {}
        self.text = ""
        self._parts = b""

    def forget_part(self):
        """Records are missing: the rest of a text would not be its own."""
        self._parts = b""

    def learn(self, event, record):
        """`record`: the event's bytes."""
        if event.kind < 32:
            return
        part = bytes(record[TEXT_AT : TEXT_AT + min(64, max(0, event.last_quantity - event.last_price))])
        if event.last_price == 0:
            self._parts = b""
        if event.last_price != len(self._parts):
            self.text = "…" + part.decode("utf-8", "replace")
            return
        self._parts += part
        self.text = self._parts.decode("utf-8", "replace")
        if event.kind == 32:
            self.symbols, self.accounts, self.strategies = {}, {}, {}
        elif event.kind == 33:
            self.symbols[event.symbol_id] = self.text
        elif event.kind == 34:
            self.accounts[event.account] = self.text
        elif event.kind == 35:
            self.strategies[event.strategy] = self.text
