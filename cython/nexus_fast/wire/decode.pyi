from typing_extensions import Buffer
from typing import Any

from nexus_fast.core.book import BookL1

def decode(venue: str, market: str, payload: Buffer) -> list[BookL1]: ...
def explain(venue: str, market: str, payload: Buffer, path: str | None = None) -> dict[str, Any]: ...
