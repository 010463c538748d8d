"""Texts of the refusals: what was wrong and what to do."""

TEXTS = (
    "",
    "the symbol is not listed by the venue; see Strategy.linear_info / spot_info for those that are",
    "no private connector trades this symbol; add one to private_conn_config or pass account_type=",
    "the account's order connection is down; the engine is reconnecting",
    "order entry is halted",
    "the order table is full: too many orders are open or in doubt",
    "the journal has no room left; free disk space",
    "the venue has no such order (type, time in force and reduce_only together)",
    "a LIMIT order needs a price",
    "the price is not a multiple of the tick size; use price_to_precision",
    "the price is outside of the venue's range for this symbol",
    "the amount is not a multiple of the lot size; use amount_to_precision",
    "the amount is below the venue's minimum; see min_order_amount",
    "the amount is above the venue's maximum",
    "price times amount is below the venue's minimum notional; see min_order_amount",
    "the amount is above RiskConfig.max_quantity",
    "price times amount is above RiskConfig.max_notional",
    "the price is further from the market than RiskConfig.max_price_distance",
    "a risk limit needs a fresh book and there is none: subscribe to the symbol's bookl1",
    "the request could not be written",
    "the connection broke before the request was handed to the operating system",
    "the venue does not trade this symbol at present",
    "the number has more digits than the venue's price or lot scale can carry",
    "the client_oid is in use by an open order",
    "the venue has asked for a pause: nothing but cancels is sent until it is over",
    "the orders of the last session are still being asked about at the venue",
    "the clock is too far from the venue's: synchronise this machine's clock",
    "the machine stood still while the order waited to be sent: it was not sent late",
    "the venue takes no more orders at present, by its limit of orders per time, which is counted here; cancels leave, and so do "
    "some orders that reduce a position (PrivateConnectorConfig.order_budget, order_reserve)",
    "the account could not be reconciled with the venue since its connection was lost: what came of it meanwhile is not known",
    "the order is over, or there is none of this number",
    "this order cannot be modified: the venue has no modification of its kind; cancel it and place another",
    "the engine is stopping: nothing opens any more, only cancels leave",
    "the strategy is halted after too many exceptions in a row (Config.max_callback_errors); it trades again after a restart",
)

HALTED, RATE_LIMITED, RECOVERING, CLOCK, TOO_LATE, NOT_RECONCILED, STOPPING, STRATEGY_HALTED = (
    NX_REASON_HALTED, NX_REASON_RATE_LIMITED, NX_REASON_RECOVERING, NX_REASON_CLOCK, NX_REASON_TOO_LATE,
    NX_REASON_NOT_RECONCILED, NX_REASON_STOPPING, NX_REASON_STRATEGY_HALTED)

NOT_CONNECTED = NX_REASON_NOT_CONNECTED
# Those whose sentence has the order's values in it (refusals.py).
PRICE_MISSING, PRICE_OFF_TICK, PRICE_RANGE = NX_REASON_PRICE_MISSING, NX_REASON_PRICE_OFF_TICK, NX_REASON_PRICE_RANGE
QUANTITY_OFF_LOT, QUANTITY_TOO_SMALL, QUANTITY_TOO_LARGE = (
    NX_REASON_QUANTITY_OFF_LOT, NX_REASON_QUANTITY_TOO_SMALL, NX_REASON_QUANTITY_TOO_LARGE)
NOTIONAL_TOO_SMALL, INEXACT = NX_REASON_NOTIONAL_TOO_SMALL, NX_REASON_INEXACT
RISK_QUANTITY, RISK_NOTIONAL, RISK_DISTANCE = NX_REASON_RISK_QUANTITY, NX_REASON_RISK_NOTIONAL, NX_REASON_RISK_DISTANCE


def reason_text(int reason):
    """The sentence for a refusal code of the order gate."""
    return TEXTS[reason] if 0 <= reason < NX_REASONS else f"refused with code {reason}"
