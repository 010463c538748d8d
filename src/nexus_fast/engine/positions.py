"""The accounts' positions into the cache: those of the symbols that are loaded, and those of others, which are held all the same.

A position in a symbol that is not loaded (delisted, opened by hand, of a kind without a public connector) cannot be traded here.
It is named in the log when it is seen first and whenever its size changes, and kept in cache.get_unlisted_positions().
"""

import re
from typing import Any

from nexus_fast.constants import ExchangeType, PositionSide
from nexus_fast.engine.heard import Heard
from nexus_fast.log import Logger
from nexus_fast.order.events import PositionUpdate
from nexus_fast.schema import Position, UnlistedPosition

PERPETUALS = ("PERP", "SWAP")


class Positions:
    """`host` is nexus_fast.engine.host.Host."""

    def __init__(self, host: Any, heard: Heard, log: Logger):
        self._host = host
        self._heard = heard
        self._log = log

    def apply(self, account: Any, updates: list[PositionUpdate], complete: bool = True) -> None:
        """complete: what is not among them is flat."""
        found = [self._position(account, update) for update in updates]
        self._tell_of_unlisted(account, [p for p in found if isinstance(p, UnlistedPosition)], complete)
        listed = [p for p in found if not isinstance(p, UnlistedPosition)]
        cache = self._host.cache
        if complete:
            held = cache.get_all_positions(account.account_type.exchange)
            cache.replace_positions(account.account_type, self._without_older(account, listed, held))
            return
        self._heard.note(account, [position.symbol for position in found])
        for position in listed:
            cache.apply_position(account.account_type, position)

    def _without_older(self, account: Any, read: list, held: dict[str, Any]) -> list:
        """What was read, but for what the stream has spoken of since the question."""
        newer = self._heard.since_asked(account)
        return [p for p in read if p.symbol not in newer] + [p for symbol, p in held.items() if symbol in newer]

    def _tell_of_unlisted(self, account: Any, found: list[UnlistedPosition], complete: bool) -> None:
        cache = self._host.cache
        known = dict(cache.get_unlisted_positions(account_type=account.account_type))
        if complete:
            found = self._without_older(account, found, known)
            gone = known.keys() - {position.symbol for position in found}
            found += [_flat(known[symbol]) for symbol in sorted(gone)]
        for position in found:
            cache.apply_unlisted_position(account.account_type, position)
            self._name(account, position, known.get(position.symbol))

    def _name(self, account: Any, position: UnlistedPosition, known: UnlistedPosition | None) -> None:
        before, now = 0 if known is None else known.signed_amount, position.signed_amount
        what = f"{account.account_type}: the position in {position.venue_symbol}"
        if now and now != before:
            self._log.warning(
                f"{what}, which is not among the symbols that are loaded, is {now} (as the venue counts) and was {before}: no "
                "order can be sent for it; cache.get_unlisted_positions() has it"
            )
        elif now != before:
            self._log.warning(f"{what}, which is not among the symbols that are loaded, is closed; it was {before}")

    def _position(self, account: Any, update: PositionUpdate) -> Position:
        exchange = account.account_type.exchange
        kind = update.instrument_type or account.instrument_type
        instrument = self._host.core.by_venue_symbol(exchange, kind, update.venue_symbol)
        amount = update.signed_amount
        values = {
            "exchange": exchange,
            "signed_amount": amount,
            "entry_price": float(update.entry_price),
            "side": PositionSide.LONG if amount > 0 else PositionSide.SHORT if amount < 0 else PositionSide.FLAT,
            "unrealized_pnl": float(update.unrealized_pnl or 0),
            "realized_pnl": float(update.realized_pnl or 0),
        }
        if instrument is not None:
            return Position(symbol=instrument.symbol, **values)
        return UnlistedPosition(symbol=likely_symbol(exchange, update.venue_symbol), venue_symbol=update.venue_symbol, **values)


def likely_symbol(exchange: ExchangeType, venue_symbol: str) -> str:
    """What a contract would be called here, as far as its name says it: GONE-USDT-SWAP is GONEUSDT-PERP.OKX."""
    *pair, last = re.split("[-_]", venue_symbol)
    if not pair:
        return f"{last}-PERP.{exchange.name}"
    tail = "PERP" if last in PERPETUALS else last
    return f"{''.join(pair)}-{tail}.{exchange.name}"


def _flat(position: UnlistedPosition) -> UnlistedPosition:
    return UnlistedPosition(
        symbol=position.symbol, exchange=position.exchange, side=PositionSide.FLAT, venue_symbol=position.venue_symbol
    )
