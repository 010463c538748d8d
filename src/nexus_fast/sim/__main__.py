"""`python -m nexus_fast.sim`: the simulated venues as a process of their own."""

import argparse

from nexus_fast.sim.faults import FaultError, read_rules
from nexus_fast.sim.options import of_venues
from nexus_fast.sim.server import DEFAULT_TICK_RATE, PRICES, VENUES, run


def parser() -> argparse.ArgumentParser:
    out = argparse.ArgumentParser(prog="python -m nexus_fast.sim", description="Simulated venues on real sockets.")
    out.add_argument("--venues", default="binance", help="all, or comma-separated, of: " + ", ".join(VENUES))
    out.add_argument("--endpoints", metavar="FILE", help="write the addresses here (TOML) when everything listens")
    out.add_argument("--account", action="append", default=[], metavar="KEY:SECRET[:PASSPHRASE]",
                     help="one more account; SECRET may be @FILE with an Ed25519 public key (PEM)")
    out.add_argument("--seed", default="1", help="of the market maker, and of the faults")
    out.add_argument("--faults", metavar="FILE", default=(), help="a script of faults (TOML; docs/simulator.md)")
    out.add_argument("--rate", type=float, default=DEFAULT_TICK_RATE, help="ticks per second and symbol")
    out.add_argument("--prices", choices=PRICES, default="walk",
                     help="stand: only quantities change, and resting orders are not met")
    out.add_argument("--replay", action="append", default=[], metavar="[spot=|usd_m=]FILE",
                     help="recorded frames instead of the market maker")
    out.add_argument("--replay-rate", type=float, help="frames per second instead of the recorded pace")
    out.add_argument("--host", default="127.0.0.1")
    out.add_argument("--port", type=int, default=0, help="first of consecutive ports; 0: the kernel chooses")
    out.add_argument("--tls", action="store_true",
                     help="the venues speak TLS; `ca` of [sim] in the endpoints file is the authority of their certificate")
    out.add_argument("--parent", type=int, metavar="PID", help="end when this is no longer the parent process")
    out.add_argument("--order-limit-factor", type=int, default=1000,
                     help="multiplies the venue's order limits; 1 gives the venue's own")
    out.add_argument("--weight-limit-factor", type=int, default=1, help="multiplies the venue's request weight per minute")
    out.add_argument("--post-only", choices=("reject", "expire"), default="reject",
                     help="a Binance futures GTX order that would take: -5022, or acknowledged and then EXPIRED")
    out.add_argument("--listen-key-seconds", type=float, default=3600.0)
    return out


def main(arguments: list[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    try:
        read_rules(options.faults)
    except FaultError as error:
        raise SystemExit(f"--faults: {error}") from None
    run(options.venues.split(","), options.endpoints, seed=options.seed, tick_rate=options.rate, prices=options.prices,
        accounts=options.account, host=options.host, port=options.port, replay=options.replay,
        replay_rate=options.replay_rate, parent=options.parent, faults=options.faults, tls=options.tls,
        **of_venues(order_limit_factor=options.order_limit_factor, weight_limit_factor=options.weight_limit_factor,
                    listen_key_seconds=options.listen_key_seconds, post_only=options.post_only))


if __name__ == "__main__":
    main()
