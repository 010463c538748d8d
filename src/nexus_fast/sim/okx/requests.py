"""What operations work on: `Exchange`, the whole venue, and `Call`, one request, whichever way it came.

Parameters are texts, whatever JSON type they were sent in. Helpers of a `Call` refuse the whole request
(`VenueError`), those of an `Item`, one order of a request, refuse that order alone (`ItemError`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from nexus_fast.sim.account import Account
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.fixed_point import NotANumber, TooPrecise, parse
from nexus_fast.sim.market import Market
from nexus_fast.sim.okx import errors
from nexus_fast.sim.okx.listing import Listing
from nexus_fast.sim.okx.rate_limits import REQUESTS, RateLimits
from nexus_fast.sim.orders import BUY, SELL
from nexus_fast.sim.wire_statistics import WireStatistics

SIDES = {"buy": BUY, "sell": SELL}
KINDS = ("", "ANY", "SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION")
CLIENT_ID = re.compile(r"[A-Za-z0-9]{1,32}", re.ASCII)
_TRUE, _FALSE = ("true", "True", "1"), ("false", "False", "0", "")


@dataclass(slots=True)
class Service:
    """One market of the venue, as the simulator's server and market makers know it."""

    market: Market

    @property
    def name(self) -> str:
        return self.market.name


@dataclass(slots=True)
class Exchange:
    """The venue: its listings, two markets, accounts, and where its events go."""

    listings: dict[str, Listing]
    spot: Market
    contracts: Market
    accounts: dict[str, Account]
    clock: Clock
    limits: RateLimits
    statistics: WireStatistics
    users: object = None  # private_channels.PrivateChannels
    channels: object = None  # public_channels.PublicChannels
    codes: dict[int, Listing] = field(default_factory=dict)
    countdowns: dict[tuple[str, str], int] = field(default_factory=dict)  # (account key, tag) -> deadline ms

    def __post_init__(self):
        self.codes = {listing.code: listing for listing in self.listings.values()}

    def market_of(self, listing: Listing) -> Market:
        return self.spot if listing.is_spot else self.contracts

    def book_of(self, listing: Listing):
        return self.market_of(listing).books[listing.instrument_id]

    def tape_of(self, listing: Listing):
        return self.market_of(listing).tapes[listing.instrument_id]

    def now(self) -> int:
        return self.clock.milliseconds()

    def flush(self, touched: Iterable[Listing] = ()) -> None:
        """Tell the channels what happened; `touched` are the books that a request may have changed."""
        touched = list(touched)
        for listing in touched:
            self.market_of(listing).flush(self.book_of(listing))
        if not touched:
            self.spot.flush()
            self.contracts.flush()


def as_text(value) -> str:
    """`True` -> "true", 1.5 -> "1.5", None -> ""."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or value == [] or value == {} else str(value)


class Parameters:
    """Texts by name, read with the refusals that a subclass raises."""

    __slots__ = ("exchange", "params")

    missing = staticmethod(errors.missing)
    wrong = staticmethod(errors.parameter)
    unknown = staticmethod(errors.no_instrument)

    def __init__(self, exchange: Exchange, params: dict[str, str]):
        self.exchange = exchange
        self.params = params

    def text(self, name: str, default: str = "") -> str:
        return self.params.get(name) or default

    def need(self, name: str) -> str:
        value = self.params.get(name)
        if not value:
            raise self.missing(name)
        return value

    def choice(self, name: str, allowed, default: str | None = None) -> str:
        value = self.need(name) if default is None else self.text(name, default)
        if value not in allowed:
            raise self.wrong(name)
        return value

    def flag(self, name: str) -> bool:
        value = self.params.get(name, "")
        if value in _FALSE:
            return False
        if value not in _TRUE:
            raise self.wrong(name)
        return True

    def integer(self, name: str, default: int | None = None) -> int | None:
        value = self.params.get(name)
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and len(value) <= 19):
            raise self.wrong(name)
        return int(value)

    def amount(self, name: str) -> int:
        """A mandatory price or size, positive, as a scaled integer."""
        try:
            number = parse(self.need(name))
        except (NotANumber, TooPrecise):
            raise self.wrong(name) from None
        if number <= 0:
            raise self.wrong(name)
        return number

    def listing(self, name: str = "instId") -> Listing:
        listing = self.exchange.listings.get(self.need(name))
        if listing is None:
            raise self.unknown()
        return listing

    def optional_listing(self) -> Listing | None:
        return self.listing() if self.params.get("instId") else None


class Item(Parameters):
    """One order of a request."""

    __slots__ = ()
    missing = staticmethod(errors.item_missing)
    wrong = staticmethod(errors.item_parameter)
    unknown = staticmethod(errors.item_no_instrument)

    def coded_listing(self, by_code: bool) -> Listing:
        """By `instId` over REST, by the integer `instIdCode` over WebSocket, where `instId` is no longer taken."""
        if not by_code:
            return self.listing()
        code = self.integer("instIdCode")
        if code is None:
            raise self.missing("instIdCode")
        if code not in self.exchange.codes:
            raise self.unknown()
        return self.exchange.codes[code]

    def client_id(self) -> str:
        value = self.params.get("clOrdId") or ""
        if value and not CLIENT_ID.fullmatch(value):
            raise self.wrong("clOrdId")
        return value


class Call(Parameters):
    """One request. `account` is set once the sender is proved; `touched` collects the books that it changes."""

    __slots__ = ("items", "account", "by_code", "address", "touched")

    def __init__(self, exchange: Exchange, params: dict[str, str], items: list[dict[str, str]] | None = None, *,
                 account: Account | None = None, by_code: bool = False, address: str = ""):
        super().__init__(exchange, params)
        self.items = items if items is not None else [params]
        self.account = account
        self.by_code = by_code
        self.address = address
        self.touched: dict[str, Listing] = {}

    def kind(self, mandatory: bool = False) -> str:
        """`instType`, one of the venue's; "" when it is not sent and need not be."""
        return self.choice("instType", KINDS, None if mandatory else "")

    def selected(self, mandatory: bool = False) -> list[Listing]:
        """The listings that instType, instId, instFamily and uly (those that are sent) leave over."""
        kind = self.kind(mandatory)
        wanted = self.optional_listing()
        family = self.text("instFamily") or self.text("uly")
        return [one for one in self.exchange.listings.values()
                if kind in ("", "ANY", one.kind) and (wanted is None or wanted is one) and family in ("", one.family)]

    def limit(self, largest: int = 100, name: str = "limit") -> int:
        value = self.integer(name, largest)
        if value < 1:
            raise self.wrong(name)
        return min(value, largest)

    def charge(self, path: str) -> None:
        """A request that is no order entry, per user, or per address while the sender is unknown."""
        who = self.account.key if self.account is not None else self.address
        if not self.exchange.limits.take((path, who), REQUESTS, self.exchange.now()):
            raise errors.too_many()
