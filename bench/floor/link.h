/* A socket, plain or with TLS in front of it (OpenSSL, compiled in with -DBENCH_TLS). */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include <errno.h>
#include <sys/socket.h>

#ifdef BENCH_TLS
#include <openssl/ssl.h>
#include <signal.h>

static SSL_CTX *link_context;

/* One context for all connections. read_ahead: one read(2) brings a record's head and body. No tickets: nothing resumes. */
static void link_prepare(const SSL_METHOD *method) {
    link_context = SSL_CTX_new(method);
    if (!link_context) die("OpenSSL makes no context");
    SSL_CTX_set_read_ahead(link_context, 1);
    SSL_CTX_set_num_tickets(link_context, 0);
    signal(SIGPIPE, SIG_IGN); /* SSL_write() knows no MSG_NOSIGNAL */
    SSL_CTX_set_mode(link_context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

static void link_serve(const char *certificate, const char *key) {
    link_prepare(TLS_server_method());
    if (SSL_CTX_use_certificate_file(link_context, certificate, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(link_context, key, SSL_FILETYPE_PEM) != 1)
        die("certificate %s or key %s cannot be used", certificate, key);
}

static void link_connect(void) { link_prepare(TLS_client_method()); }

/* On the client's side the handshake is made at once, on a blocking socket; on the server's by the first reads. */
static void *link_secure(int fd, int server) {
    if (!link_context) return NULL;
    SSL *tls = SSL_new(link_context);
    if (!tls || !SSL_set_fd(tls, fd)) die("OpenSSL makes no connection");
    if (server) SSL_set_accept_state(tls);
    else if (SSL_connect(tls) != 1) die("the TLS handshake failed");
    return tls;
}

static inline ssize_t link_status(SSL *tls, int done) {
    if (done > 0) return done;
    switch (SSL_get_error(tls, done)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: errno = EAGAIN; return -1;
    case SSL_ERROR_ZERO_RETURN: return 0;
    default: errno = ECONNRESET; return -1;
    }
}

static inline ssize_t link_recv(int fd, void *tls, void *data, size_t room, int flags) {
    return tls ? link_status(tls, SSL_read(tls, data, (int)room)) : recv(fd, data, room, flags);
}

static inline ssize_t link_send(int fd, void *tls, const void *data, size_t n, int flags) {
    return tls ? link_status(tls, SSL_write(tls, data, (int)n)) : send(fd, data, n, flags);
}

/* Bytes that are off the socket and not read yet: epoll will not tell of them. */
static inline int link_pending(void *tls) { return tls && SSL_has_pending(tls); }

static inline void link_free(void *tls) {
    if (tls) SSL_free(tls);
}
#else
static void link_connect(void) { die("built without TLS"); }
static void link_serve(const char *certificate, const char *key) { die("built without TLS: %s %s", certificate, key); }
static void *link_secure(int fd, int server) { return (void)fd, (void)server, NULL; }
static inline ssize_t link_recv(int fd, void *tls, void *data, size_t room, int flags) {
    return (void)tls, recv(fd, data, room, flags);
}
static inline ssize_t link_send(int fd, void *tls, const void *data, size_t n, int flags) {
    return (void)tls, send(fd, data, n, flags);
}
static inline int link_pending(void *tls) { return (void)tls, 0; }
static inline void link_free(void *tls) { (void)tls; }
#endif

#endif
