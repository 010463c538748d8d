"""A private connector of Binance: one account's order entry, user data and snapshot.

    spot             one WebSocket API connection: orders, answers and, by userDataStream.subscribe.signature, the private events
    usd_m, coin_m    one WebSocket API connection for orders, one with a listen key for the private events
    margin           margin_account.py        portfolio margin    portfolio_account.py

With an Ed25519 key the connection logs on once (session.logon) and orders carry no signature. The listen key is kept alive
every LISTEN_KEY_SECONDS, and replaced when the venue says that it has expired. Where what is asked by REST: families.py.
"""

import asyncio
import itertools
import time
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from nexus_fast.answers import reading, require_json, told, within
from nexus_fast.constants import InstrumentType
from nexus_fast.error import CredentialError, UnusableAnswer, VenueError
from nexus_fast.exchange.binance import websocket_api
from nexus_fast.exchange.binance.account_rest import AccountRest
from nexus_fast.exchange.binance.families import family_name
from nexus_fast.exchange.binance.feed import AGE_SECONDS
from nexus_fast.exchange.binance.order_answers import OrderAnswers
from nexus_fast.exchange.binance.outcomes import CLOCK_CODES
from nexus_fast.exchange.binance.rest_orders import RestOrders
from nexus_fast.exchange.binance.user_data import decode
from nexus_fast.feed.commands import OrderFeed
from nexus_fast.feed.connection import WebSocketConnection
from nexus_fast.feed.renewal import renew
from nexus_fast.gateway.binance import order_templates
from nexus_fast.gateway.channel import Channel
from nexus_fast.gateway.credentials import ED25519, Credentials
from nexus_fast.gateway.rest import BinanceRest
from nexus_fast.gateway.signing import signed_ws_params
from nexus_fast.order.events import (
    BalanceUpdate,
    ConnectionClosing,
    OrderUpdate,
    PositionUpdate,
    StreamEnded,
    Unreadable,
)

LISTEN_KEY_SECONDS, LISTEN_KEY_RETRY_SECONDS = 30 * 60, 60
REQUEST_SECONDS = 10.0
OVERLAP_SECONDS = 2.0            # of two connections that bring the same private events


class _ListenKey(msgspec.Struct):
    listen_key: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,512}$")] = msgspec.field(name="listenKey")


_listen_key = msgspec.json.Decoder(_ListenKey)


