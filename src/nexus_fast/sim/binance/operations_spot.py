"""Spot requests that concern an account, for REST and WebSocket API alike: each takes a `Call`, gives the result."""

import secrets

from nexus_fast.sim.binance import errors, order_texts
from nexus_fast.sim.binance.errors import VenueError
from nexus_fast.sim.binance.order_texts import Words
from nexus_fast.sim.binance.requests import Call
from nexus_fast.sim.fixed_point import text
from nexus_fast.sim.market import Refused
from nexus_fast.sim.orders import Order, SelfTrade, TimeInForce, Type
from nexus_fast.sim.spot_market import quantity_for

TIMES_IN_FORCE = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
SELF_TRADE_MODES = {"NONE": SelfTrade.NONE, "EXPIRE_TAKER": SelfTrade.EXPIRE_TAKER,
                    "EXPIRE_MAKER": SelfTrade.EXPIRE_MAKER, "EXPIRE_BOTH": SelfTrade.EXPIRE_BOTH}
MAXIMUM_AMENDS = 10
# What a type of order does not have. Names are the venue's.
_UNNEEDED = {"LIMIT": ("stopPrice", "trailingDelta", "quoteOrderQty"),
             "MARKET": ("price", "timeInForce", "stopPrice", "trailingDelta", "icebergQty"),
             "LIMIT_MAKER": ("timeInForce", "stopPrice", "trailingDelta", "quoteOrderQty")}
# What no symbol has here, as exchangeInfo says.
_UNSUPPORTED_TYPES = {"STOP_LOSS": "Stop loss", "STOP_LOSS_LIMIT": "Stop loss", "TAKE_PROFIT": "Take profit",
                      "TAKE_PROFIT_LIMIT": "Take profit"}
_UNSUPPORTED = {"icebergQty": "Iceberg", "pegPriceType": "Pegged", "pegOffsetType": "Pegged", "pegOffsetValue": "Pegged"}
_ANSWERS = {"ACK": order_texts.spot_ack, "RESULT": order_texts.spot_result, "FULL": order_texts.spot_full}


def random_client_id() -> str:
    """22 letters and digits, as the venue makes them up."""
    return secrets.token_hex(11)


# ---- placing


def build_order(call: Call) -> Order:
    """Read the form of a new order; raises `VenueError` for what is missing or malformed."""
    instrument = call.instrument()
    side = call.side()
    form = _type(call)
    mode = call.params.get("selfTradePreventionMode", "EXPIRE_MAKER")
    if mode not in SELF_TRADE_MODES:
        raise VenueError(-1013, "This symbol does not allow the specified self-trade prevention mode.")
    client_id = call.client_id("newClientOrderId") or random_client_id()
    price, time_in_force, kind = 0, "GTC", Type.MARKET
    if form != "MARKET":
        price, time_in_force, kind = _limit_fields(call, form)
    quantity, budget = _quantities(call, form, instrument, side)
    market = call.service.market
    order = Order(market.next_order_id(), client_id, call.account, instrument, side, kind, TIMES_IN_FORCE[time_in_force],
                  price, quantity, self_trade=SELF_TRADE_MODES[mode], words=Words(form, time_in_force, budget))
    order.words.side_effect = call.params.get("sideEffectType", "NO_SIDE_EFFECT")
    return order


def _type(call: Call) -> str:
    """The order's type; what belongs to other types, or to none here, is refused and never ignored."""
    form = call.need("type")
    if form in _UNSUPPORTED_TYPES:
        raise errors.unsupported(_UNSUPPORTED_TYPES[form])
    if form not in _UNNEEDED:
        raise VenueError(-1116, "Invalid orderType.")
    call.refuse_unneeded(_UNNEEDED[form])
    for name, kind in _UNSUPPORTED.items():
        if name in call.params:
            raise errors.unsupported(kind)
    return form


def _limit_fields(call: Call, form: str) -> tuple[int, str, Type]:
    if form == "LIMIT_MAKER":
        return call.amount("price"), "GTC", Type.POST_ONLY
    time_in_force = call.need("timeInForce")
    if time_in_force not in TIMES_IN_FORCE:
        raise VenueError(-1115, "Invalid timeInForce.")
    return call.amount("price"), time_in_force, Type.LIMIT


