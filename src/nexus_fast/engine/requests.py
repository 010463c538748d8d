"""REST questions of the strategies, safe inside any callback.

A callback runs on the engine's thread, inside the loop that would have to bring the answer. So the question is asked
on a second, short-lived thread with a loop and connections of its own, and the caller waits for that thread,
TIMEOUT_SECONDS at most. Meanwhile the engine's thread stands still: no tick, no fill and no timer is seen, and what
came in is worked off afterwards. A strategy that cannot afford that asks in on_start, or awaits the same question in
a coroutine job (`Strategy.arequest`).
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

import msgspec

from nexus_fast.constants import AccountType
from nexus_fast.engine.host import Host
from nexus_fast.error import RouteError, VenueError
from nexus_fast.exchange import direct_calls
from nexus_fast.exchange.catalogue import make_requests
from nexus_fast.exchange.instrument import Instrument, InstrumentTable
from nexus_fast.exchange.routing import feed_for, resolve_account, resolve_feed

TIMEOUT_SECONDS = 10.0
# What the helper thread has beyond that to close its connections, before it is left to itself.
CLOSING_SECONDS = 1.0
MARKET_DATA = ("ticker", "all_tickers", "klines", "index_klines")
ACCOUNT = ("order", "open_orders", "recent_trades")

# A connector, and the arguments of the question that it is asked.
Part = tuple[Any, dict[str, Any]]


def ask(host: Host, instruments: InstrumentTable, name: str, arguments: dict[str, Any]) -> Any:
    """The answer to a question of MARKET_DATA or ACCOUNT, on any thread.

    Raises RouteError and InstrumentError before anything is sent, VenueError for a refusal, ConnectionError when the
    venue cannot be reached, TimeoutError when the answer is not complete after TIMEOUT_SECONDS.
    """
    parts = _parts(host, instruments, name, dict(arguments))
    return wait_for(lambda: _answer(parts, instruments, name), f"request {name}")


async def ask_async(host: Host, instruments: InstrumentTable, name: str, arguments: dict[str, Any]) -> Any:
    """The same on the running loop, without a limit on the whole: each answer may take the REST client's time."""
    return await _answer(_parts(host, instruments, name, dict(arguments)), instruments, name)


def wait_for(work: Callable[[], Awaitable], what: str, seconds: float = TIMEOUT_SECONDS) -> Any:
    """The result of a coroutine function that runs on a thread and a loop of its own; what it raises is raised here."""
    answer: Future = Future()

    async def bounded() -> Any:
        async with asyncio.timeout(seconds):
            return await work()

    def run() -> None:
        try:
            answer.set_result(asyncio.run(bounded()))
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=run, name="nexus_fast request", daemon=True).start()
    try:
        return answer.result(seconds + CLOSING_SECONDS)
    except TimeoutError:
        raise TimeoutError(f"{what}: no complete answer within {seconds:g} s") from None


# ---------------------------------------------------------------------------------------------- who is asked what


def _parts(host: Host, instruments: InstrumentTable, name: str, arguments: dict[str, Any]) -> list[Part]:
    """One connector with its question; several only where the symbols are of several markets."""
    if name not in MARKET_DATA + ACCOUNT:
        raise ValueError(f"there is no request {name!r}; there are {', '.join(MARKET_DATA + ACCOUNT)}")
    override = arguments.pop("account_type", None)
    if name == "all_tickers":
        return [(_feed_of_type(host, override), arguments)]
    if "symbols" not in arguments:
        instrument = instruments.get(arguments.pop("symbol"))
        return [(_connector(host, name, instrument, override), {"instrument": instrument, **arguments})]
    symbols = arguments.pop("symbols")
    groups: dict[Any, list[Instrument]] = {}
    for symbol in [symbols] if isinstance(symbols, str) else symbols:
        instrument = instruments.get(symbol)
        groups.setdefault(_connector(host, name, instrument, override), []).append(instrument)
    return [(connector, {"instruments": found, **arguments}) for connector, found in groups.items()]


