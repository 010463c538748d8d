"""Proof that the transports can be read directly. The method is not part of a public interface, so it is looked for at every
start, and without it the engine keeps the selector."""

from nexus_fast.log import Logger


def require_direct_polling(log: Logger) -> bool:
    """Whether aiofastnet's plain and TLS transports have the read method that the poller calls."""
    from aiofastnet.selector_transport import SelectorSocketTransport
    from aiofastnet.ssl_transport import SSLTransport_Socket

    lacking = [t.__name__ for t in (SelectorSocketTransport, SSLTransport_Socket) if not hasattr(t, "_read_ready")]
    if lacking:
        log.error(f"this aiofastnet has no _read_ready on {', '.join(lacking)}: the selector is used, ticks take longer")
    return not lacking
