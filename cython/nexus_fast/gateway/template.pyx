"""Filling and building request templates. What texts are made of, and how they are signed: see texts.py.

The constant head of what is signed is hashed here, once, in whole 64-byte blocks: venue modules put what never changes
first wherever the venue lets them choose.
"""

from libc.stdint cimport uint16_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from nexus_fast.core.fixed cimport fixed_write, uint_write, uint_write_fixed
from nexus_fast.core.types cimport NX_LIMIT
from nexus_fast.gateway.sha256 cimport HMAC_ROOM, hmac_absorb, hmac_blocks, hmac_close, hmac_key, hmac_pad, nx_hmac

from nexus_fast.gateway.texts import LONGEST, Hole, between, merged, pieces_of, without_start

cdef extern from "nexus_fast/gateway/template.h" nogil:
    enum:
        NX_COPY_SLACK

    ctypedef struct nx_piece:
        uint16_t length
        uint8_t hole

    ctypedef struct nx_text:
        const nx_piece* pieces
        const char* literals
        int count
        int bound

    ctypedef struct nx_template_fields "nx_template":
        uint32_t inner[8]
        uint32_t outer[8]
        uint64_t absorbed
        nx_text text
        nx_text signed_text
        nx_text behind_id
        uint64_t head_key
        uint8_t head[64]
        int head_id
        int signed_from
        uint8_t has_price
        uint8_t has_quantity
        uint8_t has_request_id
        uint8_t price_scale
        uint8_t size_scale
        uint8_t id_limit
        uint8_t request_id_limit
        char id_prefix
        char id_overflow

    const int64_t nx_first_time
    const int64_t nx_time_limit
    const int64_t nx_number_limit

    char* nx_put(char* to, const char* source, unsigned length) noexcept
    char* nx_put_exact(char* to, const char* source, unsigned length) noexcept


cdef enum:      # the members of Hole, for C
    END = 0
    PRICE = 1
    QUANTITY = 2
    CLIENT_ID = 3
    REQUEST_ID = 4
    TIMESTAMP = 5
    SIGNATURE = 6
    SIGNED_TO = 7

    LONGEST_ID = 36

STATUS_TEXTS = {
    NX_FILL_NO_ROOM: "the buffer is too small",
    NX_FILL_BAD_CLIENT_ID: "the client id is empty or longer than the venue takes",
    NX_FILL_BAD_NUMBER: "price and quantity must be positive and have at most 18 digits",
    NX_FILL_BAD_TIME: "a timestamp is milliseconds since 1970, 13 digits",
    NX_FILL_NO_TEMPLATE: "the venue has no such request",
}


# ---- filling: hot ----

cdef int template_fill(const nx_template* template, const nx_order_request* request, char* out,
                       int capacity) noexcept nogil:
    """Writes the text of the request to out and returns its length, or a negative nx_fill_status.

    out may be overwritten up to template_bound(template) bytes, which is what capacity must not be below.
    """
    cdef nx_filling filling
    cdef int status = template_begin(template, request, NULL, &filling, capacity)
    return status if status < 0 else template_end(&filling, out)


cdef int template_begin(const nx_template* template, const nx_order_request* request, const nx_ahead* ahead,
                        nx_filling* filling, int capacity) noexcept nogil:
    cdef const nx_template_fields* t = <const nx_template_fields*> template
    cdef int status
    if t == NULL:
        return NX_FILL_NO_TEMPLATE
    if capacity < t.text.bound:
        return NX_FILL_NO_ROOM
    status = write_values(t, request, &filling.values)
    if status < 0:
        return status
    filling.template = template
    filling.last = NULL
    if t.signed_text.count:
        begin_signature(t, request, ahead, filling)
    return 0


