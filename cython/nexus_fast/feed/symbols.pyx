"""Filled when the instruments are loaded; read for every frame."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from nexus_fast.core.memory cimport memory_give_back, memory_take


cdef enum:
    # Cells for each name: the second probe of a search is a branch that nothing predicts, so it must be rare.
    ROOM = 8


cdef class SymbolTable:
    """Names of one market ("BTCUSDT") to symbol ids."""

    def __cinit__(self, Py_ssize_t capacity=64):
        self.table.cells = NULL
        self.used = 0
        self.allocate(capacity)

    def __dealloc__(self):
        memory_give_back(self.table.cells, (self.table.mask + 1) * sizeof(nx_symbol))

    cdef int allocate(self, Py_ssize_t capacity) except -1:
        cdef Py_ssize_t size = 16
        while size < ROOM * capacity:
            size *= 2
        self.table.cells = <nx_symbol*>memory_take(size * sizeof(nx_symbol))
        if self.table.cells == NULL:
            raise MemoryError(f"no memory for a symbol table of {size} cells")
        self.table.mask = size - 1
        return 0

    def add(self, bytes name, uint32_t symbol_id, uint8_t price_scale, uint8_t size_scale, uint8_t venue):
        """Register a venue symbol; a name that is there already keeps its cell and takes the new values."""
        cdef nx_symbol* cell
        if not 0 < len(name) <= sizeof(cell.name):
            raise ValueError(f"venue symbol {name!r} has {len(name)} bytes; 1 to {sizeof(cell.name)} can be stored")
        if ROOM * (self.used + 1) > <Py_ssize_t>self.table.mask + 1:
            self.grow()
        cell = self.place(name, len(name))
        if cell.length == 0:
            self.used += 1
            memcpy(cell.name, <const char*>name, len(name))
            cell.length = len(name)
        cell.symbol_id = symbol_id
        cell.price_scale = price_scale
        cell.size_scale = size_scale
        cell.venue = venue

    cdef nx_symbol* place(self, const char* name, uint32_t length) noexcept nogil:
        """The cell that holds the name, or the free one that it would take."""
        cdef uint64_t at = symbol_hash(name, length) & self.table.mask
        cdef nx_symbol* found = self.find(name, length)
        if found != NULL:
            return found
        while self.table.cells[at].length:
            at = (at + 1) & self.table.mask
        return &self.table.cells[at]

    cdef int grow(self) except -1:
        cdef nx_symbol* old = self.table.cells
        cdef Py_ssize_t size = self.table.mask + 1
        cdef Py_ssize_t i
        self.allocate(2 * size // ROOM)
        for i in range(size):
            if old[i].length:
                memcpy(self.place(old[i].name, old[i].length), &old[i], sizeof(nx_symbol))
        memory_give_back(old, size * sizeof(nx_symbol))
        return 0

    def lookup(self, bytes name):
        """The symbol id of a venue symbol, or None."""
        cdef nx_symbol* cell = self.find(name, len(name))
        return None if cell == NULL else cell.symbol_id

    def __len__(self):
        return self.used
