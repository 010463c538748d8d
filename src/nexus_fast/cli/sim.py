"""`nexus-fast sim`: the simulated venues as a process of their own."""

import click


@click.command()
@click.option("--venues", default="binance", show_default=True, help="Comma-separated, or all.")
@click.option("--endpoints", type=click.Path(dir_okay=False), help="Write the addresses here (TOML) when everything listens.")
@click.option(
    "--account",
    multiple=True,
    metavar="KEY:SECRET[:PASSPHRASE]",
    help="One more account; SECRET may be @FILE with an Ed25519 public key (PEM). The standing account is sim:sim:sim.",
)
@click.option("--seed", default="1", show_default=True, help="Of the market maker, and of the faults.")
@click.option("--faults", type=click.Path(dir_okay=False), help="A script of faults (TOML; see docs/simulator.md).")
@click.option("--rate", default=20.0, show_default=True, help="Ticks per second and symbol.")
@click.option("--prices", type=click.Choice(["walk", "stand"]), default="walk", show_default=True,
              help="stand: only quantities change, and resting orders are not met.")
@click.option("--replay", multiple=True, metavar="[spot=|usd_m=]FILE", help="Recorded frames instead of the market maker.")
@click.option("--replay-rate", type=float, help="Frames per second instead of the recorded pace.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=0, help="First port, the control address; the venues follow. 0: the kernel chooses.")
@click.option("--tls", is_flag=True, help="Speak TLS; [sim] ca in the endpoints file is the authority of the certificate.")
@click.option(
    "--order-limit-factor",
    default=1000,
    show_default=True,
    help="Multiplies the venue's order limits; 1 gives the venue's own.",
)
@click.option("--weight-limit-factor", default=1, show_default=True, help="Multiplies the venue's request weight per minute.")
@click.option("--post-only", type=click.Choice(["reject", "expire"]), default="reject", show_default=True,
              help="A Binance futures GTX order that would take: -5022, or acknowledged and then EXPIRED.")
@click.option("--listen-key-seconds", default=3600.0, show_default=True, help="How long a USD-M listen key lives.")
@click.option("--stop", type=click.Path(file_okay=False), metavar="DIR",
              help="Instead: end the one that `run --sim --keep DIR` began.")
@click.option("--parent", type=int, help="End when this process is no longer the parent.")
def command(
    venues, endpoints, account, seed, faults, rate, prices, replay, replay_rate, host, port, tls, order_limit_factor,
    weight_limit_factor, post_only, listen_key_seconds, stop, parent,
):
    """Simulated venues on real sockets, until Ctrl+C."""
    if stop is not None:
        end_kept(stop)
        return
    from nexus_fast.sim.faults import FaultError, read_rules
    from nexus_fast.sim.options import of_venues
    from nexus_fast.sim.server import run

    try:
        read_rules(faults or ())
    except FaultError as error:
        raise click.UsageError(str(error)) from None
    run(
        venues.split(","),
        endpoints,
        seed=seed,
        tick_rate=rate,
        prices=prices,
        accounts=list(account),
        host=host,
        port=port,
        replay=list(replay),
        replay_rate=replay_rate,
        parent=parent,
        faults=faults or (),
        tls=tls,
        **of_venues(
            order_limit_factor=order_limit_factor,
            weight_limit_factor=weight_limit_factor,
            listen_key_seconds=listen_key_seconds,
            post_only=post_only,
        ),
    )


def end_kept(directory):
    from nexus_fast.cli.kept import stop_kept

    if not stop_kept(directory):
        raise click.ClickException(f"no simulator runs in {directory}")
    click.echo(f"stopped the simulator in {directory}")
