"""Linux's epoll, as the waiter and the look use it."""

cdef enum:
    MOST_READY = 64             # descriptors in one go; those beyond are ready the next time

cdef extern from "<sys/epoll.h>" nogil:
    ctypedef union epoll_data_t:
        int fd
    struct epoll_event:
        unsigned int events
        epoll_data_t data
    int EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL
    unsigned int EPOLLIN, EPOLLRDHUP
    int epoll_create1(int flags)
    int epoll_ctl(int queue, int operation, int descriptor, epoll_event* event)
    int epoll_wait(int queue, epoll_event* events, int most, int timeout)
