/* The request line and the fields of an HTTP/1.x request (RFC 9112 parts 2, 3 and 5): bytes in, a struct request out.
 *
 * It is strict: what two parsers could read differently is an error. It resumes after the last complete line, so a head
 * that comes a byte at a time costs little more than one that comes whole. Where a message ends is h1_framing's
 * question. */
#ifndef WIRE_H1_HEAD_H
#define WIRE_H1_HEAD_H

#include "http/exchange.h"
#include "http/session.h"
#include "wire/h1_scan.h"

enum h1_head_result { H1_HEAD_MORE, H1_HEAD_DONE, H1_HEAD_BAD };

/* All zero at the start of a head, but for the slot. */
struct h1_head {
    uint32_t done;        /* bytes at the front that are complete lines, parsed */
    uint16_t bad_status;  /* with H1_HEAD_BAD: 400, 414, 431 or 505 */
    uint16_t method_size; /* where the parts of the request line are, for when the bytes move */
    uint16_t target_size;
    uint16_t fields_at;   /* where the fields begin; 0: the request line has not been parsed */
    uint8_t empty_lines;  /* skipped before the request line; a few are allowed (RFC 9112 2.2) */
    bool host_again;      /* a second Host was there */
    uint8_t slot;         /* of the host's memo: where this client's fields may be; the caller's to set and to keep */
};

/* `bytes` begins where the head begins, the same bytes again with more behind them after H1_HEAD_MORE; they may have
 * moved: fields.base and the slices of the request line are set anew by each call.
 * Of the host it looks at the limits, which are within what struct fields can hold (session.h), and at the memo.
 * H1_HEAD_DONE: head->done bytes were the head, with its empty line.
 * Checks that need the whole head are made here too: exactly one valid Host in 1.1 (at most one in 1.0).
 * The error is the first one in the order of the bytes and is told as soon as they show it, so it does not depend on
 * how they were split. After H1_HEAD_BAD the request holds what was read before, which may be nothing: version 0. */
enum h1_head_result h1_head_parse(const struct h1_scanner *scanner, struct h1_head *head, struct request *request,
                                  struct slice bytes, const struct session_host *host);

/* Takes out of the request what an unfinished head has left there, and what a head before that had: its bytes may be
 * gone. The method and the version stay where they are known. */
void h1_head_forget(const struct h1_head *head, struct request *request);

#endif
