# seam: the one place where Python's Decimals, enums and strings become indices and mantissas, and back.
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeASCII
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset, strncpy

from nexus_fast.core.book cimport bookl1_from_record
from nexus_fast.core.decimals cimport to_mantissa
from nexus_fast.core.types cimport (
    NX_BUY,
    NX_FILL_HAS_FEE,
    NX_FILL_HAS_POSITION,
    NX_FILL_HAS_TRADE_ID,
    NX_FILL_RECOVERED,
    NX_FOK,
    NX_IOC,
    NX_LIMIT,
    NX_LIQUIDITY_UNKNOWN,
    NX_MAKER,
    NX_MARKET,
    NX_ORDER_REDUCE_ONLY,
    NX_POST_ONLY,
    NX_SELL,
    NX_TAKER,
    nx_fill,
)
from nexus_fast.order.reasons cimport (
    NX_REASON_INEXACT,
    NX_REASON_JOURNAL_FULL,
    NX_REASON_NO_ROUTE,
    NX_REASON_ORDER_OVER,
    NX_REASON_PRICE_MISSING,
)
from nexus_fast.order.route cimport NO_ACCOUNT, nx_route
from nexus_fast.order.states cimport state_is_closed

from nexus_fast.constants import OrderSide, OrderType, TimeInForce
from nexus_fast.error import OrderError, StrategyBuildError
from nexus_fast.strategy.api import StrategyApi

cdef object BUY = OrderSide.BUY
cdef object SELL = OrderSide.SELL
cdef object MARKET = OrderType.MARKET
cdef object LIMIT = OrderType.LIMIT
cdef object POST_ONLY = OrderType.POST_ONLY
cdef object GTC = TimeInForce.GTC
cdef object IOC = TimeInForce.IOC
cdef object FOK = TimeInForce.FOK
cdef object LARGEST = 2**63 - 1

