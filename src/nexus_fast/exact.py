"""Decimal arithmetic of the engine's own.

A program sets the precision, the rounding and the traps of its decimal context for its own sums, and they hold for the whole
thread: `decimal.getcontext().prec = 8` would round balances, a trap would end the reading of a fill. So whatever in the engine
computes with Decimals is marked with @exactly, or uses OWN by name. (`+`, `-`, `*`, `/`, `%`, `abs`, `sum` and a minus sign ask
the context; reading a text, comparing, `copy_abs`, `copy_negate` and `float` do not.)
"""

import functools
from collections.abc import Callable
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    getcontext,
    setcontext,
)
from typing import Any


def _own(digits: int) -> Context:
    """Every property by name: what is left out would come from DefaultContext, which a program may have changed."""
    traps = [InvalidOperation, DivisionByZero, Overflow]
    return Context(digits, ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999, capitals=1, clamp=0, flags=[], traps=traps)


# Wide enough for sums and products of the venues' numbers, of up to 38 digits, to be exact.
OWN = _own(80)
_QUOTIENTS = _own(28)


def exactly(function: Callable) -> Callable:
    """The function computes in OWN. For functions that end before anything of the program's is called: neither coroutines nor
    generators, nor what calls back."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        theirs = getcontext()
        setcontext(OWN)
        try:
            return function(*args, **kwargs)
        finally:
            setcontext(theirs)

    return run


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """To 28 digits."""
    return _QUOTIENTS.divide(dividend, divisor)


@exactly
def as_decimal(value: Any) -> Decimal:
    """The number that is meant: a float counts as the shortest text of it, a number of a class of its own (numpy.float64, an
    IntEnum) as the number that it is, whatever it prints. Raises ArithmeticError for what is none, and for True and False."""
    if isinstance(value, Decimal):
        return value if type(value) is Decimal else Decimal(value)
    if isinstance(value, float):
        return Decimal(float.__repr__(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(int(value))
    return Decimal(str(value))
