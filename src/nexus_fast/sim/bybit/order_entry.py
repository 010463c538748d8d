"""Placing, amending and cancelling, for REST and the trade WebSocket alike: each takes a `Call`, gives the result.

An answer says that a request was accepted and no more: what becomes of the order is told on the private WebSocket.
"""

from collections.abc import Callable

from nexus_fast.sim.bybit import errors, order_texts
from nexus_fast.sim.bybit.errors import SPOT, VenueError
from nexus_fast.sim.bybit.ids import order_number
from nexus_fast.sim.bybit.requests import Call, as_texts, decode
from nexus_fast.sim.bybit.trading import Words
from nexus_fast.sim.fixed_point import product
from nexus_fast.sim.instruments import Instrument
from nexus_fast.sim.market import Refused
from nexus_fast.sim.orders import BUY, Order, SelfTrade, TimeInForce, Type
from nexus_fast.sim.spot_market import quantity_for

TIMES_IN_FORCE = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK, "PostOnly": TimeInForce.GTC}
SELF_TRADE = {"None": SelfTrade.NONE, "CancelMaker": SelfTrade.EXPIRE_MAKER, "CancelTaker": SelfTrade.EXPIRE_TAKER,
              "CancelBoth": SelfTrade.EXPIRE_BOTH}
BATCH_OF_CONTRACTS, BATCH_OF_SPOT = 20, 10
CONDITIONAL = ("triggerPrice", "takeProfit", "stopLoss")
MARKET_COLLAR = 5_000_000  # 5 %: how far from the mark the venue shows the price of a market order of contracts


def charge(call: Call, deed: str, amount: int = 1) -> None:
    """Count an order against the account's limit; `deed`: create, amend or cancel."""
    call.taken = call.exchange.limits.take_order(call.account.key, call.category == SPOT, deed, call.now(), amount)
    if not call.taken.allowed:
        raise errors.too_many_visits()


# ---- placing


def create(call: Call) -> dict:
    charge(call, "create")
    return order_texts.reference(place(call))


def place(call: Call) -> Order:
    market = call.market
    call.exchange.order_received(call)
    try:
        return market.place(build(call))
    except Refused as refused:
        raise errors.from_refusal(market.name, refused) from None


def build(call: Call) -> Order:
    """Read the form of a new order; raises `VenueError` for what is missing or malformed."""
    instrument, side = call.instrument(), call.side()
    _refuse_what_is_not_simulated(call)
    order_type = call.need("orderType")
    if order_type not in ("Limit", "Market"):
        raise errors.parameter("OrderType invalid")
    is_market = order_type == "Market"
    time_in_force = "IOC" if is_market else call.get("timeInForce", "GTC")
    smp = call.get("smpType", "None")
    if time_in_force not in TIMES_IN_FORCE or smp not in SELF_TRADE:
        raise errors.parameter("TimeInForce invalid" if smp in SELF_TRADE else "params error: smpType invalid")
    link_id = call.link_id()
    words = Words(order_type, time_in_force, link_id, smp=smp)
    quantity = _quantity(call, instrument, side, is_market, words)
    kind = Type.MARKET if is_market else Type.POST_ONLY if time_in_force == "PostOnly" else Type.LIMIT
    market = call.market
    number = market.next_order_id()
    return Order(number, link_id or f"#{number}", call.account, instrument, side, kind, TIMES_IN_FORCE[time_in_force],
                 0 if is_market else call.amount("price"), quantity, self_trade=SELF_TRADE[smp], words=words,
                 reduce_only=instrument.market != SPOT and (call.is_true("reduceOnly") or call.is_true("closeOnTrigger")))


def _refuse_what_is_not_simulated(call: Call) -> None:
    for name in CONDITIONAL:
        if call.get(name) not in ("", "0"):
            raise errors.parameter(f"params error: {name}: conditional orders are not simulated")
    if call.get("orderFilter", "Order") != "Order":
        raise errors.parameter("params error: orderFilter: conditional orders are not simulated")
    if call.integer("positionIdx", 0) != 0:
        raise errors.parameter("position idx not match position mode")
    if call.category == SPOT and call.get("isLeverage", "0") not in ("0", "false"):
        raise VenueError(170037, "Margin trading is not simulated: isLeverage must be 0.")