cdef class StrategyCore:
    def __cinit__(self, *args, **kwargs):
        self.symbol_ids = {}
        self.symbol_names = []
        self.symbol_exchanges = []
        self.account_ids = {}

    cdef int on_quote(self, const nx_bookl1* book) except -1:
        if self.python_on_bookl1 is not None:
            self.python_on_bookl1(bookl1_from_record(
                book, self.symbol_exchanges[book.symbol_id], self.symbol_names[book.symbol_id]))
        return 0

    cdef int on_execution(self, const nx_fill* fill) except -1:
        return 0

    cdef int on_execution_fee(self, const nx_fill* fill) except -1:
        return 0

    cdef int on_order(self, const nx_order* order, uint8_t event) except -1:
        return 0

    cdef int64_t send_order(self, uint32_t symbol_id, uint8_t side, uint8_t type, int64_t price, int64_t quantity,
                            uint8_t time_in_force=NX_GTC, uint8_t flags=0) noexcept nogil:
        if self.entry is None:
            return -NX_REASON_NO_ROUTE
        return self.entry.submit(symbol_id, NO_ACCOUNT, side, type, time_in_force, flags, price, quantity, self.index, NULL, 0)

    cdef int64_t send_order_on(self, uint8_t account, uint32_t symbol_id, uint8_t side, uint8_t type, int64_t price,
                               int64_t quantity, uint8_t time_in_force=NX_GTC, uint8_t flags=0) noexcept nogil:
        if self.entry is None:
            return -NX_REASON_NO_ROUTE
        return self.entry.submit(symbol_id, account, side, type, time_in_force, flags, price, quantity, self.index, NULL, 0)

    cdef int send_cancel(self, uint64_t order_number) noexcept nogil:
        cdef nx_order* order = NULL if self.entry is None else self.entry.table.by_number(order_number)
        if order == NULL or state_is_closed(order.state):
            return -NX_REASON_ORDER_OVER
        return self.entry.cancel(order)

    cdef int send_modify(self, uint64_t order_number, int64_t price, int64_t quantity) noexcept nogil:
        cdef nx_order* order = NULL if self.entry is None else self.entry.table.by_number(order_number)
        if order == NULL or state_is_closed(order.state):
            return -NX_REASON_ORDER_OVER
        return self.entry.modify(order, price, quantity)

    cdef uint8_t account_number(self, object account_type, str symbol) except? 254:
        cdef uint32_t symbol_id = self.symbol_number(symbol)
        cdef uint8_t account = self.account_index(symbol_id, account_type)
        if self.entry.routes.find(symbol_id, account) == NULL:
            self._nexus_runtime.prepare_route(symbol_id, account)
        return account

    cdef uint32_t symbol_number(self, str symbol) except? 4294967295:
        return self.symbol_ids[symbol]

    cdef double average_price(self, uint64_t order_number) except? -1.0:
        cdef const nx_order* order = self.order(order_number)
        if order == NULL:
            return 0.0
        known = self.cache.get_order(order.client_id[:order.client_id_length].decode())
        return 0.0 if known is None or known.average is None else known.average

    cdef const nx_order* order(self, uint64_t order_number) noexcept nogil:
        return NULL if self.entry is None else self.entry.table.by_number(order_number)

    def create_order(self, str symbol, side, type, amount, price=None, time_in_force=GTC, bint reduce_only=False,
                     client_oid=None, idempotency_key=None, account_type=None, **kwargs):
        """Send an order by the account's fastest entry; returns its oid at once. What becomes of it comes to the
        on_…_order callbacks: an order that our own checks refuse comes to on_failed_order with a reason.

        symbol: "BTCUSDT.BINANCE", "BTCUSDT-PERP.BINANCE"; amount, price: Decimal (base units or contracts, quote units);
        account_type: overrides the account that the symbol takes by itself. Raises OrderError or RouteError for a call
        that can never be an order: an account that is not configured, an argument that is not known."""
        cdef uint8_t side_code, type_code, time_code = NX_GTC, account
        cdef uint32_t symbol_id
        cdef int64_t price_mantissa = 0, quantity = 0, number
        cdef nx_route* route
        cdef const char* client_id = NULL
        cdef Py_ssize_t client_id_length = 0
        if self.entry is None:
            raise StrategyBuildError("create_order was called before the engine was built or after its end; call it from on_start or a "
                                     "later callback")
        if kwargs or idempotency_key is not None or client_oid is not None:
            existing = self._nexus_runtime.before_create(self, symbol, client_oid, idempotency_key, kwargs)
            if existing is not None:
                return existing
        side_code = NX_BUY if side is BUY else NX_SELL if side is SELL else code_of_side(side)
        if type is MARKET:
            type_code = NX_MARKET
        elif type is LIMIT:
            type_code = NX_LIMIT
        elif type is POST_ONLY:
            type_code = NX_POST_ONLY
        else:
            raise OrderError(f"create_order was given type {type!r}; it takes MARKET, LIMIT and POST_ONLY "
                             "(take-profit and stop-loss orders: create_tp_sl_order)")
        if time_in_force is not GTC:
            time_code = NX_IOC if time_in_force is IOC else NX_FOK if time_in_force is FOK else code_of_time(time_in_force)
        found = self.symbol_ids.get(symbol)
        if found is None:
            return self._nexus_runtime.refuse_unknown(self, symbol, side, type, amount, price, time_in_force, reduce_only, client_oid,
                                                account_type)
        symbol_id = found
        account = self.account_index(symbol_id, account_type)
        route = self.entry.routes.find(symbol_id, account)
        if route == NULL:
            self._nexus_runtime.prepare_route(symbol_id, account)
            route = self.entry.routes.find(symbol_id, account)
        if client_oid is not None:
            client_id = PyUnicode_AsUTF8AndSize(client_oid, &client_id_length)
        if type_code != NX_MARKET and price is None:
            return refused(self, NX_REASON_PRICE_MISSING, symbol, side, type, amount, price, time_in_force, reduce_only, client_oid)
        if not to_mantissa(amount, route.size_scale, &quantity) or (
                type_code != NX_MARKET and not to_mantissa(price, route.price_scale, &price_mantissa)):
            return refused(self, NX_REASON_INEXACT, symbol, side, type, amount, price, time_in_force, reduce_only, client_oid)
        if idempotency_key is not None and not self._nexus_runtime.journal_key(idempotency_key, client_oid):
            return refused(self, NX_REASON_JOURNAL_FULL, symbol, side, type, amount, price, time_in_force, reduce_only, client_oid)
        if self.rehearses:
            number = self.entry.table.newest()
        else:
            number = self.entry.submit(symbol_id, account, side_code, type_code, time_code,
                                       NX_ORDER_REDUCE_ONLY if reduce_only else 0, price_mantissa, quantity, self.index,
                                       client_id, <uint8_t>client_id_length)
        if number < 0:
            number = self.entry.refused_number
            if number == 0:
                raise OrderError("the order table is full: 65536 orders are open or in doubt; cancel some")
        if client_oid is not None:
            self.entry.table.named[client_oid.encode()] = number
        order = self.entry.table.by_number(number)
        oid = PyUnicode_DecodeASCII(order.client_id, order.client_id_length, NULL)
        if idempotency_key is not None:
            self._nexus_runtime.remember_key(idempotency_key, oid)
        return oid

    def create_order_ws(self, symbol, side, type, amount, price=None, time_in_force=GTC, reduce_only=False,
                        client_oid=None, idempotency_key=None, account_type=None, **kwargs):
        """As create_order, which goes by the venue's WebSocket API wherever there is one. With ws_fallback=False an account
        without one is refused with a RouteError."""
        if not kwargs.pop("ws_fallback", True):
            self._nexus_runtime.require_websocket_entry(symbol, account_type)
        return self.create_order(symbol, side, type, amount, price, time_in_force, reduce_only, client_oid,
                                 idempotency_key, account_type, **kwargs)

    def cancel_order(self, symbol, oid, account_type=None, **kwargs):
        """Ask the venue to cancel; returns the oid. The answer comes to a callback: the order's end (on_canceled_order, or
        on_filled_order, on_expired_order where that was faster), or on_cancel_failed_order with `order.reason`, as for an order
        that is over or that nobody knows. Raises OrderError for what can never be a cancel: no oid, another symbol than the order's,
        an argument that is not known."""
        cdef nx_order* order
        cdef int status
        if self.entry is None:
            raise StrategyBuildError("cancel_order was called before the engine was built or after its end; call it from on_start or a "
                                     "later callback")
        order = order_named(self, "cancel_order", symbol, oid, kwargs)
        if order == NULL:
            self._nexus_runtime.orders.cancel_unknown(self, symbol, oid, account_type)
        elif state_is_closed(order.state):
            self._nexus_runtime.orders.cancel_too_late(self, order.number)
        else:
            status = self.entry.cancel(order)
            if status:
                self._nexus_runtime.orders.cancel_failed(order.number, -status)
        return oid

    def cancel_order_ws(self, symbol, oid, account_type=None, **kwargs):
        """As cancel_order, which goes by the venue's WebSocket API wherever there is one."""
        return self.cancel_order(symbol, oid, account_type, **kwargs)

    def modify_order(self, symbol, oid, side=None, price=None, amount=None, account_type=None, **kwargs):
        """Change price, amount or both of an open order where the venue can (Binance futures: loses the queue position); returns
        the oid. The answer comes to a callback: on_modified_order, or on_modify_failed_order with `order.reason`, as for what our own
        checks refuse, for an order that is over or that nobody knows; or the order's end where that was faster. Raises OrderError
        for what can never be a modification: no oid, another symbol or side than the order's, nothing to change, no number, an
        argument that is not known."""
        cdef nx_order* order
        cdef int64_t price_mantissa, quantity
        cdef int status
        if self.entry is None:
            raise StrategyBuildError("modify_order was called before the engine was built or after its end; call it from on_start or a "
                                     "later callback")
        order = order_named(self, "modify_order", symbol, oid, kwargs)
        if price is None and amount is None:
            raise OrderError(f"modify_order({symbol}, {oid}): price and amount are None: give what is to change")
        if order == NULL:
            self._nexus_runtime.orders.modify_unknown(self, symbol, oid)
            return oid
        if side is not None and code_of_side(side) != order.side:
            raise OrderError(f"modify_order({symbol}, {oid}): side is {side}, and the order is a "
                             f"{'SELL' if order.side == NX_SELL else 'BUY'}: a modification does not turn it")
        if state_is_closed(order.state):
            self._nexus_runtime.orders.modify_too_late(self, order.number)
            return oid
        price_mantissa, quantity = order.price, order.quantity
        if price is not None and not to_mantissa(price, order.price_scale, &price_mantissa) or (
                amount is not None and not to_mantissa(amount, order.size_scale, &quantity)):
            status = -NX_REASON_INEXACT
        else:
            status = self.entry.modify(order, price_mantissa, quantity)
        if status:
            self._nexus_runtime.orders.modify_failed(order.number, -status, price, amount)
        return oid

    def cancel_all_orders(self, symbol, account_type=None):
        """Cancel every open order of the symbol, on `account_type` or on every account. Returns the oids whose cancels are on their
        way, each with its own answer (see cancel_order); [] where nothing is open."""
        if self.entry is None:
            raise StrategyBuildError("cancel_all_orders was called before the engine was built or after its end")
        return self._nexus_runtime.orders.cancel_all(symbol, account_type)

    cdef nx_order* find_order(self, object oid):
        cdef Py_ssize_t size
        cdef const char* text = PyUnicode_AsUTF8AndSize(oid, &size)
        cdef nx_order* order = self.entry.table.by_client_id(text, size)
        if order == NULL:
            number = self.entry.table.named.get(oid.encode())
            if number is not None:
                order = self.entry.table.by_number(number)
        return order

    cdef uint8_t account_index(self, uint32_t symbol_id, object account_type) except? 254:
        cdef uint8_t account
        if account_type is None:
            account = self.entry.routes.default_account[symbol_id]
            if account == NO_ACCOUNT:
                self._nexus_runtime.no_account(self.symbol_names[symbol_id])
            return account
        found = self.account_ids.get(account_type)
        if found is None:
            self._nexus_runtime.wrong_account(self.symbol_names[symbol_id], account_type)
        return found


