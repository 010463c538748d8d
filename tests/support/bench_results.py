"""Made-up results of the wire bench, as bench.runs leaves them."""

MACHINE = {
    "cpu": "a <processor> & more",
    "cpus": "2",
    "virtual machine": "no",
    "kernel": "6",
    "python": "3",
    "compiler": "cc",
}


def scene(client, **changes):
    return {"mode": "busy", "gap_us": 20.0, "tls": False, "entry": "ws", "events": "fill", "client": client, **changes}


def timing(p50):
    return {
        "n": 100,
        "min": p50 // 2,
        "p50": p50,
        "p90": 2 * p50,
        "p99": 3 * p50,
        "p999": 4 * p50,
        "max": 5 * p50,
        "histogram": [[p50 // 2, 50], [p50, 45], [5 * p50, 5]],
    }


def one(client, p50, number=0, **changes):
    return {
        "scene": scene(client, **changes),
        "latency": timing(p50),
        "from_intended": timing(2 * p50),
        "lost": 0,
        "bad_signatures": 0,
        "involuntary_switches": 1,
        "client_switches": 2,
        "stolen": 0.0,
        "seconds": 2.0,
        "label": client,
        "round": number,
    }
