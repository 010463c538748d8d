"""Cancels and modifications that the hot half does not send: of orders that are over, unknown, or refused by our own checks.

Each has one answer, in a callback of a later turn of the loop, never from inside of the call. What can never be a request raises.
"""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from nexus_fast.answers import reading, told
from nexus_fast.constants import AccountType, OrderStatus, WsOrderResultType
from nexus_fast.engine.host import Host
from nexus_fast.error import NO_ANSWER, OrderError
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.exchange.routing import resolve_account
from nexus_fast.log import Logger
from nexus_fast.order.events import OrderUpdate
from nexus_fast.order.reasons import reason_text
from nexus_fast.schema import Order
from nexus_fast.strategy.api import StrategyApi

SENT_BY_REST = ("ws_fallback",)          # NexusTrader's argument, which says nothing here
UNKNOWN = "this engine knows no order of this oid"


class OrderRequests:
    """`soon(function, *arguments)` calls a function in the loop's next turn."""

    def __init__(self, host: Host, instruments: InstrumentTable, soon: Callable[..., Any], log: Logger):
        self._host = host
        self._instruments = instruments
        self._soon = soon
        self._log = log

    def require_arguments(self, method: str, symbol: Any, oid: Any, extra: dict[str, Any]) -> None:
        """Raises OrderError for what is no cancel and no modification of anything."""
        unknown = extra.keys() - set(SENT_BY_REST)
        if unknown:
            raise OrderError(f"{method}({symbol}, {oid}): unknown arguments {', '.join(sorted(unknown))}")
        if not isinstance(symbol, str):
            raise OrderError(f"{method}: symbol is {symbol!r}; give the order's symbol, such as 'BTCUSDT-PERP.BINANCE'")
        if not isinstance(oid, str) or not oid:
            raise OrderError(f"{method}({symbol}): oid is {oid!r}; give the text that create_order returned")

    # ------------------------------------------------------------------------------------------ cancels

    def cancel_failed(self, number: int, reason: int) -> None:
        """The cancel could not be sent: the order lives on, and the strategy hears of it."""
        update = OrderUpdate(event="CANCEL_REJECTED", client_id="", reason=f"cancel: {reason_text(reason)}")
        self._soon(self._host.tracker.apply_to, number, update)

    def cancel_too_late(self, strategy: StrategyApi, number: int) -> None:
        self._answer_late(strategy, "on_cancel_failed_order", "cancel", self._host.tracker.order(number))

    def cancel_unknown(self, strategy: StrategyApi, symbol: str, oid: str, account_type: AccountType | None) -> None:
        """An order that is in no slot of this session: long over, or somebody else's, which the venue is asked to cancel."""
        instrument = self._instruments.get(symbol)
        chosen = resolve_account(
            symbol, instrument.exchange, instrument.type, list(self._host.accounts), account_type
        )
        known = self._host.cache.get_order(oid)
        if known is not None and known.is_closed:
            self._answer_late(strategy, "on_cancel_failed_order", "cancel", known)
        elif known is None and self._host.core.ledger.is_ours(oid):
            order = _bare(instrument, oid, OrderStatus.CANCEL_FAILED)
            self._answer(strategy, "on_cancel_failed_order", order, f"cancel: {UNKNOWN}")
        else:
            self._host.spawn(self._cancel_foreign(strategy, self._host.accounts[chosen], instrument, oid))

    async def _cancel_foreign(self, strategy: StrategyApi, account: Any, instrument: Instrument, oid: str) -> None:
        """By REST, where its client id is enough. Its end comes to on_external_order."""
        try:
            with reading("the answer"):
                await account.cancel_foreign(instrument, oid)
        except NO_ANSWER as error:
            self._log.warning(f"canceling {oid}, which is not an order of this session, failed: {told(error)}")
            known = self._host.cache.get_order(oid) or _bare(instrument, oid, OrderStatus.CANCEL_FAILED)
            self._answer(strategy, "on_cancel_failed_order", known, f"cancel: {told(error)}")

    def cancel_all(self, symbol: str, account_type: AccountType | None) -> list[str]:
        """Cancel the engine's open orders of a symbol, each by its own request, the oldest first. Their oids."""
        instrument = self._instruments.get(symbol)
        if account_type is not None:
            resolve_account(symbol, instrument.exchange, instrument.type, list(self._host.accounts), account_type)
        account = None if account_type is None else self._host.accounts[account_type].index
        ledger, canceled = self._host.core.ledger, []
        for number in ledger.live(self._host.core.symbol_ids[symbol], account):
            canceled.append(ledger.fields(number)["client_id"])
            if ledger.state(number) != "CANCELING":
                reason = ledger.cancel(number)
                if reason:
                    self.cancel_failed(number, reason)
        return canceled

    # ------------------------------------------------------------------------------------------ modifications

    def modify_failed(self, number: int, reason: int, price: Any, amount: Any) -> None:
        """The modification was not sent: the order is as it was, and the strategy hears of it."""
        for name, value in (("price", price), ("amount", amount)):
            if value is not None:
                require_number("modify_order", name, value)
        text = f"modify: {self._host.tracker.refusal(reason, self._host.core.ledger.fields(number), price, amount)}"
        self._soon(self._host.tracker.modify_failed, number, WsOrderResultType.REQUEST_NOT_SENT, text)

    def modify_too_late(self, strategy: StrategyApi, number: int) -> None:
        self._answer_late(strategy, "on_modify_failed_order", "modify", self._host.tracker.order(number))

    def modify_unknown(self, strategy: StrategyApi, symbol: str, oid: str) -> None:
        """An order that is in no slot of this session: nobody else's can be modified."""
        instrument = self._instruments.get(symbol)
        known = self._host.cache.get_order(oid)
        if known is not None and known.is_closed:
            self._answer_late(strategy, "on_modify_failed_order", "modify", known)
            return
        order = known or _bare(instrument, oid, OrderStatus.FAILED)
        text = "modify: it is not an order of this engine's: cancel it and place one" if known else f"modify: {UNKNOWN}"
        self._answer(strategy, "on_modify_failed_order", order, text)

    # ------------------------------------------------------------------------------------------ answers

    def _answer_late(self, strategy: StrategyApi, callback: str, request: str, order: Order) -> None:
        over = f"over ({order.status.value})" if order.is_closed else "over, and its last fills are still to come"
        self._answer(strategy, callback, order, f"{request}: the order is {over}; nothing was sent")

    def _answer(self, strategy: StrategyApi, callback: str, order: Order, reason: str) -> None:
        """With the order as it is, and the reason of this answer alone."""
        self._soon(self._host.tracker.callback, strategy, callback, replace(order, reason=reason))


def _bare(instrument: Instrument, oid: str, status: OrderStatus) -> Order:
    """An order of which nothing is known but its name."""
    now = time.time_ns() // 1_000_000
    return Order(exchange=instrument.exchange, symbol=instrument.symbol, status=status, oid=oid, timestamp=now)


def require_number(method: str, name: str, value: Any) -> None:
    """Raises OrderError for what is no number at all; NaN and infinities are numbers that no order has."""
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return
    try:
        Decimal(str(value))
    except ArithmeticError:
        raise OrderError(f"{method}: {name} is {value!r}, which is no number; give a Decimal, an int or a text") from None
