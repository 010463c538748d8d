"""Answers of Bybit's trade WebSocket: {"reqId":…,"retCode":…,"retMsg":…,"op":…,"data":{…},"retExtInfo":{…},"header":{…}}.

Source: bybit-exchange.github.io/docs/v5/websocket/trade/guideline. A batch says retCode 0 whatever became of its items; each has
its code in retExtInfo.list.
"""

import time

import msgspec
from msgspec import Raw, Struct, field


class _Item(Struct):
    code: int = 0
    msg: str = ""


class _Items(Struct):
    rows: list[_Item] = field(name="list", default_factory=list)


class _Header(Struct):
    limit: str = field(name="X-Bapi-Limit", default="")
    reset: str = field(name="X-Bapi-Limit-Reset-Timestamp", default="")


class Named(Struct, rename="camel"):
    """Whose answer it is."""

    order_id: str = ""
    order_link_id: str = ""


class Answer(Struct, rename="camel"):
    """data: of whatever form, as a refusal's may be empty."""

    op: str = ""
    req_id: str | None = None
    ret_code: int | None = None
    ret_msg: str = ""
    ret_ext_info: _Items | None = None
    header: _Header | None = None
    data: Raw = Raw()

    @property
    def named(self) -> Named:
        """Raises msgspec.ValidationError."""
        return _named.decode(self.data) if bytes(self.data).startswith(b"{") else Named()

    @property
    def code(self) -> int | None:
        """Of the request; of the first item that failed where the request as a whole was taken."""
        failed = self._failed
        return failed.code if failed else self.ret_code

    @property
    def message(self) -> str:
        failed = self._failed
        return failed.msg if failed else self.ret_msg

    @property
    def _failed(self) -> _Item | None:
        if self.ret_code != 0 or self.ret_ext_info is None:
            return None
        return next((item for item in self.ret_ext_info.rows if item.code), None)

    @property
    def limit(self) -> int:
        """How many of this kind of request the venue takes of the account in a second; 0 where the answer does not say."""
        text = self.header.limit if self.header else ""
        return int(text) if text.isdigit() else 0

    @property
    def pause_ms(self) -> int:
        """Until the limit of this kind of request is reset, as far as the answer says so; at most a second."""
        reset = self.header.reset if self.header else ""
        return min(1000, max(0, int(reset) - time.time_ns() // 1_000_000)) if reset.isdigit() else 0


_answer, _named = msgspec.json.Decoder(Answer), msgspec.json.Decoder(Named)


def decode_answer(payload: bytes) -> Answer:
    return _answer.decode(payload)
