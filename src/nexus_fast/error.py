"""Every error that nexus_fast raises on purpose: one tree, rooted at NexusError.

The names above the line are NexusTrader's. Where NexusTrader let a ValueError or a KeyError escape, the class that
takes its place derives from that too, so that programs which catch it go on working.
"""

import msgspec


class NexusError(Exception):
    """Root of the tree; `message` is the whole text."""

    def __init__(self, message: str = ""):
        self.message = message
        super().__init__(message)

    def __str__(self) -> str:
        # KeyError, a second base of some, would print the representation of the text.
        return self.message


NexusTraderError = NexusError


class EngineBuildError(NexusError):
    """The engine cannot be built or started from this configuration."""


class SubscriptionError(NexusError, ValueError):
    """A subscription that the venue or the configuration cannot serve."""


class KlineSupportedError(SubscriptionError):
    """The venue has no bars of this interval."""


class StrategyBuildError(NexusError, RuntimeError):
    """A strategy's method was called before its engine was built."""


class OrderError(NexusError):
    """Something about an order."""


class PositionModeError(EngineBuildError):
    """The account is in hedge mode; one-way mode is the one supported."""


class WsRequestNotSentError(OrderError):
    """Nothing left this machine: the socket is not connected."""

    def __init__(self, message: str = "the request was not sent: the WebSocket connection is down"):
        super().__init__(message)


class WsAckTimeoutError(OrderError):
    """The request was sent and nothing came back; the order's outcome is unknown."""

    def __init__(self, oid: str, timeout: float):
        super().__init__(f"no answer to the request for oid={oid} within {timeout}s: its outcome is unknown")
        self.oid = oid
        self.timeout = timeout


class WsAckRejectedError(OrderError):
    """The venue refused the request."""

    def __init__(self, oid: str, reason: str):
        super().__init__(f"the venue refused the request for oid={oid}: {reason}")
        self.oid = oid
        self.reason = reason


# --------------------------------------------------------------------------------------------- nexus_fast's own


class ConfigurationError(EngineBuildError, ValueError, KeyError):
    """A value in Config, in an endpoints file or in an environment variable."""


class CredentialError(ConfigurationError):
    """A key, secret or passphrase is missing or malformed; never carries its value."""


class AlreadyRunningError(EngineBuildError):
    """Another process runs a strategy of the same id for the same user."""


class KilledError(EngineBuildError):
    """The kill switch of this strategy id was pressed, and nobody has cleared it since."""


class LeftOpenError(NexusError):
    """The engine has ended, and `left`, a text each, is or may be open although Config.on_stop asked for its end."""

    def __init__(self, left: list[str]):
        self.left = left
        super().__init__(f"the engine has ended, and this is or may be open: {'; '.join(left)}. Look at the accounts.")


class RouteError(OrderError, ValueError, KeyError):
    """No account takes this symbol, or the `account_type=` of the call does not."""


class OrderRefusedError(OrderError, ValueError):
    """The order was refused here, before it was sent."""


class InstrumentError(NexusError, ValueError, KeyError):
    """A symbol that is malformed, unknown, or not traded now."""


class SettingsError(NexusError, AttributeError):
    """`settings` has no such value. An AttributeError, so that getattr() with a default and hasattr() work."""


class VenueError(NexusError):
    """A venue's own refusal.

    code: the venue's number (int) or text. status: HTTP status, None where there was none. retry_after_ms: for how long the venue
    wants to be left alone; 0 where it says nothing of the kind.
    """

    def __init__(
        self, code: int | str, message: str, *, venue: str = "", status: int | None = None, retry_after_ms: int = 0
    ):
        self.retry_after_ms = retry_after_ms
        self.code = code
        self.venue = venue
        self.status = status
        self.reason = message
        super().__init__(f"{venue + ' ' if venue else ''}code={code} error={message}")


class UnusableAnswer(VenueError, ValueError):
    """An answer that nothing can be concluded from: it cannot be read, its values cannot be used, or it is a redirect."""

    def __init__(self, message: str, *, venue: str = "", status: int | None = None):
        super().__init__("unusable", message, venue=venue, status=status)


class CallbackInterrupted(BaseException):
    """A second Ctrl+C or SIGTERM came while a strategy's callback ran, which had not returned since the first. No Exception, so
    that a callback which swallows those ends too."""


# A question that was not answered: refused, unheard, or answered by what cannot be used. Nothing follows from it.
NO_ANSWER = (VenueError, OSError, TimeoutError, msgspec.MsgspecError)
