"""From a template and a request's values to its text and signature. What a template is: fields.pxd, texts.py."""

from libc.string cimport memcpy

from nexus_fast.core.fixed cimport fixed_write, uint_write, uint_write_fixed
from nexus_fast.gateway.fields cimport (
    CLIENT_ID, END, PRICE, QUANTITY, REQUEST_ID, SIGNATURE, SIGNED_TO, TIMESTAMP, nx_first_time, nx_number_limit, nx_put, nx_put_exact,
    nx_template_fields, nx_text, nx_time_limit,
)
from nexus_fast.gateway.request cimport (
    NX_FILL_BAD_CLIENT_ID, NX_FILL_BAD_NUMBER, NX_FILL_BAD_TIME, NX_FILL_NO_TEMPLATE, OWN_ID_LENGTH,
)
from nexus_fast.gateway.sha256 cimport hmac_blocks, hmac_close, hmac_pad


cdef nx_canvas* canvas_of(nx_canvas* canvases, const nx_template* template) noexcept nogil:
    return &canvases[(<const nx_template_fields*> template).serial & (CANVASES - 1) if template != NULL else 0]


cdef int canvas_begin(const nx_template* template, const nx_order_request* request, const nx_ahead* ahead,
                      nx_canvas* canvas) noexcept nogil:
    cdef const nx_template_fields* t = <const nx_template_fields*> template
    cdef int status
    if t == NULL:
        return NX_FILL_NO_TEMPLATE
    status = judge(t, request)
    if status < 0:
        return status
    canvas.template = template
    canvas.last = NULL
    if canvas.kept == t.serial and fits(t, request, canvas):
        if t.signed_text.count:
            write_holes(&canvas.tail_places, &canvas.values, canvas.tail)
    else:
        canvas.kept = 0
        canvas.tail_places.count = 0
        write_values(t, request, canvas)
        if t.signed_text.count:
            write_tail(t, request, canvas)
    if t.signed_text.count:
        hash_tail(t, request, ahead, canvas)
    return 0


cdef int canvas_end(nx_canvas* canvas) noexcept nogil:
    cdef const nx_template_fields* t = <const nx_template_fields*> canvas.template
    if canvas.kept == t.serial:
        write_holes(&canvas.text_places, &canvas.values, canvas.text)
    else:
        canvas.size = <int> (write_text(t, &t.text, canvas, canvas.text, &canvas.text_places) - canvas.text)
        if can_stay(t, canvas):
            canvas.kept = t.serial
    if canvas.last != NULL:
        hmac_close(canvas.inner, t.outer, canvas.last, 1, canvas.signature)
    return canvas.size


cdef bint canvas_has_head(const nx_template* template) noexcept nogil:
    return (<const nx_template_fields*> template).head_key != 0


cdef void canvas_ahead(const nx_template* template, const char* client_id, uint64_t number, nx_ahead* ahead) noexcept nogil:
    cdef const nx_template_fields* t = <const nx_template_fields*> template
    ahead.key = t.head_key
    ahead.number = number
    hash_head(t, client_id, ahead.inner)


# ---- values ----

cdef inline int judge(const nx_template_fields* t, const nx_order_request* r) noexcept nogil:
    if r.client_id_length < 1 or r.client_id_length > t.id_limit:
        return NX_FILL_BAD_CLIENT_ID
    if r.timestamp_ms < nx_first_time or r.timestamp_ms >= nx_time_limit:
        return NX_FILL_BAD_TIME
    if t.has_price and (r.price <= 0 or r.price >= nx_number_limit):
        return NX_FILL_BAD_NUMBER
    if t.has_quantity and (r.quantity <= 0 or r.quantity >= nx_number_limit):
        return NX_FILL_BAD_NUMBER
    return 0


cdef inline bint fits(const nx_template_fields* t, const nx_order_request* r, nx_canvas* c) noexcept nogil:
    """Brings the values up to date; whether each is as long as the one that stands there."""
    cdef unsigned price = c.values.length[PRICE], quantity = c.values.length[QUANTITY]
    if r.client_id_length != c.values.length[CLIENT_ID]:
        return False
    c.values.at[CLIENT_ID] = r.client_id
    if t.has_price and r.price != c.price:
        write_price(t, r, c)
    if t.has_quantity and r.quantity != c.quantity:
        write_quantity(t, r, c)
    if r.timestamp_ms != c.timestamp_ms:
        write_timestamp(r, c)
    return c.values.length[PRICE] == price and c.values.length[QUANTITY] == quantity


cdef inline void write_values(const nx_template_fields* t, const nx_order_request* r, nx_canvas* c) noexcept nogil:
    cdef nx_values* v = &c.values
    v.at[END] = v.at[SIGNED_TO] = v.request_id
    v.length[END] = v.length[SIGNED_TO] = 0
    v.at[CLIENT_ID] = r.client_id
    v.length[CLIENT_ID] = r.client_id_length
    v.at[SIGNATURE] = v.signature
    v.length[SIGNATURE] = 64
    if t.has_request_id:
        write_request_id(t, r, v)
    if t.has_price:
        write_price(t, r, c)
    if t.has_quantity:
        write_quantity(t, r, c)
    write_timestamp(r, c)