def attach(StrategyCore strategy, runtime, OrderEntry entry, uint8_t index, dict symbol_ids, list names, list exchanges,
           dict account_ids):
    """Called by the engine when it is built. No method: a strategy has no names but those of its interface."""
    strategy._nexus_runtime = runtime
    strategy.entry = entry
    strategy.index = index
    strategy.symbol_ids = symbol_ids
    strategy.symbol_names = names
    strategy.symbol_exchanges = exchanges
    strategy.account_ids = account_ids
    overridden = type(strategy).on_bookl1 is not StrategyApi.on_bookl1
    strategy.python_on_bookl1 = strategy.on_bookl1 if overridden else None


def detach(StrategyCore strategy):
    """Called by the engine at its end: the memory into which orders are written is gone."""
    strategy.entry = None


# ---------------------------------------------------------------------------------------------- what is told in records

cdef extern from *:
    """
    /* Whether a subclass has a C method of its own: Cython shows a method's address in no other way. Compared where it is used, so
       that a Cython with other names does not compile it. */
    #define NX_METHODS(o) (((struct __pyx_obj_10nexus_fast_8strategy_4base_StrategyCore *)(o))->__pyx_vtab)
    #define NX_BASE_METHODS __pyx_vtabptr_10nexus_fast_8strategy_4base_StrategyCore
    #define NX_HEARS_FILLS(o) (NX_METHODS(o)->on_execution != NX_BASE_METHODS->on_execution \
                               || NX_METHODS(o)->on_execution_fee != NX_BASE_METHODS->on_execution_fee)
    #define NX_HEARS_ORDERS(o) (NX_METHODS(o)->on_order != NX_BASE_METHODS->on_order)
    """
    bint NX_HEARS_FILLS(void* strategy)
    bint NX_HEARS_ORDERS(void* strategy)


