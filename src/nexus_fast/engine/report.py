"""The figures of a run."""

from typing import Any

from nexus_fast.cache import Cache
from nexus_fast.engine.host import Host
from nexus_fast.engine.poller import Poller
from nexus_fast.exchange.rows import left_out
from nexus_fast.private import replace_file


def report(host: Host, cache: Cache, loop_mode: str, poller: Poller | None) -> dict[str, Any]:
    """Counts of the run (rows_left_out: rows of venues' lists that could not be read, by kind); what kept a spinning loop
    from reading; with Config.measure where the time of ticks and orders went: name -> {n, p50, p90, p99, p999, max}, ns."""
    core, counts = host.core, host.tracker.counts
    return {
        "ticks": sum(feed.quotes for feed in host.market_feeds),
        "orders": core.entry.sent,
        "fills": counts["fills"],
        "rejects": counts["rejected"] + counts["refused"],
        "canceled": counts["canceled"],
        "unlisted_positions": {
            name: str(position.signed_amount) for name, position in cache.get_unlisted_positions().items()
        },
        "contradictions": counts["contradictions"],
        "holes_given_up": counts["holes_given_up"],
        **host.watch.report(),
        "halted": host.halts.report(),
        "behind": host.backlog.report(),
        "rows_left_out": dict(left_out),
        "unusable_answers": host.unusable,
        "feeds": [feed.counters() for feed in host.market_feeds],
        "loop": loop_mode,
        "pauses_ns": {} if poller is None else poller.pauses(),
        "engine_ns": core.entry.stages.summary() if host.config.measure else {},
    }


def write_report(file: str, figures: dict[str, Any]) -> None:
    """Raises OSError."""
    import msgspec

    replace_file(file, msgspec.json.format(msgspec.json.encode(figures)))
