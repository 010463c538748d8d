"""Answers of Binance's WebSocket API: who is answered, and what it means.

{"id":…,"status":200,"result":{…}} or {"id":…,"status":4xx|5xx,"error":{"code":…,"msg":…}}; spot's user data come over the same
connection as {"subscriptionId":…,"event":{…}}. A null id with status 401 says that the session was revoked.
"""

import msgspec
from msgspec import Raw, Struct, field

NOTHING = Raw()                  # false; what a field that is not there has


class ApiError(Struct):
    code: int = 0
    msg: str = ""
    data: Raw = NOTHING


class Answer(Struct):
    """One message. `event` is set for user data and notices, `id` for answers. pause_ms: REST's Retry-After, which stands in its
    headers."""

    id: str | int | None = None
    status: int = 0
    result: Raw = NOTHING
    error: ApiError | None = None
    event: Raw = NOTHING
    subscription_id: int | None = field(name="subscriptionId", default=None)
    pause_ms: int = 0


_answer = msgspec.json.Decoder(Answer)
_error = msgspec.json.Decoder(ApiError)


def decode_answer(payload: bytes) -> Answer:
    return _answer.decode(payload)


def decode_error(body: bytes) -> ApiError:
    """REST's refusal; one that is not JSON (a proxy's page) has code 0 and the beginning of its text."""
    try:
        return _error.decode(body)
    except msgspec.MsgspecError:
        return ApiError(0, body[:120].decode("utf-8", "replace"))
