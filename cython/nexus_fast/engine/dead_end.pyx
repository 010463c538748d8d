import socket

cdef extern from "<sys/socket.h>" nogil:
    ssize_t send(int descriptor, const void* data, size_t size, int flags)
    ssize_t recv(int descriptor, void* data, size_t size, int flags)
    int setsockopt(int descriptor, int level, int name, const void* value, unsigned int size)
    int MSG_DONTWAIT
    int MSG_NOSIGNAL
cdef extern from "<netinet/in.h>" nogil:
    int IPPROTO_TCP
cdef extern from "<netinet/tcp.h>" nogil:
    int TCP_QUICKACK

cdef int NO = 0


cdef class DeadEnd:
    """OSError when there is no such connection to be had."""

    def __init__(self):
        self.near = self.far = -1
        with socket.create_server(("127.0.0.1", 0), backlog=1) as server:
            self.near_socket = socket.create_connection(server.getsockname(), timeout=1.0)
            self.far_socket, address = server.accept()
            if address != self.near_socket.getsockname():
                # Somebody else was quicker. Nothing of him is wanted.
                self.close()
                raise OSError(f"a stranger at {address} connected instead of this process")
        self.near_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.near, self.far = self.near_socket.fileno(), self.far_socket.fileno()

    cdef void walk(self) noexcept nogil:
        if self.near < 0 or send(self.near, self.request, sizeof(self.request), MSG_DONTWAIT | MSG_NOSIGNAL) <= 0:
            return
        # Loopback delivers within send(): the bytes are there.
        if recv(self.far, self.received, sizeof(self.received), MSG_DONTWAIT) > 0:
            self.walks += 1
        setsockopt(self.far, IPPROTO_TCP, TCP_QUICKACK, &NO, sizeof(NO))

    def walk_once(self):
        self.walk()

    def close(self):
        self.near = self.far = -1
        self.near_socket.close()
        self.far_socket.close()
