/* A page and a request's conditions become a response. (Ranges and encodings will join here.) Pure but for the
 * exchange. */
#ifndef SERVE_STATIC_H
#define SERVE_STATIC_H

#include "http/exchange.h"
#include "serve/files.h"
#include "serve/page.h"

enum static_result {
    STATIC_ANSWERED,
    STATIC_FILE,  /* the content has to be opened first: static_open in the background, then static_answer_file */
    STATIC_FAILED /* 412: the response is for the caller to set */
};

/* Methods GET and HEAD. 304 needs no file, nor does HEAD; but where the page has no validators (its size is then not to
 * be relied on), or there is no memory for fields, they take the way of the file too, which has an outcome for that. */
enum static_result static_answer(const struct page *page, struct exchange *exchange, int64_t now_s);

/* Background thread: an open descriptor whose file is the one that the page describes, or has changed since. */
struct static_file {
    int fd;             /* -1: not to be had */
    int error;          /* ENOENT: gone, or not to be served any more; else our own trouble (EMFILE, EIO, ...) */
    bool changed;       /* size or times differ from the page's: send what is there, without ETag */
    uint64_t size;
    int64_t modified_s; /* -1: not to be told */
};
struct static_file static_open(const struct files *files, const struct page *page);

/* The response of an opened file; takes the descriptor. False: no memory, the descriptor is closed. */
bool static_answer_file(const struct page *page, const struct static_file *file, struct exchange *exchange);

#endif