def _quantities(call: Call, form: str, instrument, side: int) -> tuple[int, int]:
    """(quantity, quoteOrderQty): a market order may name what it wants to spend instead of how much."""
    if form != "MARKET" or "quoteOrderQty" not in call.params:
        return call.amount("quantity"), 0
    if "quantity" in call.params:
        raise errors.unexpected("quoteOrderQty")
    budget = call.amount("quoteOrderQty")
    return quantity_for(call.service.market.books[instrument.symbol], side, budget), budget


def place(call: Call) -> dict:
    answer = _answer_of(call)
    order = build_order(call)
    _submit(call, order)
    return answer(order)


def _submit(call: Call, order: Order) -> None:
    call.book = call.service.market.books[order.instrument.symbol]
    call.service.limits.charge_order(call.account.key, call.service.clock.milliseconds())
    try:
        call.service.market.place(order)
    except Refused as refused:
        raise errors.from_refusal("spot", refused) from None


def _answer_of(call: Call):
    default = "FULL" if call.params.get("type") in ("LIMIT", "MARKET") else "ACK"
    answer = _ANSWERS.get(call.text("newOrderRespType", default))
    if answer is None:
        raise VenueError(-1117, "Invalid newOrderRespType.")
    return answer


def test_order(call: Call) -> dict:
    order = build_order(call)
    try:
        call.service.market.check(order, call.service.market.books[order.instrument.symbol])
    except Refused as refused:
        raise errors.from_refusal("spot", refused) from None
    return {}


# ---- one order


def find(call: Call, id_name: str = "orderId", client_name: str = "origClientOrderId", missing=errors.no_such_order):
    """The account's order that the request names; `missing` makes the error when there is none."""
    instrument = call.instrument()
    order_id = call.integer(id_name)
    client_id = call.params.get(client_name)
    if order_id is None and not client_id:
        raise VenueError(-1102, f"Param '{client_name}' or '{id_name}' must be sent, but both were empty/null!")
    order = call.service.market.orders_of(call.account).find(order_id, client_id)
    if order is None or order.instrument is not instrument:
        raise missing()
    if order_id is not None and client_id and client_id not in (order.client_id, order.original_client_id):
        raise VenueError(-2039, "Client order ID is not correct for this order ID")
    return order


def status(call: Call) -> dict:
    return order_texts.spot_status(find(call))


def cancel(call: Call) -> dict:
    restriction = call.params.get("cancelRestrictions")
    order = find(call, missing=errors.unknown_order)
    _check_restriction(order, restriction)
    return _cancel(call, order, call.client_id("newClientOrderId"))


def _check_restriction(order: Order, restriction: str | None) -> None:
    partly = order.executed > 0
    if (restriction == "ONLY_NEW" and partly) or (restriction == "ONLY_PARTIALLY_FILLED" and not partly):
        raise VenueError(-2011, "Order was not canceled due to cancel restrictions.")


def _cancel(call: Call, order: Order, new_client_id: str | None) -> dict:
    call.book = call.service.market.books[order.instrument.symbol]
    try:
        call.service.market.cancel(order, new_client_id or random_client_id())
    except Refused as refused:
        raise errors.from_refusal("spot", refused) from None
    return order_texts.spot_canceled(order)


def amend(call: Call) -> dict:
    order = find(call, missing=errors.no_such_order)
    quantity = call.amount("newQty")
    if not order.is_open:
        raise errors.unknown_order()
    if order.amends >= MAXIMUM_AMENDS:
        raise errors.from_refusal("spot", Refused("too_many_amends"))
    call.book = call.service.market.books[order.instrument.symbol]
    try:
        call.service.market.amend_quantity(order, quantity, call.client_id("newClientOrderId") or random_client_id())
    except Refused as refused:
        raise errors.from_refusal("spot", refused) from None
    return order_texts.spot_amended(order, call.service.market.last_execution_id)


