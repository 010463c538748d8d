# seam: news is told and the way of a Python strategy's order rehearsed in Python.
"""The loop's fast half: reads the hot connections over and over without the selector, and gives uvloop a turn for
everything cold (timers, REST, signals, reconnects).

    uvloop ──call_soon──▶ Poller() ── read, read, read … for spin_us ──▶ call_soon(itself) ──▶ uvloop's turn ──▶ …

busy      spins always.
adaptive  spins until `idle_ms` have passed without a message, then leaves the sockets to the waiter and spins again from the first
          bytes on.
block     leaves them to the waiter always (`spins` is off).

Without a waiter (engine/waiter), the selector waits: block then has no poller at all.
"""

import logging

from libc.stdint cimport int64_t
from libc.string cimport memcpy

from nexus_fast.core.clock cimport clock_ticks
from nexus_fast.core.histogram cimport Histogram, histogram_record, nx_histogram
from nexus_fast.engine.dead_end cimport DeadEnd
from nexus_fast.engine.dispatch cimport Dispatcher
from nexus_fast.engine.hot_connection cimport ConnectionGroup, HotConnection
from nexus_fast.engine.waiter cimport Reader, Waiter
from nexus_fast.feed.commands cimport DeferredMessages
from nexus_fast.feed.frames cimport PayloadHandler
from nexus_fast.feed.market cimport MarketFeed
from nexus_fast.strategy.base cimport StrategyCore

from nexus_fast.core.clock import ticks_per_ns

logger = logging.getLogger("nexus_fast.engine")

cdef enum:
    # Order and user-data sockets are read once in this many rounds: a tick waits for no one, an acknowledgement can.
    COLD_ROUNDS = 8
    MANY_DEFERRED = 256
    # From a tick or a rehearsal to the next rehearsal. One in Python takes microseconds, in which no tick is read.
    QUIET_US = 8
    # Between two walks through the kernel, each of which takes some microseconds in which no tick is read.
    WALK_US = 250


cdef summary(const nx_histogram* source):
    cdef Histogram copy = Histogram()
    memcpy(&copy.data, source, sizeof(nx_histogram))
    return copy.summary(ticks_per_ns())


