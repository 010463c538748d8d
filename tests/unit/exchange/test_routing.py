"""Which account takes a symbol, as a table."""

import pytest

from nexus_fast.constants import ExchangeType, InstrumentType
from nexus_fast.error import OrderError, RouteError
from nexus_fast.exchange import BinanceAccountType as B
from nexus_fast.exchange import BybitAccountType as Y
from nexus_fast.exchange import OkxAccountType as O
from nexus_fast.exchange.routing import account_for, feed_for, resolve_account, resolve_feed, takes

SPOT, LINEAR, INVERSE = InstrumentType.SPOT, InstrumentType.LINEAR, InstrumentType.INVERSE
BINANCE, BYBIT, OKX = ExchangeType.BINANCE, ExchangeType.BYBIT, ExchangeType.OKX


@pytest.mark.parametrize(
    ("exchange", "configured", "spot", "linear", "inverse"),
    [
        (BINANCE, [], None, None, None),
        (BINANCE, [B.SPOT], B.SPOT, None, None),
        (BINANCE, [B.USD_M_FUTURE], None, B.USD_M_FUTURE, None),
        (BINANCE, [B.COIN_M_FUTURE], None, None, B.COIN_M_FUTURE),
        (BINANCE, [B.USD_M_FUTURE, B.SPOT], B.SPOT, B.USD_M_FUTURE, None),
        (BINANCE, [B.MARGIN], B.MARGIN, None, None),
        (BINANCE, [B.ISOLATED_MARGIN], B.ISOLATED_MARGIN, None, None),
        # NexusTrader lets MARGIN shadow SPOT, and PORTFOLIO_MARGIN take everything; here the specific one takes it.
        (BINANCE, [B.MARGIN, B.SPOT], B.SPOT, None, None),
        (BINANCE, [B.PORTFOLIO_MARGIN], B.PORTFOLIO_MARGIN, B.PORTFOLIO_MARGIN, B.PORTFOLIO_MARGIN),
        (BINANCE, [B.PORTFOLIO_MARGIN, B.USD_M_FUTURE], B.PORTFOLIO_MARGIN, B.USD_M_FUTURE, B.PORTFOLIO_MARGIN),
        (BINANCE, [B.PORTFOLIO_MARGIN, B.SPOT, B.COIN_M_FUTURE], B.SPOT, B.PORTFOLIO_MARGIN, B.COIN_M_FUTURE),
        (BINANCE, [B.SPOT_TESTNET, B.USD_M_FUTURE_TESTNET], B.SPOT_TESTNET, B.USD_M_FUTURE_TESTNET, None),
        (BINANCE, [B.COIN_M_FUTURE_TESTNET], None, None, B.COIN_M_FUTURE_TESTNET),
        (BINANCE, [Y.UNIFIED, O.LIVE], None, None, None),
        (BYBIT, [Y.UNIFIED], Y.UNIFIED, Y.UNIFIED, Y.UNIFIED),
        (BYBIT, [Y.UNIFIED_TESTNET], Y.UNIFIED_TESTNET, Y.UNIFIED_TESTNET, Y.UNIFIED_TESTNET),
        (OKX, [O.LIVE], O.LIVE, O.LIVE, O.LIVE),
        (OKX, [O.DEMO], O.DEMO, O.DEMO, O.DEMO),
        (ExchangeType.BITGET, [], None, None, None),
    ],
)
def test_orders(exchange, configured, spot, linear, inverse):
    found = [account_for(exchange, kind, configured) for kind in (SPOT, LINEAR, INVERSE)]
    assert found == [spot, linear, inverse]


@pytest.mark.parametrize(
    ("exchange", "configured", "spot", "linear", "inverse"),
    [
        (BINANCE, [B.SPOT, B.USD_M_FUTURE, B.COIN_M_FUTURE], B.SPOT, B.USD_M_FUTURE, B.COIN_M_FUTURE),
        (BINANCE, [B.SPOT_TESTNET], B.SPOT_TESTNET, None, None),
        (BYBIT, [Y.SPOT, Y.LINEAR, Y.INVERSE], Y.SPOT, Y.LINEAR, Y.INVERSE),
        (BYBIT, [Y.LINEAR_TESTNET], None, Y.LINEAR_TESTNET, None),
        (OKX, [O.LIVE], O.LIVE, O.LIVE, O.LIVE),
        (BINANCE, [], None, None, None),
    ],
)
def test_market_data(exchange, configured, spot, linear, inverse):
    found = [feed_for(exchange, kind, configured) for kind in (SPOT, LINEAR, INVERSE)]
    assert found == [spot, linear, inverse]


def test_every_private_account_takes_something_and_no_mock_does():
    for exchange, kind in ((BINANCE, B), (BYBIT, Y), (OKX, O)):
        for account in kind:
            some = any(takes(account, exchange, instrument) for instrument in (SPOT, LINEAR, INVERSE))
            assert some == account.may_be_private, account


class TestOverride:
    CONFIGURED = [B.SPOT, B.MARGIN, B.USD_M_FUTURE]

    def resolve(self, override, kind=SPOT, configured=CONFIGURED):
        return resolve_account("X.BINANCE", BINANCE, kind, configured, override)

    def test_it_stands_over_the_rule(self):
        assert self.resolve(None) is B.SPOT
        assert self.resolve(B.MARGIN) is B.MARGIN

    @pytest.mark.parametrize(
        ("override", "kind", "text"),
        [
            (B.COIN_M_FUTURE, INVERSE, "COIN_M_FUTURE has no private connector"),
            (B.USD_M_FUTURE, SPOT, "USD_M_FUTURE does not take spot orders of BINANCE"),
            (Y.UNIFIED, SPOT, "UNIFIED has no private connector"),
            ("SPOT", SPOT, "'SPOT' is a str, not an account type"),
            (None, INVERSE, "no private connector takes inverse orders on BINANCE"),
        ],
    )
    def test_a_bad_one_is_refused_in_words(self, override, kind, text):
        with pytest.raises(RouteError, match=text) as caught:
            self.resolve(override, kind)
        assert "X.BINANCE" in str(caught.value)
        # NexusTrader's programs may catch these.
        assert isinstance(caught.value, KeyError) and isinstance(caught.value, ValueError)
        assert isinstance(caught.value, OrderError)

    def test_the_text_names_the_way_out(self):
        with pytest.raises(RouteError, match=r"BinanceAccountType.COIN_M_FUTURE.*private_conn_config"):
            self.resolve(None, INVERSE)

    def test_market_data_without_a_connector(self):
        with pytest.raises(RouteError, match=r"linear market data of BINANCE.*USD_M_FUTURE.*public_conn_config"):
            resolve_feed("X-PERP.BINANCE", BINANCE, LINEAR, [B.SPOT])
