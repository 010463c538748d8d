"""The general half of core.scan: any decimal text, with sign and exponent, and the Python face of it."""

cdef enum:
    MOST = 0x7FFFFFFFFFFFFFFF

ctypedef struct nx_parts:
    uint64_t significand        # the digits without leading and trailing zeros, 19 at most
    int64_t digits              # how many those are
    int64_t zeros               # trailing zeros as written
    int64_t decimals            # digits after the point minus the exponent; may be negative
    bint negative


cdef const char* read_exponent(const char* p, const char* end, int64_t* exponent) noexcept nogil:
    """After the e: an optional sign and digits, up to the end. Saturates far outside of what any number here can use."""
    cdef bint negative = False
    exponent[0] = 0
    if p < end and (p[0] == c'+' or p[0] == c'-'):
        negative = p[0] == c'-'
        p += 1
    if p == end:
        return NULL
    while p < end and c'0' <= p[0] <= c'9':
        if exponent[0] < 1000000000:
            exponent[0] = exponent[0] * 10 + (p[0] - c'0')
        p += 1
    if negative:
        exponent[0] = -exponent[0]
    return p if p == end else NULL


cdef inline void add_digit(nx_parts* parts, int digit) noexcept nogil:
    """Zeros wait until a digit follows them, so that trailing ones never count against the 19 digits."""
    if digit == 0:
        parts.zeros += parts.digits > 0
        return
    parts.digits += parts.zeros + 1
    if parts.digits <= 19:
        parts.significand = parts.significand * <uint64_t>nx_powers[parts.zeros + 1] + <uint64_t>digit
    parts.zeros = 0


cdef int read_parts(const char* text, Py_ssize_t length, nx_parts* parts) noexcept nogil:
    """`-? digits (. digits)? ([eE] [+-]? digits)?`, all of it: NX_SCAN_OK, _MALFORMED or _RANGE."""
    cdef const char* p = text
    cdef const char* end = text + length
    cdef const char* mark
    cdef int64_t exponent = 0
    parts.significand = 0
    parts.digits = parts.zeros = parts.decimals = 0
    parts.negative = p < end and p[0] == c'-'
    p += parts.negative
    mark = p
    while p < end and c'0' <= p[0] <= c'9':
        add_digit(parts, p[0] - c'0')
        p += 1
    if p == mark:
        return NX_SCAN_MALFORMED
    if p < end and p[0] == c'.':
        p += 1
        mark = p
        while p < end and c'0' <= p[0] <= c'9':
            add_digit(parts, p[0] - c'0')
            p += 1
        if p == mark:
            return NX_SCAN_MALFORMED
        parts.decimals = p - mark
    if p < end and (p[0] == c'e' or p[0] == c'E'):
        p = read_exponent(p + 1, end, &exponent)
        parts.decimals -= exponent
    if p != end:
        return NX_SCAN_MALFORMED
    return NX_SCAN_RANGE if parts.digits > 19 or parts.significand > MOST else NX_SCAN_OK


cdef int make_room(nx_parts* parts, int64_t* mantissa) noexcept nogil:
    """The mantissa with as many of the trailing zeros as fit; NX_SCAN_RANGE when it does not fit without those behind the point."""
    cdef int64_t beyond
    mantissa[0] = 0
    if parts.decimals < 0:
        parts.zeros -= parts.decimals
        parts.decimals = 0
    beyond = parts.decimals - 18
    if parts.digits == 0:
        parts.decimals = min(parts.decimals, 18)
        return NX_SCAN_OK
    if beyond > 0:
        parts.zeros -= beyond
        parts.decimals = 18
    if parts.zeros < 0:
        return NX_SCAN_RANGE
    while parts.zeros > 18 or nx_multiply_overflows(<int64_t>parts.significand, nx_powers[parts.zeros], mantissa):
        if parts.zeros == 0 or parts.decimals == 0:
            return NX_SCAN_RANGE
        parts.zeros -= 1
        parts.decimals -= 1
    return NX_SCAN_OK


cdef int scan_number(const char* text, Py_ssize_t length, nx_number* out) noexcept nogil:
    """Decimal text to a number with the decimals it was written with, where there is room: NX_SCAN_OK, _MALFORMED or _RANGE."""
    cdef nx_parts parts
    cdef int status = read_parts(text, length, &parts)
    if status == NX_SCAN_OK:
        status = NX_SCAN_RANGE if length > 0x7FFFFFFF else make_room(&parts, &out.mantissa)
    if status != NX_SCAN_OK:
        return status
    if parts.negative:
        out.mantissa = -out.mantissa
    out.decimals = <int32_t>parts.decimals
    out.text = text
    out.text_length = <int32_t>length
    return NX_SCAN_OK


cdef int scan_decimal(const char* text, Py_ssize_t length, int scale, int64_t* out) noexcept nogil:
    """Decimal text, such as str(Decimal), to a mantissa of `scale` (0 to 18): NX_SCAN_OK, _MALFORMED, _RANGE, _INEXACT."""
    cdef nx_parts parts
    cdef int64_t shift
    cdef int status = read_parts(text, length, &parts)
    if status != NX_SCAN_OK:
        return status
    if <unsigned int>scale > 18:
        return NX_SCAN_RANGE
    out[0] = 0
    if parts.digits == 0:
        return NX_SCAN_OK
    shift = scale + parts.zeros - parts.decimals
    if shift < 0:
        return NX_SCAN_INEXACT
    if parts.digits + shift > 18:
        return NX_SCAN_RANGE
    out[0] = <int64_t>parts.significand * nx_powers[shift]
    if parts.negative:
        out[0] = -out[0]
    return NX_SCAN_OK


cdef const char* read_long_decimal(const char* p, const char* end, nx_number* out) noexcept nogil:
    """read_decimal for text that is longer than its two words."""
    cdef const char* quote = p
    while quote < end and (c'0' <= quote[0] <= c'9' or quote[0] == c'.'):
        quote += 1
    if quote == end or quote[0] != c'"':
        return NULL
    return quote if scan_number(p, quote - p, out) == NX_SCAN_OK else NULL


cdef dict STATUS_TEXT = {
    NX_SCAN_MALFORMED: "is not the text of a number",
    NX_SCAN_RANGE: "has more than 18 digits at that scale",
    NX_SCAN_INEXACT: "does not fit that scale without rounding",
}


def mantissa_of(str text, int scale):
    """The integer m with m * 10**-scale == text, exactly; scale 0 to 18. Raises ValueError where there is none."""
    cdef bytes raw = text.encode()
    cdef int64_t mantissa = 0
    cdef int status = scan_decimal(raw, len(raw), scale, &mantissa)
    if status != NX_SCAN_OK:
        raise ValueError(f"{text!r} {STATUS_TEXT[status]} (scale {scale}, allowed 0 to 18)")
    return mantissa


def number_of(bytes text):
    """(mantissa, decimals, double) of decimal text as the wire parsers read it, or the negative nx_scan status."""
    cdef nx_number number
    cdef int status = scan_number(text, len(text), &number)
    if status != NX_SCAN_OK:
        return status
    return number.mantissa, number.decimals, number_to_double(&number)


def rescaled(int64_t mantissa, int decimals, int scale):
    """The mantissa at another scale, or the negative nx_scan status wrapped in ValueError's text."""
    cdef int64_t out = 0
    cdef int status = rescale(mantissa, decimals, scale, &out)
    if status != NX_SCAN_OK:
        raise ValueError(f"{mantissa} * 10**-{decimals} {STATUS_TEXT[status]} (scale {scale}, allowed 0 to 18)")
    return out
