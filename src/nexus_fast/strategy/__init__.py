"""What users derive from."""

from nexus_fast.strategy.base import Strategy

__all__ = ["Strategy"]
