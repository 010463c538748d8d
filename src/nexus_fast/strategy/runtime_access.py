"""The way of every part of Strategy to the engine.

A function and not a method: a strategy has no names but those of its interface, and a user's attributes may have any other.
"""

from typing import Any

from nexus_fast.error import StrategyBuildError


def engine_of(strategy: Any, method: str) -> Any:
    """The runtime (nexus_fast.strategy.api) for a method of this name. Raises StrategyBuildError before the engine is built."""
    runtime = getattr(strategy, "_nexus_runtime", None)
    if runtime is None:
        raise StrategyBuildError(
            f"{type(strategy).__name__}.{method}() was called before the engine was built. Call it in on_start or in a "
            "later callback, not in __init__; a subclass with an __init__ of its own calls super().__init__()."
        )
    return runtime
