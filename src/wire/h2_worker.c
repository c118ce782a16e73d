/* Pools, and one block. They know nothing of what is in it. */
#include "wire/h2_worker.h"

#include <stdlib.h>

#include "wire/h2_machine.h"

enum { CONNECTIONS_KEPT = 256, STREAMS_KEPT = 512 };

bool h2_worker_init(struct h2_worker *worker, struct pages *pages, const struct session_limits *limits)
{
    *worker = (struct h2_worker){ .pages = pages, .text_size = limits->head_max };
    pool_init(&worker->connections, sizeof(struct h2_connection), CONNECTIONS_KEPT);
    pool_init(&worker->streams, sizeof(struct h2_stream), STREAMS_KEPT);
    worker->text = malloc(worker->text_size);
    return worker->text != NULL;
}

void h2_worker_fini(struct h2_worker *worker)
{
    pool_fini(&worker->connections);
    pool_fini(&worker->streams);
    free(worker->text);
    worker->text = NULL;
}
