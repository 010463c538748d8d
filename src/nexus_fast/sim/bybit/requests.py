"""What operations work on: `Exchange`, the whole venue, and `Call`, one request, whichever way it came.

Parameters are texts, whatever JSON type they were sent in: a number keeps the digits it was written with.
"""

import re
from dataclasses import dataclass, field

import msgspec

from nexus_fast.sim.account import Account
from nexus_fast.sim.bybit import errors, signing
from nexus_fast.sim.bybit.errors import SPOT
from nexus_fast.sim.bybit.rate_limits import RateLimits, Taken
from nexus_fast.sim.bybit.trading import BybitContracts, BybitSpot
from nexus_fast.sim.bybit.wallet import Member
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.fixed_point import NotANumber, TooPrecise, parse
from nexus_fast.sim.instruments import Instrument
from nexus_fast.sim.orders import BUY, SELL
from nexus_fast.sim.wire_statistics import WireStatistics

SIDES = {"Buy": BUY, "Sell": SELL}
LINK_ID = re.compile(r"[0-9A-Za-z_-]{1,36}", re.ASCII)
_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)


class Number(str):
    """A JSON number with a fraction, kept as the text it was sent in."""


_decoder = msgspec.json.Decoder(float_hook=Number)
_encode = msgspec.json.encode


def decode(payload: bytes | str):
    """JSON with numbers as they were written; raises `msgspec.DecodeError` or `RecursionError`."""
    return _decoder.decode(payload)


def as_texts(params: dict) -> dict[str, str]:
    """Every value as a text: true, false, "" for null, JSON for what is nested."""
    return {str(name): value if isinstance(value, str) else _text_of(value) for name, value in params.items()}


def _text_of(value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return "" if value is None else _encode(value).decode()


@dataclass(slots=True)
class Service:
    """One market of the venue, as the simulator's server and market makers know it."""

    market: BybitSpot | BybitContracts

    @property
    def name(self) -> str:
        return self.market.name


@dataclass(slots=True)
class Exchange:
    """The venue: its markets by category, accounts, and where its events go."""

    markets: dict[str, BybitSpot | BybitContracts]
    accounts: dict[str, Account]
    members: dict[str, Member]
    clock: Clock
    limits: RateLimits
    statistics: WireStatistics
    events: object  # private_events.PrivateEvents
    channels: dict = field(default_factory=dict)  # category -> public_channels.PublicChannels

    @property
    def contracts(self) -> tuple[BybitContracts, ...]:
        return tuple(market for market in self.markets.values() if market.name != SPOT)

    def order_received(self, call: "Call") -> None:
        """For the wire statistics, which tell the venues' markets apart by this name."""
        name = self.market_name(call.get("category"))
        self.statistics.order_received(name, call.get("symbol"), call.received_ns)

    @staticmethod
    def market_name(category: str) -> str:
        return f"bybit.{category}"

    def flush(self, call: "Call") -> None:
        """Send what the request has caused: in the book that it names, or in all of its category."""
        market = self.markets.get(call.get("category"))
        if market is not None:
            market.flush(market.books.get(call.get("symbol")))


@dataclass(slots=True)
class Call:
    """A request. `account` is set once the sender is proved; `taken` is what the rate limit said."""

    exchange: Exchange
    params: dict[str, str]
    received_ns: int = 0
    account: Account | None = None
    taken: Taken | None = None
    ext: dict = field(default_factory=dict)  # retExtInfo

    @property
    def member(self) -> Member:
        return self.exchange.members[self.account.key]

    def now(self) -> int:
        return self.exchange.clock.milliseconds()

    # ---- parameters

    def need(self, name: str) -> str:
        value = self.params.get(name)
        if not value:
            raise errors.missing(name)
        return value

    def get(self, name: str, default: str = "") -> str:
        return self.params.get(name) or default

    def integer(self, name: str, default: int | None = None) -> int | None:
        value = self.params.get(name)
        if not value:
            return default
        if not _INTEGER.fullmatch(value):
            raise errors.invalid(name)
        return int(value)

    def limit(self, default: int, most: int) -> int:
        """The page size. The venue takes too much for as much as it gives."""
        wanted = self.integer("limit", default)
        if wanted < 1:
            raise errors.invalid("limit")
        return min(wanted, most)

    def amount(self, name: str) -> int:
        """A price or quantity as a scaled integer."""
        try:
            number = parse(self.need(name))
        except TooPrecise:
            raise errors.parameter(f"params error: {name} has too many decimals") from None
        except NotANumber:
            raise errors.invalid(name) from None
        if number < 0:
            raise errors.invalid(name)
        return number

    def optional_amount(self, name: str) -> int | None:
        return self.amount(name) if self.params.get(name) else None

    def is_true(self, name: str) -> bool:
        return self.get(name).lower() == "true"

    @property
    def category(self) -> str:
        category = self.need("category")
        if category not in self.exchange.markets:
            raise errors.parameter("params error: Category is invalid" if category != "option" else
                                   "params error: category option is not simulated")
        return category

    @property
    def market(self) -> BybitSpot | BybitContracts:
        return self.exchange.markets[self.category]

    def instrument(self, mandatory: bool = True) -> Instrument | None:
        symbol = self.params.get("symbol")
        if not symbol:
            if mandatory:
                raise errors.missing("symbol")
            return None
        instrument = self.market.instruments.get(symbol)
        if instrument is None:
            raise errors.bad_symbol(self.category)
        return instrument

    def chosen(self) -> list[Instrument]:
        """The instruments that symbol, baseCoin and settleCoin leave over."""
        one = self.instrument(mandatory=False)
        listed = [one] if one is not None else list(self.market.instruments.values())
        base, settle = self.get("baseCoin"), self.get("settleCoin")
        return [each for each in listed if (not base or each.base == base) and (not settle or each.settle == settle)]

    def side(self) -> int:
        side = SIDES.get(self.need("side"))
        if side is None:
            raise errors.parameter("Side invalid")
        return side

    def link_id(self) -> str:
        value = self.params.get("orderLinkId") or ""
        if value and not LINK_ID.fullmatch(value):
            raise errors.parameter("OrderLinkId invalid: 1 to 36 of 0-9 A-Z a-z - _")
        return value

    # ---- the sender

    def prove(self, headers, sent: str) -> None:
        """Key, time and signature of a REST request. `sent`: query string or body as they came."""
        key, timestamp = headers.get("X-BAPI-API-KEY", ""), headers.get("X-BAPI-TIMESTAMP", "")
        window = headers.get("X-BAPI-RECV-WINDOW", "")
        account = self.exchange.accounts.get(key)
        if not key or account is None or account.revoked:
            raise errors.bad_key()
        self.check_time(timestamp, window)
        payload = signing.rest_payload(timestamp, key, window, sent)
        if not signing.is_valid(account.secret, payload, headers.get("X-BAPI-SIGN", "")):
            self.exchange.statistics.bad_signatures += 1
            raise errors.bad_signature(payload)
        self.account = account

    def check_time(self, timestamp: str, window: str) -> None:
        """`server - window <= timestamp < server + 1000`; the window is 5000 ms unless told otherwise."""
        now = self.now()
        if not _INTEGER.fullmatch(timestamp) or (window and not _INTEGER.fullmatch(window)):
            raise errors.bad_time(timestamp, now, window)
        if not now - int(window or 5000) <= int(timestamp) < now + 1000:
            raise errors.bad_time(timestamp, now, window)
