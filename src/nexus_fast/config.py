"""What a program says about itself before it runs: plain dataclasses, NexusTrader's fields in NexusTrader's order,
then nexus_fast's own. Values are checked here one by one; how they fit together is checked when the engine is built
(`nexus_fast.exchange.validation`).
"""

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from nexus_fast import fence
from nexus_fast.constants import AccountType, ExchangeType, StorageType
from nexus_fast.error import ConfigurationError
from nexus_fast.exact import as_decimal

LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "OFF")
LOOP_MODES = ("busy", "block", "adaptive")
ORDER_ENTRIES = ("fastest", "ws", "rest")
OPEN_ORDERS = ("adopt", "cancel", "leave")
STOP_MODES = ("cancel", "flatten", "leave")
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "OFF", "TRACE"]


def _require(condition: bool, text: str) -> None:
    if not condition:
        raise ConfigurationError(text)


def _one_of(name: str, value: Any, allowed: tuple) -> None:
    shown = ", ".join(repr(v) for v in allowed if v is not None)
    _require(value in allowed, f"{name}={value!r} is not one of {shown}.")


@dataclass
class LogConfig:
    """What is logged where. `level_file` and `file_format` govern `directory`/`file_name`; a file name without a
    level takes `level_stdout`. See nexus_fast.log for which fields have an effect."""

    level_stdout: LogLevel = "INFO"
    level_file: LogLevel = "OFF"
    directory: str | None = None
    file_name: str | None = None
    file_format: str | None = None
    colors: bool = False
    print_config: bool = False
    component_levels: dict[str, str] = field(default_factory=dict)
    max_file_size: int = 0
    max_backup_count: int = 5
    bypass: bool = False
    auto_flush_sec: int = 0
    log_components_only: bool | None = None

    def __post_init__(self) -> None:
        _one_of("LogConfig.level_stdout", self.level_stdout, LOG_LEVELS)
        _one_of("LogConfig.level_file", self.level_file, LOG_LEVELS)
        _one_of("LogConfig.file_format", self.file_format, (None, "JSON"))
        for component, level in self.component_levels.items():
            _one_of(f"LogConfig.component_levels[{component!r}]", level, LOG_LEVELS)
        for name in ("max_file_size", "max_backup_count", "auto_flush_sec"):
            _require(getattr(self, name) >= 0, f"LogConfig.{name}={getattr(self, name)} is negative; 0 turns it off.")
        if self.level_file == "OFF":
            self.auto_flush_sec = 0
        _require(
            self.auto_flush_sec == 0 or self.auto_flush_sec >= 5,
            f"LogConfig.auto_flush_sec={self.auto_flush_sec}: at least 5 seconds, or 0 for none.",
        )


