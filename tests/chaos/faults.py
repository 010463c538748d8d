"""A random fault script from a seed's generator. Only what a venue or a network may do: no refusal of what was executed, no
event that is lost for good while its connection lives on."""

import random

SPOT_AND_USD_M = ["GET /api/v3/order", "GET /fapi/v1/order", "GET /api/v3/openOrders", "GET /fapi/v1/openOrders"]
UNCLEAR = [(500, -1000), (502, -1000), (504, -1000), (408, -1007), (400, -1006), (400, -1001)]
REQUESTS = ["order.place", "order.cancel", "order.modify", "order.*"]
PRIVATE = ["order", "user"]


def place(chance):
    """Where a fault on orders applies."""
    return {"connection": "order", "match": chance.choice(REQUESTS)}


def often(chance):
    return chance.choice([{"probability": chance.choice([0.05, 0.2, 0.5])}, {"nth": chance.randint(1, 6)},
                          {"probability": 0.5, "times": chance.randint(1, 4)}])


def lost_answer(chance):
    return {"kind": "drop", **place(chance), **often(chance)}


def lost_request(chance):
    return {"kind": "drop", "way": "from_client", **place(chance), **often(chance)}


def late(chance):
    """One channel against the others: within one, TCP keeps the order."""
    ms = chance.choice([5, 50, 300, 1500])
    return {"kind": "delay", "connection": chance.choice([*PRIVATE, "rest", "any"]), "ms": ms, "jitter_ms": ms, **often(chance)}


def late_request(chance):
    kind = chance.choice(["delay", "reorder"])
    ms = chance.choice([5, 50, 300, 900, 2500])
    return {"kind": kind, "way": "from_client", **place(chance), "ms": ms, "jitter_ms": ms // 2, **often(chance)}


def repeated(chance):
    if chance.random() < 0.5:
        return {"kind": "double_fill", "copies": chance.randint(1, 2), "ms": chance.choice([0, 10, 500]), **often(chance)}
    return {"kind": "duplicate", "connection": chance.choice(PRIVATE), "copies": chance.randint(1, 2), **often(chance)}


def unclear(chance):
    status, code = chance.choice(UNCLEAR)
    return {"kind": "answer", **place(chance), "status": status, "code": code, "execute": chance.random() < 0.5, **often(chance)}


def unclear_query(chance):
    status, code = chance.choice(UNCLEAR)
    return {"kind": "answer", "connection": "rest", "status": status, "code": code, "probability": chance.choice([0.2, 0.7])}


def cut(chance):
    way = chance.choice(["to_client", "from_client"])
    rule = {"kind": "cut", "connection": chance.choice([*PRIVATE, "stream", "rest", "any"]), "way": way,
            "how": chance.choice(["reset", "close"]), "times": chance.randint(1, 3),
            "probability": chance.choice([0.02, 0.1, 0.3])}
    if way == "from_client":
        return {**rule, "execute": chance.random() < 0.5}
    return {**rule, "bytes": chance.choice([1, 7, 60])} if chance.random() < 0.7 else rule


def hang(chance):
    rule = {"kind": "half_open", "connection": chance.choice([*PRIVATE, "stream"]), "probability": 0.1,
            "way": chance.choice(["to_client", "from_client"]), "times": chance.randint(1, 2)}
    return rule | ({"seconds": chance.uniform(0.5, 10)} if chance.random() < 0.6 else {})


def pieces(chance):
    return chance.choice([{"kind": "one_byte"}, {"kind": "fragment", "parts": chance.randint(2, 6)}]) | {
        "connection": chance.choice([*PRIVATE, "stream"]), "probability": 0.3}


def closed_door(chance):
    after = chance.uniform(0, 3)
    return {"kind": "refuse", "after": after, "until": after + chance.uniform(0.5, 4)}


def lagging(chance):
    return {"kind": "stale", "connection": "rest", "match": SPOT_AND_USD_M, "ms": chance.choice([50, 400, 1500]),
            "probability": chance.choice([0.3, 1.0])}


def wrong_time(chance):
    after = chance.uniform(0, 3)
    offset = chance.choice([-5000, -800, 700, 5000])
    return {"kind": "clock", "offset_ms": offset, "after": after, "until": after + chance.uniform(0.5, 3)}


def end_of_key(chance):
    return {"kind": "expire_listen_keys", "after": chance.uniform(0, 4)}


def end_of_session(chance):
    return {"kind": "revoke_session", "connection": "order", "nth": chance.randint(1, 20)}


def announced_end(chance):
    return {"kind": "shutdown", "after": chance.uniform(0, 4), "seconds": chance.choice([0.05, 1])}


def nonsense(chance):
    what = chance.choice(["malformed", "truncated", "masked", "reserved", "opcode", "utf8", "oversized", "deflate"])
    return {"kind": "wrong", "what": what, "connection": chance.choice([*PRIVATE, "stream"]), "probability": 0.1,
            "times": chance.randint(1, 3)}


def ban(chance):
    return {"kind": "ban", "status": chance.choice([429, 418, 403]), "connection": chance.choice(["order", "rest"]),
            "seconds": chance.uniform(0.5, 3), "probability": 0.1, "times": chance.randint(5, 20)}


FAULTS = (lost_answer, lost_request, late, late_request, repeated, unclear, unclear_query, cut, hang, pieces, closed_door,
          lagging, wrong_time, end_of_key, end_of_session, announced_end, nonsense, ban)


def script_of(chance: random.Random) -> list[dict]:
    """One to five faults at once."""
    return [chance.choice(FAULTS)(chance) for _ in range(chance.choice([1, 2, 2, 3, 3, 4, 5]))]
