"""Orders and fills in the venue's words: the rows that requests are answered with and that channels push.

Every value is a text; numbers have no trailing zeros; sizes are contracts, for spot base (or quote, as it was sent);
a fee that was charged is negative.
"""

from nexus_fast.sim.fixed_point import short
from nexus_fast.sim.market import Execution
from nexus_fast.sim.okx.listing import Listing
from nexus_fast.sim.okx.trading import Words, contract_ledger
from nexus_fast.sim.orders import BUY, Fill, Order, Status, Type

SIDE = {1: "buy", -1: "sell"}
STATE = {Status.NEW: "live", Status.PARTIALLY_FILLED: "partially_filled", Status.FILLED: "filled",
         Status.CANCELED: "canceled", Status.EXPIRED: "canceled", Status.EXPIRED_IN_MATCH: "canceled"}

# Why an order was cancelled, in the venue's numbers.
BY_SYSTEM, BY_USER, FOK_INCOMPLETE, IOC_INCOMPLETE, CLOSED_POSITION = "0", "1", "13", "14", "2"
CANCEL_ALL_AFTER, POST_ONLY_WOULD_TAKE, SELF_TRADE = "20", "31", "32"


def cancel_source(order: Order) -> str:
    """The venue's number for the reason; "" while the order is not cancelled."""
    if STATE[order.status] != "canceled":
        return ""
    if order.words.cancel_source:
        return order.words.cancel_source
    if order.status == Status.EXPIRED_IN_MATCH:
        return SELF_TRADE
    if order.type == Type.POST_ONLY and not order.executed:
        return POST_ONLY_WOULD_TAKE
    by_type = {"fok": FOK_INCOMPLETE, "ioc": IOC_INCOMPLETE, "optimal_limit_ioc": IOC_INCOMPLETE}
    return by_type.get(order.words.type, CLOSED_POSITION if order.reduce_only else BY_SYSTEM)


def size_text(order: Order) -> str:
    return order.words.size or short(order.quantity)


def charged(amount: int) -> str:
    """A fee as the venue signs it: what was charged is negative."""
    return short(-amount)


def fee_asset(listing: Listing, order: Order) -> str:
    if not listing.is_spot:
        return listing.settle
    return order.instrument.base if order.side == BUY else order.instrument.quote


def dollars(order: Order, price: int, quantity: int) -> str:
    """What a quantity is worth; a stablecoin counts as a dollar."""
    return short(order.instrument.notional(price, quantity))


def _common(listing: Listing, order: Order) -> dict:
    words: Words = order.words
    return {
        "accFillSz": short(order.executed), "algoClOrdId": "", "algoId": "", "attachAlgoClOrdId": "",
        "attachAlgoOrds": [], "avgPx": short(order.average_price) if order.executed else "", "cTime": str(order.time),
        "cancelSource": cancel_source(order), "cancelSourceReason": "", "category": "normal", "ccy": words.currency,
        "clOrdId": order.client_id, "fee": charged(words.fee), "feeCcy": fee_asset(listing, order), "fillPx": "",
        "fillSz": "0", "fillTime": "", "instId": listing.instrument_id, "instType": listing.kind, "isTpLimit": "false",
        "lever": _leverage(listing, order), "linkedAlgoOrd": {"algoId": ""}, "ordId": str(order.order_id),
        "ordType": words.type, "pnl": short(words.pnl), "posSide": "" if listing.is_spot else "net",
        "px": short(order.price) if order.price else "", "pxType": "", "pxUsd": "", "pxVol": "", "quickMgnType": "",
        "rebate": "0", "rebateCcy": order.instrument.quote if fee_asset(listing, order) == order.instrument.base
        else order.instrument.base, "reduceOnly": "true" if order.reduce_only else "false", "side": SIDE[order.side],
        "slOrdPx": "", "slTriggerPx": "", "slTriggerPxType": "", "source": "", "state": STATE[order.status],
        "stpId": "", "stpMode": words.stp, "sz": size_text(order), "tag": words.tag, "tdMode": words.mode,
        "tgtCcy": words.target, "tpOrdPx": "", "tpTriggerPx": "", "tpTriggerPxType": "", "tradeId": "",
        "tradeQuoteCcy": order.instrument.quote if listing.is_spot else "", "uTime": str(order.update_time)}


def _leverage(listing: Listing, order: Order) -> str:
    return "" if listing.is_spot else str(contract_ledger(order.account).symbol_risk(listing.instrument_id).leverage)


