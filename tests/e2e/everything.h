/* What everything.c is made of: its counts, and the handlers that have a file of their own. */
#ifndef TESTS_E2E_EVERYTHING_H
#define TESTS_E2E_EVERYTHING_H

#include <rawhttp.h>

#include <stdatomic.h>

enum { PIECE = 4096, PIECES = 64, WRITES = 16, LARGE = 300000 };

struct everything {
    rh_server *server;
    rh_topic *topic;
    rh_answer *answer;
    atomic_int requests, requests_ended, pipes, pipes_closed, sockets, sockets_closed, streams, streams_done, writers,
        gone;
    _Atomic uint64_t received; /* bytes of streamed bodies */
    char large[LARGE];
};

extern struct everything all;

/* everything_streams.c: content that is made while it is sent. */
rh_handler stream, broken_stream, open_pipe, events, topic_events;

#endif