def _quantity(call: Call, instrument: Instrument, side: int, is_market: bool, words: Words) -> int:
    """The base quantity. A spot market order may name an amount of the quote coin, a buy does unless told otherwise."""
    amount = call.amount("qty")
    if not is_market:
        return amount
    if instrument.market != SPOT:
        mark, step = call.market.mark_price(instrument.symbol), instrument.tick
        shown = mark + side * product(mark, MARKET_COLLAR)
        words.shown_price = shown - shown % step
        return amount
    unit = call.get("marketUnit", "quoteCoin" if side == BUY else "baseCoin")
    if unit not in ("baseCoin", "quoteCoin"):
        raise errors.invalid("marketUnit")
    words.market_unit = unit
    if unit == "baseCoin":
        return amount
    if amount < instrument.minimum_notional:
        raise errors.from_refusal(SPOT, Refused("notional"))
    words.asked = amount
    return quantity_for(call.market.books[instrument.symbol], side, amount)


# ---- one order


def find(call: Call, deed: str) -> Order:
    """The account's order that orderId or orderLinkId names."""
    instrument = call.instrument()
    order = lookup(call)
    if order is None or order.instrument.symbol != instrument.symbol:
        raise errors.no_such_order(call.category, deed)
    return order


def lookup(call: Call) -> Order | None:
    text, link_id = call.get("orderId"), call.get("orderLinkId")
    if not text and not link_id:
        raise errors.parameter("params error: OrderId or orderLinkId is required")
    store = call.market.orders_of(call.account)
    if not text:
        return store.find(None, link_id)
    number = order_number(call.category, text)
    return store.find(number, None) if number is not None else None


def amend(call: Call) -> dict:
    charge(call, "amend")
    return amend_one(call)


def amend_one(call: Call) -> dict:
    _refuse_what_is_not_simulated(call)
    order = find(call, "replace")
    price, quantity = call.optional_amount("price"), call.optional_amount("qty")
    if price is None and quantity is None:
        raise errors.parameter("params error: price or qty is required")
    if order.type == Type.MARKET or not order.is_open:
        raise errors.no_such_order(call.category, "replace")
    try:
        call.market.amend(order, order.price if price is None else price,
                          order.quantity if quantity is None else quantity)
    except Refused as refused:
        raise errors.from_refusal(call.category, refused) from None
    return order_texts.reference(order)


def cancel(call: Call) -> dict:
    charge(call, "cancel")
    return cancel_one(call)


def cancel_one(call: Call) -> dict:
    order = find(call, "cancel")
    try:
        call.market.cancel_for(order)
    except Refused:
        raise errors.no_such_order(call.category) from None
    return order_texts.reference(order)


# ---- many orders


def cancel_all(call: Call) -> dict:
    """Of a symbol, or of all with a base or settlement coin; spot needs none of them."""
    charge(call, "cancel")
    if call.category != SPOT and not (call.get("symbol") or call.get("baseCoin") or call.get("settleCoin")):
        raise errors.parameter("params error: symbol, baseCoin or settleCoin is required")
    if call.get("orderFilter", "Order") != "Order":
        return {"list": [], "success": "1"}
    chosen = call.chosen()
    orders = [o for o in call.market.orders_of(call.account).open.values() if o.instrument in chosen]
    for order in orders:
        if order.is_open:  # the end of one may have ended another
            call.market.cancel_for(order)
    return {"list": [order_texts.reference(order) for order in orders], "success": "1"}


def _batch(call: Call, deed: str, one: Callable[[Call], dict]) -> dict:
    """Every order for itself: the answer succeeds, and `retExtInfo` says what became of each."""
    items, category = _items(call), call.category
    if not 1 <= len(items) <= (BATCH_OF_SPOT if category == SPOT else BATCH_OF_CONTRACTS):
        raise errors.parameter("params error: too many or no orders in request")
    charge(call, deed, len(items))
    rows, codes = [], []
    for item in items:
        part = Call(call.exchange, {**as_texts(item), "category": category}, call.received_ns, call.account)
        row = {"category": category, "symbol": part.get("symbol"), "orderId": "", "orderLinkId": part.get("orderLinkId")}
        try:
            row |= one(part)
            codes.append({"code": 0, "msg": "OK"})
        except VenueError as error:
            codes.append({"code": error.code, "msg": error.text})
            call.exchange.statistics.rejects += deed == "create"
        rows.append(row)
    call.ext = {"list": codes}
    return {"list": rows}


def _items(call: Call) -> list[dict]:
    try:
        items = decode(call.need("request"))
    except (ValueError, RecursionError):
        raise errors.invalid("request") from None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise errors.invalid("request")
    return items


def create_batch(call: Call) -> dict:
    result = _batch(call, "create", lambda part: order_texts.reference(place(part)))
    for row in result["list"]:
        row["createAt"] = str(call.now()) if row["orderId"] else ""
    return result


def amend_batch(call: Call) -> dict:
    return _batch(call, "amend", amend_one)


def cancel_batch(call: Call) -> dict:
    return _batch(call, "cancel", cancel_one)
