"""The one table of the order's states. Rows: state; columns: event. A missing pair is a conflict: nothing changes, it is
counted and the venue is asked."""

from libc.stdint cimport uint8_t, uint16_t

STATES = ("FREE", "PENDING", "UNKNOWN", "ACCEPTED", "PARTIALLY_FILLED", "CANCELING", "FILLED", "CANCELED", "EXPIRED", "FAILED")
EVENTS = ("INTENT", "REFUSED", "ACCEPTED", "REJECTED", "DOUBT", "FILL", "FILLED", "CANCEL_INTENT", "CANCEL_REJECTED",
          "CANCEL_DOUBT", "CANCELED", "EXPIRED", "NOT_FOUND", "MODIFY_INTENT", "MODIFIED", "MODIFY_REJECTED")
ACTIONS = {"NOTIFY": NX_ACT_NOTIFY, "QUERY": NX_ACT_QUERY, "CLOSE": NX_ACT_CLOSE,
           "NOTIFY_CANCEL_FAILED": NX_ACT_NOTIFY_CANCEL_FAILED, "NOTIFY_FILL": NX_ACT_NOTIFY_FILL,
           "CONFLICT": NX_ACT_CONFLICT, "CANCEL": NX_ACT_CANCEL}

# An end stays: a late acknowledgement, a repeated end or a cancel's late answer changes nothing. What was executed counts all
# the same, and is told. An order that was proven not to have lived, and does, is canceled at once: the strategy was told that
# it failed, and may have sent another in its place. What became of a modification is told by its own callbacks
# (Tracker): where it is the first word of the order, the order is accepted as well.
RULES = """
FREE              INTENT           PENDING           NOTIFY
FREE              REFUSED          FAILED            NOTIFY CLOSE
PENDING           REFUSED          FAILED            NOTIFY CLOSE
PENDING           ACCEPTED         ACCEPTED          NOTIFY
PENDING           REJECTED         FAILED            NOTIFY CLOSE
PENDING           DOUBT            UNKNOWN           QUERY
PENDING           FILL             PARTIALLY_FILLED  NOTIFY
PENDING           FILLED           FILLED            NOTIFY CLOSE
PENDING           CANCEL_INTENT    CANCELING         NOTIFY
PENDING           CANCEL_DOUBT     PENDING           QUERY
PENDING           CANCEL_REJECTED  PENDING           NOTIFY_CANCEL_FAILED
PENDING           CANCELED         CANCELED          NOTIFY CLOSE
PENDING           EXPIRED          EXPIRED           NOTIFY CLOSE
PENDING           NOT_FOUND        FAILED            NOTIFY CLOSE
PENDING           MODIFY_INTENT    PENDING
PENDING           MODIFIED         ACCEPTED          NOTIFY
PENDING           MODIFY_REJECTED  PENDING
UNKNOWN           ACCEPTED         ACCEPTED          NOTIFY
UNKNOWN           REJECTED         FAILED            NOTIFY CLOSE
UNKNOWN           DOUBT            UNKNOWN           QUERY
UNKNOWN           FILL             PARTIALLY_FILLED  NOTIFY
UNKNOWN           FILLED           FILLED            NOTIFY CLOSE
UNKNOWN           CANCEL_INTENT    CANCELING         NOTIFY
UNKNOWN           CANCEL_DOUBT     UNKNOWN           QUERY
UNKNOWN           CANCEL_REJECTED  UNKNOWN           QUERY
UNKNOWN           CANCELED         CANCELED          NOTIFY CLOSE
UNKNOWN           EXPIRED          EXPIRED           NOTIFY CLOSE
UNKNOWN           NOT_FOUND        FAILED            NOTIFY CLOSE
UNKNOWN           MODIFY_INTENT    UNKNOWN
UNKNOWN           MODIFIED         ACCEPTED          NOTIFY
UNKNOWN           MODIFY_REJECTED  UNKNOWN           QUERY
ACCEPTED          ACCEPTED         ACCEPTED
ACCEPTED          DOUBT            ACCEPTED
ACCEPTED          FILL             PARTIALLY_FILLED  NOTIFY
ACCEPTED          FILLED           FILLED            NOTIFY CLOSE
ACCEPTED          CANCEL_INTENT    CANCELING         NOTIFY
ACCEPTED          CANCEL_REJECTED  ACCEPTED          NOTIFY_CANCEL_FAILED
ACCEPTED          CANCEL_DOUBT     ACCEPTED          QUERY
ACCEPTED          CANCELED         CANCELED          NOTIFY CLOSE
ACCEPTED          EXPIRED          EXPIRED           NOTIFY CLOSE
ACCEPTED          NOT_FOUND        CANCELED          NOTIFY CLOSE
ACCEPTED          MODIFY_INTENT    ACCEPTED
ACCEPTED          MODIFIED         ACCEPTED
ACCEPTED          MODIFY_REJECTED  ACCEPTED
PARTIALLY_FILLED  ACCEPTED         PARTIALLY_FILLED
PARTIALLY_FILLED  DOUBT            PARTIALLY_FILLED
PARTIALLY_FILLED  FILL             PARTIALLY_FILLED  NOTIFY
PARTIALLY_FILLED  FILLED           FILLED            NOTIFY CLOSE
PARTIALLY_FILLED  CANCEL_INTENT    CANCELING         NOTIFY
PARTIALLY_FILLED  CANCEL_REJECTED  PARTIALLY_FILLED  NOTIFY_CANCEL_FAILED
PARTIALLY_FILLED  CANCEL_DOUBT     PARTIALLY_FILLED  QUERY
PARTIALLY_FILLED  CANCELED         CANCELED          NOTIFY CLOSE
PARTIALLY_FILLED  EXPIRED          EXPIRED           NOTIFY CLOSE
PARTIALLY_FILLED  NOT_FOUND        CANCELED          NOTIFY CLOSE
PARTIALLY_FILLED  MODIFY_INTENT    PARTIALLY_FILLED
PARTIALLY_FILLED  MODIFIED         PARTIALLY_FILLED
PARTIALLY_FILLED  MODIFY_REJECTED  PARTIALLY_FILLED
CANCELING         ACCEPTED         CANCELING
CANCELING         REJECTED         FAILED            NOTIFY CLOSE
CANCELING         DOUBT            CANCELING         QUERY
CANCELING         FILL             CANCELING         NOTIFY_FILL
CANCELING         FILLED           FILLED            NOTIFY CLOSE
CANCELING         CANCEL_INTENT    CANCELING
CANCELING         CANCEL_REJECTED  ACCEPTED          NOTIFY_CANCEL_FAILED
CANCELING         CANCEL_DOUBT     CANCELING         QUERY
CANCELING         CANCELED         CANCELED          NOTIFY CLOSE
CANCELING         EXPIRED          EXPIRED           NOTIFY CLOSE
CANCELING         NOT_FOUND        CANCELED          NOTIFY CLOSE
CANCELING         MODIFIED         CANCELING
CANCELING         MODIFY_REJECTED  CANCELING
CANCELED          FILL             CANCELED          NOTIFY_FILL
CANCELED          FILLED           FILLED            NOTIFY
EXPIRED           FILL             EXPIRED           NOTIFY_FILL
EXPIRED           FILLED           FILLED            NOTIFY
FAILED            ACCEPTED         CANCELING         NOTIFY CANCEL
FAILED            FILL             CANCELING         NOTIFY CANCEL
FAILED            FILLED           FILLED            NOTIFY
"""

