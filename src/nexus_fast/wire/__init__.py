"""Frames in, quotes out. `decode` gives the events of one frame, `explain` says how the parser saw it."""

from nexus_fast.wire.decode import decode, explain
from nexus_fast.wire.registry import UnknownParser, parser_id

__all__ = ["UnknownParser", "decode", "explain", "parser_id"]
