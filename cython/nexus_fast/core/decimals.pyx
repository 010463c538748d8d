# seam: Decimals are Python objects.
"""Two direct-mapped tables over the same objects. Strategies use the same few amounts again and again, and prices come back:
a Decimal made here is known by its mantissa, and one that comes from a strategy by its address. A table's entry holds a
reference, so an address cannot come to mean another object while it stands there."""

from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeASCII
from libc.stdint cimport int64_t, uint64_t, uintptr_t
from libc.stdio cimport snprintf
from libc.string cimport memmove

from nexus_fast.core.scan cimport scan_decimal

from decimal import Decimal

cdef enum:
    KNOWN = 4096                    # entries of each table, a power of two

cdef struct Entry:
    PyObject* number
    int64_t mantissa
    int scale

cdef Entry by_address[KNOWN]
cdef Entry by_value[KNOWN]


cdef inline void remember(Entry* entry, object number, int64_t mantissa, int scale):
    Py_INCREF(number)
    Py_XDECREF(entry.number)
    entry.number = <PyObject*>number
    entry.mantissa = mantissa
    entry.scale = scale


cdef inline Entry* address_entry(object number) noexcept:
    cdef uint64_t address = <uintptr_t><PyObject*>number
    return &by_address[(address >> 4 ^ address >> 16) & (KNOWN - 1)]


cdef object exact_decimal(int64_t mantissa, int scale):
    cdef Entry* entry = &by_value[(<uint64_t>mantissa * 0x9E3779B97F4A7C15 >> 48 ^ scale) & (KNOWN - 1)]
    if entry.number != NULL and entry.mantissa == mantissa and entry.scale == scale:
        return <object>entry.number
    number = make(mantissa, scale)
    remember(entry, number, mantissa, scale)
    remember(address_entry(number), number, mantissa, scale)
    return number


cdef object make(int64_t mantissa, int scale):
    """By way of its text: whatever the decimal context says, nothing is rounded."""
    cdef char text[48]
    cdef int length, digits
    if scale == 0:
        return Decimal(mantissa)
    if mantissa < 0:
        return make(-mantissa, scale).copy_negate()
    length = snprintf(text, sizeof(text), b"%0*lld", scale + 1, <long long>mantissa)
    digits = length - scale
    memmove(text + digits + 1, text + digits, scale)
    text[digits] = c"."
    return Decimal(PyUnicode_DecodeASCII(text, length + 1, NULL))


cdef int to_mantissa(object number, int scale, int64_t* out) except -1:
    cdef Entry* entry = address_entry(number)
    cdef const char* text
    cdef Py_ssize_t size
    if entry.number == <PyObject*>number and entry.scale == scale:
        out[0] = entry.mantissa
        return 1
    written = repr(number) if isinstance(number, float) else str(number)
    text = PyUnicode_AsUTF8AndSize(written, &size)
    if scan_decimal(text, size, scale, out):
        return 0
    if isinstance(number, Decimal):
        remember(entry, number, out[0], scale)
    return 1


def decimal_of(int64_t mantissa, int scale):
    """mantissa * 10**-scale with the scale kept; the same object for the same value where it was made before."""
    return exact_decimal(mantissa, scale)


def mantissa_at(number, int scale):
    """The mantissa of a number at a scale, or None when it is not exact there."""
    cdef int64_t out
    return out if to_mantissa(number, scale, &out) else None
