"""The venue's own error codes and texts (developers.binance.com, error codes of spot and of the futures)."""

from nexus_fast.sim.fixed_point import short
from nexus_fast.sim.market import Refused


class VenueError(Exception):
    """An answer that is an error: HTTP (or WebSocket API) status, code, text, and `data` where the venue adds some."""

    def __init__(self, code: int, text: str, status: int = 400, data: dict | None = None):
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
        self.status = status
        self.data = data

    def body(self) -> dict:
        out = {"code": self.code, "msg": self.text}
        if self.data is not None:
            out["data"] = self.data
        return out


def missing(name: str) -> VenueError:
    return VenueError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def empty(name: str) -> VenueError:
    return VenueError(-1105, f"Parameter '{name}' was empty.")


def illegal(name: str, legal: str) -> VenueError:
    return VenueError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def too_precise(name: str) -> VenueError:
    return VenueError(-1111, f"Parameter '{name}' has too much precision.")


def unexpected(name: str) -> VenueError:
    return VenueError(-1106, f"Parameter '{name}' sent when not required.")


def duplicate(name: str) -> VenueError:
    return VenueError(-1101, f"Duplicate values for parameter '{name}'.")


def too_many_parameters(most: int, sent: int) -> VenueError:
    return VenueError(-1101, f"Too many parameters; expected '{most}' and received '{sent}'.")


def unread(read: int, sent: int) -> VenueError:
    return VenueError(-1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.")


def bad_key() -> VenueError:
    return VenueError(-2015, "Invalid API-key, IP, or permissions for action.", 401)


def bad_signature() -> VenueError:
    return VenueError(-1022, "Signature for this request is not valid.")


def bad_symbol() -> VenueError:
    return VenueError(-1121, "Invalid symbol.")


def internal() -> VenueError:
    return VenueError(-1000, "An unknown error occurred while processing the request.", 500)


def unsupported(kind: str) -> VenueError:
    return VenueError(-1013, f"{kind} orders are not supported for this symbol.")


def unknown_order() -> VenueError:
    return VenueError(-2011, "Unknown order sent.")


def no_such_order() -> VenueError:
    return VenueError(-2013, "Order does not exist.")


def no_listen_key() -> VenueError:
    return VenueError(-1125, "This listenKey does not exist.")


def conditional_order() -> VenueError:
    return VenueError(-4120, "Order type not supported for this endpoint. "
                      "Please use the Algo Order API endpoints instead.")


_FILTER = -1013

_SPOT = {
    "tick_size": (_FILTER, "Filter failure: PRICE_FILTER"),
    "price_low": (_FILTER, "Filter failure: PRICE_FILTER"),
    "price_high": (_FILTER, "Filter failure: PRICE_FILTER"),
    "step_size": (_FILTER, "Filter failure: LOT_SIZE"),
    "quantity_low": (_FILTER, "Filter failure: LOT_SIZE"),
    "quantity_high": (_FILTER, "Filter failure: LOT_SIZE"),
    "market_quantity_high": (_FILTER, "Filter failure: MARKET_LOT_SIZE"),
    "percent_low": (_FILTER, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    "percent_high": (_FILTER, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    "notional": (_FILTER, "Filter failure: NOTIONAL"),
    "too_many_open": (_FILTER, "Filter failure: MAX_NUM_ORDERS"),
    "too_many_amends": (_FILTER, "Filter failure: MAX_NUM_ORDER_AMENDS"),
    "duplicate_client_id": (-2010, "Duplicate order sent."),
    "balance": (-2010, "Account has insufficient balance for requested action."),
    "post_only": (-2010, "Order would immediately match and take."),
    "unknown_order": (-2011, "Unknown order sent."),
    "amend_not_smaller": (-2038, "The requested order amendment is not allowed: the new quantity must be lower."),
}

_FUTURES = {
    "tick_size": (-4014, "Price not increased by tick size."),
    "price_low": (-4013, "Price less than min price."),
    "price_high": (-4002, "Price greater than max price."),
    "percent_low": (-4024, "Limit price can't be lower than {}."),
    "percent_high": (-4016, "Limit price can't be higher than {}."),
    "step_size": (-1111, "Precision is over the maximum defined for this asset."),
    "quantity_low": (-4004, "Quantity less than min quantity."),
    "quantity_high": (-4005, "Quantity greater than max quantity."),
    "market_quantity_high": (-4005, "Quantity greater than max quantity."),
    "notional": (-4164, "Order's notional must be no smaller than 5 (unless you choose reduce only)."),
    "too_many_open": (-2025, "Reach max open order limit."),
    "too_many_amends": (-5026, "Exceed maximum modify order limit."),
    "duplicate_client_id": (-4116, "ClientOrderId is duplicated."),
    "margin": (-2019, "Margin is insufficient."),
    "reduce_only": (-2022, "ReduceOnly Order is rejected."),
    "post_only": (-5022, "Due to the order could not be executed as maker, the Post Only order will be rejected. "
                         "The order will not be recorded in the order history"),
    "unknown_order": (-2011, "Unknown order sent."),
    "no_change": (-5027, "No need to modify the order."),
}


def from_refusal(market: str, refused: Refused) -> VenueError:
    """The venue's words for a refusal of the matching core."""
    code, text = (_SPOT if market == "spot" else _FUTURES)[refused.reason]
    return VenueError(code, text.format(short(int(refused.detail))) if refused.detail else text)
