"""A TCP proxy in a thread of its own, between an engine and the simulator: it can cut, hold and hide bytes, and end TLS.

    with Proxy(host, port) as proxy:  proxy.url("ws://127.0.0.1:1234/ws") -> the same with the proxy's port
"""

import asyncio
import datetime
import ipaddress
import ssl
import threading
from urllib.parse import urlsplit

from patience import WAIT_SECONDS


class Proxy:
    """Bytes both ways. `answers`: whether what the server says is passed on; `requests`: what the client says."""

    def __init__(self, host, port, tls=None):
        self.target = (host, port)
        self.tls = tls
        self.answers = True
        self.requests = True
        self.accepts = True
        self.connections = 0
        self._writers = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(WAIT_SECONDS)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(WAIT_SECONDS)

    def url(self, url):
        parts = urlsplit(url)
        scheme = {"ws": "wss", "http": "https"}[parts.scheme] if self.tls else parts.scheme
        return parts._replace(scheme=scheme, netloc=f"127.0.0.1:{self.port}").geturl()

    def cut(self):
        """Reset every connection."""
        self._loop.call_soon_threadsafe(self._cut)

    def heal(self):
        """Reset every connection; the next ones are heard and answered. One step in the proxy's own thread: what the old ones
        had not read yet is lost for certain."""
        self._loop.call_soon_threadsafe(self._heal)

    def _heal(self):
        self._cut()
        self.answers = self.requests = True

    def _cut(self):
        for writer in list(self._writers):
            writer.transport.abort()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self):
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        self._cut()
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader, writer):
        if not self.accepts:
            writer.transport.abort()
            return
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(self._pump(reader, far_writer, "requests"), self._pump(far_reader, writer, "answers"))
        finally:
            self._writers -= {writer, far_writer}

    async def _pump(self, reader, writer, way):
        try:
            while data := await reader.read(65536):
                if getattr(self, way):
                    writer.write(data)
        except (OSError, ssl.SSLError):
            pass
        writer.close()


def proxy_to(url, tls=None):
    parts = urlsplit(url)
    return Proxy(parts.hostname, parts.port, tls)


def self_signed(directory):
    """(server context, path of the certificate): for 127.0.0.1, of today."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = directory / "certificate.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = directory / "certificate.key"
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return context, pem
