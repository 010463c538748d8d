"""The ids of order requests, read back from the venue's answers. gateway/template.pyx writes them.

    <client id>                 a new order
    c<client id>, m<client id>  its cancel, its modification
    #c<number>, #m<number>      the same by the order's number, where the venue takes no id that long; the first character is
                                the template set's id_overflow
"""

from collections.abc import Callable

KINDS = {"c": "cancel", "m": "modify"}


def read_request_id(request_id: str, find: Callable[[str], int], overflow: str = "#") -> tuple[str, int]:
    """("place", "cancel" or "modify", the order's number); the number is 0 for an id that is no order request's of ours.

    find: the number of the order with a client id, 0 when there is none."""
    number = find(request_id)
    if number:
        return "place", number
    kind = KINDS.get(request_id[:1], "")
    if kind and (number := find(request_id[1:])):
        return kind, number
    kind, digits = KINDS.get(request_id[1:2], ""), request_id[2:]
    if kind and request_id[0] == overflow and digits.isascii() and digits.isdigit():
        return kind, int(digits)
    return "", 0
