# seam: strategies may be Python.
from libc.stdlib cimport free, realloc

from nexus_fast.core.memory cimport memory_give_back, memory_take
from nexus_fast.strategy.base cimport StrategyCore


cdef class Dispatcher:
    """`on_error(strategy, exception)` hears of exceptions in callbacks; the feed goes on."""

    def __cinit__(self, uint32_t symbols, on_error):
        self.symbols = symbols
        self.lists = <nx_subscribers*>memory_take(symbols * sizeof(nx_subscribers))
        if self.lists == NULL:
            raise MemoryError(f"no memory for the subscriptions of {symbols} symbols")
        self.kept = []
        self.on_error = on_error

    def __dealloc__(self):
        cdef uint32_t i
        if self.lists != NULL:
            for i in range(self.symbols):
                free(self.lists[i].strategies)
        memory_give_back(self.lists, self.symbols * sizeof(nx_subscribers))

    def subscribe(self, uint32_t symbol_id, StrategyCore strategy):
        """Once per strategy and symbol; a repetition changes nothing."""
        cdef nx_subscribers* subscribers
        if symbol_id >= self.symbols:
            raise IndexError(f"symbol id {symbol_id} is not one of {self.symbols}")
        subscribers = &self.lists[symbol_id]
        if self.position(subscribers, strategy) >= 0:
            return
        if subscribers.count == subscribers.capacity:
            subscribers.capacity = max(4, 2 * subscribers.capacity)
            subscribers.strategies = <void**>realloc(subscribers.strategies, subscribers.capacity * sizeof(void*))
            if subscribers.strategies == NULL:
                raise MemoryError("no memory for a subscription")
        self.kept.append(strategy)
        subscribers.strategies[subscribers.count] = <void*>strategy
        subscribers.count += 1

    def unsubscribe(self, uint32_t symbol_id, StrategyCore strategy):
        cdef nx_subscribers* subscribers = &self.lists[symbol_id]
        cdef int at = self.position(subscribers, strategy)
        if at < 0:
            return
        subscribers.count -= 1
        while at < subscribers.count:
            subscribers.strategies[at] = subscribers.strategies[at + 1]
            at += 1

    def subscribers(self, uint32_t symbol_id):
        """How many strategies hear of the symbol."""
        return self.lists[symbol_id].count

    cdef int position(self, nx_subscribers* subscribers, StrategyCore strategy):
        cdef int i
        for i in range(subscribers.count):
            if subscribers.strategies[i] == <void*>strategy:
                return i
        return -1

    cdef int quote(self, const nx_bookl1* book) except -1:
        cdef nx_subscribers* subscribers = &self.lists[book.symbol_id]
        cdef void* strategy
        cdef int i = 0
        while i < subscribers.count:
            strategy = subscribers.strategies[i]
            try:
                (<StrategyCore>strategy).on_quote(book)
            except Exception as error:
                self.errors += 1
                self.on_error(<object>strategy, error)
            # Who unsubscribed in its callback has made way for the next.
            if i < subscribers.count and subscribers.strategies[i] == strategy:
                i += 1
        return 0
