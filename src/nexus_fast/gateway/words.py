"""The numbers of core/types.pxd (nx_side, nx_order_type, nx_time_in_force) by the names that users write."""

SIDES = {"BUY": 0, "SELL": 1}
TYPES = {"MARKET": 0, "LIMIT": 1, "POST_ONLY": 2}
TIMES_IN_FORCE = {"GTC": 0, "IOC": 1, "FOK": 2}

MARKET, LIMIT, POST_ONLY = TYPES.values()
GTC, IOC, FOK = TIMES_IN_FORCE.values()


def name_of(member) -> str:
    """The name of an enum member, or the text itself."""
    return getattr(member, "name", member)


def number_of(numbers: dict, what: str, member) -> int:
    """The number of an enum member or its name; ValueError names what it is and what it can be."""
    name = name_of(member)
    if name not in numbers:
        raise ValueError(f"{what}={member!r} cannot be sent; it is one of {', '.join(numbers)}")
    return numbers[name]


def order_kinds():
    """Every (side, type, time in force, reduce only) that a template can exist for."""
    for side in SIDES.values():
        for reduce_only in (False, True):
            yield side, MARKET, GTC, reduce_only
            yield side, POST_ONLY, GTC, reduce_only
            for time_in_force in TIMES_IN_FORCE.values():
                yield side, LIMIT, time_in_force, reduce_only