def _connector(host: Host, name: str, instrument: Instrument, override: AccountType | None) -> Any:
    what = (instrument.symbol, instrument.exchange, instrument.type)
    if name in ACCOUNT:
        return host.accounts[resolve_account(*what, list(host.accounts), override)]
    if override is None:
        return host.feeds[resolve_feed(*what, host.feeds)]
    feed = _feed_of_type(host, override)
    if feed_for(instrument.exchange, instrument.type, [override]) is None:
        raise RouteError(
            f"{instrument.symbol}: account_type={override} carries no {instrument.type.value} market data of "
            f"{instrument.exchange.name}; leave account_type out, or name {resolve_feed(*what, host.feeds)}."
        )
    return feed


def _feed_of_type(host: Host, account_type: AccountType | None) -> Any:
    feed = host.feeds.get(account_type)
    if feed is None:
        raise RouteError(
            f"account_type={account_type} has no public connector (there are {', '.join(map(str, host.feeds))}); add "
            "one to Config.public_conn_config, or name one of those."
        )
    return feed


async def _answer(parts: list[Part], instruments: InstrumentTable, name: str) -> Any:
    answers = await asyncio.gather(*(_answer_of(*part, instruments, name) for part in parts))
    whole = answers[0]
    for bars in answers[1:]:             # only bars are asked of several markets at once
        whole.extend(bars)
    return whole


async def _answer_of(connector: Any, arguments: dict[str, Any], instruments: InstrumentTable, name: str) -> Any:
    rest = connector.open_rest()
    try:
        return await getattr(make_requests(connector.account_type, rest, instruments), name)(**arguments)
    finally:
        await rest.close()


# ---------------------------------------------------------------------------------------------- the venue's own methods


class Api:
    """The venue's REST with one account's key, by path: `self.api(account_type).get("/fapi/v1/openInterest", {…})`.

    Every question, and of the rest what nexus_fast.exchange.direct_calls lists: no orders. Others raise OrderRefusedError.
    is_halted: whether the kill switch is pressed.

    Parameters are the venue's, the result is its JSON as Python objects. NexusTrader's generated method names
    (`get_fapi_v1_open_interest()` and its kin) are not served: their paths are. Each call waits as `ask` does and
    raises what it raises. Nothing is sent twice: what became of a post, put or delete after a TimeoutError is unknown.
    """

    def __init__(self, account: Any, is_halted: Callable[[], bool] = lambda: False):
        self._account = account
        self._is_halted = is_halted

    def get(self, path: str, params: dict[str, Any] | None = None, *, signed: bool = False) -> Any:
        """signed: with timestamp and signature, as everything about the account needs it."""
        return self._send("GET", path, params, signed)

    def post(self, path: str, params: dict[str, Any] | None = None, *, signed: bool = True) -> Any:
        """signed=False sends the key alone (listen keys)."""
        return self._send("POST", path, params, signed)

    def put(self, path: str, params: dict[str, Any] | None = None, *, signed: bool = True) -> Any:
        return self._send("PUT", path, params, signed)

    def delete(self, path: str, params: dict[str, Any] | None = None, *, signed: bool = True) -> Any:
        return self._send("DELETE", path, params, signed)

    def _send(self, method: str, path: str, params: dict[str, Any] | None, signed: bool) -> Any:
        direct_calls.check(self._account.account_type.exchange, method, path, self._is_halted())

        async def send() -> bytes:
            rest = self._account.open_rest()
            try:
                return await rest.request(method, path, params, signed=signed, keyed=True)
            finally:
                await rest.close()

        body = wait_for(send, f"{method} {path}")
        try:
            return msgspec.json.decode(body) if body else None
        except (msgspec.DecodeError, RecursionError) as error:
            raise VenueError("unreadable", f"the answer to {method} {path} is not JSON: {error}") from None

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"api().{name}: methods by name are not served; call get, post, put or delete with the venue's path, e.g. "
            "api(account_type).get('/api/v3/account', signed=True)."
        )

    def __repr__(self) -> str:
        return f"<Api of {self._account.account_type}>"