cdef class Poller(Reader):
    cdef object loop
    cdef Waiter waiter                       # None: the selector waits
    cdef list connections
    cdef ConnectionGroup urgent              # by how soon they are read
    cdef ConnectionGroup patient
    cdef list feeds                          # the urgent connections' handlers, MarketFeeds
    cdef bint spins                          # False: it only ever waits
    cdef bint warm                           # rehearse while it is quiet
    cdef public StrategyCore understudy      # rehearses the way of a Python strategy's order; None: there is no such strategy
    cdef readonly DeferredMessages deferred  # private messages that wait until no tick is on its way
    cdef public object on_news               # called while it spins, after take_news
    cdef bint news
    cdef bint waited                         # news and private messages have let the loop have its turn first
    cdef public Dispatcher dispatcher        # is told of the loop's turns
    cdef int64_t spin_ticks
    cdef int64_t idle_ticks                  # 0: never sleep
    cdef int64_t last_active
    cdef int64_t messages_seen
    cdef readonly bint running
    cdef readonly bint spinning
    cdef readonly bint waiting               # the waiter has the sockets
    cdef readonly int64_t turns
    cdef readonly DeadEnd dead_end           # while it runs and is to stay warm
    cdef int64_t quiet_ticks
    cdef int64_t quiet_since                 # the last tick or rehearsal
    cdef int64_t walk_ticks
    cdef int64_t next_walk
    cdef int64_t seen_at_walk                # ticks
    # In cycle-counter ticks, what stood in the way of the next read: see pauses().
    cdef nx_histogram uvloop_turns
    cdef nx_histogram private_messages
    cdef nx_histogram news_told
    cdef nx_histogram walks
    cdef int64_t left_at                     # when uvloop's turn under way began; 0: none that counts

    def __init__(self, loop, double spin_us=50.0, double idle_ms=0.0, bint warm=False, Waiter waiter=None, bint spins=True,
                 Dispatcher dispatcher=None):
        if not spins and waiter is None:
            raise ValueError("a poller that does not spin needs a Waiter")
        self.loop = loop
        self.waiter = waiter
        self.spins = spins
        self.warm = warm
        self.spin_ticks = <int64_t>(spin_us * 1000 * ticks_per_ns())
        self.quiet_ticks = <int64_t>(QUIET_US * 1000 * ticks_per_ns())
        self.walk_ticks = <int64_t>(WALK_US * 1000 * ticks_per_ns())
        self.idle_ticks = <int64_t>(idle_ms * 1_000_000 * ticks_per_ns())
        self.connections = []
        self.sort()
        self.deferred = DeferredMessages()
        self.dispatcher = Dispatcher(0, None) if dispatcher is None else dispatcher

    def add(self, HotConnection connection):
        self.connections.append(connection)
        self.sort()
        if self.spinning or self.waiting:
            self.take(connection)
        else:
            self.begin()

    def remove(self, HotConnection connection):
        """The connection is over: its descriptor is closed or about to be."""
        if connection in self.connections:
            self.connections.remove(connection)
            self.sort()
            # The number of a closed descriptor may be another connection's by now.
            if self.waiting and connection.descriptor not in [c.descriptor for c in self.connections]:
                self.waiter.unwatch(connection.descriptor)

    def start(self):
        self.running = True
        if self.waiter is not None:
            self.waiter.open(self)
        if self.warm and self.dead_end is None:
            self.open_dead_end()
        self.begin()

    def open_dead_end(self):
        try:
            self.dead_end = DeadEnd()
        except OSError as error:
            logger.warning("the kernel's part of the path is not kept warm: %s", error)

    def stop(self):
        """Back to the selector, for good."""
        taken = self.spinning or self.waiting
        self.running = self.spinning = self.waiting = False
        if self.waiter is not None:
            self.waiter.close()
        if self.dead_end is not None:
            self.dead_end.close()
            self.dead_end = None
        self.deferred.active = False
        self.tell_news()
        self.deferred.run_all()
        if taken:
            for connection in self.connections:
                connection.give_back()

    def begin(self):
        """Take the sockets, if there are any."""
        if self.spins:
            self.wake()
        elif self.running and self.connections:
            self.rest()

    def wake(self):
        """Begin to spin, if there is something to read."""
        if not self.running or self.spinning or not self.connections:
            return
        if self.waiting:
            self.end_waiting()
        self.spinning = True
        self.left_at = 0
        for connection in self.connections:
            self.take(connection)
        self.deferred.active = True
        self.last_active = clock_ticks()
        self.loop.call_soon(self)

    def take_news(self):
        """The hot path has news for the cold half: on_news is called as soon as no tick is on its way. False: nobody spins, the loop
        has to see to it."""
        self.news = self.spinning
        return self.spinning

    def rest(self):
        """Sleep until the next bytes come."""
        self.spinning = False
        self.tell_news()
        if self.waiter is not None:
            self.begin_waiting()
            return
        self.deferred.active = False
        self.deferred.run_all()
        for connection in self.connections:
            connection.give_back(self)

    cdef int begin_waiting(self) except -1:
        self.waiting = True
        self.deferred.active = True
        for connection in self.connections:
            self.take(connection)
        return self.waiter.arm()

    cdef int end_waiting(self) except -1:
        cdef HotConnection connection
        self.waiting = False
        for connection in self.connections:
            self.waiter.unwatch(connection.descriptor)
        return self.waiter.disarm()

    cdef int take(self, HotConnection connection) except -1:
        """From the selector, to whoever has the sockets now."""
        if not connection.polled:
            connection.take()
        if not self.waiting:
            return 0
        try:
            self.waiter.watch(connection.descriptor)
        except OSError as error:
            # Its socket is gone, its connection is about to say so.
            logger.debug("%s", error)
        return 0

    cdef int on_ready(self, const int* descriptors, int count) except -1:
        """The waiter: these can be read. Market data first."""
        cdef ConnectionGroup urgent = self.urgent, patient = self.patient
        self.dispatcher.begin_turn()
        try:
            urgent.read_among(descriptors, count)
            patient.read_among(descriptors, count)
        finally:
            self.end_turn()
        if self.spins:
            self.wake()
        return 0

    cdef bint has_postponed(self):
        return self.deferred.count() > 0

    cdef int run_postponed(self) except -1:
        self.dispatcher.begin_turn()
        try:
            return self.deferred.run_one()
        finally:
            self.end_turn()

    cdef int end_turn(self) except -1:
        """While it waits: uvloop comes first now, if callbacks have taken long."""
        if self.dispatcher.is_overdue():
            self.waiter.give_way()
        return self.dispatcher.end_turn()

    cdef sort(self):
        self.urgent = ConnectionGroup([c for c in self.connections if c.urgent], self.spins)
        self.patient = ConnectionGroup([c for c in self.connections if not c.urgent], self.spins)
        self.feeds = [c.handler for c in self.urgent.connections if isinstance(c.handler, MarketFeed)]

    cdef int64_t messages(self):
        cdef int64_t total = 0
        cdef HotConnection connection
        for connection in self.connections:
            total += connection.handler.messages
        return total

    def __call__(self):
        if not self.running or not self.spinning:
            return
        self.turns += 1
        if self.left_at:
            histogram_record(&self.uvloop_turns, clock_ticks() - self.left_at)
        self.dispatcher.begin_turn()
        try:
            self.spin()
        except Exception:
            # Nothing may stop the loop: a transport reports its own errors, this is for what nobody foresaw.
            logger.exception("reading the hot connections failed; going on")
        finally:
            self.dispatcher.end_turn()
        if self.idle_ticks and self.is_idle(clock_ticks()):
            self.rest()
        elif self.spinning:
            self.loop.call_soon(self)
            self.left_at = clock_ticks()

    cdef int spin(self) except -1:
        cdef int64_t now = clock_ticks()
        cdef int64_t until = now + self.spin_ticks
        cdef int round = 0
        cdef ConnectionGroup urgent, patient
        while self.spinning:
            urgent, patient = self.urgent, self.patient         # held: others may take their place while they are read
            if urgent.read():
                self.quiet_since = now
            elif self.news or self.deferred.count():
                self.run_waiting()
            elif self.warm and now - self.quiet_since > self.quiet_ticks:
                self.stay_warm()
                self.quiet_since = clock_ticks()
            if round == 0:
                patient.read()
            round = (round + 1) % COLD_ROUNDS
            now = clock_ticks()
            if now >= until:
                break
        return self.run_in_every_turn()

    cdef int run_in_every_turn(self) except -1:
        """However busy the feed is, news is told and a private message moves on; when many wait, more than one. After a slow callback
        the loop has its turn first."""
        self.waited = not self.waited and self.dispatcher.is_overdue()
        if self.waited:
            return 0
        self.tell_news()
        self.run_deferred()
        while self.deferred.count() > MANY_DEFERRED and not self.dispatcher.is_overdue():
            self.run_deferred()
        return 0

    cdef int run_waiting(self) except -1:
        """One thing of what waits for a moment without a tick."""
        return self.tell_news() if self.news else self.run_deferred()

    cdef int tell_news(self) except -1:
        cdef int64_t began = clock_ticks()
        if self.news:
            self.news = False
            self.on_news()
            histogram_record(&self.news_told, clock_ticks() - began)
        return 0

    cdef int run_deferred(self) except -1:
        cdef int64_t began = clock_ticks()
        if self.deferred.run_one():
            histogram_record(&self.private_messages, clock_ticks() - began)
        return 0

    def pauses(self):
        """What kept the hot connections from being read while it span, and for how long: {what: {n, p50, p90, p99, p999, max}}, ns."""
        return {"uvloop_turns": summary(&self.uvloop_turns), "news": summary(&self.news_told),
                "private_messages": summary(&self.private_messages), "walks": summary(&self.walks)}

    cdef int stay_warm(self) except -1:
        """Rehearse, and where no tick came for a while, walk through the kernel too."""
        cdef MarketFeed feed
        cdef MarketFeed walked = None
        cdef int64_t now, seen
        for feed in self.feeds:
            if feed.rehearse() > 0:
                walked = feed
        if walked is not None and self.understudy is not None:
            self.rehearse_in_python(walked)
        now = clock_ticks()
        if now < self.next_walk or self.dead_end is None:
            return 0
        self.next_walk = now + self.walk_ticks
        seen = self.ticks_seen()
        if seen == self.seen_at_walk:
            self.dead_end.walk()
            histogram_record(&self.walks, clock_ticks() - now)
        self.seen_at_walk = seen
        return 0

    cdef int rehearse_in_python(self, MarketFeed feed) except -1:
        """From the quote's object to the order's entry, where the newest order stands in for the one that is not made."""
        if not feed.entry.table.newest():
            return 0
        try:
            self.understudy.on_quote(&feed.record)
        except Exception:
            self.understudy = None
            logger.exception("Python's part of an order's way is not kept warm any more")
        return 0

    cdef int64_t ticks_seen(self):
        cdef MarketFeed handler
        cdef int64_t total = 0
        for handler in self.feeds:
            total += handler.messages
        return total

    cdef bint is_idle(self, int64_t now):
        cdef int64_t seen = self.messages()
        if seen != self.messages_seen:
            self.messages_seen = seen
            self.last_active = now
            return False
        return now - self.last_active > self.idle_ticks
