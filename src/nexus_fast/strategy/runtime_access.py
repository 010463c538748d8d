"""The way of every part of Strategy to the engine."""

from typing import Any

from nexus_fast.error import StrategyBuildError


class RuntimeAccess:
    __slots__ = ()

    def _engine(self, method: str) -> Any:
        runtime = getattr(self, "_runtime", None)
        if runtime is None:
            raise StrategyBuildError(
                f"{type(self).__name__}.{method}() was called before the engine was built. Call it in on_start or in a "
                "later callback, not in __init__; a subclass with an __init__ of its own calls super().__init__()."
            )
        return runtime
