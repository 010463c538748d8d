"""Configurations that do not fit together: one error each, naming the thing, the value and the way out."""

import dataclasses
import warnings

import pytest

from nexus_fast.config import (
    BasicConfig,
    Config,
    MockConnectorConfig,
    PrivateConnectorConfig,
    PublicConnectorConfig,
    WebConfig,
    ZeroMQSignalConfig,
)
from nexus_fast.constants import ExchangeType, StorageType
from nexus_fast.error import ConfigurationError, CredentialError, EngineBuildError
from nexus_fast.exchange import (
    BinanceAccountType,
    BitgetAccountType,
    BybitAccountType,
    HyperLiquidAccountType,
    OkxAccountType,
)
from nexus_fast.exchange.validation import validate

BINANCE, BYBIT, OKX = ExchangeType.BINANCE, ExchangeType.BYBIT, ExchangeType.OKX
KEYS = {"api_key": "a-key", "secret": "a-secret"}


class Program:
    """Enough of a strategy."""

    def create_order(self):
        """A strategy is known by this."""


def config(basic=None, public=None, private=None, **changes):
    return Config(
        strategy_id="seed",
        user_id="user",
        strategy=changes.pop("strategy", None) or Program(),
        basic_config={BINANCE: BasicConfig(**KEYS)} if basic is None else basic,
        public_conn_config={BINANCE: [PublicConnectorConfig(BinanceAccountType.SPOT)]} if public is None else public,
        private_conn_config=private or {},
        **changes,
    )


def publics(*accounts, exchange=BINANCE):
    return {exchange: [PublicConnectorConfig(account) for account in accounts]}


def privates(*accounts, exchange=BINANCE):
    return {exchange: [PrivateConnectorConfig(account) for account in accounts]}


GOOD = {
    "the seed": lambda: config(
        public=publics(BinanceAccountType.USD_M_FUTURE, BinanceAccountType.SPOT),
        private=privates(BinanceAccountType.USD_M_FUTURE, BinanceAccountType.SPOT),
    ),
    "market data alone, without keys": lambda: config(basic={BINANCE: BasicConfig()}),
    "testnet": lambda: config(
        basic={BINANCE: BasicConfig(**KEYS, testnet=True)},
        public=publics(BinanceAccountType.SPOT_TESTNET),
        private=privates(BinanceAccountType.SPOT_TESTNET),
    ),
    "margin traded, spot watched": lambda: config(private=privates(BinanceAccountType.MARGIN)),
    "two venues": lambda: config(
        basic={BINANCE: BasicConfig(**KEYS), BYBIT: BasicConfig(**KEYS)},
        public={**publics(BinanceAccountType.SPOT), **publics(BybitAccountType.LINEAR, exchange=BYBIT)},
        private={**privates(BinanceAccountType.SPOT), **privates(BybitAccountType.UNIFIED, exchange=BYBIT)},
    ),
    "OKX with its passphrase": lambda: config(
        basic={OKX: BasicConfig(**KEYS, passphrase="p")},
        public=publics(OkxAccountType.LIVE, exchange=OKX),
        private=privates(OkxAccountType.LIVE, exchange=OKX),
    ),
    "several strategies": lambda: config(strategy=[Program(), Program()]),
    "an Ed25519 key in PEM": lambda: config(
        basic={BINANCE: BasicConfig("k", "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n")},
        private=privates(BinanceAccountType.SPOT),
    ),
}


@pytest.mark.parametrize("build", GOOD.values(), ids=GOOD)
def test_what_fits_passes_in_silence(build):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        validate(build())


