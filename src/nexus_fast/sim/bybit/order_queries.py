"""What an account asks of its orders and executions. Newest first, in pages that a cursor continues."""

from nexus_fast.sim.bybit import errors, order_texts
from nexus_fast.sim.bybit.ids import order_number
from nexus_fast.sim.bybit.instruments import LINEAR
from nexus_fast.sim.bybit.order_entry import lookup
from nexus_fast.sim.bybit.requests import Call
from nexus_fast.sim.orders import Order

RECENTLY_CLOSED = 500


def page(call: Call, items: list, default: int, most: int) -> tuple[list, str]:
    """The items that `cursor` and `limit` cut out, and the cursor that continues: "" at the end.

    The venue hands cursors out percent-encoded, to be put into a query string as they are.
    """
    cursor = call.get("cursor").replace("%3A", ":")
    first = 0
    if cursor:
        name, _, number = cursor.partition(":")
        if name != "from" or not number.isascii() or not number.isdigit() or len(number) > 9:
            raise errors.invalid("cursor")
        first = int(number)
    limit = call.limit(default, most)
    following = first + limit
    return items[first:following], f"from%3A{following}" if following < len(items) else ""


def _answer(call: Call, orders: list[Order]) -> dict:
    found, cursor = page(call, orders, 20, 50)
    return {"list": [order_texts.order_row(order) for order in found], "nextPageCursor": cursor,
            "category": call.category}


def _narrow(call: Call) -> None:
    """Linear contracts want to be asked with something that narrows the answer (order/open-order)."""
    names = ("symbol", "baseCoin", "settleCoin", "orderId", "orderLinkId")
    if call.category == LINEAR and not any(call.get(name) for name in names):
        raise errors.parameter("Missing some parameters that must be filled in, symbol or settleCoin or baseCoin.")


def realtime(call: Call) -> dict:
    """Open orders, or with an id also one that has ended; `openOnly=1`: the last 500 that have ended."""
    _narrow(call)
    chosen = call.chosen()
    if call.get("orderId") or call.get("orderLinkId"):
        order = lookup(call)
        return _answer(call, [order] if order is not None and order.instrument in chosen else [])
    if call.get("orderFilter", "Order") != "Order":
        return _answer(call, [])
    store = call.market.orders_of(call.account)
    if call.integer("openOnly", 0) == 0:
        return _answer(call, [o for o in reversed(store.open.values()) if o.instrument in chosen])
    ended = [o for o in reversed(store.by_id.values()) if not o.is_open and o.instrument in chosen]
    return _answer(call, ended[:RECENTLY_CLOSED])


def history(call: Call) -> dict:
    """Orders that have ended."""
    chosen, start, end = call.chosen(), call.integer("startTime"), call.integer("endTime")
    wanted = call.get("orderStatus")
    if call.get("orderFilter", "Order") != "Order":
        return _answer(call, [])
    if call.get("orderId") or call.get("orderLinkId"):
        order = lookup(call)
        found = [order] if order is not None else []
    else:
        found = list(reversed(call.market.orders_of(call.account).by_id.values()))
    return _answer(call, [
        o for o in found if not o.is_open and o.instrument in chosen and (start is None or o.time >= start)
        and (end is None or o.time <= end) and wanted in ("", order_texts.state(o))])


def executions(call: Call) -> dict:
    """Fills; other kinds of executions (funding, settlement …) are not simulated."""
    chosen, start, end = call.chosen(), call.integer("startTime"), call.integer("endTime")
    market, number, link_id = call.market, None, call.get("orderLinkId")
    if call.get("orderId"):
        number = order_number(call.category, call.get("orderId")) or -1
    known = market.orders_of(call.account).by_id  # a lagging replica knows fewer
    wanted = call.get("execType", "Trade") == "Trade"
    rows = [
        trade for name, trade in reversed(call.member.trades)
        if wanted and name == market.name and trade.order.order_id in known and trade.order.instrument in chosen
        and number in (None, trade.order.order_id) and link_id in ("", trade.order.words.link_id)
        and (start is None or trade.fill.time >= start) and (end is None or trade.fill.time <= end)]
    found, cursor = page(call, rows, 50, 100)
    return {"list": [order_texts.execution_row(market, trade) for trade in found], "nextPageCursor": cursor,
            "category": call.category}
