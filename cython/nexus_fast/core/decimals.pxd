"""Python's Decimals and the engine's mantissas, both ways, at the price of a look into a table for those seen before."""

from libc.stdint cimport int64_t

# mantissa * 10**-scale, any int64 and 0 to 18, as a Decimal with `scale` digits after the point. Raises ValueError.
cdef object exact_decimal(int64_t mantissa, int scale)
# 1 and *out when `number` (Decimal, int, str, or float by its repr) is exact at the scale, else 0.
cdef int to_mantissa(object number, int scale, int64_t* out) except -1
