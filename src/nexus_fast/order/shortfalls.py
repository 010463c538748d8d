"""Orders that fall short: the venue has executed more than was told, or their trades and fees are not all known.

The venue is asked for the trades (holes.py). What was not told END_SECONDS after it became known is told without its trades.
"""

from nexus_fast.exchange.instrument import from_mantissa
from nexus_fast.log import Logger
from nexus_fast.order.executions import Extra
from nexus_fast.order.holes import Holes
from nexus_fast.order.ledger import Ledger
from nexus_fast.order.telling import Telling


class Shortfalls:
    """`counts` gets "holes_given_up" and "fills_without_trade"."""

    def __init__(
        self,
        ledger: Ledger,
        extras: dict[int, Extra],
        holes: Holes,
        telling: Telling,
        counts: dict[str, int],
        log: Logger,
    ):
        self._holes = holes
        self._ledger = ledger
        self._extras = extras
        self._telling = telling
        self._counts = counts
        self._log = log
        # Of which more is executed than was told, as they stood at their last update: a slot may be taken meanwhile.
        self._untold: dict[int, dict] = {}

    def __contains__(self, number: int) -> bool:
        """Whether more of the order is executed than was told."""
        return number in self._untold

    def note(self, fields: dict, extra: Extra) -> None:
        """An order as it stands now."""
        number, filled = fields["number"], fields["filled"]
        if filled > extra.told:
            self._untold[number] = fields
        else:
            self._untold.pop(number, None)
        self._holes.note(number, filled > extra.counted or extra.fees_missing > 0, is_untold=filled > extra.told)

    def asked(self, number: int, *, answered: bool) -> None:
        """The venue was asked for the trades of an order in the holes, and what it said is applied."""
        if not self._holes.asked(number, answered=answered):
            return
        fields, extra = self._ledger.fields(number), self._extras[number]
        counted, filled = (from_mantissa(value, fields["size_scale"]) for value in (extra.counted, fields["filled"]))
        self._counts["holes_given_up"] += 1
        self._telling.give_up_fees(number, extra)
        self._log.error(
            f"order {fields['client_id']}: {filled} executed, trades of {counted} are known, {extra.fees_missing} of them "
            "without their fee; the venue's list of trades does not have the rest, which is given up: the fee is short"
        )

    def lose(self, number: int) -> None:
        """Its slot is in use by a later order."""
        self._tell_rest(number)
        if self._holes.forget(number):
            self._counts["holes_given_up"] += 1
            self._log.error(f"order number {number} was short of trades when it had to be forgotten: its fee is short")

    def tell_overdue(self) -> None:
        """What has waited long enough."""
        for number in self._holes.overdue():
            self._tell_rest(number)

    def tell_all(self) -> None:
        """At the end: nobody will bring the trades any more."""
        for number in list(self._untold):
            self._tell_rest(number)

    def untold(self) -> list[int]:
        """Numbers of the orders of which more is executed than was told."""
        return list(self._untold)

    def _tell_rest(self, number: int) -> None:
        fields = self._untold.pop(number, None)
        if fields is None:
            return
        try:
            fields = self._ledger.fields(number)
        except KeyError:
            pass
        extra = self._extras[number]
        rest = from_mantissa(fields["filled"] - extra.told, fields["size_scale"])
        self._counts["fills_without_trade"] += 1
        self._log.warning(f"order {fields['client_id']}: {rest} of it was executed in trades that the venue does not list")
        self._telling.tell_rest(fields, extra)
        self.note(fields, extra)
