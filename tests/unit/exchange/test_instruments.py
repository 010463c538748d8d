"""exchangeInfo as instruments: every recorded answer, compared field by field with a decode of its own."""

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.error import InstrumentError
from nexus_fast.exchange.binance.instruments import parse_exchange_info
from nexus_fast.exchange.instrument import InstrumentTable, decimals_of
from nexus_fast.exchange.market import base_market
from nexus_fast.identity import InstrumentId

ROOT = Path(__file__).resolve().parents[3]
RECORDED = ROOT.parent / "shared" / "data"
SAMPLES = ROOT / "tests" / "data" / "gocryptotrader"


def recorded():
    """(name, family, payload) of every exchangeInfo there is."""
    for family in ("spot", "coin_m"):
        yield f"sample {family}", family, (SAMPLES / f"exchange_info_{family}.json").read_bytes()
    for name, family in (("api_binance_com_api_v3", "spot"), ("fapi_binance_com_fapi_v1", "usd_m")):
        path = RECORDED / "cryptofeed" / "http" / f"{name}_exchangeInfo.json.gz"
        if path.exists():
            yield f"cryptofeed {family}", family, gzip.decompress(path.read_bytes())
    path = RECORDED / "nautilus/py_adapters/binance/http_responses/http_futures_market_exchange_info.json"
    if path.exists():
        yield "nautilus usd_m", "usd_m", path.read_bytes()
    path = RECORDED / "gocryptotrader" / "binance_http_recorded.jsonl.gz"
    if path.exists():
        for line in gzip.decompress(path.read_bytes()).splitlines():
            entry = json.loads(line)
            if entry["route"].endswith("exchangeInfo"):
                family = {"/api": "spot", "/fap": "usd_m", "/dap": "coin_m"}[entry["route"][:4]]
                yield f"gocryptotrader {family}", family, json.dumps(entry["response"]).encode()


RECORDINGS = list(recorded())
KIND = {"spot": InstrumentType.SPOT, "usd_m": InstrumentType.LINEAR, "coin_m": InstrumentType.INVERSE}


@pytest.mark.parametrize(("family", "payload"), [r[1:] for r in RECORDINGS], ids=[r[0] for r in RECORDINGS])
class TestRecorded:
    def test_every_symbol_is_read(self, family, payload):
        info = parse_exchange_info(family, payload)
        assert info.skipped == []
        assert [i.venue_symbol for i in info.instruments] == [s["symbol"] for s in json.loads(payload)["symbols"]]

    def test_a_row_that_has_not_changed_is_not_read_again(self, family, payload):
        first, again = (parse_exchange_info(family, payload).instruments for _ in range(2))
        assert all(one is other for one, other in zip(first, again, strict=True))

    def test_values_are_those_of_the_filters(self, family, payload):
        symbols = {s["symbol"]: s for s in json.loads(payload, parse_float=Decimal)["symbols"]}
        for instrument in parse_exchange_info(family, payload).instruments:
            venue = symbols[instrument.venue_symbol]
            filters = {f["filterType"]: f for f in venue["filters"]}
            price, lot = filters["PRICE_FILTER"], filters["LOT_SIZE"]
            assert instrument.exchange is ExchangeType.BINANCE and instrument.type is KIND[family]
            assert (instrument.base, instrument.quote) == (venue["baseAsset"], venue["quoteAsset"])
            assert instrument.active == ((venue.get("status") or venue["contractStatus"]) == "TRADING")
            assert instrument.tick_size == Decimal(price["tickSize"])
            assert instrument.min_price == Decimal(price["minPrice"])
            assert (instrument.max_price or 0) == Decimal(price["maxPrice"])
            assert instrument.lot_size == Decimal(lot["stepSize"])
            assert instrument.min_quantity == Decimal(lot["minQty"])
            assert instrument.max_quantity == Decimal(lot["maxQty"])
            least = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}
            assert instrument.min_notional == Decimal(least.get("minNotional") or least.get("notional") or 0)
            assert instrument.contract_size == Decimal(venue.get("contractSize", 1))
            assert (instrument.listed_ms, instrument.index) == (venue.get("onboardDate"), venue.get("pair", ""))

    def test_mantissas_are_exact(self, family, payload):
        for i in parse_exchange_info(family, payload).instruments:
            unit_price, unit_size = Decimal(1).scaleb(-i.price_scale), Decimal(1).scaleb(-i.size_scale)
            assert i.tick_mantissa * unit_price == i.tick_size
            assert i.min_price_mantissa * unit_price == i.min_price
            assert i.lot_mantissa * unit_size == i.lot_size
            assert i.min_quantity_mantissa * unit_size == i.min_quantity
            assert i.market_min_quantity_mantissa * unit_size == i.market_min_quantity
            assert 0 < i.max_price_mantissa < 10**18 and 0 < i.max_quantity_mantissa < 10**18
            assert i.price_scale == max(decimals_of(i.tick_size), decimals_of(i.min_price))

    def test_symbols_follow_the_grammar_and_are_unique(self, family, payload):
        instruments = parse_exchange_info(family, payload).instruments
        table = InstrumentTable(instruments)
        assert len(table) == len(instruments) and table.twins == []
        for instrument in instruments:
            assert InstrumentId.from_str(instrument.symbol).type is instrument.type
            assert table.by_venue_symbol(ExchangeType.BINANCE, instrument.type, instrument.venue_symbol) is instrument
            assert base_market(instrument).id == instrument.venue_symbol