cdef int template_end(nx_filling* filling, char* out) noexcept nogil:
    cdef const nx_template_fields* t = <const nx_template_fields*> filling.template
    cdef int size = <int> (write_text(t, &t.text, &filling.values, out, &filling.signature) - out)
    if filling.last != NULL:
        hmac_close(filling.inner, t.outer, filling.last, 1, filling.signature)
    return size


cdef bint template_has_head(const nx_template* template) noexcept nogil:
    return (<const nx_template_fields*> template).head_key != 0


cdef void template_ahead(const nx_template* template, const char* client_id, uint64_t number, nx_ahead* ahead) noexcept nogil:
    """client_id: OWN_ID_LENGTH bytes, the one that order `number` will have. Of a template with a head."""
    cdef const nx_template_fields* t = <const nx_template_fields*> template
    ahead.key = t.head_key
    ahead.number = number
    hash_head(t, client_id, ahead.inner)


cdef inline void hash_head(const nx_template_fields* t, const char* client_id, uint32_t* inner) noexcept nogil:
    cdef uint8_t block[64]
    memcpy(block, t.head, 64)
    memcpy(block + t.head_id, client_id, OWN_ID_LENGTH)
    memcpy(inner, t.inner, 32)
    hmac_blocks(inner, block, 1)


cdef inline void begin_signature(const nx_template_fields* t, const nx_order_request* r, const nx_ahead* ahead,
                                 nx_filling* f) noexcept nogil:
    """Writes what is signed and hashes it up to its last block."""
    cdef const nx_text* text = &t.signed_text
    cdef uint64_t absorbed = t.absorbed
    cdef size_t blocks
    if t.head_key and r.client_id_length == OWN_ID_LENGTH:
        text = &t.behind_id
        absorbed += 64
        if ahead != NULL and ahead.key == t.head_key and ahead.number == r.request_number:
            memcpy(f.inner, ahead.inner, 32)
        else:
            hash_head(t, r.client_id, f.inner)
    else:
        memcpy(f.inner, t.inner, 32)
    blocks = hmac_pad(<uint8_t*> f.tail, write_text(t, text, &f.values, f.tail, &f.signature) - f.tail, absorbed)
    if blocks > 1:
        hmac_blocks(f.inner, <const uint8_t*> f.tail, blocks - 1)
    f.last = <const uint8_t*> f.tail + 64 * (blocks - 1)


cdef int template_bound(const nx_template* template) noexcept nogil:
    """Bytes that template_fill may touch."""
    return (<const nx_template_fields*> template).text.bound


cdef inline int write_values(const nx_template_fields* t, const nx_order_request* r, nx_values* v) noexcept nogil:
    if r.client_id_length < 1 or r.client_id_length > t.id_limit:
        return NX_FILL_BAD_CLIENT_ID
    if r.timestamp_ms < nx_first_time or r.timestamp_ms >= nx_time_limit:
        return NX_FILL_BAD_TIME
    v.at[END] = v.at[SIGNED_TO] = v.request_id
    v.length[END] = v.length[SIGNED_TO] = 0
    v.at[CLIENT_ID] = r.client_id
    v.length[CLIENT_ID] = r.client_id_length
    if t.has_request_id:
        write_request_id(t, r, v)
    uint_write_fixed(<uint64_t> r.timestamp_ms, 13, v.timestamp)
    v.at[TIMESTAMP] = v.timestamp
    v.length[TIMESTAMP] = 13
    v.at[SIGNATURE] = v.signature
    v.length[SIGNATURE] = 64
    return write_numbers(t, r, v)


cdef inline int write_numbers(const nx_template_fields* t, const nx_order_request* r, nx_values* v) noexcept nogil:
    if t.has_price:
        if r.price <= 0 or r.price >= nx_number_limit:
            return NX_FILL_BAD_NUMBER
        v.at[PRICE] = v.price
        v.length[PRICE] = fixed_write(r.price, t.price_scale, v.price)
    if t.has_quantity:
        if r.quantity <= 0 or r.quantity >= nx_number_limit:
            return NX_FILL_BAD_NUMBER
        v.at[QUANTITY] = v.quantity
        v.length[QUANTITY] = fixed_write(r.quantity, t.size_scale, v.quantity)
    return 0


