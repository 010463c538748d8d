# seam: strategies may be Python.
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport INT64_MAX
from libc.stdlib cimport free, realloc

from nexus_fast.core.clock cimport clock_ticks, ticks_to_ns
from nexus_fast.core.memory cimport memory_give_back, memory_take
from nexus_fast.strategy.base cimport StrategyCore

from nexus_fast.core.clock import ticks_per_ns
from nexus_fast.error import CallbackInterrupted


cdef class Dispatcher:
    """`on_error(strategy, exception)` hears of exceptions in callbacks; the feed goes on."""

    def __cinit__(self, uint32_t symbols, on_error):
        self.symbols = symbols
        self.lists = <nx_subscribers*>memory_take(symbols * sizeof(nx_subscribers))
        if self.lists == NULL:
            raise MemoryError(f"no memory for the subscriptions of {symbols} symbols")
        self.kept = []
        self.on_error = on_error
        self.failing = set()
        self.slow = self.attention = self.until = INT64_MAX

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

    def drop(self, StrategyCore strategy):
        """No quote comes to the strategy any more."""
        cdef uint32_t symbol_id
        for symbol_id in range(self.symbols):
            self.unsubscribe(symbol_id, strategy)

    # ------------------------------------------------------------------------------------------ quotes

    cdef int quote(self, const nx_bookl1* book) except -1:
        cdef nx_subscribers* subscribers = &self.lists[book.symbol_id]
        cdef void* strategy
        cdef int64_t began = book.receive_ticks
        cdef int64_t now
        cdef int i = 0
        while i < subscribers.count:
            if began > self.until and not self.begins_turn(began):
                return self.put_off(book, i)
            strategy = subscribers.strategies[i]
            try:
                (<StrategyCore>strategy).on_quote(book)
            except (Exception, CallbackInterrupted) as error:
                now = clock_ticks()
                self.failed(<StrategyCore>strategy, error, now - began)
            else:
                now = clock_ticks()
                if now - began > self.attention:
                    self.attend(<StrategyCore>strategy, now - began)
            began = now
            # Who unsubscribed in its callback has made way for the next.
            if i < subscribers.count and subscribers.strategies[i] == strategy:
                i += 1
        return 0

    def tell(self, StrategyCore strategy, uint32_t symbol_id, bytes record):
        """A quote that was put off, unless it is not wanted any more."""
        cdef const nx_bookl1* book = <const nx_bookl1*><const char*>record
        cdef int64_t began = clock_ticks()
        if self.position(&self.lists[symbol_id], strategy) < 0:
            return
        try:
            strategy.on_quote(book)
        except (Exception, CallbackInterrupted) as error:
            self.failed(strategy, error, clock_ticks() - began)
        else:
            began = clock_ticks() - began
            if began > self.attention:
                self.attend(strategy, began)

    # ------------------------------------------------------------------------------------------ failing and slow callbacks

    def watch(self, double slow_ms, on_slow, on_success):
        """Which callbacks are slow, and who hears of them; who hears that a strategy fails no more."""
        self.slow = self.attention = <int64_t>(slow_ms * 1_000_000 * ticks_per_ns())
        self.on_slow, self.on_success = on_slow, on_success

    cdef int failed(self, StrategyCore strategy, error, int64_t took) except -1:
        self.errors += 1
        self.failing.add(id(strategy))
        if took > self.slow:
            self.on_slow(strategy, ticks_to_ns(took))
        self.attention = -1
        self.on_error(strategy, error)
        return 0

    cdef int attend(self, StrategyCore strategy, int64_t took) except -1:
        if took > self.slow:
            self.on_slow(strategy, ticks_to_ns(took))
        if id(strategy) in self.failing:
            self.failing.discard(id(strategy))
            if self.on_success is not None:
                self.on_success(strategy)
        if not self.failing:
            self.attention = self.slow
        return 0

    # ------------------------------------------------------------------------------------------ the loop's turn

    def keep_turns(self, backlog, double most_ms):
        """From now on what the strategies have no time for goes to the backlog. most_ms: how long callbacks may follow one another
        without the loop's turn."""
        self.backlog = backlog
        self.most = <int64_t>(most_ms * 1_000_000 * ticks_per_ns())
        self.until = 0

    def has_time(self):
        """Whether a callback may be called now; else it is to go to the backlog."""
        cdef int64_t ticks = clock_ticks()
        return ticks <= self.until or self.begins_turn(ticks)

    cdef bint begins_turn(self, int64_t ticks) except -1:
        """Whether the loop has had its turn since `until` was set, where the poller does not say so."""
        if self.is_behind or self.in_turn or self.is_awaited:
            return False
        self.until = ticks + self.most
        self.is_awaited = True
        self.backlog.call_soon(self.on_turn)
        return True

    def on_turn(self):
        self.is_awaited = False

    cdef int put_off(self, const nx_bookl1* book, int first) except -1:
        cdef nx_subscribers* subscribers = &self.lists[book.symbol_id]
        cdef int i
        record = PyBytes_FromStringAndSize(<const char*>book, sizeof(nx_bookl1))
        for i in range(first, subscribers.count):
            self.backlog.add_quote(<StrategyCore>subscribers.strategies[i], book.symbol_id, record)
        return 0

    def give_way(self):
        """No other callback before the loop's turn. From a signal's handler too."""
        if self.backlog is None:
            return
        self.until = -1
        self.backlog.give_way()
        if not (self.is_behind or self.in_turn or self.is_awaited):
            self.is_awaited = True
            self.backlog.call_soon(self.on_turn)

    def fall_behind(self):
        """The backlog has something: everything that comes goes there too, in its order."""
        self.is_behind = True
        self.until = -1

    def catch_up(self):
        """The backlog is empty."""
        self.is_behind = False
        self.until = 0

    cdef int begin_turn(self) except -1:
        if self.backlog is None:
            return 0
        self.in_turn = True
        self.turn_began = clock_ticks()
        if not self.is_behind:
            self.until = self.turn_began + self.most
        return 0

    cdef int end_turn(self) except -1:
        self.in_turn = False
        return 0

    cdef bint is_overdue(self) noexcept:
        return self.in_turn and clock_ticks() - self.turn_began > self.most
