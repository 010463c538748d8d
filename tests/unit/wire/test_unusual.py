"""Frames as no venue sends them every day: same result as the canonical frame, or refused; never something else."""

import json

import pytest
from canonical_frames import BYBIT, CANONICAL, MARKET, OKX, SPOT, USD_M
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_reference import compare

from nexus_fast.wire import explain

canonical = pytest.mark.parametrize(("venue", "market", "frame"), CANONICAL)


def check(venue, frame):
    found = explain(venue, MARKET[venue], frame)
    compare(found, frame, venue)
    return found


@canonical
def test_canonical_frames_take_the_fast_path(venue, market, frame):
    found = explain(venue, market, frame)
    assert (found["status"], found["path"]) == ("quote", "fast")
    compare(found, frame, venue)


@pytest.mark.scenario(30)
@canonical
def test_truncation_at_every_byte_is_malformed(venue, market, frame):
    for length in range(len(frame)):
        assert explain(venue, market, frame[:length])["status"] == "malformed", length


@canonical
def test_one_byte_more_is_malformed_unless_it_is_space(venue, market, frame):
    for byte in range(256):
        assert check(venue, frame + bytes([byte]))["status"] == ("quote" if byte in b" \t\r\n" else "malformed")


@canonical
def test_every_one_byte_mutation_gives_what_the_rules_give(venue, market, frame):
    for position in range(len(frame)):
        for byte in b'\x00"\\,:{}[]0159.-+eE \n\x1f\x7f\x80\xc3\xff' + bytes(
            [frame[position] ^ 1, frame[position] ^ 0x20]
        ):
            mutant = bytearray(frame)
            mutant[position] = byte
            check(venue, bytes(mutant))


@canonical
def test_every_byte_left_out_or_doubled(venue, market, frame):
    for position in range(len(frame)):
        check(venue, frame[:position] + frame[position + 1 :])
        check(venue, frame[:position] + frame[position : position + 1] + frame[position:])


@pytest.mark.scenario(33)
@canonical
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_key_order_space_and_escapes_change_nothing(venue, market, frame, data):
    wanted = explain(venue, market, frame)["fields"]
    found = explain(venue, market, rewrite(json.loads(frame, parse_int=str, parse_float=str), data).encode())
    assert found["status"] == "quote"
    plain = {k: v for k, v in found["fields"].items() if not isinstance(v, dict)}
    assert plain == {k: v for k, v in wanted.items() if not isinstance(v, dict)}
    for name in ("bid", "bid_size", "ask", "ask_size"):
        assert {**found["fields"][name], "text": wanted[name]["text"]} == wanted[name]


def rewrite(value, data):
    """JSON text of the value with shuffled keys, space and escaped keys and symbols; digits stay as they are."""
    space = data.draw(st.sampled_from(["", "", " ", "\n\t", "\r\n  "]))
    if isinstance(value, dict):
        items = data.draw(st.permutations(list(value.items())))
        body = ",".join(f"{space}{escaped(k, data)}{space}:{space}{rewrite(v, data)}" for k, v in items)
        return "{" + body + space + "}"
    if isinstance(value, list):
        return "[" + ",".join(space + rewrite(v, data) for v in value) + space + "]"
    return escaped(value, data)


def escaped(text, data):
    every = data.draw(st.sampled_from([0, 0, 1, 2]))
    return '"' + "".join(f"\\u{ord(c):04x}" if every and i % every == 0 else c for i, c in enumerate(text)) + '"'


numbers = st.one_of(
    st.from_regex(r"\A-?[0-9]{1,21}(\.[0-9]{1,21})?([eE][+-]?[0-9]{1,3})?\Z"),
    st.decimals(0, 10**9, places=8).map(str),
    st.sampled_from(
        [
            "1e-7",
            "1E+3",
            "-0",
            "-0.0",
            "00.5",
            "007",
            "",
            ".",
            "5.",
            ".5",
            "+5",
            "1e",
            "1e+",
            "0x10",
            "NaN",
            "Infinity",
            "null",
            " 5",
            "5 ",
            "1_000",
            "1,5",
            "١",
            "123456789012345678",
            "1234567890123456789",
            "0.000000000000000001",
            "0.0000000000000000001",
            "1e17",
            "1e18",
            "1e-18",
            "1e-19",
            "0e5",
            "0e-30",
            "1e999999999999",
            "99999999.99999999",
            "9007199254740993",
            "900719925474099.3",
            "0.1234567890123456",
        ]
    ),
)