DEEP = b'{"other":' + b"[" * 100_000 + b"]" * 100_000 + b"}"           # deeper than a decoder goes


def exchange_info(*symbols):
    return json.dumps({"serverTime": 1, "rateLimits": [], "symbols": symbols}).encode()


def spot_symbol(symbol="ABCUSDT", base="ABC", filters=(), **more):
    return {"symbol": symbol, "status": "TRADING", "baseAsset": base, "quoteAsset": "USDT", "filters": filters, **more}


PRICE = {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"}
LOT = {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "9000", "stepSize": "0.001"}


def one(family, symbol):
    info = parse_exchange_info(family, exchange_info(symbol))
    assert info.skipped == []
    return info.instruments[0]


class TestShapes:
    @pytest.mark.parametrize(
        ("family", "venue", "quote", "ours"),
        [
            ("spot", "ABCUSDT", "USDT", "ABCUSDT.BINANCE"),
            ("usd_m", "ABCUSDT", "USDT", "ABCUSDT-PERP.BINANCE"),
            ("usd_m", "ABCUSDC", "USDC", "ABCUSDC-PERP.BINANCE"),
            ("usd_m", "ABCUSDT_260327", "USDT", "ABCUSDT-260327.BINANCE"),
            ("coin_m", "ABCUSD_PERP", "USD", "ABCUSD-PERP.BINANCE"),
            ("coin_m", "ABCUSD_260327", "USD", "ABCUSD-260327.BINANCE"),
        ],
    )
    def test_symbols(self, family, venue, quote, ours):
        dated = {"contractType": "CURRENT_QUARTER", "deliveryDate": 1774598400000}
        perpetual = {"contractType": "PERPETUAL", "deliveryDate": 4133404800000}
        symbol = spot_symbol(venue, filters=[PRICE, LOT], **(dated if venue.endswith("_260327") else perpetual))
        instrument = one(family, {**symbol, "quoteAsset": quote})
        assert instrument.symbol == ours
        assert (instrument.expiry_ms is not None) == ours.endswith("260327.BINANCE")

    def test_a_symbol_outside_ascii(self):
        instrument = one("spot", spot_symbol("币安人生USDT", "币安人生", [PRICE, LOT]))
        assert instrument.symbol == "币安人生USDT.BINANCE"
        assert InstrumentTable([instrument]).get("币安人生USDT.BINANCE") is instrument

    def test_filters_of_unknown_kind_or_shape_are_ignored(self):
        odd = {"filterType": "MOON_PHASE", "tickSize": {"a": [1]}, "minQty": None}
        assert one("spot", spot_symbol(filters=[odd, PRICE, LOT])).tick_size == Decimal("0.01")

    def test_one_bad_symbol_holds_up_no_other(self):
        bad = spot_symbol("BADUSDT", "BAD", [{**PRICE, "tickSize": "cheap"}])
        info = parse_exchange_info("spot", exchange_info(bad, spot_symbol(filters=[PRICE, LOT])))
        assert [i.venue_symbol for i in info.instruments] == ["ABCUSDT"]
        assert info.skipped[0][0] == "BADUSDT"

    @pytest.mark.parametrize("payload", [b"", b"<html>", b"[]", b'{"code":-1003,"msg":"Too many"}', b"\xff\xfe", b"NaN", DEEP])
    def test_what_is_no_exchange_info_says_so(self, payload):
        with pytest.raises(InstrumentError, match="exchangeInfo cannot be read"):
            parse_exchange_info("spot", payload)

    def test_steps_left_open_come_from_the_precision(self):
        symbol = spot_symbol(filters=[{**PRICE, "tickSize": "0.00000000"}], quotePrecision=4, baseAssetPrecision=6)
        instrument = one("spot", symbol)
        assert (instrument.tick_size, instrument.lot_size) == (Decimal("0.0001"), Decimal("0.000001"))

    def test_zero_is_no_limit(self):
        instrument = one("spot", spot_symbol(filters=[{**PRICE, "maxPrice": "0", "minPrice": "0"}, LOT]))
        assert instrument.max_price is None and instrument.max_price_mantissa == 10**18 - 1

    def test_market_orders_obey_both_lots(self):
        market = {"filterType": "MARKET_LOT_SIZE", "minQty": "0.01", "maxQty": "5", "stepSize": "0.01"}
        instrument = one("spot", spot_symbol(filters=[PRICE, LOT, market]))
        assert (instrument.market_lot_size, instrument.market_min_quantity) == (Decimal("0.01"), Decimal("0.01"))
        assert instrument.market_max_quantity == 5
        without = one("spot", spot_symbol(filters=[PRICE, LOT]))
        assert (without.market_lot_size, without.market_max_quantity) == (Decimal("0.001"), 9000)

    def test_notional_with_its_switches(self):
        notional = {
            "filterType": "NOTIONAL", "minNotional": "5", "applyMinToMarket": False, "maxNotional": "9000000",
            "applyMaxToMarket": True, "avgPriceMins": 5,
        }  # fmt: skip
        instrument = one("spot", spot_symbol(filters=[PRICE, LOT, notional]))
        assert (instrument.min_notional, instrument.max_notional) == (5, 9_000_000)
        assert not instrument.min_notional_on_market and instrument.max_notional_on_market

    def test_a_minimum_price_off_the_tick_widens_the_scale(self):
        instrument = one("usd_m", spot_symbol(filters=[{**PRICE, "minPrice": "556.725", "tickSize": "0.10"}, LOT]))
        assert (instrument.price_scale, instrument.tick_mantissa, instrument.min_price_mantissa) == (3, 100, 556725)

    def test_the_list_corrects_what_text_cannot_tell(self):
        """BNBUSD-PERP is BNB in USD, inverse; QQBUSD-PERP is QQ in BUSD, linear. Only the venue's list knows."""
        linear = one("usd_m", {**spot_symbol("QQBUSD", "QQ", [PRICE, LOT]), "quoteAsset": "BUSD"})
        assert InstrumentId.from_str("QQBUSD-PERP.BINANCE").is_inverse
        InstrumentTable([linear])
        assert InstrumentId.from_str("QQBUSD-PERP.BINANCE").is_linear

    @pytest.mark.parametrize(
        ("kind", "delivery", "expiry"),
        [
            ("PERPETUAL", 4133404800000, None),
            ("PERPETUAL", 1774598400000, None),              # leaves the list on that day
            ("PERPETUAL DELIVERING", 1774598400000, None),
            ("TRADIFI_PERPETUAL", 4133404800000, None),
            ("", 4133404800000, None),                       # is not traded yet
            ("CURRENT_QUARTER", 1774598400000, 1774598400000),
            ("CURRENT_QUARTER DELIVERING", 1774598400000, 1774598400000),
            ("NEXT_MONTH", 1774598400000, 1774598400000),
        ],
    )
    def test_the_contract_type_says_whether_there_is_an_end(self, kind, delivery, expiry):
        """Whatever the name: ABCUSDT_X is not dated for its underscore."""
        for venue in ("ABCUSDT", "ABCUSDT_X"):
            found = one("usd_m", spot_symbol(venue, filters=[PRICE, LOT], contractType=kind, deliveryDate=delivery))
            assert found.expiry_ms == expiry
            assert found.symbol == ("ABCUSDT-260327.BINANCE" if expiry else "ABCUSDT-PERP.BINANCE")

    @pytest.mark.parametrize(("family", "status"), [
        *(("spot", word) for word in ("END_OF_DAY", "HALT", "BREAK", "CANCEL_ONLY")),
        *(("usd_m", word) for word in ("PENDING_TRADING", "PRE_DELIVERING", "DELIVERING", "DELIVERED", "PRE_SETTLE", "SETTLING",
                                       "CLOSE", "a word of next year")),
    ])  # fmt: skip
    def test_whatever_is_not_trading_takes_no_orders(self, family, status):
        found = one(family, {**spot_symbol(filters=[PRICE, LOT]), "status": status})
        assert found.status == status and not found.active

    def test_a_contract_type_that_is_not_known_is_left_out(self):
        row = spot_symbol(filters=[PRICE, LOT], contractType="SHORT_FIVE_MINUTES", deliveryDate=1774598400000)
        ((name, reason),) = parse_exchange_info("usd_m", exchange_info(row)).skipped
        assert name == "ABCUSDT" and "SHORT_FIVE_MINUTES" in reason

    @pytest.mark.parametrize("odd", [
        "", None, 5, [], {}, {"symbol": "ODDUSDT"},
        {**spot_symbol("ODDUSDT", "ODD", [PRICE, LOT]), "baseAsset": None},
        {**spot_symbol("ODDUSDT", "ODD", [PRICE, LOT]), "status": 7},
        spot_symbol("ODDUSDT", "ODD", [{**PRICE, "maxPrice": "NaN"}, LOT]),
        spot_symbol("ODDUSDT", "ODD", [{**PRICE, "tickSize": ""}, LOT]),
        spot_symbol("ODDUSDT", "ODD", [PRICE, {**LOT, "minQty": "-1"}]),
        spot_symbol("ODDUSDT", "ODD", [PRICE, {**LOT, "stepSize": "Infinity"}]),
        spot_symbol("ODDUSDT", "ODD", [PRICE, None]),
        spot_symbol("ODD USDT&", "ODD", [PRICE, LOT]),
        spot_symbol("ODD" * 20, "ODD", [PRICE, LOT]),
    ])  # fmt: skip
    def test_an_odd_row_holds_up_no_other(self, odd):
        info = parse_exchange_info("spot", exchange_info(odd, spot_symbol(filters=[PRICE, LOT])))
        assert [i.venue_symbol for i in info.instruments] == ["ABCUSDT"]
        ((name, reason),) = info.skipped
        assert reason and name == (odd["symbol"] if isinstance(odd, dict) and odd else "?")

    def test_a_limit_beyond_all_numbers_is_no_limit(self):
        instrument = one("spot", spot_symbol(filters=[{**PRICE, "maxPrice": "1e999999"}, LOT]))
        assert instrument.max_price_mantissa == 10**18 - 1

    def test_of_two_kinds_under_one_symbol_the_first_stays(self):
        inverse = one("coin_m", {**spot_symbol("WWUSD_PERP", "WW", [PRICE, LOT]), "quoteAsset": "USD"})
        linear = one("usd_m", {**spot_symbol("WWUSD", "WW", [PRICE, LOT]), "quoteAsset": "USD"})
        table = InstrumentTable([inverse, linear])
        assert table.get("WWUSD-PERP.BINANCE") is inverse and table.twins == [(linear, inverse)]


class TestTable:
    @pytest.fixture
    def table(self):
        names = [("BTCUSDT", "BTC"), ("ETHUSDT", "ETH"), ("OLDUSDT", "OLD")]
        linear = [one("usd_m", spot_symbol(symbol, base, [PRICE, LOT])) for symbol, base in names[:2]]
        quarter = {"contractType": "CURRENT_QUARTER", "deliveryDate": 1774598400000}
        dated = one("usd_m", spot_symbol("BTCUSDT_260327", "BTC", [PRICE, LOT], **quarter))
        halted = one("spot", {**spot_symbol(*names[2], [PRICE, LOT]), "status": "BREAK"})
        return InstrumentTable([*linear, dated, halted])

    def test_symbols_by_kind(self, table):
        binance, linear = ExchangeType.BINANCE, InstrumentType.LINEAR
        assert table.symbols(binance, linear) == ["BTCUSDT-PERP.BINANCE", "ETHUSDT-PERP.BINANCE"]
        assert table.symbols(binance, linear, base="ETH") == ["ETHUSDT-PERP.BINANCE"]
        assert table.symbols(binance, linear, quote="USDC") == []
        assert table.symbols(binance, linear, exclude=["BTCUSDT-PERP.BINANCE"]) == ["ETHUSDT-PERP.BINANCE"]
        assert table.symbols(binance, linear, dated=True) == ["BTCUSDT-260327.BINANCE"]
        assert table.symbols(binance, InstrumentType.SPOT) == []
        assert table.symbols(ExchangeType.OKX, linear) == []

    @pytest.mark.parametrize(
        ("symbol", "text"),
        [
            ("BTCUST-PERP.BINANCE", "did you mean BTCUSDT-PERP.BINANCE"),
            ("BTCUSD-PERP.BINANCE", "loaded from BINANCE; none of them is inverse perpetual"),
            ("BTCUSDT-PERP.OKX", "no instruments of OKX are loaded"),
            ("BTCUSDT", "the exchange is missing"),
            ("BTCUSDT-260328.BINANCE", "did you mean BTCUSDT-260327.BINANCE\\?$"),
            ("BTCUSDT.BINANCE", "none of its 1 spot symbols is like it.$"),
            ("OLDUSTD.BINANCE", "did you mean OLDUSDT.BINANCE\\?$"),
            ("OLDUSDT-PERP.BINANCE", "none of its 2 linear perpetual symbols is like it.$"),
            ("ZZZZZZ.BINANCE", "none of its 1 spot symbols is like it"),
        ],
    )
    def test_an_unknown_symbol_says_what_may_be_meant(self, table, symbol, text):
        with pytest.raises(InstrumentError, match=text):
            table.get(symbol)
