"""Layout of the shared records for Python, numpy and C: taken from the compiler (offsetof, sizeof), never retyped.

The names of the fields stand once more below; a test compares them with the structs in types.pxd.
"""

import collections
import functools
import os
import struct

cdef extern from *:
    """
    typedef struct nx_field { const char *name; size_t offset; size_t size; const char *kind; } nx_field;

    #define NX_KIND(record, field) _Generic(((record *)0)->field, int64_t: "int64", uint64_t: "uint64", double: "double", uint32_t: "uint32", uint8_t: "uint8", char *: "char[]", int64_t *: "int64[]", uint8_t *: "uint8[]")
    #define NX_FIELD(record, field) {#field, offsetof(record, field), sizeof(((record *)0)->field), NX_KIND(record, field)}
    #define NX_QUOTE(field) NX_FIELD(nx_bookl1, field)
    #define NX_EVENT(field) NX_FIELD(nx_order_event, field)

    static const nx_field nx_bookl1_fields[] = {
        NX_QUOTE(sequence), NX_QUOTE(bid), NX_QUOTE(ask), NX_QUOTE(bid_size), NX_QUOTE(ask_size), NX_QUOTE(bid_value),
        NX_QUOTE(ask_value), NX_QUOTE(bid_size_value), NX_QUOTE(ask_size_value), NX_QUOTE(venue_time_ns),
        NX_QUOTE(receive_time_ns), NX_QUOTE(update_id), NX_QUOTE(symbol_id), NX_QUOTE(price_scale),
        NX_QUOTE(size_scale), NX_QUOTE(venue), NX_QUOTE(flags), NX_QUOTE(receive_ticks), NX_QUOTE(spare), {0, 0, 0, 0}
    };
    static const nx_field nx_order_event_fields[] = {
        NX_EVENT(sequence), NX_EVENT(number), NX_EVENT(time_ns), NX_EVENT(order_number), NX_EVENT(price),
        NX_EVENT(quantity), NX_EVENT(filled), NX_EVENT(last_price), NX_EVENT(last_quantity), NX_EVENT(trade_id),
        NX_EVENT(client_id), NX_EVENT(venue_id), NX_EVENT(symbol_id), NX_EVENT(checksum), NX_EVENT(kind),
        NX_EVENT(state), NX_EVENT(side), NX_EVENT(type), NX_EVENT(time_in_force), NX_EVENT(flags), NX_EVENT(account),
        NX_EVENT(reason), NX_EVENT(price_scale), NX_EVENT(size_scale), NX_EVENT(strategy), NX_EVENT(pad),
        NX_EVENT(venue_time_ns), NX_EVENT(spare), {0, 0, 0, 0}
    };
    """
    ctypedef struct nx_field:
        const char* name
        size_t offset
        size_t size
        const char* kind
    const nx_field* nx_bookl1_fields
    const nx_field* nx_order_event_fields

BINANCE, BYBIT, OKX = NX_BINANCE, NX_BYBIT, NX_OKX
BUY, SELL = NX_BUY, NX_SELL
MARKET, LIMIT, POST_ONLY = NX_MARKET, NX_LIMIT, NX_POST_ONLY
GTC, IOC, FOK = NX_GTC, NX_IOC, NX_FOK
FLAG_NO_BID, FLAG_NO_ASK, FLAG_STALE, FLAG_RESET = NX_FLAG_NO_BID, NX_FLAG_NO_ASK, NX_FLAG_STALE, NX_FLAG_RESET
FLAG_PASSED = NX_FLAG_PASSED
ORDER_REDUCE_ONLY = NX_ORDER_REDUCE_ONLY

RECORD_KINDS = {"bookl1": 1, "order_event": 2}
HEADER_BLOCKS = (
    ("core/types.pxd", "records"), ("core/atomics.pxd", "atomics"), ("shm/segment.pxd", "segment"),
    ("shm/ring.pxd", "ring"), ("shm/latest.pxd", "latest"), ("journal/writer.pxd", "journal"),
)
SCALARS = {"int64": ("q", "<i8", 8), "uint64": ("Q", "<u8", 8), "double": ("d", "<f8", 8), "uint32": ("I", "<u4", 4),
           "uint8": ("B", "u1", 1)}


cdef tuple field_table(const nx_field* field):
    rows = []
    while field.name != NULL:
        kind, array, _ = field.kind.decode().partition("[]")
        if array:
            kind = f"{kind}[{field.size // (1 if kind == 'char' else SCALARS[kind][2])}]"
        rows.append((field.name.decode(), field.offset, field.size, kind))
        field += 1
    return tuple(rows)


LAYOUTS = {"bookl1": field_table(nx_bookl1_fields), "order_event": field_table(nx_order_event_fields)}


def record_sizes():
    """Bytes per record: {"bookl1": 128, "order_event": 256}."""
    return {"bookl1": sizeof(nx_bookl1), "order_event": sizeof(nx_order_event)}


