"""The number that changes whenever a .pxd of nexus_fast changes what compiled code relies on.

Cython checks neither the layout of a C struct nor the order of a class's C methods between modules that were compiled
at different times: a user's module that is older than the installation would read wrong bytes. So it asks, at import:

    from nexus_fast.core.abi cimport require_abi
    require_abi()
"""

cdef enum:
    NEXUS_ABI = 5

cdef int built_abi() noexcept


cdef inline int require_abi() except -1:
    """Raises ImportError in a module that was compiled against another version's .pxd files."""
    if built_abi() != NEXUS_ABI:
        raise ImportError(
            f"{__name__} was compiled against ABI {NEXUS_ABI} of nexus_fast, the one installed has ABI {built_abi()}: "
            "compile the module again"
        )
    return 0
