"""What a table of routes is made of: an operation, who may call it, and what it costs."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Security(Enum):
    NONE = 0
    KEY = 1  # X-MBX-APIKEY alone
    SIGNED = 2  # key, signature and timestamp


@dataclass(slots=True, frozen=True)
class Operation:
    """`perform` takes a `requests.Call`. `is_order` marks what counts as a new order in the statistics and answers.

    `takes`: its parameters, without those that prove the sender; None where the venue ignores what it does not know.
    """

    perform: Callable
    security: Security = Security.NONE
    weight: int = 1
    is_order: bool = False
    is_order_entry: bool = False
    takes: frozenset[str] | None = None


def _names(takes: str | None) -> frozenset[str] | None:
    return None if takes is None else frozenset(takes.split())


def open_to_all(perform: Callable, weight: int = 1, takes: str | None = None) -> Operation:
    return Operation(perform, Security.NONE, weight, takes=_names(takes))


def with_key(perform: Callable, weight: int = 1, takes: str | None = None) -> Operation:
    return Operation(perform, Security.KEY, weight, takes=_names(takes))


def signed(perform: Callable, weight: int = 1, takes: str | None = None) -> Operation:
    return Operation(perform, Security.SIGNED, weight, takes=_names(takes))


def new_order(perform: Callable, weight: int = 1, takes: str | None = None) -> Operation:
    return Operation(perform, Security.SIGNED, weight, is_order=True, is_order_entry=True, takes=_names(takes))


def order_change(perform: Callable, weight: int = 1, takes: str | None = None) -> Operation:
    return Operation(perform, Security.SIGNED, weight, is_order_entry=True, takes=_names(takes))
