from collections.abc import Buffer

from nexus_fast.order.past import Past
from nexus_fast.order.table import OrderTable

class Replay:
    table: OrderTable | None
    symbols: dict[int, str]
    accounts: dict[int, str]
    strategies: dict[int, str]
    keys: dict[str, list]
    trades: dict[int, dict[int, tuple[int, int]]]
    told_sums: dict[int, int]
    heard: dict[int, dict[int, bool]]
    notes_told: bool
    left_out: list[tuple[bytes, str | None, str | None]]
    carried: set[str]
    noted_keys: set[str]
    told: tuple[int, int, int] | None
    keys_since_ns: int
    missing: dict[int, str]
    holes: int
    differences: list[str]
    digest: str | None
    refused: int
    records: int
    begun: bool
    def read(self, records: Buffer) -> None: ...
    def hole(self) -> None: ...
    def taken_over(self) -> bool: ...
    def fate(self, client_id: str) -> tuple[str, int, int] | None: ...
    def open_orders(self) -> list[int]: ...
    def left_orders(self) -> list[int]: ...
    def past(self, number: int) -> Past: ...
    def names(self, number: int) -> tuple[str | None, str | None, str | None]: ...
    def client_id(self, number: int) -> str: ...
    def record(self, number: int) -> bytes: ...
    def held_keys(self) -> dict[str, tuple[str, str, int]]: ...
