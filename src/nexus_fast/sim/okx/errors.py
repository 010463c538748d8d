"""The venue's own codes and texts, and how refusals of the matching core become them.

A request that cannot be understood or is not allowed fails as a whole (`VenueError`: code and text at the top). An
order that is refused fails alone (`ItemError`: sCode and sMsg in its own row of `data`, 1 or 2 at the top).
"""

from nexus_fast.sim.fixed_point import short
from nexus_fast.sim.market import Refused


class VenueError(Exception):
    """A request failed as a whole. `status` is the HTTP status."""

    def __init__(self, code: int, text: str, status: int = 200):
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
        self.status = status

    def body(self) -> dict:
        return {"code": str(self.code), "msg": self.text, "data": []}


class ItemError(Exception):
    """One order of a request was refused."""

    def __init__(self, code: int, text: str):
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


# ---- who asks

def header_empty(code: int, name: str) -> VenueError:
    return VenueError(code, f"Request header {name} can't be empty.", 401)


def bad_key() -> VenueError:
    return VenueError(50111, "Invalid OK-ACCESS-KEY", 401)


def bad_timestamp() -> VenueError:
    return VenueError(50112, "Invalid OK-ACCESS-TIMESTAMP", 401)


def bad_signature() -> VenueError:
    return VenueError(50113, "Invalid Sign", 401)


def bad_passphrase() -> VenueError:
    return VenueError(50105, "Request header OK-ACCESS-PASSPHRASE incorrect.", 401)


def expired() -> VenueError:
    return VenueError(50102, "Timestamp request expired", 401)


def too_many() -> VenueError:
    return VenueError(50011, "Too Many Requests", 429)


# ---- what is asked

def not_json() -> VenueError:
    return VenueError(50002, "JSON syntax error", 400)


def wrong_method() -> VenueError:
    return VenueError(50115, "Invalid request method.", 405)


def internal() -> VenueError:
    return VenueError(50026, "System error. Try again later", 500)


def missing(name: str) -> VenueError:
    return VenueError(50014, f"Parameter {name} cannot be empty.", 400)


def parameter(name: str) -> VenueError:
    return VenueError(51000, f"Parameter {name} error", 400)


def no_instrument() -> VenueError:
    return VenueError(51001, "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")


def no_order() -> VenueError:
    return VenueError(51603, "Order does not exist")


def unavailable(what: str) -> VenueError:
    return VenueError(50062, f"This feature is currently unavailable: {what}.")


# ---- one order of it

def item_missing(name: str) -> ItemError:
    return ItemError(50014, f"Parameter {name} cannot be empty.")


def item_parameter(name: str) -> ItemError:
    return ItemError(51000, f"Parameter {name} error")


def item_no_instrument() -> ItemError:
    return ItemError(51001, "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")


def item_too_many() -> ItemError:
    return ItemError(50011, "Rate limit reached. Please refer to API documentation and throttle requests accordingly.")


def account_too_many() -> ItemError:
    return ItemError(50061, "Order rate limit reached for this sub-account. Try again later.")


CANCEL_CODES = {
    "missing": (51400, "Order cancellation failed as the order has been filled, canceled or does not exist."),
    "canceled": (51401, "Cancellation failed as the order is already canceled."),
    "filled": (51402, "Cancellation failed as the order is already completed."),
}
AMEND_CODES = {
    "missing": (51503, "Your order has already been filled or canceled."),
    "canceled": (51509, "Modification failed as the order has been canceled."),
    "filled": (51510, "Modification failed as the order has been completed."),
}
MISSED_POST_ONLY = (51511, "Operation failed as the order price doesn't meet the requirement for Post Only.")

_REFUSALS = {
    "tick_size": (51000, "Parameter px error"),
    "price_low": (51122, "Order price should be higher than the min price {}"),
    "price_high": (51000, "Parameter px error"),
    "percent_low": (51138, "The lowest price limit for sell orders is {}."),
    "percent_high": (51137, "The highest price limit for buy orders is {}."),
    "step_size": (51121, "Order quantity must be a multiple of the lot size."),
    "quantity_low": (51020, "Your order should meet or exceed the minimum order amount."),
    "quantity_high": (51005, "Your order amount exceeds the max order amount."),
    "market_quantity_high": (51202, "Market order amount exceeds the maximum amount."),
    "too_many_open": (51025, "Order count exceeds the limit"),
    "duplicate_client_id": (51016, "Client order ID already exists."),
    "balance": (51008, "Order failed. Insufficient {} balance in account"),
    "margin": (51008, "Order failed. Insufficient {} margin in account"),
    "reduce_only": (51169, "Order failed because you don't have any positions in this direction for this contract to "
                           "reduce or close."),
    "no_change": (51500, "You must enter a price, quantity, or TP/SL"),
    "too_many_amends": (51501, "Maximum amendments of an order reached."),
}
_PRICES = ("price_low", "percent_low", "percent_high")


def from_refusal(refused: Refused, asset: str) -> ItemError:
    """The venue's words for a refusal; `asset` is what the order pays with."""
    code, text = _REFUSALS[refused.reason]
    if refused.reason in _PRICES:
        return ItemError(code, text.format(short(int(refused.detail)) if refused.detail else "the smallest tick"))
    return ItemError(code, text.format(asset))