def hears_fills(strategy):
    """Whether on_execution or on_execution_fee is the strategy's own."""
    return isinstance(strategy, StrategyCore) and NX_HEARS_FILLS(<void*>strategy)


def hears_orders(strategy):
    """Whether on_order is the strategy's own."""
    return isinstance(strategy, StrategyCore) and NX_HEARS_ORDERS(<void*>strategy)


def tell_execution(StrategyCore strategy, fill):
    """A nexus_fast.schema.Fill to on_execution; raises what that raises."""
    cdef nx_fill record
    fill_record(strategy, fill, &record)
    strategy.on_execution(&record)


def tell_execution_fee(StrategyCore strategy, fill):
    """A Fill whose fee has become known to on_execution_fee."""
    cdef nx_fill record
    fill_record(strategy, fill, &record)
    strategy.on_execution_fee(&record)


def tell_order(StrategyCore strategy, uint8_t event, order):
    """What an order callback tells to on_order. event: nx_order_callback; order: a nexus_fast.schema.Order."""
    cdef nx_order* record = strategy.find_order(order.oid)
    strategy.on_order(record, event)


cdef int fill_record(StrategyCore strategy, fill, nx_fill* out) except -1:
    cdef const nx_order* order = strategy.find_order(fill.oid)
    cdef nx_route* route
    cdef bytes currency = (fill.fee_currency or "").encode()
    memset(out, 0, sizeof(nx_fill))
    out.symbol_id = strategy.symbol_ids[fill.symbol]
    out.account = strategy.account_ids[fill.account_type]
    route = strategy.entry.routes.find(out.symbol_id, out.account)
    if order != NULL:
        out.order_number, out.price_scale, out.size_scale = order.number, order.price_scale, order.size_scale
    elif route != NULL:
        out.price_scale, out.size_scale = route.price_scale, route.size_scale
    else:
        raise OrderError(f"a fill of {fill.oid} on {fill.account_type} cannot be written down: {fill.symbol} has no route there")
    out.price, out.quantity = mantissa_near(fill.price, out.price_scale), mantissa_near(fill.amount, out.size_scale)
    out.price_value, out.quantity_value = float(fill.price), float(fill.amount)
    out.average = fill.order.average or 0.0
    out.venue_time_ns = fill.timestamp * 1_000_000
    out.side = NX_BUY if fill.side is BUY else NX_SELL
    out.liquidity = NX_LIQUIDITY_UNKNOWN if fill.is_maker is None else NX_MAKER if fill.is_maker else NX_TAKER
    out.flags = NX_FILL_RECOVERED if fill.recovered else 0
    if fill.trade_id is not None:
        out.trade_id, out.flags = fill.trade_id, out.flags | NX_FILL_HAS_TRADE_ID
    if fill.position is not None:
        out.position, out.flags = mantissa_near(fill.position, out.size_scale), out.flags | NX_FILL_HAS_POSITION
    if fill.fee is not None:
        out.fee_scale = min(18, max(0, -fill.fee.as_tuple().exponent))
        out.fee, out.flags = mantissa_near(fill.fee, out.fee_scale), out.flags | NX_FILL_HAS_FEE
        strncpy(out.fee_currency, currency, sizeof(out.fee_currency) - 1)
    return 0


