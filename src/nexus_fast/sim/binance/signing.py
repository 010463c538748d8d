"""Checks every signature with the standard library and `cryptography`, never with the engine's own code.

Rules (binance-spot-api-docs, rest-api.md and web-socket-api.md, "Request security"): REST signs query string and body
as they were sent, without the signature; the WebSocket API signs all parameters but the signature sorted by name.
HMAC-SHA256 in hex of either case; Ed25519 in base64.
"""

import base64
import binascii
import hashlib
import hmac
import re
from urllib.parse import unquote_to_bytes

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from nexus_fast.sim.account import Account

_SIGNATURE = re.compile(r"(?:^|&)signature=([^&]*)")


def websocket_payload(params: dict[str, str]) -> str:
    """What a WebSocket API client signs: all parameters but the signature, sorted by name, not percent-encoded."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature")


def rest_payload(query: str, body: str) -> str:
    """What a REST client signs: query string and body as sent, joined without a separator, the signature taken out."""
    return _SIGNATURE.sub("", query) + _SIGNATURE.sub("", body)


def hmac_hex(secret: str, payload: str) -> str:
    return hmac.digest(secret.encode(), payload.encode(), hashlib.sha256).hex()


def is_valid(account: Account, payload: str, signature: str) -> bool:
    """True when `signature` is what the account's key makes of `payload`."""
    if account.public_key is not None:
        return _ed25519_valid(account.public_key, payload, signature)
    return hmac.compare_digest(hmac_hex(account.secret, payload).encode(), signature.lower().encode())


def _ed25519_valid(key: Ed25519PublicKey, payload: str, signature: str) -> bool:
    for text in (signature.encode(), unquote_to_bytes(signature)):
        try:
            key.verify(base64.b64decode(text, validate=True), payload.encode())
            return True
        except (InvalidSignature, binascii.Error, ValueError):
            continue
    return False


def load_public_key(pem: bytes) -> Ed25519PublicKey:
    """An Ed25519 public key from PEM text; any other key is refused."""
    key = load_pem_public_key(pem)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"the key is a {type(key).__name__}; the simulator takes HMAC secrets and Ed25519 public keys")
    return key