# name -> (configuration, texts that the error must hold: the thing, the value, the way out)
BAD = {
    "a venue without basic_config": (
        lambda: config(basic={}),
        ["Config.public_conn_config has BINANCE", "Config.basic_config", "BasicConfig(testnet=False)"],
    ),
    "a private venue without public": (
        lambda: config(
            basic={BINANCE: BasicConfig(**KEYS), BYBIT: BasicConfig(**KEYS)},
            private=privates(BybitAccountType.UNIFIED, exchange=BYBIT),
        ),
        ["private_conn_config has BYBIT", "Add a PublicConnectorConfig"],
    ),
    "no public connector at all": (
        lambda: config(public={}),
        ["public_conn_config is empty", "BinanceAccountType.SPOT"],
    ),
    "a public MARGIN connector": (
        lambda: config(public=publics(BinanceAccountType.MARGIN)),
        ["public_conn_config", "BinanceAccountType.MARGIN", "BinanceAccountType.SPOT"],
    ),
    "a public ISOLATED_MARGIN connector": (
        lambda: config(public=publics(BinanceAccountType.ISOLATED_MARGIN)),
        ["BinanceAccountType.ISOLATED_MARGIN", "BinanceAccountType.SPOT"],
    ),
    "a public PORTFOLIO_MARGIN connector": (
        lambda: config(public=publics(BinanceAccountType.PORTFOLIO_MARGIN)),
        ["BinanceAccountType.PORTFOLIO_MARGIN", "BinanceAccountType.USD_M_FUTURE"],
    ),
    "a public UNIFIED connector": (
        lambda: config(basic={BYBIT: BasicConfig()}, public=publics(BybitAccountType.UNIFIED, exchange=BYBIT)),
        ["BybitAccountType.UNIFIED", "BybitAccountType.LINEAR", "private_conn_config"],
    ),
    "a private LINEAR connector of Bybit": (
        lambda: config(
            basic={BYBIT: BasicConfig(**KEYS)},
            public=publics(BybitAccountType.LINEAR, exchange=BYBIT),
            private=privates(BybitAccountType.LINEAR, exchange=BYBIT),
        ),
        ["BybitAccountType.LINEAR takes no orders", "BybitAccountType.UNIFIED"],
    ),
    "a live account with testnet keys": (
        lambda: config(basic={BINANCE: BasicConfig(testnet=True)}),
        ["BinanceAccountType.SPOT is a live account", "testnet=True", "Set testnet=False"],
    ),
    "a testnet account with live keys": (
        lambda: config(public=publics(BinanceAccountType.SPOT_TESTNET)),
        ["SPOT_TESTNET is a testnet account", "testnet=False", "Set testnet=True"],
    ),
    "a private testnet mismatch": (
        lambda: config(private=privates(BinanceAccountType.USD_M_FUTURE_TESTNET)),
        ["private_conn_config", "USD_M_FUTURE_TESTNET"],
    ),
    "a Bybit account under BINANCE": (
        lambda: config(public=publics(BybitAccountType.SPOT)),
        ["BybitAccountType.SPOT", "not of BINANCE", "ExchangeType.BYBIT"],
    ),
    "an account of Bybit among the private ones": (
        lambda: config(private=privates(BybitAccountType.UNIFIED)),
        ["private_conn_config", "BybitAccountType.UNIFIED", "not of BINANCE"],
    ),
    "text for an account type": (lambda: config(public=publics("SPOT")), ["'SPOT'", "not an account type"]),
    "an empty public list": (
        lambda: config(public={BINANCE: []}),
        ["Config.public_conn_config[ExchangeType.BINANCE]", "[]", "Leave the exchange out"],
    ),
    "an empty private list": (
        lambda: config(private={BINANCE: []}),
        ["Config.private_conn_config[ExchangeType.BINANCE]", "[]", "Leave the exchange out"],
    ),
    "a connector that is not in a list": (
        lambda: config(public={BINANCE: PublicConnectorConfig(BinanceAccountType.SPOT)}),
        ["must be a list"],
    ),
    "a private connector among the public": (
        lambda: config(public=privates(BinanceAccountType.SPOT)),
        ["is not a PublicConnectorConfig"],
    ),
    "the same account twice": (
        lambda: config(public=publics(BinanceAccountType.SPOT, BinanceAccountType.SPOT)),
        ["BinanceAccountType.SPOT twice"],
    ),
    "two OKX connectors": (
        lambda: config(
            basic={OKX: BasicConfig()}, public=publics(OkxAccountType.LIVE, OkxAccountType.LIVE, exchange=OKX)
        ),
        ["2 connectors", "OkxAccountType.LIVE", "keep one"],
    ),
    "a mock connector": (
        lambda: config(private={BINANCE: [MockConnectorConfig({"USDT": 1}, BinanceAccountType.LINEAR_MOCK)]}),
        ["BinanceAccountType.LINEAR_MOCK", "nexus-fast run --sim"],
    ),
    "a mock account in a real connector": (
        lambda: config(private=privates(BinanceAccountType.SPOT_MOCK)),
        ["BinanceAccountType.SPOT_MOCK", "simulator"],
    ),
    "Hyperliquid": (
        lambda: config(
            basic={ExchangeType.HYPERLIQUID: BasicConfig()},
            public=publics(HyperLiquidAccountType.MAINNET, exchange=ExchangeType.HYPERLIQUID),
        ),
        ["HYPERLIQUID", "not support yet", "BINANCE, BYBIT, OKX"],
    ),
    "Bitget under BINANCE": (lambda: config(public=publics(BitgetAccountType.UTA)), ["Bitget", "not of BINANCE"]),
    "text for an exchange": (lambda: config(basic={"binance": BasicConfig()}), ["'binance'", "not an ExchangeType"]),
    "a custom_url that is no WebSocket": (
        lambda: config(public={BINANCE: [PublicConnectorConfig(BinanceAccountType.SPOT, custom_url="http://x")]}),
        ["custom_url='http://x'", "ws://"],
    ),
    "a strategy class": (lambda: config(strategy=Program), ["class Program", "write Program()"]),
    "something that is no strategy": (lambda: config(strategy=object()), ["no Strategy"]),
    "an id for a path": (lambda: dataclasses.replace(config(), strategy_id="../etc"), ["strategy_id='../etc'", "A-Z"]),
    "an empty id": (lambda: dataclasses.replace(config(), user_id=""), ["user_id=''"]),
}


