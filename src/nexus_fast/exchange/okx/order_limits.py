"""How many orders OKX takes of an account per time: in the last two seconds 60 of an instrument, and as many amendments; and 1000
of both, of all instruments, of a sub-account, or what the venue says at start.

Source: www.okx.com/docs-v5, order-book-trading-trade-post-place-order, -post-amend-order, -get-account-rate-limit.
"""

import msgspec

from nexus_fast.constants import ExchangeType
from nexus_fast.exchange.rows import Rows
from nexus_fast.order.budgets import Budgets, Window, Windows

QUESTION = "/api/v5/trade/account-rate-limit"
OF_AN_INSTRUMENT, OF_THE_ACCOUNT, SECONDS = 60, 1000, 2
ACCOUNT = "account"


class _Row(msgspec.Struct, rename="camel"):
    acc_rate_limit: str = ""


class _Answer(msgspec.Struct):
    data: msgspec.Raw


_rows = Rows(_Row, "OKX order limits", "accRateLimit")


class OrderLimits:
    """factor: of an address that takes so many times the venue's own figures."""

    def __init__(self, budgets: Budgets, factor: int):
        self._budgets = budgets
        self._of_an_instrument = OF_AN_INSTRUMENT * factor
        self._of_the_account = OF_THE_ACCOUNT * factor

    def windows(self, inst_id: str) -> Windows:
        account = Window(ACCOUNT, self._of_the_account, SECONDS, sliding=True)
        place, modify = (
            [Window(f"{kind} {inst_id}", self._of_an_instrument, SECONDS, sliding=True), account] for kind in ("place", "modify")
        )
        return place, modify

    def read(self, body: bytes) -> None:
        """The venue's answer to QUESTION."""
        for row in _rows.decode(msgspec.json.decode(body, type=_Answer).data):
            if row.acc_rate_limit.isdigit() and int(row.acc_rate_limit):
                self._of_the_account = int(row.acc_rate_limit)
                budget = self._budgets.get(ExchangeType.OKX, ACCOUNT)
                if budget is not None:
                    budget.set_limit(self._of_the_account)
