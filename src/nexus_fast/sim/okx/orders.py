"""Order entry for REST and WebSocket alike: each operation takes a `Call` and gives the rows of the answer.

An order that is refused has its own sCode and sMsg in its row; `answer_code` says what stands at the top.
"""

from collections.abc import Callable

from nexus_fast.sim.fixed_point import short
from nexus_fast.sim.market import Refused
from nexus_fast.sim.okx import errors
from nexus_fast.sim.okx.errors import ItemError, VenueError
from nexus_fast.sim.okx.listing import Listing
from nexus_fast.sim.okx.order_texts import BY_SYSTEM, BY_USER, CANCEL_ALL_AFTER
from nexus_fast.sim.okx.rate_limits import PER_ACCOUNT, PER_BATCH_OPERATION, PER_OPERATION
from nexus_fast.sim.okx.requests import CLIENT_ID, SIDES, Call, Item
from nexus_fast.sim.okx.trading import Words, contract_ledger, orders_of, spot_ledger
from nexus_fast.sim.orders import SELL, Order, SelfTrade, Status, TimeInForce, Type
from nexus_fast.sim.spot_market import quantity_for

MAXIMUM_BATCH = 20
FORMS = {"market": (Type.MARKET, TimeInForce.GTC), "limit": (Type.LIMIT, TimeInForce.GTC),
         "post_only": (Type.POST_ONLY, TimeInForce.GTC), "fok": (Type.LIMIT, TimeInForce.FOK),
         "ioc": (Type.LIMIT, TimeInForce.IOC), "optimal_limit_ioc": (Type.MARKET, TimeInForce.IOC)}
SELF_TRADES = {"cancel_maker": SelfTrade.EXPIRE_MAKER, "cancel_taker": SelfTrade.EXPIRE_TAKER,
               "cancel_both": SelfTrade.EXPIRE_BOTH}
# Stops and prices of options, of a new order and of an amendment: refused and never left out.
CONDITIONAL = ("attachAlgoOrds", "tpTriggerPx", "tpOrdPx", "slTriggerPx", "slOrdPx", "pxUsd", "pxVol")
CONDITIONAL_AMENDMENTS = ("attachAlgoOrds", "newTpTriggerPx", "newTpOrdPx", "newSlTriggerPx", "newSlOrdPx", "newTriggerPx",
                          "newOrdPx", "newPxUsd", "newPxVol")


def answer_code(rows: list[dict]) -> str:
    """0 when all orders of the request succeeded, 1 when none did, 2 for some."""
    failed = sum(row["sCode"] != "0" for row in rows)
    return "0" if not failed else "1" if failed == len(rows) else "2"


def _each(call: Call, perform: Callable[[Call, Item], dict], extra: tuple[str, ...] = ()) -> list[dict]:
    """One row per order; what is refused becomes a row with the reason."""
    if not call.items:
        raise VenueError(50014, "Parameter args cannot be empty.", 400)
    if len(call.items) > MAXIMUM_BATCH:
        raise VenueError(50025, f"Parameter args count exceeds the limit {MAXIMUM_BATCH}.", 400)
    rows = []
    for params in call.items:
        item = Item(call.exchange, params)
        row = {"clOrdId": params.get("clOrdId", ""), "ordId": params.get("ordId", ""),
               **{name: params.get(name, "") for name in extra}, "ts": str(call.exchange.now()), "sCode": "0",
               "sMsg": "", "subCode": ""}
        try:
            row.update(perform(call, item))
        except ItemError as error:
            row.update(sCode=str(error.code), sMsg=error.text)
        rows.append(row)
    return rows


def _charge(call: Call, listing: Listing, operation: str, is_new_or_amend: bool) -> None:
    """The windows of this operation, instrument and account; REST and WebSocket count together."""
    limits, key, now = call.exchange.limits, call.account.key, call.exchange.now()
    batch = len(call.items) > 1
    name = (f"batch {operation}" if batch else operation, key, listing.instrument_id)
    if not limits.take(name, PER_BATCH_OPERATION if batch else PER_OPERATION, now):
        raise errors.item_too_many()
    if is_new_or_amend and not limits.take(("account", key), PER_ACCOUNT, now):
        raise errors.account_too_many()


# ---- placing


def place(call: Call) -> list[dict]:
    return _each(call, _place, ("tag",))


