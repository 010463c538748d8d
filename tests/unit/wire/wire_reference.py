"""The judge of the wire parsers: the same rules written again on msgspec and decimal, with no code in common.

`expected(venue, market, frame)` gives ("quote", {...}) or ("other" | "malformed" | "range" | "insane", None).
"""

import json
import re
from decimal import Decimal
from fractions import Fraction

import msgspec

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
DIGITS = re.compile(r"[0-9]+")
LAST_MILLISECOND = (2**63 - 1) // 1_000_000


class Malformed(Exception):
    pass


class Raw(str):
    """The text of a JSON number, kept as it was written."""


def load(frame):
    """Plain objects, with Raw for every number: what msgspec refuses is Malformed."""
    try:
        msgspec.json.decode(frame)
        return json.loads(frame.decode(), parse_int=Raw, parse_float=Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise Malformed from error


class Fields:
    """Reads fields and remembers the worst thing that was wrong with them."""

    def __init__(self):
        self.malformed = self.range = False

    def number(self, value):
        if not isinstance(value, str) or not NUMBER.fullmatch(value):
            self.malformed = True
            return None
        number = Decimal(value)
        if not fits(number):
            self.range = True
            return None
        return number

    def count(self, value, required):
        if value is None:
            self.malformed |= required
            return 0
        if not isinstance(value, str) or not DIGITS.fullmatch(value):
            self.malformed = True
            return 0
        number = int(value.lstrip("0")[:30] or "0")
        self.range |= number >= 2**64
        return number

    def time(self, value):
        milliseconds = self.count(value, False)
        self.range |= milliseconds > LAST_MILLISECOND
        return milliseconds * 1_000_000

    def symbol(self, value):
        if not isinstance(value, str) or isinstance(value, Raw) or not value:
            self.malformed = True
        return value

    def level(self, side):
        """(price, size) of the best level, None for an empty side."""
        if not isinstance(side, list):
            self.malformed = True
            return None
        if not side:
            return None
        if not isinstance(side[0], list) or len(side[0]) < 2:
            self.malformed = True
            return None
        return self.number(side[0][0]), self.number(side[0][1])

    def result(self, quote):
        if self.malformed:
            return "malformed", None
        if self.range:
            return "range", None
        return judge(quote)


def fits(number):
    """Whether an int64 and at most 18 decimals hold it: its value decides, and not how many zeros were written behind it."""
    if not number:
        return True
    _, digits, exponent = number.as_tuple()
    written = "".join(map(str, digits))
    needed = written.rstrip("0")
    exponent += len(written) - len(needed)
    return -18 <= exponent < 19 and int(needed) * 10 ** max(exponent, 0) < 2**63


def judge(quote):
    flags = set(quote["flags"])
    for name in ("bid", "ask"):
        price, size = quote[name], quote[name + "_size"]
        if price is None or (price == 0 and size == 0):
            flags.add("no_" + name)
        elif price <= 0 or size < 0:
            return "insane", None
    if not flags & {"no_bid", "no_ask"} and quote["bid"] > quote["ask"]:
        return "insane", None
    return "quote", {**quote, "flags": flags}


def binance(document):
    if not isinstance(document, dict):
        return "other", None
    stream, data = document.get("stream"), document.get("data")
    if isinstance(stream, str) and not isinstance(stream, Raw) and isinstance(data, dict):
        document = data
    event = document["e"] if "e" in document else None
    if "e" in document:
        if isinstance(event, Raw) or event != "bookTicker":
            return "other", None
    elif not all(name in document for name in "bBaA"):
        return "other", None
    fields = Fields()
    transaction, event_time = fields.time(document.get("T")), fields.time(document.get("E"))
    return fields.result(
        {
            "symbol": fields.symbol(document.get("s")),
            "update_id": fields.count(document.get("u"), True),
            "venue_time_ns": transaction or event_time,
            "event_time_ns": event_time,
            "flags": [],
            "bid": fields.number(document.get("b")),
            "bid_size": fields.number(document.get("B")),
            "ask": fields.number(document.get("a")),
            "ask_size": fields.number(document.get("A")),
        }
    )


def bybit(document):
    topic = document.get("topic") if isinstance(document, dict) else None
    if not isinstance(topic, str) or isinstance(topic, Raw) or not topic.startswith("orderbook.1."):
        return "other", None
    kind, data = document.get("type"), document.get("data")
    if not isinstance(kind, str) or isinstance(kind, Raw) or not isinstance(data, dict):
        return "malformed", None
    if kind != "snapshot":
        return "other", None
    fields = Fields()
    bid, ask = fields.level(data.get("b")), fields.level(data.get("a"))
    system, matching = fields.time(document.get("ts")), fields.time(document.get("cts"))
    update_id = fields.count(data.get("u"), True)
    return fields.result(
        {
            "symbol": fields.symbol(data.get("s")),
            "update_id": update_id,
            "venue_time_ns": matching or system,
            "event_time_ns": system,
            "flags": ["reset"] if update_id == 1 else [],
            **sides(bid, ask),
        }
    )


def sides(bid, ask):
    bid, ask = bid or (None, None), ask or (None, None)
    return {"bid": bid[0], "bid_size": bid[1], "ask": ask[0], "ask_size": ask[1]}


def okx(document):
    argument = document.get("arg") if isinstance(document, dict) else None
    channel = argument.get("channel") if isinstance(argument, dict) else None
    if isinstance(channel, Raw) or channel != "bbo-tbt" or "data" not in document:
        return "other", None
    data = document["data"]
    if not isinstance(data, list) or not data or not isinstance(data[-1], dict):
        return "malformed", None
    push = data[-1]
    fields = Fields()
    time = fields.time(push.get("ts"))
    return fields.result(
        {
            "symbol": fields.symbol(argument.get("instId")),
            "update_id": fields.count(push.get("seqId"), False),
            "venue_time_ns": time,
            "event_time_ns": time,
            "flags": [],
            **sides(fields.level(push.get("bids")), fields.level(push.get("asks"))),
        }
    )


VENUES = {"binance": binance, "bybit": bybit, "okx": okx}


def expected(venue, frame):
    if venue == "okx" and frame == b"pong":
        return "other", None
    try:
        return VENUES[venue](load(frame))
    except Malformed:
        return "malformed", None


def compare(found, frame, venue):
    """Asserts that what `explain` found is what the rules give."""
    status, quote = expected(venue, frame)
    assert found["status"] == status, (found, status, quote, frame)
    if status != "quote":
        return
    fields = found["fields"]
    for name in ("symbol", "update_id", "venue_time_ns", "event_time_ns"):
        assert fields[name] == quote[name], (name, fields, quote, frame)
    assert set(fields["flags"]) == quote["flags"], (fields, quote, frame)
    for name in ("bid", "bid_size", "ask", "ask_size"):
        number, wanted = fields[name], quote[name]
        if wanted is None:
            assert (number["text"], number["mantissa"], number["value"]) == (None, 0, 0.0), (name, fields, frame)
            continue
        assert 0 <= number["decimals"] <= 18, (name, fields, quote, frame)
        assert Fraction(number["mantissa"], 10 ** number["decimals"]) == Fraction(wanted), (name, fields, quote, frame)
        assert "\\" in number["text"] or Decimal(number["text"]) == wanted, (name, fields, quote, frame)
        assert number["value"] == float(wanted) or wanted == 0, (name, fields, quote, frame)