@dataclass
class BasicConfig:
    """Credentials of one venue and which of its worlds they belong to.

    Given values come first, then `settings_key` ("BINANCE.DEMO" reads settings.BINANCE.DEMO.API_KEY, SECRET,
    PASSPHRASE). Keys, secrets and passphrases do not show in the representation. On the simulator (`nexus-fast run --sim`)
    its own stand in for all of these.
    """

    api_key: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    testnet: bool = False
    passphrase: str | None = field(default=None, repr=False)
    settings_key: str | None = None

    def __post_init__(self) -> None:
        if self.settings_key:
            self._fill_from_settings()
        for name in ("api_key", "secret", "passphrase"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                setattr(self, name, str(value))
        self.take_lent()

    def take_lent(self) -> None:
        """Again by the engine: a program may have assigned a key since."""
        for name, value in (fence.credentials() or {}).items():
            setattr(self, name, value)

    def _fill_from_settings(self) -> None:
        from nexus_fast import constants  # looked up now, so that a test can put its own in place

        try:
            section: Any = constants.settings
            for part in self.settings_key.split("."):
                section = getattr(section, part)
        except AttributeError as error:
            warnings.warn(f"BasicConfig(settings_key={self.settings_key!r}): {error}", UserWarning, stacklevel=4)
            return
        for name in ("api_key", "secret", "passphrase"):
            if getattr(self, name) is None:
                setattr(self, name, getattr(section, name.upper(), None))

    @classmethod
    def from_env(
        cls,
        prefix: str,
        testnet: bool = False,
        *,
        api_key_var: str | None = None,
        secret_var: str | None = None,
        passphrase_var: str | None = None,
    ) -> "BasicConfig":
        """Credentials from {PREFIX}_API_KEY, {PREFIX}_SECRET, {PREFIX}_PASSPHRASE; what is not set stays None."""
        prefix = prefix.upper()
        return cls(
            api_key=os.environ.get(api_key_var or f"{prefix}_API_KEY"),
            secret=os.environ.get(secret_var or f"{prefix}_SECRET"),
            passphrase=os.environ.get(passphrase_var or f"{prefix}_PASSPHRASE"),
            testnet=testnet,
        )


@dataclass
class PublicConnectorConfig:
    """One account type's market data. custom_url: stands in for the venue's stream address, though not for the simulator's.
    connections: how many connections carry the same subscriptions; the first copy of an update wins."""

    account_type: AccountType
    enable_rate_limit: bool = True
    custom_url: str | None = None
    tick_poll_interval: float | None = None
    connections: int = 1

    def __post_init__(self) -> None:
        _require(self.connections >= 1, f"PublicConnectorConfig.connections={self.connections}: at least 1.")
        if fence.simulator() is not None:
            self.custom_url = None


@dataclass
class PrivateConnectorConfig:
    """One account's orders and user data. entry: "ws" or "rest" for this account alone, None for Config.order_entry.
    dead_mans_switch: seconds of silence after which the venue cancels every order of the account; 0 for none.
    enable_rate_limit: orders are counted, and refused here where the venue's limit per time is reached. order_budget: the share
    of that limit which is this program's; order_reserve: the share of it which is kept for reduce-only orders."""

    account_type: AccountType
    enable_rate_limit: bool = True
    max_retries: int = 0
    delay_initial_ms: int = 100
    delay_max_ms: int = 800
    backoff_factor: int = 2
    max_slippage: float = 0.02
    entry: Literal["fastest", "ws", "rest"] | None = None
    dead_mans_switch: int = 0
    order_budget: float = 1.0
    order_reserve: float = 0.05

    def __post_init__(self) -> None:
        seconds = self.dead_mans_switch
        known = seconds == 0 or 5 <= seconds <= 300
        _require(known, f"PrivateConnectorConfig.dead_mans_switch={seconds}: 5 to 300 seconds, or 0 for none.")
        _one_of("PrivateConnectorConfig.entry", self.entry, (None, *ORDER_ENTRIES))
        budget, reserve = self.order_budget, self.order_reserve
        _require(budget > 0, f"PrivateConnectorConfig.order_budget={budget}: above 0; 1 is the venue's whole limit.")
        _require(0 <= reserve < 1, f"PrivateConnectorConfig.order_reserve={reserve}: from 0 to below 1.")


@dataclass
class ZeroMQSignalConfig:
    """Accepted, not served: the engine says so once and goes on."""

    socket: Any


@dataclass
class WebConfig:
    """Accepted, not served: the engine says so once and goes on."""

    enabled: bool = False
    host: str = "0.0.0.0"
    port: int = 8000
    log_level: Literal["critical", "error", "warning", "info", "debug"] = "info"

    def __post_init__(self) -> None:
        _require(0 < self.port <= 65535, f"WebConfig.port={self.port} is not a port; 1 to 65535.")


@dataclass
class MockConnectorConfig:
    """Accepted so that programs import; the engine refuses it and names the simulator, which takes its place."""

    initial_balance: dict[str, float | int]
    account_type: AccountType
    fee_rate: float = 0.0005
    quote_currency: str = "USDT"
    overwrite_balance: bool = False
    overwrite_position: bool = False
    update_interval: int = 60
    leverage: float = 1.0

    def __post_init__(self) -> None:
        _require(
            getattr(self.account_type, "is_mock", False),
            f"MockConnectorConfig.account_type={self.account_type} is not LINEAR_MOCK, INVERSE_MOCK or SPOT_MOCK.",
        )


@dataclass(frozen=True)
class LoopConfig:
    """How the engine waits for bytes.

    mode: "busy" spins and wants a core of its own, "block" sleeps until bytes come, "adaptive" spins for idle_ms after
    the last frame and then blocks. None: "adaptive" with more than one processor, "block" with one.
    cpu: the processor to pin the engine's thread to; None leaves it to the kernel.
    spin_us: how often, while spinning, everything cold (REST, timers, reconnects, signals) gets its turn.
    idle_ms: adaptive: how long to spin after the last frame.
    warm: while spinning, walk the path of an order on a symbol of its own, so that the caches stay warm.
    turn_ms: how long callbacks may follow one another before signals, timers and the kill switch have their turn. Market data
    that came meanwhile is put off, and delivered one callback in each turn of the loop.
    coalesce: what is put off. "when_behind": the newest quote of each symbol. "never": every quote, late.
    slow_callback_ms: a callback that takes longer is named in the log and in the report.
    """

    mode: Literal["busy", "block", "adaptive"] | None = None
    cpu: int | None = None
    spin_us: int = 50
    idle_ms: int = 100
    warm: bool = True
    turn_ms: float = 50.0
    coalesce: Literal["when_behind", "never"] = "when_behind"
    slow_callback_ms: float = 50.0

    def __post_init__(self) -> None:
        _one_of("LoopConfig.mode", self.mode, (None, *LOOP_MODES))
        _require(self.cpu is None or self.cpu >= 0, f"LoopConfig.cpu={self.cpu}: a processor's number, from 0.")
        _require(1 <= self.spin_us <= 10_000, f"LoopConfig.spin_us={self.spin_us}: 1 to 10000 microseconds.")
        _require(self.idle_ms >= 0, f"LoopConfig.idle_ms={self.idle_ms} is negative.")
        _require(0 < self.turn_ms <= 1000, f"LoopConfig.turn_ms={self.turn_ms}: above 0, 1000 milliseconds at most.")
        _one_of("LoopConfig.coalesce", self.coalesce, ("when_behind", "never"))
        _require(self.slow_callback_ms > 0, f"LoopConfig.slow_callback_ms={self.slow_callback_ms}: above 0 milliseconds.")

    def resolved(self, environ: Mapping[str, str] | None = None) -> "LoopConfig":
        """This, with NEXUS_FAST_LOOP and NEXUS_FAST_CPU over it and no mode left open.

        NEXUS_FAST_CPU is a number, or empty or "none" for no pinning. Raises ConfigurationError for other values and
        for a processor this process may not run on.
        """
        environ = os.environ if environ is None else environ
        allowed = sorted(os.sched_getaffinity(0))
        mode = environ.get("NEXUS_FAST_LOOP") or self.mode or ("adaptive" if len(allowed) > 1 else "block")
        _one_of("NEXUS_FAST_LOOP", mode, LOOP_MODES)
        cpu = _cpu(environ["NEXUS_FAST_CPU"]) if "NEXUS_FAST_CPU" in environ else self.cpu
        _require(
            cpu is None or cpu in allowed,
            f"processor {cpu} (LoopConfig.cpu or NEXUS_FAST_CPU) is not among those this process may run on: "
            f"{', '.join(map(str, allowed))}.",
        )
        return replace(self, mode=mode, cpu=cpu)


def _cpu(text: str) -> int | None:
    if text.strip().lower() in ("", "none"):
        return None
    _require(text.strip().isdecimal(), f"NEXUS_FAST_CPU={text!r} is not a processor's number, nor 'none'.")
    return int(text)


@dataclass(frozen=True)
class RiskConfig:
    """Limits that every order is held against before it is sent; None is no limit.

    max_quantity: base units, or contracts where the venue counts contracts. max_notional: price times quantity, in
    the quote asset (a market order counts at the book's far side). max_price_distance: how far a limit price may be
    from the far side of the book, above it or below, as a fraction (Decimal("0.02") is 2 %): a price that is far off is a
    mistake on either side. per_symbol: limits of one symbol, which replace these.
    """

    max_quantity: Decimal | None = None
    max_notional: Decimal | None = None
    max_price_distance: Decimal | None = None
    per_symbol: dict[str, "RiskConfig"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("max_quantity", "max_notional", "max_price_distance"):
            object.__setattr__(self, name, _limit(f"RiskConfig.{name}", getattr(self, name)))
        for symbol, limits in self.per_symbol.items():
            _require(
                isinstance(limits, RiskConfig) and not limits.per_symbol,
                f"RiskConfig.per_symbol[{symbol!r}] must be a RiskConfig without a per_symbol of its own.",
            )

    def limits_of(self, symbol: str) -> "RiskConfig":
        """The limits that hold for one symbol; a None of the symbol's own falls back to the general limit."""
        own = self.per_symbol.get(symbol)
        if own is None:
            return replace(self, per_symbol={})
        names = ("max_quantity", "max_notional", "max_price_distance")
        picked = {n: getattr(self, n) if getattr(own, n) is None else getattr(own, n) for n in names}
        return RiskConfig(**picked)


def _limit(name: str, value: Any) -> Decimal | None:
    if value is None:
        return None
    try:
        limit = as_decimal(value)
    except ArithmeticError:
        limit = Decimal("NaN")
    _require(limit.is_finite() and limit > 0, f"{name}={value!r} is not a positive number; None is no limit.")
    return limit


# Seconds: of perpetuals and spot, and of dated contracts, which move seldom.
FRESHNESS = {
    "quotes": (60.0, 900.0),
    "depth": (60.0, 900.0),
    "trades": (1800.0, 14_400.0),
    "bars": (1800.0, 14_400.0),
    "marks": (180.0, 180.0),
}


@dataclass(frozen=True)
class FreshnessConfig:
    """How many seconds a stream of one symbol may bring nothing. None takes the kind's own time, 0 sets no limit.

    quotes: 60, of dated contracts 900; beyond it the book is stale. depth: as quotes. trades, bars: 1800, of dated contracts
    14400. marks: mark and index prices and funding rates, 180. A stream that is silent beyond its time is told of and subscribed
    to anew. per_symbol: times of one symbol, which replace these.
    """

    quotes: float | None = None
    depth: float | None = None
    trades: float | None = None
    bars: float | None = None
    marks: float | None = None
    per_symbol: dict[str, "FreshnessConfig"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in FRESHNESS:
            value = getattr(self, name)
            known = value is None or (isinstance(value, int | float) and 0 <= value < float("inf"))
            _require(known, f"FreshnessConfig.{name}={value!r} is not a number of seconds; 0 sets no limit.")
        for symbol, own in self.per_symbol.items():
            _require(
                isinstance(own, FreshnessConfig) and not own.per_symbol,
                f"FreshnessConfig.per_symbol[{symbol!r}] must be a FreshnessConfig without a per_symbol of its own.",
            )

    def seconds(self, kind: str, symbol: str, dated: bool) -> float:
        """Of one stream; 0: no limit."""
        own = self.per_symbol.get(symbol)
        found = getattr(own, kind) if own is not None else None
        found = getattr(self, kind) if found is None else found
        return FRESHNESS[kind][dated] if found is None else float(found)


@dataclass
class Config:
    """A whole program. Fields up to exit_after_cancel are NexusTrader's.

    strategy: one Strategy, or a list of them that share the engine. endpoints: a TOML file or a mapping of addresses
    that stand in for the venues' own (see nexus_fast.endpoints). journal_directory: where orders are journalled;
    None is .nexus_fast in the working directory. recv_window_ms: how old a signed request may be when the venue gets
    it. request_timeout_ms: after which silence makes an order's outcome unknown. open_orders_at_start: what becomes of the orders
    that the last session left open, before on_start: "adopt" makes them orders of this one, "cancel" cancels them, "leave" leaves
    them at the venue as if they were somebody else's. order_entry: "fastest" takes the
    venue's WebSocket API where it has one. on_stop: what the end does: "cancel" every order that is not over,
    "flatten" the same and close the positions in the strategies' symbols, "leave" all as it is; None: exit_after_cancel decides
    between cancel and leave.
    measure: record where the time of every tick and order goes.
    max_callback_errors: so many exceptions in a row of one callback halt its strategy until a restart: its orders are canceled,
    new ones refused, and market data comes to it no more. None: never.
    """

    strategy_id: str
    user_id: str
    strategy: Any
    basic_config: dict[ExchangeType, BasicConfig]
    public_conn_config: dict[ExchangeType, list[PublicConnectorConfig]]
    private_conn_config: dict[ExchangeType, list[PrivateConnectorConfig | MockConnectorConfig]] = field(
        default_factory=dict
    )
    zero_mq_signal_config: ZeroMQSignalConfig | None = None
    db_path: str = ".keys/cache.db"
    storage_backend: StorageType = StorageType.SQLITE
    cache_sync_interval: int = 60
    cache_expired_time: int = 3600
    is_mock: bool = False
    log_config: LogConfig = field(default_factory=LogConfig)
    enable_cli: bool = False
    web_config: WebConfig = field(default_factory=WebConfig)
    exit_after_cancel: bool = True

    endpoints: str | os.PathLike | Mapping | None = field(default=None, kw_only=True)
    loop: LoopConfig = field(default_factory=LoopConfig, kw_only=True)
    risk: RiskConfig = field(default_factory=RiskConfig, kw_only=True)
    freshness: FreshnessConfig = field(default_factory=FreshnessConfig, kw_only=True)
    journal_directory: str | os.PathLike | None = field(default=None, kw_only=True)
    recv_window_ms: int = field(default=1000, kw_only=True)
    request_timeout_ms: int = field(default=5000, kw_only=True)
    order_entry: Literal["fastest", "ws", "rest"] = field(default="fastest", kw_only=True)
    measure: bool = field(default=False, kw_only=True)
    max_callback_errors: int | None = field(default=100, kw_only=True)
    open_orders_at_start: Literal["adopt", "cancel", "leave"] = field(default="adopt", kw_only=True)
    on_stop: Literal["cancel", "flatten", "leave"] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        _one_of("Config.open_orders_at_start", self.open_orders_at_start, OPEN_ORDERS)
        _one_of("Config.on_stop", self.on_stop, (None, *STOP_MODES))
        _one_of("Config.order_entry", self.order_entry, ORDER_ENTRIES)
        # Binance takes 60000 at most; the others less than that.
        _require(1 <= self.recv_window_ms <= 60_000, f"Config.recv_window_ms={self.recv_window_ms}: 1 to 60000.")
        _require(self.request_timeout_ms >= 1, f"Config.request_timeout_ms={self.request_timeout_ms}: at least 1.")
        most = self.max_callback_errors
        _require(most is None or most >= 1, f"Config.max_callback_errors={most}: at least 1; None is no limit.")
        kinds = {isinstance(c, MockConnectorConfig) for group in self.private_conn_config.values() for c in group}
        _require(
            len(kinds) < 2,
            "Config.private_conn_config mixes mock and real connectors; take the mock ones out and use the simulator "
            "(`nexus-fast run --sim FILE.py`) to trade without real orders.",
        )
        self.is_mock = True in kinds

    @property
    def mode_of_stop(self) -> str:
        """What becomes of orders and positions at the end: on_stop, or what exit_after_cancel says."""
        return self.on_stop or ("cancel" if self.exit_after_cancel else "leave")

    @property
    def strategies(self) -> list[Any]:
        """The strategies, always as a list."""
        return list(self.strategy) if isinstance(self.strategy, list | tuple) else [self.strategy]
