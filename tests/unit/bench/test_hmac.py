"""The bench's own HMAC-SHA256, in both its forms, against hashlib: a floor that signs wrongly is no floor."""

import hashlib
import hmac
import platform
import random
import subprocess

import pytest

from bench.build import BENCH, compiler

MAIN = """
#include <stdio.h>
#include "sha256.h"
/* stdin: lines "secret head tail"; stdout: the signature of head + tail, the head's whole blocks absorbed beforehand */
int main(void) {
    static char secret[128], head[1024], hex[65];
    static uint8_t tail[2048];
    while (scanf("%127s %1023s %1023s", secret, head, (char *)tail) == 3) {
        hmac_key key;
        uint8_t message[4096];
        if (hmac_set(&key, secret)) return 1;
        size_t n = strlen(head), rest = hmac_absorb(&key, head, n), m = strlen((char *)tail);
        memcpy(message, head + n - rest, rest);
        memcpy(message + rest, tail, m);
        hmac_sign(&key, message, rest + m, hex);
        puts(hex);
    }
}
"""


@pytest.mark.parametrize("flags", [[], ["-mno-sha"]], ids=["native", "portable"])
def test_signatures_are_those_of_hashlib(tmp_path, program, flags):
    if flags and platform.machine() != "x86_64":
        pytest.skip("there is one form only")
    source, binary = tmp_path / "sign.c", tmp_path / "sign"
    source.write_text(MAIN)
    command = [*compiler().split(), "-O2", "-march=native", *flags, f"-I{BENCH / 'floor'}"]
    subprocess.run([*command, "-o", str(binary), str(source)], check=True)
    letters, rng = "abcdefghijklmnopqrstuvwxyz=&0123456789", random.Random(7)

    def word(n):
        return "".join(rng.choices(letters, k=n))

    cases = [(word(rng.randint(1, 64)), word(rng.randint(1, 200)), word(1 + i)) for i in range(300)]
    text = "".join(f"{a} {b} {c}\n" for a, b, c in cases)
    signed = subprocess.run([str(binary)], input=text, capture_output=True, text=True, check=True).stdout.split()
    assert signed == [hmac.new(a.encode(), (b + c).encode(), hashlib.sha256).hexdigest() for a, b, c in cases]
