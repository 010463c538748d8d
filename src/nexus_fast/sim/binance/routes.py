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
    """`perform` takes a `requests.Call`. `is_order` marks what counts as a new order in the statistics and answers."""

    perform: Callable
    security: Security = Security.NONE
    weight: int = 1
    is_order: bool = False
    is_order_entry: bool = False


def open_to_all(perform: Callable, weight: int = 1) -> Operation:
    return Operation(perform, Security.NONE, weight)


def with_key(perform: Callable, weight: int = 1) -> Operation:
    return Operation(perform, Security.KEY, weight)


def signed(perform: Callable, weight: int = 1) -> Operation:
    return Operation(perform, Security.SIGNED, weight)


def new_order(perform: Callable, weight: int = 1) -> Operation:
    return Operation(perform, Security.SIGNED, weight, is_order=True, is_order_entry=True)


def order_change(perform: Callable, weight: int = 1) -> Operation:
    return Operation(perform, Security.SIGNED, weight, is_order_entry=True)
