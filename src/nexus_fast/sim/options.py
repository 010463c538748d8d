"""What a command line says of the venues, as each of them takes it."""

from typing import Any

from nexus_fast.sim.binance.venue import BinanceOptions
from nexus_fast.sim.bybit.venue import BybitOptions
from nexus_fast.sim.okx.venue import OkxOptions


def of_venues(*, order_limit_factor: int, weight_limit_factor: int, listen_key_seconds: float, post_only: str) -> dict[str, Any]:
    """By the venue's name."""
    return {
        "binance": BinanceOptions(order_limit_factor=order_limit_factor, weight_limit_factor=weight_limit_factor,
                                  listen_key_seconds=listen_key_seconds, post_only=post_only),
        "bybit": BybitOptions(order_limit_factor=order_limit_factor, request_limit_factor=weight_limit_factor),
        "okx": OkxOptions(limit_factor=order_limit_factor)}