def _place(call: Call, item: Item) -> dict:
    listing = item.coded_listing(call.by_code)
    order = build(call, item, listing)
    _charge(call, listing, "place", is_new_or_amend=True)
    _margin_mode(call, listing, order.words.mode)
    call.touched[listing.instrument_id] = listing
    try:
        call.exchange.market_of(listing).place(order)
    except Refused as refused:
        raise errors.from_refusal(refused, _pays_with(listing, order)) from None
    return {"clOrdId": order.client_id, "ordId": str(order.order_id)}


def build(call: Call, item: Item, listing: Listing) -> Order:
    """Read the form of a new order; raises `ItemError` for what is missing, malformed or not offered."""
    side = SIDES[item.choice("side", SIDES)]
    form = item.choice("ordType", FORMS)
    words = Words(form, item.choice("tdMode", ("cash", "cross") if listing.is_spot else ("cross", "isolated")),
                  tag=item.text("tag"), currency=item.text("ccy"),
                  stp=item.choice("stpMode", SELF_TRADES, "cancel_maker"))
    item.choice("posSide", ("net",), "net")
    _refuse(item, CONDITIONAL)
    kind, time_in_force = FORMS[form]
    if form == "optimal_limit_ioc" and listing.is_spot:
        raise errors.item_parameter("ordType")
    price = 0 if kind == Type.MARKET else item.amount("px")
    quantity = _quantity(call, item, listing, side, words)
    return Order(call.exchange.market_of(listing).next_order_id(), item.client_id(), call.account, listing.instrument,
                 side, kind, time_in_force, price, quantity,
                 reduce_only=item.flag("reduceOnly") and not listing.is_spot,
                 self_trade=SELF_TRADES[words.stp], words=words)


def _refuse(item: Item, names: tuple[str, ...]) -> None:
    for name in names:
        if item.text(name):
            raise errors.item_parameter(name)


def _quantity(call: Call, item: Item, listing: Listing, side: int, words: Words) -> int:
    """What the core counts for `sz`: contracts, base, or for a spot market order what `tgtCcy` says."""
    size = item.amount("sz")
    if listing.is_spot and words.type == "market":
        words.target = item.choice("tgtCcy", ("base_ccy", "quote_ccy"), "base_ccy" if side == SELL else "quote_ccy")
        if words.target == "quote_ccy":
            words.size = item.text("sz")
            return quantity_for(call.exchange.book_of(listing), side, size)
    return size


def _margin_mode(call: Call, listing: Listing, mode: str) -> None:
    """One position per contract: another margin mode is refused while there is a position or an open order."""
    if listing.is_spot:
        return
    ledger = contract_ledger(call.account)
    risk = ledger.symbol_risk(listing.instrument_id)
    if risk.isolated == (mode == "isolated"):
        return
    if ledger.position(listing.instrument).amount or ledger.order_margin(listing.instrument_id):
        raise errors.item_parameter("tdMode")
    risk.isolated = mode == "isolated"


def _pays_with(listing: Listing, order: Order) -> str:
    return spot_ledger(order.account).held_asset(order) if listing.is_spot else listing.settle


# ---- one order


def find(call: Call, item: Item, codes: dict[str, tuple[int, str]]) -> tuple[Listing, Order]:
    """The open order that is meant; ordId wins when both ids are sent. `codes`: what to say of one that is none."""
    listing = item.coded_listing(call.by_code)
    order_id = item.integer("ordId")
    client_id = item.client_id()
    if order_id is None and not client_id:
        raise ItemError(50015, "Either parameter ordId or clOrdId is required.")
    order = orders_of(call.account).find(order_id, client_id)
    if order is None or order.instrument.symbol != listing.instrument_id:
        raise ItemError(*codes["missing"])
    if not order.is_open:
        raise ItemError(*codes["filled" if order.status == Status.FILLED else "canceled"])
    return listing, order


def cancel(call: Call) -> list[dict]:
    return _each(call, _cancel)


def _cancel(call: Call, item: Item) -> dict:
    listing, order = find(call, item, errors.CANCEL_CODES)
    _charge(call, listing, "cancel", is_new_or_amend=False)
    take_out(call, listing, order, BY_USER)
    return {"clOrdId": order.client_id, "ordId": str(order.order_id)}


def take_out(call: Call, listing: Listing, order: Order, source: str) -> None:
    """Cancel an open order; `source` is the venue's number for the reason."""
    order.words.cancel_source = source
    call.touched[listing.instrument_id] = listing
    call.exchange.market_of(listing).cancel(order)


def amend(call: Call) -> list[dict]:
    return _each(call, _amend, ("reqId",))


