/* GET /json/{count}?m= by libmicrohttpd, as its manual advises for speed: epoll in threads of its own, TURBO. It has no
 * writer for JSON.
 *
 *     microhttpd 8080 WORKERS items.json */
#include "text.h"

#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, char *text, size_t size)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* Called once for the head, and again where the request is whole. */
static enum MHD_Result answer(void *user, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state)
{
    static char seen;
    const struct items *items = user;
    (void)version, (void)upload, (void)upload_size;
    if (*state == NULL) {
        *state = &seen;
        return MHD_YES;
    }
    if (strcmp(method, "GET") != 0 || strncmp(url, "/json/", 6) != 0)
        return say(connection, MHD_HTTP_NOT_FOUND, NULL, 0);
    const char *factor = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "m");
    size_t size, count = strtoul(url + 6, NULL, 10);
    char *text = text_make(items, count < items->count ? count : items->count, factor ? atoll(factor) : 1, &size);
    return text ? say(connection, MHD_HTTP_OK, text, size) : MHD_NO;
}

int main(int count, char **words)
{
    struct items items = { 0 };
    sigset_t ends;
    int number;
    if (count != 4 || !items_read(words[3], &items))
        return 2;
    unsigned workers = (unsigned)strtoul(words[2], NULL, 10);
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO,
        (uint16_t)strtoul(words[1], NULL, 10), NULL, NULL, answer, &items, MHD_OPTION_THREAD_POOL_SIZE,
        workers > 1 ? workers : 0, MHD_OPTION_CONNECTION_LIMIT, 16384U, MHD_OPTION_END);
    if (daemon == NULL)
        return 1;
    sigwait(&ends, &number);
    MHD_stop_daemon(daemon);
    return 0;
}