cdef inline void write_request_id(const nx_template_fields* t, const nx_order_request* r, nx_values* v) noexcept nogil:
    v.at[REQUEST_ID] = v.request_id
    if r.client_id_length < t.request_id_limit:
        v.request_id[0] = t.id_prefix
        nx_put_exact(v.request_id + 1, r.client_id, r.client_id_length)
        v.length[REQUEST_ID] = 1 + r.client_id_length
    else:
        v.request_id[0] = t.id_overflow
        v.request_id[1] = t.id_prefix
        v.length[REQUEST_ID] = 2 + uint_write(r.request_number, v.request_id + 2)


cdef inline char* write_text(const nx_template_fields* t, const nx_text* text, nx_values* v, char* out,
                             char** signature) noexcept nogil:
    """A signature that is made apart is left out, and its place told."""
    cdef const char* literal = text.literals
    cdef char* at = out
    cdef unsigned i, hole
    for i in range(<unsigned> text.count):
        at = nx_put(at, literal, text.pieces[i].length)
        literal += text.pieces[i].length
        hole = text.pieces[i].hole
        if hole == SIGNED_TO:
            sign(t, out + t.signed_from, at - out - t.signed_from, v)
        if hole == CLIENT_ID:
            at = nx_put_exact(at, v.at[CLIENT_ID], v.length[CLIENT_ID])
        elif hole == SIGNATURE and t.signed_text.count:
            signature[0] = at
            at += 64
        else:
            at = nx_put(at, v.at[hole], v.length[hole])
    return at


cdef inline void sign(const nx_template_fields* t, char* tail, size_t size, nx_values* v) noexcept nogil:
    """Overwrites HMAC_ROOM bytes behind the tail: what follows it in the request is written afterwards."""
    hmac_close(t.inner, t.outer, <uint8_t*> tail, hmac_pad(<uint8_t*> tail, size, t.absorbed), v.signature)


# ---- building: cold ----

cdef class _Owned:
    """Frees one block of memory when its last reference goes."""

    cdef void* start

    def __dealloc__(self):
        free(self.start)


