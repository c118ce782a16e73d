/* Wire cases as data (README.md says how they are written): read from a file, one after the other. */
#ifndef TESTS_WIRE_CASE_H
#define TESTS_WIRE_CASE_H

#include "stage.h"

enum { CASE_REPLIES_MAX = 16, CASE_FIELDS_MAX = 6 };

struct expected_field {
    struct slice name, value; /* value.data is NULL: the field must not be there */
};

struct expected_reply {
    unsigned status;
    bool to_head;             /* the reply to a HEAD: no content, whatever its fields say */
    struct expected_field fields[CASE_FIELDS_MAX];
    unsigned field_count;
    struct slice body;        /* data is NULL: anything */
    bool sized;
    uint64_t size;
};

struct wire_case {
    struct slice name;
    unsigned line;            /* where it begins in its file */
    struct text input;
    struct expected_reply replies[CASE_REPLIES_MAX];
    unsigned reply_count;
    struct text frames;       /* what goes out behind the replies, on a WebSocket */
    struct text asked;        /* as in struct stage */
    unsigned interim_whole, interim_bytes; /* how many 100s where all comes at once, and where each byte comes alone */
    bool expires;             /* the deadline passes behind the last byte */
    struct slice ends;        /* the phase in the end */
    struct session_limits limits;
};

struct case_reader {
    const char *path;
    struct text file;         /* escapes are resolved in place */
    size_t at;
    unsigned line;
};

/* These end the program where a file cannot be read or is not well-formed. */
void case_open(struct case_reader *reader, const char *path);
bool case_next(struct case_reader *reader, const struct session_limits *limits, struct wire_case *made);
void case_free(struct wire_case *wire_case);
void case_close(struct case_reader *reader);

#endif
