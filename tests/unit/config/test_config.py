"""Configuration objects: fields and defaults of NexusTrader, credentials, and values that are refused at once."""

import dataclasses
import os
from decimal import Decimal

import pytest

from nexus_fast.config import (
    BasicConfig,
    Config,
    LogConfig,
    LoopConfig,
    MockConnectorConfig,
    PrivateConnectorConfig,
    PublicConnectorConfig,
    RiskConfig,
    WebConfig,
)
from nexus_fast.constants import ExchangeType, StorageType
from nexus_fast.error import ConfigurationError, EngineBuildError
from nexus_fast.exchange import BinanceAccountType

# Fields of NexusTrader 0.3.38, in its positions, with its defaults; ... is a field without one.
NEXUSTRADER = {
    LogConfig: {
        "level_stdout": "INFO", "level_file": "OFF", "directory": None, "file_name": None, "file_format": None,
        "colors": False, "print_config": False, "component_levels": {}, "max_file_size": 0, "max_backup_count": 5,
        "bypass": False, "auto_flush_sec": 0, "log_components_only": None,
    },
    BasicConfig: {"api_key": None, "secret": None, "testnet": False, "passphrase": None, "settings_key": None},
    PublicConnectorConfig: {
        "account_type": ..., "enable_rate_limit": True, "custom_url": None, "tick_poll_interval": None,
    },
    PrivateConnectorConfig: {
        "account_type": ..., "enable_rate_limit": True, "max_retries": 0, "delay_initial_ms": 100,
        "delay_max_ms": 800, "backoff_factor": 2, "max_slippage": 0.02,
    },
    MockConnectorConfig: {
        "initial_balance": ..., "account_type": ..., "fee_rate": 0.0005, "quote_currency": "USDT",
        "overwrite_balance": False, "overwrite_position": False, "update_interval": 60, "leverage": 1.0,
    },
    WebConfig: {"enabled": False, "host": "0.0.0.0", "port": 8000, "log_level": "info"},
    Config: {
        "strategy_id": ..., "user_id": ..., "strategy": ..., "basic_config": ..., "public_conn_config": ...,
        "private_conn_config": {}, "zero_mq_signal_config": None, "db_path": ".keys/cache.db",
        "storage_backend": StorageType.SQLITE, "cache_sync_interval": 60, "cache_expired_time": 3600,
        "is_mock": False, "log_config": LogConfig(), "enable_cli": False, "web_config": WebConfig(),
        "exit_after_cancel": True,
    },
}  # fmt: skip


def default_of(field):
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return ... if field.default is dataclasses.MISSING else field.default


@pytest.mark.parametrize("kind", NEXUSTRADER, ids=lambda kind: kind.__name__)
def test_fields_positions_and_defaults_are_nexustraders(kind):
    expected = NEXUSTRADER[kind]
    ours = {field.name: default_of(field) for field in dataclasses.fields(kind)}
    assert list(ours)[: len(expected)] == list(expected)
    assert {name: ours[name] for name in expected} == expected


def test_our_own_fields_of_config_are_keywords():
    added = [f for f in dataclasses.fields(Config) if f.name not in NEXUSTRADER[Config]]
    assert {f.name for f in added} == {
        "endpoints", "loop", "risk", "journal_directory", "recv_window_ms", "request_timeout_ms", "order_entry",
        "measure", "open_orders_at_start", "freshness", "on_stop", "max_callback_errors",
    }  # fmt: skip
    assert all(f.kw_only for f in added)


def config(**changes):
    return Config(
        "strategy", "user", object(),
        {ExchangeType.BINANCE: BasicConfig()},
        {ExchangeType.BINANCE: [PublicConnectorConfig(BinanceAccountType.SPOT)]},
        **changes,
    )  # fmt: skip


