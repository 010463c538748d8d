"""Margin accounts: orders by REST, private events over spot's WebSocket API.

The events are subscribed to with a listen token (POST /sapi/v1/userListenToken, userDataStream.subscribe.listenToken), which
holds for a day; it is replaced before it ends. An isolated margin account has a wallet, a token and a subscription for each pair.
Source: developers.binance.com, margin trading, "Trade Data Stream".
"""

import asyncio
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from nexus_fast.answers import reading, told
from nexus_fast.error import NO_ANSWER
from nexus_fast.exchange.binance.account import BinanceAccount
from nexus_fast.exchange.binance.families import Family
from nexus_fast.exchange.binance.snapshot import Balances, read_isolated, total
from nexus_fast.exchange.binance.websocket_api import Answer
from nexus_fast.exchange.rows import replaced
from nexus_fast.feed.connection import WebSocketConnection
from nexus_fast.order.events import BalanceUpdate

LISTEN_TOKEN_PATH = "/sapi/v1/userListenToken"
TOKEN_SECONDS = 23 * 3600


class _Token(msgspec.Struct):
    token: str


class _Subscription(msgspec.Struct):
    subscription_id: int = msgspec.field(name="subscriptionId")


class MarginAccount(BinanceAccount):
    """Cross margin."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self._renewal: asyncio.Task | None = None

    async def _subscribe(self, connection: WebSocketConnection) -> None:
        await self._subscribe_all(connection)
        if self._renewal is None:
            self._renewal = self._keep("the listen tokens", self._renew_tokens)

    async def _subscribe_all(self, connection: WebSocketConnection) -> None:
        await self._subscribe_with_token({}, connection)

    async def _subscribe_with_token(self, params: dict[str, str], connection: WebSocketConnection) -> int:
        """The number of the subscription; one that exists is prolonged."""
        body = await self._rest.request("POST", LISTEN_TOKEN_PATH, params, keyed=True)
        token = msgspec.json.decode(body, type=_Token).token
        answer = await self.ask("userDataStream.subscribe.listenToken", {"listenToken": token}, connection=connection)
        return msgspec.json.decode(answer, type=_Subscription).subscription_id

    async def _renew_tokens(self) -> None:
        while True:
            await asyncio.sleep(TOKEN_SECONDS)
            try:
                with reading("the listen token"):
                    await self._subscribe_all(self._api)
            except NO_ANSWER as error:
                self._log.warning(f"the private events could not be prolonged ({told(error)}); connecting again")
                self._api.drop()


class IsolatedMarginAccount(MarginAccount):
    """Isolated margin: the pairs that the account has at the venue, and those that orders are sent for."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self._wallets: dict[str, Balances] = {}
        # Of each connection: pairs by the numbers that it gave their subscriptions.
        self._pairs: WeakKeyDictionary[WebSocketConnection, dict[int, str]] = WeakKeyDictionary()

    def templates(self, instrument: Any) -> Any:
        if instrument.venue_symbol not in self._wallets:
            self._wallets[instrument.venue_symbol] = {}
            if self._is_open:
                self._spawn(self._subscribe_late(instrument.venue_symbol))
        return super().templates(instrument)

    async def _subscribe_all(self, connection: WebSocketConnection) -> None:
        self._pairs[connection] = {}
        for symbol in list(self._wallets):
            await self._subscribe_to(symbol, connection)

    async def _subscribe_to(self, symbol: str, connection: WebSocketConnection) -> None:
        number = await self._subscribe_with_token({"symbol": symbol, "isIsolated": "true"}, connection)
        self._pairs[connection][number] = symbol

    def _attach(self, connection: WebSocketConnection) -> None:
        """Pairs that came into use while this connection was prepared are subscribed to now."""
        super()._attach(connection)
        known = self._pairs[connection].values()
        for symbol in [symbol for symbol in self._wallets if symbol not in known]:
            self._spawn(self._subscribe_late(symbol))

    async def _subscribe_late(self, symbol: str) -> None:
        try:
            with reading("the listen token"):
                await self._subscribe_to(symbol, self._api)
            await self._host.resynchronise(self)         # what came before the subscription
        except NO_ANSWER as error:
            self._log.error(f"{symbol}: no private events of this isolated pair ({told(error)}); connecting again")
            self._api.drop()

    def _symbols_to_list(self, family: Family) -> Iterable[str]:
        """Every pair that there is a wallet for, also those that others trade."""
        return self._wallets

    async def _read_balances(self) -> Balances:
        found = read_isolated(await self._rest.get(self._family.account, signed=True))
        kept = self._wallets if found.odd else dict.fromkeys(self._wallets, {})      # what could not be read is what it was
        self._wallets = {**kept, **found}
        return replaced(found, total(self._wallets.values()))

    def _on_answer_event(self, connection: WebSocketConnection, answer: Answer, events: list) -> None:
        """A balance is that of one pair; what is reported is the sum of all."""
        pair = self._pairs.get(connection, {}).get(answer.subscription_id)
        for event in events:
            if isinstance(event, BalanceUpdate) and pair is not None:
                self._wallets[pair] = {**self._wallets[pair], **event.balances}
                whole = total(self._wallets.values())
                event.balances = {asset: whole[asset] for asset in event.balances}
        self._on_events(events)
