"""At start, before the strategies: what earlier sessions left is held against what the venue says now.

    begin()             the orders are in the table and in the cache; those whose answer is missing are in doubt
    recover(account)    the venue lists its open orders, and is asked about each of ours that is not among them; then for the
                        trades that are missing
    tell_untold()       fills that the journal knows, that were not told, and that the venue has not listed

Until an account is recovered its new orders are refused. What is found out meanwhile is told right after on_start.
"""

import asyncio
import time
from typing import Any

from nexus_fast.answers import reading, told
from nexus_fast.engine.gates import RECOVERING
from nexus_fast.engine.inheritance import Inheritance
from nexus_fast.error import NO_ANSWER
from nexus_fast.log import Logger

RECOVER_SECONDS = 20.0           # an order that is in doubt for longer does not keep the strategies waiting
CANCEL_SECONDS = 5.0
TRADES_SECONDS = 3.0             # in which fills that were not told are asked for, before the journal's word for them is taken
LIST_WAIT, LAST_WAIT = 1.0, 30.0 # before the venue is asked for its open orders again: doubles


class Recovery:
    """`host` is nexus_fast.engine.host.Host; policy: Config.open_orders_at_start."""

    def __init__(self, host: Any, inheritance: Inheritance, policy: str, log: Logger):
        self._host = host
        self._inheritance = inheritance
        self._policy = policy
        self._log = log

    def begin(self) -> None:
        tracker, ledger = self._host.tracker, self._host.core.ledger
        for key, (oid, _, ended_ns) in self._inheritance.keys.items():
            self._host.cache.hold_key(key, oid, ended_ns // 1_000_000)
        tracker.telling.on_told = ledger.told
        for number, past in self._inheritance.orders.items():
            fields = ledger.fields(number)
            try:
                self._host.prepare_route(fields["symbol_id"], fields["account"])
            except Exception as error:
                self._log.error(f"order {fields['client_id']} of the last session cannot be canceled or modified: {error}")
            if not ledger.closed(number):
                ledger.apply(number, "DOUBT")
            tracker.carry(number, past)
        for account in self._host.accounts.values():
            self._host.gates.close(account.index, RECOVERING)
        if self._inheritance.orders or self._inheritance.left_out:
            self._log.info(
                f"the last session left {len(self._inheritance.orders)} orders that were not over, or not told to their end"
                + (f", and {self._inheritance.left_out} that are not this session's" if self._inheritance.left_out else "")
            )

    async def recover(self, account: Any) -> None:
        """Returns when every order of the account is proven, or after RECOVER_SECONDS: then the rest is asked about further."""
        ledger = self._host.core.ledger
        ours = {ledger.fields(n)["client_id"]: n for n in ledger.live(account=account.index)}
        until = time.monotonic() + RECOVER_SECONDS
        listed, certain = await self._take_stock(account)
        self._host.reconciler.look_again(account)
        for client_id, number in ours.items():
            # A cancel that is still on its way would be missed by the list alone.
            if client_id not in certain or ledger.state(number) == "CANCELING":
                self._host.query(number)
        left = await self._host.inquiry.settled(list(ours.values()), until - time.monotonic())
        if left:
            self._log.error(f"{account.account_type}: {len(left)} orders of the last session are still in doubt; asking on")
        await self._host.inquiry.recover_trades(account.index, TRADES_SECONDS)
        if self._policy == "cancel":
            await self._cancel(account)
        self._host.gates.open(account.index, RECOVERING)
        live = len(ledger.live(account=account.index))
        if ours or listed:
            self._log.info(f"{account.account_type}: {live} orders of the last session live on; {len(listed)} open at the venue")

    def tell_untold(self) -> None:
        """What earlier sessions journalled and did not tell, and no venue has listed: told after on_start like the rest."""
        for number, past in self._inheritance.orders.items():
            self._host.tracker.tell_untold(number, past)

    async def _take_stock(self, account: Any) -> tuple[dict[str, Any], set[str]]:
        """The venue's open orders by client id, taken in; and which of them are ours and certain."""
        wait = LIST_WAIT
        while True:
            await self._host.inquiry.pause(account)
            asked = time.monotonic()
            try:
                with reading(f"{account.account_type}: what the account has"):
                    listed = await account.refresh()
                    return listed, self._take_in(account, listed, asked)
            except NO_ANSWER as error:
                self._host.inquiry.note_failure(account, error)
                self._log.error(f"{account.account_type}: the venue could not be asked for its open orders: {told(error)}")
                await asyncio.sleep(wait)
                wait = min(2 * wait, LAST_WAIT)

    def _take_in(self, account: Any, listed: dict[str, Any], asked: float) -> set[str]:
        certain = set()
        for client_id, update in listed.items():
            number = self._host.tracker.number_of(update, account.index)
            if not number:
                self._host.on_external_order(account, update)
            elif self._host.tracker.adopt(number, update, asked):
                certain.add(client_id)
        return certain

    async def _cancel(self, account: Any) -> None:
        ledger = self._host.core.ledger
        until = time.monotonic() + CANCEL_SECONDS
        again = 0.0
        while (live := ledger.live(account=account.index)) and time.monotonic() < until:
            if time.monotonic() >= again:
                again = time.monotonic() + 1.0
                for number in live:
                    ledger.cancel(number)
            await asyncio.sleep(0.02)
        if live:
            names = [ledger.fields(number)["client_id"] for number in live]
            self._log.error(f"{account.account_type}: {len(live)} orders could not be canceled: {', '.join(names[:10])}")
