"""The grammar of symbols."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.error import InstrumentError
from nexus_fast.identity import InstrumentId, Symbol

SPOT, LINEAR, INVERSE = InstrumentType.SPOT, InstrumentType.LINEAR, InstrumentType.INVERSE


@pytest.mark.parametrize(
    ("symbol", "id", "exchange", "kind"),
    [
        ("USDCUSDT.BINANCE", "USDCUSDT", ExchangeType.BINANCE, SPOT),
        ("BTCUSD.BINANCE", "BTCUSD", ExchangeType.BINANCE, SPOT),
        ("USDCUSDT-PERP.BINANCE", "USDCUSDT-PERP", ExchangeType.BINANCE, LINEAR),
        ("BTCUSD-PERP.BINANCE", "BTCUSD-PERP", ExchangeType.BINANCE, INVERSE),
        ("BTCUSDT-251226.BYBIT", "BTCUSDT-251226", ExchangeType.BYBIT, LINEAR),
        ("BTCUSD-251226.OKX", "BTCUSD-251226", ExchangeType.OKX, INVERSE),
        ("1000SHIBUSDT-PERP.BINANCE", "1000SHIBUSDT-PERP", ExchangeType.BINANCE, LINEAR),
        ("币安人生USDT.BINANCE", "币安人生USDT", ExchangeType.BINANCE, SPOT),
    ],
)
def test_symbols(symbol, id, exchange, kind):
    parsed = InstrumentId.from_str(symbol)
    assert (parsed.id, parsed.symbol, parsed.exchange, parsed.type) == (id, symbol, exchange, kind)
    assert (parsed.is_spot, parsed.is_linear, parsed.is_inverse) == (kind is SPOT, kind is LINEAR, kind is INVERSE)
    assert InstrumentId.from_str(symbol) is parsed
    text = Symbol(symbol)
    assert text == symbol and (text.id, text.exchange, text.type) == (id, exchange, kind)
    assert (text.is_spot, text.is_linear, text.is_inverse) == (kind is SPOT, kind is LINEAR, kind is INVERSE)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("BTCUSDT", "the exchange is missing"),
        ("BTCUSDT.", "the exchange is missing"),
        (".BINANCE", "the pair is missing"),
        ("", "the exchange is missing"),
        ("BTC.USDT.BINANCE", "more than one dot"),
        ("BTCUSDT.FOO", "no exchange 'FOO' (there are BINANCE"),
        ("BTCUSDT.binance", "no exchange 'binance'"),
        ("BTCUSDT-PERP-X.BINANCE", "neither -PERP nor a date"),
        ("BTCUSDT-perp.BINANCE", "neither -PERP nor a date"),
        ("BTCUSDT-.BINANCE", "neither -PERP nor a date"),
        ("BTCUSDT-251399.BINANCE", "neither -PERP nor a date"),
        ("BTCUSDT-２５１２２６.BINANCE", "neither -PERP nor a date"),
        ("-PERP.BINANCE", "the pair is missing"),
        ("BTC USDT.BINANCE", "blanks"),
        ("BTCUSDT\n.BINANCE", "blanks"),
        ("btcusdt.BINANCE", "not in capitals"),
        (None, "NoneType"),
        (7, "it is a int"),
    ],
)
def test_what_is_no_symbol_is_told_the_grammar(text, why):
    with pytest.raises(InstrumentError) as caught:
        InstrumentId.from_str(text)
    assert repr(text) in str(caught.value) and why in str(caught.value)
    assert "BASEQUOTE[-PERP|-YYMMDD].EXCHANGE" in str(caught.value)


@given(st.text(max_size=30))
def test_any_text_parses_or_is_refused(text):
    try:
        assert InstrumentId.from_str(text).symbol == text
    except InstrumentError as error:
        assert error.message


def test_refused_text_is_not_remembered():
    from nexus_fast import identity

    before = len(identity._parsed)
    for number in range(1000):
        with pytest.raises(InstrumentError):
            InstrumentId.from_str(f"NO{number}")
    assert len(identity._parsed) == before
