"""The journal: every order event in a mapped file, in the file before the order's first byte goes out.

An append is 32 stores into memory that was mapped, touched and locked before: no system call, no lock, no wait for a
disk. The pages belong to the file, so they outlive the process however it ends. Word 0 of a record, stored last, is
its number in the epoch (SYNC POINT APPEND, docs/memory-model.md); the checksum tells a record that a
power failure tore.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from nexus_fast.core.atomics cimport load_acquire_u64
from nexus_fast.core.types cimport nx_order_event

cdef extern from *:
    """
    /* nexus_fast journal: begin */
    #ifndef NEXUS_FAST_JOURNAL_H
    #define NEXUS_FAST_JOURNAL_H

    #define NX_JOURNAL_MAGIC UINT64_C(0x314c4e524a584e)     /* the bytes "NXJRNL1" and a zero */
    #define NX_JOURNAL_LAYOUT 1
    #define NX_JOURNAL_HEADER 4096
    #define NX_EVENT_WORDS 32
    #define NX_CHECKSUM_WORD 20                             /* symbol_id in its low half, checksum in its high one */
    _Static_assert(offsetof(nx_order_event, symbol_id) == 8 * NX_CHECKSUM_WORD, "place of the checksum");
    _Static_assert(offsetof(nx_order_event, checksum) == 8 * NX_CHECKSUM_WORD + 4, "place of the checksum");

    /* First page of every journal file. */
    typedef struct nx_journal_header {
        uint64_t magic;
        uint32_t layout_version;
        uint32_t record_size;       /* 256 */
        uint64_t fingerprint;       /* hash of the record's field table */
        uint64_t epoch;             /* one per opening of the directory, growing */
        uint64_t index;             /* of this file in its epoch: 0, 1, 2 … */
        uint64_t capacity;          /* records that fit */
        uint64_t first_sequence;    /* word 0 of this file's first record */
        uint64_t identity_hash;     /* xxh64 of identity */
        int64_t created_ns;         /* CLOCK_REALTIME */
        int64_t writer_pid;
        uint64_t spare[6];
        char identity[256];         /* whose journal: UTF-8, zero-terminated, cut when longer */
    } nx_journal_header;
    _Static_assert(sizeof(nx_journal_header) == 384, "layout of nx_journal_header");

    typedef struct nx_journal {
        nx_word *cursor;            /* the next record's place */
        nx_word *end;               /* of the current file's mapping */
        nx_word *next;              /* first record of the file that is mapped ahead; NULL when there is none */
        nx_word *next_end;
        uint64_t sequence;          /* records appended in this epoch */
        uint64_t refused;           /* appends that found no room */
        uint64_t switches;          /* files gone through */
    } nx_journal;

    /* Checksum of the 256 bytes with word 0 and the checksum itself taken as zero: the sum of the words, which any one
       changed word changes, and the sum of its intermediate values, which knows their places; both mixed to 32 bits.
       Two additions a word keep pace with the stores; CRC32C takes three cycles a word, and xxh3 as many instructions
       again. With a place it copies the words there on the way, all but 0 and the one with the checksum. Relaxed
       loads keep the compiler from vector loads, which stall on fields that were stored a moment ago. */
    static inline uint32_t nx_event_pass(const void *event, nx_word *place) {
        const nx_word *words = (const nx_word *)event;
        uint64_t sum = UINT64_C(0x9e3779b97f4a7c15), places = 0;
        for (int i = 1; i < NX_EVENT_WORDS; i++) {
            uint64_t word = nx_load_relaxed_u64(words + i);
            if (i == NX_CHECKSUM_WORD) word &= UINT64_C(0xffffffff);
            else if (place != NULL) nx_store_relaxed_u64(place + i, word);
            sum += word;
            places += sum;
        }
        sum *= UINT64_C(0xd6e8feb86659fd93);
        sum = ((sum ^ sum >> 32) + places) * UINT64_C(0x9fb21c651e98df25);
        return (uint32_t)(sum >> 32);
    }

    static inline uint32_t nx_event_checksum(const void *event) { return nx_event_pass(event, NULL); }

    static __attribute__((noinline, unused)) int nx_journal_switch(nx_journal *journal) {
        if (journal->next == NULL) {
            journal->refused++;
            return -1;
        }
        journal->cursor = journal->next;
        journal->end = journal->next_end;
        journal->next = NULL;
        journal->switches++;
        return 0;
    }

    /* 0: the event is in the file, there with its sequence and checksum; -1: no room, the event is not journalled and
       its order must not be sent. The caller's event stays as it is: a narrow store into it would stall the next
       wide load. */
    static inline int nx_journal_append(nx_journal *journal, const nx_order_event *event) {
        if (__builtin_expect(journal->cursor == journal->end, 0) && nx_journal_switch(journal) != 0) return -1;
        nx_word *place = journal->cursor;
        uint64_t sequence = ++journal->sequence;
        uint32_t checksum = nx_event_pass(event, place);
        nx_store_relaxed_u64(place + NX_CHECKSUM_WORD, (uint64_t)checksum << 32 | event->symbol_id);
        nx_store_release_u64(place, sequence);              /* SYNC POINT APPEND */
        journal->cursor = place + NX_EVENT_WORDS;
        for (int line = 0; line < NX_EVENT_WORDS; line += 8) __builtin_prefetch(journal->cursor + line, 1, 3);
        return 0;
    }

    /* Makes the pages from `from` on writable in our page table again: the kernel protects a page when it writes it
       back, and the next store would fault. Changes no byte. */
    static inline void nx_journal_touch(char *from, char *end, uint64_t pages) {
        for (; pages > 0 && from < end; pages--, from += 4096) __atomic_fetch_or((nx_word *)from, 0, __ATOMIC_RELAXED);
    }
    #endif
    /* nexus_fast journal: end */
    """
    ctypedef struct nx_journal_header:
        uint64_t magic
        uint32_t layout_version
        uint32_t record_size
        uint64_t fingerprint
        uint64_t epoch
        uint64_t index
        uint64_t capacity
        uint64_t first_sequence
        uint64_t identity_hash
        int64_t created_ns
        int64_t writer_pid
        char identity[256]

    ctypedef struct nx_journal:
        uint64_t* cursor
        uint64_t* end
        uint64_t* next
        uint64_t* next_end
        uint64_t sequence
        uint64_t refused
        uint64_t switches

    uint64_t NX_JOURNAL_MAGIC
    enum:
        NX_JOURNAL_LAYOUT
        NX_JOURNAL_HEADER
    int journal_append "nx_journal_append"(nx_journal* journal, const nx_order_event* event) noexcept nogil
    uint32_t event_checksum "nx_event_checksum"(const void* event) noexcept nogil
    void journal_touch "nx_journal_touch"(char* start, char* end, uint64_t pages) noexcept nogil


# Records that are no order's event. Their text, in UTF-8, stands in the 64 bytes of `spare`; a longer one goes on in the next
# record of the same kind: last_price is the part's place in the text, last_quantity the whole text's length.
cdef enum nx_journal_kind:
    NX_JOURNAL_SESSION = 32         # a session begins: price = its start in ms, quantity = slots of its table; text: its identity.
                                    # filled = 1: it notes which fills were told; before there was such a note, 0
    NX_JOURNAL_SYMBOL = 33          # symbol_id is called `text`
    NX_JOURNAL_ACCOUNT = 34         # account is called `text`
    NX_JOURNAL_STRATEGY = 35        # strategy is called `text`
    NX_JOURNAL_ORDER = 36           # an order as it stands, whatever was before; venue_time_ns = when it was created. With number
                                    # 0: an earlier session's that this one has no account for
    NX_JOURNAL_TRADE = 37           # a fill that order_number had in an earlier session: trade_id, price, quantity. Of an order
                                    # with number 0 client_id says which
    NX_JOURNAL_KEY = 38             # the idempotency key `text` belongs to client_id. state: of an order that is over, else 0
    NX_JOURNAL_BEGUN = 39           # what earlier sessions left has been written down again; this session needs no older file
    NX_JOURNAL_END = 40             # a clean end: price = appends that found no room; text: digest of the table, in hex
    NX_JOURNAL_TOLD = 41            # a strategy's callbacks for a fill have returned: order_number, trade_id (-1: it has none),
                                    # filled = sum of the order's fills that were told. flags = 1: with its fee, or without a
                                    # trade: fees that were not told are not waited for any more

cdef class MappedFile:
    cdef char* base             # NULL when unmapped
    cdef size_t size
    cdef size_t ready           # bytes from the start that an append may go to
    cdef int fd                 # -1 once all of it is ready
    cdef readonly str path
    cdef readonly uint64_t index

    cdef uint64_t* records(self) noexcept nogil
    cdef uint64_t* end(self) noexcept nogil
    cdef bint prepare(self, uint64_t pages) noexcept nogil
    cdef void prepare_piece(self, size_t piece) noexcept nogil
    cdef bint release(self, uint64_t pages) noexcept nogil


cdef class JournalWriter:
    cdef nx_journal journal
    cdef MappedFile current
    cdef MappedFile ahead       # None until turn() has begun the next file
    cdef list left              # files that were filled and are being unmapped, a piece a turn
    cdef object directory       #: nexus_fast.journal.files.JournalDirectory
    cdef uint64_t capacity
    cdef uint64_t switches_seen
    cdef int64_t retry_ns       # CLOCK_MONOTONIC before which no new file is tried after a failure
    cdef str trouble            # why the next file could not be made; None when all is well

    cdef nx_journal* handle(self) noexcept nogil
    cdef int begin_next(self) except -1
    cdef MappedFile new_file(self, uint64_t index)
    cpdef int turn(self, uint64_t pages=*) except -1
