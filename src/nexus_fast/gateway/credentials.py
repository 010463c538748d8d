"""API keys: HMAC secrets and Ed25519 private keys, and signatures for everything that is not an order in a hurry."""

import base64
import hashlib
import hmac
from pathlib import Path

HMAC = "hmac"
ED25519 = "ed25519"


class Credentials:
    """An API key with its secret, which is never shown.

    secret: an HMAC secret, or an Ed25519 private key as PEM text, or the path of a .pem file with one. `kind` says
    which it is. Raises ValueError for a key of another algorithm, an encrypted one, or a file that is not there.
    """

    __slots__ = ("api_key", "kind", "_secret", "_private_key")

    def __init__(self, api_key: str, secret: str):
        if not api_key or not secret:
            raise ValueError(f"{'secret' if api_key else 'api_key'} is missing: both are needed to sign requests")
        self.api_key = api_key
        secret = _read(secret)
        pem = "-----BEGIN" in secret
        self.kind = ED25519 if pem else HMAC
        self._private_key = _load_ed25519(secret) if pem else None
        self._secret = None if pem else secret.encode()

    def __repr__(self):
        return f"Credentials(api_key={self.api_key[:4] + '…'!r}, kind={self.kind!r})"

    def __reduce__(self):
        raise TypeError("credentials are not pickled: they would leave the process")

    @property
    def hmac_secret(self) -> bytes:
        """The key for precomputed HMAC states; ValueError for an Ed25519 key, which has none."""
        if self._secret is None:
            raise ValueError("an Ed25519 key signs in session.logon, once; its orders carry no HMAC signature")
        return self._secret

    def sign(self, payload: bytes) -> str:
        """HMAC-SHA256 as 64 hex digits, or the Ed25519 signature as base64 (88 characters)."""
        if self.kind == HMAC:
            return hmac.new(self._secret, payload, hashlib.sha256).hexdigest()
        return base64.b64encode(self._private_key.sign(payload)).decode("ascii")


def _read(secret):
    if "-----BEGIN" in secret:
        return secret.replace("\\n", "\n")  # as an environment variable or a one-line setting has it
    if not secret.endswith(".pem"):
        return secret
    path = Path(secret).expanduser()
    if not path.is_file():
        raise ValueError(f"secret names the key file {secret}, which is not there")
    return path.read_text("utf-8")


def _load_ed25519(pem):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        raise ValueError("the private key is encrypted: store it without a passphrase, readable by you alone") from None
    except Exception:
        # The library's text could quote the key; ours never does.
        raise ValueError("secret looks like a PEM private key and cannot be read as one") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("the private key is not an Ed25519 key: use Ed25519 or an HMAC secret")
    return key
