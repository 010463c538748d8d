"""Which order of ours an update is about."""

from collections.abc import Sequence

from nexus_fast.exchange.instrument import Instrument
from nexus_fast.order.events import OrderUpdate
from nexus_fast.order.former import Former
from nexus_fast.order.ledger import Ledger


class Matching:
    def __init__(self, ledger: Ledger, former: Former, instruments: Sequence[Instrument]):
        self._ledger = ledger
        self._former = former
        self._instruments = instruments

    def number_of(self, update: OrderUpdate, account: int | None = None) -> int:
        """Its number; 0 for somebody else's order, whose client id may be that of one of ours."""
        # A client_oid that is free again may be in use by its next order while the last one's messages still come.
        number = self._former.find(update) or self._ledger.find(update.client_id)
        if not number:
            return self._forgotten(update, account)
        return number if self._is_about(number, update, account) else 0

    def _forgotten(self, update: OrderUpdate, account: int | None) -> int:
        """One whose client id was let go of, by the venue's id; 0 for none."""
        if account is None or not update.venue_id or not update.client_id:
            return 0
        number = max(0, self._ledger.by_venue_id(account, update.venue_id))
        return number if number and self._ledger.fields(number)["client_id"] == update.client_id else 0

    def _is_about(self, number: int, update: OrderUpdate, account: int | None) -> bool:
        """A client id of our own making is nobody else's. Client ids of strategies are unique for one symbol at best."""
        if self._ledger.is_ours(update.client_id):
            return True
        fields = self._ledger.fields(number)
        symbol = self._instruments[fields["symbol_id"]].venue_symbol
        if account not in (None, fields["account"]) or update.venue_symbol not in ("", symbol):
            return False
        return not (self._ledger.closed(number) and fields["venue_id"] and update.venue_id not in ("", fields["venue_id"]))
