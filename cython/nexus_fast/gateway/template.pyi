from collections.abc import Sequence
from typing import TypedDict, Unpack

from nexus_fast.gateway.texts import Hole

STATUS_TEXTS: dict[int, str]

class Values(TypedDict, total=False):
    price: int
    quantity: int
    client_id: str
    timestamp_ms: int
    request_number: int

class TemplateSet:
    price_scale: int
    size_scale: int
    id_limit: int
    request_id_limit: int
    id_overflow: bytes
    def __init__(
        self,
        *,
        price_scale: int,
        size_scale: int,
        secret: bytes | None = None,
        id_limit: int = 36,
        id_overflow: str = "#",
        request_id_limit: int | None = None,
    ) -> None: ...
    def set_place(
        self,
        side: int,
        type: int,
        time_in_force: int,
        reduce_only: bool,
        text: Sequence[str | Hole],
        payload: Sequence[str | Hole] | None = None,
    ) -> None: ...
    def set_cancel(
        self, text: Sequence[str | Hole], payload: Sequence[str | Hole] | None = None, prefix: str = "c"
    ) -> None: ...
    def set_modify(
        self, side: int, text: Sequence[str | Hole], payload: Sequence[str | Hole] | None = None, prefix: str = "m"
    ) -> None: ...
    def has_place(self, side: int, type: int, time_in_force: int, reduce_only: bool) -> bool: ...
    def place_text(
        self,
        side: int,
        type: int,
        time_in_force: int,
        reduce_only: bool,
        **values: Unpack[Values],
    ) -> bytes: ...
    def cancel_text(self, **values: Unpack[Values]) -> bytes: ...
    def modify_text(self, side: int, **values: Unpack[Values]) -> bytes: ...

class Canvas:
    def place_text(
        self,
        templates: TemplateSet,
        side: int,
        type: int,
        time_in_force: int,
        reduce_only: bool,
        **values: Unpack[Values],
    ) -> bytes: ...
