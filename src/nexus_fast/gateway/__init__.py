"""From an order to the bytes of its request. `preview` shows them; the engine sends them."""

from nexus_fast.gateway.credentials import Credentials
from nexus_fast.gateway.preview import preview

__all__ = ["Credentials", "preview"]