cdef int64_t mantissa_near(number, int scale) except? -1:
    """The nearest mantissa, half to even; the largest that there is for what is beyond it."""
    cdef int64_t found
    if to_mantissa(number, scale, &found):
        return found
    return max(-LARGEST, min(LARGEST, int(round(number.scaleb(scale)))))


def attach_understudy(StrategyCore strategy, OrderEntry entry, dict symbol_ids, list names, list exchanges):
    """Called by the engine: this one is no strategy of a user's, and its orders are never made."""
    attach(strategy, None, entry, 0, symbol_ids, names, exchanges, {})
    strategy.rehearses = True


cdef object refused(StrategyCore strategy, int reason, symbol, side, type, amount, price, time_in_force, reduce_only, client_oid):
    return strategy._nexus_runtime.refuse(
        strategy, reason, symbol, side, type, amount, price, time_in_force, reduce_only, client_oid)


cdef nx_order* order_named(StrategyCore strategy, str method, object symbol, object oid, dict extra) except? NULL:
    """The order of a request; NULL for an oid that nobody here knows. Raises OrderError for what is no request."""
    cdef nx_order* order
    if extra or not isinstance(oid, str) or not isinstance(symbol, str) or not oid:
        strategy._nexus_runtime.orders.require_arguments(method, symbol, oid, extra)
    order = strategy.find_order(oid)
    if order != NULL and strategy.symbol_ids.get(symbol) != order.symbol_id:
        raise OrderError(f"{method}: {oid} is an order of {strategy.symbol_names[order.symbol_id]}, not of {symbol}")
    return order


cdef uint8_t code_of_side(side) except 255:
    if side is BUY or side in ("BUY", "buy"):
        return NX_BUY
    if side is SELL or side in ("SELL", "sell"):
        return NX_SELL
    raise OrderError(f"side {side!r} is not OrderSide.BUY or OrderSide.SELL")


cdef uint8_t code_of_time(time_in_force) except 255:
    for code, member in enumerate((GTC, IOC, FOK)):
        if time_in_force == member.value:
            return code
    raise OrderError(f"time_in_force {time_in_force!r} is not one of TimeInForce.GTC, IOC, FOK")


cdef class Strategy(StrategyCore, StrategyApi):
    """Base of all strategies: callbacks to override (on_start, on_bookl1, on_filled_order …), orders, subscriptions, the
    cache, the clock, schedules. docs/write-a-strategy.md shows both kinds."""