cdef class TemplateSet:
    """Templates of one symbol on one account by one entry.

    secret: the HMAC key, of which only the two hash states are kept; None: requests carry no signature.
    id_limit: the longest client id and request id that the venue takes. A request id is the client id behind a
    one-letter prefix (none for a new order); where that is too long, it is id_overflow, the prefix and the order's number.
    request_id_limit: id_limit, or less where a template puts more behind the request id.
    """

    def __cinit__(self, *, price_scale, size_scale, secret=None, id_limit=LONGEST_ID, id_overflow="#", request_id_limit=None):
        if request_id_limit is None:
            request_id_limit = id_limit
        if not 1 <= id_limit <= LONGEST_ID or len(id_overflow) != 1:
            raise ValueError(f"id_limit={id_limit}: 1 to {LONGEST_ID}; id_overflow={id_overflow!r}: one character")
        if not 16 <= request_id_limit <= id_limit and request_id_limit != id_limit:
            raise ValueError(f"request_id_limit={request_id_limit}: 16, so that a number fits, to id_limit={id_limit}")
        for name, scale in (("price_scale", price_scale), ("size_scale", size_scale)):
            if not 0 <= scale <= 18:
                raise ValueError(f"{name}={scale}: a scale is 0 to 18")
        self.price_scale, self.size_scale = price_scale, size_scale
        self.id_limit, self.id_overflow = id_limit, id_overflow.encode("ascii")
        self.request_id_limit = request_id_limit
        self._owned = []
        self._secret_state = None if secret is None else _key_state(secret)

    cdef nx_template* place(self, uint8_t side, uint8_t type, uint8_t time_in_force, bint reduce_only) noexcept nogil:
        """The request for a new order; NULL where the venue has no such order."""
        if side > 1 or type > 2 or time_in_force > 2:
            return NULL
        return self._place[side][type][time_in_force if type == NX_LIMIT else 0][reduce_only]

    cdef nx_template* cancel(self) noexcept nogil:
        """The request to cancel the order whose client id request.client_id is; NULL where there is none."""
        return self._cancel

    cdef nx_template* modify(self, uint8_t side) noexcept nogil:
        """The request to change price and quantity of such an order; NULL where the venue has none."""
        return self._modify[side] if side <= 1 else NULL

    def set_place(self, int side, int type, int time_in_force, bint reduce_only, text, payload=None):
        """Builds the template of one kind of order from its texts, see texts.py."""
        if not (0 <= side <= 1 and 0 <= type <= 2 and 0 <= time_in_force <= 2):
            raise ValueError(f"no order is side={side} type={type} time_in_force={time_in_force}")
        if type != NX_LIMIT:
            time_in_force = 0
        self._place[side][type][time_in_force][reduce_only] = self._build(text, payload, "")

    def set_cancel(self, text, payload=None, prefix="c"):
        self._cancel = self._build(text, payload, prefix)

    def set_modify(self, int side, text, payload=None, prefix="m"):
        if not 0 <= side <= 1:
            raise ValueError(f"side={side}: 0 buys, 1 sells")
        self._modify[side] = self._build(text, payload, prefix)

    def has_place(self, int side, int type, int time_in_force, bint reduce_only):
        """Whether the venue has such an order."""
        return self.place(side, type, time_in_force, reduce_only) != NULL

    def place_text(self, int side, int type, int time_in_force, bint reduce_only, **values):
        """The bytes of a new order's request, as the engine makes them; values: see _fill."""
        return _fill(self.place(side, type, time_in_force, reduce_only), values)

    def cancel_text(self, **values):
        return _fill(self.cancel(), values)

    def modify_text(self, int side, **values):
        return _fill(self.modify(side), values)

    cdef nx_template* _build(self, text, payload, prefix) except NULL:
        cdef nx_template_fields* t = <nx_template_fields*> _own(sizeof(nx_template_fields), self._owned)
        cdef nx_hmac hmac
        t.price_scale, t.size_scale, t.id_limit = self.price_scale, self.size_scale, self.id_limit
        t.id_overflow, t.request_id_limit = self.id_overflow[0], self.request_id_limit
        if prefix:
            t.id_prefix = ord(prefix)
        else:
            text = [Hole.CLIENT_ID if item is Hole.REQUEST_ID else item for item in text]
        holes = {*text, *(payload or ())}
        t.has_price, t.has_quantity = Hole.PRICE in holes, Hole.QUANTITY in holes
        t.has_request_id = Hole.REQUEST_ID in holes
        start, text = without_start(list(text))
        tail = between(text, start) if payload is None else merged(payload)
        if not bool(tail) == (Hole.SIGNATURE in text) == (self._secret_state is not None):
            raise ValueError("a template is signed if and only if its set has a secret")
        if self._secret_state is not None:
            key = <bytes> self._secret_state
            memcpy(&hmac, <const char*> key, sizeof(nx_hmac))
            head = _absorb(&hmac, tail)
            memcpy(t.inner, hmac.inner, 32)
            memcpy(t.outer, hmac.outer, 32)
            t.absorbed = hmac.absorbed
            t.signed_from = start + head
            if payload is not None:
                tail = [tail[0][head:], *tail[1:]]
                _compile(tail, &t.signed_text, self._owned)
                _compile_head(t, tail, self._owned)
        _compile(text, &t.text, self._owned)
        if t.signed_text.bound > SIGNED_CAPACITY or t.text.bound > REQUEST_CAPACITY:
            raise ValueError(f"the request is too long: {t.signed_text.bound} and {t.text.bound} bytes")
        return <nx_template*> t


