"""What an account asks of its orders and fills over REST; newest first, in pages by id."""

from nexus_fast.sim.okx import errors, order_texts
from nexus_fast.sim.okx.errors import VenueError
from nexus_fast.sim.okx.requests import Call
from nexus_fast.sim.okx.trading import orders_of
from nexus_fast.sim.orders import Order


def order(call: Call) -> list[dict]:
    listing = call.listing()
    order_id, client_id = call.integer("ordId"), call.text("clOrdId")
    if order_id is None and not client_id:
        raise VenueError(50015, "Either parameter ordId or clOrdId is required.", 400)
    found = orders_of(call.account).find(order_id, client_id)
    if found is None or found.instrument.symbol != listing.instrument_id:
        raise errors.no_order()
    return [order_texts.order_row(listing, found)]


def _page(call: Call, rows: list, identity) -> list:
    """`after`: older than this id; `before`: newer; `begin` and `end`: ms of the last change, both included."""
    after, before = call.integer("after"), call.integer("before")
    rows = [row for row in rows if (after is None or identity(row) < after)
            and (before is None or identity(row) > before)]
    return rows[:call.limit()]


def _within(call: Call, time_ms: int) -> bool:
    begin, end = call.integer("begin"), call.integer("end")
    return (begin is None or time_ms >= begin) and (end is None or time_ms <= end)


def _orders(call: Call, is_open: bool, mandatory_kind: bool) -> list[dict]:
    chosen = {listing.instrument_id: listing for listing in call.selected(mandatory_kind)}
    form, state = call.text("ordType"), call.text("state")

    def wanted(one: Order) -> bool:
        return (one.is_open == is_open and one.instrument.symbol in chosen
                and (not form or one.words.type in form.split(","))
                and state in ("", order_texts.STATE[one.status]) and _within(call, one.update_time))

    found = [one for one in reversed(orders_of(call.account).by_id.values()) if wanted(one)]
    return [order_texts.order_row(chosen[one.instrument.symbol], one)
            for one in _page(call, found, lambda one: one.order_id)]


def pending(call: Call) -> list[dict]:
    return _orders(call, is_open=True, mandatory_kind=False)


def history(call: Call) -> list[dict]:
    return _orders(call, is_open=False, mandatory_kind=True)


def fills(call: Call) -> list[dict]:
    return _fills(call, mandatory_kind=False)


def fills_history(call: Call) -> list[dict]:
    return _fills(call, mandatory_kind=True)


def _fills(call: Call, mandatory_kind: bool) -> list[dict]:
    chosen = {listing.instrument_id: listing for listing in call.selected(mandatory_kind)}
    order_id = call.integer("ordId")
    found = [trade for trade in reversed(orders_of(call.account).trades)
             if trade[0].instrument.symbol in chosen and order_id in (None, trade[0].order_id)
             and _within(call, trade[1].time)]
    page = _page(call, found, lambda trade: trade[0].words.bills[trade[1].trade_id])
    return [order_texts.fill_row(chosen[trade[0].instrument.symbol], *trade) for trade in page]
