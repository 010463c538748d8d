"""Futures orders, USD-M and COIN-M, for REST and WebSocket API alike: each takes a `Call`, gives the result."""

import msgspec

from nexus_fast.sim.binance import errors, order_texts
from nexus_fast.sim.binance.errors import VenueError
from nexus_fast.sim.binance.operations_spot import SELF_TRADE_MODES, random_client_id, select
from nexus_fast.sim.binance.order_texts import Words
from nexus_fast.sim.binance.requests import Call
from nexus_fast.sim.instruments import Instrument
from nexus_fast.sim.market import Refused
from nexus_fast.sim.orders import BUY, Order, TimeInForce, Type

TIMES_IN_FORCE = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK, "GTX": TimeInForce.GTC,
                  "GTD": TimeInForce.GTC}
CONDITIONAL = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
GOOD_TILL_DATE_LEAD_MS = 600_000
# What a type of order does not have; the venue tells their names in small letters.
_UNNEEDED = {"LIMIT": ("stopPrice", "activationPrice", "callbackRate"),
             "MARKET": ("price", "timeInForce", "stopPrice", "activationPrice", "callbackRate")}
_BOOLEANS = {"true": True, "TRUE": True, "True": True, "false": False, "FALSE": False, "False": False}


# ---- placing


def build_order(call: Call) -> Order:
    """Read the form of a new order; raises `VenueError` for what is missing or malformed."""
    instrument = call.instrument()
    side = call.side()
    form = call.need("type")
    if form in CONDITIONAL:
        raise errors.conditional_order()
    if form not in _UNNEEDED:
        raise VenueError(-1116, "Invalid orderType.")
    call.refuse_unneeded(_UNNEEDED[form], str.lower)
    if boolean(call, "closePosition"):
        raise VenueError(-4136, f"Target strategy invalid for orderType {form},closePosition true")
    if call.params.get("positionSide", "BOTH") != "BOTH":
        raise VenueError(-4061, "Order's position side does not match user's setting.")
    mode = call.params.get("selfTradePreventionMode", "EXPIRE_MAKER")
    if mode not in SELF_TRADE_MODES:
        raise errors.missing("selfTradePreventionMode")
    client_id = call.client_id("newClientOrderId") or random_client_id()
    price, time_in_force, kind = (0, "GTC", Type.MARKET) if form == "MARKET" else _limit_fields(call, instrument)
    quantity = call.amount("quantity")
    if quantity == 0:
        raise VenueError(-4003, "Quantity less than or equal to zero.")
    market = call.service.market
    order = Order(market.next_order_id(), client_id, call.account, instrument, side, kind,
                  TIMES_IN_FORCE[time_in_force], price, quantity,
                  reduce_only=boolean(call, "reduceOnly"), self_trade=SELF_TRADE_MODES[mode],
                  words=Words(form, time_in_force))
    order.words.price_match = call.params.get("priceMatch", "NONE")
    if time_in_force == "GTD":
        order.good_till = _good_till_date(call)
    return order


def boolean(call: Call, name: str) -> bool:
    value = _BOOLEANS.get(call.params.get(name, "false"))
    if value is None:
        raise VenueError(-1130, f"Data sent for parameter '{name}' is not valid.")
    return value


def _limit_fields(call: Call, instrument: Instrument) -> tuple[int, str, Type]:
    time_in_force = call.need("timeInForce")
    if time_in_force not in TIMES_IN_FORCE:
        raise VenueError(-1115, "Invalid timeInForce.")
    match = call.params.get("priceMatch", "NONE")
    price = call.amount("price") if match == "NONE" else _matched_price(call, instrument, match)
    return price, time_in_force, Type.POST_ONLY if time_in_force == "GTX" else Type.LIMIT