class TestCredentials:
    def test_given_ones_are_taken(self):
        basic = BasicConfig("key", "secret", True, "passphrase")
        assert (basic.api_key, basic.secret, basic.testnet, basic.passphrase) == ("key", "secret", True, "passphrase")

    def test_secrets_do_not_show(self):
        shown = repr(BasicConfig("my-key", "my-secret", False, "my-passphrase"))
        assert "my-" not in shown
        assert "my-" not in repr(dataclasses.replace(config(), basic_config={ExchangeType.OKX: BasicConfig("my-k")}))

    @pytest.fixture
    def settings(self, monkeypatch):
        from nexus_fast import constants
        from nexus_fast.settings import Settings

        for name in [name for name in os.environ if name.startswith("NEXUS_")]:
            monkeypatch.delenv(name)
        monkeypatch.setattr(constants, "settings", Settings())
        monkeypatch.setenv("NEXUS_BINANCE__DEMO__API_KEY", "settings-key")
        monkeypatch.setenv("NEXUS_BINANCE__DEMO__SECRET", "settings-secret")

    def test_settings_key_fills_what_is_missing(self, settings):
        basic = BasicConfig(settings_key="BINANCE.DEMO", testnet=True)
        assert (basic.api_key, basic.secret, basic.passphrase) == ("settings-key", "settings-secret", None)

    def test_given_ones_stand_before_settings_key(self, settings):
        basic = BasicConfig(api_key="given", settings_key="BINANCE.DEMO")
        assert (basic.api_key, basic.secret) == ("given", "settings-secret")

    def test_a_missing_section_warns_and_leaves_them_empty(self, settings):
        with pytest.warns(UserWarning, match="BINANCE.NOWHERE"):
            basic = BasicConfig(settings_key="BINANCE.NOWHERE")
        assert basic.api_key is None and basic.secret is None

    def test_from_env(self, monkeypatch):
        monkeypatch.setenv("BINANCE_API_KEY", "k")
        monkeypatch.setenv("BINANCE_SECRET", "s")
        monkeypatch.delenv("BINANCE_PASSPHRASE", raising=False)
        basic = BasicConfig.from_env("binance", testnet=True)
        assert (basic.api_key, basic.secret, basic.passphrase, basic.testnet) == ("k", "s", None, True)

    def test_from_env_with_own_names(self, monkeypatch):
        monkeypatch.setenv("MY_KEY", "k")
        monkeypatch.setenv("MY_SECRET", "s")
        monkeypatch.setenv("MY_PASS", "p")
        basic = BasicConfig.from_env("X", api_key_var="MY_KEY", secret_var="MY_SECRET", passphrase_var="MY_PASS")
        assert (basic.api_key, basic.secret, basic.passphrase) == ("k", "s", "p")

    def test_from_env_without_variables(self, monkeypatch):
        monkeypatch.delenv("NOBODY_API_KEY", raising=False)
        assert BasicConfig.from_env("NOBODY").api_key is None

    def test_a_number_becomes_text(self):
        assert BasicConfig(api_key=12345).api_key == "12345"


