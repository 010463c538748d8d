"""A row per symbol and account: everything that an order needs, found by two indices and decided before the first tick."""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from nexus_fast.core.types cimport NX_FOK, NX_ORDER_REDUCE_ONLY, NX_POST_ONLY, NX_SELL
from nexus_fast.gateway.channel cimport nx_channel
from nexus_fast.gateway.request cimport nx_template
from nexus_fast.gateway.template cimport TemplateSet
from nexus_fast.order.budget cimport nx_budget
from nexus_fast.order.gate cimport nx_limits

cdef enum:
    # side (2) x type (3) x time in force (3) x reduce_only (2)
    ROUTE_SHAPES = 36
    ROUTE_CHANNELS = 8

cdef inline int route_shape(uint8_t side, uint8_t type, uint8_t time_in_force, uint8_t reduce_only) noexcept nogil:
    return ((side * 3 + type) * 3 + time_in_force) * 2 + reduce_only

cdef inline bint route_has_shape(uint8_t side, uint8_t type, uint8_t time_in_force, uint8_t flags) noexcept nogil:
    """Whether these are words for an order at all."""
    return side <= NX_SELL and type <= NX_POST_ONLY and time_in_force <= NX_FOK and flags <= NX_ORDER_REDUCE_ONLY

# What every order reads stands together in front, and route_soon asks for it: with thousands of symbols it comes from afar.
ctypedef struct nx_route:
    uint32_t symbol_id
    int channel_count
    uint8_t account
    uint8_t trading                     # the venue trades the symbol now
    uint8_t price_scale
    uint8_t size_scale
    nx_budget* place_budgets[4]         # what an order and a modification count for; NULL ends a list
    nx_limits limits
    nx_channel* channels[8]             # the first ready one that is not waiting for a response carries the request
    const nx_template* place[36]        # by route_shape; NULL where the venue has no such order
    const nx_template* cancel
    const nx_template* modify[2]        # by side; NULL where the venue cannot
    nx_budget* modify_budgets[4]

cdef extern from *:
    void prefetch "__builtin_prefetch"(const void* place) noexcept nogil


cdef inline void route_soon(const nx_route* route, int shape) noexcept nogil:
    """The lines that an order of this shape reads, all at once."""
    prefetch(route)
    prefetch(&route.limits)
    prefetch(&route.limits.minimum_notional)
    prefetch(&route.channels[0])
    prefetch(&route.place[shape])


cdef class Route:
    cdef nx_route row                   # copied into the table
    cdef list keep                      # templates and channels that the row points into

    cdef fill_templates(self, TemplateSet templates)
    cdef fill_limits(self, instrument, risk, int64_t fresh_ns)
    cdef fill_budgets(self, place, modify)


cdef class RouteTable:
    cdef nx_route* rows                 # [symbol_id * accounts + account]; without channels: not built yet
    cdef Py_ssize_t symbols
    cdef Py_ssize_t accounts
    cdef uint8_t* default_account       # by symbol id; NO_ACCOUNT where none trades it
    cdef dict kept

    # NULL also for a symbol or an account that is not there.
    cdef inline nx_route* find(self, uint32_t symbol_id, uint8_t account) noexcept nogil:
        return self.of_symbol(symbol_id, account) if symbol_id < self.symbols else NULL

    # For a symbol that is there.
    cdef inline nx_route* of_symbol(self, uint32_t symbol_id, uint8_t account) noexcept nogil:
        cdef nx_route* route = &self.rows[symbol_id * self.accounts + account]
        return route if account < self.accounts and route.channel_count else NULL

cdef enum:
    NO_ACCOUNT = 255