@pytest.mark.scenario(31, 32)
@given(number=numbers, bare=st.booleans(), field=st.sampled_from(["b", "B", "a", "A"]))
@settings(max_examples=400, deadline=None)
def test_a_number_is_exact_or_refused(number, bare, field):
    frame = json.loads(SPOT)
    frame[field] = "@"
    text = json.dumps(frame, separators=(",", ":"), ensure_ascii=False).replace(
        '"@"', number if bare else f'"{number}"'
    )
    check("binance", text.encode())


@pytest.mark.scenario(31, 32)
@given(venue=st.sampled_from(["bybit", "okx"]), number=numbers, bare=st.booleans(), size=st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_number_of_a_level_is_exact_or_refused(venue, number, bare, size):
    old = {"bybit": (b'"16493.50"', b'"0.006"'), "okx": (b'"111.05"', b'"57745"')}[venue][size]
    frame = {"bybit": BYBIT, "okx": OKX}[venue]
    check(venue, frame.replace(old, (number if bare else f'"{number}"').encode()))


@pytest.mark.scenario(31)
@pytest.mark.parametrize(
    "value",
    [
        "0",
        "1",
        "01",
        "-1",
        "1.0",
        "1e3",
        '"17"',
        '"017"',
        '""',
        '"x"',
        "null",
        "true",
        "[]",
        "{}",
        "18446744073709551615",
        "18446744073709551616",
        "9223372036854",
        "9223372036855",
        '"\\u0031"',
        "99999999999999999999999999",
    ],
)
@pytest.mark.parametrize(
    ("venue", "old"),
    [
        ("binance", b"11671659685961"),
        ("binance", b"1790526538939"),
        ("binance", b"1790526538940"),
        ("bybit", b"18521288"),
        ("bybit", b"1772694601512"),
        ("bybit", b"1672304484976"),
        ("okx", b'"1670324386802"'),
        ("okx", b"363996337"),
    ],
)
def test_integers_of_every_form(venue, old, value):
    frame = {"binance": USD_M, "bybit": BYBIT, "okx": OKX}[venue]
    assert old in frame
    check(venue, frame.replace(old, value.encode()))


@pytest.mark.scenario(33, 34)
@pytest.mark.parametrize(
    "symbol",
    [
        "",
        "A" * 100,
        "１２３４５６",
        "\\u0042TC",
        "\\ud83d\\ude00",
        "\\ud83d",
        "é",
        'a\\"b',
        "a\\/b",
        "\\u0000",
        "B" * 56 + "\\n",
        "B" * 300,
    ],
)
def test_symbols_of_every_form(symbol):
    found = check("binance", SPOT.replace(b"BNBUSDT", symbol.encode()))
    if found["status"] == "quote":
        assert found["fields"]["symbol"] == json.loads(f'"{symbol}"')


def test_an_escaped_symbol_beyond_its_storage_is_out_of_range():
    assert explain("binance", "spot", SPOT.replace(b"BNBUSDT", b"\\u0042" * 70))["status"] == "range"


@given(frame=st.binary(max_size=300), venue=st.sampled_from(sorted(MARKET)))
@settings(max_examples=300, deadline=None)
def test_noise_is_refused(frame, venue):
    check(venue, frame)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["e", "u", "s", "b", "B", "a", "A", "T", "E", "stream", "data", "topic", "type", "arg", "x"]
            ),
            inner,
            max_size=8,
        )
    ),
    max_leaves=20,
)


@pytest.mark.scenario(33)
@given(value=json_values, venue=st.sampled_from(sorted(MARKET)), ascii_only=st.booleans())
@settings(max_examples=250, deadline=None)
def test_any_json_gives_what_the_rules_give(value, venue, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    try:
        frame = text.encode()
    except UnicodeEncodeError:
        frame = json.dumps(value).encode()
    if not any(abs(number) >= 1e308 for number in floats(value)):
        check(venue, frame)


def floats(value):
    if isinstance(value, float):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from floats(item)


def test_nothing_may_stand_between_the_event_and_the_symbol():
    """A mutant that the fuzzer found: the fields behind it are all where they belong."""
    frame = (b'{"u":1007198640986,"e":"bookTicker".,"s":"BTCUSD_PERP","ps":"BTCUSD","b":"61804.7","B":"1657",'
             b'"a":"61804.8","A":"1646","T":1723161258649,"E":1723161258657}')
    assert explain("binance", "coin_m", frame)["status"] == "malformed"
    assert explain("binance", "coin_m", frame.replace(b".,", b","))["status"] == "quote"
