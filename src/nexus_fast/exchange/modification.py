"""What every venue's no to a modification means for its order."""

from typing import Any

from nexus_fast.exchange.outcome import Outcome, Verdict
from nexus_fast.order.events import OrderUpdate


def apply_refusal(host: Any, number: int, verdict: Verdict) -> None:
    """The order is as it was. Where the answer does not say that, the venue is asked, and its order says what came of it."""
    host.tracker.modification_answered(number)
    if verdict.outcome is not Outcome.UNKNOWN:
        update = OrderUpdate(event="MODIFY_REJECTED", client_id="", reason=f"modify: {verdict.reason}")
        host.tracker.apply_to(number, update)
    if verdict.outcome is not Outcome.REFUSED:
        host.query(number)
