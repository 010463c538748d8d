"""The engine: nexus_fast.engine.Engine(config).start()."""

from nexus_fast.engine.engine import Engine

__all__ = ["Engine"]
