/* A client that speaks TLS over a socket, waiting where a server must not, for tests of what is at the other end. */
#ifndef TESTS_UNIT_TLS_CLIENT_H
#define TESTS_UNIT_TLS_CLIENT_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { TLS_CLIENT_PATIENCE_S = 20 };

struct tls_client {
    SSL_CTX *context;
    SSL *ssl;
    SSL_SESSION *ticket; /* the last one that came; the test's to free */
    int fd;
};

static inline int keep_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct tls_client *client = SSL_get_app_data(ssl);
    SSL_SESSION_free(client->ticket);
    client->ticket = session;
    return 1;
}

/* Before the handshake: what the test wants otherwise can be set. Takes the socket. */
static inline struct tls_client tls_client_make(int fd)
{
    struct tls_client client = { SSL_CTX_new(TLS_client_method()), NULL, NULL, fd };
    struct timeval patience = { .tv_sec = TLS_CLIENT_PATIENCE_S };
    assert_non_null(client.context);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    SSL_CTX_set_session_cache_mode(client.context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client.context, keep_ticket);
    client.ssl = SSL_new(client.context);
    assert_non_null(client.ssl);
    assert_int_equal(SSL_set_fd(client.ssl, fd), 1);
    return client;
}

/* The reason for which the other side, or this one, gave up; 0: none, it is done. */
static inline int tls_client_shake(struct tls_client *client)
{
    SSL_set_app_data(client->ssl, client);
    ERR_clear_error();
    if (SSL_connect(client->ssl) == 1)
        return 0;
    int reason = ERR_GET_REASON(ERR_peek_error());
    ERR_clear_error();
    return reason != 0 ? reason : -1;
}

static inline void tls_client_say(struct tls_client *client, const char *text)
{
    assert_int_equal(SSL_write(client->ssl, text, (int)strlen(text)), (int)strlen(text));
}

/* Reads to the end or until `size` bytes are there. Returns how many. */
static inline size_t tls_client_hear(struct tls_client *client, char *text, size_t size)
{
    size_t used = 0;
    for (int more; used < size && (more = SSL_read(client->ssl, text + used, (int)(size - used))) > 0;)
        used += (size_t)more;
    return used;
}

/* The next bytes are these. */
static inline void tls_client_expect(struct tls_client *client, const char *text)
{
    char got[4096] = "";
    size_t size = strlen(text);
    assert_true(size < sizeof got);
    tls_client_hear(client, got, size);
    assert_string_equal(got, text);
}

/* The other side has said that no more comes. */
static inline bool tls_client_ended(struct tls_client *client)
{
    char byte;
    int result = SSL_read(client->ssl, &byte, 1);
    bool ended = result == 0 && SSL_get_error(client->ssl, result) == SSL_ERROR_ZERO_RETURN;
    ERR_clear_error();
    return ended;
}

static inline void tls_client_free(struct tls_client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    SSL_SESSION_free(client->ticket);
    close(client->fd);
}

#endif
