"""A random fault script from a seed's generator. Only what a venue or a network may do: no refusal of what was executed, no
event that is lost for good while its connection lives on."""

import random
from dataclasses import dataclass

from tests.chaos import hostile

HOSTILE_SHARE = 0.3              # of the seeds
PRIVATE = ["order", "user"]
MALFORMED = ["malformed", "truncated", "masked", "reserved", "opcode", "utf8", "oversized", "deflate"]


@dataclass(frozen=True)
class Words:
    """A venue's names. requests: of a new order, a cancel, a modification, and all of them. unclear: (status, code) that say
    nothing about the order. questions: about orders, by REST. own: faults that only this venue has. limits: HTTP statuses of
    one who asks too often; Bybit's 403 lasts ten minutes, longer than a run."""

    requests: list[str]
    unclear: list[tuple]
    questions: list[str]
    own: tuple = ()
    limits: tuple = (429,)


def place(chance, words):
    """Where a fault on orders applies."""
    return {"connection": "order", "match": chance.choice(words.requests)}


def often(chance):
    return chance.choice([{"probability": chance.choice([0.05, 0.2, 0.5])}, {"nth": chance.randint(1, 6)},
                          {"probability": 0.5, "times": chance.randint(1, 4)}])


def lost_answer(chance, words):
    return {"kind": "drop", **place(chance, words), **often(chance)}


def lost_request(chance, words):
    return {"kind": "drop", "way": "from_client", **place(chance, words), **often(chance)}


def late(chance, words):
    """One channel against the others: within one, TCP keeps the order."""
    ms = chance.choice([5, 50, 300, 1500])
    return {"kind": "delay", "connection": chance.choice([*PRIVATE, "rest", "any"]), "ms": ms, "jitter_ms": ms, **often(chance)}


