"""Portfolio margin: one account for spot (as cross margin), USD-M and COIN-M, orders by REST, events over a stream of its own.

Its wallets are three, and what is reported of an asset is their sum. It has no clock and no WebSocket API: requests are timed
by the USD-M market's clock.
Source: developers.binance.com, portfolio margin.
"""

from typing import Any

from nexus_fast.exchange.binance.account import BinanceAccount
from nexus_fast.exchange.binance.snapshot import Balances, read_portfolio, total
from nexus_fast.exchange.rows import replaced
from nexus_fast.gateway.rest import BinanceRest
from nexus_fast.order.events import BalanceUpdate

MARGIN = "margin"


class PortfolioAccount(BinanceAccount):
    """clock: (address, path) of the clock that its requests are timed by."""

    def __init__(self, *arguments: Any, clock: tuple[str, str]):
        super().__init__(*arguments)
        self._clock_address, self._clock_path = clock
        self._wallets: dict[str, Balances] = {}

    def _make_api(self) -> None:
        return None

    @property
    def _is_open(self) -> bool:
        return self._user.is_up

    async def _read_clock(self) -> int:
        clock = BinanceRest(self._clock_address)
        try:
            self._rest.clock_offset_ms = await clock.synchronise(self._clock_path)
        finally:
            await clock.close()
        return self._rest.clock_offset_ms

    async def _read_balances(self) -> Balances:
        found = read_portfolio(await self._rest.get(self._family.account, signed=True))
        if found.odd:                    # what could not be read is what it was
            found = replaced(found, {part: {**self._wallets.get(part, {}), **balances} for part, balances in found.items()})
        self._wallets = found
        return replaced(found, total(found.values()))

    def _on_events(self, events: list) -> None:
        for event in events:
            if isinstance(event, BalanceUpdate):
                self._add_up(event)
        super()._on_events(events)

    def _add_up(self, event: BalanceUpdate) -> None:
        """Events of the futures name their part; those of spot do not."""
        part = event.part or MARGIN
        self._wallets[part] = {**self._wallets.get(part, {}), **event.balances}
        whole = total(self._wallets.values())
        event.balances = {asset: whole[asset] for asset in event.balances}
