"""An order's life as a pure function: (state, event) -> (state, actions). No clock, no I/O, no memory.

UNKNOWN is a state of its own: silence, a 5xx, a cut connection after a send lead to it, and only proof leads out.
The table stands once, in states.pyx; docs/architecture.md's diagram is drawn from it by `nexus_fast.order.states.diagram`.
"""

from libc.stdint cimport uint8_t, uint16_t

cdef enum nx_order_state:
    NX_STATE_FREE = 0               # the slot holds no order
    NX_STATE_PENDING = 1            # sent, or about to be; the venue has said nothing
    NX_STATE_UNKNOWN = 2            # may or may not be live at the venue
    NX_STATE_ACCEPTED = 3
    NX_STATE_PARTIALLY_FILLED = 4
    NX_STATE_CANCELING = 5          # a cancel was sent; live until proven otherwise
    NX_STATE_FILLED = 6
    NX_STATE_CANCELED = 7
    NX_STATE_EXPIRED = 8
    NX_STATE_FAILED = 9             # never was live, proven
    NX_STATES = 10

cdef enum nx_order_event_kind:
    NX_EVENT_INTENT = 0             # journalled, about to be sent
    NX_EVENT_REFUSED = 1            # by our own gate, before the send
    NX_EVENT_ACCEPTED = 2           # acknowledgement or NEW: the venue has it
    NX_EVENT_REJECTED = 3           # the venue definitely did not take it
    NX_EVENT_DOUBT = 4              # outcome unknown: timeout, 5xx, cut connection
    NX_EVENT_FILL = 5               # more to come
    NX_EVENT_FILLED = 6             # cumulative quantity reached
    NX_EVENT_CANCEL_INTENT = 7
    NX_EVENT_CANCEL_REJECTED = 8    # definitely not canceled
    NX_EVENT_CANCEL_DOUBT = 9       # outcome of the cancel unknown, or "unknown order"
    NX_EVENT_CANCELED = 10
    NX_EVENT_EXPIRED = 11
    NX_EVENT_NOT_FOUND = 12         # proven absent: queried again and again after its time was over
    NX_EVENT_MODIFY_INTENT = 13
    NX_EVENT_MODIFIED = 14
    NX_EVENT_MODIFY_REJECTED = 15
    NX_EVENTS = 16

# What the caller has to do after a transition.
cdef enum nx_order_action:
    NX_ACT_NONE = 0
    NX_ACT_NOTIFY = 1               # tell the strategy the new state
    NX_ACT_QUERY = 2                # ask the venue by client id on another path
    NX_ACT_CLOSE = 4                # the order is over: release what it holds
    NX_ACT_NOTIFY_CANCEL_FAILED = 8 # tell the strategy that its cancel failed; the order lives
    NX_ACT_NOTIFY_FILL = 16         # state unchanged, but a fill came
    NX_ACT_CONFLICT = 32            # an event that cannot be: count it, query, change nothing
    NX_ACT_CANCEL = 64              # the strategy was told that it failed, and it lives: cancel it at once

cdef inline bint state_is_closed(uint8_t state) noexcept nogil:
    return state >= NX_STATE_FILLED

cdef inline bint state_is_live(uint8_t state) noexcept nogil:
    return NX_STATE_PENDING <= state <= NX_STATE_CANCELING

# The low byte is the next state, the high byte the actions. `filled` says whether anything is filled so far: a refused
# cancel of a partly filled order returns to PARTIALLY_FILLED.
cdef uint16_t order_transition(uint8_t state, uint8_t event, bint filled) noexcept nogil
