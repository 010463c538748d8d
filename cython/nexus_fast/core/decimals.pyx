# seam: Decimals are Python objects.
"""Out of a Decimal its coefficient and exponent are read where CPython's own type keeps them, once a look at known values has shown
that they stand there; anything else goes by its text. For the way back there is a direct-mapped table: prices come back."""

from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeASCII
from libc.stdint cimport int64_t, uint64_t
from libc.stdio cimport snprintf
from libc.string cimport memmove

from nexus_fast.core.scan cimport rescale, scan_decimal

from decimal import Decimal

cdef extern from *:
    """
    #include <Python.h>
    /* The head of a Decimal as CPython's _decimal has it since 3.3 (PyDecObject with libmpdec's mpd_t in it). */
    typedef struct nx_decimal {
        PyObject_HEAD
        Py_hash_t hash;
        uint8_t flags;              /* sign, infinity, NaN: the lowest four bits */
        Py_ssize_t exponent;
        Py_ssize_t digits;
        Py_ssize_t words;           /* of the coefficient, 10**19 each; the lowest first */
        Py_ssize_t allocated;
        uint64_t *coefficient;
    } nx_decimal;
    """
    ctypedef struct nx_decimal:
        unsigned char flags
        Py_ssize_t exponent
        Py_ssize_t digits
        Py_ssize_t words
        uint64_t* coefficient

cdef enum:
    KNOWN = 4096                    # entries of the table, a power of two
    SPECIAL = 15                    # flags of what is negative or no number
    MOST_DIGITS = 18

cdef struct Entry:
    PyObject* number
    int64_t mantissa
    int scale

cdef Entry by_value[KNOWN]
cdef int64_t MOST = 1_000_000_000_000_000_000
cdef object DecimalType = Decimal


cdef inline bint is_plain(const nx_decimal* number) noexcept:
    """Not negative, at most 18 digits, 0 to 18 of them behind the point."""
    return (not number.flags & SPECIAL and number.words == 1 and number.digits <= MOST_DIGITS
            and -MOST_DIGITS <= number.exponent <= 0)


cdef bint stands_there(str text, uint64_t coefficient, int exponent):
    cdef object number = Decimal(text)
    cdef const nx_decimal* inside = <const nx_decimal*><PyObject*>number
    return (inside.words == 1 and inside.digits == len(str(coefficient)) and inside.exponent == exponent
            and not inside.flags & SPECIAL and inside.coefficient[0] == coefficient)


cdef bint knows_inside():
    """Whether Decimals are laid out as nx_decimal says."""
    if Decimal.__basicsize__ < <Py_ssize_t>sizeof(nx_decimal) + 8:
        return False
    for text, coefficient, exponent in (("61800.25", 6180025, -2), ("0", 0, 0), ("0.00100", 100, -5), ("999999999999999999", 999999999999999999, 0)):
        if not stands_there(text, coefficient, exponent):
            return False
    for text in ("-1", "NaN", "Infinity", "-0", "sNaN", "1" * 30, "1E+3", "1E-30"):
        number = Decimal(text)
        if is_plain(<const nx_decimal*><PyObject*>number):
            return False
    return True


cdef bint inside_known = knows_inside()


cdef inline void remember(Entry* entry, object number, int64_t mantissa, int scale):
    Py_INCREF(number)
    Py_XDECREF(entry.number)
    entry.number = <PyObject*>number
    entry.mantissa = mantissa
    entry.scale = scale


cdef object exact_decimal(int64_t mantissa, int scale):
    # ULL: a literal beyond int64 would make Python integers of all of it.
    cdef Entry* entry = &by_value[(<uint64_t>mantissa * 0x9E3779B97F4A7C15ULL >> 48 ^ <uint64_t>scale) & (KNOWN - 1)]
    if entry.number != NULL and entry.mantissa == mantissa and entry.scale == scale:
        return <object>entry.number
    number = make(mantissa, scale)
    remember(entry, number, mantissa, scale)
    return number


cdef object make(int64_t mantissa, int scale):
    """By way of its text: whatever the decimal context says, nothing is rounded."""
    cdef char text[48]
    cdef int length, digits
    cdef unsigned long long magnitude
    if scale == 0:
        return Decimal(mantissa)
    if <unsigned int>scale > <unsigned int>MOST_DIGITS:
        raise ValueError(f"scale={scale}: a scale is 0 to {MOST_DIGITS}")
    # The magnitude of the least int64 has no int64.
    magnitude = 0 - <unsigned long long>mantissa if mantissa < 0 else <unsigned long long>mantissa
    length = snprintf(text, sizeof(text), b"%0*llu", scale + 1, magnitude)
    digits = length - scale
    memmove(text + digits + 1, text + digits, scale)
    text[digits] = c"."
    number = Decimal(PyUnicode_DecodeASCII(text, length + 1, NULL))
    return number.copy_negate() if mantissa < 0 else number


cdef int to_mantissa(object number, int scale, int64_t* out) except -1:
    cdef const nx_decimal* inside = <const nx_decimal*><PyObject*>number
    if inside_known and type(number) is DecimalType and is_plain(inside):
        return rescale(<int64_t>inside.coefficient[0], <int>-inside.exponent, scale, out) == 0 and out[0] < MOST
    return by_text(number, scale, out)


cdef object plain_text(object number):
    """Of the number that it is: a class made from one of these (numpy.float64, an IntEnum) may print itself in its own way."""
    if isinstance(number, float):
        return float.__repr__(number)
    if isinstance(number, Decimal):
        return Decimal.__str__(number)
    if isinstance(number, int) and not isinstance(number, bool):
        return int.__repr__(number)
    return str(number)


cdef int by_text(object number, int scale, int64_t* out) except -1:
    cdef const char* text
    cdef Py_ssize_t size
    written = plain_text(number)
    text = PyUnicode_AsUTF8AndSize(written, &size)
    return scan_decimal(text, size, scale, out) == 0


def inside_is_known():
    """Whether Decimals are read from the inside, or by their texts as under another Python."""
    return bool(inside_known)


def decimal_of(int64_t mantissa, int scale):
    """mantissa * 10**-scale with the scale kept; the same object for the same value where it was made before."""
    return exact_decimal(mantissa, scale)


def mantissa_at(number, int scale):
    """The mantissa of a number at a scale, or None when it is not exact there."""
    cdef int64_t out
    return out if to_mantissa(number, scale, &out) else None
