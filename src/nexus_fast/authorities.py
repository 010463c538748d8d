"""Who vouches for an address that is not a venue's own: the certificate authority that its endpoints file names.

A simulator that speaks TLS has a certificate of its own making. Its authority is trusted at the addresses of that file and
nowhere else, in place of the system's authorities; every other address is verified as ever.
"""

import ssl
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from nexus_fast.error import ConfigurationError

PORTS = {"https": 443, "wss": 443}
_contexts: dict[tuple[str | None, int], ssl.SSLContext] = {}


def trust(file: str, urls: Iterable[str], where: str) -> None:
    """From now on the certificates of `urls` (those with TLS) are signed by the authority in `file` (PEM). Raises
    ConfigurationError, which names `where`, for a file that holds none."""
    try:
        context = ssl.create_default_context(cafile=file)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{where}: [sim] ca = {file!r} is no certificate authority in PEM ({type(error).__name__}: {error}). "
            "`nexus-fast sim --tls --endpoints FILE` writes both; the authority goes when that simulator ends."
        ) from None
    for url in urls:
        place = _place(url)
        if place is not None:
            _contexts[place] = context


def context_of(url: Any) -> ssl.SSLContext | None:
    """What verifies the peer at this address (a text); None where the system's authorities do, or without TLS."""
    return _contexts.get(_place(str(url))) if _contexts else None


def _place(url: str) -> tuple[str | None, int] | None:
    parts = urlsplit(url)
    return (parts.hostname, parts.port or PORTS[parts.scheme]) if parts.scheme in PORTS else None