def _amend(call: Call, item: Item) -> dict:
    listing, order = find(call, item, errors.AMEND_CODES)
    _refuse(item, CONDITIONAL_AMENDMENTS)
    request_id = item.text("reqId")
    if request_id and not CLIENT_ID.fullmatch(request_id):
        raise errors.item_parameter("reqId")
    price = item.amount("newPx") if item.text("newPx") else order.price
    quantity = _new_quantity(item, order)
    drop = item.flag("cxlOnFail")
    _charge(call, listing, "amend", is_new_or_amend=True)
    call.touched[listing.instrument_id] = listing
    order.words.request_id, order.words.failure = request_id, None
    try:
        call.exchange.market_of(listing).amend(order, price, quantity)
    except Refused as refused:
        _amendment_refused(call, listing, order, refused, drop)
    return {"clOrdId": order.client_id, "ordId": str(order.order_id)}


def _new_quantity(item: Item, order: Order) -> int:
    if not item.text("newSz"):
        if not item.text("newPx"):
            raise ItemError(51500, "You must enter a price, quantity, or TP/SL")
        return order.quantity
    return item.amount("newSz")


def _amendment_refused(call: Call, listing: Listing, order: Order, refused: Refused, drop: bool) -> None:
    """What only the matching finds out is accepted first and then told by the `orders` channel, as on the venue."""
    if refused.reason in ("post_only", "balance", "margin"):
        error = (ItemError(*errors.MISSED_POST_ONLY) if refused.reason == "post_only"
                 else errors.from_refusal(refused, _pays_with(listing, order)))
        order.words.failure = (error.code, error.text, "1" if drop else "-1")
        if drop:
            take_out(call, listing, order, BY_SYSTEM)
        else:
            call.exchange.market_of(listing).amendment_failed(order)
        return
    if drop:
        take_out(call, listing, order, BY_SYSTEM)
    raise errors.from_refusal(refused, _pays_with(listing, order))


# ---- many orders


def cancel_all(call: Call, source: str, tag: str = "") -> None:
    """Every open order of the account, or those with this tag."""
    for order in list(orders_of(call.account).open.values()):
        if order.is_open and tag in ("", order.words.tag):
            take_out(call, call.exchange.listings[order.instrument.symbol], order, source)


def cancel_all_after(call: Call) -> list[dict]:
    """A dead man's switch: all orders (of a tag) go when `timeOut` seconds pass without another call; 0 ends it."""
    seconds = call.integer("timeOut")
    if seconds is None:
        raise errors.missing("timeOut")
    if seconds and not 10 <= seconds <= 120:
        raise errors.parameter("timeOut")
    tag, now = call.text("tag"), call.exchange.now()
    key = (call.account.key, tag)
    call.exchange.countdowns.pop(key, None)
    if seconds:
        call.exchange.countdowns[key] = now + seconds * 1000
    return [{"triggerTime": str(now + seconds * 1000) if seconds else "0", "tag": tag, "ts": str(now)}]


def count_down(exchange) -> None:
    """Cancel for those whose time is up."""
    now = exchange.now()
    for (key, tag), deadline in list(exchange.countdowns.items()):
        if deadline <= now:
            del exchange.countdowns[key, tag]
            call = Call(exchange, {}, account=exchange.accounts[key])
            cancel_all(call, CANCEL_ALL_AFTER, tag)
            exchange.flush(call.touched.values())


def mass_cancel(call: Call) -> list[dict]:
    """All orders of an instrument family."""
    kind, family = call.kind(mandatory=True), call.need("instFamily")
    for order in list(orders_of(call.account).open.values()):
        listing = call.exchange.listings[order.instrument.symbol]
        if order.is_open and kind == listing.kind and family == listing.family:
            take_out(call, listing, order, BY_USER)
    return [{"result": True}]


def close_position(call: Call) -> list[dict]:
    """A market order that reduces the whole position of a contract to nothing."""
    listing, mode = call.listing(), call.choice("mgnMode", ("cross", "isolated"))
    amount = 0 if listing.is_spot else contract_ledger(call.account).position(listing.instrument).amount
    if not amount:
        raise VenueError(51023, "Position doesn't exist.")
    form = {"instId": listing.instrument_id, "tdMode": mode, "side": "sell" if amount > 0 else "buy",
            "ordType": "market", "sz": short(abs(amount)), "reduceOnly": "true",
            "clOrdId": call.text("clOrdId"), "tag": call.text("tag")}
    try:
        _place(call, Item(call.exchange, form))
    except ItemError as error:
        raise VenueError(error.code, error.text) from None
    return [{"clOrdId": call.text("clOrdId"), "instId": listing.instrument_id, "posSide": "net",
             "tag": call.text("tag")}]
