"""Python face of fixed-point text: exact text from and to scaled integers, refusing what 18 digits cannot hold."""

from nexus_fast.exact import as_decimal

LIMIT = 10**18


def fixed_text(mantissa, int scale):
    """Text of mantissa * 10**-scale as it goes to a venue: plain decimal, no trailing zeros after the point.

    >>> fixed_text(6180020, 2)
    '61800.2'
    """
    cdef char text[FIXED_ROOM]
    if not 0 <= scale <= 18:
        raise ValueError(f"scale={scale}: a scale is 0 to 18")
    if not -LIMIT < mantissa < LIMIT:
        raise ValueError(f"mantissa={mantissa}: at most 18 digits can be written exactly")
    return text[:fixed_write(mantissa, scale, text)].decode("ascii")


def uint_text(value, int width):
    """The last `width` digits of value, zero-padded: uint_text(7, 3) is '007'."""
    cdef char text[FIXED_ROOM]
    if not 1 <= width <= 20:
        raise ValueError(f"width={width}: a width is 1 to 20")
    uint_write_fixed(value, width, text)
    return text[:width].decode("ascii")


def to_mantissa(value, int scale):
    """The integer m with value == m * 10**-scale, exactly.

    value is a Decimal, int, str or float (a float counts as the number that repr shows). Raises ValueError for a value
    that is not finite, has more places than `scale` or needs more than 18 digits.
    """
    try:
        number = as_decimal(value)
    except ArithmeticError:
        raise ValueError(f"{value!r} is not a decimal number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    sign, digits, exponent = number.as_tuple()
    if exponent + scale > 18 and any(digits):
        raise ValueError(f"{value} at scale {scale} needs more than 18 digits")
    mantissa = _shift(int("".join(map(str, digits)) or "0"), exponent + scale)
    if mantissa is None:
        raise ValueError(f"{value} has more than {scale} decimal places")
    if mantissa >= LIMIT:
        raise ValueError(f"{value} at scale {scale} needs more than 18 digits")
    return -mantissa if sign else mantissa


def _shift(number, places):
    """number * 10**places, or None where that is no integer."""
    if number == 0:
        return 0
    if places >= 0:
        return number * 10**places
    if -places > len(str(number)):
        return None
    whole, rest = divmod(number, 10**-places)
    return None if rest else whole
