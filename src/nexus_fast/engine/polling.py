"""Who reads the hot connections. What the fast ways need is not part of a public interface, so it is looked for at every start;
without it the engine says so and keeps the selector."""

import asyncio

from nexus_fast.config import LoopConfig
from nexus_fast.engine.dispatch import Dispatcher
from nexus_fast.engine.poller import Poller
from nexus_fast.engine.waiter import Waiter, what_is_lacking
from nexus_fast.log import Logger


def make_poller(
    loop: asyncio.AbstractEventLoop, config: LoopConfig, log: Logger, dispatcher: Dispatcher | None = None
) -> Poller | None:
    """None: the selector reads everything. config: resolved."""
    if not require_direct_polling(log):
        return None
    waiter = None
    if config.mode != "busy":
        waiter = make_waiter(loop, config, log)
    if config.mode == "block":
        return None if waiter is None else Poller(loop, config.spin_us, waiter=waiter, spins=False, dispatcher=dispatcher)
    idle = config.idle_ms if config.mode == "adaptive" else 0
    return Poller(loop, config.spin_us, idle, config.warm, waiter, dispatcher=dispatcher)


def make_waiter(loop: asyncio.AbstractEventLoop, config: LoopConfig, log: Logger) -> Waiter | None:
    lacking = what_is_lacking()
    if lacking:
        log.error(f"the engine cannot wait by itself, {lacking}: the selector waits, ticks take longer")
        return None
    return Waiter(loop, config.spin_us)


def require_direct_polling(log: Logger) -> bool:
    """Whether aiofastnet's plain and TLS transports have the read method that the poller calls."""
    from aiofastnet.selector_transport import SelectorSocketTransport
    from aiofastnet.ssl_transport import SSLTransport_Socket

    lacking = [t.__name__ for t in (SelectorSocketTransport, SSLTransport_Socket) if not hasattr(t, "_read_ready")]
    if lacking:
        log.error(f"this aiofastnet has no _read_ready on {', '.join(lacking)}: the selector is used, ticks take longer")
    return not lacking
