"""One request, whichever way it came, and how its parameters are read and its sender is proved.

A `Call` carries parameters as text, as they were sent. `Service` is one market of the venue with all that an
operation needs.
"""

import re
from dataclasses import dataclass, field

from nexus_fast.sim.account import Account
from nexus_fast.sim.binance import errors, signing
from nexus_fast.sim.binance.rate_limits import RateLimits
from nexus_fast.sim.clock import Clock
from nexus_fast.sim.fixed_point import NotANumber, TooPrecise, parse
from nexus_fast.sim.instruments import Instrument
from nexus_fast.sim.market import Market
from nexus_fast.sim.orders import BUY, SELL
from nexus_fast.sim.wire_statistics import WireStatistics

SIDES = {"BUY": BUY, "SELL": SELL}
MAXIMUM_RECV_WINDOW = 60_000


@dataclass(slots=True)
class Service:
    """One market of the venue, as one kind of account sees it: what operations work on."""

    market: Market
    accounts: dict[str, Account]
    clock: Clock
    limits: RateLimits
    statistics: WireStatistics
    client_id_pattern: re.Pattern
    users: object = None  # of user_data.py: who hears of the accounts' events
    streams: object = None  # streams.StreamHub
    countdowns: dict = field(default_factory=dict)  # (account key, symbol) -> deadline ms of countdownCancelAll
    twins: dict[str, Account] | None = None  # by key: whom its requests are about, where that is not the common account
    isolated: dict = field(default_factory=dict)  # (account key, symbol) -> isolated margin account

    @property
    def name(self) -> str:
        return self.market.name


@dataclass(slots=True)
class Call:
    """A request. `params` are texts; `account` is set once the sender is proved; `symbol` names the book it touched."""

    service: Service
    params: dict[str, str]
    received_ns: int = 0
    account: Account | None = None
    book: object = None
    is_order: bool = False
    connection: object = None

    @property
    def ledger(self):
        """The sender's money on this market."""
        return self.service.market.ledger_of(self.account)

    # ---- parameters

    def need(self, name: str) -> str:
        value = self.params.get(name)
        if not value:
            raise errors.missing(name)
        return value

    def text(self, name: str, default: str = "") -> str:
        value = self.params.get(name, default)
        if value == "" and name in self.params:
            raise errors.empty(name)
        return value

    def amount(self, name: str) -> int:
        """A mandatory price or quantity as a scaled integer."""
        return self._number(name, self.need(name))

    def optional_amount(self, name: str) -> int | None:
        value = self.params.get(name)
        return None if value is None else self._number(name, value)

    def integer(self, name: str, default: int | None = None) -> int | None:
        value = self.params.get(name)
        if value is None:
            return default
        try:
            return int(value)
        except ValueError:
            raise errors.illegal(name, "^[0-9]{1,20}$") from None

    def instrument(self, mandatory: bool = True) -> Instrument | None:
        symbol = self.params.get("symbol")
        if not symbol:
            if mandatory:
                raise errors.missing("symbol")
            return None
        instrument = self.service.market.instruments.get(symbol)
        if instrument is None:
            raise errors.bad_symbol()
        return instrument

    def side(self) -> int:
        side = SIDES.get(self.need("side"))
        if side is None:
            raise errors.VenueError(-1117, "Invalid side.")
        return side

    def client_id(self, name: str) -> str | None:
        value = self.params.get(name)
        if value is None:
            return None
        if not self.service.client_id_pattern.fullmatch(value):
            raise errors.illegal(name, self.service.client_id_pattern.pattern)
        return value

    def refuse_unknown(self, taken: frozenset[str]) -> None:
        """The venue's two complaints about parameters that a request does not have: more than there are, or some that nobody
        reads. `taken`: all that the request may have, those that prove the sender among them."""
        sent, read = len(self.params), len(self.params.keys() & taken)
        if sent > len(taken):
            raise errors.too_many_parameters(len(taken), sent)
        if read < sent:
            raise errors.unread(read, sent)

    def refuse_unneeded(self, names: tuple[str, ...], told=str) -> None:
        """Parameters of other kinds of orders, e.g. a stop price beside type LIMIT; `told` makes the name in the text."""
        for name in names:
            if name in self.params:
                raise errors.unexpected(told(name))

    @staticmethod
    def _number(name: str, value: str) -> int:
        try:
            number = parse(value)
        except TooPrecise:
            raise errors.too_precise(name) from None
        except NotANumber:
            raise errors.illegal(name, "^([0-9]{1,20})(\\.[0-9]{1,20})?$") from None
        if number < 0:
            raise errors.illegal(name, "^([0-9]{1,20})(\\.[0-9]{1,20})?$")
        return number

    # ---- the sender

    def identify(self, api_key: str | None) -> None:
        """The key alone: what listen keys and historical data ask for."""
        if not api_key:
            raise errors.VenueError(-2014, "API-key format invalid.", 401)
        account = self.service.accounts.get(api_key)
        if account is None or account.revoked:
            raise errors.bad_key()
        self.account = account if self.service.twins is None else self.service.twins[api_key]

    def prove(self, api_key: str | None, payload: str) -> None:
        """Key, signature and time of a signed request, in the venue's order of complaints."""
        self.identify(api_key)
        signature = self.params.get("signature")
        if not signature:
            raise errors.missing("signature")
        self.check_time()
        if not signing.is_valid(self.account, payload, signature):
            self.service.statistics.bad_signatures += 1
            raise errors.bad_signature()

    def check_time(self) -> None:
        """`timestamp < server + 1000 ms` and `server - timestamp <= recvWindow`; spot takes microseconds as well."""
        timestamp = self.need("timestamp")
        try:
            sent = float(int(timestamp))
        except ValueError:
            raise errors.illegal("timestamp", "^[0-9]{1,20}$") from None
        if sent > 1e14 and self.service.name == "spot":
            sent /= 1000
        window = self._receive_window()
        now = self.service.clock.milliseconds()
        if sent >= now + 1000:
            raise errors.VenueError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if now - sent > window:
            raise errors.VenueError(-1021, "Timestamp for this request is outside of the recvWindow.")

    def _receive_window(self) -> float:
        value = self.params.get("recvWindow")
        if value is None:
            return 5000.0
        try:
            window = float(value)
        except ValueError:
            raise errors.illegal("recvWindow", "^[0-9]{1,20}$") from None
        if window > MAXIMUM_RECV_WINDOW:
            raise errors.VenueError(-1131, "Parameter 'recvWindow' must be less than 60000.")
        return window
