"""The records and small enums that the hot half is written in. Declared here once; `core.types` (types.pyx) exports
their layout to Python and numpy, and `nexus_fast.core.write_header()` writes the same block as a C header.

Mantissas are exact: value = mantissa * 10**-scale, with the symbol's own scales. The double beside each is the
correctly rounded value. All times are nanoseconds.
"""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from *:
    """
    /* nexus_fast records: begin */
    #ifndef NEXUS_FAST_RECORDS_H
    #define NEXUS_FAST_RECORDS_H
    #include <stddef.h>
    #include <stdint.h>

    /* Best bid and ask of one symbol, as it stands in the market ring and in the latest table. */
    typedef struct nx_bookl1 {
        uint64_t sequence;          /* stamp of the slot; belongs to the ring, see docs/memory-model.md */
        int64_t bid;                /* mantissa, scale price_scale; 0 with NX_FLAG_NO_BID */
        int64_t ask;                /* mantissa, scale price_scale; 0 with NX_FLAG_NO_ASK */
        int64_t bid_size;           /* mantissa, scale size_scale */
        int64_t ask_size;           /* mantissa, scale size_scale */
        double bid_value;
        double ask_value;
        double bid_size_value;
        double ask_size_value;
        int64_t venue_time_ns;      /* the venue's time of the quote, UTC; 0 where the venue sends none */
        int64_t receive_time_ns;    /* CLOCK_REALTIME when the bytes were read */
        uint64_t update_id;         /* the venue's own; 0 where it sends none */
        uint32_t symbol_id;         /* index into the engine's symbols */
        uint8_t price_scale;
        uint8_t size_scale;
        uint8_t venue;              /* nx_venue */
        uint8_t flags;              /* NX_FLAG_... */
        int64_t receive_ticks;      /* cycle counter when the bytes were read: for measuring only */
        int64_t spare[2];           /* zero */
    } nx_bookl1;

    /* One step in an order's life, as it stands in the order ring and in the journal. */
    typedef struct nx_order_event {
        uint64_t sequence;          /* stamp of the slot; belongs to the ring */
        uint64_t number;            /* 1, 2, 3 … in the order in which the engine decided */
        int64_t time_ns;            /* CLOCK_REALTIME */
        uint64_t order_number;      /* the engine's number of the order; 0 for an order that is not ours */
        int64_t price;              /* mantissa, scale price_scale; 0 for a market order */
        int64_t quantity;           /* mantissa, scale size_scale */
        int64_t filled;             /* cumulative, scale size_scale */
        int64_t last_price;         /* of the fill that this event brings */
        int64_t last_quantity;
        int64_t trade_id;           /* the venue's; -1 where there is none */
        char client_id[40];         /* zero-terminated */
        char venue_id[40];          /* zero-terminated; empty until the venue has given one */
        uint32_t symbol_id;
        uint32_t checksum;          /* of the 256 bytes with sequence and checksum taken as zero; journal only */
        uint8_t kind;               /* nx_order_event_kind */
        uint8_t state;              /* nx_order_state after the event */
        uint8_t side;
        uint8_t type;
        uint8_t time_in_force;
        uint8_t flags;              /* NX_ORDER_... */
        uint8_t account;            /* index into the engine's accounts */
        uint8_t reason;             /* nx_reason */
        uint8_t price_scale;
        uint8_t size_scale;
        uint8_t strategy;           /* index into the engine's strategies */
        uint8_t pad[5];             /* zero */
        int64_t venue_time_ns;
        int64_t spare[8];           /* a refusal's text in UTF-8, its first 64 bytes; else zero */
    } nx_order_event;

    enum { NX_FLAG_NO_BID = 1, NX_FLAG_NO_ASK = 2, NX_FLAG_STALE = 4, NX_FLAG_RESET = 8, NX_FLAG_PASSED = 16 };
    enum { NX_ORDER_REDUCE_ONLY = 1 };

    _Static_assert(sizeof(nx_bookl1) == 128, "a market record is two cache lines");
    _Static_assert(offsetof(nx_bookl1, bid_value) == 40, "layout of nx_bookl1");
    _Static_assert(offsetof(nx_bookl1, symbol_id) == 96, "layout of nx_bookl1");
    _Static_assert(sizeof(nx_order_event) == 256, "an order record is four cache lines");
    _Static_assert(offsetof(nx_order_event, client_id) == 80, "layout of nx_order_event");
    _Static_assert(offsetof(nx_order_event, kind) == 168, "layout of nx_order_event");
    #endif
    /* nexus_fast records: end */
    """
    ctypedef struct nx_bookl1:
        uint64_t sequence
        int64_t bid
        int64_t ask
        int64_t bid_size
        int64_t ask_size
        double bid_value
        double ask_value
        double bid_size_value
        double ask_size_value
        int64_t venue_time_ns
        int64_t receive_time_ns
        uint64_t update_id
        uint32_t symbol_id
        uint8_t price_scale
        uint8_t size_scale
        uint8_t venue
        uint8_t flags
        int64_t receive_ticks
        int64_t spare[2]

    ctypedef struct nx_order_event:
        uint64_t sequence
        uint64_t number
        int64_t time_ns
        uint64_t order_number
        int64_t price
        int64_t quantity
        int64_t filled
        int64_t last_price
        int64_t last_quantity
        int64_t trade_id
        char client_id[40]
        char venue_id[40]
        uint32_t symbol_id
        uint32_t checksum
        uint8_t kind
        uint8_t state
        uint8_t side
        uint8_t type
        uint8_t time_in_force
        uint8_t flags
        uint8_t account
        uint8_t reason
        uint8_t price_scale
        uint8_t size_scale
        uint8_t strategy
        uint8_t pad[5]
        int64_t venue_time_ns
        int64_t spare[8]

    enum:
        NX_FLAG_NO_BID
        NX_FLAG_NO_ASK
        NX_FLAG_STALE
        NX_FLAG_RESET
        NX_FLAG_PASSED              # a later quote came and could not be used
        NX_ORDER_REDUCE_ONLY