# Events that a closed order may still see without anything being wrong.
LATE = ("ACCEPTED", "DOUBT", "CANCEL_INTENT", "CANCEL_REJECTED", "CANCEL_DOUBT", "CANCELED", "EXPIRED", "NOT_FOUND",
        "MODIFY_INTENT", "MODIFIED", "MODIFY_REJECTED")

cdef uint16_t table[NX_STATES * NX_EVENTS]


def transitions():
    """{(state, event): (next state, {actions})} by name, as the rules above give them."""
    found = {}
    for line in RULES.strip().splitlines():
        state, event, following, *actions = line.split()
        found[state, event] = (following, frozenset(actions))
    for state in STATES[NX_STATE_FILLED:]:
        for event in LATE:
            found.setdefault((state, event), (state, frozenset()))
    found["FILLED", "FILLED"] = ("FILLED", frozenset())
    found["FAILED", "REJECTED"] = found["FAILED", "REFUSED"] = ("FAILED", frozenset())
    return found


cdef int compile_table() except -1:
    cdef int state, event
    for state in range(NX_STATES):
        for event in range(NX_EVENTS):
            table[state * NX_EVENTS + event] = state | NX_ACT_CONFLICT << 8
    for (name, trigger), (following, actions) in transitions().items():
        bits = sum(ACTIONS[action] for action in actions)
        table[STATES.index(name) * NX_EVENTS + EVENTS.index(trigger)] = STATES.index(following) | bits << 8
    return 0


cdef uint16_t order_transition(uint8_t state, uint8_t event, bint filled) noexcept nogil:
    cdef uint16_t found
    if state >= NX_STATES or event >= NX_EVENTS:
        return state | NX_ACT_CONFLICT << 8
    found = table[state * NX_EVENTS + event]
    if filled and (found & 0xFF) == NX_STATE_ACCEPTED:
        found = (found & 0xFF00) | NX_STATE_PARTIALLY_FILLED
    return found


def transition(str state, str event, bint filled=False):
    """(next state, {actions}) by name: the function that the engine runs, for tests and tools."""
    cdef uint16_t found = order_transition(STATES.index(state), EVENTS.index(event), filled)
    bits = found >> 8
    return STATES[found & 0xFF], frozenset(name for name, bit in ACTIONS.items() if bits & bit)


def diagram():
    """The table as a Mermaid state diagram: changes of state only."""
    arrows = {}
    for (state, event), (following, _) in transitions().items():
        if state != following:
            arrows.setdefault((state, following), []).append(event.lower())
    lines = [f"    {state} --> {following}: {', '.join(events)}" for (state, following), events in arrows.items()]
    return "\n".join(["stateDiagram-v2", *lines])


compile_table()
