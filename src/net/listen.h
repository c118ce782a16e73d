/* Addresses to listen on, and the listening sockets on them. It accepts nothing and knows no worker. */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "base/slice.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } name;
    socklen_t size;
    bool optional; /* skipped where this machine does not have the address family: "localhost" without IPv6 */
    bool dual;     /* [::] that takes IPv4 too, and falls back to 0.0.0.0 */
    bool secure;   /* TLS is spoken on it */
};

enum { ADDRESS_EXPANDED_MAX = 2, ADDRESS_TEXT_SIZE = 128, LISTEN_WHY_SIZE = 256, LISTEN_BACKLOG = 4096 };

/* ":8080", "127.0.0.1:8080", "[::1]:8080", "localhost:8080" (two addresses), "unix:/path", each with "https://" before
 * it where it is to be secure ("http://" is allowed, too). Returns how many, 0 for a text that is none of these; `why`
 * then says what to write instead. */
unsigned address_parse(struct slice text, struct address out[ADDRESS_EXPANDED_MAX], char why[LISTEN_WHY_SIZE]);

/* 0 for a unix socket. */
unsigned address_port(const struct address *address);

/* "127.0.0.1:8080", "https://[::1]:8443" or "unix:/path", and a NUL: at most ADDRESS_TEXT_SIZE bytes. */
void address_text(const struct address *address, char *out, size_t size);

/* Opens `count` sockets that share the address (SO_REUSEPORT; a unix address gets one, returned `count` times),
 * non-blocking and listening. Port 0 is replaced in `address` by the port that was given. Returns how many were
 * opened: `count`, or 0 with `why` (a line which says what to do), or, for an optional address that cannot be had
 * here, 0 with `why` empty. errno is set in both cases: EADDRINUSE where somebody else has the address. */
unsigned listen_open(struct address *address, int *fds, unsigned count, char why[LISTEN_WHY_SIZE]);

/* From now on new connections are not begun (their SYN is dropped and the client tries again), while those in the
 * making are still completed and can be accepted: the way to close a listener without losing anyone. TCP only;
 * harmless elsewhere. */
void listen_refuse_new(int fd);

/* For a connection accepted after that: it may have inherited what keeps others out. */
void listen_welcome(int fd);

/* Takes away the file of a unix socket. */
void listen_unlink(const struct address *address);

/* The peer's address without port into `out` ("192.0.2.1", "2001:db8::1", "unix"), at most 39 bytes and no NUL; IPv4
 * in IPv6 is shown as IPv4. Returns how many bytes. */
size_t address_peer_text(const struct sockaddr *name, char *out, size_t size);

#endif
