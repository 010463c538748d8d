"""SHA-256 and HMAC over midstates against published vectors and hashlib, on every implementation that runs here."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexus_fast.gateway import sha256

IMPLEMENTATIONS = sha256.implementations()


@pytest.fixture(params=IMPLEMENTATIONS, autouse=True)
def implementation(request):
    sha256.use_implementation(request.param)
    yield request.param
    sha256.use_implementation(IMPLEMENTATIONS[0])


# FIPS 180-4 examples (NIST, "Examples with Intermediate Values") and the million a's of FIPS 180-2.
FIPS = [
    (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
        b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ),
    (b"a" * 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
]

# RFC 4231, test cases 1 to 4, 6 and 7 (5 truncates the output).
RFC4231 = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
        b"hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]


@pytest.mark.parametrize("message, digest", FIPS)
def test_published_digests(message, digest):
    assert sha256.sha256(message).hex() == digest


@pytest.mark.parametrize("key, message, signature", RFC4231)
def test_published_signatures(key, message, signature):
    assert sha256.hmac_hex(key, message) == signature


def test_every_length_and_every_head():
    """Lengths 0 to 1000; every number of absorbed blocks that each has."""
    data = bytes(i * 7 % 256 for i in range(1000))
    for size in range(1001):
        expected = hmac.new(b"secret", data[:size], hashlib.sha256).hexdigest()
        heads = {sha256.hmac_hex(b"secret", data[:size], head) for head in range(0, size + 1, 64)}
        assert heads == {expected}, size


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=1000), st.integers(0, 1000))
def test_random_keys_messages_and_heads(key, message, head):
    assert sha256.hmac_hex(key, message, head) == hmac.new(key, message, hashlib.sha256).hexdigest()
    assert sha256.sha256(message) == hashlib.sha256(message).digest()


def test_an_implementation_that_does_not_run_here_is_refused():
    with pytest.raises(ValueError, match="quantum"):
        sha256.use_implementation("quantum")