cdef inline void write_price(const nx_template_fields* t, const nx_order_request* r, nx_canvas* c) noexcept nogil:
    c.price = r.price
    c.values.at[PRICE] = c.values.price
    c.values.length[PRICE] = fixed_write(r.price, t.price_scale, c.values.price)


cdef inline void write_quantity(const nx_template_fields* t, const nx_order_request* r, nx_canvas* c) noexcept nogil:
    c.quantity = r.quantity
    c.values.at[QUANTITY] = c.values.quantity
    c.values.length[QUANTITY] = fixed_write(r.quantity, t.size_scale, c.values.quantity)


cdef inline void write_timestamp(const nx_order_request* r, nx_canvas* c) noexcept nogil:
    c.timestamp_ms = r.timestamp_ms
    c.values.at[TIMESTAMP] = c.values.timestamp
    c.values.length[TIMESTAMP] = 13
    uint_write_fixed(<uint64_t> r.timestamp_ms, 13, c.values.timestamp)


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


# ---- text ----

cdef inline void write_holes(const nx_places* places, const nx_values* v, char* text) noexcept nogil:
    cdef unsigned i, hole
    for i in range(<unsigned> places.count):
        hole = places.at[i].hole
        nx_put_exact(text + places.at[i].at, v.at[hole], v.length[hole])


cdef inline char* write_text(const nx_template_fields* t, const nx_text* text, nx_canvas* c, char* out, nx_places* places) noexcept nogil:
    """A signature that is made apart is left out, and its place told."""
    cdef const char* literal = text.literals
    cdef nx_values* v = &c.values
    cdef char* at = out
    cdef unsigned i, hole
    places.count = 0
    for i in range(<unsigned> text.count):
        at = nx_put(at, literal, text.pieces[i].length)
        literal += text.pieces[i].length
        hole = text.pieces[i].hole
        if hole == SIGNED_TO:
            sign(t, out + t.signed_from, at - out - t.signed_from, v)
        if hole == SIGNATURE and t.signed_text.count:
            c.signature = at
            at += 64
            continue
        if v.length[hole]:
            note_place(places, at - out, hole)
        at = nx_put_exact(at, v.at[hole], v.length[hole]) if hole == CLIENT_ID else nx_put(at, v.at[hole], v.length[hole])
    return at


cdef inline void note_place(nx_places* places, Py_ssize_t at, unsigned hole) noexcept nogil:
    if places.count < PLACES:
        places.at[places.count].at = at
        places.at[places.count].hole = hole
    places.count += 1


cdef inline bint can_stay(const nx_template_fields* t, const nx_canvas* c) noexcept nogil:
    """Not where the padding of the signed part overwrites what follows it, or where the request's id is not the client id."""
    return (not t.signed_inside and not t.has_request_id
            and c.text_places.count <= PLACES and c.tail_places.count <= PLACES)


# ---- signature ----

cdef inline void write_tail(const nx_template_fields* t, const nx_order_request* r, nx_canvas* c) noexcept nogil:
    """What is signed, padded."""
    cdef bint headed = has_own_head(t, r)
    cdef char* end = write_text(t, &t.behind_id if headed else &t.signed_text, c, c.tail, &c.tail_places)
    c.blocks = hmac_pad(<uint8_t*> c.tail, end - c.tail, t.absorbed + (64 if headed else 0))


cdef inline void hash_tail(const nx_template_fields* t, const nx_order_request* r, const nx_ahead* ahead, nx_canvas* c) noexcept nogil:
    """Up to its last block."""
    if not has_own_head(t, r):
        memcpy(c.inner, t.inner, 32)
    elif ahead != NULL and ahead.key == t.head_key and ahead.number == r.request_number:
        memcpy(c.inner, ahead.inner, 32)
    else:
        hash_head(t, r.client_id, c.inner)
    if c.blocks > 1:
        hmac_blocks(c.inner, <const uint8_t*> c.tail, c.blocks - 1)
    c.last = <const uint8_t*> c.tail + 64 * (c.blocks - 1)


cdef inline bint has_own_head(const nx_template_fields* t, const nx_order_request* r) noexcept nogil:
    return t.head_key != 0 and r.client_id_length == OWN_ID_LENGTH


cdef inline void hash_head(const nx_template_fields* t, const char* client_id, uint32_t* inner) noexcept nogil:
    cdef uint8_t block[64]
    memcpy(block, t.head, 64)
    memcpy(block + t.head_id, client_id, OWN_ID_LENGTH)
    memcpy(inner, t.inner, 32)
    hmac_blocks(inner, block, 1)


cdef inline void sign(const nx_template_fields* t, char* tail, size_t size, nx_values* v) noexcept nogil:
    """Overwrites HMAC_ROOM bytes behind the tail: what follows it in the request is written afterwards."""
    hmac_close(t.inner, t.outer, <uint8_t*> tail, hmac_pad(<uint8_t*> tail, size, t.absorbed), v.signature)
