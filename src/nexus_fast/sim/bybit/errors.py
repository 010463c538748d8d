"""The venue's own codes and texts, and how refusals of the matching core become them.

Codes are those of the v5 error list (bybit-exchange.github.io/docs/v5/error): 10xxx for requests, 110xxx for contracts,
170xxx for spot. Every answer has HTTP status 200 but those without proof of a sender and those over the address's limit.
"""

from nexus_fast.sim.fixed_point import short
from nexus_fast.sim.market import Refused

SPOT = "spot"


class VenueError(Exception):
    """An answer that is an error: `retCode`, `retMsg` and the HTTP status of REST."""

    def __init__(self, code: int, text: str, status: int = 200):
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
        self.status = status


# ---- requests

def parameter(text: str) -> VenueError:
    return VenueError(10001, text)


def missing(name: str) -> VenueError:
    return parameter(f"params error: {name} is required")


def invalid(name: str) -> VenueError:
    return parameter(f"params error: {name} invalid")


def bad_time(sent: str, now: int, window: str) -> VenueError:
    return VenueError(10002, "invalid request, please check your server timestamp or recv_window param. "
                      f"req_timestamp[{sent}],server_timestamp[{now}],recv_window[{window}]")


def bad_key() -> VenueError:
    return VenueError(10003, "API key is invalid.")


def bad_signature(origin: str) -> VenueError:
    return VenueError(10004, f"error sign! origin_string[{origin}]")


def not_authorized() -> VenueError:
    return VenueError(10005, "Permission denied, please check your API key permissions.")


def too_many_visits() -> VenueError:
    return VenueError(10006, "Too many visits. Exceeded the API Rate Limit.")


def internal() -> VenueError:
    return VenueError(10016, "Internal server error.")


def bad_symbol(category: str) -> VenueError:
    return VenueError(170121, "Invalid symbol.") if category == SPOT else parameter("params error: symbol invalid")


def no_such_order(category: str, deed: str = "cancel") -> VenueError:
    """`deed`: cancel or replace."""
    if category == SPOT:
        return VenueError(170213, "Order does not exist.")
    return VenueError(110001, f"order not exists or too late to {deed}")


# ---- refusals of the core

_SPOT = {
    "tick_size": (170134, "Order price has too many decimals."),
    "price_low": (170133, "Order price lower than the minimum."),
    "price_high": (170132, "Order price too high."),
    "percent_high": (170193, "Buy order price cannot be higher than {}."),
    "percent_low": (170194, "Sell order price cannot be lower than {}."),
    "step_size": (170137, "Order volume decimal too long"),
    "quantity_low": (170136, "Order quantity lower than the minimum."),
    "quantity_high": (170135, "Order quantity exceeded upper limit."),
    "market_quantity_high": (170135, "Order quantity exceeded upper limit."),
    "notional": (170140, "Order value exceeded lower limit."),
    "too_many_open": (170223, "You have too many unfilled orders; cancel some and try again."),
    "duplicate_client_id": (170141, "Duplicate clientOrderId"),
    "balance": (170131, "Insufficient balance."),
    "unknown_order": (170213, "Order does not exist."),
    "no_change": (10001, "The order remains unchanged as the parameters entered match the existing ones."),
    "already_executed": (170136, "Order quantity lower than the minimum."),
}

_CONTRACTS = {
    "tick_size": (10001, "params error: Price invalid"),
    "price_low": (110003, "Order price exceeds the allowable range."),
    "price_high": (110003, "Order price exceeds the allowable range."),
    "percent_high": (110003, "Order price exceeds the allowable range."),
    "percent_low": (110003, "Order price exceeds the allowable range."),
    "step_size": (10001, "Qty invalid"),
    "quantity_low": (10001, "The number of contracts is below the minimum limit allowed"),
    "quantity_high": (10001, "The number of contracts exceeds maximum limit allowed: too large"),
    "market_quantity_high": (10001, "The number of contracts exceeds maximum limit allowed: too large"),
    "notional": (110094, "Order does not meet minimum order value 5USDT"),
    "too_many_open": (110020, "You can't have more than 500 active orders."),
    "duplicate_client_id": (110072, "OrderLinkedID is duplicate"),
    "margin": (110007, "ab not enough for new order"),
    "reduce_only": (110017, "current position is zero, cannot fix reduce-only order qty"),
    "unknown_order": (110001, "order not exists or too late to replace"),
    "no_change": (10001, "The order remains unchanged as the parameters entered match the existing ones."),
    "already_executed": (10001, "Qty invalid"),
}


def from_refusal(category: str, refused: Refused) -> VenueError:
    """The venue's words for a refusal of the matching core."""
    code, text = (_SPOT if category == SPOT else _CONTRACTS)[refused.reason]
    return VenueError(code, text.format(short(int(refused.detail))) if refused.detail else text)
