"""Trading over the private WebSocket: one JSON text per request, its `id` echoed, `instIdCode` for the instrument.

    {"id": "1512", "op": "order", "args": [{"instIdCode": 10459, "side": "buy", …}], "expTime": "1597026383085"}

An order's answer leaves before the pushes that it causes. `inTime` and `outTime` are microseconds.
"""

from collections.abc import Callable

from nexus_fast.sim.account import Account
from nexus_fast.sim.okx import orders
from nexus_fast.sim.okx.errors import VenueError
from nexus_fast.sim.okx.listing import Listing
from nexus_fast.sim.okx.requests import Call, Exchange, as_text

OPERATIONS: dict[str, Callable[[Call], list[dict]]] = {
    "order": orders.place, "batch-orders": orders.place, "amend-order": orders.amend,
    "batch-amend-orders": orders.amend, "cancel-order": orders.cancel, "batch-cancel-orders": orders.cancel,
    "mass-cancel": orders.mass_cancel,
}
PLACING = ("order", "batch-orders")
SINGLE = ("order", "amend-order", "cancel-order", "mass-cancel")


def trade(exchange: Exchange, account: Account, request: dict, received_ns: int) -> tuple[dict, list[Listing]]:
    """The answer to an order operation, and the listings whose books it touched."""
    operation, received_us = request["op"], exchange.clock.microseconds()
    answer = {"id": request.get("id", ""), "op": operation, "data": [], "code": "0", "msg": ""}
    call = None
    try:
        call = _call(exchange, account, request)
        if operation in PLACING:
            _count_orders(call, received_ns)
        rows = answer["data"] = OPERATIONS[operation](call)
        if operation != "mass-cancel":
            answer["code"] = orders.answer_code(rows)
            if operation in PLACING:
                exchange.statistics.rejects += sum(row["sCode"] != "0" for row in rows)
    except VenueError as error:
        answer.update(code=str(error.code), msg=error.text)
    answer.update(inTime=str(received_us), outTime=str(exchange.clock.microseconds()))
    return answer, list(call.touched.values()) if call is not None else []


def _call(exchange: Exchange, account: Account, request: dict) -> Call:
    arguments = request.get("args")
    if (not request.get("id") or not isinstance(arguments, list) or not arguments
            or not all(isinstance(each, dict) for each in arguments)):
        raise VenueError(60013, "Invalid args")
    if request["op"] in SINGLE and len(arguments) > 1:
        raise VenueError(60013, "Invalid args")
    deadline = as_text(request.get("expTime"))
    if deadline:
        check_deadline(exchange, deadline)
    items = [{str(name): as_text(value) for name, value in each.items()} for each in arguments]
    return Call(exchange, items[0], items, account=account, by_code=True)


def check_deadline(exchange: Exchange, text: str) -> None:
    """`expTime`: a request that arrives later is not carried out."""
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise VenueError(51000, "Parameter expTime error")
    if int(text) < exchange.now():
        raise VenueError(50036, "The expTime can't be earlier than the current system time. Please adjust the expTime "
                                "and try again.")


def _count_orders(call: Call, received_ns: int) -> None:
    """For the wire statistics: from the tick of the first order's instrument to its arrival."""
    code = call.params.get("instIdCode", "")
    listing = call.exchange.codes.get(int(code)) if code.isascii() and code.isdigit() and len(code) < 12 else None
    if listing is not None:
        call.exchange.statistics.order_received(listing.instrument.market, listing.instrument_id, received_ns)
