# seam: what has come is read by Python methods.
"""uvloop blocks in its selector, and what has come goes through libuv's callbacks, a handle and a context before it is read. Here the
engine blocks instead, by the recipe that libuv gives to those who embed it:

    libuv's turn ──prepare──▶ epoll_wait(hot descriptors + uvloop's own set, as long as uvloop may sleep)
                                 ├── hot: read at once, wait again
                                 └── uvloop's set is ready, a timer is due, callbacks wait ──▶ libuv goes on with its turn

How long uvloop may sleep, uv_backend_timeout says: 0 when callbacks, closing handles or changes of its set are pending. Signals,
other threads and child processes make uvloop's set ready. Hot descriptors come first: uvloop's turn may be put off until none of them
is ready, for `patience_us` at most.

libuv is inside of uvloop's module, which exports it. Nothing of its layout is assumed: handles are allocated with the size
it names.
"""

import logging
import os

from libc.errno cimport EBADF, ENOENT, EPERM, errno
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free

from nexus_fast.core.clock cimport clock_monotonic_ns
from nexus_fast.engine.epoll cimport (
    EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLLIN, EPOLLRDHUP, MOST_READY, epoll_create1, epoll_ctl, epoll_event, epoll_wait,
)

cdef extern from "<unistd.h>" nogil:
    int close(int descriptor)
cdef extern from "<dlfcn.h>" nogil:
    int RTLD_NOW, RTLD_NOLOAD
    void* dlopen(const char* file, int flags)
    void* dlsym(void* library, const char* name)
cdef extern from "<Python.h>":
    void* PyCapsule_GetPointer(object capsule, const char* name) except NULL

logger = logging.getLogger("nexus_fast.engine")

cdef enum:
    IDLE = 6                # uv_handle_type, which never changes within libuv 1
    PREPARE = 9
    OLDEST = 0x12D00        # 1.45: since then uv_backend_timeout says 0 when the set has to be changed first

ctypedef void (*nx_callback)(void* handle) noexcept nogil

cdef struct nx_libuv:
    unsigned int (*version)() noexcept nogil
    size_t (*handle_size)(int type) noexcept nogil
    int (*backend_fd)(const void* loop) noexcept nogil
    int (*backend_timeout)(const void* loop) noexcept nogil
    void (*update_time)(void* loop) noexcept nogil
    int (*prepare_init)(void* loop, void* handle) noexcept nogil
    int (*prepare_start)(void* handle, nx_callback callback) noexcept nogil
    int (*prepare_stop)(void* handle) noexcept nogil
    int (*idle_init)(void* loop, void* handle) noexcept nogil
    int (*idle_start)(void* handle, nx_callback callback) noexcept nogil
    int (*idle_stop)(void* handle) noexcept nogil
    void (*unref)(void* handle) noexcept nogil
    void (*close)(void* handle, nx_callback callback) noexcept nogil

# In the order of nx_libuv.
NAMES = ("version", "handle_size", "backend_fd", "backend_timeout", "update_time", "prepare_init",
         "prepare_start", "prepare_stop", "idle_init", "idle_start", "idle_stop", "unref", "close")

cdef nx_libuv uv


def what_is_lacking():
    """Why this uvloop cannot be waited for in this way; "" when it can. To be asked before the first Waiter is made."""
    import uvloop.loop

    cdef void** functions = <void**>&uv
    cdef void* library = dlopen(os.fsencode(uvloop.loop.__file__), RTLD_NOW | RTLD_NOLOAD)
    if library == NULL or not hasattr(uvloop.loop, "libuv_get_loop_t_ptr"):
        return "no access to uvloop's loop"
    for i, name in enumerate(NAMES):
        functions[i] = dlsym(library, b"uv_" + name.encode())
        if functions[i] == NULL:
            return f"no uv_{name} in uvloop's module"
    if uv.version() >> 16 != 1 or uv.version() < OLDEST:
        return f"libuv {uv.version() >> 16}.{uv.version() >> 8 & 255}, 1.45 or a later 1.x is needed"
    if max(uv.handle_size(IDLE), uv.handle_size(PREPARE)) > 8 * HANDLE_WORDS:
        return "libuv's handles are larger than they were"
    return ""


cdef void on_prepare(void* handle) noexcept nogil:
    """Wait until uvloop has something to do."""
    cdef nx_wait* w = <nx_wait*>handle
    cdef int64_t wanted_since = 0
    cdef int found, hot, timeout
    w.turns += 1
    while w.armed:
        uv.update_time(w.loop)
        timeout = uv.backend_timeout(w.loop)
        found = epoll_wait(w.queue, w.events, MOST_READY, 0 if w.postponed else timeout)
        if found < 0:
            break                                       # a signal: uvloop hears of it through its own set
        hot = hot_of(w, found)
        if hot or w.postponed:
            serve(w, hot)
        elif found or timeout == 0:
            break
        if w.gives_way:
            w.gives_way = False
            break
        if found > hot or timeout == 0:
            if not wanted_since:
                wanted_since = clock_monotonic_ns()
            elif clock_monotonic_ns() - wanted_since > w.patience_ns:
                break
    if w.armed:
        uv.idle_start(&w.idle, on_idle)                 # so that libuv looks at its set without sleeping


