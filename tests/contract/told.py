"""What a program was told, kept by the test over all its sessions, and held against the venue's own trades.

A session may end in the middle of a callback, as kill -9 ends it. What was told by that callback may be told once more; nothing
else may be.
"""

from collections import Counter, defaultdict
from decimal import Decimal

from tests.contract.venue_ledger import Sums, trades_of


class Told:
    """`fills`: every fill that counts, [(session, fill)]. `problems`: what was told and cannot be."""

    def __init__(self, truths, trace):
        self.truths = truths
        self.trace = trace
        self.problems: list[str] = []
        self.fills: list[tuple[int, object]] = []
        self.session = 0
        self._differing: set[int] = set()              # sessions whose first difference was named
        self._names: set[tuple] = set()
        self._cut_short: tuple | None = None           # the fill in whose callback the session before was killed
        self._start: dict[str, Decimal] = {}
        self._live: dict[str, Decimal] = defaultdict(Decimal)
        self._fees: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        self._fees_of: Counter = Counter()

    # ------------------------------------------------------------------------------------------ a session

    def begin(self, positions: dict[str, Decimal]) -> None:
        """positions: what the cache has in on_start, by perpetual."""
        self.session += 1
        self._start = dict(positions)
        self._live.clear()
        self.trace(f"session {self.session} starts with {', '.join(f'{v} {s}' for s, v in positions.items())}")

    def fill(self, fill, cached: Decimal | None) -> None:
        """cached: the position that the cache has in this callback."""
        name = (fill.oid, fill.symbol, fill.trade_id) if fill.trade_id is not None else (fill.oid, len(self.fills))
        self.trace(f"  on_fill {fill.oid} {fill.symbol} {fill.signed_amount} at {fill.price}, trade {fill.trade_id}, fee "
                   f"{fill.fee} {fill.fee_currency}, {fill.order.status.value}, now {fill.position}"
                   f"{', recovered' if fill.recovered else ''}")
        if not fill.recovered:
            self._live[fill.symbol] += fill.signed_amount
        again = name in self._names
        if again and name != self._cut_short:
            self.problems.append(f"{fill.oid}: trade {fill.trade_id} of {fill.symbol} was told again in session {self.session}")
        elif again and not fill.recovered:
            self.problems.append(f"{fill.oid}: trade {fill.trade_id} was told once more and not as recovered")
        if not again:
            self._names.add(name)
            self.fills.append((self.session, fill))
            self._add_fee(fill)
        elif name == self._cut_short:
            self._cut_short = None
            self._again_fee(fill)
        self._judge_position(fill, cached)

    def cut_short(self, fill) -> None:
        """The session is killed in this fill's callback."""
        self._cut_short = (fill.oid, fill.symbol, fill.trade_id)
        self.trace(f"killed in the callback of trade {fill.trade_id}")

    def fee(self, fill) -> None:
        self.trace(f"  on_fill_fee {fill.oid} trade {fill.trade_id}: {fill.fee} {fill.fee_currency}")
        if fill.fee is None:
            self.problems.append(f"{fill.oid}: on_fill_fee without a fee")
            return
        self._add_fee(fill)

    def _add_fee(self, fill) -> None:
        if fill.fee is None:
            return
        name = (fill.oid, fill.symbol, fill.trade_id)
        self._fees_of[name] += 1
        if self._fees_of[name] > 1:
            self.problems.append(f"{fill.oid}: the fee of trade {fill.trade_id} was told {self._fees_of[name]} times")
        self._fees[fill.symbol][fill.fee_currency] += fill.fee

    def _again_fee(self, fill) -> None:
        """Told once more after the kill: its fee counts if it was not known the first time."""
        if fill.fee is not None and not self._fees_of[fill.oid, fill.symbol, fill.trade_id]:
            self._add_fee(fill)

    def _judge_position(self, fill, cached) -> None:
        if fill.position is None:
            return
        if not fill.recovered and cached != fill.position:
            self.problems.append(f"{fill.oid}: the cache has {cached} {fill.symbol} in on_fill, the fill says {fill.position}")
        if not fill.recovered and fill.symbol in self._start:
            believed = self._start[fill.symbol] + self._live[fill.symbol]
            if fill.position != believed and self.session not in self._differing:
                self._differing.add(self.session)
                self.problems.append(f"{fill.oid}: on_start's position and the fills come to {believed} {fill.symbol}, the fill "
                                     f"says {fill.position}")

    def believed(self, symbol: str) -> Decimal:
        """What a program with books in memory believes: on_start's position and the fills that are not recovered."""
        return self._start.get(symbol, Decimal(0)) + self._live[symbol]

    # ------------------------------------------------------------------------------------------ against the venue

    def sums(self, symbol: str) -> Sums:
        sums = Sums()
        for _, fill in self.fills:
            if fill.symbol == symbol:
                sums.add(fill.signed_amount, fill.signed_amount * fill.price)
        sums.fees = self._fees[symbol]
        return sums

    def differences(self) -> list[str]:
        """Fill by fill; what has no trade id by its order's sum."""
        found = []
        for truth in self.truths:
            for symbol in truth.symbols:
                found += self._differences(truth, symbol)
        return found

    def _differences(self, truth, symbol) -> list[str]:
        there, here = Counter(), Counter()
        for order, fill, signed, *_ in trades_of(truth, symbol):
            there[truth.id_of(order), signed, Decimal(fill.price) / 10**8] += 1
        whole = {fill.oid for _, fill in self.fills if fill.symbol == symbol and fill.trade_id is None}
        for _, fill in self.fills:
            if fill.symbol == symbol:
                here[fill.oid, fill.signed_amount, fill.price] += 1
        found = []
        for (oid, signed, price), count in sorted((there - here).items()):
            if oid not in whole:
                found.append(f"{oid}: {count} fill(s) of {signed} at {price} were not told")
        for (oid, signed, price), count in sorted((here - there).items()):
            if oid not in whole:
                found.append(f"{oid}: {count} fill(s) of {signed} at {price} were told, the venue has none")
        for oid in sorted(whole):
            told, so = (sum((key[1] * n for key, n in counts.items() if key[0] == oid), Decimal(0)) for counts in (here, there))
            if told != so:
                found.append(f"{oid}: {told} was told, the venue has {so}")
        return found
