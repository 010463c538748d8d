"""The ABI number that this installation was compiled with (see abi.pxd)."""

abi = NEXUS_ABI


cdef int built_abi() noexcept:
    return NEXUS_ABI
