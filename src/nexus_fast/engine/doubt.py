"""What the venue's answers about one order prove, and from when on. No I/O; times are of the monotonic clock.

A request may arrive for as long as the venue takes its timestamp, and who answers a question may lag behind the venue itself. So
an answer counts by the time at which it was asked for, and says nothing of what happened in the last LAG_SECONDS.
"""

from nexus_fast.order.events import LAG_SECONDS

NOT_FOUND_NEEDED = 3
# How late a request may be taken beyond its recvWindow: its timestamp may be ahead of the venue's clock by a second.
GRACE_SECONDS = 2.0
# An order that the venue has shown to have does not vanish: who does not know it lags behind, for longer than this at most.
REPLICA_SECONDS = 60.0


class Doubt:
    """Of an order whose request was sent before `now`, in a venue that takes requests for recv_window seconds."""

    def __init__(self, recv_window: float, now: float):
        self._valid = recv_window + GRACE_SECONDS
        self._begun = now
        self._shown: tuple = ()
        self._shown_at = now
        self._cancel = self._modification = 0
        self._canceled_at = self._modified_at = now
        self._absences = 0

    def see(self, fields: dict, now: float) -> None:
        """The order as it stands here (Ledger.fields). News of it make the answers before them worthless."""
        shown = fields["venue_id"], fields["filled"], fields["price"], fields["quantity"]
        if shown != self._shown:
            self._shown, self._shown_at, self._absences = shown, now, 0
        cancel = fields["changed_ns"] if fields["state"] == "CANCELING" else 0
        if cancel != self._cancel:
            self._cancel, self._canceled_at = cancel, now
        modification = fields["changed_ns"] if fields["modifying"] else 0
        if modification != self._modification:
            self._modification, self._modified_at = modification, now

    @property
    def lives(self) -> bool:
        """The venue has shown that it has it."""
        return bool(self._shown and (self._shown[0] or self._shown[1]))

    @property
    def proves_absence_from(self) -> float:
        """The time from which on a question is late enough to prove that there is no such order."""
        return self._shown_at + REPLICA_SECONDS if self.lives else self._begun + self._valid + LAG_SECONDS

    def is_absent(self, asked: float) -> bool:
        """The venue said that it knows no such order, to a question of this time. Whether that is proof by now."""
        self._absences += 1
        return self._absences >= NOT_FOUND_NEEDED and asked >= self.proves_absence_from

    def outlived_cancel(self, asked: float) -> bool:
        """The order was open when this was asked, and so its cancel has failed: unless who answers lags behind and the venue's
        stream was cut at that moment, in which case the reconcile after the cut finds that it did not."""
        return asked >= self._canceled_at + self._valid

    def outlived_modification(self, asked: float) -> bool:
        """The order was as before when this was asked, and so its modification has failed: as outlived_cancel."""
        return asked >= self._modified_at + self._valid

    def wait(self, usual: float, now: float) -> float:
        """Seconds before the next question: the usual ones, or less when the answer would prove something earlier."""
        left = self.proves_absence_from - now
        return min(usual, left + 0.01) if self._absences >= NOT_FOUND_NEEDED - 1 and left > 0 else usual
