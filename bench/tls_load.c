/* Load of handshakes: connections that each ask for one page over TLS and end, with a handshake in full or with the
 * session that the server gave a ticket for. Prints what load.py reads: how many there were in how long.
 *
 *     tls_load PORT THREADS SECONDS full|resumed PATH
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 256 };

struct load {
    SSL_CTX *context;
    struct sockaddr_in address;
    char request[1024];
    double until;
    bool resumes;
};

struct count {
    pthread_t thread;
    const struct load *load;
    unsigned long answered, failed, not_resumed;
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Sends the request and reads to the end. */
static bool ask(SSL *ssl, const struct load *load)
{
    char answer[16 * 1024];
    size_t total = 0;
    int size;

    if (SSL_write(ssl, load->request, (int)strlen(load->request)) <= 0)
        return false;
    while ((size = SSL_read(ssl, answer, sizeof answer)) > 0) {
        if (total == 0 && (size < 12 || memcmp(answer, "HTTP/1.1 200", 12) != 0))
            return false;
        total += (size_t)size;
    }
    return total > 0;
}

static int open_socket(const struct load *load)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&load->address, sizeof load->address) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* One connection. The session that comes with it is kept for the next one, where that resumes. */
static void visit(struct count *count, SSL_SESSION **session)
{
    const struct load *load = count->load;
    int fd = open_socket(load);
    SSL *ssl = fd >= 0 ? SSL_new(load->context) : NULL;
    bool resumes = load->resumes && *session;
    bool ok = ssl && SSL_set_fd(ssl, fd) == 1 && (!resumes || SSL_set_session(ssl, *session) == 1);

    ok = ok && SSL_connect(ssl) == 1 && ask(ssl, load);
    if (ok)
        count->answered++;
    else
        count->failed++;
    if (ok && resumes && !SSL_session_reused(ssl))
        count->not_resumed++;
    if (ok && load->resumes) {
        SSL_SESSION_free(*session);
        *session = SSL_get1_session(ssl);
    }
    if (ok)
        SSL_shutdown(ssl); /* a session whose connection was not shut down is not resumed */
    SSL_free(ssl);
    if (fd >= 0)
        close(fd);
}

static void *run(void *argument)
{
    struct count *count = argument;
    SSL_SESSION *session = NULL;

    while (now() < count->load->until)
        visit(count, &session);
    SSL_SESSION_free(session);
    return NULL;
}

static int usage(void)
{
    fputs("usage: tls_load PORT THREADS SECONDS full|resumed PATH\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    struct count counts[THREADS_MAX] = { 0 }, all = { 0 };
    struct load load = { .context = SSL_CTX_new(TLS_client_method()), .address.sin_family = AF_INET };

    if (argc != 6 || !load.context)
        return usage();
    unsigned threads = (unsigned)strtoul(argv[2], NULL, 10);
    if (threads == 0 || threads > THREADS_MAX)
        return usage();
    load.address.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    load.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    load.resumes = strcmp(argv[4], "resumed") == 0;
    snprintf(load.request, sizeof load.request, "GET %s HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n\r\n",
             argv[5]);
    double began = now();
    load.until = began + strtod(argv[3], NULL);
    for (unsigned i = 0; i < threads; i++) {
        counts[i].load = &load;
        if (pthread_create(&counts[i].thread, NULL, run, &counts[i]) != 0)
            return 1;
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(counts[i].thread, NULL);
        all.answered += counts[i].answered;
        all.failed += counts[i].failed;
        all.not_resumed += counts[i].not_resumed;
    }
    printf("{\"requests\": %lu, \"seconds\": %.6f, \"errors\": {\"failed\": %lu, \"not_resumed\": %lu}}\n",
           all.answered, now() - began, all.failed, all.not_resumed);
    SSL_CTX_free(load.context);
    return 0;
}