def layout(name):
    """The fields of a record, ((name, offset, size, kind), …); kind is "int64", "double", "char[40]" and the like."""
    if name not in LAYOUTS:
        raise ValueError(f"record {name!r} is unknown: choose one of {', '.join(LAYOUTS)}")
    return LAYOUTS[name]


@functools.cache
def fingerprint(name):
    """64-bit hash of the field table: two programs with the same number agree on every byte of the record."""
    import xxhash

    text = ";".join(f"{field}:{offset}:{size}:{kind}" for field, offset, size, kind in layout(name))
    return xxhash.xxh64_intdigest(text.encode())


@functools.cache
def dtype(name):
    """The record as a numpy structured dtype (little-endian, itemsize 128 or 256)."""
    try:
        import numpy
    except ImportError as error:
        raise ImportError("nexus_fast.core.types.dtype() needs numpy: pip install numpy") from error
    formats = []
    for _, _, size, kind in layout(name):
        base = kind.partition("[")[0]
        if base == "char":
            formats.append(f"S{size}")
        else:
            count = size // SCALARS[base][2]
            formats.append(SCALARS[base][1] if count == 1 else (SCALARS[base][1], (count,)))
    fields = layout(name)
    return numpy.dtype({"names": [f[0] for f in fields], "offsets": [f[1] for f in fields], "formats": formats,
                        "itemsize": record_sizes()[name]})


def plain_fields(name):
    """The fields that carry something: all but padding and spares. The spare bytes of an order's event carry a text."""
    rows = tuple(row for row in layout(name) if row[0] not in ("pad", "spare"))
    return rows + tuple(("text", offset, size, f"char[{size}]") for field, offset, size, _ in layout(name)
                        if name == "order_event" and field == "spare")


@functools.cache
def record_struct(name):
    """A struct.Struct that reads the fields of plain_fields() out of a record."""
    parts, position = ["<"], 0
    for _, offset, size, kind in plain_fields(name):
        parts.append(f"{offset - position}x" if offset > position else "")
        parts.append(f"{size}s" if kind.startswith("char") else SCALARS[kind][0])
        position = offset + size
    parts.append(f"{record_sizes()[name] - position}x")
    return struct.Struct("".join(parts))


BookL1Record = collections.namedtuple("BookL1Record", [row[0] for row in plain_fields("bookl1")], module=__name__)
OrderEventRecord = collections.namedtuple(
    "OrderEventRecord", [row[0] for row in plain_fields("order_event")], module=__name__)
RECORD_CLASSES = {"bookl1": BookL1Record, "order_event": OrderEventRecord}


def unpack(name, buffer, offset=0):
    """One record out of bytes, as a named tuple of plain numbers; text fields as str, without their zeros."""
    values = record_struct(name).unpack_from(buffer, offset)
    return RECORD_CLASSES[name]._make(
        [v.split(b"\0", 1)[0].decode("utf-8", "backslashreplace") if type(v) is bytes else v for v in values])


def record_class(name):
    """The function that turns a record's bytes into its named tuple."""
    return functools.partial(unpack, name)


def pack(name, **fields):
    """The bytes of one record; fields that are not given are zero."""
    unknown = fields.keys() - {row[0] for row in plain_fields(name)}
    if unknown:
        raise ValueError(f"record {name!r} has no field {', '.join(sorted(unknown))}")
    values = []
    for field, _, size, kind in plain_fields(name):
        value = fields.get(field, b"" if kind.startswith("char") else 0)
        value = value.encode("ascii") if isinstance(value, str) else value
        if isinstance(value, bytes) and len(value) >= size:
            raise ValueError(f"{field} was {value!r}, {len(value)} bytes: at most {size - 1} fit")
        values.append(value)
    return record_struct(name).pack(*values)


def marked_block(path, mark):
    """The C text between the marks `nexus_fast <mark>: begin` and `: end` of an installed .pxd, without its indent."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    begin = next(i for i, line in enumerate(lines) if f"nexus_fast {mark}: begin" in line)
    end = next(i for i, line in enumerate(lines) if f"nexus_fast {mark}: end" in line)
    return "\n".join(line[4:].rstrip() for line in lines[begin:end + 1]) + "\n"


def header_text():
    """A C and C++ header with the records, the segment and journal headers and the functions that read and write them.

    It is cut out of the .pxd files of this installation, so it is what the engine was compiled from. The two
    fingerprints are there for `nx_segment_check`.
    """
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    lines = ["/* Shared memory of nexus_fast, for readers in C and C++ (docs/memory-model.md). Generated. */",
             "#ifndef NEXUS_FAST_H", "#define NEXUS_FAST_H", "#if defined(__cplusplus) && !defined(_Static_assert)",
             "#define _Static_assert static_assert", "#endif"]
    lines += [f"#define NX_FINGERPRINT_{name.upper()} UINT64_C(0x{fingerprint(name):016x})" for name in LAYOUTS]
    blocks = [marked_block(os.path.join(package, path), mark) for path, mark in HEADER_BLOCKS]
    return "\n".join(lines + blocks + ["#endif", ""])


def write_header(path):
    """Writes header_text() to a file and returns its path."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(header_text())
    return path