cdef void on_idle(void* handle) noexcept nogil:
    uv.idle_stop(handle)


cdef int hot_of(nx_wait* w, int found) noexcept nogil:
    """Gathers the hot descriptors among those that are ready; their count."""
    cdef int i, hot = 0
    for i in range(found):
        if w.events[i].data.fd != w.backend:
            w.descriptors[hot] = w.events[i].data.fd
            hot += 1
    return hot


cdef void serve(nx_wait* w, int hot) noexcept with gil:
    # seam
    cdef Waiter waiter = <Waiter>w.owner
    try:
        if hot:
            waiter.waits += 1
            waiter.reader.on_ready(w.descriptors, hot)
        else:
            waiter.reader.run_postponed()
    except Exception:
        # Nothing may stop the loop: a transport reports its own errors, this is for what nobody foresaw.
        logger.exception("reading the hot connections failed; going on")
    except BaseException as error:
        waiter.loop.call_soon(raise_again, error)
    w.postponed = waiter.reader.has_postponed()


def raise_again(error):
    """As a callback of uvloop: what ends the loop ends it from here too."""
    raise error


cdef void on_prepare_closed(void* handle) noexcept nogil:
    closed(<nx_wait*>handle)


cdef void on_idle_closed(void* handle) noexcept nogil:
    closed(<nx_wait*>(<char*>handle - 8 * HANDLE_WORDS))


cdef void closed(nx_wait* w) noexcept nogil:
    w.open_handles -= 1
    if w.open_handles == 0:
        free(w)


cdef class Reader:
    cdef int on_ready(self, const int* descriptors, int count) except -1:
        return 0

    cdef bint has_postponed(self):
        return False

    cdef int run_postponed(self) except -1:
        return 0


cdef class Waiter:
    """Of one loop of uvloop. `open` before the loop waits, `close` before the loop is closed, each on the loop's thread; in between
    `arm` and `disarm`, as often as one likes."""

    def __init__(self, loop, double patience_us=50.0):
        self.loop = loop
        self.patience_us = patience_us

    def __dealloc__(self):
        if self.wait != NULL:
            self.wait.armed = False             # never closed, and the loop may still be there

    cdef int open(self, Reader reader) except -1:
        import uvloop.loop

        cdef nx_wait* w
        if self.wait != NULL:
            return 0
        w = <nx_wait*>calloc(1, sizeof(nx_wait))
        if w == NULL:
            raise MemoryError("no memory for waiting")
        w.loop = PyCapsule_GetPointer(uvloop.loop.libuv_get_loop_t_ptr(self.loop), NULL)
        w.owner = <void*>self
        w.patience_ns = <int64_t>(self.patience_us * 1000)
        w.backend = uv.backend_fd(w.loop)
        w.queue = epoll_create1(EPOLL_CLOEXEC)
        if w.queue < 0:
            free(w)
            raise OSError(errno, f"no epoll set: {os.strerror(errno)}")
        uv.prepare_init(w.loop, &w.prepare)
        uv.idle_init(w.loop, &w.idle)
        uv.unref(&w.prepare)
        uv.unref(&w.idle)
        w.open_handles = 2
        self.reader = reader
        self.wait = w
        return self.watch(w.backend)

    cdef int close(self) except -1:
        cdef nx_wait* w = self.wait
        if w == NULL:
            return 0
        self.disarm()
        self.wait = NULL
        close(w.queue)
        uv.close(&w.prepare, on_prepare_closed)
        uv.close(&w.idle, on_idle_closed)
        return 0

    cdef int watch(self, int descriptor) except -1:
        cdef epoll_event event
        event.events = EPOLLIN | EPOLLRDHUP
        event.data.fd = descriptor
        if epoll_ctl(self.wait.queue, EPOLL_CTL_ADD, descriptor, &event) < 0:
            raise OSError(errno, f"descriptor {descriptor} cannot be waited for: {os.strerror(errno)}")
        return 0

    cdef int unwatch(self, int descriptor) except -1:
        """A descriptor that was closed is watched no more already."""
        if epoll_ctl(self.wait.queue, EPOLL_CTL_DEL, descriptor, NULL) < 0 and errno not in (ENOENT, EBADF, EPERM):
            raise OSError(errno, f"descriptor {descriptor}: {os.strerror(errno)}")
        return 0

    @property
    def turns(self):
        """How often uvloop had its turn while this waited. 0 when closed."""
        return 0 if self.wait == NULL else self.wait.turns

    cdef int arm(self) except -1:
        self.wait.armed = True
        self.wait.postponed = self.reader.has_postponed()
        uv.prepare_start(&self.wait.prepare, on_prepare)
        return 0

    cdef int give_way(self) except -1:
        """What was read has taken long: uvloop looks at its timers and signals before more is read."""
        if self.wait != NULL:
            self.wait.gives_way = True
        return 0

    cdef int disarm(self) except -1:
        self.wait.armed = False
        uv.prepare_stop(&self.wait.prepare)
        return 0
