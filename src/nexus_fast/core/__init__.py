"""Words that everything else is said in: records, clocks, atomics."""

from nexus_fast.core.types import dtype, fingerprint, header_text, layout, record_sizes, write_header

__all__ = ["dtype", "fingerprint", "header_text", "layout", "record_sizes", "write_header"]
