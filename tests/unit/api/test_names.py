"""The names and values that programs rely on, and what importing them costs."""

import os
import subprocess
import sys

import pytest
from patience import PROCESS_SECONDS

from nexus_fast import constants, error
from nexus_fast.constants import KlineInterval, OrderSide, OrderStatus, OrderType, PositionSide
from nexus_fast.exchange import BinanceAccountType, BybitAccountType, HyperLiquidAccountType, OkxAccountType

# NexusTrader 0.3.38: name of the enumeration -> its members as name=value.
VALUES = {
    "ExchangeType": "BINANCE=binance OKX=okx BYBIT=bybit HYPERLIQUID=hyperliquid BITGET=bitget "
    "BYBIT_TRADFI=bybit_tradfi",
    "OrderSide": "BUY=BUY SELL=SELL",
    "TimeInForce": "GTC=GTC IOC=IOC FOK=FOK",
    "PositionSide": "LONG=LONG SHORT=SHORT FLAT=FLAT",
    "TriggerType": "LAST_PRICE=LAST_PRICE MARK_PRICE=MARK_PRICE INDEX_PRICE=INDEX_PRICE",
    "InstrumentType": "SPOT=spot MARGIN=margin FUTURE=future OPTION=option SWAP=swap LINEAR=linear INVERSE=inverse",
    "OptionType": "CALL=call PUT=put",
    "BookLevel": "L5=5 L10=10 L20=20 L50=50",
    "DataType": "BOOKL1=bookl1 BOOKL2=bookl2 TRADE=trade KLINE=kline VOLUME_KLINE=volume_kline MARK_PRICE=mark_price "
    "FUNDING_RATE=funding_rate INDEX_PRICE=index_price",
    "SubmitType": "CREATE=0 CANCEL=1 TWAP=2 CANCEL_TWAP=3 VWAP=4 CANCEL_VWAP=5 TAKE_PROFIT_AND_STOP_LOSS=6 MODIFY=7 "
    "CANCEL_ALL=8 BATCH=9 CREATE_WS=10 CANCEL_WS=11",
    "StorageType": "SQLITE=sqlite POSTGRESQL=postgresql",
    "ParamBackend": "MEMORY=memory REDIS=redis",
    "AlgoOrderStatus": "RUNNING=RUNNING CANCELING=CANCELING FINISHED=FINISHED CANCELED=CANCELED FAILED=FAILED",
    "OrderType": "MARKET=MARKET LIMIT=LIMIT TAKE_PROFIT_MARKET=TAKE_PROFIT_MARKET TAKE_PROFIT_LIMIT=TAKE_PROFIT_LIMIT "
    "STOP_LOSS_MARKET=STOP_LOSS_MARKET STOP_LOSS_LIMIT=STOP_LOSS_LIMIT POST_ONLY=POST_ONLY",
    "OrderStatus": "INITIALIZED=INITIALIZED FAILED=FAILED CANCEL_FAILED=CANCEL_FAILED PENDING=PENDING "
    "CANCELING=CANCELING ACCEPTED=ACCEPTED PARTIALLY_FILLED=PARTIALLY_FILLED FILLED=FILLED CANCELED=CANCELED "
    "EXPIRED=EXPIRED",
    "WsOrderResultType": "REQUEST_NOT_SENT=REQUEST_NOT_SENT ACK_REJECTED=ACK_REJECTED ACK_TIMEOUT=ACK_TIMEOUT "
    "ACK_TIMEOUT_CONFIRMED=ACK_TIMEOUT_CONFIRMED",
    "KlineInterval": "SECOND_1=1s MINUTE_1=1m MINUTE_3=3m MINUTE_5=5m MINUTE_15=15m MINUTE_30=30m HOUR_1=1h HOUR_2=2h "
    "HOUR_4=4h HOUR_6=6h HOUR_8=8h HOUR_12=12h DAY_1=1d DAY_3=3d WEEK_1=1w MONTH_1=1M VOLUME=volume",
}


@pytest.mark.parametrize("name", VALUES)
def test_enumerations(name):
    members = " ".join(f"{m.name}={m.value}" for m in getattr(constants, name))
    assert members == VALUES[name]


def test_an_enumeration_finds_its_members_and_works_as_a_key():
    assert OrderSide("BUY") is OrderSide.BUY and OrderSide["SELL"] is OrderSide.SELL
    assert {OrderSide.BUY: 1}[OrderSide("BUY")] == 1


def test_websocket_results_are_text():
    assert constants.WsOrderResultType.ACK_TIMEOUT == "ACK_TIMEOUT"


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [("1s", 1), ("1m", 60), ("15m", 900), ("4h", 14400), ("1d", 86400), ("3d", 259200), ("1w", 604800),
     ("1M", 2592000), ("volume", 0)],
)  # fmt: skip
def test_intervals(interval, seconds):
    kline = KlineInterval(interval)
    assert (kline.seconds, kline.milliseconds) == (seconds, seconds * 1000)
    assert (kline.microseconds, kline.nanoseconds) == (seconds * 10**6, seconds * 10**9)


def test_helpers():
    assert OrderSide.BUY.is_buy and OrderSide.SELL.is_sell and not OrderSide.BUY.is_sell
    assert PositionSide.LONG.is_long and PositionSide.SHORT.is_short and PositionSide.FLAT.is_flat
    flags = {t: (t.is_market, t.is_limit, t.is_post_only, t.is_take_profit, t.is_stop_loss) for t in OrderType}
    assert flags == {
        OrderType.MARKET: (True, False, False, False, False),
        OrderType.LIMIT: (False, True, False, False, False),
        OrderType.POST_ONLY: (False, False, True, False, False),
        OrderType.TAKE_PROFIT_MARKET: (True, False, False, True, False),
        OrderType.TAKE_PROFIT_LIMIT: (False, True, False, True, False),
        OrderType.STOP_LOSS_MARKET: (True, False, False, False, True),
        OrderType.STOP_LOSS_LIMIT: (False, True, False, False, True),
    }


