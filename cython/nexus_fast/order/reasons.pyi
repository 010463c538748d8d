TEXTS: tuple[str, ...]
HALTED: int
RATE_LIMITED: int
RECOVERING: int
NOT_RECONCILED: int
STOPPING: int
STRATEGY_HALTED: int
CLOCK: int
TOO_LATE: int

def reason_text(reason: int) -> str: ...