class BinanceAccount(AccountRest):
    clock_codes = CLOCK_CODES

    def __init__(
        self, host: Any, account_type: Any, index: int, credentials: Credentials, endpoints: dict[str, str], entry: str
    ):
        super().__init__(host, account_type, index, BinanceRest(endpoints["rest"], credentials))
        self.entry = entry
        self._credentials = credentials
        self._endpoints = endpoints
        self._pending: dict[str, asyncio.Future] = {}
        self._numbers = itertools.count(1)
        self._renewing: set[WebSocketConnection] = set()
        self._api = self._make_api()
        self._user = None
        if self._family.listen_key:
            self._user = self._make_user()
        self._answers = OrderAnswers(self, host, self._log)
        self._rest_orders = None
        if entry == "rest":
            name = f"binance {self.family}"
            self._rest_orders = RestOrders(host, name, endpoints["rest"], index, self._answers, self._log)

    def _make_api(self) -> WebSocketConnection | None:
        def on_message(payload: bytes) -> None:
            self._on_api_message(connection, payload)

        connection = self._connection("orders", self._api_url, on_message, self._on_api_up, self._on_api_down)
        return connection

    def _make_user(self) -> WebSocketConnection:
        return self._connection("user data", self._user_url, self._on_user_message, self._on_user_up, self._on_user_down)

    def _connection(self, what: str, url: Any, on_message: Any, on_up: Any, on_down: Any) -> WebSocketConnection:
        return WebSocketConnection(
            f"binance {self.family} {what}",
            url,
            OrderFeed(self._host.core.entry, on_message, self._on_message_error, self._host.deferred),
            self._host.poller,
            urgent=False,
            on_up=on_up,
            on_down=on_down,
            ssl_context=self._host.ssl_context,
        )

    # ------------------------------------------------------------------------------------------ life

    async def open(self) -> None:
        """Clock, position mode, snapshot; then the connections. Raises CredentialError or PositionModeError."""
        try:
            self._set_clock_offset(await self._read_clock())
            await self._require_one_way()
            await self._snapshot()
            await self._read_order_limits()
        except VenueError as error:
            if error.code in (-2008, -2014, -2015, -1022):
                raise CredentialError(
                    f"{self.account_type}: the venue refused the API key or its signature ({error}). Check api_key and "
                    "secret in BasicConfig, the key's permissions, its IP list, and testnet=."
                ) from None
            raise
        if self._user is not None:
            self._user.start()
            self._keep("the listen key", self._keep_listen_key)
        if self._api is not None:
            self._api.start()
        if self._rest_orders is not None:
            async with within(REQUEST_SECONDS, "the REST order connection"):
                await self._rest_orders.start()

    async def close(self) -> None:
        self.channel.detach()
        await self._end_tasks()
        if self._rest_orders is not None:
            await self._rest_orders.stop()
        if self._api is not None:
            await self._api.stop()
        if self._user is not None:
            await self._user.stop()
        await self._rest.close()

    @property
    def has_websocket_entry(self) -> bool:
        return self.entry == "ws"

    def channels(self, instrument: Any) -> list[Channel]:
        """The ways out for one symbol's requests, best first."""
        return [self.channel] if self._rest_orders is None else self._rest_orders.channels

    def templates(self, instrument: Any) -> Any:
        """The requests of one symbol on this account."""
        self._note_traded(instrument)
        rest = urlsplit(self._endpoints["rest"])
        logged_on = self.entry == "ws" and self._credentials.kind == ED25519
        return order_templates(
            family_name(self.account_type, instrument.type),
            instrument.venue_symbol,
            entry=self.entry,
            price_scale=instrument.price_scale,
            size_scale=instrument.size_scale,
            api_key=None if logged_on else self._credentials.api_key,
            secret=None if logged_on else self._credentials.hmac_secret,
            recv_window=self._host.recv_window_ms,
            host=rest.netloc,
            base_path=rest.path,
        )

    def _set_clock_offset(self, milliseconds: int) -> None:
        rest = [] if self._rest_orders is None else self._rest_orders.channels
        for channel in (self.channel, *rest):
            channel.clock_offset_ms = milliseconds

    # ------------------------------------------------------------------------------------------ order connection

    async def _api_url(self) -> str:
        return f"{self._endpoints['ws_api']}?returnRateLimits=false"

    def _on_api_up(self, connection: WebSocketConnection) -> None:
        self._spawn(self._prepared(connection, partial(self._prepare_api, connection)))

    async def _prepare_api(self, connection: WebSocketConnection) -> None:
        """Log on where the key allows it, subscribe to the private events, then let orders through."""
        await self._introduce(connection)
        if connection is self._api:              # not succeeded meanwhile
            self._attach(connection)
            await self._became_ready()

    async def _introduce(self, connection: WebSocketConnection) -> None:
        if self._credentials.kind == ED25519:
            await self.ask("session.logon", signed=True, recv_window=None, connection=connection)
        await self._subscribe(connection)

    async def _subscribe(self, connection: WebSocketConnection) -> None:
        """To the private events, where they come over this connection."""
        if self.family == "spot":
            await self.ask("userDataStream.subscribe.signature", signed=True, recv_window=None, connection=connection)

    async def _renew_api(self, old: WebSocketConnection) -> None:
        """Make before break: orders go over the new connection, answers are still read from the old one."""

        def swap(new: WebSocketConnection) -> None:
            self._api = new
            self._attach(new)
            self._make_up()

        await self._succeed(old, self._make_api, self._introduce, swap, REQUEST_SECONDS)

    async def _renew_user(self, old: WebSocketConnection) -> None:
        """Both connections bring the same events for a while, and each event counts once."""

        def swap(new: WebSocketConnection) -> None:
            self._user = new
            self._make_up()
            self._keep("the reconcile", self._reconcile)        # the old one may have been deaf: nobody would have noticed

        async def prepare(new: WebSocketConnection) -> None:
            """The listen key in its address is all that it needs."""

        await self._succeed(old, self._make_user, prepare, swap, OVERLAP_SECONDS)

    async def _reconcile(self) -> None:
        async with self._reconciling:
            if self.ready.is_set():
                await self._host.resynchronise(self)

    def _make_up(self) -> None:
        """The old connection was lost before the new one was there: what came in between is asked for."""
        if not self.ready.is_set():
            self._keep("the reconcile", self._became_ready)

    async def _succeed(self, old: Any, make: Any, prepare: Any, swap: Any, overlap_seconds: float) -> None:
        try:
            await renew(old, make, prepare, swap, overlap_seconds)
        finally:
            self._renewing.discard(old)

    def _on_closing(self, connection: WebSocketConnection | None) -> None:
        """The venue is about to close this connection, by notice or by age. Of several notices at once the first counts: of two
        successors one would be nobody's, and its end would take the way out from the other."""
        if connection is None or not connection.is_up or connection in self._renewing:
            return
        self._renewing.add(connection)
        self._spawn(self._renew_user(connection) if connection is self._user else self._renew_api(connection))

    def check(self) -> None:
        """Often: whether orders still go out, and the age of the connections."""
        self._check_sending(self._api)
        for connection in (self._api, self._user):
            if connection is not None and time.monotonic() - connection.connected_at > AGE_SECONDS:
                self._on_closing(connection)

    def _on_api_down(self) -> None:
        self._lose_orders()
        for future in self._pending.values():
            if not future.done():
                future.set_exception(ConnectionError("the connection was lost before the answer came"))
        self._pending.clear()
        self._host.on_connection_lost(self)

    async def ask(
        self,
        method: str,
        params: dict | None = None,
        *,
        signed: bool = False,
        recv_window: int | None = 5000,
        connection: WebSocketConnection | None = None,
    ) -> Any:
        """One cold request over the order connection, or one that is to take its place; the raw result. Raises VenueError,
        ConnectionError, TimeoutError."""
        request_id = f"r{next(self._numbers)}"
        content: dict[str, Any] = {"id": request_id, "method": method}
        if signed:
            now = time.time_ns() // 1_000_000 + self.channel.clock_offset_ms
            content["params"] = signed_ws_params(params or {}, self._credentials, now, recv_window)
        elif params:
            content["params"] = params
        future = asyncio.get_running_loop().create_future()
        self._pending[request_id] = future
        try:
            (connection or self._api).send(msgspec.json.encode(content))
            async with within(REQUEST_SECONDS, method):
                return await future
        finally:
            self._pending.pop(request_id, None)

    def _on_api_message(self, connection: WebSocketConnection, payload: bytes) -> None:
        answer = websocket_api.decode_answer(payload)
        if answer.event:
            self._on_answer_event(connection, answer, decode(answer.event))
        elif answer.id is None:
            self._on_revoked(answer)
        elif isinstance(answer.id, str) and answer.id in self._pending:
            self._resolve(self._pending[answer.id], answer)
        else:
            self._answers.on_answer(str(answer.id), answer)

    def _on_answer_event(self, connection: WebSocketConnection, answer: websocket_api.Answer, events: list) -> None:
        self._on_events(events)

    def _resolve(self, future: asyncio.Future, answer: websocket_api.Answer) -> None:
        if future.done():
            return
        if answer.error is None and answer.status < 300:
            future.set_result(answer.result)
        else:
            error = answer.error or websocket_api.ApiError()
            future.set_exception(VenueError(error.code, error.msg, venue="binance", status=answer.status))

    def _on_revoked(self, answer: websocket_api.Answer) -> None:
        """id null: the session was revoked, or the venue could not read a request. What is under way is in doubt."""
        text = answer.error.msg if answer.error else "no text"
        self._log.error(f"the venue answered without an id: status {answer.status}, {text}")
        if answer.status in (401, 403):
            self._api.drop()

    # ------------------------------------------------------------------------------------------ user data

    async def _user_url(self) -> str:
        body = await self._rest.request("POST", self._family.listen_key, keyed=True)
        address = self._endpoints.get("private") or self._endpoints["stream"]
        with reading("the listen key"):
            return f"{address}/ws/{_listen_key.decode(body).listen_key}"

    async def _keep_listen_key(self) -> None:
        wait = LISTEN_KEY_SECONDS
        while True:
            await asyncio.sleep(wait)
            wait = LISTEN_KEY_SECONDS
            try:
                require_json(await self._rest.request("PUT", self._family.listen_key, keyed=True), "the answer to its renewal")
            except (OSError, UnusableAnswer) as error:
                wait = LISTEN_KEY_RETRY_SECONDS
                self._log.warning(f"the listen key could not be kept alive: {told(error)}; trying again in {wait:.0f} s")
            except VenueError as error:
                self._log.warning(f"the listen key could not be kept alive ({error}); taking a new one")
                self._user.drop()

    def _on_user_up(self, connection: WebSocketConnection) -> None:
        self._spawn(self._prepared(connection, self._became_ready))

    def _on_user_down(self) -> None:
        self._losses += 1
        self.ready.clear()
        self._host.on_private_status(self, "disconnected")

    def _on_user_message(self, payload: bytes) -> None:
        events = decode(payload)
        if events and isinstance(events[0], ConnectionClosing):
            self._log.warning(f"user data: {events[0].reason}")
            self._on_closing(self._user)
        else:
            self._on_events(events)

    def _on_events(self, events: list) -> None:
        for event in events:
            if isinstance(event, OrderUpdate):
                self._limits.on_update(event)
                self._add_cost(event)
                self._host.on_order_update(self, event)
            elif isinstance(event, BalanceUpdate):
                self._host.on_balance(self, event)
            elif isinstance(event, PositionUpdate):
                self._host.on_positions(self, [event], complete=False)
            elif isinstance(event, Unreadable):
                self._host.on_unreadable(self)
            elif isinstance(event, ConnectionClosing):
                self._log.warning(f"order connection: {event.reason}")
                self._on_closing(self._api)
            elif isinstance(event, StreamEnded):
                self._log.warning(f"{event.reason}; connecting again")
                (self._user or self._api).drop()

    def _add_cost(self, update: OrderUpdate) -> None:
        """What coin-margined fills were worth in coins, which depends on the contract's size."""
        if update.cost is None and update.filled and update.average:
            find = self._host.core.by_venue_symbol
            instrument = find(self.account_type.exchange, InstrumentType.INVERSE, update.venue_symbol)
            if instrument is not None:
                update.cost = instrument.cost(update.average, update.filled)

    @property
    def _is_open(self) -> bool:
        return self.channel.ready and (self._user is None or self._user.is_up)
