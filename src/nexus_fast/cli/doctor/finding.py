"""What a check says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """verdict: good; costs (latency, or its steadiness); broken (the engine cannot do what it should); note (known, neither)."""

    what: str
    found: str
    verdict: str
    effect: str = ""
    remedy: str = ""