cdef int _absorb(nx_hmac* hmac, tail) except -1:
    """Hashes the whole blocks at the constant head of what is signed; returns their bytes."""
    cdef bytes head = tail[0]
    cdef int blocks = len(head) // 64
    hmac_absorb(hmac, <const uint8_t*> <const char*> head, blocks)
    return blocks * 64


cdef int _compile_head(nx_template_fields* t, tail, list owned) except -1:
    """Where the first 64 bytes of what is signed have no hole but one client id of the engine's own, they are a block by
    themselves, which can be hashed as soon as the id is known."""
    cdef uint32_t state[8]
    if len(tail) < 3 or tail[1] is not Hole.CLIENT_ID:
        return 0
    cdef bytes block = tail[0] + bytes(OWN_ID_LENGTH) + tail[2]
    if len(block) < 64 or len(tail[0]) + OWN_ID_LENGTH > 64:
        return 0
    t.head_id = len(tail[0])
    memcpy(t.head, <const char*> block, 64)
    memcpy(state, t.inner, 32)
    hmac_blocks(state, t.head, 1)
    memcpy(&t.head_key, state, 8)
    return _compile([block[64:], *tail[3:]], &t.behind_id, owned)


cdef int _compile(items, nx_text* text, list owned) except -1:
    literals, pieces = pieces_of(items)
    cdef nx_piece* piece = <nx_piece*> _own(len(pieces) * sizeof(nx_piece), owned)
    cdef char* storage = <char*> _own(len(literals) + NX_COPY_SLACK, owned)
    text.pieces, text.literals, text.count = piece, storage, len(pieces)
    memcpy(storage, <const char*> literals, len(literals))
    for i, (length, hole) in enumerate(pieces):
        piece[i].length, piece[i].hole = length, hole
    text.bound = len(literals) + sum([LONGEST[hole] for _, hole in pieces]) + HMAC_ROOM + 2 * NX_COPY_SLACK
    return 0


cdef void* _own(size_t size, list owned) except NULL:
    """Zeroed memory that lives as long as the list."""
    cdef _Owned block = _Owned.__new__(_Owned)
    block.start = calloc(1, size)
    if block.start == NULL:
        raise MemoryError(f"{size} bytes for a request template")
    owned.append(block)
    return block.start


cdef bytes _key_state(bytes secret):
    cdef nx_hmac hmac
    hmac_key(&hmac, secret, len(secret))
    return (<char*> &hmac)[:sizeof(nx_hmac)]


cdef dict DEFAULTS = {"price": 0, "quantity": 0, "client_id": "", "timestamp_ms": 0, "request_number": 0}


cdef _fill(const nx_template* template, dict values):
    """Fills a template from Python values: price and quantity as mantissas at the set's scales, client_id as text.

    Raises ValueError with the text of the status, TypeError for a value that no request has.
    """
    cdef nx_order_request request
    cdef char out[REQUEST_CAPACITY]
    if not values.keys() <= DEFAULTS.keys():
        raise TypeError(f"a request has no {sorted(values.keys() - DEFAULTS.keys())}; it has {sorted(DEFAULTS)}")
    values = {**DEFAULTS, **values}
    identity = values["client_id"].encode()
    if not client_id_valid(identity, len(identity)):
        raise ValueError(f"client id {values['client_id']!r}: 1 to 36 of the characters A-Z a-z 0-9 _ -")
    request.price, request.quantity = values["price"], values["quantity"]
    request.timestamp_ms, request.request_number = values["timestamp_ms"], values["request_number"]
    request.client_id, request.client_id_length = identity, len(identity)
    cdef int size = template_fill(template, &request, out, REQUEST_CAPACITY)
    if size < 0:
        raise ValueError(STATUS_TEXTS[size])
    return out[:size]