def test_account_types():
    spot, perp = BinanceAccountType.SPOT, BinanceAccountType.USD_M_FUTURE
    assert (spot.is_spot, spot.is_future, perp.is_linear, perp.is_future) == (True, False, True, True)
    assert {a for a in BinanceAccountType if a.is_testnet} == {
        BinanceAccountType.SPOT_TESTNET, BinanceAccountType.USD_M_FUTURE_TESTNET,
        BinanceAccountType.COIN_M_FUTURE_TESTNET,
    }  # fmt: skip
    assert BinanceAccountType.MARGIN.is_isolated_margin_or_margin and BinanceAccountType.MARGIN.is_spot_or_margin
    assert OkxAccountType.LIVE.value == "live" and OkxAccountType.DEMO.is_testnet
    assert HyperLiquidAccountType.TESTNET.is_testnet and not HyperLiquidAccountType.MAINNET.is_testnet
    assert BybitAccountType.UNIFIED.exchange_id == "bybit" and BinanceAccountType.SPOT_MOCK.is_mock
    assert BinanceAccountType.LINEAR_MOCK.is_linear_mock and not BinanceAccountType.LINEAR_MOCK.may_be_private
    families = {a.family for a in BinanceAccountType if a.may_be_private}
    assert families == {"spot", "margin", "usd_m", "coin_m", "portfolio_margin"}


class TestErrors:
    def test_one_tree(self):
        kinds = [kind for kind in vars(error).values() if isinstance(kind, type) and issubclass(kind, Exception)]
        assert len(kinds) > 15 and all(issubclass(kind, error.NexusError) for kind in kinds)
        assert error.NexusTraderError is error.NexusError

    @pytest.mark.parametrize(
        ("kind", "caught_as"),
        [
            (error.EngineBuildError, error.NexusTraderError),
            (error.ConfigurationError, error.EngineBuildError),
            (error.ConfigurationError, ValueError),
            (error.ConfigurationError, KeyError),
            (error.CredentialError, error.ConfigurationError),
            (error.RouteError, KeyError),
            (error.SubscriptionError, ValueError),
            (error.StrategyBuildError, RuntimeError),
            (error.InstrumentError, ValueError),
            (error.OrderRefusedError, error.OrderError),
            (error.SettingsError, AttributeError),
        ],
    )
    def test_programs_catch_what_they_caught(self, kind, caught_as):
        with pytest.raises(caught_as) as caught:
            raise kind("a text with 'quotes'")
        assert str(caught.value) == caught.value.message == "a text with 'quotes'"

    def test_those_with_fields(self):
        assert (error.WsAckTimeoutError("7", 5.0).oid, error.WsAckTimeoutError("7", 5.0).timeout) == ("7", 5.0)
        assert error.WsAckRejectedError("7", "no").reason == "no"
        venue = error.VenueError(-2010, "Account has insufficient balance", venue="binance", status=400)
        assert (venue.code, venue.status) == (-2010, 400) and "-2010" in str(venue) and "insufficient" in str(venue)
        assert "not sent" in str(error.WsRequestNotSentError())


def test_transitions_name_every_status_and_end_only_in_ends():
    assert set(constants.STATUS_TRANSITIONS) == set(OrderStatus)
    ends = {status for status, after in constants.STATUS_TRANSITIONS.items() if not after}
    assert ends == constants.CLOSED_STATUSES


# Libraries that cost more than they may at start-up, and that only some programs need.
HEAVY = ("aiohttp", "dynaconf", "apscheduler", "cryptography", "rich", "click", "numpy", "pandas", "ccxt")
MODULES = (
    "nexus_fast", "nexus_fast.constants", "nexus_fast.config", "nexus_fast.exchange", "nexus_fast.exchange.binance",
    "nexus_fast.exchange.validation", "nexus_fast.exchange.routing", "nexus_fast.endpoints", "nexus_fast.error",
    "nexus_fast.identity", "nexus_fast.log", "nexus_fast.clock", "nexus_fast.scheduling",
)  # fmt: skip
WITH_BOOKS = ("nexus_fast.schema", "nexus_fast.cache")
WITH_ENGINE = ("nexus_fast.strategy", "nexus_fast.engine")


@pytest.mark.parametrize(
    ("modules", "without"),
    [(MODULES, (*HEAVY, "asyncio")), (WITH_BOOKS, (*HEAVY, "asyncio")), (WITH_ENGINE, HEAVY)],
    ids=["names", "books", "engine"],
)
def test_importing_brings_nothing_heavy_and_touches_nothing(modules, without, tmp_path):
    code = (
        f"import sys, warnings; warnings.simplefilter('error')\nfor m in {modules!r}: __import__(m)\n"
        f"print([m for m in {without!r} if m in sys.modules])"
    )
    environ = {k: v for k, v in os.environ.items() if k != "NEXUS_FAST_FENCE"} | {"PYTHONPATH": os.pathsep.join(sys.path)}
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=PROCESS_SECONDS
    )
    assert answer.stdout.strip() == "[]", answer.stderr
    assert answer.stderr == "" and list(tmp_path.iterdir()) == []
