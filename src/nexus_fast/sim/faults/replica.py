"""An account as it was some time ago: what a replica answers from that lags behind."""

import copy
import time
from collections import deque
from collections.abc import Callable
from typing import Any

KEPT_SECONDS = 30.0


def snapshot(account: Any) -> Any:
    """A copy of an account with its orders. What changes no more is shared: the key, instruments, fills, orders that are over."""
    orders = [order for store in account.stores.values() for order in store.by_id.values()]
    shared = [account.public_key, *(order for order in orders if not order.is_open), *(order.instrument for order in orders)]
    shared += [fill for order in orders for fill, *_ in order.fills]
    return copy.deepcopy(account, {id(one): one for one in shared})


def state_of(account: Any) -> tuple:
    """What differs when an account has changed; far cheaper than a copy."""
    orders = tuple((len(store.by_id), len(store.trades), *((o.order_id, o.price, o.quantity, o.executed)
                                                           for o in store.open.values())) for store in account.stores.values())
    money = tuple(tuple(getattr(ledger, name).values()) for ledger in account.ledgers.values()
                  for name in ("free", "locked", "wallet") if hasattr(ledger, name))
    return orders, money


class Replica:
    """Copies of the accounts that were heard of. `monotonic` gives seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic):
        self._monotonic = monotonic
        self._accounts: dict[tuple[str, str], Any] = {}          # by key and kind: a key may have several accounts
        self._states: dict[tuple[str, str], tuple] = {}
        self._copies: dict[tuple[str, str], deque[tuple[float, Any]]] = {}

    def hear(self, account: Any) -> None:
        """From now on this account is copied; the first copy is taken at once."""
        name = (account.key, account.kind)
        if name not in self._accounts:
            self._accounts[name] = account
            self.sample(name)

    def sample(self, key: tuple[str, str]) -> None:
        now, state = self._monotonic(), state_of(self._accounts[key])
        copies = self._copies.setdefault(key, deque())
        if self._states.get(key) != state:
            self._states[key] = state
            copies.append((now, snapshot(self._accounts[key])))
        while len(copies) > 1 and now - copies[1][0] > KEPT_SECONDS:
            copies.popleft()

    def sample_all(self) -> None:
        for key in self._accounts:
            self.sample(key)

    def as_of(self, account: Any, milliseconds: float) -> Any:
        """The newest copy that is as old as that, or the oldest there is."""
        self.hear(account)
        wanted = self._monotonic() - milliseconds / 1000
        copies = self._copies[account.key, account.kind]
        return next((one for taken, one in reversed(copies) if taken <= wanted), copies[0][1])
