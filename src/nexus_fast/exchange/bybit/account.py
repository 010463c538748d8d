"""A private connector of Bybit: the unified account, which takes spot, linear and inverse.

    trade      one connection for the requests and their answers; authenticated once, its orders carry no signature
    private    one connection for orders, executions, positions and balances

Source: bybit-exchange.github.io/docs/v5. Both connections want a ping of the venue's own form every PING_SECONDS.
"""

import asyncio
import time
from typing import Any

import msgspec

from nexus_fast.answers import within
from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.endpoints import LIMIT_FACTOR
from nexus_fast.error import CredentialError, VenueError
from nexus_fast.exchange.account import Account
from nexus_fast.exchange.bybit.account_rest import HEDGED, AccountRest
from nexus_fast.exchange.bybit.emergency import DCP_TOPICS
from nexus_fast.exchange.bybit.instruments import CATEGORIES
from nexus_fast.exchange.bybit.order_answers import OrderAnswers
from nexus_fast.exchange.bybit.order_limits import OrderLimits
from nexus_fast.exchange.bybit.outcomes import KEY_CODES
from nexus_fast.exchange.bybit.trade_api import decode_answer
from nexus_fast.exchange.bybit.user_data import FAST_TOPIC, TOPICS, Message, UserData, decode_message
from nexus_fast.feed.commands import CommandFeed
from nexus_fast.feed.connection import WebSocketConnection
from nexus_fast.gateway.bybit import auth_arguments, order_templates
from nexus_fast.gateway.bybit_rest import CLOCK_CODE, BybitRest
from nexus_fast.gateway.credentials import Credentials
from nexus_fast.log import Logger
from nexus_fast.order.budgets import Windows
from nexus_fast.order.events import BalanceUpdate, OrderUpdate, Unreadable

REQUEST_SECONDS = 10.0
PING = b'{"op":"ping"}'
PING_SECONDS = 20.0