class TestRefused:
    @pytest.mark.parametrize(
        ("build", "named"),
        [
            (lambda: LogConfig(level_stdout="LOUD"), "level_stdout='LOUD'"),
            (lambda: LogConfig(level_file="x"), "level_file"),
            (lambda: LogConfig(file_format="XML"), "file_format"),
            (lambda: LogConfig(max_file_size=-1), "max_file_size=-1"),
            (lambda: LogConfig(max_backup_count=-1), "max_backup_count"),
            (lambda: LogConfig(level_file="INFO", auto_flush_sec=3), "auto_flush_sec=3"),
            (lambda: LogConfig(component_levels={"x": "LOUD"}), r"component_levels\['x'\]"),
            (lambda: WebConfig(port=0), "port=0"),
            (lambda: WebConfig(port=70000), "port=70000"),
            (lambda: MockConnectorConfig({}, BinanceAccountType.SPOT), "SPOT"),
            (lambda: PublicConnectorConfig(BinanceAccountType.SPOT, connections=0), "connections=0"),
            (lambda: PrivateConnectorConfig(BinanceAccountType.SPOT, entry="pigeon"), "pigeon"),
            (lambda: LoopConfig(mode="fast"), "'fast' is not one of 'busy', 'block', 'adaptive'"),
            (lambda: LoopConfig(cpu=-1), "cpu=-1"),
            (lambda: LoopConfig(spin_us=0), "spin_us=0"),
            (lambda: LoopConfig(idle_ms=-1), "idle_ms=-1"),
            (lambda: RiskConfig(max_quantity=0), "max_quantity=0"),
            (lambda: RiskConfig(max_notional=Decimal("-1")), "max_notional"),
            (lambda: RiskConfig(max_price_distance="a lot"), "max_price_distance='a lot'"),
            (lambda: RiskConfig(per_symbol={"X": 3}), r"per_symbol\['X'\]"),
            (lambda: config(order_entry="smoke"), "order_entry='smoke'"),
            (lambda: config(recv_window_ms=0), "recv_window_ms=0"),
            (lambda: config(request_timeout_ms=0), "request_timeout_ms=0"),
        ],
    )
    def test_the_text_names_the_field_and_the_value(self, build, named):
        with pytest.raises(ConfigurationError, match=named) as caught:
            build()
        # What NexusTrader's programs may catch, and ours.
        assert isinstance(caught.value, ValueError) and isinstance(caught.value, EngineBuildError)

    def test_mock_and_real_connectors_do_not_mix(self):
        mixed = [
            MockConnectorConfig({"USDT": 1}, BinanceAccountType.LINEAR_MOCK),
            PrivateConnectorConfig(BinanceAccountType.USD_M_FUTURE),
        ]
        with pytest.raises(ValueError, match="mixes mock and real"):
            config(private_conn_config={ExchangeType.BINANCE: mixed})

    def test_is_mock_is_detected(self):
        assert not config(is_mock=True).is_mock
        mock = [MockConnectorConfig({"USDT": 1}, BinanceAccountType.LINEAR_MOCK)]
        assert config(private_conn_config={ExchangeType.BINANCE: mock}).is_mock


class TestLoop:
    def test_the_default_spins_only_where_there_is_a_processor_to_spare(self, monkeypatch):
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
        assert LoopConfig().resolved({}).mode == "adaptive"
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
        assert LoopConfig().resolved({}).mode == "block"

    def test_variables_stand_over_the_configuration(self):
        cpu = min(os.sched_getaffinity(0))
        resolved = LoopConfig(mode="busy").resolved({"NEXUS_FAST_LOOP": "block", "NEXUS_FAST_CPU": str(cpu)})
        assert (resolved.mode, resolved.cpu) == ("block", cpu)

    def test_an_empty_cpu_variable_unpins(self):
        assert LoopConfig(cpu=min(os.sched_getaffinity(0))).resolved({"NEXUS_FAST_CPU": ""}).cpu is None

    @pytest.mark.parametrize(
        "environ", [{"NEXUS_FAST_LOOP": "warp"}, {"NEXUS_FAST_CPU": "first"}, {"NEXUS_FAST_CPU": "100000"}]
    )
    def test_bad_variables_are_named(self, environ):
        with pytest.raises(ConfigurationError, match=next(iter(environ.values()))):
            LoopConfig().resolved(environ)


class TestRisk:
    def test_limits_become_exact(self):
        assert RiskConfig(max_quantity=0.1, max_notional="1000").max_quantity == Decimal("0.1")

    def test_a_symbols_own_limit_replaces_the_general_one(self):
        risk = RiskConfig(max_quantity=5, max_notional=100, per_symbol={"A": RiskConfig(max_quantity=1)})
        assert risk.limits_of("A") == RiskConfig(max_quantity=1, max_notional=100)
        assert risk.limits_of("B") == RiskConfig(max_quantity=5, max_notional=100)


def test_strategies_are_always_a_list():
    one, two = object(), object()
    assert dataclasses.replace(config(), strategy=one).strategies == [one]
    assert dataclasses.replace(config(), strategy=[one, two]).strategies == [one, two]
