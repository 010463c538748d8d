"""A certificate for one run of the simulator: an authority made for it signs the servers' certificate and is then forgotten.

What clients need, the authority's certificate, lies in a folder of the user's own until the run ends. The server's key is
written there for the moment in which Python's ssl module reads it; the authority's key is written nowhere.
"""

import shutil
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from nexus_fast.private import open_private

LIFETIME = timedelta(days=90)
NAMES = ("127.0.0.1", "::1", "localhost")


class Certificates:
    """`context` is what servers speak TLS with, `authority` the file with which clients verify them."""

    def __init__(self, host: str):
        """host: what clients connect to, beside this machine's own names."""
        self._folder = Path(tempfile.mkdtemp(prefix="nexus_fast_tls_"))  # the user's alone
        key, authority_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        authority = _authority(authority_key)
        chain = self._written("server.pem", _server(key, authority, authority_key, dict.fromkeys((*NAMES, host))))
        secret = self._written("server.key", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain, secret)
        secret.unlink()
        chain.unlink()
        self.authority = self._written("authority.pem", authority.public_bytes(Encoding.PEM))

    def _written(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        with open_private(path, "xb") as file:
            file.write(content)
        return path

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nexus_fast simulator: authority of one run")])
    made = _begun(name, name, key)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    made = made.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    return made.sign(key, hashes.SHA256())


def _server(key: ec.EllipticCurvePrivateKey, authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey,
            hosts) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nexus_fast simulator")])
    made = _begun(name, authority.subject, key)
    made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    made = made.add_extension(_usage(digital_signature=True), critical=True)
    made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    made = made.add_extension(x509.SubjectAlternativeName([_called(host) for host in hosts]), critical=False)
    made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
    return made.sign(authority_key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1)).not_valid_after(now + LIFETIME)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False))


def _usage(**chosen: bool) -> x509.KeyUsage:
    every = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                           "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(**{**every, **chosen})


def _called(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
