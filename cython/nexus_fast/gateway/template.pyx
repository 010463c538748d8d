"""Building request templates. What texts are made of, and how they are signed: see texts.py. Filling them: canvas.pyx.

The constant head of what is signed is hashed here, once, in whole 64-byte blocks: venue modules put what never changes
first wherever the venue lets them choose.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from nexus_fast.core.types cimport NX_LIMIT
from nexus_fast.gateway.canvas cimport canvas_begin, canvas_end, nx_canvas
from nexus_fast.gateway.fields cimport LONGEST_ID, NX_COPY_SLACK, nx_piece, nx_template_fields, nx_text
from nexus_fast.gateway.request cimport (
    NX_FILL_BAD_CLIENT_ID, NX_FILL_BAD_NUMBER, NX_FILL_BAD_TIME, NX_FILL_NO_TEMPLATE, OWN_ID_LENGTH, REQUEST_CAPACITY, SIGNED_CAPACITY,
    nx_order_request,
)
from nexus_fast.gateway.sha256 cimport HMAC_ROOM, hmac_absorb, hmac_blocks, hmac_key, nx_hmac

from nexus_fast.gateway.texts import LONGEST, Hole, between, merged, pieces_of, without_start

STATUS_TEXTS = {
    NX_FILL_BAD_CLIENT_ID: "the client id is empty or longer than the venue takes",
    NX_FILL_BAD_NUMBER: "price and quantity must be positive and have at most 18 digits",
    NX_FILL_BAD_TIME: "a timestamp is milliseconds since 1970, 13 digits",
    NX_FILL_NO_TEMPLATE: "the venue has no such request",
}

cdef uint64_t serials = 0       # given to templates so far


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
        return _fill_alone(self.place(side, type, time_in_force, reduce_only), values)

    def cancel_text(self, **values):
        return _fill_alone(self.cancel(), values)

    def modify_text(self, int side, **values):
        return _fill_alone(self.modify(side), values)

    cdef nx_template* _build(self, text, payload, prefix) except NULL:
        cdef nx_template_fields* t = <nx_template_fields*> _own(sizeof(nx_template_fields), self._owned)
        cdef nx_hmac hmac
        global serials
        serials += 1
        t.serial = serials
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
        t.signed_inside = payload is None and bool(tail)
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


cdef class Canvas:
    """Requests one after the other, as an order entry makes them: each written into the text of the one before."""
    cdef nx_canvas canvas

    def place_text(self, TemplateSet templates, int side, int type, int time_in_force, bint reduce_only, **values):
        """As TemplateSet.place_text."""
        return _fill(templates.place(side, type, time_in_force, reduce_only), values, &self.canvas)


cdef _fill_alone(const nx_template* template, dict values):
    cdef nx_canvas canvas
    canvas.kept = 0
    return _fill(template, values, &canvas)


cdef _fill(const nx_template* template, dict values, nx_canvas* canvas):
    """Fills a template from Python values: price and quantity as mantissas at the set's scales, client_id as text.

    Raises ValueError with the text of the status, TypeError for a value that no request has.
    """
    cdef nx_order_request request
    if not values.keys() <= DEFAULTS.keys():
        raise TypeError(f"a request has no {sorted(values.keys() - DEFAULTS.keys())}; it has {sorted(DEFAULTS)}")
    values = {**DEFAULTS, **values}
    identity = values["client_id"].encode()
    if not client_id_valid(identity, len(identity)):
        raise ValueError(f"client id {values['client_id']!r}: 1 to 36 of the characters A-Z a-z 0-9 _ -")
    request.price, request.quantity = values["price"], values["quantity"]
    request.timestamp_ms, request.request_number = values["timestamp_ms"], values["request_number"]
    request.client_id, request.client_id_length = identity, len(identity)
    cdef int status = canvas_begin(template, &request, NULL, canvas)
    if status < 0:
        raise ValueError(STATUS_TEXTS[status])
    return canvas.text[:canvas_end(canvas)]