def cancel_replace(call: Call) -> dict:
    """Cancel one order and place another. Not transactional: 200 when both went well, 409 for one, 400 for none."""
    mode = call.need("cancelReplaceMode")
    if mode not in ("STOP_ON_FAILURE", "ALLOW_FAILURE"):
        raise VenueError(-1102, "Mandatory parameter 'cancelReplaceMode' was not sent, was empty/null, or malformed.")
    answer = _answer_of(call)
    new_order = build_order(call)
    canceled, cancel_error = _attempt(lambda: _cancel(
        call, find(call, "cancelOrderId", "cancelOrigClientOrderId", errors.unknown_order),
        call.client_id("cancelNewClientOrderId")))
    if cancel_error is not None and mode == "STOP_ON_FAILURE":
        raise VenueError(-2022, "Order cancel-replace failed.", 400, {
            "cancelResult": "FAILURE", "newOrderResult": "NOT_ATTEMPTED", "cancelResponse": cancel_error.body(),
            "newOrderResponse": None})
    placed, place_error = _attempt(lambda: _submit(call, new_order) or answer(new_order))
    data = {"cancelResult": "SUCCESS" if cancel_error is None else "FAILURE",
            "newOrderResult": "SUCCESS" if place_error is None else "FAILURE",
            "cancelResponse": canceled if cancel_error is None else cancel_error.body(),
            "newOrderResponse": placed if place_error is None else place_error.body()}
    if cancel_error is None and place_error is None:
        return data
    if cancel_error is not None and place_error is not None:
        raise VenueError(-2022, "Order cancel-replace failed.", 400, data)
    raise VenueError(-2021, "Order cancel-replace partially failed.", 409, data)


def _attempt(action) -> tuple[dict | None, VenueError | None]:
    try:
        return action(), None
    except VenueError as error:
        return None, error


# ---- many orders


def open_orders(call: Call) -> list:
    instrument = call.instrument(mandatory=False)
    orders = call.service.market.orders_of(call.account).open.values()
    return [order_texts.spot_status(o) for o in orders if instrument is None or o.instrument is instrument]


def cancel_open_orders(call: Call) -> list:
    instrument = call.instrument()
    orders = [o for o in call.service.market.orders_of(call.account).open.values() if o.instrument is instrument]
    if not orders:
        raise errors.unknown_order()
    return [_cancel(call, order, None) for order in orders]


def select(items: list, call: Call, key_name: str, key, time) -> list:
    """The window that `startTime`, `endTime`, an id and `limit` cut out of a history, oldest first."""
    first, start, end = call.integer(key_name), call.integer("startTime"), call.integer("endTime")
    if first is not None:
        items = [i for i in items if key(i) >= first]
    if start is not None:
        items = [i for i in items if time(i) >= start]
    if end is not None:
        items = [i for i in items if time(i) <= end]
    limit = min(call.integer("limit", 500), 1000)
    return items[:limit] if first is not None else items[-limit:]


def all_orders(call: Call) -> list:
    instrument = call.instrument()
    orders = [o for o in call.service.market.orders_of(call.account).by_id.values() if o.instrument is instrument]
    return [order_texts.spot_status(o) for o in select(orders, call, "orderId", lambda o: o.order_id, lambda o: o.time)]


def my_trades(call: Call) -> list:
    instrument = call.instrument()
    order_id = call.integer("orderId")
    trades = [t for t in call.service.market.orders_of(call.account).trades
              if t[0].instrument is instrument and order_id in (None, t[0].order_id)]
    chosen = select(trades, call, "fromId", lambda t: t[1].trade_id, lambda t: t[1].time)
    return [order_texts.spot_trade(order, fill, fee, asset, maker) for order, fill, fee, asset, maker, _ in chosen]


# ---- account


def account(call: Call) -> dict:
    ledger = call.ledger
    omit_zero = call.params.get("omitZeroBalances") == "true"
    balances = [{"asset": asset, "free": text(free), "locked": text(ledger.locked.get(asset, 0))}
                for asset, free in ledger.free.items() if not omit_zero or free or ledger.locked.get(asset, 0)]
    return {"makerCommission": 10, "takerCommission": 10, "buyerCommission": 0, "sellerCommission": 0,
            "commissionRates": {"maker": "0.00100000", "taker": "0.00100000", "buyer": "0.00000000",
                                "seller": "0.00000000"},
            "canTrade": True, "canWithdraw": False, "canDeposit": False, "brokered": False,
            "requireSelfTradePrevention": False, "preventSor": False,
            "updateTime": call.service.clock.milliseconds(), "accountType": "SPOT", "balances": balances,
            "permissions": ["SPOT"], "uid": 1}


def commission(call: Call) -> dict:
    rate = {"maker": "0.00100000", "taker": "0.00100000", "buyer": "0.00000000", "seller": "0.00000000"}
    none = dict.fromkeys(rate, "0.00000000")
    return {"symbol": call.instrument().symbol, "standardCommission": rate, "specialCommission": none,
            "taxCommission": none, "discount": {"enabledForAccount": False, "enabledForSymbol": False,
                                                "discountAsset": "BNB", "discount": "0.75000000"}}


def order_rate_limits(call: Call) -> list:
    return call.service.limits.orders_state(call.account.key, call.service.clock.milliseconds())
