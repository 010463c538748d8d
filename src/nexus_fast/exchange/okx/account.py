"""The private connector of OKX: one WebSocket, logged in once, that takes the orders and brings their answers and all
private events; REST for snapshots and for the orders whose outcome is in doubt.

    on_up ─▶ login ─▶ subscribe to orders, account, positions ─▶ the channel takes orders ─▶ reconcile, after a reconnect

A connection that the venue is about to close, or that is old, has its successor prepared before it goes (feed/renewal.py).
One account holds spot, linear and inverse instruments alike.
"""

import asyncio
import time
from functools import partial
from typing import Any

from nexus_fast.answers import reading
from nexus_fast.constants import InstrumentType
from nexus_fast.endpoints import LIMIT_FACTOR
from nexus_fast.error import CredentialError, VenueError
from nexus_fast.exchange.account import Account
from nexus_fast.exchange.okx import snapshot, user_data, websocket_api
from nexus_fast.exchange.okx.conversation import PrivateConnection
from nexus_fast.exchange.okx.instruments import ALL_TYPES, OkxInstrument
from nexus_fast.exchange.okx.order_answers import OPERATIONS, OrderAnswers
from nexus_fast.exchange.okx.order_limits import QUESTION, OrderLimits
from nexus_fast.exchange.okx.outcomes import CLOCK_CODES, KEY_CODES, QUERY_NO_SUCH_ORDER
from nexus_fast.exchange.okx.websocket_api import CLOSING_NOTICE, PING, PONG, Message
from nexus_fast.exchange.rows import Named
from nexus_fast.feed.renewal import renew
from nexus_fast.gateway.okx import order_templates
from nexus_fast.gateway.okx_rest import OkxKey, OkxRest
from nexus_fast.gateway.template import TemplateSet
from nexus_fast.log import Logger
from nexus_fast.order.budgets import Windows
from nexus_fast.order.events import OrderUpdate

LOGIN_SECONDS = 15.0             # how long open() waits for the first login
PING_SECONDS = 15.0              # the venue closes a connection that was silent for 30
OVERLAP_SECONDS = 10.0           # for which the old connection is still read: answers to what went out over it
AGE_SECONDS = 23.5 * 3600        # of a connection that is replaced before the venue ends it
CHANNELS = [
    {"channel": "orders", "instType": "ANY"},
    {"channel": "account", "extraParams": '{"updateInterval": "0"}'},
    {"channel": "positions", "instType": "ANY", "extraParams": '{"updateInterval": "0"}'},
]