def late_request(chance, words):
    kind = chance.choice(["delay", "reorder"])
    ms = chance.choice([5, 50, 300, 900, 2500])
    return {"kind": kind, "way": "from_client", **place(chance, words), "ms": ms, "jitter_ms": ms // 2, **often(chance)}


def repeated(chance, words):
    if chance.random() < 0.5:
        return {"kind": "double_fill", "copies": chance.randint(1, 2), "ms": chance.choice([0, 10, 500]), **often(chance)}
    return {"kind": "duplicate", "connection": chance.choice(PRIVATE), "copies": chance.randint(1, 2), **often(chance)}


def unclear(chance, words):
    status, code = chance.choice(words.unclear)
    return {"kind": "answer", **place(chance, words), "status": status, "code": code, "execute": chance.random() < 0.5,
            **often(chance)}


def unclear_query(chance, words):
    status, code = chance.choice(words.unclear)
    return {"kind": "answer", "connection": "rest", "status": status, "code": code, "probability": chance.choice([0.2, 0.7])}


def cut(chance, words):
    way = chance.choice(["to_client", "from_client"])
    rule = {"kind": "cut", "connection": chance.choice([*PRIVATE, "stream", "rest", "any"]), "way": way,
            "how": chance.choice(["reset", "close"]), "times": chance.randint(1, 3),
            "probability": chance.choice([0.02, 0.1, 0.3])}
    if way == "from_client":
        return {**rule, "execute": chance.random() < 0.5}
    return {**rule, "bytes": chance.choice([1, 7, 60])} if chance.random() < 0.7 else rule


def hang(chance, words):
    rule = {"kind": "half_open", "connection": chance.choice([*PRIVATE, "stream"]), "probability": 0.1,
            "way": chance.choice(["to_client", "from_client"]), "times": chance.randint(1, 2)}
    return rule | ({"seconds": chance.uniform(0.5, 10)} if chance.random() < 0.6 else {})


def pieces(chance, words):
    return chance.choice([{"kind": "one_byte"}, {"kind": "fragment", "parts": chance.randint(2, 6)}]) | {
        "connection": chance.choice([*PRIVATE, "stream"]), "probability": 0.3}


def closed_door(chance, words):
    after = chance.uniform(0, 3)
    return {"kind": "refuse", "after": after, "until": after + chance.uniform(0.5, 4)}


def lagging(chance, words):
    return {"kind": "stale", "connection": "rest", "match": words.questions, "ms": chance.choice([50, 400, 1500]),
            "probability": chance.choice([0.3, 1.0])}


def wrong_time(chance, words):
    after = chance.uniform(0, 3)
    offset = chance.choice([-5000, -800, 700, 5000])
    return {"kind": "clock", "offset_ms": offset, "after": after, "until": after + chance.uniform(0.5, 3)}


def end_of_key(chance, words):
    return {"kind": "expire_listen_keys", "after": chance.uniform(0, 4)}


def end_of_session(chance, words):
    return {"kind": "revoke_session", "connection": "order", "nth": chance.randint(1, 20)}


def announced_end(chance, words):
    return {"kind": "shutdown", "after": chance.uniform(0, 4), "seconds": chance.choice([0.05, 1])}


def nonsense(chance, words):
    return {"kind": "wrong", "what": chance.choice(MALFORMED), "connection": chance.choice([*PRIVATE, "stream"]),
            "probability": 0.1, "times": chance.randint(1, 3)}


def ban(chance, words):
    return {"kind": "ban", "status": chance.choice(words.limits), "connection": chance.choice(["order", "rest"]),
            "seconds": chance.uniform(0.5, 3), "probability": 0.1, "times": chance.randint(5, 20)}


def far_behind(chance, words):
    """Who answers lags by seconds, also about balances and positions."""
    match = chance.choice([words.questions, ["GET *"]])
    return {"kind": "stale", "connection": "rest", "match": match, "ms": chance.choice([400, 3000, 7000]),
            "probability": chance.choice([0.3, 1.0])}


def unreadable_answer(chance, words):
    return {"kind": "wrong", "what": chance.choice(["malformed", "truncated", "utf8"]), "connection": "rest",
            "probability": chance.choice([0.2, 0.7]), "times": chance.randint(1, 10)}


BEFORE_KEYS = (lost_answer, lost_request, late, late_request, repeated, unclear, unclear_query, cut, hang, pieces, closed_door,
               lagging, wrong_time)
AFTER_KEYS = (announced_end, nonsense, ban)
MORE = (far_behind, unreadable_answer)
WORDS = {
    "binance": Words(
        ["order.place", "order.cancel", "order.modify", "order.*"],
        [(500, -1000), (502, -1000), (504, -1000), (408, -1007), (400, -1006), (400, -1001)],
        ["GET /api/v3/order", "GET /fapi/v1/order", "GET /api/v3/openOrders", "GET /fapi/v1/openOrders"],
        (end_of_key, end_of_session), (429, 418, 403)),
    "bybit": Words(
        ["order.create", "order.cancel", "order.amend", "order.*"],
        [(500, 10016), (502, 10000), (504, 10000), (200, 10000), (200, 10016), (200, 170007)],
        ["GET /v5/order/realtime", "GET /v5/order/history", "GET /v5/execution/list"]),
    "okx": Words(
        ["order", "cancel-order", "amend-order", ["order", "cancel-order", "amend-order"]],
        [(500, 50001), (502, 50004), (504, 50004), (200, 50013), (200, 50026), (200, 51149)],
        ["GET /api/v5/trade/order", "GET /api/v5/trade/orders-pending", "GET /api/v5/trade/orders-history",
         "GET /api/v5/trade/fills"]),
}


def script_of(seed: int, chance: random.Random, venues: tuple[str, ...]) -> list[dict]:
    """One to five faults at once, each at one of the venues; now and then one of MORE, which have a generator of their own."""
    rules = [rule_of(chance, chance.choice(venues) if len(venues) > 1 else venues[0])
             for _ in range(chance.choice([1, 2, 2, 3, 3, 4, 5]))]
    more = random.Random(f"more {seed}")
    if more.random() < 0.25:
        rules.append(rule_of(more, more.choice(venues), MORE))
    answers = random.Random(f"hostile {seed}")
    if answers.random() < HOSTILE_SHARE:
        rules += hostile.rules_of(answers, answers.choice(venues))
    return rules


def rule_of(chance: random.Random, venue: str, faults: tuple = ()) -> dict:
    words = WORDS[venue]
    return {**chance.choice(faults or (*BEFORE_KEYS, *words.own, *AFTER_KEYS))(chance, words), "venue": venue}