@pytest.mark.parametrize(("build", "texts"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_named(build, texts):
    with pytest.raises(ConfigurationError) as caught:
        validate(build())
    for text in texts:
        assert text in str(caught.value)
    assert isinstance(caught.value, EngineBuildError)


def test_the_same_strategy_twice():
    program = Program()
    with pytest.raises(ConfigurationError, match="same instance twice"):
        validate(config(strategy=[program, program]))


class TestCredentials:
    @pytest.mark.parametrize(
        ("given", "missing"),
        [
            ({}, "api_key and secret"),
            ({"api_key": "k"}, "needs secret"),
            ({"secret": "s"}, "needs api_key"),
            ({"api_key": " ", "secret": "s"}, "needs api_key"),
        ],
    )
    def test_private_connectors_need_them(self, given, missing):
        with pytest.raises(CredentialError, match=missing) as caught:
            validate(config(basic={BINANCE: BasicConfig(**given)}, private=privates(BinanceAccountType.SPOT)))
        assert "settings_key" in str(caught.value) and "run --sim" in str(caught.value)

    def test_okx_needs_a_passphrase(self):
        with pytest.raises(CredentialError, match="needs passphrase"):
            validate(
                config(
                    basic={OKX: BasicConfig(**KEYS)},
                    public=publics(OkxAccountType.LIVE, exchange=OKX),
                    private=privates(OkxAccountType.LIVE, exchange=OKX),
                )
            )

    @pytest.mark.parametrize("secret", ["pasted-secret\n", "pasted secret", "pasted\u200bsecret"])
    def test_a_badly_pasted_one_is_refused_and_not_shown(self, secret):
        basic = {BINANCE: BasicConfig(api_key="k", secret=secret)}
        with pytest.raises(CredentialError) as caught:
            validate(config(basic=basic, private=privates(BinanceAccountType.SPOT)))
        assert "pasted" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"zero_mq_signal_config": ZeroMQSignalConfig(object())}, "zero_mq_signal_config"),
        ({"web_config": WebConfig(enabled=True)}, "web_config"),
        ({"enable_cli": True}, "enable_cli"),
        ({"storage_backend": StorageType.POSTGRESQL}, "storage_backend"),
        (
            {"public": {BINANCE: [PublicConnectorConfig(BinanceAccountType.SPOT, tick_poll_interval=0.1)]}},
            "tick_poll_interval",
        ),
    ],
)
def test_fields_without_effect_are_warned_of_once_each(changes, named):
    with pytest.warns(UserWarning, match=named) as caught:
        validate(config(**changes))
    assert len(caught) == 1
