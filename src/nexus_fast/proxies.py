"""Proxies that the environment names. The engine uses none: every connection goes straight to the venue.

A proxy is a hop more on the way of every order, and one party more that sees when they leave. Where there is no other way out, an
endpoints file names a gateway instead.
"""

import os

VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "WSS_PROXY", "WS_PROXY")


def named_in_the_environment() -> list[str]:
    """The variables that name a proxy for other programs, in either case; never their values, which may hold a password. None
    when NO_PROXY excepts everything."""
    if "*" in {os.environ.get(name, "").strip() for name in ("NO_PROXY", "no_proxy")}:
        return []
    return [name for upper in VARIABLES for name in (upper, upper.lower()) if os.environ.get(name)]


def warning() -> str:
    """What is said at the start; "" when no proxy is named."""
    named = named_in_the_environment()
    if not named:
        return ""
    return (
        f"{', '.join(named)}: a proxy is named in the environment and is not used: REST and WebSockets go straight to the venue. "
        "Where a proxy is the only way out, name a gateway in the endpoints"
    )