def _matched_price(call: Call, instrument: Instrument, match: str) -> int:
    """priceMatch: the n-th price of the opposite side (OPPONENT, OPPONENT_5 …) or of the own (QUEUE, QUEUE_5 …)."""
    name, _, number = match.partition("_")
    if name not in ("OPPONENT", "QUEUE") or number not in ("", "5", "10", "20"):
        raise VenueError(-4133, "Invalid price match")
    if "price" in call.params:
        raise VenueError(-4138, "Parameter 'price' should not be sent with 'priceMatch'.")
    book = call.service.market.books[instrument.symbol]
    buying = call.side() == BUY
    prices = (book.asks if buying == (name == "OPPONENT") else book.bids).depth(int(number or "1"))
    if not prices:
        raise VenueError(-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit.")
    return prices[-1][0]


def _good_till_date(call: Call) -> int:
    date = call.integer("goodTillDate")
    if date is None:
        raise errors.missing("goodTillDate")
    if date < call.service.clock.milliseconds() + GOOD_TILL_DATE_LEAD_MS:
        raise VenueError(-4192, "goodTillDate must be greater than the current time plus 600 seconds.")
    return date - date % 1000


def place(call: Call) -> dict:
    form = call.text("newOrderRespType", "ACK")
    if form not in ("ACK", "RESULT"):
        raise VenueError(-1128, "Combination of optional parameters invalid.")
    order = build_order(call)
    call.book = call.service.market.books[order.instrument.symbol]
    call.service.limits.charge_order(call.account.key, call.service.clock.milliseconds())
    try:
        call.service.market.place(order)
    except Refused as refused:
        raise errors.from_refusal(call.service.name, refused) from None
    return order_texts.futures_ack(order) if form == "ACK" else order_texts.futures_order(order)


def test_order(call: Call) -> dict:
    order = build_order(call)
    try:
        call.service.market.check(order, call.service.market.books[order.instrument.symbol])
    except Refused as refused:
        raise errors.from_refusal(call.service.name, refused) from None
    return order_texts.futures_order(order)


# ---- one order


def find(call: Call, missing=errors.no_such_order) -> Order:
    """The account's order that the request names; orderId wins when both ids are sent."""
    instrument = call.instrument()
    order_id = call.integer("orderId")
    client_id = call.params.get("origClientOrderId")
    if order_id is None and not client_id:
        raise VenueError(-1102, "Mandatory parameter 'orderid' was not sent, was empty/null, or malformed.")
    order = call.service.market.orders_of(call.account).find(order_id, client_id)
    if order is None or order.instrument is not instrument:
        raise missing()
    return order


def status(call: Call) -> dict:
    return order_texts.futures_status(find(call))


def open_order(call: Call) -> dict:
    order = find(call)
    if not order.is_open:
        raise errors.no_such_order()
    return order_texts.futures_status(order)


def cancel(call: Call) -> dict:
    return _cancel(call, find(call, errors.unknown_order))


def _cancel(call: Call, order: Order) -> dict:
    call.book = call.service.market.books[order.instrument.symbol]
    try:
        call.service.market.cancel(order)
    except Refused as refused:
        raise errors.from_refusal(call.service.name, refused) from None
    return order_texts.futures_order(order)


def modify(call: Call) -> dict:
    """Price, quantity and side are all mandatory; the order loses its place in the queue."""
    side, quantity, price = call.side(), call.amount("quantity"), call.amount("price")
    order = find(call, errors.no_such_order)
    if order.words.type != "LIMIT":
        raise VenueError(-4135, "Only limit order is supported.")
    call.book = call.service.market.books[order.instrument.symbol]
    call.service.limits.charge_order(call.account.key, call.service.clock.milliseconds())
    try:
        call.service.market.modify(order, side, price, quantity)
    except Refused as refused:
        if refused.reason == "unknown_order":
            raise errors.no_such_order() from None
        raise errors.from_refusal(call.service.name, refused) from None
    return order_texts.futures_order(order)


# ---- many orders


def open_orders(call: Call) -> list:
    instrument = call.instrument(mandatory=False)
    pair = call.params.get("pair")
    orders = call.service.market.orders_of(call.account).open.values()
    return [order_texts.futures_status(o) for o in orders if instrument in (None, o.instrument) and _of(pair, o.instrument)]


def _of(pair: str | None, instrument: Instrument) -> bool:
    """COIN-M asks for all contracts of a pair at once."""
    return pair is None or instrument.words["pair"] == pair


def cancel_open_orders(call: Call) -> dict:
    instrument = call.instrument()
    cancel_all(call, instrument)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def cancel_all(call: Call, instrument: Instrument) -> None:
    for order in list(call.service.market.orders_of(call.account).open.values()):
        if order.instrument is instrument and order.is_open:
            _cancel(call, order)


def all_orders(call: Call) -> list:
    pair = call.params.get("pair")
    instrument = call.instrument(mandatory=pair is None)
    orders = [o for o in call.service.market.orders_of(call.account).by_id.values()
              if instrument in (None, o.instrument) and _of(pair, o.instrument)]
    return [order_texts.futures_status(o)
            for o in select(orders, call, "orderId", lambda o: o.order_id, lambda o: o.time)]


def user_trades(call: Call) -> list:
    pair = call.params.get("pair")
    instrument = call.instrument(mandatory=pair is None)
    order_id = call.integer("orderId")
    trades = [t for t in call.service.market.orders_of(call.account).trades
              if instrument in (None, t[0].instrument) and _of(pair, t[0].instrument) and order_id in (None, t[0].order_id)]
    return [order_texts.futures_trade(*trade)
            for trade in select(trades, call, "fromId", lambda t: t[1].trade_id, lambda t: t[1].time)]


def batch_orders(call: Call) -> list:
    """Up to five orders as a JSON array in `batchOrders`; every one has its own outcome."""
    out = []
    for form in _batch(call, "batchOrders", 5):
        if not isinstance(form, dict):
            raise VenueError(-1130, "Data sent for parameter 'batchOrders' is not valid.")
        one = Call(call.service, {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in form.items()},
                   call.received_ns, call.account)
        out.append(_outcome(place, one))
        call.book = one.book or call.book
    return out


def cancel_batch(call: Call) -> list:
    """Up to ten orders by `orderIdList` or `origClientOrderIdList`, whose letters may be of either case: clients send both."""
    named = {name.lower(): name for name in call.params}
    name = "orderId" if "orderidlist" in named else "origClientOrderId"
    out = []
    for each in _batch(call, named.get(f"{name}List".lower(), f"{name}List"), 10):
        one = Call(call.service, {"symbol": call.need("symbol"), name: str(each)}, call.received_ns, call.account)
        out.append(_outcome(cancel, one))
        call.book = one.book or call.book
    return out


def _batch(call: Call, name: str, most: int) -> list:
    try:
        items = msgspec.json.decode(call.need(name))
    except (msgspec.DecodeError, RecursionError):
        raise VenueError(-1130, f"Data sent for parameter '{name}' is not valid.") from None
    if not isinstance(items, list) or not 1 <= len(items) <= most:
        raise VenueError(-4082, "Invalid number of batch place orders.")
    return items


def _outcome(operation, call: Call) -> dict:
    try:
        return operation(call)
    except VenueError as error:
        return error.body()


def countdown_cancel_all(call: Call) -> dict:
    """A dead man's switch per symbol: all its open orders go when `countdownTime` ms pass without another call."""
    instrument = call.instrument()
    countdown = call.integer("countdownTime")
    if countdown is None:
        raise errors.missing("countdownTime")
    key = (call.account.key, instrument.symbol)
    if countdown == 0:
        call.service.countdowns.pop(key, None)
    else:
        call.service.countdowns[key] = call.service.clock.milliseconds() + countdown
    return {"symbol": instrument.symbol, "countdownTime": str(countdown)}
