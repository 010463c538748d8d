"""OKX's REST and its login: keys with a passphrase, signed by base64(HMAC-SHA256(timestamp + method + path + body)).

Source: www.okx.com/docs-v5, overview-rest-authentication and overview-websocket-login. A request is valid for 30 seconds after
its timestamp.
"""

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime
from typing import Any

import msgspec

from nexus_fast.error import VenueError
from nexus_fast.gateway.credentials import HMAC, Credentials
from nexus_fast.gateway.session import RestSession

TIME_PATH = "/api/v5/public/time"
CLOCK_CODE = 50102               # the request's timestamp is more than 30 seconds old, or ahead
RATE_CODE = 50011                # also with status 200; limits are of two seconds
RATE_PAUSE_MS = 2000
LOGIN_TEXT = "GET" + "/".join(("", "users", "self", "verify"))


class OkxKey:
    """An API key with its secret and passphrase, which are never shown. Raises ValueError for one that cannot be used."""

    __slots__ = ("api_key", "_secret", "_passphrase")

    def __init__(self, api_key: str, secret: str, passphrase: str):
        credentials = Credentials(api_key, secret)
        if credentials.kind != HMAC:
            raise ValueError("OKX signs with HMAC secrets; this secret is a private key in PEM")
        if not passphrase:
            raise ValueError("passphrase is missing: OKX asks for the one that was chosen when the key was made")
        self.api_key = api_key
        self._secret = credentials.hmac_secret
        self._passphrase = passphrase

    def __repr__(self) -> str:
        return f"OkxKey(api_key={self.api_key[:4] + '…'!r})"

    def __reduce__(self):
        raise TypeError("credentials are not pickled: they would leave the process")

    def sign(self, text: str) -> str:
        return base64.b64encode(hmac.new(self._secret, text.encode(), hashlib.sha256).digest()).decode("ascii")

    def headers(self, timestamp_ms: int, method: str, target: str, body: str) -> dict[str, str]:
        """target: path with query, as it is sent."""
        moment = datetime.fromtimestamp(timestamp_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "OK-ACCESS-KEY": self.api_key,
            "OK-ACCESS-SIGN": self.sign(f"{moment}{method}{target}{body}"),
            "OK-ACCESS-TIMESTAMP": moment,
            "OK-ACCESS-PASSPHRASE": self._passphrase,
        }

    def login_request(self, timestamp_ms: int) -> bytes:
        """The text of the WebSocket login; its timestamp is in seconds."""
        seconds = str(timestamp_ms // 1000)
        login = {"apiKey": self.api_key, "passphrase": self._passphrase, "timestamp": seconds}
        return msgspec.json.encode({"op": "login", "args": [{**login, "sign": self.sign(f"{seconds}{LOGIN_TEXT}")}]})


class _Item(msgspec.Struct, rename="camel"):
    s_code: str = "0"
    s_msg: str = ""


class _Envelope(msgspec.Struct):
    code: str
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw()


class _Time(msgspec.Struct):
    ts: str


_envelope = msgspec.json.Decoder(_Envelope)
_items = msgspec.json.Decoder(list[_Item])
_times = msgspec.json.Decoder(list[_Time])


class OkxRest(RestSession):
    """`clock_offset_ms` is the venue's clock minus ours; `synchronise` measures it. demo: trade in the demo world, which has the
    live address."""

    def __init__(self, base_url: str, key: OkxKey | None = None, *, demo: bool = False):
        super().__init__(base_url)
        self.clock_offset_ms = 0
        self.demo = demo
        self._key = key

    async def get(self, path: str, params: dict[str, Any] | None = None, *, signed: bool = False) -> bytes:
        """The whole answer to a question. One whose time was refused is asked once more, by the venue's clock."""
        try:
            return await self.request("GET", path, params, signed=signed)
        except VenueError as error:
            if error.code != CLOCK_CODE or not signed:
                raise
        await self.synchronise()
        return await self.request("GET", path, params, signed=signed)

    async def data(self, path: str, params: dict[str, Any] | None = None, *, signed: bool = False) -> bytes:
        """What the answer to a GET has as `data`: the text of a JSON array."""
        return bytes(_envelope.decode(await self.get(path, params, signed=signed)).data)

    async def request(
        self, method: str, path: str, params: Any = None, *, signed: bool = False, keyed: bool = False
    ) -> bytes:
        """The body of an answer with code 0. Raises VenueError with the venue's code (of the item, where it has one) for any
        other, OSError and TimeoutError when no answer came. params: the query of a GET, the JSON of another method.
        keyed: for the form that all venues' clients have; a key without a signature means nothing here."""
        method, target, body = request_text(method, path, params)
        url = f"{self.base_url}{target}"
        headers = {"User-Agent": "nexus_fast", "Content-Type": "application/json"}
        if self.demo:
            headers["x-simulated-trading"] = "1"
        if signed:
            now = time.time_ns() // 1_000_000 + self.clock_offset_ms
            headers.update(self._key.headers(now, method, target, body))
        status, answer, pause_ms = await self.exchange(method, url, path, headers, body.encode() or None)
        refusal = _refusal(answer, status, f"{method} {path}")
        if refusal is not None:
            refusal.retry_after_ms = pause_ms or (RATE_PAUSE_MS if refusal.code == RATE_CODE else 0)
            raise refusal
        return answer

    async def synchronise(self, path: str = TIME_PATH) -> int:
        """Measure the venue's clock: its time minus ours, in ms."""

        async def ask() -> int:
            (answer,) = _times.decode(await self.data(path))
            return int(answer.ts)

        self.clock_offset_ms = await self._measure_clock(ask)
        return self.clock_offset_ms

    def separate(self) -> "OkxRest":
        """The same address and key over connections of its own: for another event loop, as a session belongs to one."""
        made = OkxRest(self.base_url, self._key, demo=self.demo)
        made.clock_offset_ms = self.clock_offset_ms
        return made


def request_text(method: str, path: str, params: Any = None) -> tuple[str, str, str]:
    """(method, path with query, body) as they are signed and sent. Parameters that are None are left out."""
    from urllib.parse import quote, urlencode

    if isinstance(params, dict):
        params = {name: value for name, value in params.items() if value is not None}
    if method == "GET":
        query = urlencode(params or {}, quote_via=quote, safe="")
        return method, f"{path}?{query}" if query else path, ""
    return method, path, "" if params is None else msgspec.json.encode(params).decode()


def _refusal(body: bytes, status: int, what: str) -> VenueError | None:
    """None for a yes. An answer that is no JSON (a proxy's page) has code 0 and the beginning of its text."""
    try:
        envelope = _envelope.decode(body)
    except msgspec.MsgspecError:
        text = body[:120].decode("utf-8", "replace")
        return VenueError(0, f"{text} ({what})", venue="okx", status=status)
    if envelope.code == "0" and 200 <= status < 300:
        return None
    code, message = envelope.code, envelope.msg
    if code in ("1", "2"):
        code, message = _first_refusal(envelope.data, code, message)
    return VenueError(int(code) if code.isdigit() else code, f"{message} ({what})", venue="okx", status=status)


def _first_refusal(data: msgspec.Raw, code: str, message: str) -> tuple[str, str]:
    """Codes 1 and 2 say that all or some operations failed; why stands with each."""
    try:
        refused = [item for item in _items.decode(data) if item.s_code != "0"]
    except msgspec.MsgspecError:
        refused = []
    return (refused[0].s_code, refused[0].s_msg) if refused else (code, message)
