"""Answers and events that no venue means: for a while they stand in the place of true ones, and the truth must hold after it.

A lie that nothing contradicts is not among them: another order's answer comes to a question about one order alone, where the
question says whose answer it should be.
"""

ANYWHERE = ["page", "empty", "other_shape", "nested", "nan", "late", "large", "redirect", "overfilled"]
ON_A_SOCKET = ["page", "empty", "other_shape", "nested", "nan", "late", "large"]
# Questions about one order.
OF_ONE = {
    "binance": ["GET /api/v3/order", "GET /fapi/v1/order"],
    "bybit": ["GET /v5/order/history"],
    "okx": ["GET /api/v5/trade/order"],
}


def rules_of(chance, venue):
    """One to three at once, each for a while or some times."""
    makers = [by_rest, by_rest, by_socket, another_order]
    return [{**chance.choice(makers)(chance, venue), "venue": venue} for _ in range(chance.choice([1, 1, 2, 3]))]


def for_a_while(chance):
    after = chance.choice([0.0, chance.uniform(0, 3)])
    until = after + chance.uniform(0.5, 5)
    return chance.choice([{"probability": chance.choice([0.2, 0.7, 1.0]), "after": after, "until": until},
                          {"probability": 0.5, "times": chance.randint(1, 10)}])


def by_rest(chance, venue):
    return {"kind": "wrong", "connection": "rest", "what": chance.choice(ANYWHERE), "match": chance.choice(["*", "GET *"]),
            **for_a_while(chance)}


def by_socket(chance, venue):
    return {"kind": "wrong", "connection": chance.choice(["order", "user"]), "what": chance.choice(ON_A_SOCKET),
            "probability": chance.choice([0.1, 0.3]), "times": chance.randint(1, 5)}


def another_order(chance, venue):
    return {"kind": "wrong", "connection": "rest", "what": "another_order", "match": OF_ONE[venue], **for_a_while(chance)}