class BybitAccount(Account):
    has_websocket_entry = True
    clock_codes = frozenset({CLOCK_CODE})
    instrument_type = InstrumentType.LINEAR      # of a position that does not say; all of this account's do

    def __init__(self, host: Any, account_type: Any, index: int, credentials: Credentials, endpoints: dict[str, str]):
        super().__init__(host, account_type, index, BybitRest(endpoints["rest"], credentials), Logger("bybit.account"))
        self._credentials = credentials
        self._endpoints = endpoints
        self._data = UserData(self._settled_in, self._on_hedged)
        self._questions = AccountRest(account_type, self._rest, host.core.instruments, self._data.fills)
        self._replies: dict[tuple[str, str], asyncio.Future] = {}
        self._refused = asyncio.get_running_loop().create_future()
        self._subscribed = False
        self._pinged_at = 0.0
        self._trade = self._connection("trade", self._on_trade_message, self._on_trade_up, self._on_trade_down)
        self._private = self._connection("private", self._on_private_message, self._on_private_up, self._on_private_down)
        self.limits = OrderLimits(host.budgets, int(endpoints.get(LIMIT_FACTOR, 1)))
        self._answers = OrderAnswers(self, host, self._log)

    def _connection(self, name: str, on_message: Any, on_up: Any, on_down: Any) -> WebSocketConnection:
        async def address() -> str:
            return self._endpoints[name]

        handler = CommandFeed(on_message, self._on_message_error, self._host.deferred)
        return WebSocketConnection(
            f"bybit {name}",
            address,
            handler,
            self._host.poller,
            urgent=False,
            on_up=on_up,
            on_down=on_down,
            ssl_context=self._host.ssl_context,
        )

    # ------------------------------------------------------------------------------------------ life

    async def open(self) -> None:
        """Clock, snapshot, position mode; then the connections. Raises CredentialError or PositionModeError."""
        try:
            self._set_clock_offset(await self._read_clock())
            await self._snapshot()
            await self._questions.require_one_way()
        except VenueError as error:
            if error.code in KEY_CODES or error.status == 401:
                raise self._credential_error(error) from None
            raise
        self._pinged_at = time.monotonic()
        self._trade.start()
        self._private.start()
        ready = asyncio.ensure_future(self.ready.wait())
        await asyncio.wait((ready, self._refused), timeout=REQUEST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._refused.done():
            raise self._credential_error(self._refused.result())

    def _credential_error(self, error: VenueError) -> CredentialError:
        return CredentialError(
            f"{self.account_type}: the venue refused the API key or its signature ({error}). Check api_key and secret in "
            "BasicConfig, the key's permissions and expiry, its IP list, and testnet=."
        )

    async def close(self) -> None:
        self.channel.detach()
        await self._end_tasks()
        await self._trade.stop()
        await self._private.stop()
        await self._rest.close()
        self._refused.cancel()

    def order_windows(self, instrument: Any) -> Windows:
        return self.limits.windows(CATEGORIES[instrument.type])

    def templates(self, instrument: Any) -> Any:
        """The requests of one symbol on this account."""
        return order_templates(
            CATEGORIES[instrument.type],
            instrument.venue_symbol,
            price_scale=instrument.price_scale,
            size_scale=instrument.size_scale,
            recv_window=self._host.recv_window_ms,
        )

    def renew_trade(self) -> None:
        """The trade connection takes no more requests."""
        self._trade.drop()

    def check(self) -> None:
        """Often: pings, and whether orders still go out."""
        self._check_sending(self._trade)
        now = time.monotonic()
        if now - self._pinged_at >= PING_SECONDS:
            self._pinged_at = now
            for connection in (self._trade, self._private):
                if connection.is_up:
                    connection.send(PING)

    # ------------------------------------------------------------------------------------------ connections

    async def _ask(self, connection: WebSocketConnection, name: str, op: str, args: list) -> None:
        """One cold request and its answer. Raises VenueError, ConnectionError, TimeoutError."""
        future = asyncio.get_running_loop().create_future()
        self._replies[name, op] = future
        try:
            connection.send(msgspec.json.encode({"op": op, "args": args}))
            async with within(REQUEST_SECONDS, f"{name} {op}"):
                await future
        finally:
            self._replies.pop((name, op), None)

    async def _authenticate(self, connection: WebSocketConnection, name: str) -> None:
        try:
            now = time.time_ns() // 1_000_000 + self.channel.clock_offset_ms
            await self._ask(connection, name, "auth", auth_arguments(self._credentials, now))
        except VenueError as error:
            if not self._has_been_ready and not self._refused.done():
                self._refused.set_result(error)
            raise

    def _reply(self, name: str, op: str, code: int | None, text: str) -> None:
        future = self._replies.get((name, op))
        if future is None or future.done():
            return
        if code == 0:
            future.set_result(None)
        else:
            future.set_exception(VenueError(code if code is not None else "refused", f"{text} ({name} {op})", venue="bybit"))

    def _fail(self, name: str) -> None:
        for (connection, _), future in self._replies.items():
            if connection == name and not future.done():
                future.set_exception(ConnectionError("the connection was lost before the answer came"))

    def _on_trade_up(self, connection: WebSocketConnection) -> None:
        self._spawn(self._prepared(connection, self._prepare_trade))

    async def _prepare_trade(self) -> None:
        await self._authenticate(self._trade, "trade")
        self._attach(self._trade)
        await self._became_ready()

    def _on_trade_down(self) -> None:
        self._lose_orders()
        self._fail("trade")
        self._host.on_connection_lost(self)

    def _on_trade_message(self, payload: bytes) -> None:
        answer = decode_answer(payload)
        if answer.op in ("ping", "pong"):
            return
        if answer.req_id is None or answer.op == "auth":
            self._reply("trade", answer.op, answer.ret_code, answer.ret_msg)
            if answer.op != "auth":
                self._log.error(f"the venue answered without an id: {payload[:400]!r}")
            return
        self._answers.on_answer(answer)

    def _on_private_up(self, connection: WebSocketConnection) -> None:
        self._spawn(self._prepared(connection, self._prepare_private))

    async def _prepare_private(self) -> None:
        """Log on and subscribe. The fastest topic of executions is one that a venue may not have for an account."""
        await self._authenticate(self._private, "private")
        await self._ask(self._private, "private", "subscribe", TOPICS)
        try:
            await self._ask(self._private, "private", "subscribe", [FAST_TOPIC])
        except VenueError as error:
            self._log.warning(f"no fast executions: {error}")
        if self._host.safety.switch_seconds(self.account_type):
            await self._protect()
        self._subscribed = True
        await self._became_ready()

    async def _protect(self) -> None:
        """Disconnect protection counts the private connections that are subscribed to its topics."""
        try:
            await self._ask(self._private, "private", "subscribe", DCP_TOPICS)
        except VenueError as error:
            self._log.error(f"no disconnect protection, which the venue gives to institutional clients: {error}")

    def _on_private_down(self) -> None:
        self._subscribed = False
        self._losses += 1
        self.ready.clear()
        self._fail("private")
        self._host.on_private_status(self, "disconnected")

    def _on_private_message(self, payload: bytes) -> None:
        message = decode_message(payload)
        if message.topic:
            self._on_events(message)
        elif message.op not in ("ping", "pong"):
            self._reply("private", message.op, 0 if message.success else None, message.ret_msg)

    def _on_events(self, message: Message) -> None:
        for event in self._data.events(message):
            if isinstance(event, OrderUpdate):
                self._on_order(event)
            elif isinstance(event, BalanceUpdate):
                self._host.on_balance(self, event)
            elif isinstance(event, Unreadable):
                self._host.on_unreadable(self)
            else:
                self._host.on_positions(self, [event], complete=False)

    def _on_order(self, update: OrderUpdate) -> None:
        """The stream has no event for an amendment: it is an order whose price or quantity is another than ours."""
        tracker = self._host.tracker
        number = tracker.number_of(update, self.index) if update.client_id else 0
        if not number:
            self._host.on_order_update(self, update)
            return
        tracker.drain()
        awaited = tracker.ledger.state(number) in ("PENDING", "UNKNOWN")
        tracker.adopt(number, update)
        if awaited and update.event == "FILL":
            tracker.ledger.answered(number)          # a fill says that the order is there, as an acceptance does
        if update.reason and update.event in ("ACCEPTED", "FILL"):
            self._answers.on_late_refusal(number, update.reason)

    def _on_hedged(self, venue_symbol: str) -> None:
        self._log.error(f"{self.account_type} {HEDGED.format(symbol=venue_symbol)} Its position there is not followed.")

    def _settled_in(self, category: str, venue_symbol: str) -> str | None:
        kind = next((type for type, name in CATEGORIES.items() if name == category), None)
        instrument = self._host.core.by_venue_symbol(ExchangeType.BYBIT, kind, venue_symbol)
        return None if instrument is None else instrument.settle

    # ------------------------------------------------------------------------------------------ state

    @property
    def _is_open(self) -> bool:
        return self.channel.ready and self._subscribed

    async def _snapshot(self) -> None:
        """Balances and positions as the venue has them now. Raises PositionModeError."""
        self._host.on_balance(self, await self._questions.balances())
        positions = await self._questions.positions()
        self._host.on_positions(self, positions, not positions.odd)

    async def refresh(self) -> dict[str, Any]:
        """After a reconnect: balances, positions and the orders that are open at the venue, by client id."""
        await self._snapshot()
        return await self._questions.open_orders()

    async def query(self, instrument: Any, client_id: str) -> OrderUpdate | None:
        """What the venue knows of an order; None when it knows none. Over REST: another path than the one whose silence is
        asked about."""
        return await self._questions.order(instrument, client_id)

    async def trades(self, instrument: Any, client_id: str, venue_id: str) -> list[OrderUpdate]:
        """The fills of an order; asked for when those that were heard of do not add up."""
        return await self._questions.trades(instrument, client_id)

    async def cancel_foreign(self, instrument: Any, client_id: str) -> None:
        """Cancel an order that this engine did not place."""
        await self._questions.cancel(instrument, client_id)
