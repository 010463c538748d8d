"""The counter counts: a program whose allocations are known runs under it."""

import json
import os
import subprocess

import pytest

from bench.build import compiler

MAIN = """
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
/* per order: argv[1] allocations between quote and send, one more after the send */
int main(int argc, char **argv) {
    int pair[2], each = atoi(argv[1]), orders = atoi(argv[2]);
    static const char quote[] = "{\\"B\\":\\"1\\",\\"A\\":\\"2\\"}", other[] = "{\\"status\\":200}";
    char buffer[64];
    (void)argc;
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    for (int i = 0; i < orders; i++) {
        write(pair[1], quote, sizeof quote);
        recv(pair[0], buffer, sizeof buffer, 0);
        for (int k = 0; k < each; k++) {
            void *volatile p = k % 2 ? calloc(1, 100) : malloc(100);
            free(p);
        }
        send(pair[0], "order", 5, 0);
        void *volatile after = realloc(NULL, 10);
        free(after);
        write(pair[1], other, sizeof other);
        recv(pair[0], buffer, sizeof buffer, 0);
        send(pair[0], "pong", 4, 0);
        while (recv(pair[1], buffer, sizeof buffer, MSG_DONTWAIT) > 0) {}
    }
}
"""


@pytest.mark.parametrize(("each", "orders", "skip"), [(0, 50, 10), (3, 50, 10), (7, 20, 0)])
def test_allocations_between_quote_and_order_are_counted(tmp_path, program, each, orders, skip):
    source, binary, out = tmp_path / "main.c", tmp_path / "main", tmp_path / "out.json"
    source.write_text(MAIN)
    subprocess.run([*compiler().split(), "-O1", "-w", "-o", str(binary), str(source)], check=True)
    environment = {
        **os.environ, "LD_PRELOAD": str(program("malloc_count", shared=True)), "BENCH_MALLOC_OUT": str(out),
        "BENCH_MALLOC_SKIP": str(skip),
    }
    subprocess.run([str(binary), str(each), str(orders)], check=True, env=environment)
    counted = json.loads(out.read_text())
    counts = orders - skip
    assert (counted["orders"], counted["quotes"]) == (counts, orders)
    assert (counted["between"], counted["worst"]) == (each * counts, each)
    assert counted["process"] == (each + 1) * (counts - 1)