class OkxAccount(Account):
    entry = "ws"
    clock_codes = CLOCK_CODES
    has_websocket_entry = True
    # Of positions that do not say theirs; all of ours do.
    instrument_type = InstrumentType.LINEAR

    def __init__(self, host: Any, account_type: Any, index: int, key: OkxKey, endpoints: dict[str, str]):
        rest = OkxRest(endpoints["rest"], key, demo=account_type.is_testnet)
        super().__init__(host, account_type, index, rest, Logger(f"okx.{account_type.value}"))
        self._key = key
        self._url = endpoints["private"]
        self._config: snapshot.Config | None = None
        self._routed: dict[str, OkxInstrument] = {}
        self._positions = user_data.Positions(self.find)
        self._first_login: asyncio.Future | None = None
        self._pinged_ns = 0
        self._renewing = False
        self._limits = OrderLimits(host.budgets, int(endpoints.get(LIMIT_FACTOR, 1)))
        self._answers = OrderAnswers(self, host, self._log)
        self._ws = self._make_connection()

    # ------------------------------------------------------------------------------------------ life

    async def open(self) -> None:
        """Clock, account mode, snapshot; then the connection and its login. Raises CredentialError or PositionModeError."""
        try:
            self._set_clock_offset(await self._read_clock())
            self._use_config(await snapshot.read_config(self._rest, self.account_type))
            await self._snapshot()
            await self._read_order_limits()
        except VenueError as error:
            if error.code in KEY_CODES:
                raise self._credential_error(str(error)) from None
            raise
        self._first_login = verdict = asyncio.get_running_loop().create_future()
        self._ws.start()
        # A venue that is slow is waited for elsewhere; one that refuses the key is not.
        await asyncio.wait((verdict,), timeout=LOGIN_SECONDS)
        self._first_login = None
        if verdict.done() and verdict.exception() is not None:
            await self._ws.stop()
            raise verdict.exception()

    def _credential_error(self, said: str) -> CredentialError:
        return CredentialError(
            f"{self.account_type}: the venue refused the API key, its signature or its passphrase ({said}). Check api_key, "
            "secret and passphrase in BasicConfig, the key's permissions and its IP list; keys of demo trading need "
            "testnet=True and OkxAccountType.DEMO."
        )

    async def close(self) -> None:
        self.channel.detach()
        await self._end_tasks()
        await self._ws.stop()
        await self._rest.close()

    async def _address(self) -> str:
        return self._url

    def _set_clock_offset(self, milliseconds: int) -> None:
        """A request's timestamp is its expTime: when, by the venue's clock, it is too late."""
        self.channel.clock_offset_ms = milliseconds + self._host.recv_window_ms

    # ------------------------------------------------------------------------------------------ routes

    def order_windows(self, instrument: OkxInstrument) -> Windows:
        return self._limits.windows(instrument.venue_symbol)

    async def _read_order_limits(self) -> None:
        """How many orders the venue takes of this account."""
        try:
            with reading("how many orders the venue takes"):
                self._limits.read(await self._rest.get(QUESTION, signed=True))
        except VenueError as error:
            self._log.warning(f"the venue did not say how many orders it takes ({error}); counting by its published limits")

    def templates(self, instrument: OkxInstrument) -> TemplateSet:
        """The requests of one symbol on this account; none for an instrument without instIdCode: its orders are refused here."""
        self._routed[instrument.symbol] = instrument
        scales = {
            "price_scale": instrument.price_scale,
            "size_scale": instrument.size_scale + instrument.contract_shift,
        }
        if instrument.code is None or self._config is None:
            return TemplateSet(**scales)
        mode = self._config.trade_mode(instrument.is_spot)
        return order_templates(instrument.code, trade_mode=mode, spot=instrument.is_spot, **scales)

    def _use_config(self, config: snapshot.Config) -> None:
        """Routes that were prepared while the account's mode was not known are made again."""
        self._config = config
        for symbol in list(self._routed):
            self._host.prepare_route(self._host.core.symbol_ids[symbol], self.index)

    def find(self, inst_id: str) -> OkxInstrument | None:
        """Our instrument of an instId, which is unique among all kinds."""
        by_venue_symbol = self._host.core.by_venue_symbol
        kinds = (by_venue_symbol(self.account_type.exchange, kind, inst_id) for kind in ALL_TYPES)
        return next((instrument for instrument in kinds if instrument is not None), None)

    # ------------------------------------------------------------------------------------------ the connection

    def _make_connection(self) -> PrivateConnection:
        return PrivateConnection(
            f"okx {self.account_type.value} orders",
            self._address,
            self._host,
            self._on_message,
            self._on_message_error,
            on_up=lambda connection: self._spawn(self._prepared(connection, partial(self._prepare, connection))),
            on_down=self._on_down,
        )

    async def _prepare(self, connection: PrivateConnection) -> None:
        """Log in, subscribe to the private events, then let orders through."""
        await self._introduce(connection)
        if connection is self._ws:               # not succeeded meanwhile
            self._attach(connection)
            await self._became_ready()

    async def _introduce(self, connection: PrivateConnection) -> None:
        await self._log_in(connection)
        await asyncio.gather(*(connection.conversation.subscribe(argument) for argument in CHANNELS))

    async def _renew(self) -> None:
        """Make before break: orders go over the new connection, the old one is read until its answers are in. Both bring the same
        events for a while, and each event counts once."""

        def swap(new: PrivateConnection) -> None:
            self._ws = new
            self._attach(new)
            self._keep("the reconcile", self._reconcile)        # balances and positions of two connections may have crossed

        try:
            await renew(self._ws, self._make_connection, self._introduce, swap, OVERLAP_SECONDS)
        finally:
            self._renewing = False

    async def _reconcile(self) -> None:
        if not self.ready.is_set():              # the old one was lost before the new one was there
            await self._became_ready()
            return
        async with self._reconciling:
            await self._host.resynchronise(self)

    def _begin_renewal(self) -> None:
        if not self._renewing and self._ws.is_up:
            self._renewing = True
            self._spawn(self._renew())

    async def _log_in(self, connection: PrivateConnection) -> None:
        now = time.time_ns() // 1_000_000 + self._rest.clock_offset_ms
        try:
            await connection.conversation.log_in(self._key.login_request(now))
        except VenueError as error:
            if error.code in KEY_CODES and self._first_login is not None and not self._first_login.done():
                self._first_login.set_exception(self._credential_error(str(error)))
            raise
        if self._first_login is not None and not self._first_login.done():
            self._first_login.set_result(None)

    def check(self) -> None:
        """Often: keep-alive, age, and whether orders still go out."""
        self._check_sending(self._ws)
        if not self._ws.is_up:
            return
        now = time.monotonic_ns()
        if now - max(self._ws.handler.last_message_ns, self._pinged_ns) > PING_SECONDS * 1e9:
            self._pinged_ns = now
            self._ws.send(PING)
        if time.monotonic() - self._ws.connected_at > AGE_SECONDS:
            self._begin_renewal()

    def _on_down(self) -> None:
        self._lose_orders()
        self._ws.conversation.on_lost()
        self._host.on_connection_lost(self)

    def renew(self, reason: str) -> None:
        """The venue no longer takes this session."""
        self._log.error(f"the order connection is of no more use ({reason}); connecting again")
        self._ws.drop()

    # ------------------------------------------------------------------------------------------ what comes

    def _on_message(self, connection: PrivateConnection, payload: bytes) -> None:
        if payload == PONG:
            return
        message = websocket_api.decode_message(payload)
        if message.op in OPERATIONS:
            self._answers.on_answer(message)
        elif message.event:
            self._on_event(connection, message)
        elif message.channel == "orders":
            self._on_orders(message)
        elif message.channel == "account":
            self._on_account(connection, message)
        elif message.channel == "positions":
            self._on_positions(connection, message)

    def _on_event(self, connection: PrivateConnection, message: Message) -> None:
        if connection.conversation.on_event(message):
            return
        if message.event == "error" and message.id:
            self._answers.on_answer(message)
        elif message.event == "error":
            self._log.error(f"the venue says: {message.code} {message.msg}")
        elif message.event == "notice" and message.code == CLOSING_NOTICE:
            self._log.warning(f"the venue is about to close this connection: {message.msg}")
            if connection is self._ws:
                self._begin_renewal()
        elif message.event == "channel-conn-count-error":
            self.renew("too many connections of this account subscribe to a channel")

    def _on_orders(self, message: Message) -> None:
        updates = user_data.read_orders(message.data, self.find)
        for update in updates:
            self._host.on_order_update(self, update)
        self._ask_about_odd(updates)

    def _ask_about_odd(self, read: Any) -> None:
        """What rows said that could not be read is asked for."""
        if read.odd:
            self._host.on_unreadable(self)

    def _on_account(self, connection: PrivateConnection, message: Message) -> None:
        rows = user_data.accounts.decode(message.data)
        if message.event_type == "snapshot":
            rows = connection.pages["account"].add(message, rows)
        if rows is not None:
            update = user_data.read_balances(rows, complete=False)
            if update.balances:
                self._host.on_balance(self, update)
            self._ask_about_odd(update.balances)

    def _on_positions(self, connection: PrivateConnection, message: Message) -> None:
        rows = user_data.read_positions(message.data)
        self._ask_about_odd(rows)
        if message.event_type != "snapshot":
            self._host.on_positions(self, self._positions.update(rows), complete=False)
            return
        rows = connection.pages["positions"].add(message, rows)
        if rows is not None:
            self._host.on_positions(self, self._positions.replace(rows), not rows.odd)

    # ------------------------------------------------------------------------------------------ state

    async def _snapshot(self) -> None:
        """Balances and positions as the venue has them now."""
        self._host.on_balance(self, await snapshot.balances(self._rest))
        rows = await snapshot.position_rows(self._rest)
        self._host.on_positions(self, self._positions.replace(rows), not rows.odd)

    async def refresh(self) -> dict[str, OrderUpdate]:
        """After a reconnect: balances, positions and the orders that are open at the venue, by client id; those without one by
        the venue's."""
        await self.synchronise_clock()
        await self._snapshot()
        orders = await snapshot.pending_orders(self._rest)
        found = user_data.orders.each(orders, lambda order: snapshot.order_update(order, self.find))
        listed = Named({order.client_id or order.venue_id: order for order in found})
        listed.odd = found.odd
        return listed

    async def query(self, instrument: OkxInstrument, client_id: str) -> OrderUpdate | None:
        """What the venue knows of an order; None when it says that it knows none, neither open nor over."""
        try:
            order = await snapshot.find_order(self._rest, instrument, client_id)
        except VenueError as error:
            if error.code != QUERY_NO_SUCH_ORDER:
                raise
            order = await snapshot.find_in_history(self._rest, instrument, client_id)
        return None if order is None else snapshot.order_update(order, self.find)

    async def trades(self, instrument: OkxInstrument, client_id: str, venue_id: str) -> list[OrderUpdate]:
        """The fills of an order, each with its fee; asked for when those that were heard of do not add up."""
        return await snapshot.fills(self._rest, instrument, client_id, venue_id)

    async def cancel_foreign(self, instrument: OkxInstrument, client_id: str) -> None:
        """Cancel an order that this engine did not place."""
        params = {"instId": instrument.venue_symbol, "clOrdId": client_id}
        await self._rest.request("POST", snapshot.CANCEL_PATH, params, signed=True)
