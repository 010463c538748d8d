"""Measurements of the engine against a hand-written C program. Start with bench/README.md."""