# Index = the value in a record. `core.types` exports the same numbers to Python.
cdef enum nx_venue:
    NX_BINANCE = 1
    NX_BYBIT = 2
    NX_OKX = 3

cdef enum nx_side:
    NX_BUY = 0
    NX_SELL = 1

cdef enum nx_order_type:
    NX_MARKET = 0
    NX_LIMIT = 1
    NX_POST_ONLY = 2

cdef enum nx_time_in_force:
    NX_GTC = 0
    NX_IOC = 1
    NX_FOK = 2

cdef enum nx_liquidity:
    NX_LIQUIDITY_UNKNOWN = 0
    NX_MAKER = 1
    NX_TAKER = 2

cdef enum nx_fill_flag:
    NX_FILL_RECOVERED = 1           # the position of on_start contains it already
    NX_FILL_HAS_FEE = 2             # else on_execution_fee tells it later
    NX_FILL_HAS_TRADE_ID = 4        # else the venue never listed the trade: a rest of an order's total
    NX_FILL_HAS_POSITION = 8        # derivatives; spot has balances

# What an order callback is about; on_order gets it. Their names in Python: on_<name>_order.
cdef enum nx_order_callback:
    NX_ON_PENDING = 0
    NX_ON_ACCEPTED = 1
    NX_ON_PARTIALLY_FILLED = 2
    NX_ON_FILLED = 3
    NX_ON_CANCELING = 4
    NX_ON_CANCELED = 5
    NX_ON_EXPIRED = 6
    NX_ON_FAILED = 7
    NX_ON_CANCEL_FAILED = 8
    NX_ON_MODIFIED = 9
    NX_ON_MODIFY_FAILED = 10

# A fill, as on_execution gets it: nexus_fast.schema.Fill in integers. In no ring and in no file.
ctypedef struct nx_fill:
    uint64_t order_number           # 0 when the order's slot has been taken by a later one
    int64_t trade_id                # with NX_FILL_HAS_TRADE_ID
    int64_t price                   # mantissa, scale price_scale, rounded where the trade's price is finer
    int64_t quantity                # mantissa, scale size_scale
    int64_t position                # signed, after this fill; scale size_scale; with NX_FILL_HAS_POSITION
    int64_t fee                     # mantissa, scale fee_scale; below zero: a rebate; with NX_FILL_HAS_FEE
    int64_t venue_time_ns           # the venue's time of the trade
    double price_value              # the same price and quantity, correctly rounded
    double quantity_value
    double average                  # of all fills of the order so far
    uint32_t symbol_id
    uint8_t account                 # index into the engine's accounts
    uint8_t side                    # nx_side
    uint8_t liquidity               # nx_liquidity
    uint8_t flags                   # NX_FILL_...
    uint8_t price_scale
    uint8_t size_scale
    uint8_t fee_scale
    char fee_currency[17]           # zero-terminated