def order_row(listing: Listing, order: Order) -> dict:
    """A row of `trade/order`, `orders-pending` and `orders-history`, with the order's last fill."""
    out = _common(listing, order)
    fill = order.words.last
    if fill is not None:
        out.update(fillPx=short(fill.price), fillSz=short(fill.quantity), fillTime=str(fill.time),
                   tradeId=str(fill.trade_id))
    return out


def order_push(listing: Listing, execution: Execution, last_price: int) -> dict:
    """A row of the `orders` channel: the order as it stood at this step. Advances what was pushed of fee and profit."""
    order, fill, words = execution.order, execution.fill, execution.order.words
    words.pushed_fee += execution.commission
    words.pushed_pnl += execution.realized
    out = _common(listing, order)
    out.update(
        accFillSz=short(execution.executed), state=STATE[execution.status],
        avgPx=short(execution.average), fee=charged(words.pushed_fee),
        pnl=short(words.pushed_pnl), uTime=str(execution.time),
        cancelSource=cancel_source(order) if STATE[execution.status] == "canceled" else "",
        lastPx=short(last_price), **_amendment(execution),
        notionalUsd=dollars(order, order.price or last_price, order.quantity),
        fillNotionalUsd=dollars(order, execution.average, execution.executed) if execution.executed else "",
        **_fill_fields(listing, execution, fill))
    return out


def _amendment(execution: Execution) -> dict:
    """What came of an amendment: 0 done, -1 failed, 1 failed and the order cancelled for it; "" when there was none."""
    words = execution.order.words
    out = {"amendSource": "", "reqId": "", "amendResult": "", "code": "0", "msg": ""}
    if execution.kind == "AMENDMENT":
        out.update(amendSource=BY_USER, reqId=words.request_id, amendResult="0")
    elif words.failure is not None and execution.kind == {"-1": "FAILED", "1": "CANCELED"}[words.failure[2]]:
        code, text, result = words.failure
        out.update(amendSource=BY_USER, reqId=words.request_id, amendResult=result, code=str(code), msg=text)
    return out


def _fill_fields(listing: Listing, execution: Execution, fill: Fill | None) -> dict:
    out = {"fillPxVol": "", "fillPxUsd": "", "fillMarkVol": "", "fillFwdPx": "", "fillMarkPx": "", "fillIdxPx": "",
           "fillPnl": "0", "fillFee": "0", "fillFeeCcy": "", "execType": ""}
    if fill is not None:
        out.update(fillPx=short(fill.price), fillSz=short(fill.quantity), fillTime=str(fill.time),
                   tradeId=str(fill.trade_id), fillPnl=short(execution.realized),
                   fillFee=charged(execution.commission), fillFeeCcy=execution.commission_asset,
                   execType="M" if execution.is_maker else "T", fillIdxPx=short(fill.price),
                   fillMarkPx="" if listing.is_spot else short(fill.price))
    return out


def fill_row(listing: Listing, order: Order, fill: Fill, commission: int, asset: str, is_maker: bool,
             realized: int) -> dict:
    """A row of `trade/fills` and `fills-history`."""
    rate = order.instrument.maker_fee if is_maker else order.instrument.taker_fee
    index = short(fill.price)
    return {"side": SIDE[order.side], "fillSz": short(fill.quantity), "fillPx": short(fill.price),
            "fillPxVol": "", "fillFwdPx": "", "fee": charged(commission), "fillPnl": short(realized),
            "ordId": str(order.order_id), "feeRate": charged(rate), "instType": listing.kind, "fillPxUsd": "",
            "instId": listing.instrument_id, "clOrdId": order.client_id, "posSide": "net",
            "billId": str(order.words.bills[fill.trade_id]), "subType": "1" if order.side == BUY else "2",
            "fillMarkVol": "", "tag": order.words.tag, "fillTime": str(fill.time),
            "execType": "M" if is_maker else "T", "fillIdxPx": index, "tradeId": str(fill.trade_id),
            "fillMarkPx": "" if listing.is_spot else index, "feeCcy": asset, "ts": str(fill.time),
            "tradeQuoteCcy": order.instrument.quote if listing.is_spot else ""}


def fill_push(listing: Listing, execution: Execution) -> dict:
    """A row of the `fills` channel."""
    order, fill = execution.order, execution.fill
    return {"instId": listing.instrument_id, "fillSz": short(fill.quantity), "fillPx": short(fill.price),
            "side": SIDE[order.side], "ts": str(fill.time), "ordId": str(order.order_id), "clOrdId": order.client_id,
            "tradeId": str(fill.trade_id), "execType": "M" if execution.is_maker else "T", "count": "1"}


