"""nexus_fast: a low-latency trading engine for crypto venues. See docs/architecture.md."""

__version__ = "0.1.0"
