"""Request templates of OKX v5 for its private WebSocket: order, cancel-order and amend-order by clOrdId.

The connection is logged in once; an order carries no signature. An instrument goes by its integer instIdCode (GET
/api/v5/public/instruments): instId is no longer accepted here. Request ids and client ids are letters and digits alone, at
most 32.

New orders and amendments have an expTime, after which the venue refuses them: it is the request's timestamp, so the channel's
clock_offset_ms must have the time that a request may take added. A cancel has none, and may be late without harm.
"""

from nexus_fast.gateway.template import TemplateSet
from nexus_fast.gateway.texts import Hole, json_object
from nexus_fast.gateway.words import LIMIT, MARKET, order_kinds

SIDE_TEXTS = ("buy", "sell")
TRADE_MODES = ("cash", "cross", "isolated")
LIMIT_TEXTS = ("limit", "ioc", "fok")  # by time in force
ID_LIMIT = 32
ID_OVERFLOW = "n"
BARE = ("instIdCode", "reduceOnly")
EXPIRES = (',"expTime":"', Hole.TIMESTAMP, '"')


def order_templates(
    instrument_code: int, *, trade_mode: str, spot: bool, price_scale: int, size_scale: int
) -> TemplateSet:
    """All templates of one instrument. Sizes of futures and swaps are in contracts, of spot in the base currency: size_scale is
    that of the request's sz, whatever unit the mantissa has elsewhere.

    trade_mode: "cash", or "cross" or "isolated", as the account is set. Spot has no reduce-only orders.
    """
    if trade_mode not in TRADE_MODES:
        raise ValueError(f"trade_mode={trade_mode!r}: one of {', '.join(TRADE_MODES)}")
    if not isinstance(instrument_code, int) or instrument_code < 0:
        raise ValueError(f"instrument_code={instrument_code!r}: the integer instIdCode of the instrument")
    templates = TemplateSet(price_scale=price_scale, size_scale=size_scale, id_limit=ID_LIMIT, id_overflow=ID_OVERFLOW)
    identity = {"instIdCode": str(instrument_code), "clOrdId": Hole.CLIENT_ID}
    for side, order_type, time_in_force, reduce_only in order_kinds():
        if reduce_only and spot:
            continue
        own = _place_parameters(order_type, time_in_force, reduce_only, spot)
        parameters = {**identity, "tdMode": trade_mode, "side": SIDE_TEXTS[side], **own}
        templates.set_place(side, order_type, time_in_force, reduce_only, _message("order", parameters, EXPIRES))
    templates.set_cancel(_message("cancel-order", identity))
    amend = {**identity, "newSz": Hole.QUANTITY, "newPx": Hole.PRICE}
    for side in range(len(SIDE_TEXTS)):
        templates.set_modify(side, _message("amend-order", amend, EXPIRES))
    return templates


def _message(operation, parameters, tail=()):
    return ['{"id":"', Hole.REQUEST_ID, f'","op":"{operation}","args":[', *json_object(parameters, BARE), "]", *tail, "}"]


def _place_parameters(order_type, time_in_force, reduce_only, spot):
    parameters = {"ordType": "market" if order_type == MARKET else "post_only", "sz": Hole.QUANTITY}
    if order_type != MARKET:
        parameters["px"] = Hole.PRICE
    if order_type == LIMIT:
        parameters["ordType"] = LIMIT_TEXTS[time_in_force]
    if order_type == MARKET and spot:
        parameters["tgtCcy"] = "base_ccy"
    if reduce_only:
        parameters["reduceOnly"] = "true"
    return parameters
